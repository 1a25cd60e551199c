from .appartenances import Appartenance
from .demandes_d_acces import DemandeDAcces, EtatDemande
from .distinctions import Distinction
from .fusions import Fusion
from .menages import Accompagnement, Menage
from .personnes import AccesProtege, Personne, Regard, Sexe
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
    "Recherche",
    "Regard",
    "Sexe",
]
