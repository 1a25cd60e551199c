"""Situations résidentielles: where a person lives, from a day on. One at a time, without a gap, held by PostgreSQL."""

import datetime

from django.db import models
from django.db.models import Q

from comptes.droits import Droit
from comptes.historique import historise
from comptes.models import Region
from menages.models import Menage, Personne
from menages.models.personnes import DUnePersonneQuerySet, closed_to_writing
from menages.relations import concerne
from offre.models.suivi import Suivi
from siao.socle.chains import chain_of, debut_suivante
from siao.socle.database import ForeignKeyTogether

from .referentiel import NON_RENSEIGNEE, Sr2

PREMIER_JOUR = datetime.date(1900, 1, 1)
"""No situation begins before."""


class SituationQuerySet(DUnePersonneQuerySet):
    def current(self):
        return self.filter(date_fin__isnull=True)

    def at(self, jour: datetime.date):
        """The situation of each person on ``jour``, both ends included."""
        return self.filter(Q(date_fin__isnull=True) | Q(date_fin__gte=jour), date_debut__lte=jour)

    def to_confirm(self, since: datetime.date):
        """Current ones that nobody has said to be true since ``since``."""
        return self.current().exclude(sr2=NON_RENSEIGNEE).filter(confirmee_le__lt=since)

    def followed_by(self, perimetre):
        """Current situations of the persons of the dossiers that ``perimetre`` works on."""
        return self.current().filter(
            personne__active=True,
            personne__appartenances__date_fin__isnull=True,
            personne__appartenances__menage__in=Menage.objects.suivis_par(perimetre).order_by(),
        )

    def readable(self):
        """With the labels that any page shows."""
        return self.select_related("sr2__sr1", "region")


@concerne(suit=False, exporte=("sr2", "region", "date_debut", "date_fin", "confirmee_le"))
@historise(droit=Droit.MENAGES_VOIR)
class SituationResidentielle(Suivi):
    # No index of its own: the constraints of the chain have one that begins with it.
    personne = models.ForeignKey(
        Personne, models.PROTECT, related_name="situations", db_index=False, verbose_name="personne"
    )
    # The key below, on two columns, is the one that the database checks.
    sr2 = models.ForeignKey(
        Sr2, models.PROTECT, related_name="+", db_constraint=False, verbose_name="situation résidentielle"
    )
    region = models.ForeignKey(
        Region, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="région d'orientation"
    )
    avec_region = models.GeneratedField(
        expression=Q(region__isnull=False), output_field=models.BooleanField(), db_persist=True
    )
    date_debut = models.DateField("depuis le")
    date_fin = models.DateField("jusqu'au", null=True, blank=True, help_text="Dernier jour compris.")
    debut_suivante = debut_suivante()
    confirmee_le = models.DateField(
        "exacte au", help_text="Dernier jour où quelqu'un l'a saisie, ou confirmée « toujours exacte »."
    )

    objects = SituationQuerySet.as_manager()

    class Meta:
        verbose_name = "situation résidentielle"
        verbose_name_plural = "situations résidentielles"
        ordering = ["date_debut", "pk"]
        constraints = [
            *chain_of("personne", model="situations.SituationResidentielle", name="situation"),
            models.CheckConstraint(
                condition=Q(date_debut__gte=PREMIER_JOUR),
                name="situation_commence_apres_1900",
                violation_error_message="Une situation ne commence pas avant le 01/01/1900.",
            ),
            ForeignKeyTogether(
                fields=["sr2", "avec_region"],
                to="situations.Sr2",
                to_fields=["code", "region_obligatoire"],
                name="situation_region_si_demandee",
                violation_error_message="Précisez la région d'orientation si et seulement si la situation la demande.",
            ),
        ]
        indexes = [
            # Worklists go through the current situation of each person of a SIAO, from the index alone.
            models.Index(
                fields=["personne"],
                include=["id", "sr2", "confirmee_le", "date_debut"],
                condition=Q(date_fin__isnull=True),
                name="situation_courante",
            ),
        ]
        triggers = closed_to_writing()

    def __str__(self):
        return f"{self.sr2_id} depuis le {self.date_debut:%d/%m/%Y}"

    @property
    def libelle(self) -> str:
        """The situation as it is read, with the region of a SAS."""
        return f"{self.sr2} ({self.region})" if self.region_id else str(self.sr2)
