"""Financements: who pays for how much of a dispositif, by what deed, over which period."""

import datetime

from django.db import models
from django.db.models import F, Q

from comptes.droits import Droit
from comptes.historique import historise
from comptes.perimetres import Perimetre
from siao.socle.text import Folded, counted, words_of

from .dispositifs import Dispositif
from .nomenclature import LigneFinancement, NatureActe, Unite
from .suivi import Suivi


class FinancementQuerySet(models.QuerySet):
    def visible_to(self, perimetre: Perimetre):
        return self.filter(dispositif__in=Dispositif.objects.visible_to(perimetre).values("pk"))

    def search(self, text: str):
        """Those whose dispositif's name contains each word of ``text``, accents and case apart."""
        return self.filter(*(Q(dispositif__nom_cle__contains=word) for word in words_of(text)))

    def at(self, day: datetime.date):
        """Those that pay on that day."""
        return self.filter(Q(date_fin__isnull=True) | Q(date_fin__gte=day), date_debut__lte=day)

    def for_list(self):
        """With what a line of the list shows, in one query."""
        return self.select_related("dispositif", "ligne")


@historise(droit=Droit.OFFRE_VOIR, exclude=("version", "modifie_le", "modifie_par"))
class Financement(Suivi):
    dispositif = models.ForeignKey(Dispositif, models.PROTECT, related_name="financements", verbose_name="dispositif")
    ligne = models.ForeignKey(LigneFinancement, models.PROTECT, related_name="+", verbose_name="ligne de financement")
    precision = models.CharField("précision (autre)", max_length=255, blank=True)
    precision_cle = models.GeneratedField(
        expression=Folded("precision"), output_field=models.TextField(), db_persist=True
    )
    nature_acte = models.CharField("nature de l'acte", max_length=15, choices=NatureActe.choices)
    reference_acte = models.CharField("référence de l'acte", max_length=100, blank=True)
    reference_cle = models.GeneratedField(
        expression=Folded("reference_acte"), output_field=models.TextField(), db_persist=True
    )
    date_debut = models.DateField("date de début")
    date_fin = models.DateField("date de fin", null=True, blank=True)
    quantite = models.PositiveIntegerField("quantité financée")
    unite = models.CharField("unité", max_length=10, choices=Unite.choices)
    montant_annuel = models.DecimalField("montant annuel (€)", max_digits=14, decimal_places=2, null=True, blank=True)
    commentaire = models.TextField("commentaire", max_length=1000, blank=True)

    objects = FinancementQuerySet.as_manager()

    class Meta:
        verbose_name = "financement"
        ordering = ["dispositif__nom_cle", "-date_debut", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["dispositif", "ligne", "precision_cle", "reference_cle", "date_debut"],
                name="financement_unique",
                violation_error_message="Ce dispositif a déjà ce financement : même ligne, même acte, même début.",
            ),
            models.CheckConstraint(
                condition=(Q(ligne="AUTRE") & ~Q(precision="")) | (~Q(ligne="AUTRE") & Q(precision="")),
                name="financement_precision_si_autre_ligne",
                violation_error_message="La précision se remplit si et seulement si la ligne est « Autre ».",
            ),
            models.CheckConstraint(
                condition=Q(nature_acte__in=NatureActe.values),
                name="financement_nature_acte_dans_la_liste",
                violation_error_message="Choisissez une nature d'acte de la liste.",
            ),
            models.CheckConstraint(
                condition=Q(unite__in=Unite.values),
                name="financement_unite_dans_la_liste",
                violation_error_message="Choisissez une unité de la liste.",
            ),
            models.CheckConstraint(
                condition=Q(date_fin__isnull=True) | Q(date_fin__gte=F("date_debut")),
                name="financement_finit_apres_son_debut",
                violation_error_message="La date de fin ne peut pas précéder la date de début.",
            ),
            models.CheckConstraint(
                condition=Q(quantite__gt=0),
                name="financement_quantite_positive",
                violation_error_message="La quantité financée est d'au moins 1.",
            ),
            models.CheckConstraint(
                condition=Q(montant_annuel__isnull=True) | Q(montant_annuel__gte=0),
                name="financement_montant_positif",
                violation_error_message="Un montant ne peut pas être négatif.",
            ),
        ]

    @property
    def ligne_complete(self) -> str:
        return f"{self.ligne} : {self.precision}" if self.precision else str(self.ligne)

    def __str__(self):
        return f"{self.ligne} ({self.dispositif}, {self.date_debut:%d/%m/%Y})"

    @property
    def mesure(self) -> str:
        """What it pays for: « 30 places »."""
        return counted(self.quantite, self.get_unite_display().lower().removesuffix("s"))
