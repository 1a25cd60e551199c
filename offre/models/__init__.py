from .dispositifs import Dispositif, DispositifPublic, DispositifSpecificite
from .entites import Entite, Rattachement
from .financements import Financement
from .imports import Anomalie, Avancement, Contenu, Ecart, Import
from .mesures import Creneau, DeclarationMesures, GroupeMesures, PrestationProposee
from .nomenclature import (
    Composition,
    ConventionCollective,
    Idcc,
    LigneFinancement,
    SpecificitePublic,
    TypeDispositif,
)
from .ouverture import JetonOuverture
from .places import (
    CapaciteFinancee,
    CategoriePlace,
    Configuration,
    DeclarationPlace,
    GroupePlaces,
    Indisponibilite,
    Place,
    RappelPlaces,
    TypePlace,
)
from .sirene import CadenceSirene, FicheSirene
from .validation import Proposition, Remarque, Transition

__all__ = [
    "Anomalie",
    "Avancement",
    "CadenceSirene",
    "CapaciteFinancee",
    "CategoriePlace",
    "Composition",
    "Configuration",
    "Contenu",
    "ConventionCollective",
    "Creneau",
    "DeclarationMesures",
    "DeclarationPlace",
    "Dispositif",
    "DispositifPublic",
    "DispositifSpecificite",
    "Ecart",
    "Entite",
    "FicheSirene",
    "Financement",
    "GroupeMesures",
    "GroupePlaces",
    "Idcc",
    "Import",
    "Indisponibilite",
    "JetonOuverture",
    "LigneFinancement",
    "Place",
    "PrestationProposee",
    "Proposition",
    "RappelPlaces",
    "Rattachement",
    "Remarque",
    "SpecificitePublic",
    "Transition",
    "TypeDispositif",
    "TypePlace",
]
