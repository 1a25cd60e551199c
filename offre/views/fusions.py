"""Merging two entités, moving a dispositif: choose, read all that follows, confirm."""

from django import forms
from django.contrib import messages
from django.shortcuts import redirect, render
from django.urls import reverse

from comptes.droits import Droit
from offre.actions.fusions import Suites, merge_entites, move_dispositif, suites_de_la_fusion, suites_du_deplacement
from offre.colonnes.affichage import Affichage
from offre.colonnes.declaration import ENTITES
from offre.models import Rattachement
from offre.models.nomenclature import Statut
from offre.views.fiches import found
from siao.socle.forms import Formulaire
from siao.socle.http import writes
from siao.socle.refusal import Refusal
from siao.socle.text import number_in

PROPOSEES = 200
"""Entités offered in the list of choices; beyond, the search narrows them."""


class ChoixDeLEntiteForm(Formulaire):
    q = forms.CharField(label="Chercher une entité, nom ou SIREN", required=False, max_length=100)
    entite = forms.ModelChoiceField(
        Rattachement.objects.none(),
        label="Entité",
        empty_label="Choisir…",
        error_messages={"required": "Choisissez une entité.", "invalid_choice": "Cette entité n'est pas proposée."},
    )

    def __init__(self, data, *, entites, label: str):
        super().__init__(data)
        words = (data or {}).get("q", "")
        offered = entites.search(words).select_related("entite")
        self.fields["entite"].queryset = offered
        self.fields["entite"].label = label
        self.fields["entite"].choices = [
            ("", "Choisir…"),
            *((one.pk, f"{one.nom} (SIREN {one.entite.siren})") for one in offered[:PROPOSEES]),
        ]


def _others(request, departement: str, but):
    open_ones = Rattachement.objects.visible_to(request.perimetre).exclude(statut=Statut.FERME)
    return open_ones.filter(departement=departement).exclude(**but)


def _chosen(request, entites, label: str) -> tuple[ChoixDeLEntiteForm, Rattachement | None]:
    """The form of the choice, and the entité of the address once one is chosen."""
    asked = request.GET if request.GET.keys() & {"entite", "q"} else None
    form = ChoixDeLEntiteForm(asked, entites=entites, label=label)
    return form, form.cleaned_data["entite"] if "entite" in request.GET and form.is_valid() else None


@writes(Droit.OFFRE_VALIDER)
def fusionner(request, pk):
    """The entité of the address is the one that stays."""
    garde = found(request, "entites", pk)
    others = _others(request, garde.departement_id, {"pk": pk})
    form, absorbe = _chosen(request, others, "Entité entrée en double, à absorber")
    context = {"form": form, "objet": garde, "retour": reverse("offre:fiche", args=["entites", pk])}
    if absorbe is None:
        return render(request, "offre/fusionner.html", context)
    suites = suites_de_la_fusion(garde, absorbe)
    context |= {"absorbe": absorbe, "suites": suites, "differences": _differences(suites)}
    if request.method == "POST":
        try:
            versions = tuple(number_in(request.POST.get(name), default=-1) for name in ("version", "version_absorbee"))
            merge_entites(auteur=request.habilitation, garde=garde, absorbe=absorbe, versions=versions)
        except Refusal as refusal:
            context["refus"] = str(refusal)
        else:
            messages.success(request, "Les deux entités n'en font plus qu'une.")
            return redirect(context["retour"])
    return render(request, "offre/fusionner.html", context)


def _differences(suites: Suites) -> list[tuple[str, str, str, str]]:
    """(label, value of the one that stays, of the absorbed one, after the merge)."""
    lines = Affichage().changements(ENTITES, suites.differences)
    filled = {ENTITES.by_key[key].label for key in suites.completes}
    return [(label, kept, absorbed, absorbed if label in filled else kept) for label, kept, absorbed in lines]


@writes(Droit.OFFRE_VALIDER)
def deplacer(request, pk):
    dispositif = found(request, "dispositifs", pk)
    others = _others(request, dispositif.departement_id, {"entite": dispositif.entite_id})
    form, vers = _chosen(request, others, "Entité qui reçoit le dispositif")
    context = {"form": form, "objet": dispositif, "retour": reverse("offre:fiche", args=["dispositifs", pk])}
    if vers is None:
        return render(request, "offre/deplacer.html", context)
    context |= {"vers": vers, "suites": suites_du_deplacement(dispositif, vers)}
    if request.method == "POST":
        try:
            version = number_in(request.POST.get("version"), default=-1)
            move_dispositif(auteur=request.habilitation, dispositif=dispositif, vers=vers, version=version)
        except Refusal as refusal:
            context["refus"] = str(refusal)
        else:
            messages.success(request, f"Le dispositif appartient maintenant à {vers}.")
            return redirect(context["retour"])
    return render(request, "offre/deplacer.html", context)
