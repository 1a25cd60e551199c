"""What people type to log in, to manage accounts and to write to users."""

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.password_validation import validate_password
from django.utils import timezone

from comptes.droits import Niveau, Profil, profils_given_by, profils_managed_by
from comptes.models import (
    Departement,
    Habilitation,
    Message,
    NatureMessage,
    Region,
    Resultat,
    Siao,
    granted_models,
)
from comptes.preuves import proves
from siao.socle.forms import Formulaire, JourField, MomentField
from siao.socle.text import visible

ADRESSE_INCOMPLETE = {"invalid": "Écrivez une adresse complète, par exemple prenom.nom@structure.fr."}


class AdresseField(forms.EmailField):
    def __init__(self, **options):
        super().__init__(
            label="Adresse courriel",
            help_text="Exemple : prenom.nom@structure.fr",
            max_length=254,
            error_messages=ADRESSE_INCOMPLETE,
            **options,
        )

    def to_python(self, value):
        return super().to_python(value).lower()


class ConnexionForm(AuthenticationForm, Formulaire):
    username = AdresseField(widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True}))
    password = forms.CharField(
        label="Mot de passe",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    # The same words for an unknown address, a wrong password, a disabled or a locked account: nothing can be guessed.
    error_messages = {
        "invalid_login": "Adresse ou mot de passe inconnus. Vérifiez les deux, puis essayez de nouveau. "
        "Après cinq essais, la connexion s'arrête cinq minutes ; si vous avez oublié votre mot de passe, "
        "demandez-en un nouveau.",
    }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.is_bound:
            # After a mistake the focus goes to the summary of errors, not to the first field.
            del self.fields["username"].widget.attrs["autofocus"]


class CodeForm(Formulaire):
    code = forms.CharField(
        label="Code à usage unique",
        help_text="Les six chiffres de votre application, ou un code de secours.",
        max_length=16,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "autofocus": True}),
    )

    def clean_code(self):
        return self.cleaned_data["code"].replace(" ", "").lower()


class AdresseForm(Formulaire):
    courriel = AdresseField(widget=forms.EmailInput(attrs={"autocomplete": "username"}))


class NouveauMotDePasseForm(Formulaire):
    mot_de_passe = forms.CharField(
        label="Nouveau mot de passe",
        help_text="Au moins 16 caractères. Une phrase de quatre ou cinq mots se retient mieux que des signes.",
        strip=False,
        max_length=128,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    confirmation = forms.CharField(
        label="Le même, une seconde fois",
        strip=False,
        max_length=128,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args, utilisateur, **kwargs):
        self.utilisateur = utilisateur
        super().__init__(*args, **kwargs)

    def clean_mot_de_passe(self):
        validate_password(self.cleaned_data["mot_de_passe"], self.utilisateur)
        return self.cleaned_data["mot_de_passe"]

    def clean(self):
        if self.cleaned_data.get("mot_de_passe") and self.cleaned_data["mot_de_passe"] != self.cleaned_data.get(
            "confirmation"
        ):
            self.add_error("confirmation", "Les deux mots de passe diffèrent : écrivez deux fois le même.")
        return self.cleaned_data


class PreuveForm(Formulaire):
    """Asks again who is there, before a way in is changed."""

    preuve = forms.CharField(
        label="Votre mot de passe, ou un code à usage unique",
        help_text="Pour que personne ne change vos accès depuis un poste laissé ouvert.",
        strip=False,
        max_length=128,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, *args, request, **kwargs):
        self.request = request
        super().__init__(*args, **kwargs)

    def clean_preuve(self):
        if not proves(self.request, self.cleaned_data["preuve"]):
            raise forms.ValidationError(
                "Ce n'est ni votre mot de passe ni un code qui vaut encore. Vérifiez, ou attendez le code suivant. "
                "Après cinq essais, il faut attendre cinq minutes."
            )
        return self.cleaned_data["preuve"]


class ChangementDeMotDePasseForm(NouveauMotDePasseForm):
    mot_de_passe_actuel = forms.CharField(
        label="Mot de passe actuel",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    field_order = ["mot_de_passe_actuel", "mot_de_passe", "confirmation"]

    def __init__(self, *args, request, **kwargs):
        self.request = request
        super().__init__(*args, utilisateur=request.user, **kwargs)

    def clean_mot_de_passe_actuel(self):
        if not proves(self.request, self.cleaned_data["mot_de_passe_actuel"]):
            raise forms.ValidationError(
                "Ce n'est pas votre mot de passe actuel. Vérifiez les majuscules, puis réessayez. "
                "Après cinq essais, il faut attendre cinq minutes."
            )
        return self.cleaned_data["mot_de_passe_actuel"]


class RechercheComptesForm(Formulaire):
    q = forms.CharField(label="Nom, prénom ou adresse", required=False, max_length=100)
    profil = forms.ChoiceField(label="Profil", required=False)
    etat = forms.ChoiceField(
        label="État",
        required=False,
        choices=[
            ("", "Tous"),
            ("actifs", "Actifs"),
            ("invites", "Jamais connectés"),
            ("finissent", "Habilitation qui finit dans les trente jours"),
            ("desactives", "Désactivés"),
        ],
    )

    def __init__(self, *args, auteur: Habilitation, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["profil"].choices = [("", "Tous"), *_choices(profils_managed_by(auteur.profil))]


def _choices(profils: frozenset[str]) -> list[tuple[str, str]]:
    return [(profil.value, profil.label) for profil in Profil if profil in profils]


class ChoixDuDepartementForm(Formulaire):
    """Narrows a wide perimeter before its entités or dispositifs are listed; no field for a narrow one."""

    departement = forms.ModelChoiceField(
        Departement.objects.none(), label="Département", empty_label="Choisissez un département"
    )

    def __init__(self, *args, auteur: Habilitation, **kwargs):
        super().__init__(*args, **kwargs)
        if auteur.niveau in (Niveau.NATIONAL, Niveau.REGION):
            self.fields["departement"].queryset = departements_of(auteur)
        else:
            del self.fields["departement"]


class ChoixDuProfilForm(ChoixDuDepartementForm):
    """First step of an invitation: the profil decides what is asked next."""

    profil = forms.ChoiceField(
        label="Profil",
        widget=forms.RadioSelect,
        error_messages={"invalid_choice": "Vous ne donnez pas ce profil : choisissez-en un de cette liste."},
    )
    field_order = ["profil", "departement"]

    def __init__(self, *args, auteur: Habilitation, **kwargs):
        super().__init__(*args, auteur=auteur, **kwargs)
        given = profils_given_by(auteur.profil)
        self.fields["profil"].choices = _choices(given)
        if given != profils_managed_by(auteur.profil):
            self.fields[
                "profil"
            ].help_text = "Les autres profils qui lisent des dossiers sont donnés par l'administrateur du SIAO."
        if "departement" in self.fields:
            self.fields["departement"].required = False
            self.fields["departement"].help_text = "Nécessaire pour les profils d'une entité ou d'un dispositif."

    def clean(self):
        profil, departement = self.cleaned_data.get("profil"), self.cleaned_data.get("departement")
        if (
            "departement" in self.fields
            and profil
            and Profil(profil).niveaux[0] in granted_models()
            and not departement
        ):
            self.add_error("departement", "Choisissez le département où cette personne travaille.")
        return self.cleaned_data


def departements_of(auteur: Habilitation):
    """The départements that the perimeter of ``auteur`` touches."""
    if auteur.perimetre.national:
        return Departement.objects.all()
    return Departement.objects.filter(code__in=auteur.codes_departements)


def _held_by_profil(auteur: Habilitation, profil: Profil, departement: Departement | None) -> dict:
    """Rows and label of the field where the entités or dispositifs of ``profil`` are ticked."""
    objets = granted_models()[profil.niveaux[0]].objects.visible_to(auteur.perimetre)
    return {
        "queryset": objets.filter(departement=departement) if departement else objets,
        "label": "Entité gestionnaire" if profil.niveaux[0] == Niveau.ENTITE else "Dispositifs",
        "widget": forms.CheckboxSelectMultiple,
        "error_messages": {"required": "Cochez au moins une ligne."},
    }


class ObjetsField(forms.ModelMultipleChoiceField):
    def label_from_instance(self, objet):
        return f"{objet} ({objet.departement_id})"


class ExtensionForm(Formulaire):
    def __init__(self, *args, auteur: Habilitation, profil: Profil, departement: Departement | None, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["objets"] = ObjetsField(**_held_by_profil(auteur, profil, departement))


class HabilitationForm(Formulaire):
    """Where one profil will be exercised, and between which dates. Offers only what the author may give."""

    date_debut = JourField(label="À partir du", initial=timezone.localdate)
    date_fin = JourField(label="Jusqu'au (facultatif)", help_text="Dernier jour compris.", required=False)

    def __init__(self, *args, auteur: Habilitation, profil: Profil, departement: Departement | None, **kwargs):
        super().__init__(*args, **kwargs)
        self.profil = profil
        self.territoires = {}
        if profil.niveaux[0] in granted_models():
            self.fields["objets"] = ObjetsField(**_held_by_profil(auteur, profil, departement))
        else:
            self.territoires = dict(territoires_offered_to(auteur, profil))
            self.fields["territoire"] = _territoire_field(self.territoires)
        self.order_fields(["courriel", "prenom", "nom", "territoire", "objets", "date_debut", "date_fin"])

    def clean(self):
        debut, fin = self.cleaned_data.get("date_debut"), self.cleaned_data.get("date_fin")
        if debut and fin and fin < debut:
            self.add_error("date_fin", "La fin ne peut pas précéder le début : corrigez l'une des deux dates.")
        return self.cleaned_data

    @property
    def habilitation(self) -> dict:
        """Arguments of ``actions.grant``."""
        return {
            "profil": self.profil.value,
            "territoire": self.territoires.get(self.cleaned_data.get("territoire")),
            "objets": self.cleaned_data.get("objets", ()),
            "date_debut": self.cleaned_data["date_debut"],
            "date_fin": self.cleaned_data["date_fin"],
        }


class NomField(forms.CharField):
    """A name, without the invisible characters that would let it read as another one."""

    def __init__(self, **options):
        super().__init__(max_length=100, widget=forms.TextInput(attrs={"autocomplete": "off"}), **options)

    def to_python(self, value):
        return super().to_python(visible(value or ""))


class IdentiteForm(Formulaire):
    prenom = NomField(label="Prénom")
    nom = NomField(label="Nom")


class InvitationForm(HabilitationForm, IdentiteForm):
    courriel = AdresseField(widget=forms.EmailInput(attrs={"autocomplete": "off"}))


def _territoire_field(territoires: dict) -> forms.ChoiceField:
    choices = [
        (key, territoire.nom if territoire else Niveau.NATIONAL.label) for key, territoire in territoires.items()
    ]
    return forms.ChoiceField(label="Territoire", choices=choices, widget=forms.Select)


def territoires_offered_to(auteur: Habilitation, profil: Profil):
    """Keys and territories (None for the whole country) where ``auteur`` may give ``profil``, the widest first."""
    perimetre = auteur.perimetre
    for niveau in profil.niveaux:
        match niveau:
            case Niveau.NATIONAL if perimetre.national:
                yield "france", None
            case Niveau.REGION:
                partly_outside = Departement.objects.exclude(pk__in=departements_of(auteur)).values("region")
                for region in Region.objects.exclude(pk__in=partly_outside):
                    yield f"region-{region.pk}", region
            case Niveau.DEPARTEMENT:
                for departement in departements_of(auteur):
                    yield f"departement-{departement.pk}", departement
            case Niveau.SIAO:
                siaos = Siao.objects.filter(departement__in=departements_of(auteur))
                for siao in siaos.filter(pk__in=perimetre.siaos) if perimetre.siaos else siaos:
                    yield f"siao-{siao.pk}", siao


class MessageForm(Formulaire):
    nature = forms.ChoiceField(label="Nature", choices=NatureMessage.choices)
    titre = forms.CharField(label="Titre", max_length=120)
    texte = forms.CharField(label="Texte", max_length=1000, widget=forms.Textarea(attrs={"rows": 5}))
    debut = MomentField(label="Affiché à partir du", initial=timezone.now)
    fin = MomentField(label="Affiché jusqu'au")
    profils = forms.MultipleChoiceField(
        label="Profils destinataires",
        help_text="Aucune case cochée : tous les profils.",
        required=False,
        choices=Profil.choices,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args, auteur: Habilitation, **kwargs):
        super().__init__(*args, **kwargs)
        # A message is addressed where an analyst could look: France, a région, a département.
        self.territoires = dict(territoires_offered_to(auteur, Profil.ANALYSTE))
        self.fields["territoire"] = _territoire_field(self.territoires)

    def clean(self):
        debut, fin = self.cleaned_data.get("debut"), self.cleaned_data.get("fin")
        if debut and fin and fin <= debut:
            self.add_error("fin", "L'affichage doit finir après avoir commencé : corrigez l'une des deux dates.")
        return self.cleaned_data

    def fill(self, message: Message) -> Message:
        for field in ("nature", "titre", "texte", "debut", "fin", "profils"):
            setattr(message, field, self.cleaned_data[field])
        territoire = self.territoires[self.cleaned_data["territoire"]]
        message.departement = territoire if isinstance(territoire, Departement) else None
        message.region = territoire if isinstance(territoire, Region) else None
        return message

    @staticmethod
    def initial_of(message: Message) -> dict:
        if message.departement_id:
            territoire = f"departement-{message.departement_id}"
        elif message.region_id:
            territoire = f"region-{message.region_id}"
        else:
            territoire = "france"
        fields = ("nature", "titre", "texte", "debut", "fin", "profils")
        return {"territoire": territoire, **{field: getattr(message, field) for field in fields}}


class RechercheJournalForm(Formulaire):
    jour = JourField(label="Jour", required=False)
    compte = forms.CharField(label="Compte", help_text="Son adresse courriel entière.", required=False, max_length=254)
    resultat = forms.ChoiceField(label="Résultat", required=False, choices=[("", "Tous"), *Resultat.choices])
    avant = forms.IntegerField(required=False, widget=forms.HiddenInput)
    alerte = forms.IntegerField(required=False, widget=forms.HiddenInput)

    @property
    def names_somebody(self) -> bool:
        """Whether what is asked for is what one account did."""
        return self.is_valid() and bool(self.cleaned_data["compte"] or self.cleaned_data["alerte"])

    def filtered(self, entries, alertes):
        """``alertes``: those that the user may read. One of them stands for its user and its days."""
        if number := self.cleaned_data["alerte"]:
            alerte = alertes.filter(pk=number).first()
            entries = (
                entries.filter(utilisateur=alerte.utilisateur_id, quand__date__in=alerte.jours)
                if alerte
                else entries.none()
            )
        if jour := self.cleaned_data["jour"]:
            entries = entries.filter(quand__date=jour)
        if compte := self.cleaned_data["compte"]:
            entries = entries.filter(utilisateur__courriel=compte.strip().lower())
        if resultat := self.cleaned_data["resultat"]:
            entries = entries.filter(resultat=resultat)
        if avant := self.cleaned_data["avant"]:
            entries = entries.filter(pk__lt=avant)
        return entries
