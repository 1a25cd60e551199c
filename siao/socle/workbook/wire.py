"""What the child says to its parent: lines of a letter followed by JSON.

====  ==========================================================================================
S     ``[name, visible, read]``: a sheet begins
R     ``[[number, [cell, …]], …]``: its next rows
E     ``[merges, totals, hidden, strays]``: it ends
F     ``[format, warnings]``: the workbook ends; nothing counts without this line
X     ``[code, details]``: the file is refused
====  ==========================================================================================

A cell is the JSON value of its content, or an object of one key: ``{"d": "2024-01-31"}``,
``{"t": "2024-01-31T08:30:00"}``, ``{"n": ["pourcentage", 0.5]}`` for a number that is shown as something else, or
``{"b": [kind, raw]}`` for a ``BadCell``.
"""

import datetime
import json
import re
from collections.abc import Callable

from .refusals import Refused

MAX_TEXT = 32_767
MAX_ROW = 1_048_576
MAX_COLUMN = 16_384

_FLUSH = 2_000
_encode = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":")).encode

_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_ISO = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.\d{1,9})?)?Z?)?", re.ASCII)
_WHOLE = re.compile(r"[+-]?\d{1,18}", re.ASCII)


class Writer:
    """Says the workbook, and holds it to the limits on what all its sheets hold together."""

    def __init__(self, send: Callable[[bytes], None], limits):
        self.send, self.limits = send, limits
        self.cells = self.sent = 0
        self.names = set()

    def begin(self, name: str, visible: bool, read: bool):
        if name.casefold() in self.names:
            raise Refused("structure")
        self.names.add(name.casefold())
        self.name, self.rows, self.pending, self.count = name, [], 0, 0
        self.hidden, self.strays = [], []
        self._say("S", [name, visible, read])

    def row(self, number: int, cells: list, hidden: bool):
        """A row that ends with a value."""
        self.count_row()
        if hidden:
            self.hidden.append(number)
        self.rows.append((number, cells))
        self.pending += len(cells)
        if self.pending >= _FLUSH:
            self._flush()

    def count_row(self):
        """One more row with a value, in the table or out of it."""
        self.count += 1
        if self.count > self.limits.rows + self.limits.heading_rows:
            raise Refused("lignes", sheet=self.name, limit=self.limits.rows)

    def stray(self, kind: str, row: int, address: str):
        if len(self.strays) < self.limits.strays:
            self.strays.append((kind, row, shown(address)))

    def end(self, merges: list, totals: list):
        self._flush()
        self._say("E", [merges, totals, self.hidden, self.strays])

    def finish(self, file_format: str, warnings: list):
        self._say("F", [file_format, warnings])

    def _flush(self):
        self.cells += self.pending
        if self.cells > self.limits.cells:
            raise Refused("cellules", limit=self.limits.cells)
        if self.rows:
            self._say("R", self.rows)
        self.rows, self.pending = [], 0

    def _say(self, letter: str, content: list):
        line = f"{letter}{_encode(content)}\n".encode()
        self.sent += len(line)
        if self.sent > self.limits.text_bytes:
            raise Refused("trop_de_texte", limit=self.limits.text_bytes // 1_000_000)
        self.send(line)


def bad(kind: str, raw: str) -> dict:
    """A cell that cannot be trusted."""
    return {"b": [kind, shown(raw)]}


def shown(text: str) -> str:
    """``text`` short and clean enough to be shown in a message."""
    text = clean(text[:200])
    return text if len(text) <= 60 else text[:59] + "…"


def sheet_name(text: str) -> str:
    """The name of a sheet as the file writes it, cleaned. Spreadsheets allow 31 characters, or a few more."""
    return clean(text[:100])


def clean(text: str) -> str:
    """``text`` without what PostgreSQL or a page cannot hold: control characters, halves of characters."""
    if text.isprintable():
        return text
    return _CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def text_cell(text: str):
    """The cell of a text."""
    if len(text) > MAX_TEXT:
        return bad("trop_long", text)
    return (text if text.isprintable() else clean(text)) or None


def number_cell(text: str, nature: str = ""):
    """The cell of a number as the file writes it, and what its format makes of it (``formats.NATURES``)."""
    number = _number(text)
    return {"n": [nature, number]} if nature and not isinstance(number, dict) else number


def _number(text: str):
    if len(text) < 16 and text.isdecimal() and text.isascii():
        return int(text)
    text = text.strip(" \t\r\n")
    if len(text) > 400 or not _NUMBER.fullmatch(text):
        return bad("nombre", text)
    if _WHOLE.fullmatch(text):
        return int(text)
    value = float(text)
    if value - value != 0:
        return bad("nombre", text)
    return int(value) if value.is_integer() and abs(value) < 1e15 else value


def iso_cell(text: str):
    """The cell of a date written as « 2024-01-31 » or « 2024-01-31T08:30:00 »."""
    found = _ISO.fullmatch(text)
    try:
        return moment_cell(datetime.datetime(*(int(part or 0) for part in found.groups())))  # noqa: DTZ001
    except (AttributeError, ValueError):
        return bad("date", text)


def moment_cell(moment: datetime.datetime) -> dict:
    """The cell of a date, or of a date and time, to the second."""
    if moment.hour or moment.minute or moment.second:
        return {"t": moment.isoformat(timespec="seconds")}
    return {"d": moment.date().isoformat()}


def is_count(text: str) -> bool:
    """Whether ``text`` is a whole number of a reasonable length."""
    return len(text) < 10 and text.isdecimal() and text.isascii()


def column_letters(column: int) -> str:
    """« AA » for 27."""
    letters = ""
    while column > 0:
        column, letter = divmod(column - 1, 26)
        letters = chr(65 + letter) + letters
    return letters
