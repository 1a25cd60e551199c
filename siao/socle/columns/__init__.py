"""Columns declared once: the same declaration makes the template, reads, checks, shows, exports and documents.

- ``rules``: what can be wrong with a cell, with its severity and the French message; a registry, not scattered code.
- ``conditions``: a column that the value of another one opens.
- ``types``: how a cell becomes a value, and a value a cell.
- ``phones``: telephone numbers, by whoever reads or shows one.
- ``sheets``: columns in their sheet, and the reading of its rows.
"""

from .conditions import NoneOf, OneOf, StartsWith
from .rules import Problem, Rule, Severity
from .sheets import Column, Position, Row, Sheet, SheetReader
from .types import Choice, Date, Decimal, Email, Integer, MultiChoice, Phone, Reference, Text, YesNo

__all__ = [
    "Choice",
    "Column",
    "Date",
    "Decimal",
    "Email",
    "Integer",
    "MultiChoice",
    "NoneOf",
    "OneOf",
    "Phone",
    "Position",
    "Problem",
    "Reference",
    "Row",
    "Rule",
    "Severity",
    "Sheet",
    "SheetReader",
    "StartsWith",
    "Text",
    "YesNo",
]
