"""What each fiche to create will hold, as the user reads it before importing: a count would hide a wrong value."""

from collections.abc import Iterable

from comptes.models import Commune
from offre.colonnes.affichage import OTHERS, Affichage
from offre.colonnes.declaration import BY_NAME, DISPOSITIFS
from offre.colonnes.listes import Listes
from offre.models import Contenu, Ecart
from offre.models.imports import Nature

from .travaux import unpack


def with_values(ecarts: Iterable[Ecart]) -> list[Ecart]:
    """The same differences of one import, each with ``valeurs``: [(label, value)] of a fiche to create, in the order of
    the workbook, as long as what was read is kept."""
    ecarts = list(ecarts)
    created = _created(ecarts)
    affichage = _affichage(created.values()) if created else None
    for ecart in ecarts:
        values = created.get(ecart)
        ecart.valeurs = []
        if values:
            sheet = BY_NAME[ecart.feuille]
            owner = [(OTHERS["siren"], values["siren"])] if sheet is DISPOSITIFS else []
            lines = [line for group in affichage.groupes(sheet, values).values() for line in group]
            ecart.valeurs = owner + [(label, shown) for _, label, shown in lines if shown]
    return ecarts


def _affichage(rows: Iterable[dict]) -> Affichage:
    """What showing the values takes, in as many queries whatever they are: lists once, communes once."""
    listes = Listes()
    listes["compositions"]  # reads every list of the administration
    codes = {row.get("commune") or "" for row in rows} | {""}
    communes = dict(Commune.objects.filter(code__in=codes).values_list("code", "nom"))
    return Affichage(listes=listes, communes=communes)


def _created(ecarts: list[Ecart]) -> dict[Ecart, dict]:
    created = [ecart for ecart in ecarts if ecart.nature == Nature.CREE]
    contenu = Contenu.objects.filter(travail=created[0].travail_id).first() if created else None
    rows = unpack(contenu)[0] if contenu else {}
    return {ecart: rows[ecart.feuille][ecart.cle] for ecart in created if ecart.cle in rows.get(ecart.feuille, {})}
