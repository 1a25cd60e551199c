"""Differences as the user reads them before importing: label, before, after."""

from collections.abc import Iterable

from comptes.models import Commune
from offre.colonnes.declaration import BY_NAME
from offre.colonnes.listes import Listes
from offre.models import Ecart
from offre.models.imports import Nature
from offre.models.nomenclature import Statut

_OTHERS = {"siren": "Entité (SIREN)", "statut": "Statut", "date_fermeture": "Date de fermeture"}


def with_changes(ecarts: Iterable[Ecart]) -> list[Ecart]:
    """The same differences, each with ``changements``: [(label, avant, apres)] in the order of the workbook."""
    ecarts = list(ecarts)
    listes = Listes() if any(ecart.nature == Nature.MODIFIE for ecart in ecarts) else {}
    codes = {values["commune"] for ecart in ecarts for values in (ecart.avant, ecart.apres) if "commune" in values}
    communes = dict(Commune.objects.filter(code__in=codes).values_list("code", "nom")) if codes else {}
    for ecart in ecarts:
        sheet = BY_NAME[ecart.feuille]
        order = [*sheet.by_key, *_OTHERS]
        ecart.changements = [
            (
                sheet.by_key[key].label if key in sheet.by_key else _OTHERS[key],
                _shown(sheet, key, ecart.avant.get(key), listes, communes),
                _shown(sheet, key, ecart.apres.get(key), listes, communes),
            )
            for key in sorted(ecart.apres, key=order.index)
        ]
    return ecarts


def _shown(sheet, key: str, value, listes, communes) -> str:
    if key == "commune":
        return communes.get(value, "")
    if key == "statut":
        return Statut(value).label if value else ""
    if key in sheet.by_key:
        return sheet.by_key[key].type.show(value, listes)
    return value or ""
