"""How much two identities look alike, from 0 to 100, whatever the accents, case, hyphens, order and typing errors.

The database proposes candidates by its blocking keys (``Personne.cles``); this ranks them. RapidFuzz measures the
distance between words, the weights are ours.
"""

import datetime
from dataclasses import dataclass
from functools import cached_property

from rapidfuzz import fuzz
from rapidfuzz.distance import OSA, JaroWinkler

from siao.socle.text import fold

PROBABLE = 80
"""From this score on, two fiches are probably of the same person."""

POSSIBLE = 62
"""From this score on, a fiche is worth a look."""


@dataclass(frozen=True)
class Identite:
    """What is known, or searched for; empty values are unknown."""

    nom: str = ""
    prenom: str = ""
    nom_usage: str = ""
    date_naissance: datetime.date | None = None
    annee_seule: bool = False
    """Only the year of ``date_naissance`` counts."""

    @cached_property
    def noms(self) -> list[str]:
        return [name for name in (_letters(self.nom), _letters(self.nom_usage)) if name]

    @cached_property
    def prenoms(self) -> str:
        return _letters(self.prenom)


def score(cherchee: Identite, connue: Identite) -> int:
    """How much ``connue`` looks like ``cherchee``. What is not looked for does not count; what is unknown, a little."""
    parts = []
    if cherchee.noms or cherchee.prenoms:
        parts.append((0.65, _names(cherchee, connue)))
    if cherchee.date_naissance:
        parts.append((0.35, _dates(cherchee, connue)))
    total = sum(weight for weight, _ in parts)
    return round(sum(weight * value for weight, value in parts) / total) if parts else 0


def _letters(name: str) -> str:
    return "".join(filter(str.isalnum, fold(name)))


def _names(cherchee: Identite, connue: Identite) -> float:
    straight = _both(cherchee.noms, cherchee.prenoms, connue.noms, connue.prenoms)
    # Typed in the other order: as likely on a paper as on a screen.
    inverted = _both(cherchee.noms, cherchee.prenoms, [connue.prenoms], "".join(connue.noms[:1]))
    return max(straight, 0.97 * inverted)


def _both(noms: list[str], prenom: str, noms_connus: list[str], prenom_connu: str) -> float:
    parts = []
    if noms:
        parts.append(max((_words(nom, connu) for nom in noms for connu in noms_connus if connu), default=50))
    if prenom:
        parts.append(_words(prenom, prenom_connu) if prenom_connu else 50)
    # The worse of the two weighs more: a perfect name with another first name is a relative.
    return (sum(parts) + min(parts)) / (len(parts) + 1)


def _words(one: str, other: str) -> float:
    """0 to 100. One transposed, missing or wrong letter costs little; a shortened compound name too."""
    if one == other:
        return 100
    alike = 100 * max(OSA.normalized_similarity(one, other), JaroWinkler.similarity(one, other) - 0.05)
    shorter, longer = sorted((one, other), key=len)
    if len(shorter) >= 4 and longer.startswith(shorter):
        alike = max(alike, 85)
    return max(alike, 0.9 * fuzz.partial_ratio(one, other) if len(shorter) >= 5 else 0)


def _dates(cherchee: Identite, connue: Identite) -> float:
    wanted, known = cherchee.date_naissance, connue.date_naissance
    if known is None:
        return 60
    if wanted == known:
        return 100
    if wanted.year == known.year:
        first_january = (1, 1)
        if cherchee.annee_seule or first_january in ((wanted.day, wanted.month), (known.day, known.month)):
            return 90  # an age was turned into a date
        if (wanted.day, wanted.month) == (known.month, known.day):
            return 90
    return {1: 85, 2: 60}.get(
        OSA.distance(f"{wanted:%d%m%Y}", f"{known:%d%m%Y}"), 40 if wanted.year == known.year else 0
    )
