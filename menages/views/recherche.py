"""Finding a person or a dossier. Searches are posted: what is searched for stays out of addresses and histories."""

import json

from django.contrib import messages
from django.shortcuts import redirect, render

from comptes.droits import Droit
from menages.actions.demandes_d_acces import ask_access
from menages.forms import DemandeDAccesForm, RechercheForm, split
from menages.models import Personne
from menages.recherche import TooMany, look_among_recent, look_for, open_directly
from siao.socle.http import refused, writes

PERSONNE = "menages.personne"


@writes(Droit.MENAGES_VOIR, journal=PERSONNE)
def recherche(request):
    if request.method != "POST":
        form = RechercheForm()
        form.fields["nom"].widget.attrs["autofocus"] = True
        return render(request, "menages/recherche.html", {"form": form})
    typed = split(request.POST["q"]) if "q" in request.POST else request.POST
    form = RechercheForm(typed)
    if not form.is_valid():
        return render(request, "menages/recherche.html", {"form": form})
    criteres = form.criteres
    if criteres.nombre == 1 and criteres.numero and (menage := open_directly(criteres.numero, request.perimetre)):
        return redirect("dossier", menage.pk)
    alone = criteres.nombre == 1 and not criteres.numero and bool(request.perimetre.siaos)
    if criteres.nombre < 2 and not alone:
        form.add_error(
            None,
            "Donnez au moins deux critères parmi le nom, le prénom, la date de naissance et un numéro : un seul ne "
            "suffit pas à chercher une personne.",
        )
        return render(request, "menages/recherche.html", {"form": form})
    try:
        if alone:
            found = look_among_recent(auteur=request.habilitation, criteres=criteres)
        else:
            [found] = look_for(auteur=request.habilitation, criteres=[criteres])
    except TooMany as refusal:
        form.add_error(None, str(refusal))
        return render(request, "menages/recherche.html", {"form": form}, status=429)
    request.shown["nombre"] = len(found.ici)
    request.shown["recherche"] = json.dumps(criteres.ecrits, ensure_ascii=False, sort_keys=True)
    context = {"form": form, "trouvailles": found, "cherche": True}
    if found.ailleurs:
        context["demande"] = DemandeDAccesForm(auteur=request.habilitation, initial={"recherche": found.recherche})
    return render(request, "menages/recherche.html", context)


@writes(Droit.MENAGES_VOIR, only_post=True, journal=PERSONNE)
def demander_acces(request):
    """Ask the SIAO that know the persons of a search; the page names neither them nor their territory."""
    form = DemandeDAccesForm(request.POST, auteur=request.habilitation)
    siao = request.habilitation.siao
    if siao is None or not form.is_valid():
        errors = [] if siao is None else [error for errors in form.errors.values() for error in errors]
        why = " ".join(errors) or "Seul un SIAO peut demander l'accès à un autre SIAO."
        return refused(request, why, "recherche")
    elsewhere = Personne.objects.filter(pk__in=form.cleaned_data["recherche"].ailleurs)
    ask_access(auteur=request.habilitation, siao=siao, personnes=list(elsewhere), motif=form.cleaned_data["motif"])
    messages.success(request, "La demande est envoyée : la réponse du SIAO vous parviendra dans « Demandes d'accès ».")
    return redirect("demandes_d_acces")
