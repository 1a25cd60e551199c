"""Ménages: people accompanied together, in one dossier, and the dispositifs that accompany them."""

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Now

from comptes.droits import Droit
from comptes.historique import historise
from comptes.models import Partage, Siao
from comptes.perimetres import Perimetre
from offre.models import Composition, Dispositif, Rattachement
from offre.models.suivi import Suivi


class MenageQuerySet(models.QuerySet):
    def suivis_par(self, perimetre: Perimetre):
        """The dossiers that ``perimetre`` works on: attached to its SIAO, or accompanied by its dispositifs.

        Only these can be written. The State's perimeters hold none, the whole country included.
        """
        seen = Q(pk__in=())
        if perimetre.siaos:
            seen |= Q(siao__in=perimetre.siaos)
        if perimetre.dispositifs or perimetre.rattachements:
            accompagnes = Accompagnement.objects.current().by(perimetre)
            seen |= Q(pk__in=accompagnes.order_by().values("menage"))
        return self.filter(seen)

    def visible_to(self, perimetre: Perimetre):
        """Those, and the ones that another SIAO shares with this one today."""
        if not perimetre.siaos:
            return self.suivis_par(perimetre)
        partages = Partage.objects.keys(self.model, perimetre)
        return self.filter(Q(siao__in=perimetre.siaos) | Q(pk__in=partages))

    def entiers_pour(self, habilitation):
        """Those where nobody is hidden from the user: only they tell of a place, and can be changed as a whole.

        Of an archived ménage, those who were there count.
        """
        from .personnes import Personne, Regard

        there = Q(appartenances__date_fin__isnull=True) | Q(appartenances__menage__archive_le__isnull=False)
        members = Personne.objects.filter(there, appartenances__menage=OuterRef("pk")).order_by()
        return self.filter(~Exists(members.with_regard(habilitation).exclude(regard=Regard.ENTIER)))

    def traced_to(self, habilitation):
        """Those whose journal and history the user reads: who works on a dossier tells where its persons are."""
        return self.suivis_par(habilitation.perimetre).entiers_pour(habilitation)

    def ouverts(self):
        return self.filter(archive_le__isnull=True)


@historise(droit=Droit.MENAGES_VOIR)
class Menage(Suivi):
    numero = models.CharField(
        "n° de dossier", max_length=20, unique=True, help_text="SIAO qui a ouvert le dossier, puis un numéro."
    )
    # ``menage_par_siao`` is its index.
    siao = models.ForeignKey(
        Siao, models.PROTECT, related_name="+", db_index=False, verbose_name="SIAO de rattachement"
    )
    composition = models.ForeignKey(
        Composition, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="composition du ménage"
    )
    bandeau_expulsion = models.BooleanField(
        "en cours d'expulsion dans l'ancien SI",
        default=False,
        db_default=False,
        help_text="Posé par la reprise, retiré à la première situation ajoutée ou modifiée.",
    )
    archive_le = models.DateField("archivé le", null=True, blank=True, help_text="Jour où il s'est trouvé vide.")

    objects = MenageQuerySet.as_manager()

    class Meta:
        verbose_name = "ménage"
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(numero__regex=r"^[0-9A-Z]+-[0-9]{6,}$"),
                name="menage_numero_lisible",
                violation_error_message="Un numéro de dossier s'écrit comme 44-000123.",
            ),
        ]
        indexes = [
            models.Index(fields=["siao", "-id"], name="menage_par_siao"),
        ]

    def __str__(self):
        return f"dossier {self.numero}"


class AccompagnementQuerySet(models.QuerySet):
    def current(self):
        return self.filter(date_fin__isnull=True)

    def by(self, perimetre: Perimetre):
        """By the dispositifs of ``perimetre``, or those of its entités in the départements where it holds them."""
        by = Q(dispositif__in=perimetre.dispositifs)
        if perimetre.rattachements:
            entites = Rattachement.objects.filter(
                pk__in=perimetre.rattachements,
                entite=OuterRef("dispositif__entite"),
                departement=OuterRef("dispositif__departement"),
            )
            by |= Q(Exists(entites))
        return self.filter(by)

    def entiers_pour(self, habilitation):
        """Those of a ménage where nobody is hidden from the user."""
        return self.filter(menage__in=Menage.objects.entiers_pour(habilitation).order_by())


@historise(droit=Droit.MENAGES_VOIR)
class Accompagnement(models.Model):
    """A dispositif accompanies a ménage, from a day on; as long as nobody ends it, its team sees the dossier."""

    menage = models.ForeignKey(Menage, models.CASCADE, related_name="accompagnements", verbose_name="ménage")
    dispositif = models.ForeignKey(Dispositif, models.PROTECT, related_name="+", verbose_name="dispositif")
    date_debut = models.DateField("depuis le")
    date_fin = models.DateField("jusqu'au", null=True, blank=True, help_text="Dernier jour compris.")
    cree_par = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name="créé par"
    )
    cree_le = models.DateTimeField("créé le", db_default=Now())

    objects = AccompagnementQuerySet.as_manager()

    class Meta:
        verbose_name = "accompagnement"
        ordering = ["date_debut", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(date_fin__isnull=True) | Q(date_fin__gte=F("date_debut")),
                name="accompagnement_finit_apres_son_debut",
                violation_error_message="La fin ne peut pas précéder le début.",
            ),
            models.UniqueConstraint(
                fields=["menage", "dispositif"],
                condition=Q(date_fin__isnull=True),
                name="accompagnement_en_cours_unique",
                violation_error_message="Ce dispositif accompagne déjà ce ménage.",
            ),
        ]
        indexes = [
            models.Index(fields=["dispositif", "menage"], name="accompagnement_par_dispositif"),
        ]

    def __str__(self):
        return f"{self.dispositif}, depuis le {self.date_debut:%d/%m/%Y}"
