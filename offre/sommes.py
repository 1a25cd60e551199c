"""What is financed on a day, against what is installed: per dispositif, entité, département.

Financed: what the lines that pay on that day add up to, in places, logements and mesures; of it, programme 177.
Installed: the capacity of the dispositifs that are not closed; of it, the contingent préfectoral.
"""

import datetime
from functools import reduce
from operator import or_

from django.db.models import F, OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.functions import JSONObject

from comptes.models import Departement
from comptes.perimetres import Perimetre
from offre.colonnes.controles import CAPACITE
from offre.models import Dispositif, Financement, Rattachement
from offre.models.nomenclature import Statut
from siao.socle.text import counted

UNITES = {capacite: unite for unite, capacite in CAPACITE.items()}
"""Capacity → unit of the financements that pay for it."""

_FINANCEES = {"places": "place financée", "logements": "logement financé", "mesures": "mesure financée"}

NIVEAUX = {"dispositif": "Dispositifs", "entite": "Entités", "departement": "Départements"}

AU_DELA = reduce(or_, (Q(**{f"paye__{name}__gt": F(f"installe__{name}")}) for name in UNITES))
"""More is financed than installed, in one unit at least."""


def sommes(niveau: str, perimetre: Perimetre, day: datetime.date) -> QuerySet:
    """The rows of a level, each with two mappings (None for nothing at all).

    ``installe``: by name of ``UNITES``, and ``contingent``; ``paye``: by name, of it by programme 177
    (``places_177``…), ``montant`` and ``montant_177``.
    """
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
    of_row = {f"dispositif__{key}": value for key, value in inner.items()}
    # The whole country needs no list of what is seen.
    visible = {} if perimetre.national else {"dispositif__in": seen.values("pk")}
    paid = Financement.objects.at(day).filter(**visible, **of_row).exclude(dispositif__statut=Statut.FERME)
    by_177 = Q(ligne__programme_177=True)
    financed = {"montant": Sum("montant_annuel"), "montant_177": Sum("montant_annuel", filter=by_177)}
    for name, unite in UNITES.items():
        financed[name] = Sum("quantite", filter=Q(unite=unite))
        financed[f"{name}_177"] = Sum("quantite", filter=Q(unite=unite) & by_177)
    installed = {name: Sum(name) for name in UNITES} | {"contingent": Sum("contingent_nombre")}
    # All the sums of a row in one pass over its lines.
    return rows.annotate(installe=_all(seen.filter(**inner), installed), paye=_all(paid, financed))


def _all(rows: QuerySet, sums: dict[str, Sum]) -> Subquery:
    # One group for all the rows: a plain aggregate would not be a subquery.
    grouped = rows.order_by().annotate(tout=Value(1)).values("tout")
    return Subquery(grouped.annotate(sommes=JSONObject(**sums)).values("sommes"))


def lisible(sums: dict | None, suffix: str = "") -> str:
    """« 30 places, 12 logements »: the sums of a row, without the empty ones."""
    numbers = (((sums or {}).get(f"{name}{suffix}"), name.removesuffix("s")) for name in UNITES)
    return ", ".join(counted(number, name) for number, name in numbers if number)


def alertes(row) -> list[str]:
    """In words, each unit in which more is financed than installed."""
    found = []
    for name in UNITES:
        installed, financed = ((sums or {}).get(name) or 0 for sums in (row.installe, row.paye))
        if financed > installed:
            found.append(f"{counted(financed, _FINANCEES[name])} pour {installed}")
    return found


def alertes_of(dispositif: Dispositif, financements: list[Financement], day: datetime.date) -> list[str]:
    """The same for one dispositif, from its lines already read."""
    current = [f for f in financements if f.date_debut <= day and (f.date_fin is None or f.date_fin >= day)]
    found = []
    for name, unite in UNITES.items():
        financed = sum(f.quantite for f in current if f.unite == unite)
        installed = getattr(dispositif, name) or 0
        if financed > installed:
            found.append(f"{counted(financed, _FINANCEES[name])} pour {installed}")
    return found
