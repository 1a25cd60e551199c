"""What the workbook shows, whatever its format: words of the head, colours, lists, widths, heights, pages.

White cells may be filled, yellow ones must be, grey ones must stay empty until another cell opens them. In the
annotated workbook a faulty cell is red or orange as long as it holds what was wrong. Formulas are those of .xlsx.
"""

import datetime
import textwrap
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from offre.colonnes.declaration import BY_NAME, LISTES, SHEETS
from offre.colonnes.listes import Listes
from offre.models.nomenclature import Categorie
from siao.socle.columns import Choice, Column, MultiChoice, Reference, Sheet, YesNo
from siao.socle.columns.sheets import letter
from siao.socle.columns.types import as_text
from siao.socle.workbook.limits import LIMITS
from siao.socle.xlsx import writable

GREY, YELLOW, WHITE, RED, ORANGE = "#D9D9D9", "#FFF2CC", "#FFFFFF", "#FFC7CE", "#F9B27C"
BLUE, PALE_BLUE = "#000091", "#E3E3FD"
HELP_LINE = "Les données obligatoires sont suivies d'une *"

LEGEND = (
    (YELLOW, "Jaune : à remplir"),
    (WHITE, "Blanche : facultative"),
    (GREY, "Grise : à laisser vide"),
)
LEGEND_OF_MARKS = (
    (RED, "Rouge : erreur, jusqu'à ce que la cellule change"),
    (ORANGE, "Orange : avertissement, de même"),
    *LEGEND,
)

_WIDEST, _MOST_LINES = 44, 6
_PAGE = 210
"""Characters across a landscape A4 page, at 70 %: below, nobody can read it."""
_LITERAL = 250
"""Characters of a text that a formula may hold (255 at most)."""


@dataclass(frozen=True)
class Mark:
    """A faulty cell of the annotated workbook, and what its comment says."""

    error: bool
    comment: str

    @property
    def colour(self) -> str:
        return RED if self.error else ORANGE


@dataclass(frozen=True)
class Case:
    """Cells of a column, and the colour that they have where a formula, written for the first, is true."""

    cells: Sequence[str]
    """``E9``, ``E12:E20``."""
    formula: str
    colour: str


Rows = Mapping[str, Iterable[tuple[int, Sequence[Any]]]]
"""By tab: (row number, values of the cells), in increasing order."""

Marks = Mapping[str, Mapping[tuple[int, int], Mark]]
"""By tab, then by (row number, column from 0)."""


def last_row(sheet: Sheet) -> int:
    return sheet.first_row + LIMITS.rows - 1


def head(sheet: Sheet) -> list[str]:
    """The five lines above the groups of columns."""
    return [sheet.title, *sheet.guide, *[""] * (3 - len(sheet.guide)), HELP_LINE]


def names_column(sheet: Sheet) -> int:
    """The column, from 0, that says what a row is about: it and those on its left are on each printed page."""
    return next((position for position, column in enumerate(sheet.columns) if column.key == "nom"), 0)


# --- Sizes ------------------------------------------------------------------------------------------------------


def widths(sheet: Sheet, rows: Iterable[tuple[int, Sequence[Any]]] = ()) -> list[int]:
    """Characters across each column: no word of the headers is cut, values are on one line as far as reasonable."""
    found = [max(column.type.width, *map(_word, column.header.split())) for column in sheet.columns]
    for _, values in rows:
        for position, value in enumerate(values[: len(found)]):
            if isinstance(value, str) and len(value) >= found[position]:
                found[position] = max(found[position], min(len(value) + 2, _WIDEST))
    return found


def _word(word: str) -> int:
    return ceil(len(word) * 1.15) + 2


def heights(sheet: Sheet, across: Sequence[int]) -> tuple[int, int]:
    """Points of the row of headers (bold), and of the row of help (small)."""
    headers = max(_lines(column.header, width * 0.95) for column, width in zip(sheet.columns, across, strict=True))
    helps = max(_lines(column.help, width * 1.2) for column, width in zip(sheet.columns, across, strict=True))
    return 16 * headers + 4, 13 * helps + 4


def height(values: Iterable, across: Sequence[int]) -> int:
    """Points of a row of texts: spreadsheets do not all work it out; 0 when one line is enough."""
    lines = [
        _lines(value, width * 1.05) for value, width in zip(values, across, strict=False) if isinstance(value, str)
    ]
    most = min(max(lines, default=0), _MOST_LINES)
    return 15 * most if most > 1 else 0


def _lines(text: str, width: float) -> int:
    return sum(max(1, len(textwrap.wrap(line, int(width)))) for line in text.splitlines())


def pages(across: Sequence[int], repeated: int) -> int:
    """Printed pages that the columns take so that they can be read, the first ``repeated`` ones being on each."""
    if sum(across) <= _PAGE:
        return 1
    always = sum(across[:repeated])
    return ceil((sum(across) - always) / (_PAGE - always))


# --- Colours ----------------------------------------------------------------------------------------------------


def colours(sheet: Sheet, column: Column, row: int, listes: Listes) -> list[tuple[str, str]]:
    """(formula, colour) of the cell of ``column`` in ``row``; the first that is true wins."""
    cell = f"${sheet.letters[column.key]}{row}"
    if column.opened_when:
        other = sheet.by_key[column.opened_when.column]
        opened = column.opened_when.formula(
            f"${sheet.letters[other.key]}{row}", lambda value: other.type.show(value, listes)
        )
        must = [(f'AND({opened},{cell}="")', YELLOW)] if column.required else []
        return [*must, (opened, WHITE)]
    if column.required:
        last = letter(len(sheet.columns) - 1)
        return [(f'AND({cell}="",COUNTA($A{row}:${last}{row})>0)', YELLOW)]
    return []


def colours_of_tab(sheet: Sheet, rows, marks: Mapping[tuple[int, int], Mark], listes: Listes) -> Iterator[Case]:
    """Of all the cells, in the order of precedence: a mark as long as its cell holds what was wrong, then the colours
    of the columns, then, since the cell itself has the colour of its mark, what it would have been."""
    values, faulty, places = dict(rows), defaultdict(list), defaultdict(list)
    for (number, position), mark in marks.items():
        row = values.get(number, ())
        value = row[position] if position < len(row) else None
        faulty[position, mark.colour, type(value), value].append(number)
        places[position].append(number)
    for (position, colour, _, value), numbers in faulty.items():
        for cells in _ranges(position, numbers):
            yield Case(cells, _holds(f"${cells[0].partition(':')[0]}", value), colour)
    for position, column in enumerate(sheet.columns):
        name = letter(position)
        for formula, colour in colours(sheet, column, sheet.first_row, listes):
            yield Case([f"{name}{sheet.first_row}:{name}{last_row(sheet)}"], formula, colour)
    for position, numbers in places.items():
        for cells in _ranges(position, numbers):
            yield Case(cells, "TRUE()", GREY if sheet.columns[position].opened_when else WHITE)


def _ranges(position: int, numbers: Iterable[int]) -> Iterator[list[str]]:
    """The cells of a column as ranges, downwards, a hundred at a time: spreadsheets read no more than 8 kB of them."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][-1] + 1:
            runs[-1][-1] = number
        else:
            runs.append([number, number])
    name = letter(position)
    cells = [f"{name}{first}" if first == last else f"{name}{first}:{name}{last}" for first, last in runs]
    for start in range(0, len(cells), 100):
        yield cells[start : start + 100]


def _holds(cell: str, value) -> str:
    if value is None:
        return f'{cell}=""'
    if isinstance(value, bool):
        return f"AND(ISLOGICAL({cell}),{cell}={str(value).upper()}())"
    if isinstance(value, int | float):
        return f"AND(ISNUMBER({cell}),{cell}={value!r})"
    if isinstance(value, datetime.date):
        moment = f"DATE({value.year},{value.month},{value.day})"
        if isinstance(value, datetime.datetime):
            moment = f"{moment}+TIME({value.hour},{value.minute},{value.second})"
        return f"AND(ISNUMBER({cell}),ABS({cell}-({moment}))<0.000005)"
    if len(value) <= _LITERAL:
        return f"AND(ISTEXT({cell}),EXACT({cell},{_quoted(value)}))"
    return f"AND(LEN({cell})={len(value)},EXACT(LEFT({cell},{_LITERAL}),{_quoted(value[:_LITERAL])}))"


def _quoted(text: str) -> str:
    return '"{}"'.format(text.replace('"', '""'))


def cell_value(value):
    """What a cell of the annotated workbook holds of what was read: a text that XML can hold, a date after 1900."""
    if isinstance(value, datetime.date) and value.year < 1901:
        value = as_text(value)
    return (writable(value) or None) if isinstance(value, str) else value


# --- Lists ------------------------------------------------------------------------------------------------------


def choices(sheet: Sheet, column: Column) -> str:
    """The formula of the values that the cells of ``column`` choose from, written for its first row; or nothing."""
    kind = column.type
    if isinstance(kind, Choice) and kind.depends_on:
        owner = f"${sheet.letters[kind.depends_on]}{sheet.first_row}"
        return (
            f"OFFSET({LISTES}!$B$2,MATCH({owner},liste_types_categorie,0)-1,0,COUNTIF(liste_types_categorie,{owner}),1)"
        )
    if isinstance(kind, Choice | MultiChoice):
        return f"liste_{kind.values}"
    if isinstance(kind, Reference):
        return _names_of(BY_NAME[kind.sheet])
    return ",".join(map(_quoted, kind.labels)) if isinstance(kind, YesNo) else ""


def _names_of(sheet: Sheet) -> str:
    """Down to the last name that is filled: a blank row in between cuts nothing."""
    column = letter(names_column(sheet))
    first = f"'{sheet.name}'!${column}${sheet.first_row}"
    cells = f"{first}:${column}${last_row(sheet)}"
    filled = f'SUMPRODUCT(MAX(({cells}<>"")*ROW({cells})))-{sheet.first_row - 1}'
    return f"OFFSET({first},0,0,MAX(1,{filled}),1)"


def list_columns(listes: Listes) -> dict[str, list[str]]:
    """The columns of the hidden tab, headed by their names: the types beside their category, then one per list."""
    types = [
        (Categorie(categorie).label, libelle)
        for categorie in Categorie.values
        for libelle in listes.offered_types(categorie)
    ]
    names = sorted({column.type.values for sheet in SHEETS for column in sheet.columns if _simple_list(column)})
    columns = {"categorie": [categorie for categorie, _ in types], "types": [libelle for _, libelle in types]}
    columns |= {name: listes[name].offered for name in names if name not in columns}
    return {name: [name, *values] for name, values in columns.items()}


def list_names(columns: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The cells of each list, by the name that formulas give it."""
    ranges = {
        name: f"{LISTES}!${letter(position)}$2:${letter(position)}${len(values)}"
        for position, (name, values) in enumerate(columns.items())
    }
    named = {"liste_types_categorie": ranges.pop("categorie")}
    del ranges["types"]
    return named | {f"liste_{name}": cells for name, cells in ranges.items()}


def _simple_list(column: Column) -> bool:
    return isinstance(column.type, Choice | MultiChoice) and not getattr(column.type, "depends_on", None)
