"""The base of every form: the State's design, and errors that assistive tools read with the help of the field."""

from django import forms
from dsfr.forms import DsfrBaseForm, DsfrBoundField
from dsfr.utils import dsfr_input_class_attr


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

    def style(self) -> None:
        """Give the State's classes to fields that were added after the form was made."""
        for field in self.visible_fields():
            dsfr_input_class_attr(field)


class FormulaireDeModele(Formulaire, forms.ModelForm):
    """The same for the fields of a model."""
