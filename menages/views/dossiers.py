"""What is said of a ménage as a whole, and the dispositifs that accompany it."""

from functools import partial

from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from comptes.droits import Droit
from menages.actions import dossiers as actions
from menages.forms import AccompagnementForm, MenageForm
from menages.models import Accompagnement, Menage
from menages.views.confirmation import confirm
from siao.socle.http import refused, writes
from siao.socle.refusal import Refusal, Stale

MENAGE = "menages.menage"


def followed_menage(request, pk: int) -> Menage:
    """A dossier that the user works on: a share with another SIAO is for reading."""
    rows = Menage.objects.suivis_par(request.perimetre).select_related("siao__departement", "composition")
    return get_object_or_404(rows, pk=pk)


def whole_menage(request, pk: int) -> Menage:
    """One of them where nobody is hidden from the user: what tells of their place, or opens it, is not found else."""
    menage = followed_menage(request, pk)
    if not Menage.objects.entiers_pour(request.habilitation).filter(pk=pk).exists():
        raise Http404
    return menage


@writes(Droit.MENAGES_SAISIR, journal=MENAGE)
def modifier_menage(request, pk):
    menage = whole_menage(request, pk)
    form = MenageForm(request.POST or None, initial={"composition": menage.composition_id, "version": menage.version})
    context = {
        "form": form,
        "menage": menage,
        "accompagnement": AccompagnementForm(menage=menage, perimetre=request.perimetre),
    }
    if request.method == "POST" and form.is_valid():
        try:
            actions.describe_menage(auteur=request.habilitation, menage=menage, **form.cleaned_data)
        except Stale as stale:
            typed = form.data.copy()
            typed["version"] = menage.version
            context |= {"form": MenageForm(typed), "conflit": str(stale)}
            return render(request, "menages/modifier_menage.html", context, status=409)
        messages.success(request, "Le dossier est modifié.")
        return redirect("dossier", pk)
    return render(request, "menages/modifier_menage.html", context)


@writes(Droit.MENAGES_SAISIR, only_post=True, journal=MENAGE)
def accompagner(request, pk):
    """Let the team of a dispositif see the dossier."""
    menage = whole_menage(request, pk)
    form = AccompagnementForm(request.POST, menage=menage, perimetre=request.perimetre)
    if not form.is_valid():
        return refused(request, "Choisissez un dispositif de la liste.", "dossier", pk)
    try:
        actions.accompany(auteur=request.habilitation, menage=menage, dispositif=form.cleaned_data["dispositif"])
    except Refusal as refusal:
        return refused(request, refusal, "dossier", pk)
    messages.success(request, "L'équipe du dispositif voit maintenant le dossier.")
    return redirect("dossier", pk)


@writes(Droit.MENAGES_SAISIR, journal="menages.accompagnement")
def cesser_accompagnement(request, pk):
    rows = Accompagnement.objects.current().select_related("dispositif")
    accompagnement = get_object_or_404(rows, pk=pk)
    accompagnement.menage = whole_menage(request, accompagnement.menage_id)
    answer = confirm(
        request,
        partial(actions.stop_accompanying, accompagnement=accompagnement),
        titre=f"Mettre fin à l'accompagnement par {accompagnement.dispositif} ?",
        consequences=[
            "L'équipe de ce dispositif ne verra plus le dossier, dès maintenant.",
            "L'accompagnement reste dans l'historique du dossier ; un autre peut commencer à tout moment.",
        ],
        bouton="Mettre fin à l'accompagnement",
        succes="L'accompagnement finit aujourd'hui.",
        retour=reverse("dossier", args=[accompagnement.menage_id]),
    )
    ended = answer.status_code == 302
    if ended and not Menage.objects.visible_to(request.perimetre).filter(pk=accompagnement.menage_id).exists():
        return redirect("recherche")  # it was the accompagnement that showed it to this user
    return answer
