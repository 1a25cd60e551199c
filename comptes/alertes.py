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
    """Raise an alert about a user; None when it was already, that day. It also goes to the technical log."""
    alerte, new = Alerte.objects.get_or_create(
        utilisateur_id=utilisateur,
        nature=nature,
        jour=jour,
        defaults={"habilitation_id": habilitation, "nombre": nombre},
    )
    if not new:
        return None
    logger.warning("alerte", nature=nature, utilisateur=utilisateur, habilitation=habilitation, nombre=nombre)
    return alerte


@transaction.atomic
def examine(*, auteur: Habilitation, alerte: Alerte) -> None:
    """Say that an alert was examined: by somebody else than the one it is about."""
    if alerte.utilisateur_id == auteur.utilisateur_id:
        raise Refusal("Cette alerte vous concerne : quelqu'un d'autre doit l'examiner.")
    if (
        not Alerte.objects.to_examine()
        .filter(pk=alerte.pk)
        .update(examinee_le=timezone.now(), examinee_par=auteur.utilisateur)
    ):
        raise Refusal("Cette alerte a déjà été examinée.")
    journalise(action="comptes.examiner_alerte", utilisateur=auteur.utilisateur, habilitation=auteur, objet=alerte)
