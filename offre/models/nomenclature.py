"""Lists of the offre. An enum where the code branches on the value, a table where the administration changes it."""

from django.core.validators import RegexValidator
from django.db import models

from comptes.droits import Droit
from comptes.historique import historise


class Categorie(models.TextChoices):
    """The six categories of the national nomenclature."""

    LOGEMENT_IML = "LOGEMENT_IML", "Logement IML"
    LOGEMENT_RS = "LOGEMENT_RS", "Logement Résidence sociale"
    HEBERGEMENT = "HEBERGEMENT", "Hébergement"
    VEILLE_SOCIALE = "VEILLE_SOCIALE", "Veille sociale"
    MESURES = "MESURES", "Mesures accompagnement"
    PREMIER_ACCUEIL = "PREMIER_ACCUEIL", "Premier accueil"


LOGEMENTS = (Categorie.LOGEMENT_IML, Categorie.LOGEMENT_RS)
AVEC_PLACES_OU_LOGEMENTS = (Categorie.HEBERGEMENT, *LOGEMENTS)


class Statut(models.TextChoices):
    BROUILLON = "BROUILLON", "Brouillon"
    SOUMIS = "SOUMIS", "Soumis"
    PREVALIDE = "PREVALIDE", "Prévalidé"
    VALIDE = "VALIDE", "Validé"
    A_CORRIGER = "A_CORRIGER", "À corriger"
    REFUSE = "REFUSE", "Refusé"
    FERME = "FERME", "Fermé"


A_TRAITER = (Statut.SOUMIS, Statut.PREVALIDE, Statut.A_CORRIGER)
"""Somebody has to do something."""


class Perennite(models.TextChoices):
    PERENNE = "PERENNE", "Pérenne"
    TEMPORAIRE = "TEMPORAIRE", "Temporaire"
    HIVERNAL = "HIVERNAL", "Hivernal"


class Implantation(models.TextChoices):
    REGROUPE = "REGROUPE", "Regroupé"
    DIFFUS = "DIFFUS", "Diffus"
    MIXTE = "MIXTE", "Mixte"


class Participation(models.TextChoices):
    AUCUNE = "AUCUNE", "Aucune"
    POURCENTAGE = "POURCENTAGE", "Pourcentage des ressources"
    FORFAIT = "FORFAIT", "Forfait"
    REDEVANCE = "REDEVANCE", "Redevance ou loyer"


class Prestation(models.TextChoices):
    REPAS = "REPAS", "Repas"
    HYGIENE = "HYGIENE", "Hygiène"
    LAVERIE = "LAVERIE", "Laverie"
    BAGAGERIE = "BAGAGERIE", "Bagagerie"
    DOMICILIATION = "DOMICILIATION", "Domiciliation"
    SANTE = "SANTE", "Accompagnement santé"
    JURIDIQUE = "JURIDIQUE", "Accompagnement juridique"
    INTERPRETARIAT = "INTERPRETARIAT", "Interprétariat"
    ALIMENTAIRE = "ALIMENTAIRE", "Distribution alimentaire"
    ACCUEIL_JOUR = "ACCUEIL_JOUR", "Accueil de jour inconditionnel"


class NatureActe(models.TextChoices):
    TARIFICATION = "TARIFICATION", "Arrêté de tarification"
    CPOM = "CPOM", "CPOM"
    ANNUELLE = "ANNUELLE", "Convention annuelle"
    PLURIANNUELLE = "PLURIANNUELLE", "Convention pluriannuelle"
    MARCHE = "MARCHE", "Marché"
    APPEL_PROJETS = "APPEL_PROJETS", "Appel à projets"
    AUTRE = "AUTRE", "Autre"


class Unite(models.TextChoices):
    PLACES = "PLACES", "Places"
    LOGEMENTS = "LOGEMENTS", "Logements"
    MESURES = "MESURES", "Mesures"
    SERVICE = "SERVICE", "Service"


class ListeQuerySet(models.QuerySet):
    def proposees(self):
        """The values that can be chosen: a retired one stays on the fiches that have it."""
        return self.filter(retire_le__isnull=True)


class Liste(models.Model):
    """An administered list: a code that never changes, a label, an order. Loaded from ``fixtures/``."""

    code = models.CharField(
        "code",
        max_length=30,
        primary_key=True,
        validators=[RegexValidator(r"\A[A-Z0-9_]+\Z", "Un code est fait de majuscules, de chiffres et de « _ ».")],
    )
    libelle = models.CharField("libellé", max_length=255)
    ordre = models.PositiveSmallIntegerField("ordre")
    retire_le = models.DateField(
        "retiré le", null=True, blank=True, help_text="Une valeur retirée n'est plus proposée, et reste lisible."
    )
    modifie_le = models.DateTimeField(
        "modifié le", null=True, editable=False, help_text="Dans le navigateur : le fichier livré ne l'écrase plus."
    )

    objects = ListeQuerySet.as_manager()

    class Meta:
        abstract = True
        ordering = ["ordre", "code"]

    def __str__(self):
        return self.libelle


@historise(droit=Droit.REFERENTIELS_GERER, exclude=("modifie_le",))
class TypeDispositif(Liste):
    categorie = models.CharField("catégorie", max_length=20, choices=Categorie.choices)

    class Meta(Liste.Meta):
        verbose_name = "type de dispositif"
        verbose_name_plural = "types de dispositif"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(categorie__in=Categorie.values),
                name="type_dispositif_categorie_connue",
                violation_error_message="Cette catégorie n'est pas dans la nomenclature.",
            ),
            # Target of the key that holds a dispositif's type inside its category.
            models.UniqueConstraint(fields=["code", "categorie"], name="type_dispositif_unique_par_categorie"),
        ]


@historise(droit=Droit.REFERENTIELS_GERER, exclude=("modifie_le",))
class Composition(Liste):
    taille_min = models.PositiveSmallIntegerField("taille minimale du ménage", default=1)
    taille_max = models.PositiveSmallIntegerField("taille maximale du ménage", null=True, blank=True)

    class Meta(Liste.Meta):
        verbose_name = "composition de ménage"
        verbose_name_plural = "compositions de ménage"


@historise(droit=Droit.REFERENTIELS_GERER, exclude=("modifie_le",))
class SpecificitePublic(Liste):
    adresse_confidentielle = models.BooleanField(
        "impose une adresse confidentielle",
        help_text="Les lieux qui accueillent ce public ne se localisent pas.",
    )

    class Meta(Liste.Meta):
        verbose_name = "spécificité du public"
        verbose_name_plural = "spécificités du public"


@historise(droit=Droit.REFERENTIELS_GERER, exclude=("modifie_le",))
class LigneFinancement(Liste):
    financeur = models.CharField("financeur", max_length=100)
    programme_177 = models.BooleanField("relève du programme 177", default=False)

    class Meta(Liste.Meta):
        verbose_name = "ligne de financement"
        verbose_name_plural = "lignes de financement"


@historise(droit=Droit.REFERENTIELS_GERER, exclude=("modifie_le",))
class ConventionCollective(Liste):
    idcc = models.CharField("IDCC", max_length=4, blank=True)

    class Meta(Liste.Meta):
        verbose_name = "convention collective"
        verbose_name_plural = "conventions collectives"


class Idcc(models.Model):
    """Identifiant de convention collective, list of the ministry of labour."""

    code = models.CharField("code", max_length=4, primary_key=True)
    libelle = models.TextField("libellé")
    en_vigueur = models.BooleanField("en vigueur")

    class Meta:
        verbose_name = "IDCC"
        verbose_name_plural = "IDCC"
        ordering = ["code"]

    def __str__(self):
        return f"{self.code} – {self.libelle}"
