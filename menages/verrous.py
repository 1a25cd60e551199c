"""Locks on persons: always taken first, in the order of their keys, by every action that touches a parcours.

A row lock in one order is what makes concurrent editors wait for each other instead of dying of a deadlock
(docs/decisions/0020-parcours.md). Locks on ménages come after those on persons: whoever lets somebody in or out takes
them, so that a ménage is archived when it is empty and then alone.
"""

from collections.abc import Collection, Iterable

from menages.models import Appartenance, Menage, Personne
from siao.socle.database import lock_in_order
from siao.socle.refusal import Refusal


class Fusionnee(Refusal):
    """The person is absorbed: everything happens on the fiche that was kept, ``maitre``."""

    def __init__(self, personne: Personne):
        self.maitre = personne.fusionnee_dans_id
        super().__init__(
            f"La fiche de {personne.designation} ({personne.numero}) a été fusionnée entre-temps : "
            "continuez sur la fiche gardée."
        )


class Parties(Refusal):
    """Persons who are no longer in the ménage on which they were ticked."""

    def __init__(self, personnes: Collection[Personne]):
        self.personnes = [personne.pk for personne in personnes]
        names = ", ".join(personne.designation for personne in personnes)
        super().__init__(f"Plus dans ce ménage : {names}. Rechargez la page, puis recommencez.")


def lock_personnes(keys: Iterable[int]) -> dict[int, Personne]:
    """Lock persons until the end of the transaction, and check that their fiches can be written.

    Raises ``Fusionnee``, or ``Refusal`` for frozen data and for unknown keys.
    """
    keys = set(keys)
    personnes = {personne.pk: personne for personne in lock_in_order(Personne.objects.filter(pk__in=keys))}
    if len(personnes) < len(keys):
        raise Refusal("Une de ces personnes n'existe plus : rouvrez le dossier pour voir qui s'y trouve.")
    check_open(personnes.values())
    return personnes


def gelee(personne: Personne) -> str:
    return (
        f"Les données de {personne.numero} sont gelées : rien ne peut y être écrit. Qui répond aux droits des "
        "personnes peut les dégeler."
    )


def check_open(personnes: Iterable[Personne]) -> None:
    """Refuse the fiches that are closed to writing. Frozen data are told of without a name."""
    for personne in personnes:
        if personne.gelee_le:
            raise Refusal(gelee(personne))
        if personne.fusionnee_dans_id:
            raise Fusionnee(personne)


def check_present(menage: Menage, personnes: Collection[Personne]) -> None:
    """Refuse those who are not in ``menage`` today."""
    here = set(
        Appartenance.objects.current().filter(menage=menage, personne__in=personnes).values_list("personne", flat=True)
    )
    if gone := [personne for personne in personnes if personne.pk not in here]:
        raise Parties(gone)


def lock_menages(keys: Iterable[int]) -> dict[int, Menage]:
    return {menage.pk: menage for menage in lock_in_order(Menage.objects.filter(pk__in=set(keys)))}
