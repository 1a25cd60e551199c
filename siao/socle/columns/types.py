"""How a cell becomes a value, and a value a cell.

``read(cell, position)`` returns the value in its canonical form (the one compared, kept as JSON and written in the
database) and reports problems on ``position``; ``FAILED`` says that a problem was reported and that nothing can be said
of the value. Canonical forms: text ``""``-free strings, dates ``YYYY-MM-DD``, amounts ``"1234.50"``, codes of lists,
lists of codes in the order of their list. An empty cell never gets here: its value is the type's ``empty``.
"""

import datetime
import decimal
import difflib
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator

from siao.socle.text import fold, keyboard, plain, visible
from siao.socle.workbook.cells import BadCell
from siao.socle.workbook.refusals import spaced

from . import phones, rules

if TYPE_CHECKING:
    from .sheets import Position

FAILED: Any = type("Failed", (), {"__repr__": lambda self: "FAILED", "__bool__": lambda self: False})()


class ColumnType:
    empty: Any = None
    width = 18
    """Width of the column in the template, in characters."""

    def read(self, cell, position: "Position"):
        raise NotImplementedError

    def show(self, value, lists=None) -> str:
        """The value as people read it, in pages and in cells of text."""
        return "" if value is None else str(value)

    def to_cell(self, value, lists=None):
        """The value as a spreadsheet holds it."""
        return self.show(value, lists)


def as_text(cell) -> str | None:
    """The characters of a cell, as the person who typed them sees them; None for what is no text at all."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "VRAI" if cell else "FAUX"
    if isinstance(cell, int):
        return str(cell)
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else str(cell).replace(".", ",")
    return _french(cell) if isinstance(cell, datetime.date) else None


def _french(date: datetime.date) -> str:
    """« 01/01/0800 »: the year always has four digits, where ``strftime`` writes 800."""
    return f"{date:%d/%m}/{date.year:04}"


def shown(cell) -> str:
    """What to quote of a cell in a message, short enough to be read."""
    text = cell.raw if isinstance(cell, BadCell) else as_text(cell)
    text = plain(text or "")
    return text if len(text) <= 60 else f"{text[:59]}…"


@dataclass(frozen=True)
class Text(ColumnType):
    maximum: int = 255
    width = 32
    empty = ""

    def read(self, cell, position):
        raw = as_text(cell)
        text = plain(raw)
        if visible(raw) != raw:
            position.report(rules.INVISIBLE, value=text)
        if len(text) > self.maximum:
            position.report(rules.TOO_LONG, length=len(text), maximum=self.maximum)
            return FAILED
        return text


@dataclass(frozen=True)
class Integer(ColumnType):
    minimum: int = 0
    maximum: int = 1_000_000
    width = 12

    def read(self, cell, position):
        number = self._number(cell)
        if number is None:
            position.report(rules.NOT_AN_INTEGER, found=shown(cell))
            return FAILED
        if not self.minimum <= number <= self.maximum:
            bounds = {"minimum": spaced(self.minimum), "maximum": spaced(self.maximum)}
            position.report(rules.INTEGER_OUT_OF_RANGE, found=spaced(number), **bounds)
            return FAILED
        return number

    def _number(self, cell) -> int | None:
        if isinstance(cell, bool) or not isinstance(cell, int | float | str):
            return None
        if isinstance(cell, str):
            digits = re.sub(r"\s", "", keyboard(cell))
            return int(digits) if re.fullmatch(r"[-+]?[0-9]{1,15}", digits, re.ASCII) else None
        return int(cell) if cell == int(cell) else None

    def to_cell(self, value, lists=None):
        return value


@dataclass(frozen=True)
class Decimal(ColumnType):
    """An amount in euros, two decimals."""

    maximum: decimal.Decimal = decimal.Decimal(10) ** 11
    width = 16

    def read(self, cell, position):
        amount = self._amount(cell)
        if amount is None:
            position.report(rules.NOT_AN_AMOUNT, found=shown(cell))
            return FAILED
        if not 0 <= amount < self.maximum:
            position.report(rules.AMOUNT_OUT_OF_RANGE, found=shown(cell), maximum=spaced(int(self.maximum)))
            return FAILED
        return str(amount)

    def _amount(self, cell) -> decimal.Decimal | None:
        if isinstance(cell, bool) or not isinstance(cell, int | float | str):
            return None
        # A binary fraction such as 1234.1 is shown with at most 15 digits by spreadsheets, and means that.
        text = f"{cell:.15g}" if isinstance(cell, float) else str(cell)
        text = re.sub(r"[\s€]", "", keyboard(text)).replace(",", ".")
        if len(text) > 20 or not re.fullmatch(r"[-+]?[0-9]+(\.[0-9]{1,2}0*)?", text, re.ASCII):
            return None
        return decimal.Decimal(text).quantize(decimal.Decimal("0.01"))

    def show(self, value, lists=None):
        return "" if value is None else f"{decimal.Decimal(value):,.2f} €".replace(",", "\u202f").replace(".", ",")

    def to_cell(self, value, lists=None):
        return None if value is None else float(value)


@dataclass(frozen=True)
class Date(ColumnType):
    width = 14

    def read(self, cell, position):
        date = self._date(cell)
        if date is None:
            position.report(rules.NOT_A_DATE, found=shown(cell))
            return FAILED
        if not 1900 <= date.year <= 2100:
            position.report(rules.DATE_OUT_OF_RANGE, found=_french(date))
            return FAILED
        return date.isoformat()

    def _date(self, cell) -> datetime.date | None:
        if isinstance(cell, datetime.datetime):
            return cell.date()
        if isinstance(cell, datetime.date):
            return cell
        if not isinstance(cell, str):
            return None
        text = re.sub(r"\s*([/.-])\s*", r"\1", keyboard(cell))
        if match := re.fullmatch(r"([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{4})", text, re.ASCII):
            day, month, year = map(int, match.groups())
        elif match := re.fullmatch(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?:[T ]00:00(?::00)?)?", text, re.ASCII):
            year, month, day = map(int, match.groups())
        else:
            return None
        try:
            return datetime.date(year, month, day)
        except ValueError:
            return None

    def show(self, value, lists=None):
        return "" if value is None else f"{datetime.date.fromisoformat(value):%d/%m/%Y}"

    def to_cell(self, value, lists=None):
        return None if value is None else datetime.date.fromisoformat(value)


@dataclass(frozen=True)
class YesNo(ColumnType):
    width = 12
    labels = ("Oui", "Non")

    def read(self, cell, position):
        if isinstance(cell, bool):
            return cell
        answer = {"oui": True, "non": False, "o": True, "n": False}.get(fold(plain(as_text(cell))))
        if answer is None:
            position.report(rules.NOT_YES_NO, found=shown(cell))
            return FAILED
        return answer

    def show(self, value, lists=None):
        return {True: "Oui", False: "Non"}.get(value, "")


class Values:
    """A list to choose from: codes and labels, in order, found again without case, accents or extra spaces.

    A ``retired`` value keeps its label for the rows that have it; it is not offered, nor read again.
    """

    def __init__(self, pairs: Sequence[tuple[str, str]], retired: Collection[str] = ()):
        self.labels = dict(pairs)
        self.retired = frozenset(retired)
        self.order = {code: position for position, code in enumerate(self.labels)}
        self.by_key = {fold(label): code for code, label in pairs if code not in self.retired}

    @property
    def offered(self) -> list[str]:
        """The labels to choose from."""
        return [label for code, label in self.labels.items() if code not in self.retired]

    def code_of(self, text: str) -> str | None:
        return self.by_key.get(fold(plain(text)))

    def hint(self, text: str) -> str:
        """What to say of a text that is no value: it is retired, or looks like « … »."""
        if any(fold(self.labels[code]) == fold(plain(text)) for code in self.retired):
            return " (cette valeur en a été retirée)"
        return hint(text, self.offered)


def hint(text: str, labels) -> str:
    by_key = {fold(label): label for label in labels}
    close = difflib.get_close_matches(fold(plain(text))[:100], by_key, n=1, cutoff=0.8)
    return f" (peut-être « {by_key[close[0]]} » ?)" if close else ""


@dataclass(frozen=True)
class Choice(ColumnType):
    """One value of the list ``values``; within it, of the part that column ``depends_on`` selects, if any."""

    values: str
    depends_on: str | None = None
    width = 28

    def read(self, cell, position):
        values = position.lists[self.values]
        text = as_text(cell)
        code = values.code_of(text)
        if code is None:
            position.report(rules.NOT_IN_LIST, found=shown(cell), hint=values.hint(text))
            return FAILED
        return code

    def show(self, value, lists=None):
        return "" if not value else lists[self.values].labels.get(value, value)


@dataclass(frozen=True)
class MultiChoice(ColumnType):
    """Several values of a list in one cell, separated by « ; » (line breaks and commas are understood)."""

    values: str
    width = 36
    separator = " ; "

    @property
    def empty(self):
        return []

    def read(self, cell, position):
        values = position.lists[self.values]
        codes, unknown = set(), False
        for text in self._items(as_text(cell), values):
            code = values.code_of(text)
            if code is None:
                position.report(rules.NOT_IN_LIST, found=shown(text), hint=values.hint(text))
                unknown = True
            codes.add(code)
        return FAILED if unknown else sorted(codes, key=values.order.__getitem__)

    def _items(self, text: str, values: Values) -> list[str]:
        for item in filter(str.strip, re.split(r"[;\n]", plain(text))):
            # A comma may belong to a label: it separates only where the whole is not one.
            if values.code_of(item) is None and "," in item:
                yield from filter(str.strip, item.split(","))
            else:
                yield item

    def show(self, value, lists=None):
        return self.separator.join(lists[self.values].labels.get(code, code) for code in value or [])


@dataclass(frozen=True)
class Reference(ColumnType):
    """The value of the naming column of another sheet; read as that text, resolved by the caller."""

    sheet: str
    create: str
    """What to do when it is not there, e.g. « créez d'abord l'entité »."""
    width = 32
    empty = ""

    def read(self, cell, position):
        return plain(as_text(cell))


@dataclass(frozen=True)
class Phone(ColumnType):
    """A telephone number, kept as ``phones.parse`` gives it; ``position.region`` (FR, NC…) is where it is dialled."""

    empty = ""

    def read(self, cell, position):
        text = keyboard(as_text(cell))
        if len(text) <= 40 and not re.sub(r"[0\s.+-]", "", text):
            position.report(rules.DUMMY_PHONE, found=shown(cell))
            return ""
        number = phones.parse(text, position.region)
        if number is None:
            self._refuse(cell, text, position)
            return FAILED
        if not number.exists:
            position.report(rules.DUMMY_PHONE, found=shown(cell))
        return number.value

    def _refuse(self, cell, text: str, position) -> None:
        parts = phones.parts(text, position.region)
        if phones.has_extension(text):
            position.report(rules.PHONE_EXTENSION, found=shown(cell))
        elif len(parts) > 1:
            position.report(rules.SEVERAL_PHONES, found=shown(cell), first=phones.show(parts[0].value))
        else:
            # A cell that lost its leading zero or its « + » is never completed in silence.
            suggestion = phones.suggestion(text, position.region)
            if suggestion and not isinstance(cell, str):
                suggestion += ", la cellule étant mise au format Texte"
            position.report(rules.NOT_A_PHONE, found=shown(cell), hint=suggestion)

    def show(self, value, lists=None):
        return phones.show(value) if value else ""


_EMAIL = EmailValidator()


@dataclass(frozen=True)
class Email(ColumnType):
    width = 28
    empty = ""

    def read(self, cell, position):
        text = plain(as_text(cell))
        try:
            if len(text) > 254 or "\n" in text:
                raise ValidationError("")
            _EMAIL(text)
        except ValidationError:
            position.report(rules.NOT_AN_EMAIL, found=shown(cell))
            return FAILED
        return text.lower()
