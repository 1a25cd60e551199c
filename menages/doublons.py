"""How much two identities look alike, from 0 to 100, whatever the accents, case, hyphens, order and typing errors.

The database proposes candidates by its blocking keys (``Personne.cles``); this ranks them. RapidFuzz measures the
distance between words, the weights are ours.
"""

import datetime
import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property, lru_cache

from rapidfuzz import fuzz
from rapidfuzz.distance import OSA, JaroWinkler

from siao.socle.text import fold

PROBABLE = 80
"""From this score on, two fiches are probably of the same person."""

POSSIBLE = 62
"""From this score on, a fiche is worth a look."""

LETTRES = str.maketrans(
    dict(zip("øłđðıħŧŋəǝɛɔɩɨʋʉɓƀɗɖɠǥɣƙɫɲƒƥʀɍƭʈƴɏʒƶ", "olddihtneeeoiivubbddgggklnfprrttyyzz", strict=True))
    | {"ß": "ss", "þ": "th"}
)
"""Latin letters that Unicode does not decompose, as French keyboards write them; ``menages_plie`` has them too."""

_CIVILITE = re.compile(
    r"(?:(?:mme|mlle|mr|mrs|ms|miss|monsieur|madame|mademoiselle|dr|docteur)\b[.]?|m[.]|m(?= )) *", re.IGNORECASE
)
_LIEN = re.compile(r"(?<!\S)(?:née?|né[(]e[)]|nee|épouse|epouse|ép[.]?|veuve|vve)(?: le)?(?!\S)", re.IGNORECASE)
_PONCTUATION = re.compile(r"[,;:()«»\"]+")


def without_civility(name: str) -> str:
    """``name`` as it is searched for: « Mme Diallo, née Camara » is Diallo Camara."""
    name = " ".join(_PONCTUATION.sub(" ", unicodedata.normalize("NFC", name)).split())
    kept = " ".join(_LIEN.sub(" ", name).split())
    while match := _CIVILITE.match(kept):
        kept = kept[match.end() :]
    return kept


MOTS = 8
"""Words of a name that are read in every order; those of more are read as they were typed."""


@dataclass(frozen=True)
class Identite:
    """What is known, or searched for; empty values are unknown."""

    nom: str = ""
    prenom: str = ""
    nom_usage: str = ""
    date_naissance: datetime.date | None = None
    annee_seule: bool = False
    """Only the year of ``date_naissance`` counts."""
    environ: bool = False
    """And it is presumed."""

    @cached_property
    def noms(self) -> list[str]:
        return [name for name in (_letters(self.nom), _letters(self.nom_usage)) if name]

    @cached_property
    def prenoms(self) -> str:
        return _letters(self.prenom)

    @cached_property
    def mots(self) -> list[str]:
        """The words of all the names, sorted."""
        return _words_of(self.nom, self.nom_usage, self.prenom)

    @cached_property
    def lectures(self) -> list[tuple[str, str]]:
        """Surname and first name, as typed then with every other split: « De La Cruz Jean » says not where it ends."""
        nom, prenom = without_civility(self.nom), without_civility(self.prenom)
        words = [*nom.split(), *prenom.split()]
        splits = [(" ".join(words[:end]), " ".join(words[end:])) for end in range(1, len(words))]
        found = [(nom, prenom), *(splits if len(words) <= MOTS else [])]
        return list(dict.fromkeys(found))


def same_line(one: Identite, other: Identite) -> bool:
    """Whether two lines of one form are probably the same person: each looks like the other."""
    return bool(one.mots and other.mots) and min(score(one, other), score(other, one)) >= PROBABLE


def score(cherchee: Identite, connue: Identite) -> int:
    """How much ``connue`` looks like ``cherchee``. What is not looked for does not count; what is unknown, a little."""
    parts = []
    if cherchee.noms or cherchee.prenoms:
        parts.append((0.65, _names(cherchee, connue)))
    if cherchee.date_naissance:
        parts.append((0.35, _dates(cherchee, connue)))
    if not parts:
        return 0
    found = sum(weight * value for weight, value in parts) / sum(weight for weight, _ in parts)
    return 100 if found == 100 else min(99, round(found))  # 100 is for what is the same


@lru_cache(maxsize=50_000)
def _letters(name: str) -> str:
    """The letters of a name, without those of a civility."""
    return "".join(filter(str.isalnum, latin(without_civility(name))))


def latin(name: str) -> str:
    """``name`` in the letters of a French keyboard."""
    return fold(name).translate(LETTRES)


def _words_of(*names: str) -> list[str]:
    text = latin(" ".join(map(without_civility, names)))
    return sorted("".join(letter if letter.isalnum() else " " for letter in text).split())


def _names(cherchee: Identite, connue: Identite) -> float:
    straight = _both(cherchee.noms, cherchee.prenoms, connue.noms, connue.prenoms)
    if straight == 100:
        return 100
    if cherchee.mots == connue.mots or cherchee.mots in (
        _words_of(connue.nom, connue.prenom),
        _words_of(connue.nom_usage, connue.prenom),
    ):
        return 99  # the same words, in another order
    alike = straight
    for typed_nom, typed_prenom in cherchee.lectures:
        noms, prenom = [_letters(typed_nom)] if typed_nom else [], _letters(typed_prenom)
        read = _both(noms, prenom, connue.noms, connue.prenoms)
        # Typed in the other order: as likely on a paper as on a screen.
        inverted = _both(noms, prenom, [connue.prenoms], "".join(connue.noms[:1]))
        alike = max(alike, 0.98 * read, 0.97 * inverted)
    return alike


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


def _years(cherchee: Identite, connue: Identite) -> float:
    """When one of both is known by its year alone, presumed or not."""
    apart = abs(cherchee.date_naissance.year - connue.date_naissance.year)
    if apart == 0:
        return 90
    presumed = cherchee.environ or connue.environ
    return {1: 80, 2: 70, 3: 60}.get(apart, 40 if apart <= 5 else 0) if presumed else {1: 60}.get(apart, 0)


def _dates(cherchee: Identite, connue: Identite) -> float:
    wanted, known = cherchee.date_naissance, connue.date_naissance
    if known is None:
        return 60
    if wanted == known and cherchee.annee_seule == connue.annee_seule:
        return 100
    if cherchee.annee_seule or connue.annee_seule:
        return _years(cherchee, connue)
    if wanted.year == known.year:
        first_january = (1, 1)
        if first_january in ((wanted.day, wanted.month), (known.day, known.month)):
            return 90  # an age was turned into a date
        if (wanted.day, wanted.month) == (known.month, known.day):
            return 90
    return {1: 85, 2: 60}.get(
        OSA.distance(f"{wanted:%d%m%Y}", f"{known:%d%m%Y}"), 40 if wanted.year == known.year else 0
    )
