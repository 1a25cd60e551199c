"""Administering the grid: a value changes, is retired, is added; none that may have served disappears."""

from django.db import IntegrityError, transaction
from django.db.models import F, Max
from django.db.models.functions import Now

from comptes.journal import journalise
from comptes.models import Habilitation
from siao.socle.database import sentence_of
from siao.socle.refusal import Refusal, Stale
from situations.models import Sr1, Sr2


@transaction.atomic
def edit_sr2(*, auteur: Habilitation, sr2: Sr2, version: int, valeurs: dict) -> None:
    """Change a value. ``version``: that of the page. Raises ``Stale``, or ``Refusal`` for what the rules forbid."""
    replacement = valeurs.get("remplacee_par")
    if replacement and replacement.remplacee_par_id:
        raise Refusal(f"« {replacement} » est elle-même remplacée : choisissez celle qui la remplace.")
    trace = {"version": F("version") + 1, "modifiee_le": Now(), "modifiee_par": auteur.utilisateur}
    try:
        with transaction.atomic():
            changed = Sr2.objects.filter(pk=sr2.pk, version=version).update(**valeurs, **trace)
    except IntegrityError as error:
        raise Refusal(sentence_of(error) or "Ces valeurs ne vont pas ensemble.") from error
    if not changed:
        raise Stale("Cette situation a été modifiée entre-temps.")
    journalise(action="situations.modifier_referentiel", utilisateur=auteur.utilisateur, habilitation=auteur, objet=sr2)


@transaction.atomic
def add_sr2(*, auteur: Habilitation, sr1: Sr1, valeurs: dict) -> Sr2:
    """Add a value at the end of its type; its code is the next one: a code is never used twice."""
    Sr1.objects.select_for_update(of=("self",)).get(pk=sr1.pk)
    siblings = Sr2.objects.filter(sr1=sr1)
    number = max((int(code.partition(".")[2]) for code in siblings.values_list("code", flat=True)), default=0) + 1
    last = siblings.aggregate(last=Max("ordre"))["last"] or 0
    Sr2.objects.filter(ordre__gt=last).update(ordre=F("ordre") + 1)
    sr2 = Sr2.objects.create(
        code=f"{sr1.pk}.{number}", sr1=sr1, ordre=last + 1, modifiee_par=auteur.utilisateur, **valeurs
    )
    journalise(action="situations.modifier_referentiel", utilisateur=auteur.utilisateur, habilitation=auteur, objet=sr2)
    return sr2
