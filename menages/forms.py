"""What people type about persons and dossiers. No field of an identity is compulsory (CASF L. 345-2-2)."""

import datetime
import re

from django import forms
from django.utils import timezone

from comptes.models import Habilitation, Siao, Utilisateur, partages
from comptes.perimetres import Perimetre
from menages.doublons import Identite, without_civility
from menages.models import Menage, Precision, Recherche, Sexe
from menages.recherche import Criteres
from offre.models import Composition, Dispositif
from offre.models.nomenclature import Statut
from siao.socle.forms import Formulaire, JourField
from siao.socle.jours import Sens
from siao.socle.text import keyboard, plain


def _texte(label: str, **options) -> forms.CharField:
    options = {"required": False, "max_length": 100, **options}
    return forms.CharField(label=label, widget=forms.TextInput(attrs={"autocomplete": "off"}), **options)


AGE_MAXIMUM = 122
"""The longest life that is proved (Jeanne Calment): an older person was typed to fill the field."""

INCONNUE = "laissez vide si elle n'est pas connue"


_ANNEE = re.compile(
    r"(?:(?P<vers>vers|environ|env[.]?|autour de|présumée?|~) ?|(?:en|née? en|année) )?(?P<annee>[1-9][0-9]{3})",
    re.ASCII,
)


class Naissance(datetime.date):
    """A date of birth as it was typed: ``precision`` says how much of it is known."""

    precision = Precision.JOUR


class _NaissanceWidget(forms.DateInput):
    def format_value(self, value):
        return value if isinstance(value, str) else super().format_value(value)


class NaissanceField(JourField):
    """A day, or the year alone (« 1986 »), or a presumed one (« vers 1986 »): a day is never invented."""

    EXEMPLE = "31/12/1986"
    CLAVIER: dict = {}
    """Letters too: « vers 1986 »."""
    widget = _NaissanceWidget

    def __init__(self, **options):
        invalid = f"Écrivez une date qui existe, comme {self.EXEMPLE}, ou {INCONNUE}."
        super().__init__(
            label="Date de naissance",
            required=False,
            sens=Sens.NAISSANCE,
            error_messages={"invalid": invalid, "annee": invalid},
            **options,
        )
        self.help_text += ", ou l'année seule : 1986, vers 1986"

    def to_python(self, value):
        match = _ANNEE.fullmatch(keyboard(value).lower()[:20]) if isinstance(value, str) else None
        if match is None:
            return super().to_python(value)
        born = Naissance(int(match["annee"]), 1, 1)
        born.precision = Precision.ENVIRON if match["vers"] else Precision.ANNEE
        return born


# --- Searching --------------------------------------------------------------------------------------------------


def _birth(typed: datetime.date | None) -> dict:
    """The fields of an ``Identite`` that a date of birth gives."""
    precision = _precision(typed)
    return {
        "date_naissance": _day(typed),
        "annee_seule": precision != Precision.JOUR,
        "environ": precision == Precision.ENVIRON,
    }


def _day(typed: datetime.date | None) -> datetime.date | None:
    return typed and datetime.date(typed.year, typed.month, typed.day)


def _precision(typed: datetime.date | None) -> Precision:
    return getattr(typed, "precision", Precision.JOUR)


class RechercheForm(Formulaire):
    """Two criteria at least, out of four; a number alone opens the dossier when it is one of the user's."""

    nom = _texte("Nom")
    prenom = _texte("Prénom")
    date_naissance = NaissanceField()
    numero = _texte("N° de dossier ou de personne", max_length=20, help_text="Exemples : 44-000123, P-000123")

    def clean(self):
        for name in ("nom", "prenom", "numero"):
            self.cleaned_data[name] = keyboard(self.cleaned_data.get(name) or "")
        for name in ("nom", "prenom"):
            self.cleaned_data[name] = without_civility(self.cleaned_data[name])
        return self.cleaned_data

    @property
    def criteres(self) -> Criteres:
        data = self.cleaned_data
        identite = Identite(data["nom"], data["prenom"], **_birth(data.get("date_naissance")))
        return Criteres(identite, data["numero"])


_NUMERO = re.compile(r"(?:P-?[0-9]{1,12}|[0-9][0-9AB]?[0-9]?-[0-9]{1,12})", re.ASCII | re.IGNORECASE)
_DATE = re.compile(
    r"[0-9]{1,2}[/.-][0-9]{1,2}[/.-](?:[0-9]{4}|[0-9]{2})|[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{8}"
    r"|(?:vers_|~)?(?:19|20)[0-9]{2}",
    re.ASCII,
)


def split(typed: str) -> dict[str, str]:
    """The criteria typed in one go in the header: a number, a date, a name, a first name, in any order."""
    found = {"nom": "", "prenom": "", "date_naissance": "", "numero": ""}
    words = []
    text = re.sub(r"\b(?:vers|environ) (?=[0-9]{4}\b)", "vers_", keyboard(typed)[:200], flags=re.IGNORECASE)
    for word in without_civility(re.sub(r"\ben (?=[0-9]{4}\b)", "", text)).split():
        if _NUMERO.fullmatch(word) and not found["numero"]:
            found["numero"] = word
        elif _DATE.fullmatch(word) and not found["date_naissance"]:
            found["date_naissance"] = word.replace("_", " ")
        else:
            words.append(word)
    if words:
        found["nom"], found["prenom"] = words[0], " ".join(words[1:])
    return found


class DemandeDAccesForm(Formulaire):
    recherche = forms.IntegerField(widget=forms.HiddenInput)
    motif = forms.CharField(
        label="Pourquoi votre SIAO en a besoin",
        max_length=255,
        help_text="Sans détail sur la situation : l'autre SIAO lira ce motif.",
        error_messages={"required": "Donnez le motif de la demande."},
    )

    def __init__(self, *args, auteur: Habilitation, **kwargs):
        super().__init__(*args, **kwargs)
        self.auteur = auteur

    def clean_recherche(self):
        """The search of this user, an hour old at most: the page names none of the persons that it found."""
        recent = Recherche.objects.filter(quand__gt=timezone.now() - datetime.timedelta(hours=1))
        found = recent.filter(pk=self.cleaned_data["recherche"], habilitation=self.auteur).first()
        if found is None:
            raise forms.ValidationError("Cette recherche est trop ancienne : cherchez de nouveau.")
        return found


class ReponseForm(Formulaire):
    acceptee = forms.ChoiceField(
        label="Votre réponse",
        choices=[("oui", "Partager le dossier"), ("non", "Refuser")],
        widget=forms.RadioSelect,
        error_messages={"required": "Choisissez une réponse."},
    )
    jusqu_au = JourField(label="Partagé jusqu'au", required=False, sens=Sens.AVENIR, help_text="Un an au plus.")
    reponse = _texte("Message au SIAO qui demande", max_length=255)

    def __init__(self, *args, aujourdhui: datetime.date, **kwargs):
        super().__init__(*args, **kwargs)
        self.aujourdhui, self.dernier = aujourdhui, aujourdhui + partages.MAXIMUM
        self.on(aujourdhui)

    def clean(self):
        jour = self.cleaned_data.get("jusqu_au")
        if self.cleaned_data.get("acceptee") == "oui" and "jusqu_au" not in self.errors:
            if not jour:
                self.add_error("jusqu_au", "Écrivez jusqu'à quand le dossier est partagé, comme 31/12/2026.")
            elif jour < self.aujourdhui:
                self.add_error("jusqu_au", "Choisissez aujourd'hui au plus tôt.")
            elif jour > self.dernier:
                self.add_error(
                    "jusqu_au", f"Un partage dure un an au plus : choisissez le {self.dernier:%d/%m/%Y} ou avant."
                )
        return self.cleaned_data


# --- Identities -------------------------------------------------------------------------------------------------


class IdentiteForm(Formulaire):
    nom = _texte("Nom")
    nom_usage = _texte("Nom d'usage")
    prenom = _texte("Prénom")
    date_naissance = NaissanceField()
    sexe = forms.ChoiceField(label="Sexe", required=False, choices=[("", "Non renseigné"), *Sexe.choices])

    def __init__(self, *args, aujourdhui: datetime.date, **kwargs):
        super().__init__(*args, **kwargs)
        self.aujourdhui = aujourdhui
        self.on(aujourdhui)

    def clean_date_naissance(self):
        naissance = self.cleaned_data["date_naissance"]
        if naissance and naissance > self.aujourdhui:
            raise forms.ValidationError("Vérifiez cette date : une naissance est aujourd'hui au plus tard.")
        today = self.aujourdhui
        too_old = (today.year - AGE_MAXIMUM - 1, today.month, today.day)
        if naissance and (naissance.year, naissance.month, naissance.day) <= too_old:
            raise forms.ValidationError(
                f"Vérifiez cette date : cette personne aurait plus de {AGE_MAXIMUM} ans. Sinon, {INCONNUE}."
            )
        return naissance

    def clean(self):
        for name in ("nom", "nom_usage", "prenom"):
            self.cleaned_data[name] = " ".join(plain(self.cleaned_data.get(name) or "").split())
        return self.cleaned_data

    @property
    def identite(self) -> dict:
        born = self.cleaned_data["date_naissance"]
        typed = {name: self.cleaned_data[name] for name in IdentiteForm.base_fields}
        return {**typed, "date_naissance": _day(born), "naissance_precision": _precision(born)}


class PersonneForm(IdentiteForm):
    """One line of a ménage that is being composed."""

    inconnue = forms.BooleanField(label="Identité inconnue ou refusée", required=False)

    @property
    def comparable(self) -> Identite:
        data = self.cleaned_data
        return Identite(data["nom"], data["prenom"], data["nom_usage"], **_birth(data["date_naissance"]))

    @property
    def nomme(self) -> str:
        """The name typed, as people say it."""
        data = self.cleaned_data
        return f"{data['prenom']} {data['nom'] or data['nom_usage']}".strip()

    @property
    def rang(self) -> int:
        """The number of the line, as its page shows it."""
        return int(self.prefix.rpartition("-")[2]) + 1


class CompositionFormSet(forms.BaseFormSet):
    """The persons of a ménage: one line each; lines left empty are nobody."""

    default_error_messages = {
        **forms.BaseFormSet.default_error_messages,
        "too_many_forms": "Pas plus de %(num)d personnes à la fois : créez les premières, puis ajoutez les autres.",
    }

    @property
    def remplies(self) -> list[PersonneForm]:
        return [form for form in self.forms if form.has_changed()]

    def clean(self):
        if not self.remplies:
            raise forms.ValidationError(
                "Décrivez au moins une personne. Si son identité est inconnue, cochez la case de sa ligne."
            )


MAXIMUM = 20
PersonnesFormSet = forms.formset_factory(
    PersonneForm, formset=CompositionFormSet, extra=1, max_num=MAXIMUM, absolute_max=MAXIMUM
)


class RectificationForm(IdentiteForm):
    version = forms.IntegerField(widget=forms.HiddenInput)
    motif = _texte(
        "Motif de la correction",
        max_length=255,
        required=True,
        help_text="Gardé dans l'historique, avec votre nom. Exemples : pièce d'identité vue, faute de frappe.",
        error_messages={"required": "Donnez le motif de la correction."},
    )


# --- Dossiers ---------------------------------------------------------------------------------------------------


DEPUIS_SA_NAISSANCE = "Qui est né après y est depuis sa naissance."


class OuvertureForm(Formulaire):
    """The SIAO of a new dossier (no field when there is no choice), and since when its persons live together."""

    date_debut = JourField(
        label="Ensemble depuis le",
        sens=Sens.PASSE,
        help_text=DEPUIS_SA_NAISSANCE,
        error_messages={"required": "Écrivez le jour depuis lequel ces personnes sont ensemble, comme 31/12/2026."},
    )
    siao = forms.ModelChoiceField(Siao.objects.none(), label="SIAO de rattachement", empty_label=None)

    def __init__(self, *args, auteur: Habilitation, **kwargs):
        super().__init__(*args, **kwargs)
        perimetre = auteur.perimetre
        offered = (
            Siao.objects.filter(pk__in=perimetre.siaos)
            if perimetre.siaos
            else Siao.objects.filter(departement__in=auteur.codes_departements)
        )
        self.fields["siao"].queryset = offered.select_related("departement")
        self.offerts = list(self.fields["siao"].queryset)
        self.aujourdhui = self.fields["date_debut"].initial = self.offerts[0].departement.aujourdhui
        self.on(self.aujourdhui)
        if len(self.offerts) == 1:
            del self.fields["siao"]

    def clean(self):
        jour = self.cleaned_data.get("date_debut")
        if jour and not self.errors and jour > self.choisi.departement.aujourdhui:
            self.add_error("date_debut", "Choisissez aujourd'hui au plus tard.")
        return self.cleaned_data

    @property
    def choisi(self) -> Siao:
        return self.cleaned_data.get("siao") or self.offerts[0]


class MenageForm(Formulaire):
    version = forms.IntegerField(widget=forms.HiddenInput)
    composition = forms.ModelChoiceField(
        Composition.objects.all(), label="Composition du ménage", required=False, empty_label="Non renseignée"
    )


class AccompagnementForm(Formulaire):
    """One of the dispositifs of the département that the user sees."""

    dispositif = forms.ModelChoiceField(
        Dispositif.objects.none(), label="Dispositif", empty_label="Choisissez un dispositif"
    )

    def __init__(self, *args, menage: Menage, perimetre: Perimetre, **kwargs):
        super().__init__(*args, **kwargs)
        current = menage.accompagnements.current().order_by().values("dispositif")
        seen = Dispositif.objects.visible_to(perimetre).exclude(statut=Statut.FERME)
        here = seen.filter(departement=menage.siao.departement_id)
        self.fields["dispositif"].queryset = here.exclude(pk__in=current).order_by("nom_cle", "pk")


class ArriveeForm(Formulaire):
    date_debut = JourField(
        label="Dans ce ménage depuis le",
        sens=Sens.PASSE,
        help_text=DEPUIS_SA_NAISSANCE,
        error_messages={"required": "Écrivez le jour d'arrivée, comme 31/12/2026."},
    )

    def __init__(self, *args, aujourdhui: datetime.date, **kwargs):
        super().__init__(*args, **kwargs)
        self.aujourdhui = aujourdhui
        self.fields["date_debut"].initial = aujourdhui
        self.on(aujourdhui)

    def clean_date_debut(self):
        if self.cleaned_data["date_debut"] > self.aujourdhui:
            raise forms.ValidationError("Une arrivée ne s'enregistre pas d'avance : aujourd'hui au plus tard.")
        return self.cleaned_data["date_debut"]


class AgentForm(Formulaire):
    """A user who will see where a protected person is: of the same SIAO, or of a dispositif of its département."""

    utilisateur = forms.ModelChoiceField(Utilisateur.objects.none(), label="Agent", empty_label="Choisissez un agent")

    def __init__(self, *args, menage: Menage, personne, auteur: Habilitation, **kwargs):
        super().__init__(*args, **kwargs)
        colleagues = Habilitation.objects.current().filter(siao=menage.siao).order_by().values("utilisateur")
        named = personne.acces.order_by().values("utilisateur")
        self.fields["utilisateur"].queryset = (
            Utilisateur.objects.filter(pk__in=colleagues, is_active=True)
            .exclude(pk__in=named)
            .exclude(pk=auteur.utilisateur_id)
            .order_by("nom", "prenom", "pk")
        )


class ProtectionForm(Formulaire):
    """What stays open on the dossier of who is protected: nothing, but what is ticked."""

    garder = forms.MultipleChoiceField(
        label="Ce qui prend fin, sauf ce que vous cochez",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Ne gardez que ce que la personne accepte : votre nom et la date restent dans l'historique.",
        error_messages={"invalid_choice": "Une de ces ouvertures a déjà pris fin : relisez la liste."},
    )

    def __init__(self, *args, ouvertures, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["garder"].choices = [(each.cle, f"Garder : {each.libelle}") for each in ouvertures]


class NumeroForm(Formulaire):
    """The number of a person, as it is shown."""

    numero = _texte(
        "N° de la fiche en double",
        required=True,
        max_length=20,
        help_text="Exemple : P-000123",
        error_messages={"required": "Écrivez le numéro de la fiche, comme P-000123."},
    )

    def clean_numero(self):
        match = re.fullmatch(r"P?-?([0-9]{1,12})", keyboard(self.cleaned_data["numero"]).upper(), re.ASCII)
        if not match:
            raise forms.ValidationError("Un numéro de personne s'écrit comme P-000123.")
        return int(match[1])


class MotifForm(Formulaire):
    motif = _texte(
        "Motif",
        required=True,
        max_length=255,
        help_text="Gardé dans l'historique, avec votre nom.",
        error_messages={"required": "Donnez le motif."},
    )
