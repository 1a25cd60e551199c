"""Mesures d'accompagnement, counted by group; prestations of the veille sociale, with the hours of their week."""

import datetime

import pgtrigger
from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Func, OuterRef, Q, Subquery
from django.db.models.functions import Now

from comptes.droits import Droit
from comptes.historique import historise
from comptes.models import Habilitation
from comptes.models.journal import AppendOnly
from comptes.perimetres import Perimetre
from siao.socle.database import ForeignKeyTogether, Single
from siao.socle.text import Folded, words_of

from .dispositifs import Dispositif
from .nomenclature import Categorie, Prestation
from .places import since
from .suivi import Suivi

# --- Mesures ----------------------------------------------------------------------------------------------------


class GroupeMesuresQuerySet(models.QuerySet):
    def visible_to(self, perimetre: Perimetre):
        return self.filter(dispositif__in=Dispositif.objects.visible_to(perimetre).values("pk"))

    def search(self, text: str):
        """Those whose name, or whose dispositif's, contains each word of ``text``, accents and case apart."""
        found = (Q(libelle_cle__contains=word) | Q(dispositif__nom_cle__contains=word) for word in words_of(text))
        return self.filter(*found)

    def open_at(self, day: datetime.date):
        return self.filter(Q(ferme_le__isnull=True) | Q(ferme_le__gt=day), ouvert_le__lte=day)

    def for_list(self):
        """With what a line of the list shows, in one query."""
        entite = Dispositif.objects.for_list().filter(pk=OuterRef("dispositif")).values("entite_nom")
        return self.select_related("dispositif__type", "declare_par").annotate(entite_nom=Subquery(entite))


@historise(droit=Droit.OFFRE_VOIR, exclude=("version", "modifie_le", "modifie_par", "declare_le", "declare_par"))
class GroupeMesures(Suivi):
    """Mesures of the same kind in one dispositif: how many there are, how many are used."""

    dispositif = models.ForeignKey(
        Dispositif, models.PROTECT, related_name="groupes_mesures", verbose_name="dispositif", db_index=False
    )
    categorie_dispositif = models.CharField(
        "catégorie du dispositif",
        max_length=20,
        choices=Categorie.choices,
        default=Categorie.MESURES,
        help_text="Copie tenue par la base.",
    )
    libelle = models.CharField("nom du groupe", max_length=100)
    libelle_cle = models.GeneratedField(expression=Folded("libelle"), output_field=models.TextField(), db_persist=True)
    nombre = models.PositiveIntegerField("mesures installées")
    financees = models.PositiveIntegerField("mesures financées", null=True, blank=True)
    ouvert_le = models.DateField("ouvert le")
    ferme_le = models.DateField("fermé le", null=True, blank=True)
    utilisees = models.PositiveIntegerField("mesures en cours", null=True)
    declare_le = models.DateTimeField("déclaré le", null=True)
    declare_par = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name="déclaré par"
    )

    objects = GroupeMesuresQuerySet.as_manager()

    class Meta:
        verbose_name = "groupe de mesures"
        verbose_name_plural = "groupes de mesures"
        ordering = ["libelle_cle", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["dispositif", "libelle_cle"],
                name="mesures_libelle_unique_par_dispositif",
                violation_error_message="Un autre groupe de ce dispositif porte déjà ce nom.",
            ),
            models.CheckConstraint(
                condition=~Q(libelle_cle=""),
                name="mesures_libelle_rempli",
                violation_error_message="Donnez un nom au groupe.",
            ),
            ForeignKeyTogether(
                fields=["dispositif", "categorie_dispositif"],
                to="offre.Dispositif",
                to_fields=["id", "categorie"],
                name="mesures_categorie_de_son_dispositif",
                on_update="CASCADE",
                violation_error_message="La catégorie du groupe est celle de son dispositif.",
            ),
            models.CheckConstraint(
                condition=Q(categorie_dispositif=Categorie.MESURES),
                name="mesures_d_un_accompagnement",
                violation_error_message="Seuls les dispositifs d'accompagnement ont des mesures.",
            ),
            models.CheckConstraint(
                condition=Q(ferme_le__isnull=True) | Q(ferme_le__gte=F("ouvert_le")),
                name="mesures_ferme_apres_ouverture",
                violation_error_message="La fermeture ne peut pas précéder l'ouverture.",
            ),
            models.CheckConstraint(
                condition=Q(utilisees__isnull=True, declare_le__isnull=True, declare_par__isnull=True)
                | Q(utilisees__isnull=False, declare_le__isnull=False, declare_par__isnull=False),
                name="mesures_declarees_par_quelqu_un",
                violation_error_message="Les mesures en cours sont déclarées par quelqu'un, à un moment.",
            ),
        ]

    def __str__(self):
        return self.libelle

    @property
    def disponibles(self) -> int | None:
        """None while nobody declared anything; never below zero, even when more are used than there are."""
        return None if self.utilisees is None else max(0, self.nombre - self.utilisees)

    @property
    def fraicheur(self) -> str:
        return since(self.declare_le)


class DeclarationMesures(models.Model):
    """One change of how many mesures of a group are used. Appended."""

    groupe = models.ForeignKey(GroupeMesures, models.PROTECT, related_name="declarations", verbose_name="groupe")
    utilisees = models.PositiveIntegerField("mesures en cours")
    quand = models.DateTimeField("quand", db_default=Now())
    auteur = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name="auteur")
    habilitation = models.ForeignKey(Habilitation, models.PROTECT, related_name="+", verbose_name="habilitation")

    class Meta:
        verbose_name = "déclaration de mesures"
        verbose_name_plural = "déclarations de mesures"
        ordering = ["-quand", "-pk"]
        triggers = [AppendOnly(name="ajout_seul", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self):
        return f"{self.utilisees} en cours"


# --- Prestations ------------------------------------------------------------------------------------------------


class Jour(models.IntegerChoices):
    LUNDI = 1, "Lundi"
    MARDI = 2, "Mardi"
    MERCREDI = 3, "Mercredi"
    JEUDI = 4, "Jeudi"
    VENDREDI = 5, "Vendredi"
    SAMEDI = 6, "Samedi"
    DIMANCHE = 7, "Dimanche"


class WeekSpan(Func):
    """The hours of a créneau, in a week and again in the next one: so that Sunday night meets Monday morning.

    A créneau that ends at or before the hour when it begins ends on the following day.
    """

    def as_sql(self, compiler, connection, **context):
        day, begins, ends = (compiler.compile(expression)[0] for expression in self.source_expressions)
        start = f"(DATE '2001-01-01' + {day}::integer + {begins})"
        end = f"(DATE '2001-01-01' + {day}::integer + CASE WHEN {ends} <= {begins} THEN 1 ELSE 0 END + {ends})"
        week = "INTERVAL '7 days'"
        return f"tsmultirange(tsrange({start}, {end}), tsrange({start} + {week}, {end} + {week}))", []


class PrestationProposeeQuerySet(models.QuerySet):
    def visible_to(self, perimetre: Perimetre):
        return self.filter(dispositif__in=Dispositif.objects.visible_to(perimetre).values("pk"))

    def search(self, text: str):
        """Those whose dispositif's name contains each word of ``text``, accents and case apart."""
        return self.filter(*(Q(dispositif__nom_cle__contains=word) for word in words_of(text)))

    def for_list(self):
        return self.select_related(
            "dispositif__departement", "dispositif__type", "dispositif__commune"
        ).prefetch_related("creneaux")


@historise(droit=Droit.OFFRE_VOIR)
class PrestationProposee(models.Model):
    """One prestation of a dispositif of veille sociale, with its week."""

    dispositif = models.ForeignKey(
        Dispositif, models.PROTECT, related_name="prestations_proposees", verbose_name="dispositif", db_index=False
    )
    categorie_dispositif = models.CharField(
        "catégorie du dispositif",
        max_length=20,
        choices=Categorie.choices,
        default=Categorie.VEILLE_SOCIALE,
        help_text="Copie tenue par la base.",
    )
    nature = models.CharField("prestation", max_length=20, choices=Prestation.choices)
    precision = models.CharField("précision", max_length=255, blank=True)

    objects = PrestationProposeeQuerySet.as_manager()

    class Meta:
        verbose_name = "prestation proposée"
        verbose_name_plural = "prestations proposées"
        ordering = ["nature", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["dispositif", "nature"],
                name="prestation_unique_par_dispositif",
                violation_error_message="Ce dispositif a déjà cette prestation.",
            ),
            ForeignKeyTogether(
                fields=["dispositif", "categorie_dispositif"],
                to="offre.Dispositif",
                to_fields=["id", "categorie"],
                name="prestation_categorie_de_son_dispositif",
                on_update="CASCADE",
                violation_error_message="La catégorie de la prestation est celle de son dispositif.",
            ),
            models.CheckConstraint(
                condition=Q(categorie_dispositif=Categorie.VEILLE_SOCIALE),
                name="prestation_de_la_veille_sociale",
                violation_error_message="Seule la veille sociale a des prestations.",
            ),
            models.CheckConstraint(
                condition=Q(nature__in=Prestation.values),
                name="prestation_nature_connue",
                violation_error_message="Choisissez une prestation de la liste.",
            ),
        ]

    def __str__(self):
        return self.get_nature_display()

    @property
    def semaine(self) -> list[tuple[str, str]]:
        """Each day that has hours, in words: « Lundi », « 09:00-12:00, 14:00-17:00 »."""
        days = {}
        for creneau in self.creneaux.all():
            days.setdefault(creneau.get_jour_display(), []).append(str(creneau))
        return [(day, ", ".join(spans)) for day, spans in days.items()]

    @property
    def horaires(self) -> str:
        return " ; ".join(f"{day} {spans}" for day, spans in self.semaine)

    @property
    def ouverte(self) -> bool:
        """Whether it is given now, by the clock of its département."""
        local = self.dispositif.departement.maintenant
        return any(creneau.covers(local) for creneau in self.creneaux.all())


@historise(droit=Droit.OFFRE_VOIR, dans="prestation")
class Creneau(models.Model):
    """Hours of one day of the week, every week."""

    prestation = models.ForeignKey(
        PrestationProposee, models.CASCADE, related_name="creneaux", verbose_name="prestation"
    )
    jour = models.PositiveSmallIntegerField("jour", choices=Jour.choices)
    heure_debut = models.TimeField("de")
    heure_fin = models.TimeField("à", help_text="Le lendemain si elle n'est pas après la première.")

    class Meta:
        verbose_name = "créneau"
        verbose_name_plural = "créneaux"
        ordering = ["jour", "heure_debut"]
        constraints = [
            models.CheckConstraint(
                condition=Q(jour__in=Jour.values),
                name="creneau_jour_de_la_semaine",
                violation_error_message="Choisissez un jour de la semaine.",
            ),
            ExclusionConstraint(
                expressions=[
                    (Single("prestation"), RangeOperators.OVERLAPS),
                    (WeekSpan("jour", "heure_debut", "heure_fin"), RangeOperators.OVERLAPS),
                ],
                name="creneau_sans_chevauchement",
                violation_error_message="Deux créneaux de cette prestation se chevauchent.",
            ),
        ]

    def __str__(self):
        return f"{self.heure_debut:%H:%M}-{self.heure_fin:%H:%M}"

    def covers(self, local: datetime.datetime) -> bool:
        time, today = local.time(), local.isoweekday()
        if self.heure_debut < self.heure_fin:
            return self.jour == today and self.heure_debut <= time < self.heure_fin
        yesterday = today - 1 or 7
        return (self.jour == today and time >= self.heure_debut) or (self.jour == yesterday and time < self.heure_fin)
