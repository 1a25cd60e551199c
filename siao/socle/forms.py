"""The base of every form: the State's design, and errors that assistive tools read with the help of the field."""

import datetime
import re

from django import forms
from dsfr.forms import DsfrBaseForm, DsfrBoundField


class Champ(DsfrBoundField):
    def build_widget_attrs(self, attrs, widget=None):
        """Tie the field to its help and to its errors, both (RGAA 11.10); django-dsfr forgets the help."""
        attrs = super().build_widget_attrs(attrs, widget)
        described = [f"{self.auto_id}_helptext"] if self.help_text else []
        described += [f"{self.auto_id}_error"] if self.errors else []
        if described and not self.use_fieldset:
            attrs["aria-describedby"] = " ".join(described)
        return attrs


class Formulaire(DsfrBaseForm):
    """A form in the State's design. Declares its texts in French; says what is compulsory in words, in its page."""

    bound_field_class = Champ


class FormulaireDeModele(Formulaire, forms.ModelForm):
    """The same for the fields of a model."""


_JOUR = re.compile(r"\s*([0-9]{1,2})[/. -]([0-9]{1,2})[/. -]([0-9]{4})\s*", re.ASCII)


class JourField(forms.DateField):
    """A day, typed as 31/12/2026. Nothing else is guessed: not two digits for a year, not another alphabet."""

    def __init__(self, **options):
        options.setdefault("help_text", "Exemple : 31/12/2026")
        super().__init__(
            widget=forms.DateInput(format="%d/%m/%Y", attrs={"autocomplete": "off", "maxlength": 20}),
            **options,
        )
        self.error_messages["invalid"] = "Écrivez une date qui existe, comme 31/12/2026."

    def to_python(self, value):
        if isinstance(value, datetime.date) or value in self.empty_values:
            return value or None
        match = _JOUR.fullmatch(value[:20])
        try:
            return datetime.date(int(match[3]), int(match[2]), int(match[1]))
        except (TypeError, ValueError):
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid") from None
