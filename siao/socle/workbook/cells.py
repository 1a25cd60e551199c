"""What a workbook says once it is read: sheets, rows, and cells that admit what could not be read."""

import datetime
from dataclasses import dataclass, field

from .wire import column_letters

BAD_CELLS = {
    "erreur": "la cellule affiche l'erreur {raw} : corrigez la formule ou saisissez la valeur",
    "formule": "formule non calculée : collez la valeur (Collage spécial > Valeurs)",
    "nombre": "« {raw} » n'est pas un nombre que l'on peut lire : saisissez de nouveau la cellule",
    "booleen": "« {raw} » n'est ni vrai ni faux : saisissez de nouveau la cellule",
    "date": "« {raw} » n'est pas une date que l'on peut lire : saisissez-la sous la forme jj/mm/aaaa",
    "texte": "le texte de la cellule est perdu dans le fichier : saisissez-le de nouveau",
    "trop_long": "plus de 32 767 caractères : raccourcissez le texte",
    "type": "contenu d'un type inconnu (« {raw} ») : saisissez de nouveau la cellule",
}

STRAYS = {
    "hors_tableau": "valeur hors du tableau en {address} : supprimez-la ou replacez-la dans le tableau",
    "adresse": "adresse de cellule illisible ou en double ({address}) : copiez le tableau dans un modèle vierge",
}


@dataclass(frozen=True, slots=True)
class BadCell:
    """A cell that holds something, but nothing that can be trusted as a value. ``kind`` is a key of ``BAD_CELLS``."""

    kind: str
    raw: str
    """What the file says, at most 60 characters, without control characters."""

    def __str__(self) -> str:
        """What is wrong and what to do, in French, to write after « Onglet …, ligne …, colonne … : »."""
        return BAD_CELLS[self.kind].format(raw=self.raw)


class _Shown:
    """A number that its cell shows as something else: ``nature`` is one of ``formats.NATURES``."""

    nature: str


class ShownInt(_Shown, int):
    pass


class ShownFloat(_Shown, float):
    pass


def shown_as(nature: str, number: int | float) -> "ShownInt | ShownFloat":
    cell = (ShownInt if isinstance(number, int) else ShownFloat)(number)
    cell.nature = nature
    return cell


Cell = None | str | int | float | bool | datetime.date | datetime.datetime | BadCell
"""``None``: nothing there (also for an empty text). Numbers: ``int`` when they are whole (``1.23456789E8`` is
123456789), ``float`` otherwise, never NaN nor infinite; one that is shown as a time, a percentage or an amount has a
``nature``. Dates: a number that the sheet shows as a date; a
``datetime`` when it has a time of day, without time zone. Texts: never empty, at most 32 767 characters, lines ended by
``\\n``, no control character but ``\\n`` and tabulation; nothing else is changed or trimmed."""

Row = tuple[int, list[Cell]]
"""Row number as the user sees it (the first is 1), then the cells from column A to the last value of the row."""


@dataclass(frozen=True, slots=True)
class Stray:
    """A value out of the table (``hors_tableau``), or whose address makes no sense (``adresse``)."""

    kind: str
    row: int
    address: str
    """As the user sees it: « XFD12 »."""

    def __str__(self) -> str:
        return STRAYS[self.kind].format(address=self.address)


@dataclass(frozen=True, slots=True)
class Merge:
    """A merged range; rows and columns count from 1 and are both included."""

    first_row: int
    first_column: int
    last_row: int
    last_column: int

    def __str__(self) -> str:
        first, last = column_letters(self.first_column), column_letters(self.last_column)
        return f"{first}{self.first_row}:{last}{self.last_row}"


@dataclass(slots=True)
class Sheet:
    """One sheet, in the order of the tabs."""

    name: str
    visible: bool
    read: bool
    """False: the sheet was not asked for, or holds no cells (a chart); its rows are empty."""
    rows: list[Row] = field(default_factory=list)
    """Rows that hold at least one value, in increasing order; the numbers tell the gaps."""
    merges: tuple[Merge, ...] = ()
    """Merged ranges, at most ``Limits.merges``."""
    totals: frozenset[int] = frozenset()
    """Numbers of the rows that are the total of a table: they are in ``rows`` too."""
    hidden: frozenset[int] = frozenset()
    """Numbers of the rows that the spreadsheet does not show: they are in ``rows`` too."""
    strays: tuple[Stray, ...] = ()
    """Values that are not in ``rows``, at most ``Limits.strays`` of them."""

    def merges_by_row(self) -> dict[int, Merge]:
        """For each row of ``rows`` that a merged range crosses, one of these ranges."""
        found, longest, waiting = {}, None, sorted(self.merges, key=lambda merge: merge.first_row, reverse=True)
        for number, _ in self.rows:
            while waiting and waiting[-1].first_row <= number:
                merge = waiting.pop()
                if longest is None or merge.last_row > longest.last_row:
                    longest = merge
            if longest is not None and longest.last_row >= number:
                found[number] = longest
        return found


@dataclass(slots=True)
class Workbook:
    """A workbook that could be read to its end."""

    format: str
    """"xlsx" or "ods"."""
    sheets: list[Sheet]
    warnings: tuple[str, ...] = ()
    """French sentences on what was left aside, to show before the user confirms."""
