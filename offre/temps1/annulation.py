"""Undoes the last import of a territory: what was edited since is kept, and said."""

from collections.abc import Sequence

from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from comptes.models import Utilisateur
from offre.colonnes.declaration import DISPOSITIFS, ENTITES, FINANCEMENTS
from offre.colonnes.ecriture import CHANGE
from offre.colonnes.fiches import TABLES, Fiche, Table, fiches_of
from offre.colonnes.listes import Listes
from offre.models import Ecart, Entite, Import
from offre.models.imports import Decision, Nature, Resultat
from offre.models.nomenclature import Statut
from siao.socle.killpoints import kill_point

from .etapes import forget_steps, record_steps
from .plan import Rows
from .propositions import take_back

_CHILDREN_FIRST = (FINANCEMENTS.name, DISPOSITIFS.name, ENTITES.name)


def undo_changes(
    ecarts: Sequence[Ecart], rows: Rows, departements: Sequence[str], *, auteur: Utilisateur, travail: Import
) -> None:
    """Put back what the import changed, in the caller's transaction, and write the result on each of ``ecarts``.

    A fiche goes back to what it was when each value that the import gave it is still there; a fiche that the import
    created is deleted when it is still as it was created and nothing else depends on it. The others are kept. What it
    proposed is taken back while it waits, and the proposition that it had replaced waits again.
    """
    fiches = fiches_of(departements, Listes(), TABLES)
    by_id = {sheet: {fiche.id: fiche for fiche in known.values()} for sheet, known in fiches.items()}
    for sheet in _CHILDREN_FIRST:
        kill_point("P7")
        concerned = [ecart for ecart in ecarts if ecart.feuille == sheet and _was_applied(ecart) and not ecart.propose]
        undone = [ecart for ecart in concerned if _still_there(ecart, by_id[sheet].get(ecart.objet), rows, travail)]
        deleted = _delete(TABLES[sheet], [ecart.objet for ecart in undone if ecart.nature == Nature.CREE])
        reverted = [ecart for ecart in undone if ecart.nature != Nature.CREE]
        _revert(TABLES[sheet], reverted, auteur)
        record_steps(reverted, auteur=auteur, travail=travail, undone=True)
        for ecart in concerned:
            put_back = ecart in reverted or (ecart.nature == Nature.CREE and ecart.objet in deleted)
            ecart.resultat = Resultat.ANNULE if put_back else Resultat.CONSERVE
    proposed = [ecart for ecart in ecarts if ecart.propose and _was_applied(ecart)]
    taken_back = take_back(proposed, auteur=auteur, travail=travail)
    for ecart in proposed:
        ecart.resultat = Resultat.ANNULE if ecart in taken_back else Resultat.CONSERVE
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


def _still_there(ecart: Ecart, fiche: Fiche | None, rows: Rows, travail: Import) -> bool:
    """Whether the fiche still has the values that the import gave it, and nobody validated them meanwhile."""
    if fiche is None or (fiche.statut == Statut.VALIDE and travail.statut_vise != Statut.VALIDE):
        return False
    given = rows[ecart.feuille][ecart.cle] if ecart.nature == Nature.CREE else ecart.apres
    now = {**fiche.values, "statut": fiche.statut}
    return all(now[key] == value for key, value in given.items() if key in now)


def _delete(table: Table, ids: list[int]) -> set[int]:
    """Delete fiches; those on which something else depends are left. Returns the ids that are gone."""
    try:
        with transaction.atomic():
            _delete_all(table, ids)
            return set(ids)
    except (ProtectedError, IntegrityError):
        pass
    gone = set()
    for identifier in ids:
        try:
            with transaction.atomic():
                _delete_all(table, [identifier])
                gone.add(identifier)
        except (ProtectedError, IntegrityError):
            continue
    return gone


def _delete_all(table: Table, ids: list[int]) -> None:
    """Delete fiches and the steps of their life; a proposition on one of them refuses."""
    forget_steps(table, ids)
    table.model.objects.filter(pk__in=ids).delete()


def _revert(table: Table, ecarts: list[Ecart], auteur: Utilisateur) -> None:
    CHANGE[table.sheet.name]([(ecart.objet, ecart.avant) for ecart in ecarts], auteur)
