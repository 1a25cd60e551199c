"""Names of communes as people write them, and the communes that a postal code and such a name say together."""

import difflib
import functools
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from comptes.models import CodePostal, Departement, Region
from siao.socle.fixtures import rows
from siao.socle.text import fold, keyboard

_CEDEX = re.compile(r"\b(?:cedex|cdx)\b\.?\s*[0-9]{0,2}\b")
_BRACKETS = re.compile(r"\(([^)]*)\)|,\s*(les?|la|l')$")
_PARTS = ("ville", "campagne")  # two communes are called Château-Chinon
_ARTICLES = ("le", "la", "les", "l")
_WORDS = {
    "st": "saint",
    "ste": "sainte",
    "sts": "saints",
    "stes": "saintes",
    "s": "sur",
    "sr": "sur",
    "ss": "sous",
    "lez": "les",
    "nd": "notre dame",
    "&": "et",
}
_ARRONDISSEMENT = re.compile(
    r"(paris|lyon|marseille)\W*?(?P<n>[0-9]{1,2}|[xvi]+)\s*(?:er?|eme|ieme|nd|nde|d|de)?\s*(?:ar\w*\.?)?"
)
_ARRONDISSEMENTS = {"paris": 20, "lyon": 9, "marseille": 16}
_ROMAN = {"i": 1, "v": 5, "x": 10}


@dataclass(frozen=True)
class Ecriture:
    """What a typed name says: the key of the commune, and its arrondissement where it names one."""

    cle: str
    arrondissement: int | None = None


@functools.lru_cache(maxsize=50_000)
def lire(name: str) -> Ecriture:
    """Case, accents, dashes, apostrophes, spaces, « St », « s/ », an article between brackets, CEDEX do not matter."""
    text = _CEDEX.sub(" ", fold(keyboard(name)))
    text = re.sub(r"\b(?:f-)?[0-9]{5}\b", " ", text).strip(" -,.")
    article = next((found[1] or found[2] for found in _BRACKETS.finditer(text)), "")
    text = _BRACKETS.sub(lambda found: f" {found[1]} " if found[1] in _PARTS else " ", text).strip()
    if article.strip("' ") in _ARTICLES:
        text = f"{article} {text}"
    match = _ARRONDISSEMENT.fullmatch(text)
    if match and 1 <= (number := _arrondissement(match["n"])) <= _ARRONDISSEMENTS[match[1]]:
        return Ecriture(match[1], number)
    text = re.sub(r"\bs/s(?:/|\b)", " ss ", text)
    text = re.sub(r"\bs/|/", " s ", re.sub(r"\bn[.-]?\s?d\b\.?", "nd", text))
    words = (_WORDS.get(word, word) for word in re.split(r"[\s'.,-]+", text) if word)
    # Joined: « Saint Herblain » and « SaintHerblain », « L'Île » and « L Île » are one.
    return Ecriture("".join(words).replace(" ", ""))


def _arrondissement(text: str) -> int:
    if text.isdigit():
        return int(text)
    values = [_ROMAN[letter] for letter in text]
    return sum(-value if value < after else value for value, after in zip(values, [*values[1:], 0], strict=True))


@functools.cache
def anciennes() -> dict[str, list[str]]:
    """Communes déléguées and associées, by commune that they are part of (``fixtures/communes_anciennes.csv``)."""
    found = defaultdict(list)
    for row in rows("communes_anciennes"):
        found[row["commune"]].append(row["nom"])
    return found


@dataclass(frozen=True)
class Commune:
    code: str
    nom: str
    departement: str
    departement_nom: str


@dataclass
class Trouvees:
    """The communes of a postal code, found by what people call them."""

    communes: list[Commune] = field(default_factory=list)

    @cached_property
    def by_key(self) -> dict[str, Commune]:
        former = defaultdict(set)
        for commune in self.communes:
            for name in anciennes().get(commune.code, ()):
                former[lire(name).cle].add(commune)
        keys = {key: next(iter(found)) for key, found in former.items() if len(found) == 1}
        return keys | {commune.code: commune for commune in self.communes} | self._present

    @cached_property
    def _present(self) -> dict[str, Commune]:
        return {lire(commune.nom).cle: commune for commune in self.communes}

    def find(self, name: str) -> Commune | None:
        """The commune so called, now or before it was joined to another, or that has this INSEE code."""
        key = lire(name).cle or fold(keyboard(name)).upper()
        return self.by_key.get(key)

    def is_present(self, name: str) -> bool:
        """Whether ``name`` is that of a commune of today."""
        return lire(name).cle in self._present or not lire(name).cle

    def close(self, name: str) -> Commune | None:
        """The commune that was perhaps meant."""
        found = difflib.get_close_matches(lire(name).cle[:60], self.by_key, n=1, cutoff=0.7)
        return self.by_key[found[0]] if found else None


class Communes:
    """The communes of France that have one of these postal codes, seen from ``territoire``."""

    def __init__(self, postal_codes: Iterable[str], territoire: Departement | Region):
        self.territoire = territoire
        self.departements = frozenset(territoire.codes_departements)
        self._by_postal_code: defaultdict[str, Trouvees] = defaultdict(Trouvees)
        codes = CodePostal.objects.filter(code__in=set(postal_codes)).order_by("commune")
        for postal_code, *commune in codes.values_list(
            "code", "commune_id", "commune__nom", "commune__departement", "commune__departement__nom"
        ):
            self._by_postal_code[postal_code].communes.append(Commune(*commune))

    def at(self, postal_code: str) -> Trouvees:
        return self._by_postal_code.get(postal_code) or Trouvees()

    def here(self, name: str) -> tuple[Commune, list[str]] | None:
        """The commune of the territory so called, and its postal codes; None when none or several are."""
        found = self._here.get(lire(name).cle, {})
        return next(iter(found.items())) if len(found) == 1 else None

    def of_insee(self, code: str) -> tuple[Commune, list[str]] | None:
        """The commune of the territory that has this INSEE code, and its postal codes."""
        for found in self._here.values():
            for commune, codes in found.items():
                if commune.code == code:
                    return commune, codes
        return None

    @cached_property
    def _here(self) -> dict[str, dict[Commune, list[str]]]:
        """Read once, when an address is wrong: the communes of the territory by key, with their postal codes."""
        found: defaultdict[str, dict] = defaultdict(dict)
        codes = CodePostal.objects.filter(commune__departement__in=self.departements).order_by("code")
        for postal_code, *values in codes.values_list(
            "code", "commune_id", "commune__nom", "commune__departement", "commune__departement__nom"
        ):
            commune = Commune(*values)
            for name in (commune.nom, *anciennes().get(commune.code, ())):
                codes_of = found[lire(name).cle].setdefault(commune, [])
                if postal_code not in codes_of:
                    codes_of.append(postal_code)
        return found
