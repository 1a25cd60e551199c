"""Reminders: who declares places is written to when what they declared is older than 24 h. Safe to run at any time."""

import datetime
from collections import defaultdict
from smtplib import SMTPException

import structlog
from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.core.mail import EmailMessage, get_connection
from django.db import connection, transaction
from django.db.models import Count
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from comptes.droits import Droit, droits_of
from comptes.models import Habilitation, Octroi, Utilisateur
from offre.models import Dispositif, Place, RappelPlaces, Rattachement

log = structlog.get_logger(__name__)

INTERVALLE = datetime.timedelta(hours=24)
"""Nobody receives two reminders within that long, however many dispositifs they hold."""
PAR_PASSAGE = 1_000
"""E-mails of one run: it ends before the next one begins."""


def remind(now: datetime.datetime | None = None) -> int:
    """Send the reminders that are due; return how many left. Two runs at once never write to the same person twice."""
    now = now or timezone.now()
    waiting = _waiting(now)
    recent = RappelPlaces.objects.filter(envoye_le__gt=now - INTERVALLE).values_list("utilisateur", flat=True)
    due = sorted(waiting.keys() - set(recent))[:PAR_PASSAGE]
    people = Utilisateur.objects.in_bulk(due)
    sent = 0
    with get_connection() as mail:
        for key in due:
            try:
                with transaction.atomic():
                    if _claim(key, now):
                        _message(people[key], waiting[key], mail).send()
                        sent += 1
            except (SMTPException, OSError) as error:
                # The claim is undone with the transaction: the next run tries again.
                log.warning("rappel_non_envoye", utilisateur=key, error=str(error))
    return sent


def _claim(utilisateur: int, now: datetime.datetime) -> bool:
    """Take the reminder of ``utilisateur``; False when another run took it, or within the interval."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {RappelPlaces._meta.db_table} AS r (utilisateur_id, envoye_le) VALUES (%s, %s) "  # noqa: S608
            "ON CONFLICT (utilisateur_id) DO UPDATE SET envoye_le = excluded.envoye_le WHERE r.envoye_le <= %s",
            [utilisateur, now, now - INTERVALLE],
        )
        return cursor.rowcount == 1


def _waiting(now: datetime.datetime) -> dict[int, list[tuple[Dispositif, int]]]:
    """User → their dispositifs with places to confirm, and how many: those of the dispositif, else of its entité."""
    counted = Place.objects.to_confirm(now).order_by().values("groupe__dispositif").annotate(nombre=Count("pk"))
    numbers = dict(counted.values_list("groupe__dispositif", "nombre"))
    dispositifs = Dispositif.objects.in_bulk(numbers)
    attached = {
        (entite, departement): pk
        for pk, entite, departement in Rattachement.objects.filter(
            entite__in={dispositif.entite_id for dispositif in dispositifs.values()}
        ).values_list("pk", "entite", "departement")
    }
    by_dispositif = _holders(Dispositif)
    by_entite = _holders(Rattachement)
    waiting = defaultdict(list)
    for key, dispositif in dispositifs.items():
        entite = attached.get((dispositif.entite_id, dispositif.departement_id))
        for utilisateur in by_dispositif.get(key) or by_entite.get(entite, ()):
            waiting[utilisateur].append((dispositif, numbers[key]))
    return waiting


def _holders(model) -> dict[int, set[int]]:
    """Object of ``model`` → users whose current habilitation holds it and may declare its places."""
    current = Habilitation.objects.current().filter(utilisateur__is_active=True)
    held = Octroi.objects.filter(content_type=ContentType.objects.get_for_model(model), habilitation__in=current)
    found = defaultdict(set)
    for key, utilisateur, profil in held.values_list("object_pk", "habilitation__utilisateur", "habilitation__profil"):
        if Droit.PLACES_DISPONIBILITE in droits_of(profil):
            found[int(key)].add(utilisateur)
    return found


def _message(utilisateur: Utilisateur, lines: list[tuple[Dispositif, int]], mail) -> EmailMessage:
    context = {
        "total": sum(number for _, number in lines),
        "lignes": [
            {
                "dispositif": dispositif,
                "nombre": number,
                "url": f"{settings.SITE_URL}{reverse('offre:places_dispositif', args=[dispositif.pk])}",
            }
            for dispositif, number in sorted(lines, key=lambda line: line[0].nom_cle)
        ],
    }
    subject, body = render_to_string("offre/places/rappel.txt", context).split("\n", 1)
    return EmailMessage(subject, body.lstrip(), to=[utilisateur.courriel], connection=mail)
