"""The cells of an .xlsx file, read as they stream by.

Only what carries a value is kept: a formatted empty cell costs its parsing and nothing else. Rows must come in order;
a cell out of order, out of the table or without a sensible address is told apart, never guessed.
"""

import datetime
import re
from collections.abc import Callable, Iterable

from . import preflight
from .archive import Archive
from .markup import DEPTH, elements, feed, parser
from .refusals import Refused
from .wire import (
    MAX_COLUMN,
    MAX_ROW,
    MAX_TEXT,
    Writer,
    bad,
    column_letters,
    is_count,
    iso_cell,
    moment_cell,
    number_cell,
    shown,
    text_cell,
)

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"

_ADDRESS = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})", re.ASCII)
_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")
_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")

# What a number format holds besides its codes: texts, escaped characters, fillers, colours, conditions, languages.
_LITERALS = re.compile(r'"[^"]*"|\\.|[_*].|\[(?!(?:h+|m+|s+)\])[^\]]*\]|am/pm|a/p|general|standard')
_DATE_FORMATS = frozenset(map(str, [*range(14, 18), 22, *range(27, 32), 36, *range(50, 55), 57, 58]))

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_COLUMNS = {
    letters: number for number, letters in enumerate([*_ALPHABET, *(a + b for a in _ALPHABET for b in _ALPHABET)], 1)
}


def read(archive: Archive, wanted: Callable[[str], bool], writer: Writer, limits) -> list[str]:
    """Say to ``writer`` every sheet by name, and the content of those that are ``wanted``; returns the warnings."""
    main, warnings = preflight.check_xlsx(archive)
    relations = preflight.inside(archive, main)
    parts = {kind.rpartition("/")[2]: part for kind, part in relations.values()}
    sheets, day_zero = _workbook(archive, main, limits)
    date_styles = _date_styles(archive, parts.get("styles"))
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
            merges = _read_sheet(archive.read(part), name, strings, date_styles, day_zero, writer, limits)
            totals = _total_rows(archive, part)
        writer.end(merges, totals)
    return warnings


def shows_a_date(number_format: str) -> bool:
    """Whether numbers in this format (« dd/mm/yyyy ») read as dates; times of day and durations do not."""
    codes = _LITERALS.sub("", number_format[:255].lower()).partition(";")[0]
    return any(code in codes for code in "dyj") or ("m" in codes and "h" not in codes and "s" not in codes)


def _workbook(archive: Archive, main: str, limits) -> tuple[list[tuple[str, bool, str]], datetime.datetime]:
    """The sheets (name, visible, relationship), and the day 0 of the dates."""
    workbook, properties, sheet = (f"{MAIN} {name}" for name in ("workbook", "workbookPr", "sheet"))
    found = elements(archive.read(main), [workbook, properties, sheet], most=limits.entries + 2)
    if not found or found[0][0] != workbook:
        raise Refused("endommage")
    sheets = [
        (
            shown(attributes.get("name", "")),
            attributes.get("state", "visible") == "visible",
            attributes.get(f"{preflight.RELATIONSHIPS} id", ""),
        )
        for name, attributes in found
        if name == sheet
    ]
    since_1904 = any(attributes.get("date1904") in ("1", "true") for name, attributes in found if name == properties)
    return sheets, datetime.datetime(1904, 1, 1) if since_1904 else datetime.datetime(1899, 12, 30)  # noqa: DTZ001


def _date_styles(archive: Archive, part: str | None) -> frozenset[str]:
    """Numbers of the cell styles that show a number as a date."""
    if part is None or part not in archive:
        return frozenset()
    formats, styles, section = set(_DATE_FORMATS), [], ""
    names = [f"{MAIN} {name}" for name in ("numFmts", "numFmt", "cellStyleXfs", "cellXfs", "xf", "dxfs")]
    for name, attributes in elements(archive.read(part), names, most=200_000):
        name, number = name.removeprefix(f"{MAIN} "), attributes.get("numFmtId", "")
        if name == "numFmt" and section == "numFmts":
            (formats.add if shows_a_date(attributes.get("formatCode", "")) else formats.discard)(number)
        elif name == "xf" and section == "cellXfs":
            styles.append(number in formats)
        elif name not in ("numFmt", "xf"):
            section = name
    return frozenset(str(position) for position, is_date in enumerate(styles) if is_date)


def _total_rows(archive: Archive, part: str) -> list[int]:
    """Numbers of the rows that are the total of a table of the sheet ``part``."""
    rows = []
    for kind, table, _ in preflight.relationships(archive, part).values():
        if not kind.endswith("/table") or table is None:
            continue
        for _, attributes in elements(archive.read(table), [f"{MAIN} table"], most=1):
            last = _ADDRESS.fullmatch(attributes.get("ref", "").rpartition(":")[2])
            if last and attributes.get("totalsRowCount", "0") not in ("", "0"):
                rows.append(int(last[2]))
    return rows


def _strings(archive: Archive, part: str | None, limits) -> list | None:
    """The cells of the texts that sheets refer to by number; None when the file has none."""
    if part is None or part not in archive:
        return None
    strings, pieces, text, skipped, opened = [], [], "", 0, set()
    item_tag = text_tag = known = None

    def start(tag, attributes):
        nonlocal text, skipped, item_tag, text_tag, known
        if known is None:
            item_tag, text_tag, *_ = known = _qualified(tag, attributes, "si", "t", "r", "sst")
        if skipped:
            skipped += 1
            if skipped > DEPTH:
                raise Refused("structure")
        elif tag in known and tag not in opened:
            opened.add(tag)
            pieces.clear()
            if tag == item_tag:
                text = ""
        elif tag in opened:
            raise Refused("structure")
        else:
            skipped = 1

    def end(tag):
        nonlocal text, skipped
        if skipped:
            skipped -= 1
            return
        opened.remove(tag)
        if tag == text_tag:
            text = _joined(text, pieces)
        elif tag == item_tag:
            if len(strings) >= limits.cells:
                raise Refused("cellules", limit=limits.cells)
            strings.append(_text(text))

    reader = parser(namespaces=False)
    reader.StartElementHandler, reader.EndElementHandler, reader.CharacterDataHandler = start, end, pieces.append
    feed(reader, archive.read(part), lambda: Refused("endommage"))
    return strings


def _read_sheet(pieces: Iterable[bytes], name: str, strings, date_styles, day_zero, writer: Writer, limits) -> list:
    """Say the rows of a sheet; returns its merged ranges.

    One function with local state rather than an object: its handlers are called five times for each cell.
    """
    last_row, last_column = limits.rows + limits.heading_rows, limits.columns
    cell_tag = value_tag = text_tag = formula_tag = row_tag = merge_tag = known = None
    texts, opened, merges, skipped = [], set(), [], 0
    row, number, number_text, outside = None, 0, "0", False
    cell, column, field, value, inline, formula = None, 0, None, None, None, None

    def start(tag, attributes):
        nonlocal cell_tag, value_tag, text_tag, formula_tag, row_tag, merge_tag, known
        nonlocal skipped, row, number, number_text, outside, cell, column, field, value, inline, formula
        if skipped:
            skipped += 1
            if skipped > DEPTH:
                raise Refused("structure")
        elif (tag == value_tag or tag == text_tag) and field is None and cell is not None:
            field = tag
            texts.clear()
        elif tag == cell_tag and cell is None and row is not None:
            cell, value, inline, formula = attributes, None, None, None
        elif tag == row_tag and row is None:
            number_text = attributes.get("r", str(number + 1))
            if not is_count(number_text) or not number < int(number_text) <= MAX_ROW:
                raise Refused("ligne_en_desordre", sheet=name, row=shown(number_text))
            number = int(number_text)
            row, number_text, column, outside = [], str(number), 0, False
        elif tag == formula_tag and field is None and cell is not None:
            field = tag
            texts.clear()
        elif tag == merge_tag:
            merge = _merge(attributes.get("ref", ""))
            if merge is None:
                raise Refused("onglet_illisible", sheet=name)
            if merge[0] <= last_row and merge[1] <= last_column:
                merges.append(merge)
            if len(merges) > limits.merges:
                raise Refused("fusions", sheet=name, limit=limits.merges)
        elif known is None:
            cell_tag, value_tag, text_tag, formula_tag, row_tag, merge_tag, *_ = known = _qualified(
                tag,
                attributes,
                "c",
                "v",
                "t",
                "f",
                "row",
                "mergeCell",
                "worksheet",
                "sheetData",
                "mergeCells",
                "is",
                "r",
            )
            opened.add(tag)
        elif tag not in known:
            skipped = 1
        elif tag in opened or tag in known[:5]:
            raise Refused("structure")
        else:
            opened.add(tag)

    def end(tag):
        nonlocal skipped, row, cell, column, field, value, inline, formula
        if skipped:
            skipped -= 1
        elif tag == value_tag:
            value, field = texts[0] if len(texts) == 1 else "".join(texts), None
        elif tag == cell_tag:
            address = cell.get("r")
            if address is None:
                column += 1
            elif address.endswith(number_text):
                column = _COLUMNS.get(address[: -len(number_text)]) or _column(address, number)
            else:
                column = 0
            if value is None and inline is None and formula is None:
                cell = None
                return
            kind = cell.get("t", "n")
            if kind == "s":
                content = _shared(value or "", strings)
            elif kind == "inlineStr" and inline is not None:
                content = _text(inline)
            elif kind != "n" or not value:
                content = _unusual(kind, value, inline, formula)
            elif cell.get("s") in date_styles:
                content = _date_cell(value, day_zero)
            else:
                content = number_cell(value)
            if content is not None:
                if number > last_row or column > last_column:
                    outside = True
                    writer.stray("hors_tableau", number, address or f"{column_letters(column)}{number}")
                elif column > len(row):
                    if column > len(row) + 1:
                        row.extend([None] * (column - len(row) - 1))
                    row.append(content)
                else:
                    writer.stray("adresse", number, address or "")
            cell = None
        elif tag == text_tag:
            inline, field = _joined(inline or "", texts), None
        elif tag == row_tag:
            if row:
                writer.row(number, row)
            elif outside:
                writer.count_row()
            row = None
        elif tag == formula_tag:
            formula, field = _joined("", texts), None
        elif tag != merge_tag:
            opened.remove(tag)

    reader = parser(namespaces=False)
    reader.StartElementHandler, reader.EndElementHandler, reader.CharacterDataHandler = start, end, texts.append
    feed(reader, pieces, lambda: Refused("onglet_illisible", sheet=name))
    return merges


def _qualified(tag: str, attributes: dict, *names: str) -> tuple[str, ...]:
    """``names`` as the file writes them, when its root element is ``tag``: with the prefix of the root, if any."""
    prefix = tag.rpartition(":")[0]
    if attributes.get(f"xmlns:{prefix}" if prefix else "xmlns") != MAIN:
        raise Refused("structure")
    return tuple(f"{prefix}:{name}" for name in names) if prefix else names


def _column(address: str, number: int) -> int:
    """Column of ``address``, from 1, when it is a cell of the row ``number``; else 0."""
    found = _ADDRESS.fullmatch(address)
    if not found or int(found[2]) != number:
        return 0
    column = 0
    for letter in found[1]:
        column = column * 26 + ord(letter) - 64
    return column if column <= MAX_COLUMN else 0


def _merge(reference: str) -> tuple[int, int, int, int] | None:
    """(first row, first column, last row, last column) of « A1:B2 »; None when it is no such thing."""
    corners = [_ADDRESS.fullmatch(corner) for corner in reference.split(":", 2)]
    if len(corners) > 2 or not all(corners):
        return None
    rows = sorted(int(corner[2]) for corner in corners)
    columns = sorted(_column(corner[0], int(corner[2])) for corner in corners)
    if rows[-1] > MAX_ROW or columns[0] == 0:
        return None
    return rows[0], columns[0], rows[-1], columns[-1]


def _joined(text: str, pieces: list[str]) -> str:
    """``text`` followed by ``pieces``; once too long for a cell, it no longer grows."""
    if len(text) > MAX_TEXT:
        return text
    return text + (pieces[0] if len(pieces) == 1 else "".join(pieces))


def _text(text: str):
    """The cell of a text where « _x0041_ » stands for « A », as spreadsheets write what XML cannot hold."""
    if "_x" in text:
        text = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
        text = _PAIR.sub(lambda pair: pair[0].encode("utf-16-le", "surrogatepass").decode("utf-16-le"), text)
    return text_cell(text)


def _shared(index: str, strings: list | None):
    """The cell of a text given by its number."""
    if strings is None:
        raise Refused("endommage")
    try:
        return strings[int(index)] if index.isdecimal() else bad("texte", index)
    except (IndexError, ValueError):
        return bad("texte", index)


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


def _date_cell(serial: str, day_zero: datetime.datetime):
    """The cell of a number of days shown as a date; less than a day is a time of day, and stays a number."""
    days = number_cell(serial)
    if isinstance(days, dict):
        return days
    if day_zero.year < 1900:
        if 0 <= days < 1:
            return days
        if 60 <= days < 61:  # 29 February 1900, which never was
            return bad("date", serial)
        days += days < 60
    if days < 0:
        return bad("date", serial)
    try:
        moment = day_zero + datetime.timedelta(seconds=round(days * 86_400))
    except OverflowError:
        return bad("date", serial)
    return moment_cell(moment)
