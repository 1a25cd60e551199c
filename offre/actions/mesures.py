"""What can be done to mesures and prestations: groups, how many are used, the hours of each week."""

import datetime
from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone

from comptes.journal import journalise
from comptes.models import Habilitation
from comptes.models.journal import ACTIONS
from offre.actions.places import Perime, check_open
from offre.models import Creneau, DeclarationMesures, Dispositif, GroupeMesures, PrestationProposee
from siao.socle.database import lock_in_order, refusing
from siao.socle.refusal import Refusal

ACTIONS.update(
    {
        "offre.creer_mesures": "Groupe de mesures créé",
        "offre.modifier_mesures": "Groupe de mesures modifié",
        "offre.modifier_horaires": "Horaires d'une prestation modifiés",
    }
)

Span = tuple[int, datetime.time, datetime.time]
"""Day of the week (1 is Monday), from, to."""


def _journalise(action: str, auteur: Habilitation, objet) -> None:
    journalise(action=f"offre.{action}", utilisateur=auteur.utilisateur, habilitation=auteur, objet=objet)


@transaction.atomic
def create_mesures(*, auteur: Habilitation, dispositif: Dispositif, **valeurs) -> GroupeMesures:
    """Create a group of mesures; ``valeurs``: libelle, nombre, financees, ouvert_le, ferme_le."""
    check_open(dispositif)
    with refusing():
        groupe = GroupeMesures.objects.create(
            dispositif=dispositif, cree_par=auteur.utilisateur, modifie_par=auteur.utilisateur, **valeurs
        )
    _journalise("creer_mesures", auteur, groupe)
    return groupe


@transaction.atomic
def change_mesures(*, auteur: Habilitation, groupe: GroupeMesures, version: int, **valeurs) -> None:
    """Change a group that is still at ``version``; otherwise ``Perime``, and nothing is written."""
    check_open(groupe.dispositif)
    [current] = lock_in_order(GroupeMesures.objects.filter(pk=groupe.pk), waiting_inserts=False)
    if current.version != version:
        raise Perime("Ce groupe a été modifié pendant que vous l'aviez sous les yeux.")
    with refusing():
        GroupeMesures.objects.filter(pk=groupe.pk).update(**valeurs, **GroupeMesures.trace(auteur.utilisateur))
    _journalise("modifier_mesures", auteur, groupe)


@transaction.atomic
def declare_used(*, auteur: Habilitation, groupe: GroupeMesures, utilisees: int) -> bool:
    """Say how many mesures are used, now. False when it was already so: the declaration is then a confirmation."""
    [groupe] = lock_in_order(
        GroupeMesures.objects.filter(pk=groupe.pk).select_related("dispositif__departement"), waiting_inserts=False
    )
    check_open(groupe.dispositif)
    now = timezone.now()
    changed = groupe.utilisees != utilisees
    groupe.utilisees, groupe.declare_le, groupe.declare_par = utilisees, now, auteur.utilisateur
    groupe.save(update_fields=["utilisees", "declare_le", "declare_par"])
    if changed:
        DeclarationMesures.objects.create(
            groupe=groupe, utilisees=utilisees, quand=now, auteur=auteur.utilisateur, habilitation=auteur
        )
    return changed


@transaction.atomic
def set_hours(
    *, auteur: Habilitation, dispositif: Dispositif, nature: str, precision: str, creneaux: Iterable[Span], vus: str
) -> PrestationProposee:
    """Give a prestation of the fiche its hours of the week, in place of those it had.

    ``vus``: the hours that the author saw when they opened the form (``horaires``); others by now: ``Perime``.
    """
    check_open(dispositif)
    if nature not in dispositif.prestations:
        raise Refusal("Cette prestation n'est pas dans la fiche du dispositif : ajoutez-la d'abord à la fiche.")
    with refusing():
        prestation, _ = PrestationProposee.objects.update_or_create(
            dispositif=dispositif, nature=nature, defaults={"precision": precision}
        )
        if prestation.horaires != vus:
            raise Perime("Ces horaires ont été modifiés pendant que vous les aviez sous les yeux.")
        prestation.creneaux.all().delete()
        Creneau.objects.bulk_create(
            Creneau(prestation=prestation, jour=day, heure_debut=begins, heure_fin=ends)
            for day, begins, ends in creneaux
        )
    _journalise("modifier_horaires", auteur, prestation)
    return prestation
