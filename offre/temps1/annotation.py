"""The annotated workbook: the user's own rows in a fresh template, faulty cells coloured, and a tab of errors.

Rows keep their numbers, so that the addresses of the messages are those of the cells.
"""

import io
from collections import defaultdict
from collections.abc import Iterable

from offre.colonnes.declaration import BY_NAME, ERREURS
from offre.colonnes.listes import Listes
from offre.models import Anomalie
from offre.models.imports import Gravite
from siao.socle.workbook.cells import BadCell, Workbook
from siao.socle.xlsx import Book

from .anomalies import HEADERS, WIDTHS, line, target
from .entete import kept_rows
from .modele import Mark, write_xlsx
from .modele_ods import write_ods
from .structure import data_sheets


def annotated_file(workbook: Workbook, anomalies: Iterable[Anomalie], *, regional: bool = False) -> bytes:
    """The file to send back: .ods for a reduced workbook, .xlsx for the others."""
    anomalies = list(anomalies)
    rows = {
        name: [(number, [_writable(cell) for cell in cells]) for number, cells in kept_rows(BY_NAME[name], content)]
        for name, content in data_sheets(workbook)[0].items()
    }
    stream = io.BytesIO()
    if workbook.format == "ods":
        write_ods(stream, Listes(), rows=rows, marks=_marks(anomalies), anomalies=anomalies)
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
    """By tab and cell: red for an error, yellow for a warning, all the messages in one comment."""
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
    for position, (header, width) in enumerate(zip(HEADERS, WIDTHS, strict=True)):
        tab.set_column(position, position, width)
        book.write(tab, 0, position, header, bold=True)
    for row, anomalie in enumerate(anomalies, start=1):
        address = target(anomalie)
        for position, text in enumerate(line(anomalie)):
            if position == 2 and address:
                link = f"internal:'{anomalie.feuille}'!{address}"
                tab.write_url(row, position, link, book.format(font_color="#0000EE", underline=1), text)
            else:
                book.write(tab, row, position, text, valign="top", text_wrap=position == 6)
    tab.freeze_panes(1, 0)
    tab.autofilter(0, 0, max(len(anomalies), 1), len(HEADERS) - 1)
