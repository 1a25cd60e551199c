"""What a user may do, and where: user × profil × territory."""

from functools import cached_property

from django.conf import settings
from django.db import models
from django.db.models import Q

from comptes.droits import Famille, Profil, droits_of
from comptes.perimetres import Perimetre

from .territoires import Departement, Region


class HabilitationQuerySet(models.QuerySet):
    def of(self, utilisateur):
        """The habilitations that ``utilisateur`` may choose from, with their territory."""
        return self.filter(utilisateur=utilisateur).select_related("departement", "region")


class Habilitation(models.Model):
    """One profil on one territory: a département, or a whole région (DREETS, DRIHL)."""

    utilisateur = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="habilitations", verbose_name="utilisateur"
    )
    profil = models.CharField("profil", max_length=30, choices=Profil.choices)
    departement = models.ForeignKey(
        Departement, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="département"
    )
    region = models.ForeignKey(Region, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="région")

    objects = HabilitationQuerySet.as_manager()

    class Meta:
        verbose_name = "habilitation"
        ordering = ["utilisateur", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(profil__in=Profil.values),
                name="habilitation_profil_connu",
                violation_error_message="Ce profil n'existe pas.",
            ),
            models.CheckConstraint(
                condition=Q(departement__isnull=True) ^ Q(region__isnull=True),
                name="habilitation_un_seul_territoire",
                violation_error_message="Une habilitation porte sur un département ou sur une région.",
            ),
            models.UniqueConstraint(
                fields=["utilisateur", "profil", "departement", "region"],
                nulls_distinct=False,
                name="habilitation_unique",
                violation_error_message="Cette personne a déjà cette habilitation.",
            ),
        ]

    def __str__(self):
        return f"{self.get_profil_display()} — {self.territoire.nom}"

    @property
    def territoire(self) -> Departement | Region:
        return self.departement or self.region

    @property
    def famille(self) -> Famille:
        return Profil(self.profil).famille

    @cached_property
    def droits(self) -> frozenset[str]:
        return droits_of(self.profil)

    @cached_property
    def perimetre(self) -> Perimetre:
        if self.departement_id:
            return Perimetre(departements=frozenset([self.departement_id]))
        codes = Departement.objects.filter(region=self.region_id).values_list("code", flat=True)
        return Perimetre(departements=frozenset(codes))
