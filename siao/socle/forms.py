"""The base of every form: the State's design, and errors that assistive tools read with the help of the field."""

import datetime
import re

from django import forms
from django.forms.utils import from_current_timezone
from django.utils import timezone
from django.utils.html import format_html
from dsfr.forms import DsfrBaseForm, DsfrBoundField
from dsfr.utils import dsfr_input_class_attr

from siao.socle.jours import ANNEES, Incomplete, Sens, read_day

PAGE_INCOMPLETE = (
    "Votre navigateur n'a pas renvoyé toute la page : ce que vous avez saisi est gardé, vérifiez-le, puis recommencez."
)


MARQUE = format_html(
    '<span class="fr-required-marker" aria-hidden="true"> *</span><span class="fr-sr-only"> ({})</span>', "obligatoire"
)


class Champ(DsfrBoundField):
    @property
    def ancre(self) -> str:
        """Where a link to the field leads: of a group of choices, which has no element of its own, to the first one."""
        if self.id_for_label:
            return self.id_for_label
        return next((choice.id_for_label for choice in self.subwidgets), f"{self.auto_id}-legend")

    @property
    def marque(self) -> str:
        """The star of a compulsory field, for a template that writes its label itself; tools read the word."""
        return MARQUE if self.field.required else ""

    def value(self):
        """What was typed; of a hidden field that came back unreadable, what the page should have sent."""
        return self.initial if self.name in self.form.perdus else super().value()

    def build_widget_attrs(self, attrs, widget=None):
        """Tie the field to its help and to its errors, both (RGAA 11.10); django-dsfr forgets the help."""
        attrs = super().build_widget_attrs(attrs, widget)
        described = [f"{self.auto_id}_helptext"] if self.help_text else []
        described += [f"{self.auto_id}_error"] if self.errors else []
        if described and not self.use_fieldset:
            attrs["aria-describedby"] = " ".join(described)
        return attrs


class Formulaire(DsfrBaseForm):
    """A form in the State's design. Declares its texts in French; the page explains the star of a compulsory field."""

    bound_field_class = Champ
    perdus: frozenset[str] = frozenset()
    """The hidden fields that came back unreadable: nobody can correct one, the page sends it anew."""

    @property
    def obligatoires(self) -> bool:
        """Whether a label has the star of a compulsory field, which the page explains then."""
        return any(field.field.required for field in self.visible_fields())

    def full_clean(self) -> None:
        super().full_clean()
        self.perdus = frozenset(field.name for field in self.hidden_fields() if field.name in self._errors)
        for name in self.perdus:
            for error in self._errors.pop(name).as_data():
                # What the field itself would say is for developers; what the form says of it was written to be read.
                self.add_error(None, PAGE_INCOMPLETE if error.code else error)

    def on(self, jour: datetime.date) -> None:
        """Understand the days typed as on ``jour``, the day it is where the form is about."""
        for field in self.fields.values():
            if isinstance(field, _Quand):
                field.aujourdhui = jour

    def style(self) -> None:
        """Give the State's classes to fields that were added after the form was made."""
        for field in self.visible_fields():
            dsfr_input_class_attr(field)


class _Quand:
    """What the fields of dates have in common: the example, the words of a refusal, the years, how they are read.

    ``sens``: what the day can be, which says how a year that was not typed whole is understood (``siao.socle.jours``).
    ``aujourdhui``: the day it is where the form is about; a form that knows it gives it with ``Formulaire.on``.
    """

    FORMAT, EXEMPLE, NOM = "%d/%m/%Y", "31/12/2026", "une date qui existe"
    aujourdhui: datetime.date | None = None

    def __init__(self, *, sens: Sens = Sens.LIBRE, help_text="", error_messages=None, **options):
        self.sens = sens
        super().__init__(
            help_text=f"{help_text} Exemple : {self.EXEMPLE}".strip(),
            widget=self.widget(format=self.FORMAT, attrs={"autocomplete": "off", "maxlength": 30, **self.CLAVIER}),
            error_messages={
                "invalid": f"Écrivez {self.NOM}, comme {self.EXEMPLE}.",
                "required": f"Écrivez {self.NOM}, comme {self.EXEMPLE}.",
                **(error_messages or {}),
            },
            **options,
        )

    def read(self, typed: str) -> datetime.date:
        """The day in ``typed``, or the French sentence that asks for it."""
        try:
            return read_day(typed, sens=self.sens, aujourdhui=self.aujourdhui or timezone.localdate())
        except Incomplete as asked:
            raise forms.ValidationError(str(asked), code="annee") from None
        except ValueError:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid") from None

    def validate(self, value):
        super().validate(value)
        if value and value.year not in ANNEES:
            raise forms.ValidationError(
                self.error_messages.get("annee") or f"Écrivez une année entre {ANNEES[0]} et {ANNEES[-1]}."
            )


class JourField(_Quand, forms.DateField):
    """A day, typed as people do: 31/12/2026, 31122026, 31/12/26, 31/12, 2026-12-31 (``siao.socle.jours``)."""

    CLAVIER = {"inputmode": "numeric"}
    """On a telephone, the digits: they are enough."""

    def to_python(self, value):
        if isinstance(value, datetime.date) or value in self.empty_values or not value.strip():
            return value if isinstance(value, datetime.date) else None
        return self.read(value)


class MomentField(_Quand, forms.DateTimeField):
    """A day, typed as in ``JourField``, then an hour: 08:00, 8h, 8 h 30."""

    FORMAT, EXEMPLE, NOM, CLAVIER = "%d/%m/%Y %H:%M", "31/12/2026 08:00", "un jour et une heure", {}

    def to_python(self, value):
        if isinstance(value, datetime.datetime) or value in self.empty_values:
            return value or None
        match = _MOMENT.fullmatch(value[:100].strip())
        try:
            hour = datetime.time(int(match["heure"]), int(match["minute"] or 0))
        except (TypeError, ValueError):
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid") from None
        return from_current_timezone(datetime.datetime.combine(self.read(match["jour"]), hour))


_MOMENT = re.compile(r"(?P<jour>.+?)(?: ?, ?| à |T| +)(?P<heure>\d{1,2}) ?[:hH] ?(?P<minute>\d{2})?(?::00)?", re.ASCII)


class FormulaireDeModele(Formulaire, forms.ModelForm):
    """The same for the fields of a model."""
