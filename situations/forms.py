"""What people type about situations."""

import datetime
import hashlib
from collections.abc import Sequence

from django import forms

from comptes.models import Region
from menages.actions.deplacement import check_entry, readers_of
from menages.actions.dossiers import IDENTITE
from menages.models import Menage, Personne
from offre.models import Dispositif
from siao.socle.forms import Formulaire, JourField
from siao.socle.jours import Sens
from siao.socle.refusal import Refusal
from siao.socle.text import enumerated, number_in
from situations.actions.saisie import MAXIMUM, TROP
from situations.correction import Correction, Ligne
from situations.errance import errance_of, is_to_confirm
from situations.grille import Grille
from situations.models import Ethos, EthosLight, Sr1, Sr2
from situations.models.referentiel import NON_RENSEIGNEE
from situations.parcours import Choix, Parcours
from situations.suroccupation import Occupants


class PersonnesField(forms.TypedMultipleChoiceField):
    """Persons of a ménage to tick, by primary key."""

    def __init__(self, *, label: str):
        super().__init__(
            label=label,
            coerce=int,
            widget=forms.CheckboxSelectMultiple,
            error_messages={
                "required": "Cochez au moins une personne.",
                "invalid_choice": "Une des personnes cochées n'est pas dans ce ménage : rien n'a été enregistré. "
                "Cette page ne propose plus que celles qui y sont : vérifiez, puis recommencez.",
            },
        )


class PersonnesForm(Formulaire):
    """Some persons of a dossier, each with what the page saw of her chain (``jeton``)."""

    personnes = PersonnesField(label="Personnes concernées")

    def __init__(self, *args, parcours: Sequence[Parcours], **kwargs):
        super().__init__(*args, **kwargs)
        self.parcours = {each.personne.pk: each for each in parcours}
        self.fields["personnes"].choices = [(pk, each.nom) for pk, each in self.parcours.items()]

    def clean_personnes(self):
        chosen = self.cleaned_data["personnes"]
        if len(chosen) > MAXIMUM:
            raise forms.ValidationError(TROP)
        return chosen

    @property
    def choisis(self) -> list[Parcours]:
        return [self.parcours[pk] for pk in sorted(set(self.cleaned_data["personnes"]))]

    @property
    def noms(self) -> str:
        """Whom it is about, in the words of a sentence; only persons whose situation the user sees can be ticked."""
        return enumerated([each.nom for each in self.choisis])

    @property
    def jetons(self) -> dict[int, str]:
        return {each.personne.pk: self.data.get(f"jeton-{each.personne.pk}", "") for each in self.choisis}

    @property
    def perimes(self) -> list[tuple[Parcours, str]]:
        """The chains that changed since the page was opened, with what it had seen."""
        return [(self.parcours[pk], jeton) for pk, jeton in self.jetons.items() if self.parcours[pk].jeton != jeton]


class SituationForm(PersonnesForm):
    """A situation, its day, and for whom. ``geste``: adding or modifying (``situations.views.saisie``)."""

    date_debut = JourField(
        label="Depuis le",
        sens=Sens.PASSE,
        error_messages={"required": "Écrivez le jour où la situation a commencé, comme 31/12/2026."},
    )
    sr1 = forms.ChoiceField(
        label="Type de situation",
        widget=forms.RadioSelect,
        error_messages={"required": "Choisissez un type de situation."},
    )
    sr2 = forms.CharField(label="Situation", error_messages={"required": "Choisissez une situation, sous son type."})
    region = forms.ModelChoiceField(
        Region.objects.order_by("nom"),
        label="Région d'orientation du SAS",
        required=False,
        empty_label="Choisissez une région",
    )
    meme = forms.ChoiceField(
        label="Cette situation est déjà la leur",
        required=False,
        choices=[
            ("exact", "Toujours exact : elle continue, sa date de début ne change pas"),
            ("nouvelle", "Une autre commence, du même type : la durée repart de ce jour-là"),
        ],
        widget=forms.RadioSelect,
    )
    errance = forms.BooleanField(label="C'est exact, les dates ont été vérifiées", required=False)
    field_order = ["personnes", "date_debut", "sr1", "sr2", "region"]

    def __init__(self, *args, grille: Grille, **kwargs):
        super().__init__(*args, **kwargs)
        self.grille = grille
        self.on(grille.jour)
        self.fields["sr1"].choices = [(sr1.pk, str(sr1)) for sr1 in grille.types]

    def clean_sr2(self):
        sr2 = self.grille.valeurs.get(self.cleaned_data["sr2"])
        if sr2 is None:
            raise forms.ValidationError("Choisissez une situation de la liste.")
        if (refused := sr2.refusal_on(self.grille.jour)) and sr2.pk != self.grille.gardee:
            raise forms.ValidationError(refused)
        if "sr1" in self.cleaned_data and sr2.sr1_id != self.cleaned_data["sr1"]:
            raise forms.ValidationError(
                f"« {sr2} » n'est pas du type choisi : choisissez une situation sous « {self._type()} »."
            )
        return sr2

    def _type(self) -> str:
        return next(str(sr1) for sr1 in self.grille.types if sr1.pk == self.cleaned_data["sr1"])

    def clean(self):
        sr2, region = self.cleaned_data.get("sr2"), self.cleaned_data.get("region")
        if sr2 and sr2.region_obligatoire and not region and "region" not in self.errors:
            self.add_error("region", "Précisez la région vers laquelle la personne a été orientée.")
        return self.cleaned_data

    @property
    def memes(self) -> list[Parcours]:
        """The persons ticked who are already in this situation."""
        choix = self.choix
        return [
            each
            for each in self.choisis
            if (each.courante.sr2_id, each.courante.region_id) == (choix.sr2.pk, choix.region_id)
        ]

    @property
    def choix(self) -> Choix:
        sr2, region = self.cleaned_data["sr2"], self.cleaned_data["region"]
        # A region typed for another situation than a SAS was hidden by the page: it is dropped.
        return Choix(sr2, self.cleaned_data["date_debut"], region.pk if region and sr2.region_obligatoire else None)


def errance_a_confirmer(correction: Correction, nom: str) -> str:
    """The question that a page asks before a very long errance is written; empty when there is none to ask."""
    avant, apres = (
        errance_of(path, correction.aujourdhui, naissance=correction.naissance)
        for path in (correction.avant, correction.etapes)
    )
    return f"{nom} : {apres.cumul} d'errance en tout." if is_to_confirm(avant, apres) else ""


def seal_of(sentences: Sequence[str]) -> str:
    """What the page says will happen, in short: posted back, it proves that it has been read."""
    return hashlib.sha256("\n".join(sentences).encode()).hexdigest()[:16]


# --- Corriger le parcours ---------------------------------------------------------------------------------------


class LigneForm(Formulaire):
    """One situation of the table: one of the chain (``rang``), or a new one."""

    rang = forms.IntegerField(required=False, min_value=0, widget=forms.HiddenInput)
    date_debut = JourField(label="Depuis le", sens=Sens.PASSE)
    sr2 = forms.ChoiceField(
        label="Situation",
        error_messages={
            "required": "Choisissez une situation.",
            "invalid_choice": "Choisissez une situation de la liste.",
        },
    )
    region = forms.ChoiceField(
        label="Région d'orientation du SAS",
        required=False,
        error_messages={"invalid_choice": "Choisissez une région de la liste."},
    )
    supprimer = forms.BooleanField(label="Supprimer cette ligne", required=False)

    def __init__(self, *args, grille: Grille, regions: Sequence[tuple[str, str]], chain, **kwargs):
        super().__init__(*args, **kwargs)
        self.on(grille.jour)
        self.grille = grille
        rang = number_in(str(self["rang"].value()))
        self.ancienne = chain[rang] if rang is not None and rang < len(chain) else None
        choices = [(str(sr1), [(sr2.pk, str(sr2)) for sr2 in offered]) for sr1, offered in grille.choix]
        kept = self.ancienne.sr2 if self.ancienne else None
        if kept and not kept.is_offered(grille.jour):
            choices.insert(0, (kept.pk, str(kept)))
        self.fields["sr2"].choices = [("", "Choisissez"), *choices]
        self.fields["region"].choices = [("", "Aucune"), *regions]

    def clean(self):
        sr2 = self.grille.valeurs.get(self.cleaned_data.get("sr2"))
        if sr2 and sr2.region_obligatoire and not self.cleaned_data.get("region") and "region" not in self.errors:
            self.add_error("region", "Précisez la région vers laquelle la personne a été orientée.")
        return self.cleaned_data

    @property
    def retiree(self) -> bool:
        return bool(self.data.get(self.add_prefix("supprimer")))

    @property
    def ligne(self) -> Ligne:
        data = self.cleaned_data
        sr2 = self.grille.valeurs[data["sr2"]]
        # A region left beside another situation than a SAS is dropped, as in the other form.
        choix = Choix(sr2, data["date_debut"], data["region"] or None if sr2.region_obligatoire else None)
        return Ligne(choix, data["rang"])


class TableauForm(forms.BaseFormSet):
    """The end of a chain. What is ticked « Supprimer » is not read any further, nor a new line left empty."""

    @property
    def gardees(self) -> list[LigneForm]:
        return [form for form in self.forms if not form.retiree and form.has_changed()]

    def is_valid(self):
        read = [form.is_valid() for form in self.gardees]  # all of them: mistakes are told at once
        return self.management_form.is_valid() and all(read)


LIGNES = 200
"""Lines of a table at most: a forged form has more."""
LignesFormSet = forms.formset_factory(LigneForm, formset=TableauForm, extra=0, max_num=LIGNES, absolute_max=LIGNES)


class CorrectionForm(Formulaire):
    """Why a parcours is corrected, and for whom else of the ménage who has the same."""

    motif = forms.CharField(
        label="Motif de la correction",
        max_length=255,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text="Gardé dans l'historique avec chaque ligne changée et votre nom. Exemples : séjour appris "
        "aujourd'hui, faute de frappe.",
        error_messages={"required": "Donnez le motif de la correction."},
    )
    personnes = PersonnesField(label="Appliquer aussi à")
    errance = forms.BooleanField(label="C'est exact, les dates ont été vérifiées", required=False)

    def __init__(self, *args, memes, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["personnes"].required = False
        self.fields["personnes"].choices = [(membre.personne.pk, membre.nom) for membre in memes]
        if not memes:
            del self.fields["personnes"]


# --- Déplacer ---------------------------------------------------------------------------------------------------


class DeplacementForm(Formulaire):
    personnes = PersonnesField(label="Qui part")
    date_debut = JourField(
        label="Dans l'autre ménage depuis le",
        sens=Sens.PASSE,
        error_messages={"required": "Écrivez le jour du déplacement, comme 31/12/2026."},
    )
    vers = forms.ChoiceField(
        label="Vers",
        choices=[("nouveau", "Un nouveau dossier"), ("existant", "Un dossier existant")],
        widget=forms.RadioSelect,
        error_messages={"required": "Choisissez où vont ces personnes."},
    )
    numero = forms.CharField(
        label="N° du dossier existant",
        required=False,
        max_length=20,
        help_text="Exemple : 44-000123",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    suivent = forms.TypedMultipleChoiceField(
        label="Qui accompagne aussi le nouveau dossier",
        required=False,
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
        help_text="L'équipe d'un dispositif coché lit tout le nouveau dossier.",
        error_messages={"invalid_choice": "Un de ces accompagnements a pris fin : rechargez la page."},
    )

    def __init__(self, *args, membres, menage: Menage, accompagnements, auteur, jour: datetime.date, **kwargs):
        super().__init__(*args, **kwargs)
        self.accompagnements = {each.pk: str(each.dispositif) for each in accompagnements}
        if self.accompagnements:
            self.fields["suivent"].choices = list(self.accompagnements.items())
            if any(membre.personne.protegee for membre in membres):
                self.fields["suivent"].help_text += " Une personne est protégée : ne cochez que ceux qu'elle accepte."
            else:
                self.fields["suivent"].initial = list(self.accompagnements)
        else:
            del self.fields["suivent"]
        self.membres = {membre.personne.pk: membre for membre in membres}
        self.menage, self.auteur, self.jour = menage, auteur, jour
        self.destination = None
        self.fields["personnes"].choices = [(pk, membre.nom) for pk, membre in self.membres.items()]
        self.fields["date_debut"].initial = jour
        self.on(jour)

    def clean(self):
        if self.cleaned_data.get("vers") == "existant" and "numero" not in self.errors:
            found = Menage.objects.suivis_par(self.auteur.perimetre).select_related("siao__departement")
            self.destination = found.filter(numero=self.cleaned_data["numero"].strip().upper()).first()
            if self.destination is None:
                self.add_error("numero", "Aucun dossier de votre périmètre n'a ce numéro : vérifiez-le.")
            elif self.destination.pk == self.menage.pk:
                self.add_error("numero", "C'est le dossier où ces personnes se trouvent déjà.")
            else:
                try:
                    check_entry(self.auteur, self._chosen, self.destination)
                except Refusal as refusal:
                    self.add_error("numero", str(refusal))
        jour = self.cleaned_data.get("date_debut")
        if jour and jour > self.jour:
            self.add_error("date_debut", "Un déplacement ne s'enregistre pas d'avance : aujourd'hui au plus tard.")
        for pk in self.cleaned_data.get("personnes", ()) if jour else ():
            arrived = self.membres[pk].appartenances[-1].date_debut
            if jour < arrived:
                self.add_error(
                    "date_debut",
                    f"{self.membres[pk].nom} est dans ce ménage depuis le {arrived:%d/%m/%Y} : choisissez ce jour-là "
                    "au plus tôt.",
                )
        return self.cleaned_data

    @property
    def _chosen(self):
        return [self.membres[pk].personne for pk in self.cleaned_data.get("personnes", ())]

    @property
    def suite(self) -> list[str]:
        """What will happen, in words."""
        jour = self.cleaned_data["date_debut"]
        where = f"le dossier {self.destination.numero}" if self.destination else "un nouveau dossier"
        sentences = [
            f"{self.membres[pk].nom} quitte le dossier {self.menage.numero} et entre dans {where} le {jour:%d/%m/%Y} ; "
            "ses situations la suivent."
            for pk in sorted(self.cleaned_data["personnes"])
        ]
        if self.destination is None and self.accompagnements:
            kept = [self.accompagnements[pk] for pk in self.cleaned_data["suivent"]]
            sentences.append(f"Le nouveau dossier est accompagné par : {', '.join(kept) or 'aucun dispositif'}.")
        if self.destination and any(personne.protegee for personne in self._chosen):
            readers = ", ".join(readers_of(self.destination)) or "aucune équipe, aucun autre SIAO"
            sentences.append(
                f"Une personne protégée entre dans {where}. Qui le lit aussi, et saura où elle est : {readers}."
            )
        if set(self.cleaned_data["personnes"]) == set(self.membres):
            sentences.append(f"S'il n'y reste personne, le dossier {self.menage.numero} est archivé.")
        return sentences


# --- Calculators ------------------------------------------------------------------------------------------------


def _nombre(label: str, *, help_text: str = "", minimum: int = 0, initial: int | None = 0) -> forms.IntegerField:
    return forms.IntegerField(
        label=label,
        help_text=help_text,
        min_value=minimum,
        max_value=999,
        initial=initial,
        error_messages={
            "invalid": "Écrivez un nombre entier.",
            "required": "Écrivez un nombre, 0 s'il n'y en a pas.",
            "min_value": f"{minimum} au moins.",
            "max_value": "999 au plus.",
        },
        widget=forms.NumberInput(attrs={"autocomplete": "off"}),
    )


class PiecesForm(Formulaire):
    pieces = _nombre(
        "Pièces du logement", help_text="Sans la cuisine, la salle d'eau ni les couloirs.", minimum=1, initial=None
    )
    couples = _nombre("Couples")
    adultes = _nombre("Autres personnes de 19 ans ou plus")
    garcons = _nombre("Garçons de 7 à 18 ans")
    filles = _nombre("Filles de 7 à 18 ans")
    petits_garcons = _nombre("Garçons de moins de 7 ans")
    petites_filles = _nombre("Filles de moins de 7 ans")

    @property
    def occupants(self) -> Occupants:
        return Occupants(**{name: value for name, value in self.cleaned_data.items() if name != "pieces"})


class SurfaceForm(Formulaire):
    personnes = _nombre("Personnes dans le logement", minimum=1, initial=None)
    surface = forms.DecimalField(
        label="Surface habitable, en m²",
        help_text="Exemple : 24,5",
        min_value=1,
        max_value=999,
        localize=True,
        error_messages={
            "invalid": "Écrivez un nombre, comme 24,5.",
            "required": "Écrivez la surface, comme 24,5.",
            "min_value": "1 m² au moins.",
            "max_value": "999 m² au plus.",
        },
        widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "decimal"}),
    )


# --- Référentiel ------------------------------------------------------------------------------------------------


class Sr2Form(Formulaire):
    libelle = forms.CharField(label="Libellé", max_length=150, error_messages={"required": "Donnez un libellé."})
    definition = forms.CharField(
        label="Définition", required=False, max_length=2_000, widget=forms.Textarea(attrs={"rows": 5})
    )
    lien = forms.URLField(
        label="Plus d'informations",
        required=False,
        assume_scheme="https",
        help_text="Adresse d'une page publique qui l'explique, par exemple sur service-public.fr.",
        error_messages={"invalid": "Écrivez une adresse complète, qui commence par https://."},
    )
    ethos = forms.ModelChoiceField(
        Ethos.objects.order_by("code"), label="Correspondance ETHOS", required=False, empty_label="Aucune"
    )
    ethos_light = forms.ModelChoiceField(
        EthosLight.objects.order_by("code"), label="Correspondance ETHOS Light", required=False, empty_label="Aucune"
    )
    condition_ethos = forms.CharField(label="Condition de la correspondance", required=False, max_length=255)
    a_venir = forms.CharField(label="Changement annoncé", required=False, max_length=255)
    remplacee_par = forms.ModelChoiceField(
        Sr2.objects.none(),
        label="Remplacée par",
        required=False,
        empty_label="Aucune",
        help_text="Proposée à la place, dans les formulaires et les dossiers.",
    )
    retiree_le = JourField(
        label="Retirée le",
        required=False,
        help_text="Premier jour où elle ne peut plus être choisie ; elle reste sur les situations passées.",
    )
    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args, sr2: Sr2 | None = None, **kwargs):
        super().__init__(*args, **kwargs)
        offered = Sr2.objects.exclude(code=NON_RENSEIGNEE).select_related("sr1")
        self.fields["remplacee_par"].queryset = offered.exclude(pk=sr2.pk) if sr2 else offered
        if sr2 and sr2.code == NON_RENSEIGNEE:
            for name in ("remplacee_par", "retiree_le", "ethos", "ethos_light"):
                del self.fields[name]


class NouvelleSr2Form(Sr2Form):
    sr1 = forms.ModelChoiceField(Sr1.objects.order_by("ordre"), label="Type de situation", empty_label=None)
    field_order = ["sr1", "libelle"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        del self.fields["version"]


# --- Worklists --------------------------------------------------------------------------------------------------


class AConfirmerForm(Formulaire):
    liste = forms.ChoiceField(
        label="Liste", required=False, choices=[("", "Non confirmées depuis longtemps"), ("nr", "Non renseignées")]
    )
    mois = forms.ChoiceField(
        label="Sans confirmation depuis",
        required=False,
        choices=[("", "3 mois"), ("1", "1 mois"), ("6", "6 mois"), ("12", "1 an")],
    )
    dispositif = forms.ModelChoiceField(
        Dispositif.objects.none(), label="Dispositif", required=False, empty_label="Tous les dossiers"
    )

    def __init__(self, *args, dispositifs, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["dispositif"].queryset = dispositifs


# --- Fusion -----------------------------------------------------------------------------------------------------


class FusionForm(Formulaire):
    """For each field of the identity where two fiches differ, which of the two values is kept."""

    def __init__(self, *args, maitre: Personne, absorbee: Personne, **kwargs):
        super().__init__(*args, **kwargs)
        self.maitre, self.absorbee = maitre, absorbee
        for name in IDENTITE:
            ours, theirs = (read_field(personne, name) for personne in (maitre, absorbee))
            if ours == theirs:
                continue
            self.fields[name] = forms.ChoiceField(
                label=Personne._meta.get_field(name).verbose_name.capitalize(),
                choices=[
                    ("maitre", f"{ours or '—'} ({maitre.numero})"),
                    ("absorbee", f"{theirs or '—'} ({absorbee.numero})"),
                ],
                # What only one fiche knows is worth keeping.
                initial="maitre" if ours else "absorbee",
                widget=forms.RadioSelect,
                error_messages={"required": "Choisissez une des deux valeurs."},
            )

    @property
    def lignes(self) -> list[dict]:
        """Each field of the identity as both fiches have it, with the radio of each when they differ."""
        lines = []
        for name in IDENTITE:
            values = [read_field(personne, name) or "—" for personne in (self.maitre, self.absorbee)]
            radios = list(self[name]) if name in self.fields else [None, None]
            label = str(Personne._meta.get_field(name).verbose_name).capitalize()
            field = self[name] if name in self.fields else None
            lines.append({"libelle": label, "champ": field, "cases": list(zip(values, radios, strict=True))})
        return lines

    @property
    def identite(self) -> dict:
        chosen = {name: getattr(self._kept(name), name) for name in self.fields}
        if "date_naissance" in chosen:
            chosen["naissance_precision"] = self._kept("date_naissance").naissance_precision
        return chosen

    @property
    def lus(self) -> list[str]:
        """The identity that is kept, in words."""
        values = ((name, read_field(self._kept(name), name)) for name in IDENTITE)
        return [f"{Personne._meta.get_field(name).verbose_name} « {value or '—'} »" for name, value in values]

    def _kept(self, name: str) -> Personne:
        return self.absorbee if self.cleaned_data.get(name) == "absorbee" else self.maitre


def read_field(personne: Personne, name: str) -> str:
    """A field of an identity as people read it."""
    if name == "date_naissance":
        return personne.naissance
    value = getattr(personne, name)
    return str(dict(Personne._meta.get_field(name).flatchoices).get(value, value) or "")
