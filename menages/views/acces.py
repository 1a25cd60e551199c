"""Demandes d'accès between SIAO: those received, to answer, and those sent; the shares that answer them."""

from functools import partial

from django.contrib import messages
from django.contrib.contenttypes.models import ContentType
from django.db.models import Q
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone

from comptes.actions import stop_sharing
from comptes.auteurs import Auteurs
from comptes.droits import Droit
from comptes.models import Partage
from menages.actions.demandes_d_acces import answer_access
from menages.forms import ReponseForm
from menages.models import Appartenance, DemandeDAcces, EtatDemande, Menage
from menages.views.confirmation import confirm
from siao.socle.http import reads, writes
from siao.socle.refusal import Refusal

DEMANDE = "menages.demandedacces"


@reads(Droit.MENAGES_VOIR, journal=DEMANDE)
def demandes_d_acces(request):
    rows = DemandeDAcces.objects.filter(
        Q(siao__in=request.perimetre.siaos) | Q(siao_demandeur__in=request.perimetre.siaos)
    ).select_related("siao", "siao_demandeur", "personne")
    received = [row for row in rows.order_by("-pk")[:200] if row.siao_id in request.perimetre.siaos]
    sent = [row for row in rows.order_by("-pk")[:200] if row.siao_demandeur_id in request.perimetre.siaos]
    _add_authors(sent, request.habilitation)
    _add_dossiers([row for row in sent if row.etat == EtatDemande.ACCEPTEE], request.perimetre)
    request.shown["nombre"] = len(received) + len(sent)
    return render(request, "menages/demandes_d_acces.html", {"recues": received, "envoyees": sent})


def _add_authors(demandes, habilitation) -> None:
    """Give each, in words, the ``auteur`` who asked."""
    whole = set(
        DemandeDAcces.objects.filter(pk__in=[demande.pk for demande in demandes])
        .entiers_pour(habilitation)
        .order_by()
        .values_list("pk", flat=True)
    )
    auteurs = Auteurs(demande.demandee_par_id for demande in demandes)
    for demande in demandes:
        demande.auteur = auteurs.nom(demande.demandee_par_id, entier=demande.pk in whole)


def _add_dossiers(demandes, perimetre) -> None:
    """Give each its ``menage``, where the person is today, when the perimeter sees it: a share ends, a person moves."""
    seen = Menage.objects.visible_to(perimetre).order_by()
    personnes = [demande.personne_id for demande in demandes]
    current = Appartenance.objects.current().filter(personne__in=personnes, menage__in=seen).select_related("menage")
    menages = {appartenance.personne_id: appartenance.menage for appartenance in current.order_by("pk")}
    for demande in demandes:
        demande.menage = menages.get(demande.personne_id)


@writes(Droit.MENAGES_SAISIR, journal=DEMANDE)
def repondre_demande(request, pk):
    received = DemandeDAcces.objects.received_by(request.perimetre).select_related("siao", "siao_demandeur", "personne")
    demande = get_object_or_404(received, pk=pk, etat=EtatDemande.EN_ATTENTE)
    _add_authors([demande], request.habilitation)
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


# --- Shares -----------------------------------------------------------------------------------------------------


@writes(Droit.MENAGES_SAISIR, journal="comptes.partage")
def cesser_partage(request, pk):
    """End the share of a dossier with another SIAO. For the SIAO of the dossier: who may share may stop it."""
    rows = Partage.objects.current().filter(content_type=ContentType.objects.get_for_model(Menage))
    partage = get_object_or_404(rows.select_related("group__siao"), pk=pk)
    menage = get_object_or_404(Menage.objects.filter(siao__in=request.perimetre.siaos), pk=partage.object_pk)
    return confirm(
        request,
        partial(stop_sharing, partage=partage),
        titre=f"Cesser de partager le {menage} avec {partage.group.siao} ?",
        consequences=[
            "Ce SIAO ne voit plus le dossier, dès maintenant.",
            "Il peut demander l'accès de nouveau. Le partage et sa fin restent dans le journal.",
        ],
        bouton="Cesser le partage",
        succes="Le dossier n'est plus partagé avec ce SIAO.",
        retour=reverse("dossier", args=[menage.pk]),
    )
