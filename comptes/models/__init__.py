from .habilitations import Habilitation
from .territoires import CodePostal, Commune, Departement, Region
from .utilisateurs import Utilisateur

__all__ = ["CodePostal", "Commune", "Departement", "Habilitation", "Region", "Utilisateur"]
