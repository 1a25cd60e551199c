"""Top of the domain: situations résidentielles, the dossier page, parcours pictures, extractions, pilotage."""
