"""Personnes: one human being each. Their parcours follows them from ménage to ménage."""

import datetime

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Case, Exists, F, Func, OuterRef, Q, Value, When
from django.db.models.functions import Now

from comptes.droits import Droit
from comptes.historique import historise
from comptes.perimetres import Perimetre
from menages.relations import concerne
from offre.models.suivi import Suivi
from siao.socle.database import ForeignKeyTogether

from .menages import Accompagnement, Menage


class Sexe(models.TextChoices):
    FEMME = "F", "Femme"
    HOMME = "H", "Homme"
    AUTRE = "A", "Autre"


class Precision(models.TextChoices):
    """How much of a date of birth is known; what is not is stored as the first of January, and shown nowhere."""

    JOUR = "JOUR", "Au jour"
    ANNEE = "ANNEE", "L'année seule"
    ENVIRON = "ENVIRON", "Une année présumée"


def birth_of(row) -> str:
    """The birth of a person, or of a line of her history, as people read it; empty when it is not known."""
    born = row.date_naissance
    if born is None:
        return ""
    year = f"{born.year:04d}"
    return {Precision.ANNEE: year, Precision.ENVIRON: f"vers {year}"}.get(row.naissance_precision, f"{born:%d/%m/%Y}")


class Regard(models.TextChoices):
    """How much of a person one user sees."""

    ENTIER = "ENTIER", "Tout"
    PROTEGE = "PROTEGE", "Situation protégée"
    """Who they are, not where they are: no situation, no dispositif, no date."""
    GELE = "GELE", "Données gelées"
    """That they exist, nothing else."""


class CleDeRecherche(Func):
    """The blocking keys of an identity (nom, nom d'usage, prénom, date of birth): see the migration that makes them."""

    function = "menages_cles"
    output_field = ArrayField(models.TextField())


def _menage_of(personne: str, path: str) -> dict:
    """Lookups: the ménage at the end of ``path`` is where ``personne`` (of the outer row) is today."""
    return {
        f"{path}__appartenances__personne": OuterRef(personne),
        f"{path}__appartenances__date_fin__isnull": True,
    }


class PersonneQuerySet(models.QuerySet):
    def actives(self):
        """Those that count: not absorbed by a fusion."""
        return self.filter(active=True)

    def suivies_par(self, perimetre: Perimetre):
        return self._in(Menage.objects.suivis_par(perimetre))

    def visible_to(self, perimetre: Perimetre):
        """Those who are today in a ménage that the perimeter sees."""
        return self._in(Menage.objects.visible_to(perimetre))

    def _in(self, menages):
        return self.filter(appartenances__date_fin__isnull=True, appartenances__menage__in=menages.order_by())

    def entiers_pour(self, habilitation):
        """Those of whom nothing is hidden from the user."""
        return self.with_regard(habilitation).filter(regard=Regard.ENTIER)

    def lisibles_pour(self, habilitation):
        """Those whose data are not frozen for the user (``Regard.GELE``)."""
        return self if Droit.PERSONNES_DROITS in habilitation.droits else self.filter(gelee_le__isnull=True)

    def traced_to(self, habilitation):
        """Those whose journal and history the user reads."""
        return self.suivies_par(habilitation.perimetre).entiers_pour(habilitation)

    def with_regard(self, habilitation):
        """Annotate ``regard``: how much the user of ``habilitation`` sees of each person (``Regard``).

        A protected person is seen whole by the users who were named, and by the team of a dispositif that accompanies
        their ménage. Who lives with them is where they are: the whole ménage is protected, and the fiches that its
        persons absorbed. Frozen data are seen by those who answer for the rights of persons, alone.
        """
        perimetre = habilitation.perimetre
        protected = Personne.objects.filter(protegee=True).exclude(acces__utilisateur=habilitation.utilisateur_id)
        hidden = Exists(
            protected.filter(
                Q(active=True) | Q(pk=OuterRef("pk")),
                appartenances__date_fin__isnull=True,
                **_menage_of("pk", "appartenances__menage"),
            )
        ) | Exists(
            protected.filter(
                active=True,
                appartenances__date_fin__isnull=True,
                **_menage_of("fusionnee_dans", "appartenances__menage"),
            )
        )
        if perimetre.dispositifs:
            team = Accompagnement.objects.current().filter(
                dispositif__in=perimetre.dispositifs, **_menage_of("pk", "menage")
            )
            hidden &= ~Exists(team)
        frozen = Q(pk__in=()) if Droit.PERSONNES_DROITS in habilitation.droits else Q(gelee_le__isnull=False)
        return self.annotate(
            regard=Case(
                When(frozen, then=Value(Regard.GELE.value)),
                When(hidden, then=Value(Regard.PROTEGE.value)),
                default=Value(Regard.ENTIER.value),
                output_field=models.CharField(),
            )
        )


class DUnePersonneQuerySet(models.QuerySet):
    """Rows about one person."""

    def entiers_pour(self, habilitation):
        """Those about somebody of whom nothing is hidden from the user."""
        return self.filter(personne__in=Personne.objects.entiers_pour(habilitation).order_by())


@concerne(suit=True)  # who was absorbed by an absorbed person follows her to the one who is kept
@historise(droit=Droit.MENAGES_VOIR)
class Personne(Suivi):
    # Nothing here is compulsory: a missing or refused identity must never keep anybody out (CASF L. 345-2-2).
    nom = models.CharField("nom", max_length=100, blank=True)
    nom_usage = models.CharField("nom d'usage", max_length=100, blank=True)
    prenom = models.CharField("prénom", max_length=100, blank=True)
    date_naissance = models.DateField("date de naissance", null=True, blank=True)
    naissance_precision = models.CharField(
        "précision de la naissance",
        max_length=7,
        choices=Precision.choices,
        default=Precision.JOUR,
        db_default=Precision.JOUR.value,
    )
    sexe = models.CharField("sexe", max_length=1, choices=Sexe.choices, blank=True)
    protegee = models.BooleanField(
        "situation protégée",
        default=False,
        db_default=False,
        help_text="Le lieu de vie n'est montré qu'aux agents désignés et à l'équipe du dispositif.",
    )
    gelee_le = models.DateTimeField("données gelées le", null=True, blank=True)
    gel_motif = models.CharField("motif du gel", max_length=255, blank=True)
    fusionnee_dans = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="absorbees", verbose_name="fusionnée dans"
    )
    active = models.GeneratedField(
        expression=Q(fusionnee_dans__isnull=True), output_field=models.BooleanField(), db_persist=True
    )
    dans_une_active = models.GeneratedField(expression=Value(True), output_field=models.BooleanField(), db_persist=True)
    fermee = models.GeneratedField(
        expression=Q(fusionnee_dans__isnull=False) | Q(gelee_le__isnull=False),
        output_field=models.BooleanField(),
        db_persist=True,
    )
    cles = models.GeneratedField(
        expression=CleDeRecherche(F("nom"), F("nom_usage"), F("prenom"), F("date_naissance")),
        output_field=ArrayField(models.TextField()),
        db_persist=True,
    )

    objects = PersonneQuerySet.as_manager()

    class Meta:
        verbose_name = "personne"
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(sexe__in=["", *Sexe.values]),
                name="personne_sexe_connu",
                violation_error_message="Choisissez une valeur de la liste, ou laissez vide.",
            ),
            models.CheckConstraint(
                condition=Q(naissance_precision=Precision.JOUR)
                | Q(naissance_precision__in=[Precision.ANNEE, Precision.ENVIRON])
                & Q(date_naissance__isnull=False, date_naissance__day=1, date_naissance__month=1),
                name="personne_naissance_precise",
                violation_error_message="Écrivez une date de naissance, ou l'année seule.",
            ),
            models.CheckConstraint(
                condition=Q(gelee_le__isnull=True, gel_motif="") | Q(gelee_le__isnull=False) & ~Q(gel_motif=""),
                name="personne_gel_motive",
                violation_error_message="Donnez le motif du gel.",
            ),
            # Target of the key below.
            models.UniqueConstraint(fields=["id", "active"], name="personne_avec_son_etat"),
            # Whoever absorbs is absorbed by nobody: no cycle, no chain, no double fusion.
            ForeignKeyTogether(
                fields=["fusionnee_dans", "dans_une_active"],
                to="menages.Personne",
                to_fields=["id", "active"],
                name="personne_fusionnee_dans_une_active",
                violation_error_message="Cette fiche est elle-même fusionnée : choisissez celle qui est gardée.",
            ),
            models.CheckConstraint(
                condition=Q(fusionnee_dans__isnull=True) | ~Q(fusionnee_dans=F("id")),
                name="personne_fusionnee_dans_une_autre",
                violation_error_message="Une fiche ne se fusionne pas avec elle-même.",
            ),
        ]
        indexes = [
            GinIndex(fields=["cles"], name="personne_cles", fastupdate=False),
            # ``with_regard`` looks for the few who are protected among those it is asked about.
            models.Index(fields=["id"], condition=Q(protegee=True), name="personne_protegee"),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="fermee_aux_ecritures",
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf(
                    "nom", "nom_usage", "prenom", "date_naissance", "naissance_precision", "sexe", "protegee"
                ),
                # The new value of a generated column is not known yet.
                condition=pgtrigger.Q(old__fermee=True)
                & (pgtrigger.Q(new__fusionnee_dans__isnull=False) | pgtrigger.Q(new__gelee_le__isnull=False)),
                func="RAISE check_violation USING CONSTRAINT = 'personne_fermee', MESSAGE = 'fiche fermée';",
            ),
        ]

    def __str__(self):
        return f"personne {self.numero}"

    @property
    def numero(self) -> str:
        """The identifier of the person, as it is shown and searched for: P-000045."""
        return f"P-{self.pk:06d}"

    @property
    def designation(self) -> str:
        """The name as people say it. Not for pages that must hide it: those read ``regard`` first."""
        nom = self.nom_usage or self.nom
        return f"{self.prenom} {nom}".strip() or "Personne sans nom"

    @property
    def naissance(self) -> str:
        """The birth as people read it: 17/09/1986, 1986, vers 1986."""
        return birth_of(self)

    @property
    def naissance_dite(self) -> str:
        """The same after « née »: le 17/09/1986, en 1986, vers 1986."""
        before = {Precision.JOUR: "le ", Precision.ANNEE: "en "}.get(self.naissance_precision, "")
        return f"{before}{self.naissance}"

    def age_on(self, jour: datetime.date) -> str:
        """The age as people say it: in months for a baby; empty when the birth is not known."""
        born = self.date_naissance
        if born is None:
            return ""
        if self.naissance_precision != Precision.JOUR:
            years = jour.year - born.year
            return f"environ {years} an{'s' if years > 1 else ''}" if years else "moins d'un an"
        months = (jour.year - born.year) * 12 + jour.month - born.month - (jour.day < born.day)
        if months < 1:
            return "moins d'un mois"
        years = months // 12
        return f"{months} mois" if years < 1 else f"{years} an{'s' if years > 1 else ''}"


@concerne(suit=True)
@historise(droit=Droit.MENAGES_VOIR)
class AccesProtege(models.Model):
    """A user named to see where a protected person is."""

    personne = models.ForeignKey(Personne, models.CASCADE, related_name="acces", verbose_name="personne")
    utilisateur = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name="utilisateur"
    )
    accorde_par = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name="désigné par"
    )
    accorde_le = models.DateTimeField("désigné le", db_default=Now())

    objects = DUnePersonneQuerySet.as_manager()

    class Meta:
        verbose_name = "agent désigné"
        verbose_name_plural = "agents désignés"
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["personne", "utilisateur"],
                name="acces_protege_unique",
                violation_error_message="Cet agent est déjà désigné.",
            ),
        ]

    def __str__(self):
        return f"{self.utilisateur}, pour {self.personne_id}"


_REFUSE = """
    IF EXISTS (SELECT FROM lignes JOIN menages_personne p ON p.id = lignes.personne_id WHERE p.fermee) THEN
        RAISE check_violation USING CONSTRAINT = 'personne_fermee', MESSAGE = 'fiche fermée';
    END IF;
    RETURN NULL;
"""


def closed_to_writing() -> list[pgtrigger.Trigger]:
    """Triggers of a table with a ``personne``: nothing changes in what belongs to an absorbed or frozen person.

    Actions check it first, under their lock, and say why; this is for every other writer.
    """
    return [
        pgtrigger.Trigger(
            name=f"personne_fermee_{name}",
            level=pgtrigger.Statement,
            when=pgtrigger.After,
            operation=operation,
            referencing=referencing,
            func=_REFUSE,
        )
        for name, operation, referencing in (
            ("ajout", pgtrigger.Insert, pgtrigger.Referencing(new="lignes")),
            ("changement", pgtrigger.Update, pgtrigger.Referencing(old="lignes")),
            ("suppression", pgtrigger.Delete, pgtrigger.Referencing(old="lignes")),
        )
    ]
