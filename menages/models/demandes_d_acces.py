"""A SIAO asks another one about a person that it knows: the other answers, with a share of the dossier or a refusal."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from comptes.droits import Droit
from comptes.historique import historise
from comptes.models import Siao
from comptes.perimetres import Perimetre
from menages.relations import concerne

from .personnes import DUnePersonneQuerySet, Personne


class EtatDemande(models.TextChoices):
    EN_ATTENTE = "EN_ATTENTE", "En attente"
    ACCEPTEE = "ACCEPTEE", "Acceptée : dossier partagé"
    REFUSEE = "REFUSEE", "Refusée"


class DemandeDAccesQuerySet(DUnePersonneQuerySet):
    def received_by(self, perimetre: Perimetre):
        """Those that the SIAO of ``perimetre`` must answer, or has answered."""
        return self.filter(siao__in=perimetre.siaos)

    def waiting(self):
        return self.filter(etat=EtatDemande.EN_ATTENTE)


# Not its motive: what a professional writes there may be about somebody else.
@concerne(suit=True, exporte=("siao_demandeur", "etat", "demandee_le"))
@historise(droit=Droit.MENAGES_VOIR)
class DemandeDAcces(models.Model):
    personne = models.ForeignKey(Personne, models.CASCADE, related_name="+", verbose_name="personne")
    siao = models.ForeignKey(Siao, models.PROTECT, related_name="+", verbose_name="SIAO qui suit la personne")
    siao_demandeur = models.ForeignKey(Siao, models.PROTECT, related_name="+", verbose_name="SIAO demandeur")
    motif = models.CharField("motif", max_length=255)
    etat = models.CharField("état", max_length=10, choices=EtatDemande.choices, default=EtatDemande.EN_ATTENTE)
    demandee_le = models.DateTimeField("demandée le", db_default=Now())
    demandee_par = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name="demandée par"
    )
    reponse = models.CharField("réponse", max_length=255, blank=True)
    repondue_le = models.DateTimeField("répondue le", null=True)
    repondue_par = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name="répondue par"
    )

    objects = DemandeDAccesQuerySet.as_manager()

    class Meta:
        verbose_name = "demande d'accès"
        verbose_name_plural = "demandes d'accès"
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["personne", "siao_demandeur"],
                condition=Q(etat=EtatDemande.EN_ATTENTE),
                name="demande_d_acces_une_en_attente",
                violation_error_message="Votre SIAO a déjà demandé l'accès à ce dossier.",
            ),
            models.CheckConstraint(
                condition=Q(etat__in=EtatDemande.values),
                name="demande_d_acces_etat_connu",
                violation_error_message="Cet état n'existe pas.",
            ),
            models.CheckConstraint(
                condition=~Q(motif=""),
                name="demande_d_acces_motivee",
                violation_error_message="Donnez le motif de la demande.",
            ),
        ]
        indexes = [
            models.Index(fields=["siao", "etat"], name="demande_d_acces_par_siao"),
        ]

    def __str__(self):
        return f"demande d'accès n° {self.pk}"
