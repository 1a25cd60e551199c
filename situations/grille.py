"""The grid of situations as forms and the help page show it: types, their situations, what may be chosen today."""

import datetime
from dataclasses import dataclass

from situations.models import Sr1, Sr2


@dataclass(frozen=True)
class Grille:
    types: list[Sr1]
    valeurs: dict[str, Sr2]
    """Every situation by its code, retired ones too."""
    jour: datetime.date
    gardee: str = ""
    """Code of the one that is being corrected: it stays on offer, even retired."""

    def offered(self, sr1: Sr1) -> list[Sr2]:
        return [
            sr2
            for sr2 in self.valeurs.values()
            if sr2.sr1_id == sr1.pk and (sr2.is_offered(self.jour) or sr2.pk == self.gardee)
        ]

    @property
    def choix(self) -> list[tuple[Sr1, list[Sr2]]]:
        return [(sr1, self.offered(sr1)) for sr1 in self.types]


def read_grille(jour: datetime.date, *, gardee: str = "") -> Grille:
    """Two queries."""
    values = Sr2.objects.select_related("sr1", "remplacee_par", "ethos", "ethos_light").order_by("ordre")
    return Grille(list(Sr1.objects.order_by("ordre")), {sr2.pk: sr2 for sr2 in values}, jour, gardee)
