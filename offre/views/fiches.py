"""The fiches of entités, dispositifs and financements: read, create, change."""

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from comptes.droits import Droit, Niveau
from comptes.models import Departement
from offre import sirene
from offre.actions.fiches import (
    Conflit,
    change_fiche,
    create_dispositif,
    create_entite,
    create_financement,
    propose,
    proposition_en_attente,
    remarques_of,
)
from offre.circuit import ENSUITE, passages, peut_modifier, peut_proposer
from offre.colonnes.affichage import Affichage
from offre.colonnes.fiches import BY_NOM, fiches_by_id
from offre.colonnes.listes import Listes
from offre.confidentialite import voit_adresse
from offre.forms import DispositifForm, EntiteForm, FicheForm, FinancementForm
from offre.models import Dispositif, FicheSirene, Rattachement, Transition
from offre.models.nomenclature import Categorie, Statut
from offre.saisie import Objet, form_for, rattachement_of
from offre.sommes import alertes_of
from offre.views.financements import somme_of
from offre.views.places import CAPACITE
from siao.socle.forms import Formulaire
from siao.socle.http import reads, writes
from siao.socle.refusal import Refusal
from siao.socle.text import number_in

HISTORIQUE = 30
"""Steps shown at the bottom of a fiche."""

DISPOSITIFS_MONTRES = 50

BLOCS = (
    ("Nature du dispositif", ("Identité", "Nature du dispositif", "Capacité", "Orientation", "Adresse", "Contact")),
    ("Public accueilli", ("Public accueilli",)),
    ("Commentaire", ("Commentaire",)),
)
"""The fiche of a dispositif, in the order of the source: nature, then the financements, then the public."""


def found(request, nom: str, pk) -> Objet:
    """The fiche of an address, among those that the request sees; 404 otherwise."""
    rows = BY_NOM[nom].model.objects.visible_to(request.perimetre)
    related = {
        "entites": ["departement", "entite", "fusionne_dans"],
        "dispositifs": ["departement", "entite", "commune", "type"],
        "financements": ["dispositif__departement", "ligne"],
    }
    return get_object_or_404(rows.select_related(*related[nom]), pk=pk)


# --- Reading ----------------------------------------------------------------------------------------------------


@reads(Droit.OFFRE_VOIR)
def fiche(request, nom, pk):
    objet = found(request, nom, pk)
    listes = Listes()
    values = fiches_by_id(BY_NOM[nom], [objet.pk], listes)[objet.pk].values
    communes = {objet.commune_id: objet.commune.nom} if nom == "dispositifs" else {}
    affichage = Affichage(listes=listes, communes=communes)
    dispositif = {"dispositifs": objet, "financements": getattr(objet, "dispositif", None)}.get(nom)
    adresse = dispositif is None or voit_adresse(request.habilitation, dispositif)
    groupes = affichage.groupes(BY_NOM[nom].sheet, values, adresse=adresse)
    context = {"objet": objet, "nom": nom, "groupes": groupes, "adresse": adresse}
    if nom == "financements":
        context |= {"modifiable": request.may(Droit.OFFRE_SAISIR), "dispositif": dispositif}
        return render(request, "offre/fiche_financement.html", context)
    context["repertoire"] = au_repertoire(objet)
    context |= _circuit(request, objet)
    context |= _entite(request, objet) if nom == "entites" else _dispositif(request, objet, groupes)
    context["historique"] = historique(objet, affichage, adresse=adresse) if voit_changements(request) else None
    return render(request, f"offre/fiche_{objet._meta.model_name}.html", context)


def au_repertoire(objet: Rattachement | Dispositif) -> str:
    """What the State's register says of the entité, when it is closed or unknown there; empty otherwise."""
    siren = objet.entite.siren
    return FicheSirene.objects.anomalies([siren]).get(siren, "")


def voit_changements(request) -> bool:
    """The history is for those who have a hand in the fiches."""
    return any(map(request.may, (Droit.OFFRE_SAISIR, Droit.OFFRE_PROPOSER, Droit.OFFRE_VALIDER)))


def _circuit(request, objet: Rattachement | Dispositif) -> dict:
    droits = request.habilitation.droits
    return {
        "ensuite": ENSUITE[objet.statut],
        "passages": passages(objet.statut, droits),
        "modifiable": peut_modifier(objet.statut, droits),
        "proposable": peut_proposer(objet.statut, droits),
        "proposition": proposition_en_attente(objet) if voit_changements(request) else None,
        "remarques": [
            (BY_MODEL[type(objet)].sheet.by_key[champ].label, texte) for champ, texte in remarques_of(objet).items()
        ],
    }


BY_MODEL = {table.model: table for table in BY_NOM.values()}


def _entite(request, objet: Rattachement) -> dict:
    rows = Dispositif.objects.visible_to(request.perimetre).filter(
        entite=objet.entite_id, departement=objet.departement_id
    )
    return {
        "dispositifs": rows.for_list()[:DISPOSITIFS_MONTRES],
        "nombre": rows.count(),
        "somme": somme_of(objet, request.perimetre),
        "saisit": request.may(Droit.OFFRE_SAISIR),
        "valide": request.may(Droit.OFFRE_VALIDER) and objet.statut != Statut.FERME,
    }


def _dispositif(request, objet: Dispositif, groupes: dict) -> dict:
    financements = list(objet.financements.select_related("ligne").order_by("-date_debut", "pk"))
    return {
        "entite": rattachement_of(objet),
        "capacite": CAPACITE.get(objet.categorie),
        "valide": request.may(Droit.OFFRE_VALIDER),
        "voit_entite": request.habilitation.niveau != Niveau.DISPOSITIF,
        "saisit": request.may(Droit.OFFRE_SAISIR),
        "blocs": [
            (titre, [line for group in names for line in groupes.get(group, [])])
            for titre, names in BLOCS
            if any(shown for group in names for _, _, shown in groupes.get(group, []))
        ],
        "financements": financements,
        "alertes": alertes_of(objet, financements, objet.departement.aujourdhui),
    }


def historique(objet: Rattachement | Dispositif, affichage: Affichage, *, adresse: bool) -> list[Transition]:
    """The last steps of a fiche, each with its changes as people read them."""
    steps = list(Transition.objects.of(objet).for_history()[:HISTORIQUE])
    sheet = BY_MODEL[type(objet)].sheet
    affichage.learn({key: pair[side] for key, pair in step.changements.items()} for step in steps for side in (0, 1))
    for step in steps:
        step.lisibles = affichage.changements(sheet, step.changements, adresse=adresse)
        step.notes = [(sheet.by_key[remarque.champ].label, remarque.texte) for remarque in step.remarques.all()]
    return steps


# --- Creating ---------------------------------------------------------------------------------------------------


class ChoixDuDepartementForm(Formulaire):
    """For those who hold several départements: in which one."""

    departement = forms.ModelChoiceField(
        Departement.objects.none(), label="Département", empty_label="Choisir…", to_field_name="code"
    )

    def __init__(self, *args, departements, **options):
        super().__init__(*args, **options)
        self.fields["departement"].queryset = departements


@writes(Droit.OFFRE_SAISIR)
def creer_entite(request):
    """Two steps when the perimeter has several départements: which one, then the fiche."""
    departements = Departement.objects.filter(code__in=request.perimetre.departements)
    choice = ChoixDuDepartementForm(request.GET if "departement" in request.GET else None, departements=departements)
    if len(departements) == 1:
        [departement] = departements
    elif choice.is_valid():
        departement = choice.cleaned_data["departement"]
    else:
        return render(request, "offre/choisir.html", {"form": choice, "titre": "Nouvelle entité"})
    context = {"titre": "Nouvelle entité", "lieu": departement, "retour": reverse("offre:entites"), "registre": True}
    if "remplir" in request.POST:
        typed, answer = _filled_from_the_register(request.POST.copy())
        form = EntiteForm(typed, departement=departement)
        # Nothing is sent yet: what is still to type is not wrong.
        blank = {name for name in form.fields if name != "siren" and not typed.get(name)}
        for name in blank.intersection(form.errors):
            del form.errors[name]
        return render(request, "offre/saisie.html", context | answer | {"form": form})
    form = EntiteForm(request.POST or None, departement=departement)
    if request.method == "POST" and form.is_valid():
        created = _created(request, form, create_entite, values=form.canonical)
        if created:
            return redirect("offre:fiche", "entites", created.pk)
    return render(request, "offre/saisie.html", context | {"form": form})


def _filled_from_the_register(typed) -> tuple[dict, dict]:
    """« Remplir depuis SIRENE »: what was typed, its empty name filled in, and what the page says of the SIREN."""
    try:
        answer = sirene.lookup(typed.get("siren", ""))
    except Refusal:
        return typed, {}  # the form itself says what is wrong with the number
    fiche = getattr(answer, "fiche", None)
    if fiche and fiche.diffusible and not typed.get("nom", "").strip():
        typed["nom"] = fiche.denomination
    return typed, {"nature": type(answer).__name__.lower(), "fiche": fiche}


class ChoixDeLaCategorieForm(Formulaire):
    categorie = forms.ChoiceField(
        label="Catégorie du dispositif",
        help_text="Elle ouvre les champs qui la concernent.",
        choices=Categorie.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Choisissez une catégorie.", "invalid_choice": "Choisissez une catégorie."},
    )


def _categorie(request) -> str | None:
    """The category that the address or the form names, None for nonsense."""
    named = request.POST.get("categorie") or request.GET.get("categorie")
    return named if named in Categorie.values else None


@writes(Droit.OFFRE_SAISIR)
def creer_dispositif(request, pk):
    """Two steps on one address: the category, then its fiche. ``pk``: of the entité in its département."""
    entite = found(request, "entites", pk)
    titre, retour = "Nouveau dispositif", reverse("offre:fiche", args=["entites", pk])
    if entite.statut == Statut.FERME:
        return _impossible(request, titre, retour, "Cette entité est fermée : elle ne reçoit plus de dispositif.")
    categorie = _categorie(request)
    if categorie is None:
        choice = ChoixDeLaCategorieForm(request.GET if "categorie" in request.GET else None)
        return render(request, "offre/choisir.html", {"form": choice, "titre": titre, "lieu": entite})
    form = DispositifForm(request.POST or None, rattachement=entite, categorie=categorie)
    if request.method == "POST" and form.is_valid():
        created = _created(request, form, create_dispositif, values=form.canonical)
        if created:
            return redirect("offre:fiche", "dispositifs", created.pk)
    return render(request, "offre/saisie.html", _saisie(request, form, titre=titre, lieu=entite, retour=retour))


@writes(Droit.OFFRE_SAISIR)
def creer_financement(request, pk):
    dispositif = found(request, "dispositifs", pk)
    titre, retour = "Nouveau financement", reverse("offre:fiche", args=["dispositifs", pk])
    if dispositif.statut == Statut.FERME:
        return _impossible(request, titre, retour, "Ce dispositif est fermé : il ne reçoit plus de financement.")
    form = FinancementForm(request.POST or None, dispositif=dispositif)
    if request.method == "POST" and form.is_valid():
        created = _created(request, form, create_financement, dispositif=dispositif, values=form.canonical)
        if created:
            return redirect(retour)
    return render(request, "offre/saisie.html", _saisie(request, form, titre=titre, lieu=dispositif, retour=retour))


def _created(request, form: FicheForm, action, **arguments):
    """What ``action`` created; None when it refused, which the form then says."""
    try:
        created = action(auteur=request.habilitation, **arguments)
    except Refusal as refusal:
        form.add_error(None, str(refusal))
        return None
    valide = getattr(created, "statut", Statut.VALIDE) == Statut.VALIDE
    suite = "" if valide else " C'est un brouillon : pré-validez-le quand il est complet."
    messages.success(request, f"C'est enregistré.{suite}")
    _warn(request, form)
    return created


def _warn(request, form: FicheForm) -> None:
    for problem in form.warnings:
        messages.warning(request, f"{problem.column} : {problem.message}" if problem.column else problem.message)


def _saisie(request, form: FicheForm, **words) -> dict:
    categorie = getattr(form, "categorie_choisie", None)
    return {
        "form": form,
        "categorie": Categorie(categorie).label if categorie else "",
        "changer": not form.remarques,
        **words,
    }


def _impossible(request, titre: str, retour: str, phrase: str):
    return render(request, "offre/impossible.html", {"titre": titre, "retour": retour, "phrase": phrase})


# --- Changing ---------------------------------------------------------------------------------------------------


@writes(Droit.OFFRE_SAISIR, Droit.OFFRE_PROPOSER)
def modifier(request, nom, pk):
    """Change a fiche in place, correct its remarked fields, or propose a change: by its statut and the rights."""
    if nom == "financements":
        return _modifier_financement(request, pk)
    objet = found(request, nom, pk)
    droits = request.habilitation.droits
    retour = reverse("offre:fiche", args=[nom, pk])
    proposal = peut_proposer(objet.statut, droits)
    if not proposal and not peut_modifier(objet.statut, droits):
        return _impossible(request, f"Modifier {objet}", retour, ENSUITE[objet.statut])
    if nom == "dispositifs" and request.method == "GET" and "categorie" in request.GET and not _categorie(request):
        choice = ChoixDeLaCategorieForm(initial={"categorie": objet.categorie})
        return render(request, "offre/choisir.html", {"form": choice, "titre": "Changer de catégorie", "lieu": objet})
    waiting = proposition_en_attente(objet) if proposal else None
    options = {
        "remarques": remarques_of(waiting or objet),
        "proposees": waiting.apres if waiting else None,
    }
    if nom == "dispositifs":
        options["categorie"] = _categorie(request) or ""
    form = form_for(objet, request.POST or None, **options)
    version, revision = form.version, waiting.revision if waiting else 0
    words = {
        "titre": f"{'Proposer un changement' if proposal else 'Corriger' if form.remarques else 'Modifier'}",
        "lieu": objet,
        "retour": retour,
        "proposition": proposal,
        "en_attente": waiting,
        "version": version,
        "revision": revision,
    }
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            seen = {"version": _number(request, "version"), "changements": form.changements}
            if proposal:
                done = propose(auteur=request.habilitation, fiche=objet, revision=_number(request, "revision"), **seen)
                said = (
                    "Votre proposition est déposée : la fiche change quand elle sera validée."
                    if done
                    else "Rien ne change : aucune proposition n'attend plus sur cette fiche."
                )
            else:
                change_fiche(auteur=request.habilitation, fiche=objet, **seen)
                said = "C'est enregistré."
        except Conflit as conflit:
            words["conflit"], status = _difference(objet, form, str(conflit)), 409
        except Refusal as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, said)
            _warn(request, form)
            return redirect(retour)
    return render(request, "offre/saisie.html", _saisie(request, form, **words), status=status)


def _modifier_financement(request, pk):
    if not request.may(Droit.OFFRE_SAISIR):
        raise PermissionDenied
    objet = found(request, "financements", pk)
    form = form_for(objet, request.POST or None)
    retour = reverse("offre:fiche", args=["dispositifs", objet.dispositif_id])
    words = {"titre": "Modifier un financement", "lieu": objet.dispositif, "retour": retour, "version": form.version}
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            change_fiche(
                auteur=request.habilitation,
                fiche=objet,
                version=_number(request, "version"),
                changements=form.changements,
            )
        except Conflit as conflit:
            words["conflit"], status = _difference(objet, form, str(conflit)), 409
        except Refusal as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "C'est enregistré.")
            _warn(request, form)
            return redirect(retour)
    return render(request, "offre/saisie.html", _saisie(request, form, **words), status=status)


def _number(request, name: str) -> int:
    """A version that the form carries; nonsense is no version."""
    return number_in(request.POST.get(name), default=-1)


def _difference(objet: Objet, form: FicheForm, sentence: str) -> dict:
    """The conflict as its page says it: who was faster, and what differs between them and what was typed."""
    current = type(objet).objects.select_related("modifie_par").get(pk=objet.pk)
    values = {key: new for key, (_, new) in form.changements.items()}
    affichage = Affichage([form.actuelles, values])
    return {
        "phrase": sentence,
        "par": current.modifie_par,
        "le": current.modifie_le,
        "differences": affichage.changements(form.sheet, form.changements),
    }
