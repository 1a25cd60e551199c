"""What the State's register of legal persons says: a copy, keyed by SIREN, that the offre is free not to have."""

from django.db import models
from django.db.models import Q

from .entites import Entite

_FORMES = {
    "1000": "Entrepreneur individuel",
    "5499": "Société à responsabilité limitée",
    "5710": "Société par actions simplifiée",
    "7210": "Commune",
    "7361": "Centre communal d'action sociale",
    "9210": "Association non déclarée",
    "9220": "Association déclarée",
    "9230": "Association déclarée, reconnue d'utilité publique",
    "9300": "Fondation",
}
"""Words for the categories that run most of the dispositifs; the others are shown by their code."""


class EtatSirene(models.TextChoices):
    ACTIVE = "ACTIVE", "Active"
    CESSEE = "CESSEE", "Fermée"
    ABSENTE = "ABSENTE", "Absente du répertoire"


class FicheSireneQuerySet(models.QuerySet):
    def to_refresh(self, before):
        """SIREN of the entités whose copy is missing or older than ``before``, the oldest first."""
        known = models.OuterRef("siren")
        return (
            Entite.objects.annotate(lue_le=models.Subquery(self.filter(siren=known).values("lue_le")))
            .filter(Q(lue_le__isnull=True) | Q(lue_le__lt=before))
            .order_by(models.F("lue_le").asc(nulls_first=True), "siren")
            .values_list("siren", flat=True)
        )

    def anomalies(self, sirens) -> dict[str, str]:
        """SIREN → what the register says of it, of those that it does not know as active: « fermée au répertoire… »."""
        return {fiche.siren: fiche.anomalie for fiche in self.filter(siren__in=sirens).exclude(etat=EtatSirene.ACTIVE)}


class FicheSirene(models.Model):
    siren = models.CharField("SIREN", max_length=9, primary_key=True)
    etat = models.CharField("état administratif", max_length=7, choices=EtatSirene.choices)
    diffusible = models.BooleanField("diffusible", default=True)
    denomination = models.CharField("dénomination", max_length=255, blank=True)
    sigle = models.CharField("sigle", max_length=50, blank=True)
    categorie_juridique = models.CharField("catégorie juridique", max_length=4, blank=True)
    naf = models.CharField("activité principale (NAF)", max_length=6, blank=True)
    siret_siege = models.CharField("SIRET du siège", max_length=14, blank=True)
    adresse = models.CharField("adresse du siège", max_length=255, blank=True)
    code_postal = models.CharField("code postal du siège", max_length=5, blank=True)
    commune = models.CharField("code de la commune du siège", max_length=5, blank=True)
    date_creation = models.DateField("création", null=True, blank=True)
    date_fermeture = models.DateField("fermeture", null=True, blank=True)
    lue_le = models.DateTimeField("lue le")

    objects = FicheSireneQuerySet.as_manager()

    class Meta:
        verbose_name = "fiche SIRENE"
        verbose_name_plural = "fiches SIRENE"
        ordering = ["siren"]
        constraints = [
            models.CheckConstraint(
                condition=Q(etat__in=EtatSirene.values),
                name="fiche_sirene_etat_connu",
                violation_error_message="Cet état n'existe pas.",
            ),
        ]

    def __str__(self):
        return self.denomination or self.siren

    @property
    def anomalie(self) -> str:
        """Why the entité could not run anything, as the end of « l'entité est … »; empty when it is active."""
        if self.etat == EtatSirene.CESSEE:
            since = f" depuis le {self.date_fermeture:%d/%m/%Y}" if self.date_fermeture else ""
            return f"fermée au répertoire SIRENE{since}"
        return "absente du répertoire SIRENE" if self.etat == EtatSirene.ABSENTE else ""

    @property
    def forme(self) -> str:
        """The legal category in words when we have them."""
        code = self.categorie_juridique
        return _FORMES.get(code, f"catégorie {code}" if code else "")


class CadenceSirene(models.Model):
    """When the next request may leave for the API: one row, shared by every process of every machine."""

    prochaine = models.DateTimeField("prochaine requête")

    class Meta:
        verbose_name = "cadence de l'API"
        constraints = [
            models.CheckConstraint(
                condition=Q(pk=1), name="cadence_sirene_unique", violation_error_message="Il n'y a qu'une cadence."
            ),
        ]

    def __str__(self):
        return f"{self.prochaine:%H:%M:%S}"
