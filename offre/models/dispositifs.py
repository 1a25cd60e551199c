"""Dispositifs: services or establishments of one entité, and the public they receive."""

import datetime

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Case, Exists, F, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Left
from django.db.models.lookups import Exact
from django.utils import timezone

from comptes.droits import Droit
from comptes.historique import historise
from comptes.models import Commune, Departement
from comptes.perimetres import Perimetre
from siao.socle.database import ForeignKeyTogether
from siao.socle.text import Folded, counted, fold, visible, words_of

from .entites import Entite, Rattachement, has_luhn_key
from .nomenclature import (
    A_TRAITER,
    AVEC_PLACES_OU_LOGEMENTS,
    LOGEMENTS,
    Categorie,
    Composition,
    Implantation,
    Participation,
    Perennite,
    Prestation,
    SpecificitePublic,
    Statut,
    TypeDispositif,
)
from .suivi import SuiviValidation


class DispositifQuerySet(models.QuerySet):
    def visible_to(self, perimetre: Perimetre):
        """Those of the perimeter, and those that its entités run in the départements where it holds them."""
        entites = Rattachement.objects.filter(
            pk__in=perimetre.rattachements, entite=OuterRef("entite"), departement=OuterRef("departement")
        )
        return self.filter(perimetre.rows(departement="departement", dispositif="pk") | Exists(entites))

    def search(self, text: str):
        """Those whose name, or whose entité's, contains each word of ``text``, accents and case apart."""
        entite = Rattachement.objects.filter(entite=OuterRef("entite"), departement=OuterRef("departement"))
        words = words_of(text)
        found = Q(*(Q(nom_cle__contains=word) for word in words))
        return self.filter(found | Exists(entite.filter(*(Q(nom_cle__contains=word) for word in words))))

    def in_commune(self, text: str):
        """Those of the communes whose name begins with ``text``; a confidential address is never found so."""
        key = fold(visible(text))
        if not key:
            return self
        return self.filter(adresse_confidentielle=False, commune__nom_cle__startswith=key)

    def welcoming(self, composition: str):
        """Those that receive these ménages."""
        return self.filter(
            Exists(self.model.publics.through.objects.filter(dispositif=OuterRef("pk"), composition=composition))
        )

    def paid_by_programme_177(self, day: datetime.date):
        """Those that programme 177 pays on that day."""
        return self.filter(_paid_by_177(day))

    def for_list(self):
        """With what a line of the list shows, in one query."""
        entite = Rattachement.objects.filter(entite=OuterRef("entite"), departement=OuterRef("departement"))
        return self.select_related("type", "commune").annotate(
            entite_nom=Subquery(entite.values("nom")),
            programme_177=_paid_by_177(timezone.localdate()),
            commune_cle=commune_key(),
        )


def commune_key(path: str = "") -> Case:
    """What sorts dispositifs (reached through ``path``) by commune.

    The confidential ones come apart: their rank among the others would tell where they are.
    """
    prefix = f"{path}__" if path else ""
    located = When(**{f"{prefix}adresse_confidentielle": False}, then=F(f"{prefix}commune__nom_cle"))
    return Case(located, default=Value("", models.TextField()))


def _paid_by_177(day: datetime.date) -> Exists:
    from .financements import Financement

    return Exists(Financement.objects.at(day).filter(dispositif=OuterRef("pk"), ligne__programme_177=True))


def _only_when(opened: Q, filled: Q, empty: Q) -> Q:
    """A compulsory field that another one opens: filled when ``opened``, empty otherwise (greyed in the workbook)."""
    return (opened & filled) | (~opened & empty)


# The address may be confidential, and those who read a history are others than those who orient.
@historise(
    droit=Droit.OFFRE_VOIR,
    # What locates it (and its SIRET and FINESS, which public registers locate) is confidential for some: the page of
    # the history would show it to all who read the fiche. The transitions keep it, masked for those who may not.
    exclude=("version", "modifie_le", "modifie_par", "voie", "complement", "code_postal", "commune", "siret", "finess"),
)
class Dispositif(SuiviValidation):
    # Nature
    entite = models.ForeignKey(Entite, models.PROTECT, related_name="dispositifs", verbose_name="entité gestionnaire")
    departement = models.ForeignKey(Departement, models.PROTECT, related_name="+", verbose_name="département")
    nom = models.CharField("nom du dispositif", max_length=255)
    nom_cle = models.GeneratedField(expression=Folded("nom"), output_field=models.TextField(), db_persist=True)
    categorie = models.CharField("catégorie", max_length=20, choices=Categorie.choices)
    type = models.ForeignKey(TypeDispositif, models.PROTECT, related_name="+", verbose_name="type de dispositif")
    precision = models.CharField("précision (autre)", max_length=255, blank=True)
    siren = models.CharField("SIREN de l'entité", max_length=9, help_text="Copie tenue par la base.")
    siret = models.CharField("code SIRET", max_length=14, blank=True)
    finess = models.CharField("n° FINESS", max_length=9, blank=True)
    date_ouverture = models.DateField("date d'ouverture")
    date_fermeture = models.DateField("date de fermeture prévue", null=True, blank=True)
    perennite = models.CharField("pérennité", max_length=10, choices=Perennite.choices)
    implantation = models.CharField("implantation", max_length=10, choices=Implantation.choices, blank=True)
    participation = models.CharField(
        "participation financière", max_length=15, choices=Participation.choices, blank=True
    )
    # Address
    voie = models.CharField("adresse", max_length=255)
    complement = models.CharField("complément d'adresse", max_length=255, blank=True)
    code_postal = models.CharField("code postal", max_length=5)
    commune = models.ForeignKey(Commune, models.PROTECT, related_name="+", verbose_name="commune")
    adresse_confidentielle = models.BooleanField("adresse confidentielle")
    # Contact
    telephone = models.CharField("téléphone", max_length=20, blank=True)
    courriel = models.EmailField("adresse courriel", max_length=254, blank=True)
    # Orientation
    orientation_siao = models.BooleanField("orientation par le SIAO", null=True)
    contingent_prefectoral = models.BooleanField("contingent préfectoral", null=True)
    contingent_nombre = models.PositiveIntegerField("nombre de logements du contingent", null=True, blank=True)
    # Public accueilli
    publics = models.ManyToManyField(
        Composition, related_name="+", through="DispositifPublic", verbose_name="public accueilli"
    )
    specificites = models.ManyToManyField(
        SpecificitePublic,
        related_name="+",
        through="DispositifSpecificite",
        verbose_name="spécificités du public",
    )
    age_min = models.PositiveSmallIntegerField("âge minimum", null=True, blank=True)
    age_max = models.PositiveSmallIntegerField("âge maximum", null=True, blank=True)
    animaux = models.BooleanField("animaux acceptés", null=True)
    # Capacité
    places = models.PositiveIntegerField("nombre de places", null=True, blank=True)
    places_urgence = models.PositiveIntegerField("dont urgence", null=True, blank=True)
    places_stabilisation = models.PositiveIntegerField("dont stabilisation", null=True, blank=True)
    places_insertion = models.PositiveIntegerField("dont insertion", null=True, blank=True)
    places_pmr = models.PositiveIntegerField("dont accessibles PMR", null=True, blank=True)
    logements = models.PositiveIntegerField("nombre de logements", null=True, blank=True)
    mesures = models.PositiveIntegerField("nombre de mesures", null=True, blank=True)
    prestations = ArrayField(
        models.CharField(max_length=20, choices=Prestation.choices),
        default=list,
        blank=True,
        verbose_name="prestations",
    )
    horaires = models.CharField("horaires", max_length=255, blank=True)
    commentaire = models.TextField("commentaire", max_length=1000, blank=True)

    statut = models.CharField("statut", max_length=10, choices=Statut.choices, default=Statut.BROUILLON)

    objects = DispositifQuerySet.as_manager()

    class Meta:
        verbose_name = "dispositif"
        ordering = ["nom_cle", "pk"]
        indexes = [
            models.Index(fields=["entite"], name="dispositif_par_entite"),
            # The queue of the validators and its counter: a few fiches among all those of the département.
            models.Index(fields=["statut", "statut_depuis"], condition=Q(statut__in=A_TRAITER), name="dispositif_file"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["departement", "nom_cle"],
                name="dispositif_nom_unique_par_departement",
                violation_error_message="Un autre dispositif du département porte déjà ce nom.",
            ),
            models.CheckConstraint(
                condition=~Q(nom_cle=""),
                name="dispositif_nom_rempli",
                violation_error_message="Donnez un nom au dispositif.",
            ),
            # Target of the keys that hold what a dispositif offers (places, mesures, prestations) to its category.
            models.UniqueConstraint(fields=["id", "categorie"], name="dispositif_avec_sa_categorie"),
            # What a dispositif says of its parents is true of them.
            ForeignKeyTogether(
                fields=["entite", "departement"],
                to="offre.Rattachement",
                to_fields=["entite", "departement"],
                name="dispositif_entite_rattachee_au_departement",
                violation_error_message="L'entité gestionnaire doit d'abord être rattachée au département.",
            ),
            ForeignKeyTogether(
                fields=["entite", "siren"],
                to="offre.Entite",
                to_fields=["id", "siren"],
                name="dispositif_siren_de_son_entite",
                on_update="CASCADE",
                violation_error_message="Le SIREN du dispositif est celui de son entité.",
            ),
            ForeignKeyTogether(
                fields=["type", "categorie"],
                to="offre.TypeDispositif",
                to_fields=["code", "categorie"],
                name="dispositif_type_dans_sa_categorie",
                violation_error_message="Ce type n'appartient pas à la catégorie choisie.",
            ),
            ForeignKeyTogether(
                fields=["commune", "departement"],
                to="comptes.Commune",
                to_fields=["code", "departement"],
                name="dispositif_commune_du_departement",
                violation_error_message="La commune n'est pas dans le département.",
            ),
            ForeignKeyTogether(
                fields=["commune", "code_postal"],
                to="comptes.CodePostal",
                to_fields=["commune", "code"],
                name="dispositif_code_postal_de_la_commune",
                violation_error_message="Ce code postal n'est pas celui de la commune.",
            ),
            # Codes
            models.CheckConstraint(
                condition=Q(siret="") | Q(siret__regex=r"^[0-9]{14}$", siret__startswith=F("siren")),
                name="dispositif_siret_commence_par_le_siren",
                violation_error_message="Un SIRET a 14 chiffres et commence par le SIREN de l'entité.",
            ),
            models.CheckConstraint(
                # La Poste keeps its own rule for its thousands of establishments.
                condition=Q(siret="") | has_luhn_key("siret", 14) | Q(siren="356000000"),
                name="dispositif_siret_cle",
                violation_error_message="Ce SIRET est mal recopié : sa clé de contrôle n'est pas la bonne.",
            ),
            models.CheckConstraint(
                condition=Q(finess="")
                | Q(
                    finess__regex=r"^[0-9][0-9AB][0-9]{7}$",
                    categorie__in=[Categorie.HEBERGEMENT, Categorie.LOGEMENT_RS],
                ),
                name="dispositif_finess",
                violation_error_message="Un n° FINESS a 9 caractères, pour un hébergement ou une résidence sociale.",
            ),
            models.CheckConstraint(
                condition=_only_when(Q(Exact(Left("type", 5), "AUTRE")), ~Q(precision=""), Q(precision="")),
                name="dispositif_precision_si_autre_type",
                violation_error_message="La précision se remplit si et seulement si le type est « Autre ».",
            ),
            # Closed lists
            *(
                models.CheckConstraint(
                    condition=Q(**{f"{field}__in": values}),
                    name=f"dispositif_{field}_dans_la_liste",
                    violation_error_message="Choisissez une valeur de la liste.",
                )
                for field, values in (
                    ("perennite", Perennite.values),
                    ("implantation", ["", *Implantation.values]),
                    ("participation", ["", *Participation.values]),
                    ("statut", Statut.values),
                )
            ),
            models.CheckConstraint(
                condition=Q(prestations__contained_by=Prestation.values),
                name="dispositif_prestations_dans_la_liste",
                violation_error_message="Choisissez des prestations de la liste.",
            ),
            # What each category opens
            models.CheckConstraint(
                condition=_only_when(
                    Q(categorie__in=AVEC_PLACES_OU_LOGEMENTS), ~Q(implantation=""), Q(implantation="")
                ),
                name="dispositif_implantation_selon_categorie",
                violation_error_message="L'implantation se remplit pour les hébergements et les logements seulement.",
            ),
            models.CheckConstraint(
                condition=_only_when(
                    Q(categorie=Categorie.PREMIER_ACCUEIL),
                    Q(orientation_siao__isnull=True),
                    Q(orientation_siao__isnull=False),
                ),
                name="dispositif_orientation_sauf_premier_accueil",
                violation_error_message="Le SIAO n'oriente pas vers un premier accueil ; pour les autres, oui ou non.",
            ),
            models.CheckConstraint(
                condition=_only_when(
                    Q(categorie__in=LOGEMENTS),
                    Q(contingent_prefectoral__isnull=False),
                    Q(contingent_prefectoral__isnull=True),
                ),
                name="dispositif_contingent_pour_les_logements",
                violation_error_message="Le contingent préfectoral concerne les logements, et eux seuls.",
            ),
            models.CheckConstraint(
                condition=_only_when(
                    Q(contingent_prefectoral__isnull=False, contingent_prefectoral=True),
                    Q(contingent_nombre__isnull=False),
                    Q(contingent_nombre__isnull=True),
                ),
                name="dispositif_contingent_nombre",
                violation_error_message="Donnez le nombre de logements du contingent si et seulement s'il y en a un.",
            ),
            models.CheckConstraint(
                condition=Q(contingent_nombre__isnull=True) | Q(contingent_nombre__lte=F("logements")),
                name="dispositif_contingent_dans_les_logements",
                violation_error_message="Le contingent ne peut pas dépasser le nombre de logements.",
            ),
            models.CheckConstraint(
                condition=_only_when(
                    Q(categorie=Categorie.HEBERGEMENT),
                    Q(
                        places__isnull=False,
                        places_urgence__isnull=False,
                        places_stabilisation__isnull=False,
                        places_insertion__isnull=False,
                    ),
                    Q(
                        places__isnull=True,
                        places_urgence__isnull=True,
                        places_stabilisation__isnull=True,
                        places_insertion__isnull=True,
                        places_pmr__isnull=True,
                    ),
                ),
                name="dispositif_places_pour_l_hebergement",
                violation_error_message="Les places se comptent pour un hébergement, et pour lui seul.",
            ),
            models.CheckConstraint(
                condition=Q(places__isnull=True)
                | Q(places=F("places_urgence") + F("places_stabilisation") + F("places_insertion")),
                name="dispositif_somme_des_places",
                violation_error_message="Urgence + stabilisation + insertion doit donner le nombre de places.",
            ),
            models.CheckConstraint(
                condition=Q(places_pmr__isnull=True) | Q(places_pmr__lte=F("places")),
                name="dispositif_places_pmr_dans_les_places",
                violation_error_message="Les places accessibles ne peuvent pas dépasser le nombre de places.",
            ),
            models.CheckConstraint(
                condition=_only_when(Q(categorie__in=LOGEMENTS), Q(logements__isnull=False), Q(logements__isnull=True)),
                name="dispositif_logements_selon_categorie",
                violation_error_message="Les logements se comptent pour l'IML et les résidences sociales.",
            ),
            models.CheckConstraint(
                condition=_only_when(Q(categorie=Categorie.MESURES), Q(mesures__isnull=False), Q(mesures__isnull=True)),
                name="dispositif_mesures_selon_categorie",
                violation_error_message="Les mesures se comptent pour un accompagnement, et pour lui seul.",
            ),
            models.CheckConstraint(
                condition=_only_when(
                    Q(categorie=Categorie.VEILLE_SOCIALE),
                    ~Q(prestations=[]),
                    Q(prestations=[], horaires=""),
                ),
                name="dispositif_prestations_de_la_veille_sociale",
                violation_error_message="Les prestations sont celles de la veille sociale, obligatoires pour elle.",
            ),
            # Orders of values
            models.CheckConstraint(
                condition=Q(date_fermeture__isnull=True) | Q(date_fermeture__gte=F("date_ouverture")),
                name="dispositif_ferme_apres_ouverture",
                violation_error_message="La fermeture ne peut pas précéder l'ouverture.",
            ),
            models.CheckConstraint(
                condition=~Q(statut=Statut.FERME) | Q(date_fermeture__isnull=False),
                name="dispositif_ferme_a_une_date",
                violation_error_message="Un dispositif fermé a une date de fermeture.",
            ),
            models.CheckConstraint(
                condition=(Q(age_min__isnull=True) | Q(age_min__lte=120))
                & (Q(age_max__isnull=True) | Q(age_max__lte=120))
                & (Q(age_min__isnull=True) | Q(age_max__isnull=True) | Q(age_max__gte=F("age_min"))),
                name="dispositif_ages",
                violation_error_message="Les âges vont de 0 à 120, le maximum n'est pas inférieur au minimum.",
            ),
        ]
        triggers = [
            *SuiviValidation.Meta.triggers,
            pgtrigger.Trigger(
                name="adresse_confidentielle_imposee",
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf("adresse_confidentielle"),
                condition=pgtrigger.Q(new__adresse_confidentielle=False),
                func="""
                    IF EXISTS (
                        SELECT FROM offre_dispositifspecificite
                        JOIN offre_specificitepublic ON code = specificite_id
                        WHERE dispositif_id = NEW.id AND adresse_confidentielle
                    ) THEN
                        RAISE check_violation USING CONSTRAINT = 'dispositif_adresse_confidentielle_imposee',
                        MESSAGE = 'adresse confidentielle imposée';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self):
        return self.nom

    @property
    def capacite(self) -> str:
        """The capacity in the unit of the category, empty for a veille sociale or a premier accueil."""
        numbers = {"place": self.places, "logement": self.logements, "mesure": self.mesures}
        return ", ".join(counted(number, unit) for unit, number in numbers.items() if number is not None)

    @property
    def fige(self) -> bool:
        """Closed or refused: what it offers changes no more."""
        return self.statut in (Statut.FERME, Statut.REFUSE)

    @property
    def commune_visible(self) -> str:
        """Where it is, for a list: a confidential address is not located."""
        return "Confidentielle" if self.adresse_confidentielle else self.commune.nom


@historise(droit=Droit.OFFRE_VOIR, dans="dispositif")
class DispositifPublic(models.Model):
    """A composition of ménage that a dispositif receives."""

    dispositif = models.ForeignKey(Dispositif, models.CASCADE, related_name="+")
    composition = models.ForeignKey(Composition, models.CASCADE, related_name="+", verbose_name="composition")

    class Meta:
        db_table = "offre_dispositif_publics"
        unique_together = [("dispositif", "composition")]
        verbose_name = "public accueilli"
        verbose_name_plural = "publics accueillis"

    def __str__(self):
        return f"{self.dispositif} : {self.composition}"


@historise(droit=Droit.OFFRE_VOIR, dans="dispositif")
class DispositifSpecificite(models.Model):
    """A specificity of the public of a dispositif; some of them make its address confidential."""

    dispositif = models.ForeignKey(Dispositif, models.CASCADE, related_name="+")
    specificite = models.ForeignKey(SpecificitePublic, models.PROTECT, related_name="+", verbose_name="spécificité")

    class Meta:
        verbose_name = "spécificité d'un dispositif"
        verbose_name_plural = "spécificités d'un dispositif"
        constraints = [
            models.UniqueConstraint(fields=["dispositif", "specificite"], name="dispositif_specificite_unique"),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="adresse_confidentielle_imposee",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update,
                func="""
                    IF EXISTS (
                        SELECT FROM offre_dispositif d, offre_specificitepublic s
                        WHERE d.id = NEW.dispositif_id AND NOT d.adresse_confidentielle
                        AND s.code = NEW.specificite_id AND s.adresse_confidentielle
                    ) THEN
                        RAISE check_violation USING CONSTRAINT = 'dispositif_adresse_confidentielle_imposee',
                        MESSAGE = 'adresse confidentielle imposée';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self):
        return f"{self.dispositif} : {self.specificite}"
