"""Ménages and personnes, fusion, déplacement, demandes, évaluations, orientations, admissions."""
