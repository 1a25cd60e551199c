"""Raising alerts on unusual accesses, and saying that one was examined (docs/decisions/0029-alertes.md)."""

import datetime

import structlog
from django.db import transaction
from django.utils import timezone

from comptes.journal import journalise
from comptes.models import Alerte, Habilitation, NatureAlerte
from siao.socle.refusal import Refusal

logger = structlog.get_logger(__name__)


def alert(
    *, nature: NatureAlerte, utilisateur: int, habilitation: int, jour: datetime.date, nombre: int
) -> Alerte | None:
    """Raise an alert about a user; None when it was already, that day. It also goes to the technical log.

    ``habilitation``: that under which the accesses were made; of an ATTRIBUTION, the one that was given, which has
    its own alert.
    """
    once = {"utilisateur_id": utilisateur, "nature": nature, "jour": jour}
    rest = {"habilitation_id": habilitation, "nombre": nombre}
    if nature == NatureAlerte.ATTRIBUTION:
        once["habilitation_id"] = rest.pop("habilitation_id")
    alerte, new = Alerte.objects.get_or_create(**once, defaults=rest)
    if not new:
        return None
    logger.warning("alerte", nature=nature, utilisateur=utilisateur, habilitation=habilitation, nombre=nombre)
    return alerte


@transaction.atomic
def examine(*, auteur: Habilitation, alerte: Alerte) -> None:
    """Say that an alert was examined: by somebody else than the one it is about, or who received the habilitation."""
    if auteur.utilisateur_id in (alerte.utilisateur_id, alerte.habilitation.utilisateur_id):
        raise Refusal("Cette alerte vous concerne : quelqu'un d'autre doit l'examiner.")
    if (
        not Alerte.objects.to_examine()
        .filter(pk=alerte.pk)
        .update(examinee_le=timezone.now(), examinee_par=auteur.utilisateur)
    ):
        raise Refusal("Cette alerte a déjà été examinée.")
    journalise(action="comptes.examiner_alerte", utilisateur=auteur.utilisateur, habilitation=auteur, objet=alerte)
