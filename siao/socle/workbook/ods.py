"""The cells of an .ods file, read as they stream by.

The format says « the same again » for columns, rows and spaces; a repetition costs what it fills in the table, and what
no spreadsheet would write is refused.
"""

import re
from collections.abc import Callable

from . import preflight
from .archive import Archive
from .markup import DEPTH, feed, parser
from .refusals import Refused
from .wire import MAX_TEXT, Writer, bad, column_letters, is_count, iso_cell, number_cell, shown, text_cell

_OFFICE, _TABLE, _TEXT, _STYLE = (
    f"urn:oasis:names:tc:opendocument:xmlns:{name}:1.0 " for name in ("office", "table", "text", "style")
)
_CALC = "urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0 "

# Elements whose content is read; the others are skipped with all they hold (comments, drawings, sub-tables…).
_OPENED = {
    *(_OFFICE + name for name in ("document-content", "automatic-styles", "body", "spreadsheet")),
    *(_STYLE + name for name in ("style", "table-properties")),
    *(_TABLE + name for name in ("table-header-rows", "table-rows", "table-row-group")),
    *(_TEXT + name for name in ("span", "a", "ruby", "ruby-base", "meta", "s", "tab", "line-break")),
}
_CELLS = (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell")
_NUMBERS = ("float", "percentage", "currency")
_MOST_REPEATED = 1 << 24

# Spaces that count, among those that do not: characters that XML cannot hold stand for them while a text is gathered.
_SPACE, _TAB, _BREAK = "\x01", "\x02", "\x03"
_BLANKS = re.compile("[ \t\r\n]+")
_MEANT = str.maketrans({_SPACE: " ", _TAB: "\t", _BREAK: "\n"})


def read(archive: Archive, wanted: Callable[[str], bool], writer: Writer, limits) -> list[str]:
    """Say to ``writer`` every sheet by name, and the content of those that are ``wanted``; returns the warnings."""
    preflight.check_ods(archive)
    document = _Document(wanted, writer, limits)
    reader = parser()
    reader.StartElementHandler, reader.EndElementHandler = document.start, document.end
    reader.CharacterDataHandler = document.characters
    feed(reader, archive.read("content.xml"), document.damaged)
    if not document.complete:
        raise Refused("endommage")
    return []


class _Document:
    """Handlers of the elements of content.xml."""

    def __init__(self, wanted: Callable[[str], bool], writer: Writer, limits):
        self.wanted, self.writer, self.limits = wanted, writer, limits
        self.depth = self.skipped = self.sheets = 0
        self.complete = False
        self.style, self.hidden_styles = "", set()
        self.name = self.row = self.cell = self.texts = None
        self.in_text = False

    def damaged(self) -> Refused:
        return Refused("endommage") if self.name is None else Refused("onglet_illisible", sheet=self.name)

    def start(self, tag: str, attributes: dict):
        self.depth += 1
        if self.depth > DEPTH:
            raise Refused("structure")
        if self.skipped:
            self.skipped += 1
        elif tag in _CELLS:
            if self.row is None or self.cell is not None:
                raise self.damaged()
            self.cell, self.texts, self.length = attributes, [], 0
        elif tag in (f"{_TEXT}p", f"{_TEXT}h") and self.cell is not None and not self.in_text:
            self.in_text, self.pieces = True, []
        elif tag == f"{_TABLE}table-row" and self.name is not None and self.row is None:
            self.row, self.column, self.row_attributes, self.outside = [], 0, attributes, False
        elif tag == f"{_TABLE}table" and self.name is None:
            self._begin_sheet(attributes)
        elif tag not in _OPENED:
            self.skipped = 1
        elif tag == f"{_STYLE}style":
            self.style = attributes.get(f"{_STYLE}name", "")
        elif tag == f"{_STYLE}table-properties":
            if attributes.get(f"{_TABLE}display") == "false":
                self.hidden_styles.add(self.style)
        elif tag == f"{_TEXT}s":
            self._add(_SPACE * min(self._repeated(attributes, f"{_TEXT}c", MAX_TEXT), MAX_TEXT))
        elif tag == f"{_TEXT}tab":
            self._add(_TAB)
        elif tag == f"{_TEXT}line-break":
            self._add(_BREAK)

    def end(self, tag: str):
        self.depth -= 1
        if self.skipped:
            self.skipped -= 1
        elif tag in _CELLS:
            if tag == _CELLS[0]:
                self._end_cell()
            else:
                self.column += self._repeated(self.cell, f"{_TABLE}number-columns-repeated")
            self.cell = None
        elif tag in (f"{_TEXT}p", f"{_TEXT}h"):
            self.in_text = False
            self.texts.append(_BLANKS.sub(" ", "".join(self.pieces)).strip(" ").translate(_MEANT))
        elif tag == f"{_TABLE}table-row":
            self._end_row()
        elif tag == f"{_TABLE}table":
            self.writer.end(self.merges, [])
            self.name = None
        elif tag == f"{_OFFICE}spreadsheet":
            self.complete = True

    def characters(self, data: str):
        if self.in_text and not self.skipped:
            self._add(data)

    def _add(self, data: str):
        self.length += len(data)
        if self.length <= MAX_TEXT:
            self.pieces.append(data)

    def _begin_sheet(self, attributes: dict):
        self.name = shown(attributes.get(f"{_TABLE}name", ""))
        self.number, self.merges, self.sheets = 0, [], self.sheets + 1
        if self.sheets > self.limits.entries:
            raise Refused("structure")
        is_read = self.wanted(self.name)
        self.writer.begin(self.name, attributes.get(f"{_TABLE}style-name") not in self.hidden_styles, is_read)
        if not is_read:
            self.writer.end([], [])
            self.name, self.skipped = None, 1

    def _end_cell(self):
        first, row = self.column + 1, self.number + 1
        self.column += self._repeated(self.cell, f"{_TABLE}number-columns-repeated")
        self._merge(row, first)
        content = self._content()
        if content is None:
            return
        last_column = self.limits.columns if row <= self.limits.rows + self.limits.heading_rows else 0
        if self.column > last_column:
            self.outside = True
            self.writer.stray("hors_tableau", row, f"{column_letters(max(first, last_column + 1))}{row}")
        if first <= last_column:
            self.row.extend([None] * (first - 1 - len(self.row)))
            self.row.extend([content] * (min(self.column, last_column) - first + 1))

    def _merge(self, row: int, column: int):
        rows = self._repeated(self.cell, f"{_TABLE}number-rows-spanned")
        columns = self._repeated(self.cell, f"{_TABLE}number-columns-spanned")
        if rows > 1 or columns > 1:
            self.merges.append((row, column, row + rows - 1, column + columns - 1))
        if len(self.merges) > self.limits.merges:
            raise Refused("fusions", sheet=self.name, limit=self.limits.merges)

    def _content(self):
        """The cell of the element that ends, or None."""
        get, text = self.cell.get, "\n".join(self.texts)
        kind, formula = get(f"{_OFFICE}value-type"), get(f"{_TABLE}formula")
        is_error = formula is not None and text.startswith(("#", "Err:"))
        if get(f"{_CALC}value-type") == "error" or is_error:
            return bad("erreur", text)
        if self.length > MAX_TEXT:
            return bad("trop_long", text)
        if kind is None:
            return bad("formule", formula) if formula is not None and not text else text_cell(text)
        if kind in _NUMBERS:
            return number_cell(get(f"{_OFFICE}value", ""))
        if kind == "date":
            return iso_cell(get(f"{_OFFICE}date-value", ""))
        if kind == "boolean":
            word = get(f"{_OFFICE}boolean-value", "")
            return word == "true" if word in ("true", "false") else bad("booleen", word)
        if kind in ("string", "time"):
            return text_cell(get(f"{_OFFICE}string-value", text))
        return None if kind == "void" else bad("type", kind)

    def _end_row(self):
        repeated = self._repeated(self.row_attributes, f"{_TABLE}number-rows-repeated")
        if self.row or self.outside:
            for number in range(self.number + 1, self.number + repeated + 1):
                if self.row and number <= self.limits.rows + self.limits.heading_rows:
                    self.writer.row(number, self.row)
                    continue
                if self.row:
                    self.writer.stray("hors_tableau", number, f"A{number}")
                self.writer.count_row()
        self.number, self.row = self.number + repeated, None

    def _repeated(self, attributes: dict, name: str, most: int = _MOST_REPEATED) -> int:
        text = attributes.get(name, "1")
        if not is_count(text) or not 1 <= int(text) <= most:
            raise self.damaged()
        return int(text)
