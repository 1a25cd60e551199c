"""Writes a plan: whole tables at a time, inside the caller's transaction."""

import datetime
from collections.abc import Callable, Sequence
from functools import partial

from comptes.models import Utilisateur
from offre.colonnes.declaration import DISPOSITIFS, ENTITES, FINANCEMENTS
from offre.colonnes.ecriture import (
    CHANGE,
    change_dispositifs,
    change_entites,
    change_financements,
    insert_dispositifs,
    insert_entites,
    insert_financements,
)
from offre.colonnes.fiches import TABLES
from offre.models import Ecart, Import
from offre.models.imports import Decision, Nature
from offre.models.nomenclature import Statut
from siao.socle.database import check_now

from .etapes import record_steps
from .plan import Rows
from .propositions import propose
from .renommages import Renommages


def apply_plan(
    ecarts: Sequence[Ecart],
    rows: Rows,
    *,
    auteur: Utilisateur,
    statut: str,
    aujourdhui: datetime.date,
    travail: Import | None = None,
    progress: Callable[[str, int, int], None] = lambda *_: None,
    renommages: Renommages = (),
) -> None:
    """Create, change, propose and close what ``ecarts`` say, with the values of ``rows`` (canonical, by tab and key).

    Runs in the caller's transaction; a broken constraint raises ``IntegrityError`` and nothing is written.
    """
    _leave_kept(ecarts)
    by_sheet = {name: [ecart for ecart in ecarts if ecart.feuille == name] for name in TABLES}
    # Its new name may be only proposed, or left aside: what is created under it goes to the same fiche.
    aliases = {new: old for sheet, old, new in renommages if sheet == DISPOSITIFS.name}
    # A fiche that is closed frees its name for another one of the same file.
    close(ecarts, auteur=auteur, aujourdhui=aujourdhui)
    for sheet, write in _WRITERS.items():
        created, changed = _created(by_sheet[sheet], rows, sheet), _changed(by_sheet[sheet])
        phase, total = f"Enregistrement des {TABLES[sheet].nom}", len(created) + len(changed)
        write(created, changed, auteur, statut, partial(_told, progress, phase, total), aliases)
        progress(phase, total, total)
    propose([ecart for ecart in _taken(ecarts) if ecart.propose], auteur=auteur, statut=statut, travail=travail)
    check_now()
    if travail:  # neither a rehearsal nor the demonstration is a step in the life of a fiche
        record_steps([ecart for ecart in ecarts if _applied(ecart)], auteur=auteur, travail=travail)


def _leave_kept(ecarts: Sequence[Ecart]) -> None:
    """What the user keeps of the base is no longer a change: neither written, nor proposed, nor undone."""
    concerned = [ecart for ecart in ecarts if ecart.gardes]
    for ecart in concerned:
        ecart.avant = {key: value for key, value in ecart.avant.items() if key not in ecart.gardes}
        ecart.apres = {key: value for key, value in ecart.apres.items() if key not in ecart.gardes}
    Ecart.objects.bulk_update(concerned, ["avant", "apres"])


def _told(progress, phase: str, total: int, done: int) -> None:
    progress(phase, done, total)


def _applied(ecart: Ecart) -> bool:
    """Whether it changes a fiche: neither what the user left as it was, nor what is proposed only."""
    kept = ecart.nature == Nature.ABSENT and ecart.decision != Decision.FERMER
    return not kept and not ecart.propose and ecart.decision != Decision.BASE


def _created(ecarts, rows: Rows, sheet: str) -> list[tuple[int, dict]]:
    return [(ecart.objet, rows[sheet][ecart.cle]) for ecart in ecarts if ecart.nature == Nature.CREE]


def _taken(ecarts) -> list[Ecart]:
    """What takes the values of the workbook."""
    return [ecart for ecart in ecarts if ecart.nature == Nature.MODIFIE and ecart.decision in ("", Decision.FICHIER)]


def _changed(ecarts) -> list[tuple[int, dict]]:
    return [(ecart.objet, ecart.apres) for ecart in _taken(ecarts) if not ecart.propose]


def _write_entites(created, changed, auteur, statut, done, aliases) -> None:
    change_entites(changed, auteur)
    insert_entites(created, statut=statut, auteur=auteur, done=done)


def _write_dispositifs(created, changed, auteur, statut, done, aliases) -> None:
    insert_dispositifs(created, statut=statut, auteur=auteur, done=done)
    change_dispositifs(changed, auteur)


def _write_financements(created, changed, auteur, statut, done, aliases) -> None:
    insert_financements(created, auteur=auteur, done=done, aliases=aliases)
    change_financements(changed, auteur)


_WRITERS = {
    ENTITES.name: _write_entites,
    DISPOSITIFS.name: _write_dispositifs,
    FINANCEMENTS.name: _write_financements,
}
"""In the order in which a row finds its parents."""


def close(ecarts: Sequence[Ecart], *, auteur: Utilisateur, aujourdhui: datetime.date) -> None:
    """Close the fiches that the user decided to close; what they were is kept in ``avant``, for the undo."""
    closed = [ecart for ecart in ecarts if ecart.decision == Decision.FERMER]
    for sheet, table in TABLES.items():
        ids = [ecart.objet for ecart in closed if ecart.feuille == sheet]
        if not ids:
            continue
        dates = "date_fin" if sheet == FINANCEMENTS.name else "date_fermeture"
        opening = {FINANCEMENTS.name: "date_debut", DISPOSITIFS.name: "date_ouverture"}.get(sheet)
        fields = [dates] if sheet == FINANCEMENTS.name else [dates, "statut"]
        now = {row.pop("pk"): row for row in table.model.objects.filter(pk__in=ids).values("pk", *fields)}
        starts = dict(table.model.objects.filter(pk__in=ids).values_list("pk", opening)) if opening else {}
        for ecart in closed:
            if ecart.feuille != sheet:
                continue
            # A period that has not begun yet ends the day it was to begin.
            end = max(aujourdhui, starts.get(ecart.objet, aujourdhui)).isoformat()
            ecart.avant = {key: _iso(value) for key, value in now[ecart.objet].items()}
            ecart.apres = {dates: end} | ({"statut": Statut.FERME.value} if "statut" in fields else {})
        Ecart.objects.bulk_update([ecart for ecart in closed if ecart.feuille == sheet], ["avant", "apres"])
        CHANGE[sheet]([(ecart.objet, ecart.apres) for ecart in closed if ecart.feuille == sheet], auteur)


def _iso(value):
    return value.isoformat() if isinstance(value, datetime.date) else value
