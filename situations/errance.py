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
        return f"{self.jours * 12 // 365} mois"


def errance_of(situations: Sequence, aujourdhui: datetime.date) -> Errance:
    """Of one path, oldest situation first. Situations of errance that follow each other are one."""
    since, days = None, 0
    for situation in situations:
        if situation.sr2.sr1_id in TYPES:
            since = since or situation.date_debut
            last = min(situation.date_fin or aujourdhui, aujourdhui)
            days += (last - situation.date_debut).days + 1
        else:
            since = None
    return Errance(since, days)
