from .dispositifs import Dispositif, DispositifSpecificite
from .entites import Entite, Rattachement
from .financements import Financement
from .imports import Anomalie, Avancement, Contenu, Ecart, Import
from .nomenclature import (
    Composition,
    ConventionCollective,
    Idcc,
    LigneFinancement,
    SpecificitePublic,
    TypeDispositif,
)
from .validation import Proposition, Remarque, Transition

__all__ = [
    "Anomalie",
    "Avancement",
    "Composition",
    "Contenu",
    "ConventionCollective",
    "Dispositif",
    "DispositifSpecificite",
    "Ecart",
    "Entite",
    "Financement",
    "Idcc",
    "Import",
    "LigneFinancement",
    "Proposition",
    "Rattachement",
    "Remarque",
    "SpecificitePublic",
    "Transition",
    "TypeDispositif",
]
