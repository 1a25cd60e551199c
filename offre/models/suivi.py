"""What every fiche of the offre keeps about its own life."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F
from django.db.models.functions import Now


class Suivi(models.Model):
    """Version (stale forms are refused on it), authors and dates."""

    version = models.PositiveIntegerField("version", default=1, db_default=1)
    cree_le = models.DateTimeField("créé le", db_default=Now())
    cree_par = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name="créé par"
    )
    modifie_le = models.DateTimeField("modifié le", db_default=Now())
    modifie_par = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name="modifié par"
    )

    class Meta:
        abstract = True

    @staticmethod
    def trace(auteur) -> dict:
        """Values that every update of a fiche carries with its own: who, when, and the next version."""
        return {"version": F("version") + 1, "modifie_le": Now(), "modifie_par": auteur}


class SuiviValidation(Suivi):
    """The same for a fiche that goes through the validation: since when it is at its statut.

    Kept by the database, whatever moves the fiche: a form, an import of thousands of rows, its undo.
    """

    statut_depuis = models.DateTimeField("dans ce statut depuis", db_default=Now(), editable=False)

    class Meta:
        abstract = True
        triggers = [
            pgtrigger.Trigger(
                name="statut_depuis",
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf("statut"),
                condition=pgtrigger.Q(old__statut__df=pgtrigger.F("new__statut")),
                func="NEW.statut_depuis = now(); RETURN NEW;",
            ),
        ]
