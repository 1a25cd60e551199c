"""What people type about places: groups, places, works and disasters, and the search of a free place that fits."""

import datetime

from django import forms
from django.db.models import Q, QuerySet
from django.utils import timezone

from offre.actions.places import Accueil
from offre.models import CategoriePlace, Composition, GroupePlaces, Indisponibilite, Place, TypePlace
from offre.models.places import Motif
from siao.socle.forms import Formulaire, JourField
from siao.socle.text import counted, plain

PLACES_EN_UNE_FOIS = 200
ANNEES_FINANCEES = 5
"""How far ahead a funding is known: beyond, the year is a slip."""


class NombreField(forms.IntegerField):
    def __init__(self, *, maximum: int, minimum: int = 1, **options):
        super().__init__(
            min_value=minimum,
            max_value=maximum,
            error_messages={
                "required": "Donnez le nombre, en chiffres.",
                "invalid": "Écrivez un nombre entier, en chiffres.",
                "min_value": f"Au moins {minimum}.",
                "max_value": f"Au plus {maximum}.",
            },
            **options,
        )


class NouvellesPlaces(forms.Form):
    """Places numbered at once: « Chambre 01 » to « Chambre 12 »."""

    nombre = NombreField(label="Combien de places ou de logements", maximum=PLACES_EN_UNE_FOIS, initial=1)
    prefixe = forms.CharField(label="Nom commun", help_text="Chambre, Lit, Logement…", max_length=40, initial="Chambre")
    premier = NombreField(label="Premier numéro", minimum=0, maximum=9_999, initial=1)
    ouverte_le = JourField(label="Ouvertes le")

    @property
    def noms(self) -> list[str]:
        """The names, their numbers written with the same number of digits: they sort as they count."""
        first, count = self.cleaned_data["premier"], self.cleaned_data["nombre"]
        digits = max(2, len(str(first + count - 1)))
        return [f"{self.cleaned_data['prefixe']} {number:0{digits}}" for number in range(first, first + count)]


class AjoutPlacesForm(Formulaire, NouvellesPlaces):
    pass


class GroupeForm(Formulaire):
    """A group: its kind, and for each composition that its dispositif receives, the sizes that fit in one place."""

    version = forms.IntegerField(widget=forms.HiddenInput, required=False)
    libelle = forms.CharField(
        label="Nom du groupe",
        help_text="Exemple : Chambres familiales du 2e étage",
        max_length=100,
        error_messages={"required": "Donnez un nom au groupe."},
    )
    type = forms.ModelChoiceField(
        label="Type de place",
        queryset=TypePlace.objects.all(),
        empty_label="Choisir",
        error_messages={"required": "Choisissez un type de la liste."},
    )
    categorie = forms.ModelChoiceField(
        label="Catégorie",
        queryset=CategoriePlace.objects.all(),
        empty_label="Choisir",
        error_messages={"required": "Choisissez une catégorie de la liste."},
    )
    pmr = forms.BooleanField(label="Accessible aux personnes à mobilité réduite", required=False)
    couchages = NombreField(
        label="Couchages par place",
        help_text="Combien de personnes dorment dans une place. Une chambre pour une famille de 4 est une seule place "
        "de 4 couchages ; quatre lits loués séparément sont quatre places d'un couchage.",
        maximum=50,
    )
    financees = NombreField(label="Couchages financés, tout le groupe", minimum=0, maximum=100_000, required=False)
    financees_depuis = JourField(
        label="Financés depuis le",
        required=False,
        help_text="Une autre date ajoute une ligne, qui compte à partir de ce jour.",
    )

    def __init__(self, *args, dispositif, groupe=None, **kwargs):
        super().__init__(*args, **kwargs)
        # Those of the fiche, and those that the group already receives; all of them when the fiche says nothing.
        accepted = Composition.objects.filter(
            Q(pk__in=dispositif.publics.all()) | Q(pk__in=groupe.configurations.values("composition") if groupe else ())
        )
        self.compositions = list(accepted if dispositif.publics.exists() else Composition.objects.all())
        for composition in self.compositions:
            code, name = composition.code, composition.libelle
            self.fields[f"accepte_{code}"] = forms.BooleanField(label=name, required=False)
            for end, words in (("min", "de"), ("max", "à")):
                self.fields[f"{end}_{code}"] = NombreField(
                    label=f"{name} : {words}",
                    maximum=50,
                    required=False,
                    initial=self._size(composition, end),
                    widget=forms.NumberInput(attrs={"class": "fr-input"}),
                )

    @staticmethod
    def _size(composition: Composition, end: str) -> int | None:
        return composition.taille_min if end == "min" else composition.taille_max

    @property
    def lignes(self) -> list[dict]:
        """One line per composition: its checkbox, its two sizes."""
        return [
            {key: self[f"{key}_{composition.code}"] for key in ("accepte", "min", "max")}
            for composition in self.compositions
        ]

    @staticmethod
    def initial_of(groupe: GroupePlaces, financees: int | None) -> dict:
        initial = {
            field: getattr(groupe, field) for field in ("version", "libelle", "type", "categorie", "pmr", "couchages")
        }
        initial["financees"] = financees
        for configuration in groupe.configurations.all():
            code = configuration.composition_id
            initial |= {
                f"accepte_{code}": True,
                f"min_{code}": configuration.taille_min,
                f"max_{code}": configuration.taille_max,
            }
        return initial

    def clean_libelle(self):
        return plain(self.cleaned_data["libelle"])

    def clean_financees_depuis(self):
        since = self.cleaned_data["financees_depuis"]
        latest = datetime.date(timezone.localdate().year + ANNEES_FINANCEES, 12, 31)
        if since and since > latest:
            raise forms.ValidationError(f"Donnez une date au plus tard le {latest:%d/%m/%Y} : vérifiez l'année.")
        return since

    def clean(self):
        values = self.cleaned_data
        self.accueils = []
        couchages = values.get("couchages")
        for composition in self.compositions if couchages else ():
            if values.get(f"accepte_{composition.code}"):
                self._clean_line(composition, couchages)
        if couchages and not self.accueils and not self.errors:
            raise forms.ValidationError(
                "Cochez au moins une composition acceptée : sans elle, personne ne trouvera ces places."
            )
        if values.get("financees") is not None and not values.get("financees_depuis"):
            self.add_error("financees_depuis", "Donnez la date depuis laquelle ce nombre est financé.")
        return values

    def _clean_line(self, composition: Composition, couchages: int) -> None:
        code, values = composition.code, self.cleaned_data
        if f"min_{code}" in self.errors or f"max_{code}" in self.errors:
            return
        smallest = values.get(f"min_{code}") or composition.taille_min
        biggest = values.get(f"max_{code}") or min(couchages, composition.taille_max or couchages)
        if smallest < composition.taille_min or (composition.taille_max and biggest > composition.taille_max):
            least = "" if composition.taille_max == composition.taille_min else "au moins "
            sizes = least + counted(composition.taille_min, "personne")
            self.add_error(f"min_{code}", f"« {composition} » compte {sizes}.")
        elif biggest > couchages:
            self.add_error(f"max_{code}", f"Une place n'a que {counted(couchages, 'couchage')}.")
        elif smallest > biggest:
            self.add_error(f"min_{code}", "Le premier nombre ne peut pas dépasser le second.")
        else:
            self.accueils.append(Accueil(composition, smallest, biggest))

    @property
    def valeurs(self) -> dict:
        """The arguments of the actions."""
        fields = ("libelle", "type", "categorie", "pmr", "couchages", "financees", "financees_depuis")
        return {field: self.cleaned_data[field] for field in fields} | {"accueils": self.accueils}


class NouveauGroupeForm(GroupeForm, NouvellesPlaces):
    """A new group, with its first places."""


class PlaceForm(Formulaire):
    vu = forms.CharField(widget=forms.HiddenInput, required=False, strip=False)
    nom = forms.CharField(label="Nom ou numéro", max_length=60, error_messages={"required": "Donnez un nom."})
    ouverte_le = JourField(label="Ouverte le")
    fermee_le = JourField(
        label="Fermée le",
        required=False,
        help_text="Premier jour où elle n'existe plus. Vide tant qu'elle est ouverte.",
    )

    @staticmethod
    def initial_of(place: Place) -> dict:
        return {field: getattr(place, field) for field in ("vu", "nom", "ouverte_le", "fermee_le")}

    def clean_nom(self):
        return plain(self.cleaned_data["nom"])


class IndisponibiliteForm(Formulaire):
    vu = forms.CharField(widget=forms.HiddenInput, required=False, strip=False)
    motif = forms.ChoiceField(
        label="Motif", choices=Motif.choices, error_messages={"invalid_choice": "Choisissez un motif de la liste."}
    )
    precision = forms.CharField(
        label="Précision",
        help_text="Obligatoire pour « Autre ». N'y écrivez le nom d'aucune personne accueillie.",
        max_length=255,
        required=False,
    )
    date_debut = JourField(label="Du")
    date_fin = JourField(
        label="Au", required=False, help_text="Dernier jour compris. Vide si la date n'est pas connue."
    )

    @staticmethod
    def initial_of(indisponibilite: Indisponibilite) -> dict:
        fields = ("vu", "motif", "precision", "date_debut", "date_fin")
        return {field: getattr(indisponibilite, field) for field in fields}

    @property
    def valeurs(self) -> dict:
        return {key: value for key, value in self.cleaned_data.items() if key != "vu"}


# --- Searches ---------------------------------------------------------------------------------------------------


class RechercheGroupesForm(Formulaire):
    """The list of groups. Nothing is compulsory, nonsense is ignored."""

    q = forms.CharField(label="Nom du groupe ou du dispositif", required=False, max_length=100)
    type = forms.ModelChoiceField(
        label="Type de place", queryset=TypePlace.objects.all(), required=False, empty_label="Tous"
    )
    etat = forms.ChoiceField(
        label="Montrer",
        required=False,
        choices=[
            ("", "Tous les groupes"),
            ("libres", "Avec une place libre"),
            ("a_confirmer", "À confirmer"),
            ("indisponibles", "Avec une place indisponible"),
        ],
    )


class DisponibilitesForm(Formulaire):
    """Who looks for a place. The composition and the size are asked for before anything is shown."""

    composition = forms.ModelChoiceField(
        label="Composition du ménage",
        queryset=Composition.objects.all(),
        empty_label="Choisir",
        error_messages={
            "required": "Choisissez la composition du ménage : elle décide des places qui lui conviennent.",
            "invalid_choice": "Choisissez une composition de la liste.",
        },
    )
    taille = NombreField(label="Nombre de personnes", maximum=50)
    commune = forms.CharField(label="Commune", required=False, max_length=100)
    type = forms.ModelChoiceField(
        label="Type de place", queryset=TypePlace.objects.all(), required=False, empty_label="Tous"
    )
    pmr = forms.BooleanField(label="Accessible PMR", required=False)

    def clean(self):
        composition, taille = self.cleaned_data.get("composition"), self.cleaned_data.get("taille")
        if composition and taille:
            if taille < composition.taille_min:
                self.add_error(
                    "taille", f"« {composition} » compte au moins {counted(composition.taille_min, 'personne')}."
                )
            elif composition.taille_max and taille > composition.taille_max:
                self.add_error("taille", f"« {composition} » compte {counted(composition.taille_max, 'personne')}.")
        return self.cleaned_data

    def narrow(self, groupes: QuerySet[GroupePlaces], day: datetime.date) -> QuerySet[GroupePlaces]:
        """The groups of ``groupes`` with a free place for this ménage, and what else is asked for."""
        values = self.cleaned_data
        found = groupes.with_free_places(composition=values["composition"], taille=values["taille"], day=day)
        if values["commune"]:
            found = found.in_commune(values["commune"])
        if values["type"]:
            found = found.filter(type=values["type"])
        return found.filter(pmr=True) if values["pmr"] else found
