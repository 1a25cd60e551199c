"""The register of legal persons: what it says of a SIREN, and of the entités of the perimeter."""

from django import forms
from django.shortcuts import render
from django.utils import timezone

from comptes.droits import Droit
from offre import sirene
from offre.models import FicheSirene, Rattachement
from offre.models.nomenclature import Statut
from offre.models.sirene import EtatSirene
from siao.socle.forms import Formulaire
from siao.socle.http import reads, writes
from siao.socle.refusal import Refusal
from siao.socle.tables import Table, TableColumn


class SirenForm(Formulaire):
    siren = forms.CharField(
        label="SIREN",
        help_text="9 chiffres. Exemple : 400 461 356",
        max_length=20,
        error_messages={"required": "Écrivez les 9 chiffres du SIREN."},
    )


@writes(Droit.OFFRE_SAISIR)
def chercher_siren(request):
    """« Remplir depuis SIRENE »: a page of its own, or its result alone inside another form (htmx)."""
    asked = request.POST if request.method == "POST" and "siren" in request.POST else None
    form = SirenForm(asked)
    context = {"form": form}
    if form.is_valid():
        try:
            answer = sirene.lookup(form.cleaned_data["siren"])
        except Refusal as refusal:
            form.add_error("siren", str(refusal))
        else:
            context |= {"nature": type(answer).__name__.lower(), "fiche": getattr(answer, "fiche", None)}
    template = "offre/sirene/resultat.html" if request.htmx else "offre/sirene/chercher.html"
    return render(request, template, context)


def _day(value) -> str:
    return f"{value:%d/%m/%Y}" if value else ""


def _of(row, field: str, default: str = "") -> str:
    return getattr(row.sirene, field) if row.sirene else default


ENTITES = (
    TableColumn("nom", "Entité", lambda row: row.nom, ["nom_cle"]),
    TableColumn("siren", "SIREN", lambda row: row.entite.siren, ["entite__siren"]),
    TableColumn("etat", "Au répertoire", lambda row: _state(row)),
    TableColumn("denomination", "Dénomination", lambda row: _of(row, "denomination")),
    TableColumn("forme", "Forme juridique", lambda row: _of(row, "forme")),
    TableColumn("adresse", "Siège", lambda row: _of(row, "adresse")),
    TableColumn("naf", "NAF", lambda row: _of(row, "naf")),
    TableColumn("creation", "Création", lambda row: _day(_of(row, "date_creation"))),
    TableColumn("lue", "Lu le", lambda row: _day(row.sirene and timezone.localtime(row.sirene.lue_le))),
)


def _state(row) -> str:
    if row.sirene is None:
        return "Pas encore lue"
    words = row.sirene.get_etat_display()
    if row.sirene.etat == EtatSirene.CESSEE and row.sirene.date_fermeture:
        words = f"Fermée le {row.sirene.date_fermeture:%d/%m/%Y}"
    return words if row.sirene.diffusible else f"{words}, non diffusible"


class EtatForm(Formulaire):
    etat = forms.ChoiceField(
        label="Au répertoire",
        required=False,
        choices=[("", "Toutes"), ("anomalie", "Fermées ou absentes"), ("inconnue", "Pas encore lues")],
    )


@reads(Droit.OFFRE_VOIR)
def repertoire(request):
    """The entités of the perimeter beside what the register says of them."""
    rows = Rattachement.objects.visible_to(request.perimetre).exclude(statut=Statut.FERME).select_related("entite")
    form = EtatForm(request.GET)
    match form.cleaned_data["etat"] if form.is_valid() else "":
        case "anomalie":
            wrong = FicheSirene.objects.exclude(etat=EtatSirene.ACTIVE)
            rows = rows.filter(entite__siren__in=wrong.values("siren"))
        case "inconnue":
            rows = rows.exclude(entite__siren__in=FicheSirene.objects.values("siren"))
    table = Table("Entités au répertoire SIRENE", ENTITES, rows.order_by("nom_cle", "pk"), request.GET)
    fiches = FicheSirene.objects.in_bulk([row.entite.siren for row in table.page])
    for row in table.page:
        row.sirene = fiches.get(row.entite.siren)
    return render(request, "offre/sirene/repertoire.html", {"form": form, "table": table})
