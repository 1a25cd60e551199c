"""What a cell is for the person who typed it, to compare with what its column expects.

A spreadsheet rewrites what is typed: « 1-3 » becomes a date, « 9:00 » a fraction of a day, « 50 % » the number 0,5.
What comes back is not what was typed, so it is never stored: the person is told both.
"""

import datetime

from siao.socle.workbook import formats
from siao.socle.workbook.cells import BadCell

TEXT, NUMBER, BOOLEAN, DATE = "texte", "nombre", "booleen", formats.DATE
TIME, PERCENTAGE, EUROS, CURRENCY, SCALED = formats.NATURES


def nature_of(cell) -> str:
    """One of the natures above; a cell that could not be read as the date it shows is a date."""
    if isinstance(cell, str):
        return TEXT
    if isinstance(cell, bool):
        return BOOLEAN
    if isinstance(cell, int | float):
        return getattr(cell, "nature", NUMBER)
    if isinstance(cell, datetime.date) or (isinstance(cell, BadCell) and cell.kind == "date"):
        return DATE
    return ""


def described(nature: str, quoted: str) -> str:
    """« une date (01/02/2024) », to say what was found."""
    return f"{_NAMES[nature]} ({quoted})"


_NAMES = {
    BOOLEAN: "une valeur logique",
    NUMBER: "un nombre",
    DATE: "une date",
    TIME: "une heure",
    PERCENTAGE: "un pourcentage",
    EUROS: "un montant",
    CURRENCY: "un montant dans une autre monnaie que l'euro, ou sans monnaie connue",
    SCALED: "un nombre affiché en milliers ou en millions",
}


def time_of_day(days: float) -> str:
    """« 09:30 » for a fraction of a day; more than a day is counted in hours."""
    minutes = round(days * 1440)
    return f"{minutes // 60:02}:{minutes % 60:02}"
