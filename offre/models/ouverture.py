"""Tokens of the open data: who reads the published offre with a program."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from comptes.droits import Droit
from comptes.historique import historise

PAR_MINUTE = 60


# Neither the hash of the secret, nor what each request counts.
@historise(droit=Droit.REFERENTIELS_GERER, exclude=("empreinte", "minute", "nombre"))
class JetonOuverture(models.Model):
    """The token of one structure. Its secret is shown once; only the hash is kept."""

    structure = models.CharField("structure", max_length=120)
    courriel = models.EmailField("adresse courriel", max_length=254)
    empreinte = models.CharField("empreinte du secret", max_length=64, unique=True)
    debut = models.CharField("début du secret", max_length=8, help_text="Pour le reconnaître dans une liste.")
    par_minute = models.PositiveSmallIntegerField("requêtes par minute", default=PAR_MINUTE)
    cree_le = models.DateTimeField("créé le", db_default=Now())
    cree_par = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name="créé par")
    retire_le = models.DateTimeField("retiré le", null=True)
    # The requests of the current minute, counted in the row that every process reads anyway.
    minute = models.DateTimeField("dernière minute d'usage", null=True)
    nombre = models.PositiveIntegerField("requêtes de cette minute", default=0)

    class Meta:
        verbose_name = "jeton des données ouvertes"
        verbose_name_plural = "jetons des données ouvertes"
        ordering = ["structure", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["structure"],
                condition=Q(retire_le__isnull=True),
                name="jeton_un_par_structure",
                violation_error_message="Cette structure a déjà un jeton : retirez-le avant d'en donner un autre.",
            ),
            models.CheckConstraint(
                condition=~Q(structure=""),
                name="jeton_structure_nommee",
                violation_error_message="Dites à quelle structure le jeton est donné.",
            ),
        ]

    def __str__(self):
        return self.structure
