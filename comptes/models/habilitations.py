"""What a user may do, and where: user × profil × perimeter."""

import datetime
from functools import cached_property, reduce
from operator import or_

from django.apps import apps
from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import CharField, Exists, F, OuterRef, Q
from django.db.models.functions import Cast, Now
from django.utils import timezone
from guardian.models.models import UserObjectPermissionAbstract

from comptes.droits import Droit, Famille, Niveau, Profil, droits_of, profils_managed_by
from comptes.historique import historise
from comptes.perimetres import Perimetre

from .territoires import Departement, Region, Siao

OCTROIS = ("octrois__departement", "octrois__content_object")
"""What naming the perimeter of the family « Entité gestionnaire » takes: lookups to prefetch."""


class HabilitationQuerySet(models.QuerySet):
    def current(self):
        """Those that open something today: begun, neither ended nor withdrawn.

        Today is the day in metropolitan France for everybody: a right is given and taken away by that clock.
        """
        return self.not_over().filter(date_debut__lte=timezone.localdate())

    def not_over(self):
        """Current ones and those to come."""
        return self.filter(Q(date_fin__isnull=True) | Q(date_fin__gte=timezone.localdate()), retiree_le__isnull=True)

    def ending_within(self, delay: datetime.timedelta):
        """Current ones whose last day comes within ``delay``."""
        return self.current().filter(date_fin__lte=timezone.localdate() + delay)

    def of(self, utilisateur):
        """The habilitations that ``utilisateur`` may choose from today, with their territory."""
        return self.current().filter(utilisateur=utilisateur).with_territoire()

    def with_territoire(self):
        return self.select_related("departement", "region", "siao__departement")

    def with_octrois(self):
        return self.with_territoire().prefetch_related(*OCTROIS)

    def inside(self, perimetre: Perimetre):
        """Those whose whole perimeter is inside ``perimetre``."""
        if perimetre.national:
            return self
        codes = perimetre.departements
        partly_outside = Departement.objects.exclude(code__in=codes).values("region")
        # A SIAO holds its own SIAO only, the State every SIAO of its départements.
        siao = Q(siao__in=perimetre.siaos) if perimetre.siaos else Q(siao__departement__in=codes)
        octrois = Octroi.objects.filter(habilitation=OuterRef("pk"))
        return self.filter(
            Q(departement__in=codes)
            | (Q(region__isnull=False) & ~Q(region__in=partly_outside))
            | siao
            | (Exists(octrois) & ~Exists(octrois.exclude(_object_seen_by(perimetre))))
        )

    def manageable_by(self, habilitation):
        """Those that ``habilitation`` may give and take away: a lower rank, inside its perimeter."""
        managed = profils_managed_by(habilitation.profil)
        return self.inside(habilitation.perimetre).filter(profil__in=managed)


def _only(*filled: str) -> Q:
    """Condition: of the three territories, exactly ``filled`` are given."""
    return Q(**{f"{field}__isnull": field not in filled for field in ("departement", "region", "siao")})


_TERRITOIRE = {
    Niveau.NATIONAL: _only(),
    Niveau.REGION: _only("region"),
    Niveau.DEPARTEMENT: _only("departement"),
    Niveau.SIAO: _only("siao"),
    Niveau.ENTITE: _only(),
    Niveau.DISPOSITIF: _only(),
}


@historise(droit=Droit.COMPTES_GERER)
class Habilitation(models.Model):
    """One profil on one perimeter, between two dates. Never deleted: withdrawn."""

    utilisateur = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="habilitations", verbose_name="utilisateur"
    )
    profil = models.CharField("profil", max_length=30, choices=Profil.choices)
    departement = models.ForeignKey(
        Departement, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="département"
    )
    region = models.ForeignKey(Region, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="région")
    siao = models.ForeignKey(Siao, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="SIAO")
    date_debut = models.DateField("date de début", default=timezone.localdate)
    date_fin = models.DateField("date de fin", null=True, blank=True, help_text="Dernier jour compris.")
    accordee_le = models.DateTimeField("accordée le", db_default=Now())
    accordee_par = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name="accordée par"
    )
    retiree_le = models.DateTimeField("retirée le", null=True)
    retiree_par = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name="retirée par"
    )

    objects = HabilitationQuerySet.as_manager()

    class Meta:
        verbose_name = "habilitation"
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(profil__in=Profil.values),
                name="habilitation_profil_connu",
                violation_error_message="Ce profil n'existe pas.",
            ),
            models.CheckConstraint(
                condition=reduce(
                    or_,
                    (Q(profil=profil) & reduce(or_, (_TERRITOIRE[n] for n in profil.niveaux)) for profil in Profil),
                ),
                name="habilitation_territoire_selon_profil",
                violation_error_message="Ce profil ne s'exerce pas sur ce genre de territoire.",
            ),
            models.CheckConstraint(
                condition=Q(date_fin__isnull=True) | Q(date_fin__gte=F("date_debut")),
                name="habilitation_finit_apres_son_debut",
                violation_error_message="La date de fin ne peut pas précéder la date de début.",
            ),
            models.CheckConstraint(
                condition=Q(retiree_le__isnull=False) | Q(retiree_par__isnull=True),
                name="habilitation_retiree_a_une_date",
                violation_error_message="Une habilitation retirée a une date de retrait.",
            ),
            # The entités and dispositifs of a profil are its octrois: several habilitations may have the same columns.
            models.UniqueConstraint(
                fields=["utilisateur", "profil", "departement", "region", "siao"],
                condition=Q(date_fin__isnull=True, retiree_le__isnull=True)
                & ~Q(profil__in=[p for p in Profil if p.famille == Famille.ENTITE]),
                nulls_distinct=False,
                name="habilitation_unique",
                violation_error_message="Cette personne a déjà cette habilitation.",
            ),
        ]
        indexes = [models.Index(fields=["siao"], name="habilitation_par_siao")]

    def __str__(self):
        return f"{self.get_profil_display()} — {self.lieu}"

    @property
    def niveau(self) -> Niveau:
        if self.departement_id:
            return Niveau.DEPARTEMENT
        if self.region_id:
            return Niveau.REGION
        # Only the analyst has a choice, and the widest is what is left.
        return Profil(self.profil).niveaux[0]

    @property
    def territoire(self) -> Departement | Region | Siao | None:
        """None for the whole country, and for profils that hold entités or dispositifs."""
        return self.departement or self.region or self.siao

    @property
    def lieu(self) -> str:
        """The perimeter in words, as the header shows it."""
        if self.territoire:
            return self.territoire.nom
        if self.niveau == Niveau.NATIONAL:
            return Niveau.NATIONAL.label
        objets = [f"{octroi.content_object} ({octroi.departement.nom})" for octroi in self.octrois.all()]
        return ", ".join(objets) or "aucun périmètre"

    @property
    def famille(self) -> Famille:
        return Profil(self.profil).famille

    @cached_property
    def droits(self) -> frozenset[str]:
        return droits_of(self.profil)

    @cached_property
    def perimetre(self) -> Perimetre:
        match self.niveau:
            case Niveau.NATIONAL:
                return Perimetre(national=True)
            case Niveau.REGION | Niveau.DEPARTEMENT:
                return Perimetre(departements=self.codes_departements)
            case Niveau.SIAO:
                return Perimetre(departements=self.codes_departements, siaos=frozenset([self.siao_id]))
            case Niveau.ENTITE:
                return Perimetre(rattachements=self._octroyes)
            case Niveau.DISPOSITIF:
                return Perimetre(dispositifs=self._octroyes)

    @cached_property
    def codes_departements(self) -> frozenset[str]:
        """The départements that the perimeter touches; empty for the whole country."""
        if self.departement_id:
            return frozenset([self.departement_id])
        if self.region_id:
            return frozenset(Departement.objects.filter(region=self.region_id).values_list("code", flat=True))
        if self.siao_id:
            return frozenset([self.siao.departement_id])
        return frozenset(octroi.departement_id for octroi in self.octrois.all())

    @property
    def _octroyes(self) -> frozenset[int]:
        return frozenset(int(octroi.object_pk) for octroi in self.octrois.all())


def _object_seen_by(perimetre: Perimetre) -> Q:
    """Condition on octrois: their object is visible to ``perimetre``."""
    seen = Q(pk__in=())
    for model in granted_models().values():
        keys = model.objects.visible_to(perimetre).order_by().values(cle=Cast("pk", CharField()))
        seen |= Q(content_type=ContentType.objects.get_for_model(model), object_pk__in=keys)
    return seen


@historise(droit=Droit.COMPTES_GERER)
class Octroi(UserObjectPermissionAbstract):
    """What a habilitation of the family « Entité gestionnaire » holds: one entité in one département, or a dispositif.

    The object-level grant of django-guardian, owned by the habilitation: it lives and ends with it. The objects come
    from applications above this one; ``settings.HABILITATION_OBJETS`` names their models, which all have a
    ``departement``, an ``entite`` and a ``visible_to``.
    """

    habilitation = models.ForeignKey(Habilitation, models.CASCADE, related_name="octrois", verbose_name="habilitation")
    departement = models.ForeignKey(Departement, models.PROTECT, related_name="+", verbose_name="département")

    objects = models.Manager()

    class Meta(UserObjectPermissionAbstract.Meta):
        abstract = False
        verbose_name = "octroi"
        ordering = ["pk"]
        unique_together = []
        constraints = [
            models.UniqueConstraint(
                fields=["habilitation", "content_type", "object_pk"],
                name="octroi_unique",
                violation_error_message="Cette habilitation porte déjà sur cet objet.",
            ),
        ]


def granted_models() -> dict[Niveau, type[models.Model]]:
    """The models that habilitations hold object by object, by level."""
    return {Niveau(niveau): apps.get_model(label) for niveau, label in settings.HABILITATION_OBJETS.items()}
