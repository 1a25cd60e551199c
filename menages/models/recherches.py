"""Nominative searches: counted, so that nobody goes through the country's persons; kept six months."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from comptes.models import Habilitation


class Recherche(models.Model):
    """One search. Its criteria are for the data protection officer alone: no page shows them."""

    utilisateur = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name="utilisateur"
    )
    habilitation = models.ForeignKey(Habilitation, models.PROTECT, related_name="+", verbose_name="habilitation")
    quand = models.DateTimeField("quand", db_default=Now())
    criteres = models.JSONField("critères", default=dict)
    cles = ArrayField(models.TextField(), default=list, verbose_name="clés")
    ailleurs = ArrayField(
        models.BigIntegerField(),
        default=list,
        verbose_name="connues ailleurs",
        help_text="Personnes que la page n'a pas nommées, à qui demander l'accès.",
    )
    nombre = models.PositiveSmallIntegerField("résultats montrés", default=0)

    class Meta:
        verbose_name = "recherche"
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["utilisateur", "quand"], name="recherche_par_utilisateur"),
            models.Index(fields=["quand"], name="recherche_par_date"),
        ]

    def __str__(self):
        return f"recherche n° {self.pk}"
