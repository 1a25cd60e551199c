"""The cells of an .xlsx file, read as they stream by.

Only what carries a value is kept: a formatted empty cell costs its parsing and nothing else. Rows must come in order;
a cell out of order, out of the table or without a sensible address is told apart, never guessed.
"""

import datetime
import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from xml.etree.ElementTree import Element

from . import formats, preflight
from .archive import Archive
from .markup import FOUND, OPENED, events, found
from .refusals import Refused
from .wire import (
    MAX_COLUMN,
    MAX_ROW,
    Writer,
    bad,
    column_letters,
    is_count,
    iso_cell,
    moment_cell,
    number_cell,
    sheet_name,
    shown,
    text_cell,
)

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_ROW, _CELL, _VALUE, _FORMULA, _INLINE, _TEXT, _RUN, _ITEM, _MERGE, _SHEET, _PROPERTIES, _STYLE, _FORMAT = (
    _MAIN + name
    for name in ("row", "c", "v", "f", "is", "t", "r", "si", "mergeCell", "sheet", "workbookPr", "xf", "numFmt")
)

_ADDRESS = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})", re.ASCII)
_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")
_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")

# Day 0 of the dates, counted from 1900 or from 1904.
_DAY_ZERO = (datetime.datetime(1899, 12, 30), datetime.datetime(1904, 1, 1))  # noqa: DTZ001

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_COLUMNS = {
    letters: number for number, letters in enumerate([*_ALPHABET, *(a + b for a in _ALPHABET for b in _ALPHABET)], 1)
}


def read(archive: Archive, wanted: Callable[[str], bool], writer: Writer, limits) -> list[str]:
    """Say to ``writer`` every sheet by name, and the content of those that are ``wanted``; returns the warnings."""
    main, warnings = preflight.check_xlsx(archive)
    relations = preflight.inside(archive, main)
    parts = {kind.rpartition("/")[2]: part for kind, part in relations.values()}
    sheets, since_1904 = _workbook(archive, main, limits)
    styles = _styles(archive, parts.get("styles"))
    strings = _strings(archive, parts.get("sharedStrings"), limits)
    seen = set()
    for name, visible, relation in sheets:
        kind, part = relations.get(relation, ("", ""))
        holds_cells = not kind.endswith(("/chartsheet", "/dialogsheet"))
        writer.begin(name, visible, holds_cells and wanted(name))
        merges, totals = [], []
        if holds_cells and wanted(name):
            if not kind.endswith("/worksheet") or part not in archive or part in seen:
                raise Refused("onglet_illisible", sheet=name)
            seen.add(part)
            reader = _SheetReader(name, strings, styles, since_1904, writer, limits)
            merges = reader.read(archive.read(part))
            totals = _total_rows(archive, part, seen)
        writer.end(merges, totals)
    return warnings


def shows_a_date(number_format: str) -> bool:
    """Whether numbers in this format (« dd/mm/yyyy ») read as dates; times of day and durations do not."""
    return formats.nature_of(number_format) == formats.DATE


def _workbook(archive: Archive, main: str, limits) -> tuple[list[tuple[str, bool, str]], bool]:
    """The sheets (name, visible, relationship), and whether days are counted from 1904."""
    sheets, since_1904 = [], False
    for element in found(archive.read(main), {_MAIN + "workbook", _MAIN + "sheets"}, {_PROPERTIES, _SHEET}):
        if element.tag == _SHEET:
            visible = element.get("state", "visible") == "visible"
            sheets.append((sheet_name(element.get("name", "")), visible, element.get(preflight.REFERENCE, "")))
        else:
            since_1904 = element.get("date1904") in ("1", "true")
        if len(sheets) > limits.entries:
            raise Refused("structure")
    return sheets, since_1904


def _styles(archive: Archive, part: str | None) -> dict[str, str]:
    """What each cell style makes of a number, by its number, plain ones left out."""
    if part is None or part not in archive:
        return {}
    custom: dict[str, str] = {}
    styles = []
    containers = {_MAIN + "styleSheet", _MAIN + "numFmts", _MAIN + "cellXfs"}
    for element in found(archive.read(part), containers, {_FORMAT, _STYLE}):
        number = element.get("numFmtId", "")
        if element.tag == _STYLE:
            styles.append(custom[number] if number in custom else formats.built_in(number))
        else:
            custom[number] = formats.nature_of(element.get("formatCode", ""))
    return {str(position): nature for position, nature in enumerate(styles) if nature}


def _total_rows(archive: Archive, part: str, seen: set[str]) -> list[int]:
    """Numbers of the rows that are the total of a table of the sheet ``part``; a table belongs to one sheet only."""
    rows = []
    for kind, table, _ in preflight.relationships(archive, part).values():
        if not kind.endswith("/table") or table is None:
            continue
        if table in seen:
            raise Refused("structure")
        seen.add(table)
        for event, element in events(archive.read(table), {_MAIN + "table"}, ()):
            last = _ADDRESS.fullmatch(element.get("ref", "").rpartition(":")[2])
            if event is OPENED and last and element.get("totalsRowCount", "0") not in ("", "0"):
                rows.append(int(last[2]))
    return rows


def _strings(archive: Archive, part: str | None, limits) -> list | None:
    """The cells of the texts that sheets refer to by number; None when the file has none."""
    if part is None or part not in archive:
        return None
    strings = []
    for item in found(archive.read(part), {_MAIN + "sst"}, {_ITEM}):
        strings.append(_text(_rich_text(item)))
        if len(strings) > limits.cells:
            raise Refused("cellules", limit=limits.cells)
    return strings


def _rich_text(element: Element) -> str:
    """The text of an element, its runs joined, its phonetic runs dropped."""
    children, texts = element[:], []
    if len(children) == 1 and children[0].tag == _TEXT:
        return children[0].text or ""
    for child in children:
        if child.tag == _TEXT:
            texts.append(child.text or "")
        elif child.tag == _RUN:
            texts += [text.text or "" for text in child if text.tag == _TEXT]
    return "".join(texts)


class _SheetReader:
    """Says the rows of one sheet."""

    def __init__(
        self, name: str, strings: list | None, styles: dict[str, str], since_1904: bool, writer: Writer, limits
    ):
        self.name, self.writer, self.limits = name, writer, limits
        self.strings, self.styles, self.since_1904 = strings, styles, since_1904
        self.last_row = limits.rows + limits.heading_rows

    def read(self, pieces: Iterable[bytes]) -> list[tuple[int, int, int, int]]:
        """The merged ranges, once the rows are said."""
        number, merges = 0, []
        containers = {_MAIN + "worksheet", _MAIN + "sheetData", _MAIN + "mergeCells"}
        for event, element in events(pieces, containers, {_ROW, _MERGE}, self.damaged):
            if event is not FOUND:
                continue
            if element.tag == _ROW:
                number = self._row(element, number)
            else:
                self._merge(element, merges)
        return merges

    def damaged(self) -> Refused:
        return Refused("onglet_illisible", sheet=self.name)

    def _row(self, element: Element, previous: int) -> int:
        """Say a row; returns its number."""
        text = element.get("r", str(previous + 1))
        if not is_count(text) or not previous < int(text) <= MAX_ROW:
            raise Refused("ligne_en_desordre", sheet=self.name, row=shown(text))
        number = int(text)
        digits = str(number)
        length = len(digits)
        cells, column, outside = [], 0, False
        last_column = self.limits.columns if number <= self.last_row else 0
        for cell in element[:]:
            if cell.tag != _CELL:
                continue
            address = cell.get("r")
            if address is None:
                column += 1
            elif address.endswith(digits):
                column = _COLUMNS.get(address[:-length]) or _column(address, number)
            else:
                column = 0
            content = self._content(cell)
            if content is None:
                continue
            if column > last_column:
                outside = True
                self.writer.stray("hors_tableau", number, address or f"{column_letters(column)}{number}")
            elif column > len(cells):
                if column > len(cells) + 1:
                    cells.extend([None] * (column - len(cells) - 1))
                cells.append(content)
            else:
                self.writer.stray("adresse", number, address or "")
        if cells:
            self.writer.row(number, cells, element.get("hidden") in ("1", "true"))
        elif outside:
            self.writer.count_row()
        return number

    def _content(self, cell: Element):
        """The content of a cell, or None."""
        value = formula = inline = None
        for child in cell[:]:
            tag = child.tag
            if tag == _VALUE:
                value = child.text or ""
            elif tag == _INLINE:
                inline = _rich_text(child)
            elif tag == _FORMULA:
                formula = child.text or ""
        if value is None and inline is None and formula is None:
            return None
        kind = cell.get("t", "n")
        if kind == "s" and value:
            if self.strings is None:
                raise Refused("endommage")
            try:
                return self.strings[int(value)] if value.strip().isdecimal() else bad("texte", value)
            except (IndexError, ValueError):
                return bad("texte", value)
        if kind == "inlineStr" and inline is not None:
            return _text(inline)
        if kind != "n" or not value:
            return _unusual(kind, value, inline, formula)
        nature = self.styles.get(cell.get("s"))
        if nature is None:
            return number_cell(value)
        return _date_cell(value, self.since_1904) if nature == formats.DATE else number_cell(value, nature)

    def _merge(self, element: Element, merges: list):
        merge = _range(element.get("ref", ""))
        if merge is None:
            raise self.damaged()
        if merge[0] <= self.last_row and merge[1] <= self.limits.columns:
            merges.append(merge)
        if len(merges) > self.limits.merges:
            raise Refused("fusions", sheet=self.name, limit=self.limits.merges)


def _column(address: str, number: int) -> int:
    """Column of ``address``, from 1, when it is a cell of the row ``number``; else 0."""
    found = _ADDRESS.fullmatch(address)
    if not found or int(found[2]) != number:
        return 0
    column = 0
    for letter in found[1]:
        column = column * 26 + ord(letter) - 64
    return column if column <= MAX_COLUMN else 0


def _range(reference: str) -> tuple[int, int, int, int] | None:
    """(first row, first column, last row, last column) of « A1:B2 »; None when it is no such thing."""
    corners = [_ADDRESS.fullmatch(corner) for corner in reference.split(":", 2)]
    if len(corners) > 2 or not all(corners):
        return None
    rows = sorted(int(corner[2]) for corner in corners)
    columns = sorted(_column(corner[0], int(corner[2])) for corner in corners)
    if rows[-1] > MAX_ROW or columns[0] == 0:
        return None
    return rows[0], columns[0], rows[-1], columns[-1]


def _text(text: str):
    """The cell of a text where « _x0041_ » stands for « A », as spreadsheets write what XML cannot hold."""
    if "_x" in text:
        text = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
        text = _PAIR.sub(lambda pair: pair[0].encode("utf-16-le", "surrogatepass").decode("utf-16-le"), text)
    return text_cell(text)


def _unusual(kind: str, value: str | None, inline: str | None, formula: str | None):
    """The cell of what is neither a plain number nor a plain text."""
    if formula is not None and not value and not inline:
        return None if kind == "str" and value is not None else bad("formule", formula)
    if inline is not None and kind == "n":
        return _text(inline)
    value = inline or "" if value is None else value
    if kind in ("str", "inlineStr"):
        return _text(value)
    word = value.strip(" \t\r\n")
    if kind == "e":
        return bad("erreur", word)
    if not word:
        return None
    if kind == "b":
        return {"1": True, "true": True, "0": False, "false": False}.get(word, bad("booleen", word))
    return iso_cell(word) if kind == "d" else bad("type", kind)


@lru_cache(10_000)
def _date_cell(serial: str, since_1904: bool):
    """The cell of a number of days shown as a date; less than a day is a time of day, and stays a number."""
    days = number_cell(serial)
    if isinstance(days, dict):
        return days
    if not since_1904:
        if 0 <= days < 1:
            return number_cell(serial, formats.TIME)
        if 60 <= days < 61:  # 29 February 1900, which never was
            return bad("date", serial)
        days += days < 60
    if days < 0:
        return bad("date", serial)
    try:
        moment = _DAY_ZERO[since_1904] + datetime.timedelta(seconds=round(days * 86_400))
    except OverflowError:
        return bad("date", serial)
    return moment_cell(moment)
