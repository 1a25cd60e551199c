"""Régions, départements, communes (the official geographic code) and SIAO, loaded from ``fixtures/``."""

import datetime
from zoneinfo import ZoneInfo

from django.contrib.auth.models import Group
from django.db import models
from django.db.models import Case, Value, When
from django.utils import timezone

from siao.socle.text import Folded

# Clock of each département outside the hexagon's time zone (tz database).
_ZONES = {
    "971": "America/Guadeloupe",
    "972": "America/Martinique",
    "973": "America/Cayenne",
    "974": "Indian/Reunion",
    "975": "America/Miquelon",
    "976": "Indian/Mayotte",
    "977": "America/Guadeloupe",
    "978": "America/Guadeloupe",
    "986": "Pacific/Wallis",
    "987": "Pacific/Tahiti",
    "988": "Pacific/Noumea",
}


_PARIS = "Europe/Paris"


def zone_of(departement: str) -> Case:
    """The time zone of the département that ``departement`` (a column) names."""
    zones = [When(**{departement: code}, then=Value(zone)) for code, zone in _ZONES.items()]
    return Case(*zones, default=Value(_PARIS), output_field=models.CharField())


class Region(models.Model):
    code = models.CharField("code", max_length=3, primary_key=True)
    nom = models.CharField("nom", max_length=100)

    class Meta:
        verbose_name = "région"
        ordering = ["code"]

    def __str__(self):
        return self.nom

    @property
    def codes_departements(self) -> list[str]:
        """Codes of its départements, in order. A ``Departement`` answers too: both are territories."""
        return list(self.departements.order_by("code").values_list("code", flat=True))

    @property
    def designation(self) -> str:
        return f"la région {self.nom}"


class Departement(models.Model):
    code = models.CharField("code", max_length=3, primary_key=True)
    nom = models.CharField("nom", max_length=100)
    region = models.ForeignKey(Region, models.PROTECT, related_name="departements", verbose_name="région")

    class Meta:
        verbose_name = "département"
        ordering = ["code"]

    def __str__(self):
        return f"{self.nom} ({self.code})"

    @property
    def codes_departements(self) -> list[str]:
        return [self.code]

    @property
    def designation(self) -> str:
        return f"le département {self.nom} ({self.code})"

    @property
    def aujourdhui(self) -> datetime.date:
        """The day it is in the département: decides what is "today" and "in the future" for its users."""
        return self.maintenant.date()

    @property
    def maintenant(self) -> datetime.datetime:
        """The time it is there."""
        return timezone.now().astimezone(ZoneInfo(_ZONES.get(self.code, _PARIS)))


class Commune(models.Model):
    code = models.CharField("code", max_length=5, primary_key=True)
    nom = models.CharField("nom", max_length=100)
    nom_cle = models.GeneratedField(expression=Folded("nom"), output_field=models.TextField(), db_persist=True)
    departement = models.ForeignKey(Departement, models.PROTECT, related_name="communes", verbose_name="département")
    siren = models.CharField("SIREN", max_length=9, blank=True)
    population = models.PositiveIntegerField("population")

    class Meta:
        verbose_name = "commune"
        ordering = ["nom_cle", "code"]
        constraints = [
            # Target of the composite keys that hold a commune inside its département.
            models.UniqueConstraint(fields=["code", "departement"], name="commune_unique_par_departement"),
        ]

    def __str__(self):
        return self.nom


class CodePostal(models.Model):
    commune = models.ForeignKey(Commune, models.CASCADE, related_name="codes_postaux")
    code = models.CharField("code postal", max_length=5)

    class Meta:
        verbose_name = "code postal"
        verbose_name_plural = "codes postaux"
        ordering = ["code", "commune"]
        constraints = [
            models.UniqueConstraint(fields=["commune", "code"], name="code_postal_unique_par_commune"),
        ]

    def __str__(self):
        return self.code


class Siao(models.Model):
    """A service intégré d'accueil et d'orientation: as a rule one per département, several in some."""

    code = models.CharField("code", max_length=10, primary_key=True)
    nom = models.CharField("nom", max_length=100)
    departement = models.ForeignKey(Departement, models.PROTECT, related_name="siaos", verbose_name="département")
    # Target of the dossiers that another SIAO shares with this one (django-guardian shares with users or groups).
    groupe = models.OneToOneField(Group, models.PROTECT, related_name="siao", editable=False)

    class Meta:
        verbose_name = "SIAO"
        verbose_name_plural = "SIAO"
        ordering = ["code"]

    def __str__(self):
        return self.nom
