"""The life of a fiche: its transitions with who, when, why; remarks on its fields; changes proposed to it."""

from functools import reduce
from operator import or_

from django.conf import settings
from django.db import models
from django.db.models import F, OuterRef, Q, Subquery
from django.db.models.functions import Now

from comptes.models import Habilitation
from comptes.perimetres import Perimetre
from offre.circuit import COUPLES, EN_ATTENTE

from .dispositifs import Dispositif
from .entites import Rattachement
from .imports import Import
from .nomenclature import Statut

_ONE_FICHE = Q(rattachement__isnull=True, dispositif__isnull=False) | Q(
    rattachement__isnull=False, dispositif__isnull=True
)
_PROPOSITION = (*EN_ATTENTE, Statut.VALIDE, Statut.REFUSE)


class PropositionQuerySet(models.QuerySet):
    def visible_to(self, perimetre: Perimetre):
        return self.filter(
            Q(rattachement__in=Rattachement.objects.visible_to(perimetre))
            | Q(dispositif__in=Dispositif.objects.visible_to(perimetre))
        )

    def en_attente(self):
        return self.filter(statut__in=EN_ATTENTE)

    def with_fiche(self):
        return self.select_related("rattachement__departement", "dispositif__departement", "auteur")


class Proposition(models.Model):
    """A change proposed to a validated fiche: it changes nothing until it is validated."""

    rattachement = models.ForeignKey(
        Rattachement, models.PROTECT, null=True, related_name="propositions", verbose_name="entité"
    )
    dispositif = models.ForeignKey(
        Dispositif, models.PROTECT, null=True, related_name="propositions", verbose_name="dispositif"
    )
    avant = models.JSONField("avant", default=dict)
    apres = models.JSONField("après", default=dict)
    version = models.PositiveIntegerField("version de la fiche", help_text="Celle que l'auteur avait sous les yeux.")
    revision = models.PositiveIntegerField("révision", default=1)
    statut = models.CharField("statut", max_length=10, choices=Statut.choices)
    statut_depuis = models.DateTimeField("dans ce statut depuis", db_default=Now())
    auteur = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name="auteur")
    cree_le = models.DateTimeField("créée le", db_default=Now())

    objects = PropositionQuerySet.as_manager()

    class Meta:
        verbose_name = "proposition de changement"
        verbose_name_plural = "propositions de changement"
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=_ONE_FICHE,
                name="proposition_sur_une_fiche",
                violation_error_message="Une proposition porte sur une entité ou sur un dispositif.",
            ),
            models.CheckConstraint(
                condition=Q(statut__in=_PROPOSITION),
                name="proposition_statut_connu",
                violation_error_message="Ce statut n'est pas celui d'une proposition.",
            ),
            *(
                models.UniqueConstraint(
                    fields=[fiche],
                    condition=Q(statut__in=EN_ATTENTE),
                    name=f"proposition_unique_par_{fiche}",
                    violation_error_message="Une proposition attend déjà sur cette fiche : complétez-la.",
                )
                for fiche in ("rattachement", "dispositif")
            ),
        ]
        indexes = [
            # The queue and its counter look at what waits, never at what is over.
            models.Index(
                fields=["statut", "statut_depuis"], condition=Q(statut__in=EN_ATTENTE), name="proposition_file"
            ),
        ]

    def __str__(self):
        return f"Proposition sur {self.fiche}"

    @property
    def fiche(self) -> Rattachement | Dispositif:
        return self.rattachement or self.dispositif

    @property
    def departement_id(self) -> str:
        return self.fiche.departement_id


class TransitionQuerySet(models.QuerySet):
    def of(self, fiche):
        return self.filter(**{fiche._meta.model_name: fiche})

    def for_history(self):
        """Latest first, with what a line of the history shows, in one query."""
        return self.select_related("auteur", "travail").prefetch_related("remarques").order_by("-le", "-pk")

    def since_validation(self, fiche: str):
        """Those that came after the last validation of their fiche (``fiche``: name of the key)."""
        validated = Transition.objects.filter(
            **{fiche: OuterRef(fiche)}, vers=Statut.VALIDE, proposition__isnull=True
        ).exclude(de=Statut.VALIDE)
        last = Subquery(validated.order_by("-pk").values("pk")[:1])
        return self.annotate(validee=last).filter(Q(validee__isnull=True) | Q(pk__gt=F("validee")))


class Transition(models.Model):
    """One step of a fiche or of a proposition on it: who, when, from, to, why, and what changed."""

    rattachement = models.ForeignKey(Rattachement, models.CASCADE, null=True, related_name="transitions")
    dispositif = models.ForeignKey(Dispositif, models.CASCADE, null=True, related_name="transitions")
    proposition = models.ForeignKey(Proposition, models.CASCADE, null=True, related_name="transitions")
    de = models.CharField("de", max_length=10, choices=Statut.choices, blank=True, help_text="Vide à la création.")
    vers = models.CharField("vers", max_length=10, choices=Statut.choices)
    motif = models.TextField("motif", max_length=1000, blank=True)
    changements = models.JSONField("changements", default=dict, help_text="{champ: [avant, après]}")
    travail = models.ForeignKey(Import, models.PROTECT, null=True, related_name="+", verbose_name="import")
    auteur = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name="auteur")
    habilitation = models.ForeignKey(Habilitation, models.PROTECT, null=True, related_name="+")
    le = models.DateTimeField("le", db_default=Now())
    a_prevenir = models.BooleanField("courriel à envoyer", default=False)

    objects = TransitionQuerySet.as_manager()

    class Meta:
        verbose_name = "transition"
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=_ONE_FICHE,
                name="transition_d_une_fiche",
                violation_error_message="Une transition est celle d'une entité ou d'un dispositif.",
            ),
            models.CheckConstraint(
                condition=Q(travail__isnull=False) | reduce(or_, (Q(de=de, vers=vers) for de, vers in sorted(COUPLES))),
                name="transition_du_circuit",
                violation_error_message="Ce passage n'existe pas dans le circuit de validation.",
            ),
        ]
        indexes = [
            # The worker looks for e-mails to send, among millions of transitions that have none.
            models.Index(fields=["le"], condition=Q(a_prevenir=True), name="transition_a_prevenir"),
        ]

    def __str__(self):
        return f"{self.rattachement or self.dispositif} : {self.get_de_display()} → {self.get_vers_display()}"

    @property
    def modification(self) -> bool:
        """A change of values that leaves the statut as it was."""
        return self.de == self.vers


class Remarque(models.Model):
    """What is to correct in one field. Open as long as the fiche is « à corriger »."""

    transition = models.ForeignKey(Transition, models.CASCADE, related_name="remarques")
    champ = models.CharField("champ", max_length=40)
    texte = models.TextField("remarque", max_length=1000)

    class Meta:
        verbose_name = "remarque"
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["transition", "champ"],
                name="remarque_unique_par_champ",
                violation_error_message="Un champ porte une seule remarque à la fois.",
            ),
            models.CheckConstraint(
                condition=~Q(texte=""),
                name="remarque_remplie",
                violation_error_message="Écrivez ce qui est à corriger.",
            ),
        ]

    def __str__(self):
        return f"{self.champ} : {self.texte}"
