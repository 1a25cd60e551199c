"""The base of every form: the State's design, and errors that assistive tools read with the help of the field."""

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
