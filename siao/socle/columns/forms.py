"""One row of a sheet, typed in the browser: read by the same types and refused by the same rules as a workbook.

What was typed becomes the cells of a row; the problems found on it become the errors of the form, each on its field,
in the words that the workbook would give them. Warnings refuse nothing: they are in ``warnings``.
"""

from collections.abc import Collection, Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from siao.socle.forms import Formulaire, JourField

from .rules import Problem, Severity
from .sheets import Column, Position, Row, Sheet, SheetReader
from .types import Choice, ColumnType, Date, Decimal, Email, Integer, MultiChoice, Phone, Reference, Text, Values, YesNo

ROW = 1
"""Number of the only row, in problems."""


class SheetForm(Formulaire):
    """A form for the columns of ``sheet`` named in ``opened``; the others keep what ``values`` says.

    ``values``: canonical values of the row before, empty for a new one. ``unreadable``: columns that have no field but
    whose cell is read when somebody posts it all the same, to be refused like any other. ``settled``: columns whose
    condition is known to hold: there is nothing to say of it.
    """

    sheet: Sheet

    def __init__(
        self,
        data=None,
        *,
        lists: Mapping[str, Values],
        values: Mapping[str, Any] | None = None,
        opened: Collection[str] | None = None,
        unreadable: Collection[str] = (),
        settled: Collection[str] = (),
        region: str = "FR",
    ):
        super().__init__(data)
        self.lists, self.values, self.region = lists, values or {}, region
        self.opened = [
            column
            for column in self.sheet.columns
            if (opened is None or column.key in opened) and not isinstance(column.type, Reference)
        ]
        self.unreadable = frozenset(unreadable)
        self.warnings: list[Problem] = []
        self.row: Row | None = None
        for column in self.opened:
            self.fields[column.key] = _field(
                column, lists, self.values.get(column.key), None if column.key in settled else self.sheet
            )
            self.initial[column.key] = _typed(column.type, self.values.get(column.key), lists)
        self.style()

    def check(self, row: Row, position: Position) -> None:
        """What the columns say of each other: problems are reported at ``position``."""

    def clean(self):
        cleaned = super().clean()
        self.asked = frozenset(self.errors)
        reader = SheetReader(self.sheet, self.lists, region=self.region)
        self.row = reader.read_row(ROW, [self._cell(column) for column in self.sheet.columns])
        self.check(self.row, reader.position)
        for problem in reader.problems:
            if problem.rule.severity == Severity.WARNING:
                self.warnings.append(problem)
            elif problem.key in self.asked:
                pass  # its field has asked for the year
            elif problem.key in self.fields:
                self.add_error(problem.key, ValidationError(problem.message, code=problem.rule.code))
            else:
                about = f"{problem.column} : {problem.message}" if problem.column else problem.message
                self.add_error(None, ValidationError(about, code=problem.rule.code))
        return cleaned

    def _cell(self, column: Column):
        if column.key in self.fields:
            return _cell_of(column.type, self.cleaned_data.get(column.key), self.lists)
        if column.key in self.unreadable:
            widget = _widget(column.type, self.lists, None)
            return _cell_of(column.type, widget.value_from_datadict(self.data, {}, column.key), self.lists)
        return column.type.show(self.values.get(column.key), self.lists) or None

    @property
    def canonical(self) -> dict[str, Any]:
        """The values of the row that was read without error, its parent apart."""
        columns = (column for column in self.sheet.columns if not isinstance(column.type, Reference))
        return {column.key: self.row[column.key] for column in columns}

    def groups(self) -> list[tuple[str, list]]:
        """The fields by group of columns, in the order of the sheet."""
        found: dict[str, list] = {column.group: [] for column in self.sheet.columns}
        for column in self.opened:
            field = self[column.key]
            field.large = isinstance(field.field.widget, forms.CheckboxSelectMultiple | forms.Textarea)
            found[column.group].append(field)
        return [(group, fields) for group, fields in found.items() if fields]


class _Jour(JourField):
    """A day: its year may be asked; what is no day is said by the type of the column."""

    def to_python(self, value):
        try:
            return super().to_python(value)
        except ValidationError as refused:
            if refused.code == "annee":
                raise
            return value

    def validate(self, value):
        """The years too."""


def _field(column: Column, lists, value, sheet: Sheet | None) -> forms.Field:
    """Takes anything: what is wrong is said by the type of the column. A day is read as in every form."""
    if isinstance(column.type, Date):
        return _Jour(label=column.label, required=False, help_text=_help(column, lists, sheet))
    return forms.Field(
        label=column.label,
        required=False,
        widget=_widget(column.type, lists, value),
        help_text=_help(column, lists, sheet),
    )


def _help(column: Column, lists, sheet: Sheet | None) -> str:
    # How to write several values in a cell is of no use where they are ticked.
    parts = [column.help] if column.help and not isinstance(column.type, MultiChoice) else []
    condition = column.opened_when if sheet else None
    if condition and column.required:
        other = sheet.by_key[condition.column]
        sentence = condition.sentence(other.label, lambda value: other.type.show(value, lists))
        parts.append(f"obligatoire {sentence}")
    elif not column.required:
        parts.append("facultatif")
    text = " – ".join(parts)
    return text if column.help else text[:1].upper() + text[1:]


def _widget(kind: ColumnType, lists, value) -> forms.Widget:
    match kind:
        case MultiChoice():
            return forms.CheckboxSelectMultiple(choices=_choices(lists[kind.values], value or ()))
        case Choice(depends_on=str()):
            return forms.Select(choices=[("", "Choisir…"), *lists.grouped(kind.values, value)])
        case Choice():
            return forms.Select(choices=[("", "Choisir…"), *_choices(lists[kind.values], [value])])
        case YesNo():
            return forms.Select(choices=[("", "Choisir…"), *((label, label) for label in kind.labels)])
        case Text(maximum=maximum) if maximum > 255:
            return forms.Textarea(attrs={"rows": 4, "maxlength": maximum})
        case Integer() | Decimal():
            return forms.TextInput(attrs={"inputmode": "decimal" if isinstance(kind, Decimal) else "numeric"})
        case Phone():
            return forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off"})
        case Email():
            return forms.TextInput(attrs={"inputmode": "email", "autocomplete": "off"})
    return forms.TextInput(attrs={"autocomplete": "off"})


def _choices(values: Values, kept) -> list[tuple[str, str]]:
    """What is offered, and the retired values that the row already has."""
    return [(code, label) for code, label in values.labels.items() if code not in values.retired or code in kept]


def _typed(kind: ColumnType, value, lists):
    """A canonical value as its field shows it."""
    return value if isinstance(kind, Choice | MultiChoice) else kind.show(value, lists)


def _cell_of(kind: ColumnType, typed, lists):
    """What was typed, as the cell of a workbook: labels instead of codes."""
    match kind:
        case MultiChoice():
            labels = lists[kind.values].labels
            return kind.separator.join(labels.get(code, code) for code in typed or ()) or None
        case Choice():
            return lists[kind.values].labels.get(typed, typed) or None
    return typed or None
