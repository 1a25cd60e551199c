from .oublis import Oubli, SituationOubliee
from .referentiel import Calculateur, Couleur, Ethos, EthosLight, Sr1, Sr2
from .situations import SituationResidentielle

__all__ = [
    "Calculateur",
    "Couleur",
    "Ethos",
    "EthosLight",
    "Oubli",
    "SituationOubliee",
    "SituationResidentielle",
    "Sr1",
    "Sr2",
]
