"""Differences as the user reads them before importing: label, before, after, the fiche, what closing it would do."""

from collections import Counter
from collections.abc import Iterable

from django.db.models import Count, Value
from django.urls import reverse
from django.utils import timezone

from offre.colonnes.affichage import Affichage
from offre.colonnes.declaration import BY_NAME, DISPOSITIFS, ENTITES, FINANCEMENTS
from offre.colonnes.fiches import TABLES
from offre.models import Dispositif, Ecart, Place, Rattachement
from offre.models.imports import Nature
from offre.models.nomenclature import Statut
from siao.socle.text import counted


def with_changes(ecarts: Iterable[Ecart]) -> list[Ecart]:
    """The same differences, each with ``changements``: [(label, avant, apres)] in the order of the workbook."""
    ecarts = list(ecarts)
    changed = {ecart: {key: [ecart.avant.get(key), new] for key, new in ecart.apres.items()} for ecart in ecarts}
    affichage = Affichage(values for ecart in ecarts for values in (ecart.avant, ecart.apres)) if ecarts else None
    for ecart in ecarts:
        sheet = BY_NAME[ecart.feuille]
        ecart.changements = affichage.changements(sheet, changed[ecart])
        ecart.a_choisir = (
            [
                (key, label, ecart.choix(key))
                for key in ecart.champs
                for label, _, _ in affichage.changements(sheet, {key: [None, None]})
            ]
            if len(ecart.apres) > 1
            else []
        )
    return with_links(ecarts)


def with_links(ecarts: Iterable[Ecart]) -> list[Ecart]:
    """The same differences, each with ``lien``: the address of its fiche, None when it is not there (any more)."""
    ecarts = list(ecarts)
    first, *others = (
        table.model.objects.filter(pk__in=_objets(ecarts, name)).order_by().values_list(Value(name), "pk")
        for name, table in TABLES.items()
    )
    there = set(first.union(*others, all=True)) if ecarts else set()
    for ecart in ecarts:
        known = (ecart.feuille, ecart.objet) in there
        ecart.lien = reverse("offre:fiche", args=[TABLES[ecart.feuille].nom, ecart.objet]) if known else None
    return ecarts


def with_consequences(ecarts: Iterable[Ecart]) -> list[Ecart]:
    """The same differences, each missing fiche with ``fermeture``: what closing it would do, in French."""
    ecarts = list(ecarts)
    rattachements = Rattachement.objects.filter(pk__in=_objets(ecarts, ENTITES.name))
    attached = {
        (entite, departement): pk
        for pk, entite, departement in rattachements.values_list("pk", "entite", "departement")
    }
    open_ones = Dispositif.objects.filter(entite__in={entite for entite, _ in attached}).exclude(statut=Statut.FERME)
    dispositifs = Counter(attached.get(pair) for pair in open_ones.values_list("entite", "departement"))
    places = Place.objects.open_at(timezone.localdate()).filter(
        groupe__dispositif__in=_objets(ecarts, DISPOSITIFS.name)
    )
    places = dict(places.order_by().values_list("groupe__dispositif").annotate(Count("pk")))
    for ecart in ecarts:
        if ecart.nature != Nature.ABSENT:
            continue
        if ecart.feuille == FINANCEMENTS.name:
            ecart.fermeture = "Fermer : il s'arrête le jour de l'import."
        elif ecart.feuille == ENTITES.name and (number := dispositifs[ecart.objet]):
            opened = counted(number, "dispositif ouvert")
            ecart.fermeture = f"Fermer : possible seulement si cette entité n'a plus de dispositif ouvert ({opened})."
        elif ecart.feuille == DISPOSITIFS.name and (number := places.get(ecart.objet)):
            ecart.fermeture = f"Fermer : {counted(number, 'place')} de moins dans l'offre."
        else:
            ecart.fermeture = ""
    return ecarts


def _objets(ecarts: Iterable[Ecart], sheet: str) -> list[int]:
    return [ecart.objet for ecart in ecarts if ecart.feuille == sheet]
