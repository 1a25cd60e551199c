"""The search of each list of the offre: its form, and the rows it finds. The page and its extraction share it."""

import datetime

from django import forms
from django.utils import timezone

from comptes.models import Departement
from comptes.perimetres import Perimetre
from offre.models import Composition, Dispositif, Financement, LigneFinancement, Rattachement, TypeDispositif
from offre.models.nomenclature import Categorie, Statut
from offre.sommes import AU_DELA, NIVEAUX, sommes
from siao.socle.forms import Formulaire, JourField

_OUI_NON = [("", "Indifférent"), ("oui", "Oui"), ("non", "Non")]


class Choix(forms.ChoiceField):
    """A filter: empty for everything. What is not in the list filters nothing out of the ordinary: it is no filter."""

    def __init__(self, label: str, choices, tout: str = "Tout"):
        super().__init__(label=label, required=False, choices=[("", tout), *choices])

    def clean(self, value):
        value = self.to_python(value)
        return value if self.valid_value(value) else ""


class Texte(forms.Field):
    """Words to look for: anything may be typed, it is looked for literally."""

    widget = forms.TextInput(attrs={"autocomplete": "off", "maxlength": 100})


class Recherche(Formulaire):
    q = Texte(label="Nom", required=False)

    def __init__(self, data, perimetre: Perimetre):
        super().__init__(data)
        self.perimetre = perimetre
        departements = Departement.objects.all()
        if not perimetre.national:
            departements = departements.filter(code__in=perimetre.departements)
        if perimetre.national or len(perimetre.departements) > 1:
            self.fields["departement"] = Choix("Département", [(d.code, str(d)) for d in departements])
        self.style()

    def rows(self):
        """What the filters find, with what a line shows."""
        raise NotImplementedError

    def found(self):
        return self.rows() if self.is_valid() else self.Meta.model.objects.none()

    def typed(self, name: str):
        return self.cleaned_data.get(name) or ""

    @property
    def active(self) -> bool:
        """Whether something was asked."""
        return any(self.data.get(name) for name in self.fields)


class RechercheEntites(Recherche):
    statut = Choix("Statut", Statut.choices)

    class Meta:
        model = Rattachement

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.fields["q"].label = "Nom ou SIREN"

    def rows(self):
        rows = Rattachement.objects.visible_to(self.perimetre).search(self.typed("q"))
        if departement := self.typed("departement"):
            rows = rows.filter(departement=departement)
        if statut := self.typed("statut"):
            rows = rows.filter(statut=statut)
        return rows.for_list()


class RechercheDispositifs(Recherche):
    commune = Texte(label="Commune", required=False)
    categorie = Choix("Catégorie", Categorie.choices)
    type = Choix("Type", [])
    public = Choix("Public accueilli", [])
    statut = Choix("Statut", Statut.choices)
    programme_177 = Choix("Programme 177", _OUI_NON[1:], "Indifférent")
    contingent = Choix("Contingent préfectoral", _OUI_NON[1:], "Indifférent")

    class Meta:
        model = Dispositif

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.fields["q"].label = "Dispositif ou entité"
        for name, model in (("type", TypeDispositif), ("public", Composition)):
            self.fields[name].choices = [("", "Tout"), *model.objects.values_list("code", "libelle")]

    def rows(self):
        rows = Dispositif.objects.visible_to(self.perimetre).search(self.typed("q"))
        rows = rows.in_commune(self.typed("commune"))
        for name in ("departement", "categorie", "type", "statut"):
            if value := self.typed(name):
                rows = rows.filter(**{name: value})
        if public := self.typed("public"):
            rows = rows.welcoming(public)
        today = timezone.localdate()
        if answer := self.typed("programme_177"):
            paid = rows.paid_by_programme_177(today)
            rows = paid if answer == "oui" else rows.exclude(pk__in=paid.values("pk"))
        if answer := self.typed("contingent"):
            rows = (
                rows.filter(contingent_prefectoral=True)
                if answer == "oui"
                else rows.exclude(contingent_prefectoral=True)
            )
        return rows.for_list()


class RechercheFinancements(Recherche):
    ligne = Choix("Ligne", [])
    programme_177 = Choix("Programme 177", _OUI_NON[1:], "Indifférent")
    periode = Choix("Période", [("cours", "En cours"), ("venir", "À venir"), ("finie", "Finie")], "Toutes")

    class Meta:
        model = Financement

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.fields["q"].label = "Dispositif"
        self.fields["ligne"].choices = [("", "Tout"), *LigneFinancement.objects.values_list("code", "libelle")]

    def rows(self):
        rows = Financement.objects.visible_to(self.perimetre).search(self.typed("q"))
        if departement := self.typed("departement"):
            rows = rows.filter(dispositif__departement=departement)
        if ligne := self.typed("ligne"):
            rows = rows.filter(ligne=ligne)
        if answer := self.typed("programme_177"):
            rows = rows.filter(ligne__programme_177=answer == "oui")
        today = timezone.localdate()
        match self.typed("periode"):
            case "cours":
                rows = rows.at(today)
            case "venir":
                rows = rows.filter(date_debut__gt=today)
            case "finie":
                rows = rows.filter(date_fin__lt=today)
        return rows.for_list()


class RechercheSommes(Formulaire):
    """Which level, on which day, and only what is financed beyond its capacity."""

    niveau = Choix("Par", [], "")
    jour = JourField(label="Au", required=False)
    alerte = Choix("Financement", [("oui", "Supérieur à la capacité")])

    def __init__(self, data, perimetre: Perimetre):
        super().__init__(data)
        self.perimetre = perimetre
        self.fields["niveau"].choices = list(NIVEAUX.items())
        self.style()

    @property
    def niveau_choisi(self) -> str:
        return (self.is_valid() and self.cleaned_data["niveau"]) or "dispositif"

    @property
    def jour_choisi(self) -> datetime.date:
        return (self.is_valid() and self.cleaned_data["jour"]) or timezone.localdate()

    def found(self):
        rows = sommes(self.niveau_choisi, self.perimetre, self.jour_choisi)
        return rows.filter(AU_DELA) if self.is_valid() and self.cleaned_data["alerte"] else rows
