"""Unusual accesses: one alert each, for who answers for the accesses of that perimeter."""

import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from comptes.perimetres import Perimetre

from .habilitations import OCTROIS, Habilitation


class NatureAlerte(models.TextChoices):
    RECHERCHES = "RECHERCHES", "Plus de 60 recherches en dix minutes"
    AILLEURS = "AILLEURS", "Plus de 30 dossiers d'un autre département dans la journée"
    EXTRACTIONS = "EXTRACTIONS", "Plus de 3 extractions de données personnelles dans la journée"
    NUIT = "NUIT", "Consultation de dossiers la nuit, hors 115"
    ATTRIBUTION = "ATTRIBUTION", "Habilitation donnée, avec des droits que son auteur n'a pas"


class AlerteQuerySet(models.QuerySet):
    def visible_to(self, perimetre: Perimetre):
        """Those raised under a habilitation inside the perimeter."""
        if perimetre.national:
            return self
        return self.filter(habilitation__in=Habilitation.objects.inside(perimetre).values("pk"))

    def readable(self):
        """With what a page says of each: the user, the habilitation and its territory, who examined it."""
        return self.select_related(
            "utilisateur",
            "habilitation__utilisateur",
            "habilitation__departement",
            "habilitation__region",
            "habilitation__siao",
            "examinee_par",
        ).prefetch_related(*(f"habilitation__{lookup}" for lookup in OCTROIS))

    def not_about(self, utilisateur):
        """Those that ``utilisateur`` may examine: neither on what they did nor on a habilitation given to them."""
        return self.exclude(utilisateur=utilisateur).exclude(habilitation__utilisateur=utilisateur)

    def to_examine(self):
        return self.filter(examinee_le__isnull=True)


class Alerte(models.Model):
    """One user, one kind of unusual access, one day: never two. Of habilitations given: one each, and each day."""

    nature = models.CharField("nature", max_length=11, choices=NatureAlerte.choices)
    utilisateur = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name="utilisateur"
    )
    habilitation = models.ForeignKey(Habilitation, models.PROTECT, related_name="+", verbose_name="habilitation")
    jour = models.DateField("jour", help_text="Où l'utilisateur travaille ; d'une nuit, celui du soir.")
    nombre = models.PositiveIntegerField("accès comptés", help_text="Au moment de l'alerte.")
    levee_le = models.DateTimeField("donnée le", db_default=Now())
    examinee_le = models.DateTimeField("examinée le", null=True)
    examinee_par = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name="examinée par"
    )

    objects = AlerteQuerySet.as_manager()

    class Meta:
        verbose_name = "alerte"
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["utilisateur", "nature", "jour"],
                condition=~Q(nature=NatureAlerte.ATTRIBUTION),
                name="alerte_une_par_jour",
                violation_error_message="Cette alerte a déjà été donnée.",
            ),
            models.UniqueConstraint(
                fields=["utilisateur", "habilitation", "jour"],
                condition=Q(nature=NatureAlerte.ATTRIBUTION),
                name="alerte_une_par_attribution",
                violation_error_message="Cette alerte a déjà été donnée.",
            ),
            models.CheckConstraint(
                condition=Q(nature__in=NatureAlerte.values),
                name="alerte_nature_connue",
                violation_error_message="Cette nature d'alerte n'existe pas.",
            ),
            models.CheckConstraint(
                condition=Q(examinee_le__isnull=True, examinee_par__isnull=True)
                | Q(examinee_le__isnull=False, examinee_par__isnull=False) & ~Q(examinee_par=models.F("utilisateur")),
                name="alerte_examinee_par_un_autre",
                violation_error_message="Une alerte est examinée par quelqu'un d'autre que celui qu'elle concerne.",
            ),
        ]

    def __str__(self):
        return f"Alerte n° {self.pk}"

    @property
    def jours(self) -> list[datetime.date]:
        """The days whose entries of the journal tell it: a night has two."""
        morning = [self.jour + datetime.timedelta(days=1)] if self.nature == NatureAlerte.NUIT else []
        return [self.jour, *morning]
