from .appartenances import Appartenance
from .demandes_d_acces import DemandeDAcces, EtatDemande
from .distinctions import Distinction
from .fusions import Fusion
from .menages import Accompagnement, Menage
from .personnes import AccesProtege, Personne, Precision, Regard, Sexe, birth_of
from .recherches import Recherche

__all__ = [
    "AccesProtege",
    "Accompagnement",
    "Appartenance",
    "DemandeDAcces",
    "Distinction",
    "EtatDemande",
    "Fusion",
    "Menage",
    "Personne",
    "Precision",
    "Recherche",
    "Regard",
    "Sexe",
    "birth_of",
]
