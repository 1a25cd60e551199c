"""What an import and its undo leave in the life of each fiche: one transition, with what changed."""

import json
from collections.abc import Iterable

from comptes.models import Utilisateur
from offre.colonnes.declaration import DISPOSITIFS, ENTITES
from offre.colonnes.fiches import TABLES, Table
from offre.models import Ecart, Import, Transition
from offre.models.imports import Nature
from siao.socle.database import copy_rows

KEYS = {ENTITES.name: "rattachement", DISPOSITIFS.name: "dispositif"}
"""The key of a transition to a fiche of each tab; a financement has no statut."""


def record_steps(ecarts: Iterable[Ecart], *, auteur: Utilisateur, travail: Import, undone: bool = False) -> None:
    """Keep the step of each fiche that ``ecarts`` created, changed or closed (``undone``: that was put back)."""
    ecarts = list(ecarts)
    for sheet, key in KEYS.items():
        concerned = [ecart for ecart in ecarts if ecart.feuille == sheet]
        model = TABLES[sheet].model
        now = dict(model.objects.filter(pk__in=[e.objet for e in concerned]).values_list("pk", "statut"))
        copy_rows(
            Transition,
            ["de", "vers", "motif", "changements", "auteur", "travail", "a_prevenir", key],
            (
                (*_step(ecart, now[ecart.objet], undone), auteur.pk, travail.pk, False, ecart.objet)
                for ecart in concerned
            ),
        )


def forget_steps(table: Table, ids: list[int]) -> None:
    """The steps of fiches that are going to be deleted: they go first, whenever the database checks its keys."""
    if key := KEYS.get(table.sheet.name):
        Transition.objects.filter(**{f"{key}__in": ids}).delete()


def _step(ecart: Ecart, statut: str, undone: bool) -> tuple[str, str, str, str]:
    before, after = (ecart.apres, ecart.avant) if undone else (ecart.avant, ecart.apres)
    de = "" if ecart.nature == Nature.CREE else before.get("statut", statut)
    changed = {key: [before.get(key), after.get(key)] for key in {*before, *after} - {"statut"}}
    return de, statut, "Annulation de l'import" if undone else "", json.dumps(changed)
