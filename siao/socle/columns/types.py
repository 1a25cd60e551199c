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

from . import natures, phones, rules

if TYPE_CHECKING:
    from .sheets import Position

FAILED: Any = type("Failed", (), {"__repr__": lambda self: "FAILED", "__bool__": lambda self: False})()


class ColumnType:
    empty: Any = None
    width = 18
    """Width of the column in the template, in characters."""
    natures = frozenset({natures.TEXT, natures.NUMBER})
    """Those of the cells that ``read`` receives; the others are refused."""
    expected = "un texte"
    format = "Texte"
    """The format of cells that keeps what is typed."""

    def read(self, cell, position: "Position"):
        raise NotImplementedError

    def hint_for(self, cell) -> str:
        """What a cell of another nature probably was."""
        return ""

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
    if isinstance(cell, int | float):
        return _as_shown(cell)
    return _french(cell) if isinstance(cell, datetime.date) else None


def _as_shown(number: int | float) -> str:
    """A number as its cell shows it, for what people type: « 9:00 » is « 09:00 », « 50 % » is « 50 % »."""
    nature = getattr(number, "nature", natures.NUMBER)
    if nature == natures.TIME:
        return natures.time_of_day(number)
    if nature == natures.PERCENTAGE:
        return f"{_digits(number * 100)} %"
    return _digits(number)


def _digits(number: int | float) -> str:
    """The digits that a spreadsheet keeps of a number, 15 at most."""
    if isinstance(number, float) and not (number.is_integer() and abs(number) < 1e15):
        return f"{number:.15g}".replace(".", ",")
    return str(int(number))


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
        if not isinstance(cell, str):
            position.report(rules.NUMBER_AS_TEXT, found=raw)
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
    expected = "un nombre entier"
    format = "Standard"

    def hint_for(self, cell):
        return _was_number(cell)

    def read(self, cell, position):
        number = self._number(cell)
        if number is None:
            position.report(rules.NOT_AN_INTEGER, found=shown(cell))
            return FAILED
        if not self.minimum <= number <= self.maximum:
            bounds = {"minimum": spaced(self.minimum), "maximum": spaced(self.maximum)}
            position.report(rules.INTEGER_OUT_OF_RANGE, found=spaced(number), **bounds)
            return FAILED
        if number > _HIGH:
            hint = " ; est-ce une année ?" if _YEARS[0] <= number <= _YEARS[1] else ""
            position.report(rules.UNLIKELY_INTEGER, found=spaced(number), hint=hint)
        return number

    def _number(self, cell) -> int | None:
        if isinstance(cell, bool) or not isinstance(cell, int | float | str):
            return None
        if isinstance(cell, str):
            digits = re.sub(r"\s", "", keyboard(cell))
            return int(digits) if re.fullmatch(r"[-+]?[0-9]{1,15}", digits, re.ASCII) else None
        # A sum of fractions such as 29.999999999999996 is shown with 15 digits at most, and means that.
        rounded = float(f"{cell:.15g}")
        return int(rounded) if rounded.is_integer() else None

    def to_cell(self, value, lists=None):
        return value


@dataclass(frozen=True)
class Decimal(ColumnType):
    """An amount in euros, two decimals."""

    maximum: decimal.Decimal = decimal.Decimal(10) ** 11
    width = 16
    natures = frozenset({natures.TEXT, natures.NUMBER, natures.EUROS})
    expected = "un montant en euros"
    format = "Standard"

    def hint_for(self, cell):
        return _was_number(cell)

    def read(self, cell, position):
        amount = self._amount(cell)
        if amount is None:
            position.report(rules.NOT_AN_AMOUNT, found=shown(cell))
            return FAILED
        if not 0 <= amount < self.maximum:
            position.report(rules.AMOUNT_OUT_OF_RANGE, found=shown(cell), maximum=spaced(int(self.maximum)))
            return FAILED
        if isinstance(cell, float) and decimal.Decimal(f"{cell:.15g}") != amount:
            position.report(rules.AMOUNT_ROUNDED, found=shown(cell), amount=self.show(amount))
        if amount > _HIGH_AMOUNT:
            position.report(rules.UNLIKELY_AMOUNT, amount=self.show(amount))
        return str(amount)

    def _amount(self, cell) -> decimal.Decimal | None:
        if isinstance(cell, bool) or not isinstance(cell, int | float | str):
            return None
        # A binary fraction such as 1234.1 is shown with at most 15 digits by spreadsheets, and means that.
        if isinstance(cell, float):
            # A result such as 33333.3333 shows two decimals, and is read as shown.
            return decimal.Decimal(f"{cell:.15g}").quantize(_CENT, decimal.ROUND_HALF_UP) if abs(cell) < 1e15 else None
        text = str(int(cell) if isinstance(cell, int) else cell)
        text = re.sub(r"[\s€]", "", keyboard(text)).replace(",", ".")
        if len(text) > 20 or not re.fullmatch(r"[-+]?[0-9]+(\.[0-9]{1,2}0*)?", text, re.ASCII):
            return None
        return decimal.Decimal(text).quantize(_CENT)

    def show(self, value, lists=None):
        return "" if value is None else f"{decimal.Decimal(value):,.2f} €".replace(",", "\u202f").replace(".", ",")

    def to_cell(self, value, lists=None):
        return None if value is None else float(value)


_CENT = decimal.Decimal("0.01")
_YEARS = (1900, 2100)
_HIGH, _HIGH_AMOUNT = 1_500, decimal.Decimal(50_000_000)
"""Above which a number of places, or an amount for one fiche, is probably a mistake."""
_DAY_ZERO = datetime.date(1899, 12, 30)
"""Day 0 of spreadsheets, which count days."""


def _was_number(cell) -> str:
    """What number a cell that shows a date was, when it is one that people type."""
    if isinstance(cell, datetime.date) and (number := _serial(_as_date(cell))) <= 10_000:
        return f" (peut-être {number})"
    return ""


def _serial(date: datetime.date) -> int:
    """The number that Excel shows as this date; it believes in a 29 February 1900, and counts from there."""
    days = (date - _DAY_ZERO).days
    return days - (days <= 60)


def _as_date(cell: datetime.date) -> datetime.date:
    return cell.date() if isinstance(cell, datetime.datetime) else cell


_DAY_MONTH_YEAR = re.compile(
    r"([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{4}|[0-9]{2})(?:[ T]+([0-9]{1,2}[:h][0-9]{2})(?::[0-9]{2})?)?", re.ASCII
)
_YEAR_MONTH_DAY = re.compile(
    r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?:[T ]+([0-9]{2}:[0-9]{2})(?::[0-9]{2}(?:\.0+)?)?Z?)?", re.ASCII
)
_MONTHS = ("janv", "fevr", "mars", "avr", "mai", "juin", "juil", "aout", "sept", "oct", "nov", "dec")


@dataclass(frozen=True)
class Date(ColumnType):
    width = 14
    natures = frozenset({natures.TEXT, natures.NUMBER, natures.DATE})
    expected = "une date"
    format = "Date"

    def read(self, cell, position):
        if isinstance(cell, datetime.date):
            date, time = _as_date(cell), f"{cell:%H:%M}" if isinstance(cell, datetime.datetime) else ""
            number = _serial(date)
            if 0 <= number <= _YEARS[1]:
                example = f"01/01/{number}" if number >= _YEARS[0] else "31/12/2024"
                position.report(rules.NUMBER_SHOWN_AS_DATE, found=_french(date), number=number, example=example)
                return FAILED
        else:
            date, time = self._typed(cell, position)
        if date is None:
            return FAILED
        if not 1900 <= date.year <= 2100:
            position.report(rules.DATE_OUT_OF_RANGE, found=_french(date))
            return FAILED
        if time not in ("", "00:00", "0:00"):
            position.report(rules.TIME_DROPPED, found=f"{_french(date)} {time}", date=_french(date))
        if not 1945 <= date.year <= datetime.date.today().year + 30:  # noqa: DTZ011 (a century, not a day)
            position.report(rules.UNLIKELY_DATE, found=_french(date))
        return date.isoformat()

    def _typed(self, cell, position) -> tuple[datetime.date | None, str]:
        """The date that a text says, and its time of day; (None, "") when it is none, once that is reported."""
        text = re.sub(r"\s*([/.-])\s*", r"\1", keyboard(as_text(cell)))
        if match := _DAY_MONTH_YEAR.fullmatch(text):
            day, month, year = (int(part) for part in match.groups()[:3])
            if len(match[3]) == 2:
                example = f"{day:02}/{month:02}/20{year:02}"
                position.report(rules.SHORT_YEAR, found=shown(cell), example=example)
                return None, ""
        elif match := _YEAR_MONTH_DAY.fullmatch(text):
            year, month, day = (int(part) for part in match.groups()[:3])
        elif re.fullmatch(r"(?:19|20)[0-9]{2}", text, re.ASCII):
            position.report(rules.YEAR_ALONE, found=text)
            return None, ""
        else:
            position.report(rules.NOT_A_DATE, found=shown(cell), hint=_probable_date(cell))
            return None, ""
        try:
            return datetime.date(year, month, day), match[4] or ""
        except ValueError:
            hint = f" (le mois s'écrit après le jour : peut-être {month:02}/{day:02}/{year} ?)"
            inverted = 1 <= day <= 12 < month <= 31
            position.report(rules.NOT_A_DATE, found=shown(cell), hint=hint if inverted else "")
            return None, ""

    def show(self, value, lists=None):
        return "" if value is None else f"{datetime.date.fromisoformat(value):%d/%m/%Y}"

    def to_cell(self, value, lists=None):
        return None if value is None else datetime.date.fromisoformat(value)


def _probable_date(cell) -> str:
    """What a cell that is no date probably says; told, never read."""
    text = fold(plain(as_text(cell)))
    if isinstance(cell, int | float) and 10_000 <= cell <= 73_000:
        date = _DAY_ZERO + datetime.timedelta(days=int(cell))
        return f" (peut-être {_french(date)}, la cellule étant mise au format Date)"
    parts = None
    if match := re.fullmatch(r"([0-9]{1,2})(?:er)? ?([a-z]{3,9})\.? ?([0-9]{4})", text, re.ASCII):
        month = next((n for n, name in enumerate(_MONTHS, 1) if match[2].startswith(name)), 0)
        parts = int(match[3]), month, int(match[1])
    elif match := re.fullmatch(r"((?:19|20)[0-9]{2})([0-9]{2})([0-9]{2})", text, re.ASCII):
        parts = int(match[1]), int(match[2]), int(match[3])
    elif match := re.fullmatch(r"([0-9]{1,2})([0-9]{2})((?:19|20)[0-9]{2})", text, re.ASCII):
        parts = int(match[3]), int(match[2]), int(match[1])
    try:
        return f" (peut-être {_french(datetime.date(*parts))} ?)" if parts else ""
    except ValueError:
        return ""


@dataclass(frozen=True)
class YesNo(ColumnType):
    width = 12
    natures = frozenset({natures.TEXT, natures.NUMBER, natures.BOOLEAN})
    expected = "Oui ou Non"
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
        return self._numbered(text) or hint(text, self.offered)

    def _numbered(self, text: str) -> str:
        """The only label that has the number which a text gives alone, or with a word: « 177 », « BOP 177 »."""
        numbers = re.findall(r"[0-9]{2,}", text, re.ASCII)
        if len(numbers) != 1 or len(text) > 20:
            return ""
        found = [label for label in self.offered if numbers[0] in re.findall(r"[0-9]+", label)]
        return f" (peut-être « {found[0]} » ?)" if len(found) == 1 else ""


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


_OTHER_SEPARATORS = re.compile(r"\s*[/|+&•·\t]\s*|\s+(?:et|ou|-|–)\s+|\s{2,}")


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
                self._refuse(text, values, position)
                unknown = True
            codes.add(code)
        return FAILED if unknown else sorted(codes, key=values.order.__getitem__)

    def _refuse(self, text: str, values: Values, position) -> None:
        parts = [
            values.code_of(part) for part in re.split(r"\s*[/|+&•·\t]\s*|\s+(?:et|ou|-|–)\s+|\s{2,}", text.strip())
        ]
        if len(parts) > 1 and all(parts):
            position.report(rules.TO_SEPARATE, found=shown(text), example=self.show(parts, position.lists))
        else:
            position.report(rules.NOT_IN_LIST, found=shown(text), hint=values.hint(text))

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
