"""Columns in their sheet, and the reading of its rows."""

import re
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from siao.socle.text import fold, plain
from siao.socle.workbook.cells import BadCell

from . import rules
from .conditions import Condition
from .natures import described, nature_of
from .rules import Problem, Rule
from .types import FAILED, ColumnType, Values, shown


@dataclass(frozen=True)
class Column:
    key: str
    header: str
    """As in the workbook, star included when the column is always compulsory."""
    group: str
    type: ColumnType
    help: str = ""
    opened_when: Condition | None = None
    """Greyed unless the condition holds."""
    required: bool = False
    """Compulsory; with ``opened_when``, compulsory whenever it is open."""

    @cached_property
    def label(self) -> str:
        """The header without its star and the hints between brackets."""
        return self.header.replace("*", "").replace("(sélection multiple)", "").strip()


@dataclass(frozen=True)
class Sheet:
    name: str
    title: str
    guide: tuple[str, ...]
    columns: tuple[Column, ...]
    first_row: int = 9
    """Number of the first row of data; the headers are two rows above."""

    @property
    def header_row(self) -> int:
        return self.first_row - 2

    @cached_property
    def by_key(self) -> dict[str, Column]:
        return {column.key: column for column in self.columns}

    @cached_property
    def letters(self) -> dict[str, str]:
        """Letter of each column, by key."""
        return {column.key: letter(position) for position, column in enumerate(self.columns)}


def letter(position: int) -> str:
    """Spreadsheet name of a column: 0 is A, 25 is Z, 26 is AA."""
    name = ""
    position += 1
    while position:
        position, remainder = divmod(position - 1, 26)
        name = string.ascii_uppercase[remainder] + name
    return name


@dataclass
class Row:
    """A row that was read: its values by key (``FAILED`` where a problem was reported), and where it is."""

    number: int
    values: dict[str, Any]

    def __getitem__(self, key: str) -> Any:
        return self.values[key]

    def has(self, *keys: str) -> bool:
        """Whether these columns were read without problem and are filled: a rule may look at them together."""
        return all(self.values[key] is not FAILED and self.values[key] not in (None, "", []) for key in keys)

    @property
    def failed(self) -> bool:
        return any(value is FAILED for value in self.values.values())


@dataclass
class Position:
    """Where the reading is: types and rules report there."""

    sheet: Sheet
    lists: Mapping[str, Values]
    region: str
    problems: list[Problem] = field(default_factory=list)
    row: int = 0
    column: Column | None = None
    cell: Any = None

    def report(self, rule: Rule, **details) -> None:
        """Add a problem at the current cell."""
        self.report_at(rule, self.row, self.column, self.cell, **details)

    def report_at(self, rule: Rule, row: int | None, column: Column | str | None, cell=None, /, **details) -> None:
        """Add a problem at a cell (or, without column, on a row; without row, on the sheet)."""
        if isinstance(column, str):
            column = self.sheet.by_key[column]
        self.problems.append(
            Problem(
                rule=rule,
                sheet=self.sheet.name,
                row=row,
                cell=f"{self.sheet.letters[column.key]}{row}" if column and row else "",
                column=column.label if column else "",
                value=shown(cell) if cell is not None else "",
                message=rule.message.format(**details),
                key=column.key if column else "",
            )
        )


_BAD_KINDS = {"erreur": rules.SPREADSHEET_ERROR, "formule": rules.NOT_COMPUTED}
"""Rules of the bad cells that people meet most; the others are ``UNREADABLE``, in the words of the reader."""


class SheetReader:
    """Reads the rows of one sheet: each cell by its type, then what the columns of a row say of each other."""

    def __init__(self, sheet: Sheet, lists: Mapping[str, Values], *, region: str = "FR"):
        self.sheet = sheet
        self.position = Position(sheet, lists, region)
        self._columns = [(column, column.type) for column in sheet.columns]
        self._conditional = [(index, column) for index, column in enumerate(sheet.columns) if column.opened_when]
        self._required = [column for column in sheet.columns if column.required and not column.opened_when]

    @property
    def problems(self) -> list[Problem]:
        return self.position.problems

    def read_row(self, number: int, cells: Sequence) -> Row:
        """One row, blank or not."""
        position = self.position
        position.row = number
        values, begun = {}, len(position.problems)
        for index, (column, kind) in enumerate(self._columns):
            cell = cells[index] if index < len(cells) else None
            if not filled(cell):
                values[column.key] = kind.empty
                continue
            position.column, position.cell = column, cell
            nature = nature_of(cell)
            if nature and nature not in kind.natures:
                position.report(
                    rules.UNEXPECTED_NATURE,
                    found=described(nature, shown(cell)),
                    expected=kind.expected,
                    format=kind.format,
                    hint=kind.hint_for(cell),
                )
                values[column.key] = FAILED
            elif cell.__class__ is BadCell:
                position.report(_BAD_KINDS.get(cell.kind, rules.UNREADABLE), found=cell.raw, sentence=sentence(cell))
                values[column.key] = FAILED
            else:
                before = len(position.problems)
                values[column.key] = kind.read(cell, position)
                if values[column.key] is FAILED and not column.required and _means_nothing(cell):
                    del position.problems[before:]
                    position.report(rules.LEAVE_EMPTY, found=shown(cell))
        for column in self._required:
            if values[column.key] in (None, "", []):
                position.report_at(rules.REQUIRED, number, column)
                values[column.key] = FAILED
        for index, column in self._conditional:
            self._check_open(number, column, values, cells[index] if index < len(cells) else None, begun)
        return Row(number, values)

    def _check_open(self, number: int, column: Column, values: dict, cell, begun: int) -> None:
        other = self.sheet.by_key[column.opened_when.column]
        if values[other.key] is FAILED:
            return  # its own problem is reported; nothing can be said of this one
        value = values[column.key]
        empty = value is not FAILED and value in (None, "", [])
        if column.opened_when.holds(values):
            if empty and column.required:
                shown_other = other.type.show(values[other.key], self.position.lists)
                self.position.report_at(rules.REQUIRED_WHEN_OPEN, number, column, other=other.label, value=shown_other)
                values[column.key] = FAILED
        elif not empty:
            shown_other = other.type.show(values[other.key], self.position.lists)
            rule = rules.CLOSED if shown_other else rules.CLOSED_EMPTY
            # What must be empty need not be well written as well.
            problems = self.position.problems
            problems[begun:] = [each for each in problems[begun:] if each.key != column.key]
            self.position.report_at(rule, number, column, cell, other=other.label, value=shown_other)
            values[column.key] = FAILED


def sentence(found: object) -> str:
    """What a bad cell or a stray value says of itself, as the beginning of a message."""
    text = str(found)
    return text[:1].upper() + text[1:]


_NOTHING = re.compile(
    r"n/?a|n\.a\.|n[crs]|n\.[crs]\.|nsp|so|s[./]o\.?|neant|aucune?|sans(?: objet)?|rien|inconnue?|vide|null|none|nan|"
    r"non (?:renseignee?|communiquee?|connue?|concernee?)|a completer|[-–—./]+"
)
"""What people write in a cell to say that they have nothing to put there."""


def _means_nothing(cell) -> bool:
    return cell.__class__ is str and _NOTHING.fullmatch(fold(plain(cell))) is not None


def filled(cell) -> bool:
    """Whether there is something in a cell."""
    return cell is not None and not (cell.__class__ is str and not plain(cell))
