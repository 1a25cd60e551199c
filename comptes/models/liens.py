"""Links sent by e-mail: to open an account, to choose a new password."""

import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower, Now
from django.utils import timezone


class NatureLien(models.TextChoices):
    INVITATION = "INVITATION", "Invitation"
    REINITIALISATION = "REINITIALISATION", "Nouveau mot de passe"

    @property
    def duree(self) -> datetime.timedelta:
        """How long the link is valid once sent."""
        return datetime.timedelta(days=7) if self == NatureLien.INVITATION else datetime.timedelta(hours=1)


ESSAIS = 5
"""After so many failures of the mail server, the link must be asked for again."""


class LienQuerySet(models.QuerySet):
    def to_send(self):
        return self.filter(envoye_le__isnull=True, essais__lt=ESSAIS)

    def usable(self):
        return self.filter(expire_le__gt=timezone.now(), utilise_le__isnull=True, utilisateur__is_active=True)


class Lien(models.Model):
    """A link asked for. The worker draws its secret when it writes the e-mail; only the hash is kept here.

    A visitor may ask with any address: the row, and the time it takes, are the same whether an account has it or not.
    """

    nature = models.CharField("nature", max_length=16, choices=NatureLien.choices)
    courriel = models.EmailField("adresse courriel", max_length=254)
    utilisateur = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="liens", verbose_name="utilisateur"
    )
    demande_le = models.DateTimeField("demandé le", db_default=Now())
    essais = models.PositiveSmallIntegerField("essais d'envoi", default=0)
    envoye_le = models.DateTimeField("envoyé le", null=True)
    expire_le = models.DateTimeField("valable jusqu'au", null=True)
    utilise_le = models.DateTimeField("utilisé le", null=True)
    empreinte = models.CharField("empreinte du secret", max_length=64, blank=True)

    objects = LienQuerySet.as_manager()

    class Meta:
        verbose_name = "lien"
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(nature__in=NatureLien.values),
                name="lien_nature_connue",
                violation_error_message="Cette nature de lien n'existe pas.",
            ),
            models.CheckConstraint(
                condition=Q(courriel=Lower("courriel")),
                name="lien_courriel_en_minuscules",
                violation_error_message="L'adresse courriel s'écrit en minuscules.",
            ),
            models.CheckConstraint(
                condition=Q(envoye_le__isnull=True, expire_le__isnull=True, empreinte="")
                | Q(envoye_le__isnull=False, expire_le__isnull=False, utilisateur__isnull=False) & ~Q(empreinte=""),
                name="lien_envoye_a_un_secret",
                violation_error_message="Un lien envoyé a un secret, un destinataire et une fin.",
            ),
            models.UniqueConstraint(
                fields=["empreinte"],
                condition=~Q(empreinte=""),
                name="lien_empreinte_unique",
                violation_error_message="Ce lien existe déjà.",
            ),
        ]
        indexes = [
            models.Index(fields=["courriel", "demande_le"], name="lien_par_courriel"),
            models.Index(fields=["id"], condition=Q(envoye_le__isnull=True), name="lien_a_envoyer"),
        ]

    def __str__(self):
        return f"{self.get_nature_display()} n° {self.pk}"
