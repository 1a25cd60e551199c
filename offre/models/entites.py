"""Entités gestionnaires: legal persons, and what each département declares of them.

The SIREN is unique in France, the name is unique in the département. So an ``Entite`` is the legal person and
nothing else, and a ``Rattachement`` is the fiche that one département keeps of it: the second département that names
a known SIREN is attached to the entité, and neither département sees the other's fiche.
"""

from django.db import models
from django.db.models import Count, F, Q, Value
from django.db.models.functions import Cast, Mod, Substr
from django.db.models.lookups import Exact

from comptes.droits import Droit
from comptes.historique import historise
from comptes.models import Departement
from comptes.perimetres import Perimetre
from siao.socle.text import Folded, words_of

from .nomenclature import A_TRAITER, ConventionCollective, Idcc, Statut
from .suivi import SuiviValidation


def has_luhn_key(field: str, length: int) -> Exact:
    """Condition: the ``length`` digits of ``field`` satisfy the Luhn key of the SIRENE register."""
    total = Value(0)
    for position in range(1, length + 1):
        digit = Cast(Substr(field, position, 1), models.IntegerField())
        if (length - position) % 2:
            # Doubled, then the digits of the result added: 0 1 2 … 9 becomes 0 2 4 6 8 1 3 5 7 9.
            digit = Cast(Substr(Value("0246813579"), digit + 1, 1), models.IntegerField())
        total = total + digit
    return Exact(Mod(total, Value(10)), 0)


class EntiteQuerySet(models.QuerySet):
    def visible_to(self, perimetre: Perimetre):
        return self.filter(pk__in=Rattachement.objects.visible_to(perimetre).values("entite"))


@historise(droit=Droit.OFFRE_VOIR)
class Entite(models.Model):
    siren = models.CharField("SIREN", max_length=9, unique=True)

    objects = EntiteQuerySet.as_manager()

    class Meta:
        verbose_name = "entité gestionnaire"
        verbose_name_plural = "entités gestionnaires"
        ordering = ["siren"]
        constraints = [
            # PostgreSQL checks in the order of the names: the digits first, then their key.
            models.CheckConstraint(
                condition=Q(siren__regex=r"^[0-9]{9}$"),
                name="entite_siren_chiffres",
                violation_error_message="Un SIREN a 9 chiffres.",
            ),
            models.CheckConstraint(
                condition=has_luhn_key("siren", 9),
                name="entite_siren_cle",
                violation_error_message="Ce SIREN est mal recopié : sa clé de contrôle n'est pas la bonne.",
            ),
            # Target of the key that holds a dispositif's SIRET to the SIREN of its entité.
            models.UniqueConstraint(fields=["id", "siren"], name="entite_avec_son_siren"),
        ]

    def __str__(self):
        return self.siren


class RattachementQuerySet(models.QuerySet):
    def visible_to(self, perimetre: Perimetre):
        return self.filter(perimetre.rows(departement="departement", rattachement="pk"))

    def search(self, text: str):
        """Those whose name or SIREN contains ``text``, accents and case apart; all of them when it is blank."""
        words = Q(*(Q(nom_cle__contains=word) for word in words_of(text)))
        siren = "".join(filter(str.isdecimal, text))
        return self.filter(words | Q(entite__siren__startswith=siren)) if siren else self.filter(words)

    def for_list(self):
        """With what a line of the list shows, in one query."""
        open_here = Q(entite__dispositifs__departement=F("departement")) & ~Q(entite__dispositifs__statut=Statut.FERME)
        counted = self.select_related("entite", "convention").annotate(
            nb_dispositifs=Count("entite__dispositifs", filter=open_here)
        )
        return counted.order_by("nom_cle", "pk")  # a grouped query forgets the order of its model


@historise(droit=Droit.OFFRE_VOIR, exclude=("version", "modifie_le", "modifie_par"))
class Rattachement(SuiviValidation):
    """The fiche of an entité in one département."""

    entite = models.ForeignKey(Entite, models.PROTECT, related_name="rattachements", verbose_name="entité")
    departement = models.ForeignKey(Departement, models.PROTECT, related_name="+", verbose_name="département")
    nom = models.CharField("nom de l'entité", max_length=255)
    nom_cle = models.GeneratedField(expression=Folded("nom"), output_field=models.TextField(), db_persist=True)
    telephone = models.CharField("téléphone", max_length=20, blank=True)
    courriel = models.EmailField("adresse courriel", max_length=254, blank=True)
    convention = models.ForeignKey(
        ConventionCollective,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="type de convention collective",
    )
    idcc = models.ForeignKey(
        Idcc, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="n° IDCC (Autres)"
    )
    statut = models.CharField("statut", max_length=10, choices=Statut.choices, default=Statut.BROUILLON)
    date_fermeture = models.DateField("date de fermeture", null=True, blank=True)
    fusionne_dans = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="fusionnes", verbose_name="fusionnée dans"
    )

    objects = RattachementQuerySet.as_manager()

    class Meta:
        verbose_name = "entité du département"
        verbose_name_plural = "entités du département"
        ordering = ["nom_cle", "pk"]
        triggers = SuiviValidation.Meta.triggers
        indexes = [
            models.Index(
                fields=["statut", "statut_depuis"], condition=Q(statut__in=A_TRAITER), name="rattachement_file"
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["entite", "departement"],
                name="rattachement_unique",
                violation_error_message="Cette entité est déjà dans ce département.",
            ),
            models.UniqueConstraint(
                fields=["departement", "nom_cle"],
                # A closed entité leaves its name to the one that takes over.
                condition=~Q(statut=Statut.FERME),
                name="rattachement_nom_unique_par_departement",
                violation_error_message="Une autre entité du département porte déjà ce nom.",
            ),
            models.CheckConstraint(
                condition=~Q(nom_cle=""),
                name="rattachement_nom_rempli",
                violation_error_message="Donnez un nom à l'entité.",
            ),
            models.CheckConstraint(
                # A check passes on NULL: each branch says what it wants of the empty convention.
                condition=Q(convention__isnull=False, convention="AUTRE", idcc__isnull=False)
                | Q(convention__isnull=True, idcc__isnull=True)
                | (~Q(convention="AUTRE") & Q(idcc__isnull=True)),
                name="rattachement_idcc_si_autre_convention",
                violation_error_message="Le n° IDCC se remplit si et seulement si la convention est « Autre ».",
            ),
            models.CheckConstraint(
                condition=Q(statut__in=Statut.values),
                name="rattachement_statut_connu",
                violation_error_message="Ce statut n'existe pas.",
            ),
            models.CheckConstraint(
                condition=~Q(statut=Statut.FERME) | Q(date_fermeture__isnull=False),
                name="rattachement_ferme_a_une_date",
                violation_error_message="Une entité fermée a une date de fermeture.",
            ),
            models.CheckConstraint(
                condition=Q(fusionne_dans__isnull=True) | (Q(statut=Statut.FERME) & ~Q(fusionne_dans=F("pk"))),
                name="rattachement_fusionne_est_ferme",
                violation_error_message="Une entité fusionnée dans une autre est fermée.",
            ),
        ]

    def __str__(self):
        return self.nom
