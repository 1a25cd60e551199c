"""Financements against capacity, on a day: per dispositif, entité, département."""

from django.shortcuts import render
from django.urls import reverse

from comptes.droits import Droit
from comptes.perimetres import Perimetre
from offre.models import Rattachement
from offre.recherches import RechercheSommes
from offre.sommes import NIVEAUX, alertes, lisible, sommes
from siao.socle.columns.types import Decimal
from siao.socle.extraction import extraction
from siao.socle.http import reads
from siao.socle.tables import Table, TableColumn

_PAGES = {"dispositif": "dispositifs", "entite": "entites"}


def _link(niveau: str):
    if niveau not in _PAGES:
        return None
    return lambda row: reverse("offre:fiche", args=[_PAGES[niveau], row.pk])


def _columns(niveau: str) -> tuple[TableColumn, ...]:
    return (
        TableColumn("nom", NIVEAUX[niveau][:-1], str, ["nom"], link=_link(niveau)),
        TableColumn("installe", "Capacité installée", lambda row: lisible(row.installe)),
        TableColumn("finance", "Financé ce jour", lambda row: lisible(row.paye)),
        TableColumn("177", "dont programme 177", lambda row: lisible(row.paye, "_177")),
        TableColumn(
            "contingent",
            "Contingent préfectoral",
            lambda row: (row.installe or {}).get("contingent") or "",
            ["installe__contingent"],
            True,
        ),
        TableColumn("montant", "Montant annuel", lambda row: _amount(row, "montant"), ["paye__montant"], True),
        TableColumn(
            "montant_177",
            "dont programme 177 (€)",
            lambda row: _amount(row, "montant_177"),
            ["paye__montant_177"],
            True,
        ),
        TableColumn("alerte", "À vérifier", lambda row: " ; ".join(alertes(row))),
    )


def _amount(row, name: str) -> str:
    return Decimal().show((row.paye or {}).get(name))


@reads(Droit.OFFRE_VOIR)
def synthese(request):
    form, table = _found(request)
    return render(request, "offre/synthese_financements.html", {"form": form, "table": table})


@reads(Droit.OFFRE_VOIR)
def exporter_synthese(request):
    return extraction(_found(request)[1], "financements-et-capacites", request.GET.get("format", ""))


def somme_of(entite: Rattachement, perimetre: Perimetre) -> list[tuple[str, str]]:
    """(label, value) of its line today, without what is empty."""
    today = entite.departement.aujourdhui
    row = sommes("entite", perimetre, today).filter(pk=entite.pk).first()
    shown = [(column.header, column.value(row)) for column in _columns("entite")[1:]] if row else []
    return [(header, value) for header, value in shown if value]


def _found(request) -> tuple[RechercheSommes, Table]:
    form = RechercheSommes(request.GET, request.perimetre)
    caption = f"Financements et capacités au {form.jour_choisi:%d-%m-%Y}"
    return form, Table(caption, _columns(form.niveau_choisi), form.found(), request.GET)
