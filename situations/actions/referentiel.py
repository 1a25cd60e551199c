"""Administering the grid: a value changes, is retired, is added; none that may have served disappears."""

from django.db import transaction
from django.db.models import F, Max
from django.db.models.functions import Now

from comptes.journal import journalise
from comptes.models import Habilitation
from siao.socle.database import lock_in_order, refusing
from siao.socle.refusal import Refusal, Stale
from situations.models import Sr1, Sr2


@transaction.atomic
def edit_sr2(*, auteur: Habilitation, sr2: Sr2, version: int, valeurs: dict) -> None:
    """Change a value. ``version``: that of the page. Raises ``Stale``, or ``Refusal`` for what the rules forbid."""
    _lock(valeurs, sr2)
    replaced = Sr2.objects.filter(remplacee_par=sr2)
    replacement = valeurs.get("remplacee_par")
    if valeurs.get("retiree_le") and not replacement and (led := replaced.order_by("ordre").first()):
        raise Refusal(f"« {led} » est remplacée par celle-ci : dites par laquelle la remplacer à son tour.")
    trace = {"version": F("version") + 1, "modifiee_le": Now(), "modifiee_par": auteur.utilisateur}
    with refusing():
        changed = Sr2.objects.filter(pk=sr2.pk, version=version).update(**valeurs, **trace)
    if not changed:
        raise Stale("Cette situation a été modifiée entre-temps.")
    if replacement:
        # One step leads to what can be chosen.
        replaced.update(remplacee_par=replacement, **trace)
    journalise(action="situations.modifier_referentiel", utilisateur=auteur.utilisateur, habilitation=auteur, objet=sr2)


@transaction.atomic
def add_sr2(*, auteur: Habilitation, sr1: Sr1, valeurs: dict) -> Sr2:
    """Add a value at the end of its type; its code is the next one: a code is never used twice."""
    _lock(valeurs)
    siblings = Sr2.objects.filter(sr1=sr1)
    number = max((int(code.partition(".")[2]) for code in siblings.values_list("code", flat=True)), default=0) + 1
    last = siblings.aggregate(last=Max("ordre"))["last"] or 0
    Sr2.objects.filter(ordre__gt=last).update(ordre=F("ordre") + 1)
    with refusing():
        sr2 = Sr2.objects.create(
            code=f"{sr1.pk}.{number}", sr1=sr1, ordre=last + 1, modifiee_par=auteur.utilisateur, **valeurs
        )
    journalise(action="situations.modifier_referentiel", utilisateur=auteur.utilisateur, habilitation=auteur, objet=sr2)
    return sr2


def _lock(valeurs: dict, sr2: Sr2 | None = None) -> None:
    """One change of the grid at a time, while situations are entered; refuse a replacement that nobody could choose."""
    grid = {sr2.pk: sr2 for sr2 in lock_in_order(Sr2.objects.all(), waiting_inserts=False)}
    if replacement := valeurs.get("remplacee_par"):
        locked = grid[replacement.pk]
        if sr2 and locked.remplacee_par_id == sr2.pk:
            raise Refusal(f"« {locked} » est remplacée par celle-ci : choisissez-en une autre.")
        if locked.remplacee_par_id:
            raise Refusal(f"« {locked} » est elle-même remplacée : choisissez celle qui la remplace.")
        if locked.retiree_le:
            raise Refusal(f"« {locked} » est elle-même retirée : choisissez-en une autre.")
