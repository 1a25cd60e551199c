"""« Ce n'est pas un doublon »: two fiches that somebody looked at, and that are two persons. Never proposed again."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Greatest, Least, Now

from menages.relations import concerne

from .personnes import Personne


class DistinctionQuerySet(models.QuerySet):
    def of(self, personne: int):
        return self.filter(Q(une=personne) | Q(autre=personne))


@concerne(suit=True, exporte=("declaree_le",))
class Distinction(models.Model):
    une = models.ForeignKey(Personne, models.CASCADE, related_name="+", verbose_name="une personne")
    autre = models.ForeignKey(Personne, models.CASCADE, related_name="+", verbose_name="une autre")
    declaree_le = models.DateTimeField("déclarées différentes le", db_default=Now())
    declaree_par = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name="déclarées différentes par"
    )

    objects = DistinctionQuerySet.as_manager()

    class Meta:
        verbose_name = "« ce n'est pas un doublon »"
        verbose_name_plural = "« ce n'est pas un doublon »"
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                Least("une", "autre"),
                Greatest("une", "autre"),
                name="distinction_une_fois",
                violation_error_message="Ces deux fiches sont déjà déclarées différentes.",
            ),
            models.CheckConstraint(
                condition=~Q(une=F("autre")),
                name="distinction_de_deux",
                violation_error_message="C'est deux fois la même fiche : choisissez-en une autre.",
            ),
        ]

    def __str__(self):
        return f"déclarée différente d'une autre fiche le {self.declaree_le:%d/%m/%Y}"
