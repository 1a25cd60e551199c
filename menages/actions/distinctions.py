"""Remembering that two fiches that look alike are of two persons."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction

from comptes.models import Habilitation
from menages.actions.journal import log
from menages.models import Distinction, Personne


@dataclass(frozen=True)
class Ecartees:
    """The likenesses that the author of a new dossier saw, and said not to be the same persons."""

    connues: tuple[tuple[int, int], ...] = ()
    """Place of the new person in the form, key of a fiche that looks like her."""
    entre_elles: tuple[tuple[int, int], ...] = ()
    """Places of two new persons."""


AUCUNE = Ecartees()


@transaction.atomic
def tell_apart(*, auteur: Habilitation, paires: Iterable[tuple[int, int]]) -> None:
    """Write down that each of ``paires`` (keys) is two persons. Said twice, it is written once."""
    Distinction.objects.bulk_create(
        [Distinction(une_id=une, autre_id=autre, declaree_par=auteur.utilisateur) for une, autre in paires],
        ignore_conflicts=True,
    )


@transaction.atomic
def not_duplicates(*, auteur: Habilitation, une: Personne, autre: Personne) -> None:
    """The same for two fiches that were compared, with a line in the journal of each."""
    tell_apart(auteur=auteur, paires=[(une.pk, autre.pk)])
    log(auteur, "menages.distinguer", une)
    log(auteur, "menages.distinguer", autre)
