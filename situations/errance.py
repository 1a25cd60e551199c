"""Errance: for how long somebody has had no place of their own. Computed from the situations, stored nowhere.

« La durée d'errance est traduite par la date de début des situations résidentielles correspondantes (à la rue, ou
hébergé chez un tiers par exemple). » Which types count is our decision: docs/decisions/0023-errance-et-bandeau.md.
"""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from siao.socle.text import counted

TYPES = frozenset({"I", "II", "VI"})
"""Codes of the types that count: à la rue, à l'abri, hébergée par des tiers."""


LONGUE = 20
"""Years of errance in all, above which a page asks whether it is true: it is more often a year mistyped."""


@dataclass(frozen=True)
class Errance:
    depuis: datetime.date | None
    """First day of the errance that still goes on, None when it does not."""
    jours: int
    """Days of errance in the whole path, today included."""

    @property
    def cumul(self) -> str:
        """The total as people say it."""
        if not self.jours:
            return ""
        if self.jours < 60:
            return counted(self.jours, "jour")
        years, months = divmod(round(self.jours * 12 / 365.25), 12)
        if years < 2:
            return f"{years * 12 + months} mois"
        return f"{years} ans et {months} mois" if months else f"{years} ans"


def is_to_confirm(avant: Errance, apres: Errance) -> bool:
    """Whether what somebody typed makes an errance so long that it must be confirmed: longer than it already was."""
    return apres.jours > max(LONGUE * 365.25, avant.jours)


def errance_of(situations: Sequence, aujourdhui: datetime.date, *, naissance: datetime.date | None = None) -> Errance:
    """Of one path, oldest situation first. Situations of errance that follow each other are one.

    Nobody was homeless before their birth, whatever was typed.
    """
    since, days = None, 0
    for situation in situations:
        if situation.sr2.sr1_id in TYPES:
            first = max(situation.date_debut, naissance or situation.date_debut)
            last = min(situation.date_fin or aujourdhui, aujourdhui)
            if first > last:
                continue
            since = since or first
            days += (last - first).days + 1
        else:
            since = None
    return Errance(since, days)
