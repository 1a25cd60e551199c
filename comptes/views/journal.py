"""Who did what: the journal of accesses, the history of an object, and who may do what."""

from django.apps import apps
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render

from comptes import historique
from comptes.alertes import examine
from comptes.droits import MATRICE, Droit, Profil, profils_managed_by
from comptes.forms import RechercheJournalForm
from comptes.journal import conceal
from comptes.models import Alerte, EntreeJournal
from siao.socle.http import CONNECTED, reads, refused, writes
from siao.socle.refusal import Refusal

PAR_PAGE = 50


@reads(Droit.JOURNAL_VOIR, journal="comptes.entreejournal")
def journal(request):
    """Latest first, a page at a time by key: the table is too long to be counted."""
    form = RechercheJournalForm(request.GET)
    entries = EntreeJournal.objects.visible_to(request.perimetre).readable()
    if form.is_valid():
        request.shown["recherche"] = form.cleaned_data["compte"]
        entries = form.filtered(entries, Alerte.objects.visible_to(request.perimetre))
    entries = list(entries[: PAR_PAGE + 1])
    conceal(entries, request.habilitation)
    shown = entries[:PAR_PAGE]
    if form.names_somebody:  # an account that was asked for is not anonymous
        shown = [entry for entry in shown if not entry.anonyme]
    request.shown["nombre"] = len(shown)
    criteria = request.GET.copy()
    criteria.pop("avant", None)
    context = {
        "form": form,
        "criteres": f"{criteria.urlencode()}&" if criteria else "",
        "entrees": shown,
        "suite": entries[PAR_PAGE - 1].pk if len(entries) > PAR_PAGE else None,
    }
    return render(request, "comptes/journal.html", context)


@reads(Droit.JOURNAL_VOIR, journal="comptes.alerte")
def alertes(request):
    """Unusual accesses, those to examine first."""
    rows = Alerte.objects.visible_to(request.perimetre).readable().order_by("-examinee_le", "-pk")
    page = Paginator(rows, PAR_PAGE).get_page(request.GET.get("page"))
    request.shown["nombre"] = len(page)
    return render(request, "comptes/alertes.html", {"page": page})


@writes(Droit.JOURNAL_VOIR, only_post=True)
def examiner_alerte(request, pk):
    alerte = get_object_or_404(Alerte.objects.visible_to(request.perimetre), pk=pk)
    try:
        examine(auteur=request.habilitation, alerte=alerte)
    except Refusal as refusal:
        return refused(request, refusal, "alertes")
    messages.success(request, "L'alerte est examinée : elle n'attend plus.")
    return redirect("alertes")


@reads(Droit.JOURNAL_VOIR, journal="comptes.entreejournal")
def acces(request, modele, pk):
    """The printable list of who saw or did something to one object."""
    objet = _visible_object(request, modele, pk)
    entries = EntreeJournal.objects.about(objet).readable()
    page = Paginator(entries, 1_000).get_page(request.GET.get("page"))
    request.shown["nombre"] = len(page)
    return render(request, "comptes/acces.html", {"objet": objet, "page": page, "entrees": page})


@reads(Droit.JOURNAL_VOIR, journal="comptes.entreejournal")
def historique_objet(request, modele, pk):
    objet = _visible_object(request, modele, pk)
    page = Paginator(historique.changes_of(objet), PAR_PAGE).get_page(request.GET.get("page"))
    changes = historique.readable(page)
    request.shown["nombre"] = len(changes)
    return render(request, "comptes/historique.html", {"objet": objet, "page": page, "changements": changes})


def _visible_object(request, modele: str, pk: int):
    """The object, if its own right and perimeter show it: the journal opens no door that its pages close."""
    droit = historique.MODELES.get(modele)
    if droit is None:
        raise Http404
    request.shown.update(objet_type=modele, objet_id=str(pk))  # what is shown is this object's
    if not request.may(droit):
        raise PermissionDenied
    rows = apps.get_model(modele)._default_manager.all()
    if hasattr(rows, "manageable_by"):
        rows = rows.manageable_by(request.habilitation)
    elif hasattr(rows, "traced_to"):
        rows = rows.traced_to(request.habilitation)
    elif hasattr(rows, "visible_to"):
        rows = rows.visible_to(request.perimetre)
    else:
        raise Http404
    return get_object_or_404(rows, pk=pk)


@reads(CONNECTED)
def qui_peut_quoi(request):
    """The matrix of rights and the levels of management, as the code applies them."""
    lines = [(droit.label, [origins.get(profil, "") for profil in Profil]) for droit, origins in MATRICE.items()]
    managed = {profil: [other.label for other in Profil if other in profils_managed_by(profil)] for profil in Profil}
    context = {
        "profils": list(Profil),
        "lignes": lines,
        "gestion": [(profil.label, ", ".join(others)) for profil, others in managed.items() if others],
    }
    return render(request, "comptes/qui_peut_quoi.html", context)
