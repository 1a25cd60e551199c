"""Days as people type them in a form: 31/12/2026, 31122026, 31/12/26, 31/12, 2026-12-31.

A year that was not typed whole is resolved by the rule of the field (``Sens``), never by a guess: when the rule leaves
no year or two, the person is asked. A workbook is stricter (``siao.socle.columns``): nobody reads it over at once.
"""

import datetime
import enum
import re

from siao.socle.text import visible

ANNEES = range(1900, 2200)
"""Years that a person may write: one mistyped as 0026 or 20026 is refused rather than kept for ever."""


class Sens(enum.Enum):
    """What the day of a field can be: how a year of two digits, or none, is understood."""

    PASSE = "passé"
    """What has happened. Two digits: from 80 years ago to a year ahead. None: the last such day, today included."""
    NAISSANCE = "naissance"
    """A birth. Two digits: the year of somebody under 110; asked when two centuries fit. None: asked."""
    AVENIR = "à venir"
    """A term. Two digits: from a year ago to 80 years ahead. None: the next such day, today included."""
    LIBRE = "libre"
    """Either. Two digits: from 60 years ago to 30 ahead. None: the nearest such day, three months away at most."""


_CENTURIES = {Sens.PASSE: (-80, 1), Sens.NAISSANCE: (-110, 0), Sens.AVENIR: (-1, 80), Sens.LIBRE: (-60, 30)}
"""Years around today between which a year of two digits falls."""
_NEAR = datetime.timedelta(days=92)

_HYPHENS = str.maketrans({"\u2010": "-", "\u2011": "-", "\u2012": "-", "\u2013": "-", "\u2212": "-", "\u2215": "/"})
_FRENCH = re.compile(r"(\d{1,2}) ?[/. -] ?(\d{1,2})(?: ?[/. -] ?(\d{4}|\d{2})| ?[/.])?", re.ASCII)
_ISO = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})", re.ASCII)
_DIGITS = re.compile(r"(\d{2})(\d{2})(\d{4}|\d{2})", re.ASCII)
_ISO_DIGITS = re.compile(r"(\d{4})(\d{2})(\d{2})", re.ASCII)


class Incomplete(ValueError):
    """The year must be asked. Its text is the French sentence that the person reads."""


def read_day(typed: str, *, sens: Sens, aujourdhui: datetime.date) -> datetime.date:
    """The day that ``typed`` says. Raises ``Incomplete`` when its year must be asked, ``ValueError`` for no day."""
    text = " ".join(visible(typed[:100]).translate(_HYPHENS).split())
    if match := _ISO.fullmatch(text):
        return datetime.date(*map(int, match.groups()))
    match = _FRENCH.fullmatch(text) or _DIGITS.fullmatch(text)
    if match is None:
        raise ValueError(typed)
    day, month, year = match.groups()
    if year and len(year) == 4:
        # Eight digits may begin with the year; never both: 19, 20 and 21 are no months.
        if (iso := _ISO_DIGITS.fullmatch(text)) and int(year) not in ANNEES:
            return datetime.date(*map(int, iso.groups()))
        return datetime.date(int(year), int(month), int(day))
    datetime.date(2000, int(month), int(day))  # a leap year: what no year has is no day
    found = _candidates(int(day), int(month), year, sens, aujourdhui)
    if len(found) == 1:
        return found[0]
    if found:
        raise Incomplete(f"Écrivez l'année en entier : {' ou '.join(f'{each:%d/%m/%Y}' for each in found)} ?")
    example = f"{int(day):02}/{int(month):02}/{aujourdhui.year if year is None else f'20{year}'}"
    raise Incomplete(f"Écrivez l'année en entier, sur quatre chiffres, comme {example}.")


def _candidates(day: int, month: int, year: str | None, sens: Sens, today: datetime.date) -> list[datetime.date]:
    if year is not None:
        before, after = _CENTURIES[sens]
        first, last = _years_from(today, before), _years_from(today, after)
        found = _days(day, month, [century + int(year) for century in (1900, 2000, 2100)])
        return [each for each in found if first < each <= last]
    around = _days(day, month, range(today.year - 1, today.year + 2))
    past = [each for each in around if each <= today][-1:]
    coming = [each for each in around if each >= today][:1]
    match sens:
        case Sens.PASSE:
            return past
        case Sens.AVENIR:
            return coming
        case Sens.LIBRE:
            both = sorted({*past, *coming})
            return [each for each in both if abs(each - today) <= _NEAR] or both
        case Sens.NAISSANCE:
            return []


def _years_from(today: datetime.date, years: int) -> datetime.date:
    return today.replace(year=today.year + years, day=min(today.day, 28 if today.month == 2 else today.day))


def _days(day: int, month: int, years) -> list[datetime.date]:
    """The days that exist: 29 February is not in all years."""
    found = []
    for year in years:
        try:
            found.append(datetime.date(year, month, day))
        except ValueError:
            continue
    return found
