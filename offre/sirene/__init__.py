"""The State's register of legal persons: asked one SIREN at a time, copied in the database, never waited for."""

from .repertoire import Absente, Entreprise, Indisponible, lookup, refresh

__all__ = ["Absente", "Entreprise", "Indisponible", "lookup", "refresh"]
