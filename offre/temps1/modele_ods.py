"""The reduced variant for people without Excel: an .ods with the Entités tab alone."""

from collections.abc import Iterator, Sequence
from typing import BinaryIO

from offre.colonnes.declaration import ENTITES, ERREURS, LISTES
from offre.colonnes.listes import Listes
from offre.models import Anomalie
from siao.socle import ods
from siao.socle.columns import Choice
from siao.socle.ods import Cell, Style

from .anomalies import HEADERS, WIDTHS, line, target
from .modele import BLUE, GREY, HELP_LINE, PALE_BLUE, RED, WHITE, YELLOW, Marks, Rows

BLANK_ROWS = 500
"""Rows prepared below the data, with their dropdowns."""

_STYLES = {
    "titre": Style(bold=True),
    "groupe": Style(bold=True, background=PALE_BLUE),
    "entete": Style(bold=True, background=BLUE, colour=WHITE, wrap=True),
    "aide": Style(wrap=True),
    "texte": Style(text=True),
    "grise": Style(text=True, background=GREY),
    "erreur": Style(text=True, background=RED),
    "avertissement": Style(text=True, background=YELLOW),
}


def write_ods(
    stream: BinaryIO,
    listes: Listes,
    *,
    rows: Rows | None = None,
    marks: Marks | None = None,
    anomalies: Sequence[Anomalie] = (),
) -> None:
    """Write the file; the arguments are those of ``write_xlsx``. ``anomalies`` adds the « Erreurs » tab."""
    data = ods.Tab(
        ENTITES.name,
        [column.type.width for column in ENTITES.columns],
        _rows((rows or {}).get(ENTITES.name, ()), (marks or {}).get(ENTITES.name, {})),
    )
    names = [column.type.values for column in ENTITES.columns if isinstance(column.type, Choice)]
    values = [list(listes[name].labels.values()) for name in names]
    longest = max(map(len, values))
    lists = ods.Tab(
        LISTES,
        [30] * len(names),
        [[Cell(column[row] if row < len(column) else None) for column in values] for row in range(longest)],
        hidden=True,
    )
    tabs = [data, lists]
    if anomalies:
        tabs.insert(0, ods.Tab(ERREURS, WIDTHS, _error_rows(anomalies)))
    ranges = {
        name: f"$'{LISTES}'.${chr(65 + position)}$1:.${chr(65 + position)}${len(values[position])}"
        for position, name in enumerate(names)
    }
    ods.write(stream, ods.File(tabs, _STYLES, ranges))


def _rows(rows, marks) -> Iterator[list[Cell]]:
    rows = list(rows)
    above = {number: values for number, values in rows if number < ENTITES.first_row}
    for number, cells in enumerate(_head(), start=1):
        yield _cells(number, above[number], marks) if number in above else cells
    number = ENTITES.first_row
    for here, values in rows:
        if here < number:
            continue
        for blank in range(number, here):
            yield _cells(blank, (), marks)
        yield _cells(here, values, marks)
        number = here + 1
    for blank in range(number, number + BLANK_ROWS):
        yield _cells(blank, (), marks)


def _head() -> Iterator[list[Cell]]:
    columns = ENTITES.columns
    for text in (ENTITES.title, *ENTITES.guide, HELP_LINE):
        yield [Cell(text, "titre" if text == ENTITES.title else "")]
    groups = [None, *(column.group for column in columns)]
    yield [Cell(column.group if column.group != groups[i] else None, "groupe") for i, column in enumerate(columns)]
    yield [Cell(column.header, "entete") for column in columns]
    yield [Cell(column.help or None, "aide") for column in columns]


def _cells(number: int, values, marks) -> list[Cell]:
    cells = []
    for position, column in enumerate(ENTITES.columns):
        mark = marks.get((number, position))
        style = ("erreur" if mark.error else "avertissement") if mark else "grise" if column.opened_when else "texte"
        cells.append(
            Cell(
                values[position] if position < len(values) else None,
                style,
                comment=mark.comment if mark else "",
                rule=column.type.values if isinstance(column.type, Choice) else "",
            )
        )
    return cells


def _error_rows(anomalies: Sequence[Anomalie]) -> Iterator[list[Cell]]:
    yield [Cell(header, "entete") for header in HEADERS]
    for anomalie in anomalies:
        address = target(anomalie)
        texts = line(anomalie)
        yield [
            Cell(text, "aide", link=f"#{anomalie.feuille}.{address}" if address and position == 2 else "")
            for position, text in enumerate(texts)
        ]
