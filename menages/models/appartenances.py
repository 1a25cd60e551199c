"""Who lives with whom: a person is in exactly one ménage at a time, and every arrival and departure is dated."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from comptes.droits import Droit
from comptes.historique import historise
from menages.relations import concerne
from siao.socle.chains import chain_of, debut_suivante

from .menages import Menage
from .personnes import Personne, closed_to_writing


class AppartenanceQuerySet(models.QuerySet):
    def current(self):
        return self.filter(date_fin__isnull=True)

    def actives(self):
        """Of persons who count: neither absorbed by a fusion."""
        return self.filter(personne__active=True)


@concerne(suit=False, exporte=("menage", "date_debut", "date_fin"))
@historise(droit=Droit.MENAGES_VOIR)
class Appartenance(models.Model):
    # No index of its own: the constraints of the chain have one that begins with it.
    personne = models.ForeignKey(
        Personne, models.PROTECT, related_name="appartenances", db_index=False, verbose_name="personne"
    )
    menage = models.ForeignKey(Menage, models.PROTECT, related_name="appartenances", verbose_name="ménage")
    date_debut = models.DateField("arrivée le")
    date_fin = models.DateField("départ le", null=True, blank=True, help_text="Dernier jour compris.")
    debut_suivante = debut_suivante()
    saisie_par = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name="saisie par"
    )
    saisie_le = models.DateTimeField("saisie le", db_default=Now())

    objects = AppartenanceQuerySet.as_manager()

    class Meta:
        verbose_name = "appartenance à un ménage"
        verbose_name_plural = "appartenances à un ménage"
        ordering = ["date_debut", "pk"]
        constraints = chain_of("personne", model="menages.Appartenance", name="appartenance")
        indexes = [
            # Who is in the ménages of a SIAO today: read whole by worklists and searches, from the index alone.
            models.Index(
                fields=["menage", "personne"], condition=Q(date_fin__isnull=True), name="appartenance_courante"
            ),
        ]
        triggers = closed_to_writing()

    def __str__(self):
        return f"{self.personne_id} dans {self.menage_id} depuis le {self.date_debut:%d/%m/%Y}"
