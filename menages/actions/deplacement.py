"""Moving persons from a ménage to another: splitting a ménage, joining two, an arrival, a departure.

Situations belong to persons: nothing happens to them, they follow.
"""

import datetime
from collections.abc import Iterable

from django.db import transaction

from comptes.models import Habilitation, Partage
from menages.actions.dossiers import archive_if_empty, open_menage, reopen
from menages.actions.journal import log
from menages.models import Appartenance, Menage, Personne
from menages.verrous import check_present, lock_menages, lock_personnes
from siao.socle.chains import moving_boundaries
from siao.socle.refusal import Refusal


@transaction.atomic
def move_personnes(
    *,
    auteur: Habilitation,
    origine: Menage,
    personnes: Iterable[int],
    destination: Menage | None,
    jour: datetime.date,
    suivent: Iterable[int] = (),
) -> Menage:
    """Move persons (keys) of ``origine`` to ``destination`` (None: a new dossier), where they are from ``jour`` on.

    They leave the day before; a person who leaves on the day of their arrival was never there. A ménage where nobody
    is left is archived. All or nothing; the refusal names the person. Returns the destination.

    ``suivent``: the accompagnements of ``origine`` (keys) whose dispositifs accompany a new dossier too, none unless it
    was decided: their teams will read it whole. Asked of who sees the whole of ``origine``.
    """
    locked = lock_personnes(personnes)
    if destination:
        check_entry(auteur, locked.values(), destination)
    if destination is None:
        chosen = origine.accompagnements.current().filter(
            pk__in=suivent, menage__in=Menage.objects.entiers_pour(auteur).order_by()
        )
        followed_by = [each.dispositif for each in chosen.select_related("dispositif").order_by("pk")]
        destination = open_menage(auteur=auteur, siao=origine.siao, dispositifs=followed_by)
    lock_menages([origine.pk, destination.pk])
    aujourdhui = origine.siao.departement.aujourdhui
    if jour > aujourdhui:
        raise Refusal("Un déplacement ne s'enregistre pas d'avance : choisissez une date passée, ou aujourd'hui.")
    if destination.pk == origine.pk:
        raise Refusal("Ces personnes sont déjà dans ce ménage : choisissez-en un autre.")
    check_present(origine, locked.values())
    current = Appartenance.objects.current().filter(personne__in=locked, menage=origine)
    appartenances = {appartenance.personne_id: appartenance for appartenance in current.order_by("pk")}
    for key, personne in locked.items():
        _check(personne, appartenances[key], jour)
    corrected = [a.pk for a in appartenances.values() if a.date_debut == jour]
    ended = [a for a in appartenances.values() if a.date_debut < jour]
    with moving_boundaries("appartenance"):
        Appartenance.objects.filter(pk__in=corrected).update(menage=destination)
        Appartenance.objects.filter(pk__in=[a.pk for a in ended]).update(date_fin=jour - datetime.timedelta(days=1))
        Appartenance.objects.bulk_create(
            Appartenance(personne_id=a.personne_id, menage=destination, date_debut=jour, saisie_par=auteur.utilisateur)
            for a in ended
        )
    reopen(destination.pk)
    log(auteur, "menages.deplacer", origine)
    log(auteur, "menages.deplacer", destination)
    archive_if_empty([origine.pk])
    return destination


def check_entry(auteur: Habilitation, personnes: Iterable[Personne], destination: Menage) -> None:
    """Who lets a protected person into an existing dossier sees the whole of it: who reads her there, above all."""
    whole = Menage.objects.entiers_pour(auteur).filter(pk=destination.pk)
    if any(personne.protegee for personne in personnes) and not whole.exists():
        raise Refusal(
            "Une personne de cet autre dossier est protégée ou gelée : vous ne voyez pas qui y lirait où est celle que "
            "vous déplacez. Choisissez un nouveau dossier, ou demandez à un agent désigné."
        )


def readers_of(menage: Menage) -> list[str]:
    """Who reads a dossier besides its SIAO: the teams that accompany it, and the SIAO it is shared with."""
    teams = menage.accompagnements.current().select_related("dispositif").order_by("pk")
    partages = Partage.objects.of(menage).current().select_related("group__siao").order_by("pk")
    return [f"l'équipe de {each.dispositif}" for each in teams] + [f"{each.group.siao} (partage)" for each in partages]


def _check(personne: Personne, appartenance: Appartenance, jour: datetime.date) -> None:
    if jour < appartenance.date_debut:
        raise Refusal(
            f"{personne.designation} est dans ce ménage depuis le {appartenance.date_debut:%d/%m/%Y} : "
            "choisissez ce jour-là au plus tôt."
        )
