"""What people type about mesures and prestations."""

import datetime
import re

from django import forms

from offre.actions.mesures import Span
from offre.forms_places import JourField, NombreField
from offre.models import GroupeMesures, PrestationProposee
from offre.models.mesures import Jour
from siao.socle.forms import Formulaire
from siao.socle.text import plain

_SPAN = re.compile(r"(\d{1,2})(?:[:hH](\d{2})?)?-(\d{1,2})(?:[:hH](\d{2})?)?")
_CRENEAUX_PAR_JOUR = 6


class MesuresForm(Formulaire):
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)
    libelle = forms.CharField(
        label="Nom du groupe",
        help_text="Exemple : AVDL, ménages reconnus au titre du DALO",
        max_length=100,
        error_messages={"required": "Donnez un nom au groupe."},
    )
    nombre = NombreField(label="Nombre de mesures", minimum=0, maximum=100_000)
    financees = NombreField(label="Dont financées", minimum=0, maximum=100_000, required=False)
    ouvert_le = JourField(label="Ouvert le")
    ferme_le = JourField(label="Fermé le", required=False)

    @staticmethod
    def initial_of(groupe: GroupeMesures) -> dict:
        fields = ("version", "libelle", "nombre", "financees", "ouvert_le", "ferme_le")
        return {field: getattr(groupe, field) for field in fields}

    def clean_libelle(self):
        return plain(self.cleaned_data["libelle"])

    @property
    def valeurs(self) -> dict:
        return {key: value for key, value in self.cleaned_data.items() if key != "version"}


class UtiliseesForm(Formulaire):
    utilisees = NombreField(label="Mesures en cours", minimum=0, maximum=100_000)


class HeuresField(forms.CharField):
    """Hours of one day, as people write them: « 9h-12h, 14h-17h30 »; empty on a closed day."""

    def __init__(self, **options):
        widget = forms.TextInput(attrs={"class": "fr-input", "autocomplete": "off"})
        super().__init__(required=False, max_length=100, widget=widget, **options)

    def to_python(self, value) -> list[tuple[datetime.time, datetime.time]]:
        text = re.sub(r"\s|[\u2013\u2014]", lambda found: "-" if found[0].strip() else "", super().to_python(value))
        parts = [part for part in re.split(r"[,;]|et", text) if part]
        if len(parts) > _CRENEAUX_PAR_JOUR:
            raise forms.ValidationError(f"{_CRENEAUX_PAR_JOUR} créneaux par jour au plus.")
        return [self._span(part) for part in parts]

    def _span(self, part: str) -> tuple[datetime.time, datetime.time]:
        found = _SPAN.fullmatch(part)
        try:
            hour, minute, to_hour, to_minute = (int(number or 0) for number in found.groups())
            # Midnight at the end of the day is 24 h for people and 0 h for clocks.
            return datetime.time(hour, minute), datetime.time(to_hour % 24 if to_hour <= 24 else to_hour, to_minute)
        except (AttributeError, ValueError) as error:
            raise forms.ValidationError("Écrivez les heures ainsi : 9h-12h, 14h-17h30.") from error


class HorairesForm(Formulaire):
    """The week of one prestation."""

    vus = forms.CharField(widget=forms.HiddenInput, required=False, strip=False)
    precision = forms.CharField(
        label="Précision", help_text="Exemple : sur inscription la veille", max_length=255, required=False
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for jour in Jour:
            self.fields[f"jour_{jour.value}"] = HeuresField(label=jour.label)

    @staticmethod
    def initial_of(prestation: PrestationProposee | None) -> dict:
        if prestation is None:
            return {}
        initial = {"precision": prestation.precision, "vus": prestation.horaires}
        for creneau in prestation.creneaux.all():
            key = f"jour_{creneau.jour}"
            initial[key] = ", ".join(filter(None, (initial.get(key), str(creneau))))
        return initial

    @property
    def creneaux(self) -> list[Span]:
        return [(jour.value, *span) for jour in Jour for span in self.cleaned_data[f"jour_{jour.value}"]]
