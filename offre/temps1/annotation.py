"""The annotated workbook: the user's own rows in a fresh template, faulty cells coloured, and a tab of errors.

Rows keep their numbers, so that the addresses of the messages are those of the cells. The tabs and the format are those
of the file that was deposited.
"""

import io
from collections import defaultdict
from collections.abc import Iterable
from itertools import zip_longest

from xlsxwriter.worksheet import Worksheet

from offre.colonnes.declaration import BY_NAME, ERREURS
from offre.colonnes.listes import Listes
from offre.models import Anomalie
from offre.models.imports import Gravite
from siao.socle.workbook.cells import BadCell, Workbook
from siao.socle.xlsx import Book

from .anomalies import HEADERS, LEGEND_HEADER, LEGEND_WIDTH, WIDTHS, line, target
from .entete import kept_rows
from .modele import lay_out, write_xlsx
from .modele_ods import write_ods
from .presentation import LEGEND_OF_MARKS, Mark, height
from .structure import data_sheets


def annotated_file(workbook: Workbook, anomalies: Iterable[Anomalie], *, regional: bool = False) -> bytes:
    """The file to send back, in the format of the one that was deposited."""
    anomalies = list(anomalies)
    contents = data_sheets(workbook)[0]
    rows = {
        name: [(number, [_writable(cell) for cell in cells]) for number, cells in kept_rows(BY_NAME[name], content)]
        for name, content in contents.items()
    }
    stream = io.BytesIO()
    if workbook.format == "ods":
        sheets = [BY_NAME[name] for name in contents]
        write_ods(stream, Listes(), sheets=sheets, rows=rows, marks=_marks(anomalies), anomalies=anomalies)
    else:
        write_xlsx(
            stream,
            Listes(),
            rows=rows,
            marks=_marks(anomalies),
            first=lambda book: _write_errors(book, anomalies),
            regional=regional,
        )
    return stream.getvalue()


def _writable(cell):
    return cell.raw if isinstance(cell, BadCell) else cell


def _marks(anomalies: list[Anomalie]) -> dict[str, dict[tuple[int, int], Mark]]:
    """By tab and cell: an error, or warnings alone, all the messages in one comment."""
    messages = defaultdict(lambda: defaultdict(list))
    for anomalie in anomalies:
        sheet = BY_NAME.get(anomalie.feuille)
        if sheet is None or not anomalie.cellule:
            continue
        position = next((i for i, column in enumerate(sheet.columns) if column.label == anomalie.colonne), None)
        if position is not None:
            for row in anomalie.lignes:
                messages[sheet.name][(row, position)].append(anomalie)
    return {
        sheet: {
            place: Mark(
                any(anomalie.gravite == Gravite.ERREUR for anomalie in found),
                "\n".join(anomalie.message for anomalie in found),
            )
            for place, found in sorted(places.items())
        }
        for sheet, places in messages.items()
    }


def _write_errors(book: Book, anomalies: list[Anomalie]) -> None:
    tab = book.sheet(ERREURS)
    beside = len(HEADERS) + 1
    for position, width in enumerate((*WIDTHS, 4, LEGEND_WIDTH)):
        tab.set_column(position, position, width)
    for position, header in enumerate(HEADERS):
        book.write(tab, 0, position, header, bold=True)
    book.write(tab, 0, beside, LEGEND_HEADER, bold=True)
    for row, (anomalie, legend) in enumerate(zip_longest(anomalies, LEGEND_OF_MARKS), start=1):
        if points := height(line(anomalie) if anomalie else (), WIDTHS):
            tab.set_row(row, points)
        if anomalie:
            _write_error(book, tab, row, anomalie)
        if legend:
            book.write(tab, row, beside, legend[1], bg_color=legend[0], valign="top", border=1)
    tab.freeze_panes(1, 0)
    tab.autofilter(0, 0, max(len(anomalies), 1), len(HEADERS) - 1)
    lay_out(tab)
    tab.repeat_rows(0)


def _write_error(book: Book, tab: Worksheet, row: int, anomalie: Anomalie) -> None:
    address = target(anomalie)
    for position, text in enumerate(line(anomalie)):
        if position == 2 and address:
            link = f"internal:'{anomalie.feuille}'!{address}"
            style = book.format(font_color="#0000EE", underline=1, valign="top")
            tab.write_url(row, position, link, style, text)
        else:
            book.write(tab, row, position, text, valign="top", text_wrap=True)
