"""The outbox: an e-mail to send is a row, written in the transaction of what it tells, sent by the worker.

Killed in between, it may be sent twice; it is never lost. A mail server that is away is asked again, less and less
often, for about three days. Once sent, only who and when is kept: the text may say something of somebody.
"""

import datetime
from smtplib import SMTPException

import structlog
from celery import shared_task
from django.core.mail import EmailMessage
from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.template.loader import render_to_string
from django.utils import timezone

from siao.socle.jobs import wake

log = structlog.get_logger(__name__)

ESSAIS = 13
"""The last one leaves 2¹² minutes, nearly three days, after the one before."""
CONSERVATION = datetime.timedelta(days=30)
"""How long the row of an e-mail that left, or never will, is kept."""


class CourrielQuerySet(models.QuerySet):
    def due(self):
        """Those to send now."""
        return self.filter(envoye_le__isnull=True, essais__lt=ESSAIS, a_partir_de__lte=timezone.now())

    def outdated(self):
        return self.filter(cree_le__lt=timezone.now() - CONSERVATION)


class Courriel(models.Model):
    a = models.EmailField("destinataire", max_length=254)
    sujet = models.CharField("sujet", max_length=200)
    texte = models.TextField("texte", blank=True)
    cree_le = models.DateTimeField("créé le", db_default=Now())
    a_partir_de = models.DateTimeField("à envoyer à partir de", default=timezone.now)
    essais = models.PositiveSmallIntegerField("essais d'envoi", default=0)
    envoye_le = models.DateTimeField("envoyé le", null=True)

    objects = CourrielQuerySet.as_manager()

    class Meta:
        app_label = "socle"
        verbose_name = "courriel"
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(envoye_le__isnull=True) | Q(texte=""),
                name="courriel_envoye_sans_texte",
                violation_error_message="Un courriel envoyé ne garde pas son texte.",
            ),
        ]
        indexes = [models.Index(fields=["id"], condition=Q(envoye_le__isnull=True), name="courriel_a_envoyer")]

    def __str__(self):
        return f"Courriel n° {self.pk}"


@shared_task
def send_mails():
    """What the worker does when it is woken, and regularly."""
    send_due()


def post(*, a: str, gabarit: str, **context) -> None:
    """Have an e-mail sent to the address ``a``: the first line of the template ``gabarit`` is its subject."""
    sujet, texte = render_to_string(gabarit, context).split("\n", 1)
    Courriel.objects.create(a=a, sujet=sujet, texte=texte.lstrip())
    wake(send_mails)


def send_due() -> int:
    """Send what waits; return how many left. Several workers may run this at once."""
    sent = 0
    for key in list(Courriel.objects.due().order_by("pk").values_list("pk", flat=True)):
        with transaction.atomic():
            rows = Courriel.objects.due().select_for_update(of=("self",), skip_locked=True)
            courriel = rows.filter(pk=key).first()
            if courriel is None:
                continue
            row = Courriel.objects.filter(pk=key)
            try:
                EmailMessage(courriel.sujet, courriel.texte, to=[courriel.a]).send()
            except (SMTPException, OSError) as error:
                log.warning("courriel_non_envoye", courriel=key, error=type(error).__name__)
                wait = datetime.timedelta(minutes=2**courriel.essais)
                row.update(essais=F("essais") + 1, a_partir_de=timezone.now() + wait)
            else:
                row.update(envoye_le=timezone.now(), texte="")
                sent += 1
    return sent
