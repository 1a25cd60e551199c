"""What dossiers need each night: who is about to be forgotten, who is, and the searches that have had their time."""

import datetime

from django.utils import timezone

from comptes.historique import acting
from menages.models import Recherche
from situations.actions import oubli

RECHERCHES = datetime.timedelta(days=183)
"""Criteria of searches are kept six months, for the data protection officer."""


def run() -> dict[str, int]:
    """Do the night's work; return how much of each. Doing it again changes nothing."""
    today = timezone.localdate()
    with acting(utilisateur=None, travail="situations.nuit"):
        done = oubli.announce(today=today)
        done["personnes_oubliees"] = oubli.forget_due(today=today)
        done["recherches"] = Recherche.objects.filter(quand__lt=timezone.now() - RECHERCHES).delete()[0]
    return done
