"""Fusions of two fiches of the same person, and what it takes to undo one for thirty days."""

import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from comptes.droits import Droit
from comptes.historique import historise
from menages.relations import concerne

from .personnes import Personne

DELAI = datetime.timedelta(days=30)
"""How long a fusion can be undone."""


class FusionQuerySet(models.QuerySet):
    def entiers_pour(self, habilitation):
        """Those of a person who is seen whole."""
        return self.filter(maitre__in=Personne.objects.entiers_pour(habilitation).order_by())


@concerne(suit=False, exporte=("faite_le", "defaite_le"))
@historise(droit=Droit.MENAGES_VOIR)
class Fusion(models.Model):
    """One fusion. ``maitre`` is kept; ``absorbee`` is closed to writing, her path stays readable."""

    maitre = models.ForeignKey(Personne, models.PROTECT, related_name="fusions", verbose_name="personne gardée")
    absorbee = models.ForeignKey(Personne, models.PROTECT, related_name="+", verbose_name="personne absorbée")
    faite_le = models.DateTimeField("faite le", db_default=Now())
    faite_par = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name="faite par")
    deplace = models.JSONField("ce qui a été déplacé", default=list, help_text="Clés des lignes, par modèle et champ.")
    identite_avant = models.JSONField("identité d'avant", default=dict)
    identite_apres = models.JSONField("identité choisie", default=dict)
    defaite_le = models.DateTimeField("défaite le", null=True)
    defaite_par = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name="défaite par"
    )

    objects = FusionQuerySet.as_manager()

    class Meta:
        verbose_name = "fusion"
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["absorbee"],
                condition=Q(defaite_le__isnull=True),
                name="fusion_une_seule_fois",
                violation_error_message="Cette fiche est déjà fusionnée.",
            ),
        ]

    def __str__(self):
        return f"fusion n° {self.pk}"

    @property
    def fin_du_delai(self) -> datetime.datetime:
        return self.faite_le + DELAI

    @property
    def peut_se_defaire(self) -> bool:
        return self.defaite_le is None and timezone.now() < self.fin_du_delai
