"""Accounts of one's perimeter: find them, invite, change, disable, give and take away habilitations."""

from functools import partial

from django.contrib import messages
from django.db.models import Exists, OuterRef, Prefetch
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone

from comptes import actions
from comptes.attentes import BIENTOT
from comptes.droits import Droit, Profil, profils_given_by
from comptes.forms import (
    ChoixDuDepartementForm,
    ChoixDuProfilForm,
    ExtensionForm,
    HabilitationForm,
    IdentiteForm,
    InvitationForm,
    RechercheComptesForm,
)
from comptes.models import Habilitation, Utilisateur, granted_models
from siao.socle.extraction import extraction
from siao.socle.http import reads, writes
from siao.socle.refusal import Refusal
from siao.socle.tables import Table, TableColumn
from siao.socle.text import Folded, fold

UTILISATEUR = "comptes.utilisateur"


def etat_of(compte: Utilisateur) -> str:
    if not compte.is_active:
        return "Désactivé"
    return "Actif" if compte.last_login else "Jamais connecté"


def _last_login(compte: Utilisateur) -> str:
    return f"{timezone.localtime(compte.last_login):%d/%m/%Y %H:%M}" if compte.last_login else ""


COLONNES = (
    TableColumn(
        "nom",
        "Nom",
        lambda compte: compte.nom or "(sans nom)",
        ["nom_cle"],
        link=lambda c: reverse("compte", args=[c.pk]),
    ),
    TableColumn("prenom", "Prénom", lambda compte: compte.prenom, ["prenom_cle"]),
    TableColumn("courriel", "Adresse courriel", lambda compte: compte.courriel, ["courriel"]),
    TableColumn("habilitations", "Habilitations", lambda compte: " ; ".join(map(str, compte.en_cours))),
    TableColumn("etat", "État", etat_of, ["is_active", "last_login"]),
    TableColumn("connexion", "Dernière connexion", _last_login, ["last_login"]),
)


def _found(request):
    """The search of the page, and of its export: same form, same rows."""
    auteur = request.habilitation
    form = RechercheComptesForm(request.GET, auteur=auteur)
    if not form.is_valid():
        return form, Utilisateur.objects.none()
    words, profil, etat = (form.cleaned_data[field] for field in ("q", "profil", "etat"))
    managed = Habilitation.objects.manageable_by(auteur)
    accounts = Utilisateur.objects.manageable_by(auteur)
    for word in fold(words).split():
        accounts = accounts.filter(cle__contains=word)
    request.shown["recherche"] = fold(words)
    if profil:
        accounts = accounts.filter(Exists(managed.current().filter(profil=profil, utilisateur=OuterRef("pk"))))
    match etat:
        case "actifs":
            accounts = accounts.filter(is_active=True)
        case "invites":
            accounts = accounts.filter(is_active=True, last_login__isnull=True)
        case "desactives":
            accounts = accounts.filter(is_active=False)
        case "finissent":
            accounts = accounts.filter(Exists(managed.ending_within(BIENTOT).filter(utilisateur=OuterRef("pk"))))
    current = Prefetch("habilitations", managed.current().with_octrois(), to_attr="en_cours")
    accounts = accounts.annotate(nom_cle=Folded("nom"), prenom_cle=Folded("prenom")).prefetch_related(current)
    return form, accounts.order_by("nom_cle", "prenom_cle", "pk")


@reads(Droit.COMPTES_GERER, journal=UTILISATEUR)
def comptes(request):
    form, accounts = _found(request)
    table = Table("Comptes de votre périmètre", COLONNES, accounts, request.GET)
    request.shown["nombre"] = len(table.page)
    return render(request, "comptes/comptes.html", {"form": form, "table": table})


@reads(Droit.COMPTES_GERER, journal=UTILISATEUR)
def exporter_comptes(request):
    _, accounts = _found(request)
    request.shown["nombre"] = accounts.count()
    return extraction(Table("Comptes", COLONNES, accounts, {}), "comptes", "csv")


# --- One account ------------------------------------------------------------------------------------------------


def _account(request, pk) -> Utilisateur:
    return get_object_or_404(Utilisateur.objects.manageable_by(request.habilitation), pk=pk)


@reads(Droit.COMPTES_GERER, journal=UTILISATEUR)
def compte(request, pk):
    account = _account(request, pk)
    auteur = request.habilitation
    context = {
        "compte": account,
        "etat": etat_of(account),
        "habilitations": account.habilitations.manageable_by(auteur)
        .with_octrois()
        .select_related("accordee_par", "retiree_par")
        .order_by("retiree_le", "-pk"),
        "entier": Utilisateur.objects.wholly_managed_by(auteur).filter(pk=account.pk).exists(),
        "moi": account.pk == request.user.pk,
        "donnes": profils_given_by(auteur.profil),
        "voit_journal": request.may(Droit.JOURNAL_VOIR),
    }
    return render(request, "comptes/compte.html", context)


@writes(Droit.COMPTES_GERER, journal=UTILISATEUR)
def modifier_compte(request, pk):
    account = _account(request, pk)
    form = IdentiteForm(request.POST or None, initial={"prenom": account.prenom, "nom": account.nom})
    if request.method == "POST" and form.is_valid():
        done = _carried_out(
            request, form, actions.rename, utilisateur=account, **form.cleaned_data, succes="Le compte est modifié."
        )
        if done:
            return redirect("compte", pk)
    return render(request, "comptes/modifier_compte.html", {"form": form, "compte": account})


@writes(Droit.COMPTES_GERER, journal=UTILISATEUR)
def desactiver_compte(request, pk):
    account = _account(request, pk)
    return _confirm(
        request,
        account,
        partial(actions.disable, utilisateur=account),
        titre="Désactiver le compte",
        consequence="Ses sessions se ferment tout de suite, et cette personne ne pourra plus se connecter. "
        "Ses habilitations et son historique sont gardés : le compte peut être réactivé.",
        bouton="Désactiver",
        succes="Le compte est désactivé, ses sessions sont fermées.",
    )


@writes(Droit.COMPTES_GERER, journal=UTILISATEUR)
def reactiver_compte(request, pk):
    account = _account(request, pk)
    return _confirm(
        request,
        account,
        partial(actions.enable, utilisateur=account),
        titre="Réactiver le compte",
        consequence="Cette personne pourra de nouveau se connecter, avec son mot de passe et les habilitations "
        "qui ne lui ont pas été retirées.",
        bouton="Réactiver",
        succes="Le compte est réactivé.",
    )


@writes(Droit.COMPTES_GERER, journal=UTILISATEUR)
def reinitialiser_compte(request, pk):
    account = _account(request, pk)
    return _confirm(
        request,
        account,
        partial(actions.reset, utilisateur=account),
        titre="Envoyer un nouveau lien",
        consequence="Le mot de passe et la double authentification sont effacés, les sessions fermées. "
        "Un courriel permet à cette personne de choisir un nouveau mot de passe.",
        bouton="Envoyer le lien",
        succes="Un courriel part à cette adresse.",
    )


def _confirm(request, account: Utilisateur, action, *, succes: str, **words):
    """A page that says what will happen before it does, then the account."""
    if request.method == "POST":
        try:
            action(auteur=request.habilitation)
        except Refusal as refusal:
            words["refus"] = str(refusal)
        else:
            messages.success(request, succes)
            return redirect("compte", account.pk)
    return render(request, "comptes/confirmer.html", {"compte": account, **words})


def _carried_out(request, form, action, *, succes: str, **arguments) -> bool:
    """Do ``action``; a refusal becomes an error of ``form``, which keeps what was typed."""
    try:
        action(auteur=request.habilitation, **arguments)
    except Refusal as refusal:
        form.add_error(None, str(refusal))
        return False
    messages.success(request, succes)
    return True


# --- Habilitations ----------------------------------------------------------------------------------------------


@writes(Droit.COMPTES_GERER)
def inviter(request):
    """Two steps on one address: the profil (and the département when the perimeter is wide), then the rest."""
    chosen = _profil_chosen(request)
    if not chosen["profil"]:
        return render(request, "comptes/choisir_profil.html", {"form": chosen["form"]})
    form = InvitationForm(request.POST or None, auteur=request.habilitation, **_step(chosen))
    if request.method == "POST" and form.is_valid():
        done = _carried_out(
            request,
            form,
            actions.invite,
            courriel=form.cleaned_data["courriel"],
            prenom=form.cleaned_data["prenom"],
            nom=form.cleaned_data["nom"],
            **form.habilitation,
            succes="L'habilitation est donnée. Si cette personne ne s'est jamais connectée, un lien valable sept jours "
            "part à son adresse.",
        )
        if done:
            return redirect("comptes")
    return render(request, "comptes/inviter.html", {"form": form, **chosen})


@writes(Droit.COMPTES_GERER, journal=UTILISATEUR)
def ajouter_habilitation(request, pk):
    account = _account(request, pk)
    chosen = _profil_chosen(request)
    if not chosen["profil"]:
        return render(request, "comptes/choisir_profil.html", {"form": chosen["form"], "compte": account})
    form = HabilitationForm(request.POST or None, auteur=request.habilitation, **_step(chosen))
    if request.method == "POST" and form.is_valid():
        succes = "L'habilitation est donnée : elle compte dès le prochain clic de cette personne."
        if _carried_out(request, form, actions.grant, utilisateur=account, **form.habilitation, succes=succes):
            return redirect("compte", pk)
    return render(request, "comptes/inviter.html", {"form": form, "compte": account, **chosen})


def _profil_chosen(request) -> dict:
    form = ChoixDuProfilForm(request.GET if "profil" in request.GET else None, auteur=request.habilitation)
    if not form.is_valid():
        return {"form": form, "profil": None, "departement": None}
    return {"profil": Profil(form.cleaned_data["profil"]), "departement": form.cleaned_data.get("departement")}


def _step(chosen: dict) -> dict:
    return {"profil": chosen["profil"], "departement": chosen["departement"]}


@writes(Droit.COMPTES_GERER, journal="comptes.habilitation")
def retirer_habilitation(request, pk):
    current = Habilitation.objects.manageable_by(request.habilitation).filter(retiree_le__isnull=True)
    habilitation = get_object_or_404(current.with_octrois(), pk=pk)
    return _confirm(
        request,
        habilitation.utilisateur,
        partial(actions.withdraw, habilitation=habilitation),
        titre=f"Retirer l'habilitation « {habilitation} »",
        consequence="Elle cesse tout de suite. Le compte et ses autres habilitations restent.",
        bouton="Retirer",
        succes="L'habilitation est retirée : elle n'ouvre plus rien dès le prochain clic.",
    )


@writes(Droit.COMPTES_GERER, journal="comptes.habilitation")
def etendre_habilitation(request, pk):
    """More entités (hence départements) or dispositifs for a habilitation that holds some."""
    held = [profil for profil in Profil if profil.niveaux[0] in granted_models()]
    current = Habilitation.objects.manageable_by(request.habilitation).current().filter(profil__in=held)
    habilitation = get_object_or_404(current.with_octrois(), pk=pk)
    choice = ChoixDuDepartementForm(request.GET if "departement" in request.GET else None, auteur=request.habilitation)
    form = None
    if not choice.fields or choice.is_valid():
        departement = choice.cleaned_data["departement"] if choice.fields else None
        form = ExtensionForm(
            request.POST or None,
            auteur=request.habilitation,
            profil=Profil(habilitation.profil),
            departement=departement,
        )
        if request.method == "POST" and form.is_valid():
            objets = form.cleaned_data["objets"]
            if _carried_out(
                request,
                form,
                actions.extend,
                habilitation=habilitation,
                objets=objets,
                succes="L'habilitation est étendue : elle compte dès le prochain clic de cette personne.",
            ):
                return redirect("compte", habilitation.utilisateur_id)
    context = {"form": form, "choix": choice, "habilitation": habilitation, "compte": habilitation.utilisateur}
    return render(request, "comptes/etendre_habilitation.html", context)
