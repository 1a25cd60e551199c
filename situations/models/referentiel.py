"""The grid of situations résidentielles: eight types (SR1), fifty-two situations (SR2), and « Non renseignée ».

Loaded from ``fixtures/``, then administered by the national administrator. A value that has served never disappears:
it is retired from a day on, keeps its label on old rows, and offers its replacement.
"""

import datetime

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from comptes.droits import Droit
from comptes.historique import historise

NON_RENSEIGNEE = "NR"
"""Code of the situation that every person begins with; it belongs to no type."""


class Calculateur(models.TextChoices):
    """The advisers that some situations come with."""

    PIECES = "PIECES", "Nombre de pièces (Insee)"
    SURFACE = "SURFACE", "Surface minimale"


class Couleur(models.TextChoices):
    """The colour codes of the source. Each one is a class of the style sheet, with a pattern of its own."""

    ROUGE = "rouge", "rouge"
    VIOLET = "violet", "violet"
    BLEU = "bleu", "bleu"
    TURQUOISE = "turquoise", "turquoise"
    JAUNE = "jaune", "jaune"
    VERT = "vert", "vert"
    MARRON = "marron", "marron"
    BEIGE = "beige", "beige"


class Ethos(models.Model):
    """A line of ETHOS, the European typology of homelessness and housing exclusion (FEANTSA)."""

    code = models.CharField("code", max_length=5, primary_key=True)
    libelle = models.CharField("libellé", max_length=255)
    concept = models.CharField("concept", max_length=100)
    categorie = models.CharField("catégorie", max_length=255)

    class Meta:
        verbose_name = "ligne d'ETHOS"
        verbose_name_plural = "lignes d'ETHOS"
        ordering = ["code"]

    def __str__(self):
        return f"{self.code} {self.libelle}"


class EthosLight(models.Model):
    """A line of ETHOS Light, its short form for comparisons between countries."""

    code = models.CharField("code", max_length=5, primary_key=True)
    libelle = models.CharField("libellé", max_length=255)
    categorie = models.CharField("catégorie", max_length=255)

    class Meta:
        verbose_name = "ligne d'ETHOS Light"
        verbose_name_plural = "lignes d'ETHOS Light"
        ordering = ["code"]

    def __str__(self):
        return f"{self.code} {self.libelle}"


class Sr1(models.Model):
    code = models.CharField("code", max_length=5, primary_key=True)
    libelle = models.CharField("libellé", max_length=100)
    definition = models.TextField("définition")
    couleur = models.CharField("couleur", max_length=10, choices=Couleur.choices, unique=True)
    ordre = models.PositiveSmallIntegerField("ordre")

    class Meta:
        verbose_name = "situation de niveau 1"
        verbose_name_plural = "situations de niveau 1"
        ordering = ["ordre"]

    def __str__(self):
        return f"{self.code} {self.libelle}"


class Sr2QuerySet(models.QuerySet):
    def offered(self, jour: datetime.date):
        """Those that may be chosen on ``jour``: neither retired, nor the one that says nothing."""
        return self.exclude(code=NON_RENSEIGNEE).filter(Q(retiree_le__isnull=True) | Q(retiree_le__gt=jour))


@historise(droit=Droit.REFERENTIELS_GERER)
class Sr2(models.Model):
    code = models.CharField("code", max_length=10, primary_key=True)
    sr1 = models.ForeignKey(
        Sr1, models.PROTECT, null=True, blank=True, related_name="sr2", verbose_name="situation de niveau 1"
    )
    libelle = models.CharField("libellé", max_length=150)
    definition = models.TextField("définition", blank=True)
    lien = models.URLField("plus d'informations", blank=True, help_text="Adresse d'une page publique qui l'explique.")
    ethos = models.ForeignKey(
        Ethos, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="correspondance ETHOS"
    )
    ethos_light = models.ForeignKey(
        EthosLight, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="correspondance ETHOS Light"
    )
    condition_ethos = models.CharField("condition de la correspondance", max_length=255, blank=True)
    region_obligatoire = models.BooleanField("demande la région d'orientation", default=False)
    calculateur = models.CharField("calculateur", max_length=10, choices=Calculateur.choices, blank=True)
    a_venir = models.CharField("changement annoncé", max_length=255, blank=True)
    remplacee_par = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="+", verbose_name="remplacée par"
    )
    retiree_le = models.DateField(
        "retirée le", null=True, blank=True, help_text="Premier jour où elle ne peut plus être choisie."
    )
    ordre = models.PositiveSmallIntegerField("ordre")
    version = models.PositiveIntegerField("version", default=1, db_default=1)
    modifiee_le = models.DateTimeField("modifiée le", db_default=Now())
    modifiee_par = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name="modifiée par"
    )

    objects = Sr2QuerySet.as_manager()

    class Meta:
        verbose_name = "situation de niveau 2"
        verbose_name_plural = "situations de niveau 2"
        ordering = ["ordre"]
        constraints = [
            models.CheckConstraint(
                condition=Q(code=NON_RENSEIGNEE, sr1__isnull=True) | (~Q(code=NON_RENSEIGNEE) & Q(sr1__isnull=False)),
                name="sr2_a_un_type_sauf_non_renseignee",
                violation_error_message="Toute situation a un type de niveau 1, sauf « Non renseignée ».",
            ),
            models.CheckConstraint(
                condition=~Q(libelle=""),
                name="sr2_libelle_rempli",
                violation_error_message="Donnez un libellé.",
            ),
            models.CheckConstraint(
                condition=Q(remplacee_par__isnull=True) | ~Q(remplacee_par=F("code")),
                name="sr2_remplacee_par_une_autre",
                violation_error_message="Une situation est remplacée par une autre qu'elle-même.",
            ),
            models.CheckConstraint(
                condition=~Q(code=NON_RENSEIGNEE) | Q(retiree_le__isnull=True),
                name="sr2_non_renseignee_ne_se_retire_pas",
                violation_error_message="« Non renseignée » ne se retire pas : toute personne commence par elle.",
            ),
            # Target of the key that ties the region of a situation to the rule of its value.
            models.UniqueConstraint(fields=["code", "region_obligatoire"], name="sr2_avec_sa_region"),
        ]

    def __str__(self):
        return self.libelle if self.code == NON_RENSEIGNEE else f"{self.code} {self.libelle}"

    @property
    def couleur(self) -> str:
        """Class of its colour and pattern; « nr » for « Non renseignée »."""
        return self.sr1.couleur if self.sr1_id else "nr"

    def is_offered(self, jour: datetime.date) -> bool:
        return self.code != NON_RENSEIGNEE and (self.retiree_le is None or self.retiree_le > jour)

    def refusal_on(self, jour: datetime.date) -> str:
        """Why it cannot be chosen on ``jour``, empty when it can."""
        if self.code == NON_RENSEIGNEE:
            return "« Non renseignée » ne se choisit pas : choisissez une situation de la liste."
        if self.is_offered(jour):
            return ""
        instead = f"plutôt « {self.remplacee_par} »" if self.remplacee_par_id else "une autre situation de la liste"
        return f"« {self} » ne peut plus être choisie. Choisissez {instead}."
