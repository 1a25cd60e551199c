"""Undoes the last import of a territory: what was edited since is kept, and said."""

from collections.abc import Sequence

from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from comptes.models import Utilisateur
from offre.models import Ecart, Entite
from offre.models.imports import Decision, Nature, Resultat
from siao.socle.killpoints import kill_point

from .application import change_dispositifs, change_entites, entite_ids, update_fiches
from .declaration import DISPOSITIFS, ENTITES, FINANCEMENTS
from .fiches import TABLES, Fiche, Table, fiches_of
from .listes import Listes
from .plan import Rows

_CHILDREN_FIRST = (FINANCEMENTS.name, DISPOSITIFS.name, ENTITES.name)


def undo_changes(ecarts: Sequence[Ecart], rows: Rows, departements: Sequence[str], *, auteur: Utilisateur) -> None:
    """Put back what the import changed, in the caller's transaction, and write the result on each of ``ecarts``.

    A fiche goes back to what it was when each value that the import gave it is still there; a fiche that the import
    created is deleted when it is still as it was created and nothing else depends on it. The others are kept.
    """
    fiches = fiches_of(departements, Listes(), TABLES)
    by_id = {sheet: {fiche.id: fiche for fiche in known.values()} for sheet, known in fiches.items()}
    for sheet in _CHILDREN_FIRST:
        kill_point("P7")
        concerned = [ecart for ecart in ecarts if ecart.feuille == sheet and _was_applied(ecart)]
        undone = [ecart for ecart in concerned if _still_there(ecart, by_id[sheet].get(ecart.objet), rows)]
        deleted = _delete(TABLES[sheet], [ecart.objet for ecart in undone if ecart.nature == Nature.CREE])
        reverted = [ecart for ecart in undone if ecart.nature != Nature.CREE]
        _revert(TABLES[sheet], reverted, auteur)
        for ecart in concerned:
            put_back = ecart in reverted or (ecart.nature == Nature.CREE and ecart.objet in deleted)
            ecart.resultat = Resultat.ANNULE if put_back else Resultat.CONSERVE
    Entite.objects.filter(
        siren__in=[rows[ENTITES.name][e.cle]["siren"] for e in ecarts if _created_entite(e)], rattachements=None
    ).delete()
    Ecart.objects.bulk_update(ecarts, ["resultat"], batch_size=2_000)


def _created_entite(ecart: Ecart) -> bool:
    return ecart.feuille == ENTITES.name and ecart.nature == Nature.CREE


def _was_applied(ecart: Ecart) -> bool:
    return (
        ecart.nature == Nature.CREE
        or (ecart.nature == Nature.MODIFIE and ecart.decision != Decision.BASE)
        or ecart.decision == Decision.FERMER
    )


def _still_there(ecart: Ecart, fiche: Fiche | None, rows: Rows) -> bool:
    """Whether the fiche still has the values that the import gave it."""
    if fiche is None:
        return False
    given = rows[ecart.feuille][ecart.cle] if ecart.nature == Nature.CREE else ecart.apres
    now = {**fiche.values, "statut": fiche.statut}
    return all(now[key] == value for key, value in given.items() if key in now)


def _delete(table: Table, ids: list[int]) -> set[int]:
    """Delete fiches; those on which something else depends are left. Returns the ids that are gone."""
    try:
        with transaction.atomic():
            table.model.objects.filter(pk__in=ids).delete()
            return set(ids)
    except (ProtectedError, IntegrityError):
        pass
    gone = set()
    for identifier in ids:
        try:
            with transaction.atomic():
                table.model.objects.filter(pk=identifier).delete()
                gone.add(identifier)
        except (ProtectedError, IntegrityError):
            continue
    return gone


def _revert(table: Table, ecarts: list[Ecart], auteur: Utilisateur) -> None:
    changes = [(ecart.objet, dict(ecart.avant)) for ecart in ecarts]
    if table.sheet is DISPOSITIFS:
        ids = entite_ids({values["siren"] for _, values in changes if "siren" in values})
        for _, values in changes:
            if "siren" in values:
                values["entite"] = ids[values["siren"]]
        change_dispositifs(changes, auteur)
    elif table.sheet is ENTITES:
        change_entites(changes, auteur)
    else:
        update_fiches(table, changes, auteur)
