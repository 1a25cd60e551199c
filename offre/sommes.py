"""What is financed on a day, against what is installed: per dispositif, entité, département.

Financed: what the lines that pay on that day add up to, in places, logements and mesures; of it, programme 177.
Installed: the capacity of the dispositifs that are not closed; of it, the contingent préfectoral.
"""

import datetime
from functools import reduce
from operator import or_

from django.db.models import F, OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce

from comptes.models import Departement
from comptes.perimetres import Perimetre
from offre.colonnes.controles import CAPACITE
from offre.models import Dispositif, Financement, Rattachement
from offre.models.nomenclature import Statut

UNITES = {capacite: unite for unite, capacite in CAPACITE.items()}
"""Capacity → unit of the financements that pay for it."""

NIVEAUX = {"dispositif": "Dispositifs", "entite": "Entités", "departement": "Départements"}

AU_DELA = reduce(or_, (Q(**{f"finances_{name}__gt": Coalesce(F(f"installes_{name}"), 0)}) for name in UNITES))
"""More is financed than installed, in one unit at least."""


def sommes(niveau: str, perimetre: Perimetre, day: datetime.date) -> QuerySet:
    """The rows of a level with, for each name of ``UNITES``: installes_, finances_, finances_177_; and the amounts."""
    seen = Dispositif.objects.visible_to(perimetre).exclude(statut=Statut.FERME).order_by()
    match niveau:
        case "departement":
            inner = {"departement": OuterRef("pk")}
            rows = Departement.objects.filter(pk__in=seen.values("departement"))
        case "entite":
            inner = {"entite": OuterRef("entite"), "departement": OuterRef("departement")}
            rows = Rattachement.objects.visible_to(perimetre).exclude(statut=Statut.FERME).select_related("entite")
        case _:
            inner = {"pk": OuterRef("pk")}
            rows = seen.order_by("nom_cle", "pk")
    installed = seen.filter(**inner)
    of_row = {f"dispositif__{key}": value for key, value in inner.items()}
    paid = Financement.objects.at(day).filter(dispositif__in=seen.values("pk"), **of_row).order_by()
    paid_177 = paid.filter(ligne__programme_177=True)
    sums = {"contingent": _sum(installed, "contingent_nombre")}
    sums |= {"montant": _sum(paid, "montant_annuel"), "montant_177": _sum(paid_177, "montant_annuel")}
    for name, unite in UNITES.items():
        sums[f"installes_{name}"] = _sum(installed, name)
        sums[f"finances_{name}"] = _sum(paid.filter(unite=unite), "quantite")
        sums[f"finances_177_{name}"] = _sum(paid_177.filter(unite=unite), "quantite")
    return rows.annotate(**sums)


def _sum(rows: QuerySet, field: str) -> Subquery:
    # One group for all the rows: a plain aggregate would not be a subquery.
    return Subquery(rows.annotate(tout=Value(1)).values("tout").annotate(somme=Sum(field)).values("somme"))


def lisible(row, prefix: str) -> str:
    """« 30 places, 12 logements »: the sums of a row that begin with ``prefix``, without the empty ones."""
    counted = ((getattr(row, f"{prefix}_{name}"), name) for name in UNITES)
    return ", ".join(f"{number} {name}" for number, name in counted if number)


def alertes(row) -> list[str]:
    """In words, each unit in which more is financed than installed."""
    found = []
    for name in UNITES:
        installed, financed = getattr(row, f"installes_{name}") or 0, getattr(row, f"finances_{name}") or 0
        if financed > installed:
            found.append(f"{financed} {name} financés pour {installed}")
    return found


def alertes_of(dispositif: Dispositif, financements: list[Financement], day: datetime.date) -> list[str]:
    """The same for one dispositif, from its lines already read."""
    current = [f for f in financements if f.date_debut <= day and (f.date_fin is None or f.date_fin >= day)]
    found = []
    for name, unite in UNITES.items():
        financed = sum(f.quantite for f in current if f.unite == unite)
        installed = getattr(dispositif, name) or 0
        if financed > installed:
            found.append(f"{financed} {name} financés pour {installed}")
    return found
