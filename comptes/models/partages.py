"""Exceptional shares of one object with another SIAO, between two dates."""

import datetime

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Cast, Now
from django.utils import timezone
from guardian.models.models import GroupObjectPermissionAbstract

from comptes.droits import Droit
from comptes.historique import historise
from comptes.perimetres import Perimetre

MAXIMUM = datetime.timedelta(days=365)
"""How long a share lasts at most."""


class PartageQuerySet(models.QuerySet):
    def current(self):
        today = timezone.localdate()
        return self.filter(date_debut__lte=today, date_fin__gte=today, retire_le__isnull=True)

    def of(self, objet: models.Model):
        return self.filter(content_type=ContentType.objects.get_for_model(objet), object_pk=str(objet.pk))

    def entiers_pour(self, habilitation):
        """Those of objects of which nothing is hidden from the user, for the models that hide something."""
        whole = models.Q()
        for content_type in ContentType.objects.filter(pk__in=self.order_by().values("content_type")):
            rows = content_type.model_class()._default_manager.all()
            if hasattr(rows, "entiers_pour"):
                shown = rows.entiers_pour(habilitation).order_by().values(cle=Cast("pk", models.CharField()))
                whole &= ~models.Q(content_type=content_type) | models.Q(object_pk__in=shown)
        return self.filter(whole)

    def keys(self, model: type[models.Model], perimetre: Perimetre):
        """Primary keys of the objects of ``model`` that are shared today with a SIAO of ``perimetre``, as a subquery.

        A ``visible_to`` that admits shares says
        ``perimetre.rows(siao="siao") | Q(pk__in=Partage.objects.keys(self.model, perimetre))``.
        """
        return (
            self.current()
            .filter(content_type=ContentType.objects.get_for_model(model), group__siao__in=perimetre.siaos)
            .order_by()
            .values(cle=Cast("object_pk", models.BigIntegerField()))
        )


@historise(droit=Droit.JOURNAL_VOIR)
class Partage(GroupObjectPermissionAbstract):
    """The object-level grant of django-guardian to the group of a SIAO, with its dates, its motive and its author."""

    date_debut = models.DateField("date de début", default=timezone.localdate)
    date_fin = models.DateField("date de fin", help_text="Dernier jour compris.")
    motif = models.CharField("motif", max_length=255)
    accorde_le = models.DateTimeField("accordé le", db_default=Now())
    accorde_par = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name="accordé par"
    )
    retire_le = models.DateTimeField("retiré le", null=True)

    objects = PartageQuerySet.as_manager()

    class Meta(GroupObjectPermissionAbstract.Meta):
        abstract = False
        verbose_name = "partage"
        ordering = ["pk"]
        unique_together = []
        constraints = [
            models.CheckConstraint(
                condition=Q(date_fin__gte=F("date_debut")),
                name="partage_finit_apres_son_debut",
                violation_error_message="La date de fin ne peut pas précéder la date de début.",
            ),
            models.CheckConstraint(
                condition=Q(date_fin__lte=F("date_debut") + MAXIMUM),
                name="partage_d_un_an_au_plus",
                violation_error_message="Un partage dure un an au plus.",
            ),
            models.CheckConstraint(
                condition=~Q(motif=""),
                name="partage_motive",
                violation_error_message="Donnez le motif du partage.",
            ),
        ]
