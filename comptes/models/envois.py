"""Forms already sent: what makes a second click, or Back and send again, harmless."""

from django.db import models
from django.db.models.functions import Now


class Envoi(models.Model):
    """One form that was carried out, and where its answer led. Kept a day."""

    cle = models.CharField("clé du formulaire", max_length=64, primary_key=True)
    suite = models.TextField("page de la réponse")
    quand = models.DateTimeField("quand", db_default=Now())

    class Meta:
        verbose_name = "envoi"
        indexes = [models.Index(fields=["quand"], name="envoi_par_date")]

    def __str__(self):
        return self.cle
