"""What stands above the rows of a tab: the template's own texts, and what somebody typed in their place.

Nothing disappears: the help row that was overwritten whole or deleted is a row of data; anything else that is not of
the template is reported at its cell. Texts of an earlier template are close to ours, and recognised.
"""

import difflib
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from offre.colonnes.declaration import BY_NAME
from siao.socle.columns import Sheet
from siao.socle.columns.sheets import filled
from siao.socle.columns.types import as_text
from siao.socle.text import fold, visible
from siao.socle.workbook.cells import Sheet as SheetContent

from .presentation import HELP_LINE

_LONG = 20
"""Characters from which a text that resembles one of the template is taken for it."""

_TABLE_HEADER = re.compile(r"(?:colonne|column) ?[0-9]+")
"""What a spreadsheet writes itself, over the help, when somebody makes a table of the rows."""


def first_row(sheet: Sheet, content: SheetContent) -> int:
    """Number of the first row of data: that of the help, when nothing of the template is left in it."""
    help_row = sheet.first_row - 1
    cells = [cell for cell in _row(content, help_row) if filled(cell)]
    return help_row if cells and not any(_is_own(sheet, cell) for cell in cells) else sheet.first_row


def data_rows(sheet: Sheet, content: SheetContent) -> list[tuple[int, list]]:
    first = first_row(sheet, content)
    return [(number, cells) for number, cells in content.rows if number >= first]


def foreign_cells(sheet: Sheet, content: SheetContent) -> Iterator[tuple[int, dict[int, object]]]:
    """The rows above the data that hold something else than the template: (number, {position: cell})."""
    first = first_row(sheet, content)
    for number, cells in content.rows:
        if number < first and number != sheet.header_row:  # whose texts are the structure of the file
            found = {i: cell for i, cell in enumerate(cells) if filled(cell) and not _is_own(sheet, cell)}
            if found:
                yield number, found


def kept_rows(sheet: Sheet, content: SheetContent) -> list[tuple[int, list]]:
    """The rows that say something: those of data, and those above where somebody typed."""
    typed = {number for number, _ in foreign_cells(sheet, content)}
    first = first_row(sheet, content)
    return [(number, cells) for number, cells in content.rows if number >= first or number in typed]


def repeats_the_template(sheet: Sheet, cells: Sequence) -> bool:
    """Whether a row of data is one of the template's: its help that a sort has moved, its headers pasted again."""
    texts = [(position, as_text(cell)) for position, cell in enumerate(cells) if filled(cell)]
    if len(texts) == 1:
        position, text = texts[0]
        return position == 0 and text is not None and fold(text) in _sentences(sheet)
    return all(
        text is not None and position < len(sheet.columns) and fold(text) in _columns(sheet)[position]
        for position, text in texts
    )


def _row(content: SheetContent, wanted: int) -> Sequence:
    return next((cells for number, cells in content.rows if number == wanted), ())


def _is_own(sheet: Sheet, cell) -> bool:
    text = as_text(cell)
    return text is not None and _known(sheet.name, fold(visible(text)))


@lru_cache(2_000)
def _known(name: str, text: str) -> bool:
    sheet = BY_NAME[name]
    own = _sentences(sheet).union(*_columns(sheet))
    if text in own or _TABLE_HEADER.fullmatch(text):
        return True
    return len(text) >= _LONG and bool(difflib.get_close_matches(text, own, n=1, cutoff=0.75))


@lru_cache(8)
def _sentences_of(name: str) -> frozenset[str]:
    sheet = BY_NAME[name]
    return frozenset(map(fold, (sheet.title, *sheet.guide, HELP_LINE)))


def _sentences(sheet: Sheet) -> frozenset[str]:
    return _sentences_of(sheet.name)


@lru_cache(8)
def _columns_of(name: str) -> list[frozenset[str]]:
    return [
        frozenset(fold(text) for text in (column.group, column.header, column.label, column.help) if text)
        for column in BY_NAME[name].columns
    ]


def _columns(sheet: Sheet) -> list[frozenset[str]]:
    return _columns_of(sheet.name)
