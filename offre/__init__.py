"""Entités, dispositifs, financements, places, the Temps 1 import, the validation workflow, SIRENE."""
