"""Rights of persons: their data, the gel, erasure, and who is about to be forgotten."""

import json
from functools import partial

from django.contrib import messages
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from comptes.droits import Droit
from menages.actions.personnes import freeze, unfreeze
from menages.forms import MotifForm
from menages.models import Appartenance, Personne
from menages.views.confirmation import confirm
from menages.views.personnes import PERSONNE, followed_personne, menage_of
from siao.socle.http import attachment, reads, writes
from situations.actions.oubli import erase
from situations.donnees import data_of
from situations.models import Oubli


@reads(Droit.PERSONNES_DROITS, journal=PERSONNE)
def donnees_personne(request, pk):
    """What the person receives, on a page to print."""
    personne = followed_personne(request, pk)
    context = {"personne": personne, "donnees": data_of(personne), "aujourdhui": timezone.localdate()}
    return render(request, "situations/donnees_personne.html", context)


@reads(Droit.PERSONNES_DROITS, journal=PERSONNE)
def donnees_personne_json(request, pk):
    """The same, for a machine."""
    personne = followed_personne(request, pk)
    content = json.dumps(data_of(personne), ensure_ascii=False, indent=2).encode()
    return attachment([content], f"donnees-{personne.numero}.json", "application/json; charset=utf-8")


@writes(Droit.PERSONNES_DROITS, journal=PERSONNE)
def geler(request, pk):
    personne = followed_personne(request, pk)
    back = reverse("fiche_personne", args=[pk])
    if personne.gelee_le:
        return confirm(
            request,
            partial(unfreeze, personne=personne),
            titre=f"Dégeler les données de {personne.numero} ?",
            consequences=["Son dossier se lit et s'écrit de nouveau comme avant."],
            bouton="Dégeler",
            succes="Les données sont dégelées.",
            retour=back,
        )
    return confirm(
        request,
        partial(freeze, personne=personne),
        titre=f"Geler les données de {personne.numero} ?",
        consequences=[
            "Plus personne ne lit ni n'écrit ses données, hormis qui répond aux droits des personnes.",
            "Elle compte encore dans les statistiques.",
        ],
        bouton="Geler",
        succes="Les données sont gelées.",
        retour=back,
        form=MotifForm(request.POST or None),
    )


@writes(Droit.PERSONNES_DROITS, journal=PERSONNE)
def effacer(request, pk):
    """Erasure at the request of the person: the number is typed again, since nothing gives it back."""
    personne = followed_personne(request, pk)
    menage = menage_of(personne)
    typed = request.POST.get("numero", "").strip().upper()
    context = {"personne": personne, "menage": menage, "saisi": typed}
    if request.method == "POST" and typed == personne.numero:
        erase(auteur=request.habilitation, personne=personne)
        messages.success(request, f"{personne.numero} est effacée.")
        return redirect("recherche")
    context["erreur"] = request.method == "POST"
    return render(request, "situations/effacer.html", context)


@reads(Droit.PERSONNES_DROITS, journal="situations.oubli")
def oublis(request):
    """Who will be forgotten, and when: the SIAO's thirty days to say that it still follows them."""
    rows = list(announced(request)[:1000])
    here = {
        each.personne_id: each.menage
        for each in Appartenance.objects.current()
        .filter(personne__in=[row.personne_id for row in rows])
        .select_related("menage")
        .order_by("pk")
    }
    request.shown["nombre"] = len(rows)
    return render(request, "situations/oublis.html", {"lignes": [(row, here[row.personne_id]) for row in rows]})


def announced(request):
    seen = Personne.objects.actives().suivies_par(request.perimetre).order_by()
    return Oubli.objects.filter(personne__in=seen).select_related("personne").order_by("echeance", "pk")
