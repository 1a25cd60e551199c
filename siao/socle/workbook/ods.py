"""The cells of an .ods file, read as they stream by.

The format says « the same again » for columns, rows and spaces; a repetition costs what it fills in the table, and what
no spreadsheet would write is refused.
"""

import re
from collections.abc import Callable
from xml.etree.ElementTree import Element

from . import formats, preflight
from .archive import Archive
from .markup import FOUND, OPENED, events
from .refusals import Refused
from .wire import MAX_TEXT, Writer, bad, column_letters, is_count, iso_cell, number_cell, sheet_name, text_cell

_OFFICE, _TABLE, _TEXT, _STYLE = (
    f"{{urn:oasis:names:tc:opendocument:xmlns:{name}:1.0}}" for name in ("office", "table", "text", "style")
)
_CALC = "{urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0}"

_SHEET, _ROW, _CELL, _COVERED = (_TABLE + name for name in ("table", "table-row", "table-cell", "covered-table-cell"))
_CONTAINERS = {
    *(_OFFICE + name for name in ("document-content", "automatic-styles", "body", "spreadsheet")),
    *(_TABLE + name for name in ("table", "table-header-rows", "table-rows", "table-row-group")),
}
_FOUND = {_ROW, _STYLE + "style", _TABLE + "table-source"}
_PARAGRAPHS = {_TEXT + "p", _TEXT + "h"}
_INSIDE = {_TEXT + name for name in ("span", "a", "ruby", "ruby-base", "meta")}

_NUMBERS = ("float", "percentage", "currency")
_MOST_REPEATED = 1 << 24

# Spaces count only when an element says so; characters that XML cannot hold stand for these while others are joined.
_BLANKS = re.compile("[ \t\r\n]+")
_MEANT = str.maketrans({"\x01": " ", "\x02": "\t", "\x03": "\n"})


def read(archive: Archive, wanted: Callable[[str], bool], writer: Writer, limits) -> list[str]:
    """Say to ``writer`` every sheet by name, and the content of those that are ``wanted``; returns the warnings."""
    preflight.check_ods(archive)
    hidden_styles, warnings, sheet, sheets, opened = set(), [], None, 0, False

    def damaged() -> Refused:
        return sheet.damaged() if sheet else Refused("endommage")

    for event, element in events(archive.read("content.xml"), _CONTAINERS, _FOUND, damaged):
        if event is FOUND and element.tag == _ROW:
            if sheet:
                sheet.row(element)
        elif event is FOUND and element.tag == _STYLE + "style":
            if any(child.get(f"{_TABLE}display") == "false" for child in element):
                hidden_styles.add(element.get(f"{_STYLE}name"))
        elif event is FOUND:
            warnings = [preflight.LINKS_IGNORED]
        elif element.tag == _SHEET and event is OPENED:
            sheets += 1
            if opened or sheets > limits.entries:
                raise Refused("structure")
            opened, name = True, sheet_name(element.get(f"{_TABLE}name", ""))
            if name.startswith("'file:"):  # the copy of a sheet of another file
                warnings = [preflight.LINKS_IGNORED]
            writer.begin(name, element.get(f"{_TABLE}style-name") not in hidden_styles, wanted(name))
            sheet = _SheetReader(name, writer, limits) if wanted(name) else None
        elif element.tag == _SHEET:
            writer.end(sheet.merges if sheet else [], [])
            opened, sheet = False, None
    return warnings


class _SheetReader:
    """Says the rows of one sheet."""

    def __init__(self, name: str, writer: Writer, limits):
        self.name, self.writer, self.limits = name, writer, limits
        self.last_row = limits.rows + limits.heading_rows
        self.number, self.merges = 0, []

    def damaged(self) -> Refused:
        return Refused("onglet_illisible", sheet=self.name)

    def row(self, element: Element):
        """Say a row, as many times as it is repeated."""
        cells, outside, column = [], False, 0
        last_column = self.limits.columns if self.number < self.last_row else 0
        for cell in element:
            if cell.tag not in (_CELL, _COVERED):
                continue
            first, column = column + 1, column + self._times(cell, f"{_TABLE}number-columns-repeated")
            if cell.tag == _COVERED:
                continue
            self._merge(cell, first)
            content = self._content(cell)
            if content is None:
                continue
            if column > last_column:
                outside = True
                address = f"{column_letters(max(first, last_column + 1))}{self.number + 1}"
                self.writer.stray("hors_tableau", self.number + 1, address)
            if first <= last_column:
                cells.extend([None] * (first - 1 - len(cells)))
                cells.extend([content] * (min(column, last_column) - first + 1))
        repeated = self._times(element, f"{_TABLE}number-rows-repeated")
        hidden = element.get(f"{_TABLE}visibility", "visible") != "visible"
        if cells or outside:
            for number in range(self.number + 1, self.number + repeated + 1):
                if cells and number <= self.last_row:
                    self.writer.row(number, cells, hidden)
                    continue
                if cells:
                    self.writer.stray("hors_tableau", number, f"A{number}")
                self.writer.count_row()
        self.number += repeated

    def _merge(self, cell: Element, column: int):
        rows = self._times(cell, f"{_TABLE}number-rows-spanned")
        columns = self._times(cell, f"{_TABLE}number-columns-spanned")
        if rows > 1 or columns > 1:
            first = self.number + 1
            self.merges.append((first, column, first + rows - 1, column + columns - 1))
        if len(self.merges) > self.limits.merges:
            raise Refused("fusions", sheet=self.name, limit=self.limits.merges)

    def _content(self, cell: Element):
        """The content of a cell, or None."""
        self.spaces = 0
        get, text = cell.get, "\n".join(self._paragraph(child) for child in cell if child.tag in _PARAGRAPHS)
        kind, formula = get(f"{_OFFICE}value-type"), get(f"{_TABLE}formula")
        # OpenOffice writes the number 0 behind an error, and only shows it.
        shows_an_error = formula is not None and kind in _NUMBERS and text.startswith(("#", "Err:"))
        if get(f"{_CALC}value-type") == "error" or shows_an_error:
            return bad("erreur", text)
        if kind is None:
            return bad("formule", formula) if formula is not None and not text else text_cell(text)
        if kind in _NUMBERS:
            return number_cell(get(f"{_OFFICE}value", ""), self._nature(kind, get(f"{_OFFICE}currency", "EUR")))
        if kind == "date":
            return iso_cell(get(f"{_OFFICE}date-value", ""))
        if kind == "boolean":
            word = get(f"{_OFFICE}boolean-value", "")
            return word == "true" if word in ("true", "false") else bad("booleen", word)
        if kind in ("string", "time"):
            return text_cell(get(f"{_OFFICE}string-value", text))
        return None if kind == "void" else bad("type", kind)

    def _nature(self, kind: str, currency: str) -> str:
        if kind == "percentage":
            return formats.PERCENTAGE
        if kind == "currency":
            return formats.EUROS if currency == "EUR" else formats.CURRENCY
        return ""

    def _paragraph(self, element: Element) -> str:
        pieces: list[str] = []
        self._gather(element, pieces)
        return _BLANKS.sub(" ", "".join(pieces)).strip(" ").translate(_MEANT)

    def _gather(self, element: Element, pieces: list[str]):
        """Add the text of ``element`` to ``pieces``: not the comments, drawings and phonetics that it may hold."""
        pieces.append(element.text or "")
        for child in element:
            if child.tag in _INSIDE:
                self._gather(child, pieces)
            elif child.tag == _TEXT + "s":
                self.spaces += self._times(child, f"{_TEXT}c")
                if self.spaces > MAX_TEXT:
                    raise self.damaged()
                pieces.append("\x01" * self._times(child, f"{_TEXT}c"))
            elif child.tag == _TEXT + "tab":
                pieces.append("\x02")
            elif child.tag == _TEXT + "line-break":
                pieces.append("\x03")
            pieces.append(child.tail or "")

    def _times(self, element: Element, name: str) -> int:
        """The number of times that an attribute says, 1 when it says nothing."""
        text = element.get(name, "1")
        if not is_count(text) or not 1 <= int(text) <= _MOST_REPEATED:
            raise self.damaged()
        return int(text)
