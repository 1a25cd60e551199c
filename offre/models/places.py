"""Places and logements, in groups of the same kind: who each can receive, since when it is free, when it is closed.

A ``Place`` is what is freed or taken at once: a bed in a shared room, a whole room for a family, a logement. Its group
says how many people it sleeps and, for each composition of ménage, which sizes it receives: a room for a family of
four is one place, never four places for people alone.
"""

import datetime

import pgtrigger
from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.db import models
from django.db.models import Count, Exists, ExpressionWrapper, F, Func, Min, OuterRef, Q, Subquery, Value
from django.db.models.functions import Coalesce, Now, TruncDate
from django.utils import timezone
from django.utils.timesince import timesince

from comptes.droits import Droit
from comptes.historique import historise
from comptes.models import Habilitation
from comptes.models.journal import AppendOnly
from comptes.perimetres import Perimetre
from siao.socle.database import ForeignKeyTogether, Single
from siao.socle.text import Folded, words_of

from .dispositifs import Dispositif, commune_key
from .nomenclature import AVEC_PLACES_OU_LOGEMENTS, Categorie, Composition, Liste, Statut
from .suivi import Suivi

FRAICHEUR = datetime.timedelta(hours=24)
"""What a place was declared to be is to be confirmed after that long."""


@historise(droit=Droit.REFERENTIELS_GERER, exclude=("modifie_le",))
class TypePlace(Liste):
    class Meta(Liste.Meta):
        verbose_name = "type de place"
        verbose_name_plural = "types de place"


@historise(droit=Droit.REFERENTIELS_GERER, exclude=("modifie_le",))
class CategoriePlace(Liste):
    class Meta(Liste.Meta):
        verbose_name = "catégorie de place"
        verbose_name_plural = "catégories de place"


class Etat(models.TextChoices):
    LIBRE = "LIBRE", "Libre"
    OCCUPEE = "OCCUPEE", "Occupée"


class Motif(models.TextChoices):
    TRAVAUX = "TRAVAUX", "Travaux"
    SINISTRE = "SINISTRE", "Sinistre"
    AUTRE = "AUTRE", "Autre"


def orientable(day: datetime.date, path: str = "") -> Q:
    """Condition on dispositifs (reached through ``path``): those to which the SIAO orients on ``day``.

    A premier accueil never is: the database leaves its « orientation par le SIAO » empty.
    """
    prefix = f"{path}__" if path else ""
    still_open = Q(**{f"{prefix}date_fermeture__isnull": True}) | Q(**{f"{prefix}date_fermeture__gt": day})
    return still_open & Q(
        **{
            f"{prefix}statut": Statut.VALIDE,
            f"{prefix}orientation_siao": True,
            f"{prefix}date_ouverture__lte": day,
        }
    )


def unseen_because(dispositif: Dispositif, day: datetime.date) -> str:
    """Why the SIAO is not shown the free places of ``dispositif`` on ``day``, in words; empty when it is.

    The contrary of ``orientable``, for what is said to who declares.
    """
    if dispositif.date_fermeture and dispositif.date_fermeture <= day:
        return "le dispositif est fermé"
    if dispositif.statut != Statut.VALIDE:
        return "la fiche du dispositif n'est pas validée"
    if not dispositif.orientation_siao:
        return "le SIAO n'oriente pas vers ce dispositif"
    if dispositif.date_ouverture > day:
        return f"le dispositif ouvre le {dispositif.date_ouverture:%d/%m/%Y}"
    return ""


def is_stale(moment: datetime.datetime | None) -> bool:
    """Whether what was declared then is to be confirmed."""
    return moment is None or moment < timezone.now() - FRAICHEUR


def since(moment: datetime.datetime | None) -> str:
    """How long ago, in words: « il y a 3 heures »."""
    if moment is None:
        return "jamais"
    if timezone.now() - moment < datetime.timedelta(minutes=1):
        return "à l'instant"
    return f"il y a {timesince(moment, depth=1)}"


# --- Groups -----------------------------------------------------------------------------------------------------


class GroupePlacesQuerySet(models.QuerySet):
    def visible_to(self, perimetre: Perimetre):
        return self.filter(dispositif__in=Dispositif.objects.visible_to(perimetre).values("pk"))

    def search(self, text: str):
        """Those whose name, or whose dispositif's, contains each word of ``text``, accents and case apart."""
        return self.filter(
            *(Q(libelle_cle__contains=word) | Q(dispositif__nom_cle__contains=word) for word in words_of(text))
        )

    def in_commune(self, text: str):
        """Those whose dispositif is in a commune whose name contains each word of ``text``. It locates them."""
        return self.filter(*(Q(dispositif__commune__nom_cle__contains=word) for word in words_of(text)))

    def for_list(self, day: datetime.date):
        """With what a line shows: its places in service on ``day``, those that are free, their oldest declaration."""
        places = Place.objects.filter(groupe=OuterRef("pk")).order_by().values("groupe")
        used, free = places.in_service(day), places.free(day)
        funded = CapaciteFinancee.objects.filter(groupe=OuterRef("pk"), depuis__lte=day).order_by("-depuis")
        return self.select_related("dispositif__commune", "type", "categorie").annotate(
            nb_places=_count(places.open_at(day)),
            nb_en_service=_count(used),
            nb_libres=_count(free),
            declare_le=Subquery(used.annotate(valeur=Min("declare_le")).values("valeur")),
            nb_a_confirmer=_count(places.to_confirm(timezone.now())),
            financees=Subquery(funded.values("nombre")[:1]),
        )

    def with_free_places(self, *, composition: str, taille: int, day: datetime.date):
        """Those where the SIAO can orient a ménage of this composition and size on ``day``, with ``nb_libres`` places.

        Both are asked for, always: a free place that does not fit is not a free place.
        """
        free = Place.objects.free_for(composition=composition, taille=taille, day=day).filter(groupe=OuterRef("pk"))
        free = free.order_by().values("groupe")
        entite = Dispositif.objects.for_list().filter(pk=OuterRef("dispositif")).values("entite_nom")
        return (
            self.filter(Exists(free))
            .select_related("dispositif__commune", "dispositif__type", "type", "categorie")
            .annotate(
                nb_libres=_count(free),
                declare_le=Subquery(free.annotate(valeur=Min("declare_le")).values("valeur")),
                entite_nom=Subquery(entite),
                commune_cle=commune_key("dispositif"),
            )
        )


def _count(places) -> Coalesce:
    return Coalesce(Subquery(places.annotate(valeur=Count("pk")).values("valeur")), 0)


@historise(droit=Droit.OFFRE_VOIR, exclude=("version", "modifie_le", "modifie_par"))
class GroupePlaces(Suivi):
    """Places or logements of one dispositif that receive the same ménages."""

    # Without an index of its own, here and below: a unique constraint begins with the same column.
    dispositif = models.ForeignKey(
        Dispositif, models.PROTECT, related_name="groupes", verbose_name="dispositif", db_index=False
    )
    categorie_dispositif = models.CharField(
        "catégorie du dispositif", max_length=20, choices=Categorie.choices, help_text="Copie tenue par la base."
    )
    libelle = models.CharField("nom du groupe", max_length=100)
    libelle_cle = models.GeneratedField(expression=Folded("libelle"), output_field=models.TextField(), db_persist=True)
    type = models.ForeignKey(TypePlace, models.PROTECT, related_name="+", verbose_name="type de place")
    categorie = models.ForeignKey(CategoriePlace, models.PROTECT, related_name="+", verbose_name="catégorie de place")
    pmr = models.BooleanField("accessible aux personnes à mobilité réduite")
    couchages = models.PositiveSmallIntegerField("couchages par place")

    objects = GroupePlacesQuerySet.as_manager()

    class Meta:
        verbose_name = "groupe de places"
        verbose_name_plural = "groupes de places"
        ordering = ["libelle_cle", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["dispositif", "libelle_cle"],
                name="groupe_libelle_unique_par_dispositif",
                violation_error_message="Un autre groupe de ce dispositif porte déjà ce nom.",
            ),
            models.CheckConstraint(
                condition=~Q(libelle_cle=""),
                name="groupe_libelle_rempli",
                violation_error_message="Donnez un nom au groupe.",
            ),
            ForeignKeyTogether(
                fields=["dispositif", "categorie_dispositif"],
                to="offre.Dispositif",
                to_fields=["id", "categorie"],
                name="groupe_categorie_de_son_dispositif",
                on_update="CASCADE",
                violation_error_message="La catégorie du groupe est celle de son dispositif.",
            ),
            models.CheckConstraint(
                condition=Q(categorie_dispositif__in=AVEC_PLACES_OU_LOGEMENTS),
                name="groupe_hebergement_ou_logement",
                violation_error_message="Seuls les hébergements et les logements ont des places.",
            ),
            models.CheckConstraint(
                condition=Q(couchages__gte=1, couchages__lte=50),
                name="groupe_couchages",
                violation_error_message="Une place a de 1 à 50 couchages.",
            ),
            # Target of the key that holds the sizes that a group receives to what its places sleep.
            models.UniqueConstraint(fields=["id", "couchages"], name="groupe_avec_ses_couchages"),
        ]

    def __str__(self):
        return self.libelle

    @property
    def fraicheur(self) -> str:
        # Free places that the SIAO sees, the only ones where nobody counted, are to confirm as soon as they are stale.
        due = getattr(self, "nb_a_confirmer", is_stale(self.declare_le))
        return f"{since(self.declare_le)}, à confirmer" if due else since(self.declare_le)

    @property
    def commune(self) -> str:
        """Where its dispositif is, for those who orient there."""
        name = self.dispositif.commune.nom
        return f"{name} (adresse confidentielle)" if self.dispositif.adresse_confidentielle else name

    @property
    def accueil(self) -> str:
        """Who it receives, in words: « Couple avec enfant (3 à 5), Femme seule avec enfant(s) (2 à 4) »."""
        return ", ".join(map(str, self.configurations.all()))


@historise(droit=Droit.OFFRE_VOIR, exclude=("couchages",), dans="groupe")
class Configuration(models.Model):
    """One composition that a group receives, with the sizes of ménage that fit."""

    groupe = models.ForeignKey(
        GroupePlaces, models.CASCADE, related_name="configurations", verbose_name="groupe", db_index=False
    )
    composition = models.ForeignKey(Composition, models.PROTECT, related_name="+", verbose_name="composition")
    couchages = models.PositiveSmallIntegerField("couchages du groupe", help_text="Copie tenue par la base.")
    taille_min = models.PositiveSmallIntegerField("de (personnes)")
    taille_max = models.PositiveSmallIntegerField("à (personnes)")

    class Meta:
        verbose_name = "composition acceptée"
        verbose_name_plural = "compositions acceptées"
        ordering = ["composition__ordre"]
        constraints = [
            models.UniqueConstraint(
                fields=["groupe", "composition"],
                # Who looks for a place asks for a composition and a size: answered by this index alone.
                include=["taille_min", "taille_max"],
                name="configuration_unique",
                violation_error_message="Cette composition est déjà acceptée par le groupe.",
            ),
            models.CheckConstraint(
                condition=Q(taille_min__gte=1, taille_max__gte=F("taille_min")),
                name="configuration_tailles_dans_l_ordre",
                violation_error_message="La plus petite taille est d'au moins 1, et ne dépasse pas la plus grande.",
            ),
            models.CheckConstraint(
                condition=Q(taille_max__lte=F("couchages")),
                name="configuration_dans_les_couchages",
                violation_error_message="Un ménage ne peut pas être plus grand que le nombre de couchages.",
            ),
            ForeignKeyTogether(
                fields=["groupe", "couchages"],
                to="offre.GroupePlaces",
                to_fields=["id", "couchages"],
                name="configuration_couchages_de_son_groupe",
                on_update="CASCADE",
                violation_error_message="Les couchages sont ceux du groupe.",
            ),
        ]

    def __str__(self):
        sizes = f"{self.taille_min} à {self.taille_max}" if self.taille_max > self.taille_min else str(self.taille_max)
        return f"{self.composition} ({sizes})"


class CapaciteFinanceeQuerySet(models.QuerySet):
    def visible_to(self, perimetre: Perimetre):
        return self.filter(groupe__in=GroupePlaces.objects.visible_to(perimetre).values("pk"))


@historise(droit=Droit.OFFRE_VOIR, dans="groupe")
class CapaciteFinancee(models.Model):
    """How many couchages of a group are funded from a date on, until the next line of the same group.

    Steps, not periods: two lines can neither overlap nor leave a gap.
    """

    groupe = models.ForeignKey(
        GroupePlaces, models.CASCADE, related_name="financees_depuis", verbose_name="groupe", db_index=False
    )
    depuis = models.DateField("depuis le")
    nombre = models.PositiveIntegerField("couchages financés")

    objects = CapaciteFinanceeQuerySet.as_manager()

    class Meta:
        verbose_name = "capacité financée"
        verbose_name_plural = "capacités financées"
        ordering = ["-depuis"]
        constraints = [
            models.UniqueConstraint(
                fields=["groupe", "depuis"],
                name="capacite_financee_une_par_jour",
                violation_error_message="La capacité financée à cette date est déjà donnée.",
            ),
        ]

    def __str__(self):
        return f"{self.nombre} depuis le {self.depuis:%d/%m/%Y}"


# --- Places -----------------------------------------------------------------------------------------------------


class PlaceQuerySet(models.QuerySet):
    def visible_to(self, perimetre: Perimetre):
        return self.filter(groupe__dispositif__in=Dispositif.objects.visible_to(perimetre).values("pk"))

    def open_at(self, day: datetime.date):
        """Installed on ``day``, in use or not. A place is closed from the day of its closing on."""
        return self.filter(Q(fermee_le__isnull=True) | Q(fermee_le__gt=day), ouverte_le__lte=day)

    def in_service(self, day: datetime.date):
        """Open and neither under works nor damaged on ``day``."""
        unavailable = Indisponibilite.objects.at(day).filter(place=OuterRef("pk"))
        return self.open_at(day).filter(~Exists(unavailable))

    def declared(self, day: datetime.date):
        """In service on ``day``, and said free or taken since it is: works undo what was said before them."""
        return self.exclude(etat="").open_at(day).filter(~Exists(Indisponibilite.objects.undoing(day)))

    def free(self, day: datetime.date):
        return self.filter(etat=Etat.LIBRE).declared(day)

    def free_for(self, *, composition: str, taille: int, day: datetime.date):
        """Free places to which the SIAO can orient a ménage of this composition and size on ``day``."""
        fits = Configuration.objects.filter(
            groupe=OuterRef("groupe"), composition=composition, taille_min__lte=taille, taille_max__gte=taille
        )
        return self.free(day).filter(orientable(day, "groupe__dispositif"), Exists(fits))

    def to_confirm(self, now: datetime.datetime):
        """Places of orientable dispositifs whose last declaration is missing or too old.

        An occupied logement announces nothing that fades: only hébergements are asked about their occupied places.
        """
        day = timezone.localdate(now)
        fades = Q(etat=Etat.LIBRE) | Q(groupe__categorie_dispositif=Categorie.HEBERGEMENT)
        undone = Q(declare_le__isnull=True) | Exists(Indisponibilite.objects.undoing(day))
        stale = undone | (Q(declare_le__lt=now - FRAICHEUR) & fades)
        return self.in_service(day).filter(stale, orientable(day, "groupe__dispositif"))


# What is declared of it changes several times a day, and is kept by ``DeclarationPlace``.
@historise(droit=Droit.OFFRE_VOIR, exclude=("etat", "etat_depuis", "declare_le", "declare_par"))
class Place(models.Model):
    groupe = models.ForeignKey(
        GroupePlaces, models.PROTECT, related_name="places", verbose_name="groupe", db_index=False
    )
    nom = models.CharField("nom ou numéro", max_length=60)
    nom_cle = models.GeneratedField(expression=Folded("nom"), output_field=models.TextField(), db_persist=True)
    ouverte_le = models.DateField("ouverte le")
    fermee_le = models.DateField("fermée le", null=True, blank=True)
    etat = models.CharField("état", max_length=7, choices=Etat.choices, blank=True)
    etat_depuis = models.DateTimeField("dans cet état depuis", null=True)
    declare_le = models.DateTimeField("déclarée le", null=True)
    declare_par = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name="déclarée par"
    )

    objects = PlaceQuerySet.as_manager()

    class Meta:
        verbose_name = "place"
        ordering = ["nom_cle", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["groupe", "nom_cle"],
                name="place_nom_unique_par_groupe",
                violation_error_message="Une autre place du groupe porte déjà ce nom.",
            ),
            models.CheckConstraint(
                condition=~Q(nom_cle=""),
                name="place_nom_rempli",
                violation_error_message="Donnez un nom ou un numéro à la place.",
            ),
            models.CheckConstraint(
                condition=Q(fermee_le__isnull=True) | Q(fermee_le__gte=F("ouverte_le")),
                name="place_ferme_apres_ouverture",
                violation_error_message="La fermeture ne peut pas précéder l'ouverture.",
            ),
            models.CheckConstraint(
                condition=Q(etat__in=["", *Etat.values]),
                name="place_etat_connu",
                violation_error_message="Une place est libre ou occupée.",
            ),
            models.CheckConstraint(
                condition=Q(etat="", etat_depuis__isnull=True, declare_le__isnull=True, declare_par__isnull=True)
                | (
                    ~Q(etat="")
                    & Q(etat_depuis__isnull=False, declare_le__gte=F("etat_depuis"), declare_par__isnull=False)
                ),
                name="place_declaree_par_quelqu_un",
                violation_error_message="Ce qui est déclaré d'une place l'est par quelqu'un, à un moment.",
            ),
        ]
        indexes = [
            # « Places disponibles » reads the free places only, a few in a hundred.
            models.Index(fields=["groupe"], condition=Q(etat="LIBRE"), name="place_libre_par_groupe"),
        ]

    def __str__(self):
        return self.nom

    @property
    def vu(self) -> str:
        """What a form that changes it shows: carried by the form, it tells whether somebody was faster."""
        return f"{self.nom}|{self.ouverte_le}|{self.fermee_le}"

    @property
    def libre(self) -> bool:
        return self.etat == Etat.LIBRE

    @property
    def fraicheur(self) -> str:
        return since(self.declare_le)

    def is_open_at(self, day: datetime.date) -> bool:
        return self.ouverte_le <= day and (self.fermee_le is None or self.fermee_le > day)


class DeclarationPlace(models.Model):
    """One change of a place, free or taken. Appended; what only confirms the state is kept on the place."""

    place = models.ForeignKey(Place, models.PROTECT, related_name="declarations", verbose_name="place")
    etat = models.CharField("état", max_length=7, choices=Etat.choices)
    quand = models.DateTimeField("quand", db_default=Now())
    auteur = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name="auteur")
    habilitation = models.ForeignKey(Habilitation, models.PROTECT, related_name="+", verbose_name="habilitation")

    class Meta:
        verbose_name = "déclaration d'une place"
        verbose_name_plural = "déclarations de places"
        ordering = ["-quand", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(etat__in=Etat.values),
                name="declaration_place_etat_connu",
                violation_error_message="Une place est libre ou occupée.",
            ),
        ]
        triggers = [AppendOnly(name="ajout_seul", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self):
        return f"{self.get_etat_display()}, {timezone.localtime(self.quand):%d/%m/%Y %H:%M}"


class IndisponibiliteQuerySet(models.QuerySet):
    def visible_to(self, perimetre: Perimetre):
        return self.filter(place__groupe__dispositif__in=Dispositif.objects.visible_to(perimetre).values("pk"))

    def at(self, day: datetime.date):
        return self.filter(Q(date_fin__isnull=True) | Q(date_fin__gte=day), date_debut__lte=day)

    def undoing(self, day: datetime.date):
        """Of the place of the outer query, those that last on ``day``, or lasted when it was last declared."""
        declared_on = TruncDate(ExpressionWrapper(OuterRef("declare_le"), models.DateTimeField()))
        lasting = Q(date_fin__isnull=True) | Q(date_fin__gte=day) | Q(date_fin__gte=declared_on)
        return self.filter(lasting, place=OuterRef("pk"), date_debut__lte=day)

    def from_day(self, day: datetime.date):
        """Those of ``day`` and of later."""
        return self.filter(Q(date_fin__isnull=True) | Q(date_fin__gte=day))


@historise(droit=Droit.OFFRE_VOIR, dans="place")
class Indisponibilite(models.Model):
    """A place that cannot be used, from a day to another (included), or until further notice."""

    place = models.ForeignKey(Place, models.CASCADE, related_name="indisponibilites", verbose_name="place")
    motif = models.CharField("motif", max_length=8, choices=Motif.choices)
    precision = models.CharField("précision", max_length=255, blank=True)
    date_debut = models.DateField("du")
    date_fin = models.DateField("au", null=True, blank=True)

    objects = IndisponibiliteQuerySet.as_manager()

    class Meta:
        verbose_name = "indisponibilité"
        ordering = ["-date_debut"]
        constraints = [
            ExclusionConstraint(
                # A key alone is a range of one value: PostgreSQL compares both ranges without any extension.
                expressions=[
                    (Single("place"), RangeOperators.OVERLAPS),
                    (
                        Func(
                            "date_debut", "date_fin", Value("[]"), function="DATERANGE", output_field=DateRangeField()
                        ),
                        RangeOperators.OVERLAPS,
                    ),
                ],
                name="indisponibilite_sans_chevauchement",
                violation_error_message="Cette place est déjà indisponible à une partie de ces dates.",
            ),
            models.CheckConstraint(
                condition=Q(date_fin__isnull=True) | Q(date_fin__gte=F("date_debut")),
                name="indisponibilite_finit_apres_son_debut",
                violation_error_message="La fin de l'indisponibilité ne peut pas précéder son début.",
            ),
            models.CheckConstraint(
                condition=Q(motif__in=Motif.values),
                name="indisponibilite_motif_connu",
                violation_error_message="Choisissez un motif de la liste.",
            ),
            models.CheckConstraint(
                condition=~Q(motif=Motif.AUTRE) | ~Q(precision=""),
                name="indisponibilite_autre_precisee",
                violation_error_message="Précisez le motif.",
            ),
        ]

    def __str__(self):
        until = f"au {self.date_fin:%d/%m/%Y}" if self.date_fin else "sans date de fin"
        why = self.precision or self.get_motif_display()
        return f"{why}, du {self.date_debut:%d/%m/%Y} {until}"

    @property
    def vu(self) -> str:
        """What a form that changes it shows, as for a place."""
        return f"{self.motif}|{self.precision}|{self.date_debut}|{self.date_fin}"


class RappelPlaces(models.Model):
    """When somebody was last reminded that places wait for their declaration: one e-mail per person and day."""

    utilisateur = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="+", verbose_name="destinataire"
    )
    envoye_le = models.DateTimeField("envoyé le")

    class Meta:
        verbose_name = "rappel"

    def __str__(self):
        return f"{self.utilisateur_id}"
