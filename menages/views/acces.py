"""Demandes d'accès between SIAO: those received, to answer, and those sent."""

from django.contrib import messages
from django.db.models import Q
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from comptes.droits import Droit
from menages.actions.demandes_d_acces import answer_access
from menages.forms import ReponseForm
from menages.models import DemandeDAcces, EtatDemande
from siao.socle.http import reads, writes
from siao.socle.refusal import Refusal

DEMANDE = "menages.demandedacces"


@reads(Droit.MENAGES_VOIR, journal=DEMANDE)
def demandes_d_acces(request):
    rows = DemandeDAcces.objects.filter(
        Q(siao__in=request.perimetre.siaos) | Q(siao_demandeur__in=request.perimetre.siaos)
    ).select_related("siao", "siao_demandeur", "demandee_par", "repondue_par", "personne")
    received = [row for row in rows.order_by("-pk")[:200] if row.siao_id in request.perimetre.siaos]
    sent = [row for row in rows.order_by("-pk")[:200] if row.siao_demandeur_id in request.perimetre.siaos]
    request.shown["nombre"] = len(received) + len(sent)
    return render(request, "menages/demandes_d_acces.html", {"recues": received, "envoyees": sent})


@writes(Droit.MENAGES_SAISIR, journal=DEMANDE)
def repondre_demande(request, pk):
    received = DemandeDAcces.objects.received_by(request.perimetre).select_related(
        "siao", "siao_demandeur", "demandee_par", "personne"
    )
    demande = get_object_or_404(received, pk=pk, etat=EtatDemande.EN_ATTENTE)
    form = ReponseForm(request.POST or None, aujourdhui=timezone.localdate())
    if request.method == "POST" and form.is_valid():
        try:
            answer_access(
                auteur=request.habilitation,
                demande=demande,
                acceptee=form.cleaned_data["acceptee"] == "oui",
                reponse=form.cleaned_data["reponse"],
                jusqu_au=form.cleaned_data["jusqu_au"],
            )
        except Refusal as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "La réponse est envoyée.")
            return redirect("demandes_d_acces")
    return render(request, "menages/repondre_demande.html", {"form": form, "demande": demande})
