"""Forgetting persons two years after their last activity: who is about to be, and the statistics that stay."""

from django.db import models

from menages.models import Personne
from menages.models.personnes import DUnePersonneQuerySet
from menages.relations import concerne


@concerne(suit=False, exporte=("annonce_le", "echeance"))
class Oubli(models.Model):
    """A person announced to their SIAO as about to be forgotten; activity in the meantime removes the line."""

    personne = models.OneToOneField(Personne, models.CASCADE, related_name="oubli", verbose_name="personne")
    annonce_le = models.DateField("annoncé le")
    echeance = models.DateField("sera oubliée le")

    objects = DUnePersonneQuerySet.as_manager()

    class Meta:
        verbose_name = "oubli annoncé"
        verbose_name_plural = "oublis annoncés"
        ordering = ["echeance", "pk"]
        indexes = [models.Index(fields=["echeance"], name="oubli_par_echeance")]

    def __str__(self):
        return f"{self.personne_id}, le {self.echeance:%d/%m/%Y}"


class SituationOubliee(models.Model):
    """What statistics keep of the situations of forgotten persons: counts, which lead back to nobody."""

    annee = models.PositiveSmallIntegerField("année de début")
    departement = models.CharField("département", max_length=3)
    tranche_age = models.CharField("tranche d'âge", max_length=10)
    sr1 = models.CharField("situation de niveau 1", max_length=5)
    mois = models.PositiveSmallIntegerField("durée en mois")
    nombre = models.PositiveIntegerField("nombre")

    class Meta:
        verbose_name = "situation oubliée"
        verbose_name_plural = "situations oubliées"
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["annee", "departement", "tranche_age", "sr1", "mois"],
                name="situation_oubliee_unique",
                violation_error_message="Ce compte existe déjà.",
            ),
        ]

    def __str__(self):
        return f"{self.annee}, {self.departement}, {self.sr1} : {self.nombre}"
