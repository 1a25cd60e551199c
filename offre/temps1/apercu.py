"""Differences as the user reads them before importing: label, before, after."""

from collections.abc import Iterable

from offre.colonnes.affichage import Affichage
from offre.colonnes.declaration import BY_NAME
from offre.models import Ecart


def with_changes(ecarts: Iterable[Ecart]) -> list[Ecart]:
    """The same differences, each with ``changements``: [(label, avant, apres)] in the order of the workbook."""
    ecarts = list(ecarts)
    changed = {ecart: {key: [ecart.avant.get(key), new] for key, new in ecart.apres.items()} for ecart in ecarts}
    affichage = Affichage(values for ecart in ecarts for values in (ecart.avant, ecart.apres)) if ecarts else None
    for ecart in ecarts:
        ecart.changements = affichage.changements(BY_NAME[ecart.feuille], changed[ecart])
    return ecarts
