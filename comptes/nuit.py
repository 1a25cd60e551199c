"""What the accounts need each night: seals, checks, and everything that has had its time."""

import datetime
from contextlib import contextmanager

import structlog
from axes.models import AccessAttempt
from django.utils import timezone
from guardian.utils import clean_orphan_obj_perms

from comptes import journal
from comptes.historique import acting
from comptes.models import Alerte, Envoi, Lien
from comptes.sessions import SessionStore
from siao.socle.courriels import Courriel

logger = structlog.get_logger(__name__)

LIENS = datetime.timedelta(days=30)
ENVOIS = datetime.timedelta(days=1)
ESSAIS_DE_CONNEXION = datetime.timedelta(days=1)


def run() -> dict[str, int]:
    """Do the night's work; return how much of each. A broken journal is logged as an error and raised at the end."""
    now = timezone.now()
    with acting(utilisateur=None, travail="comptes.nuit"):
        done = {
            "octrois_orphelins": clean_orphan_obj_perms(batch_size=1_000),
            "sessions_finies": _clear_sessions(),
            "liens": Lien.objects.filter(demande_le__lt=now - LIENS).delete()[0],
            "alertes": Alerte.objects.filter(levee_le__lt=now - journal.RETENTION).delete()[0],
            "courriels": Courriel.objects.outdated().delete()[0],
            "envois": Envoi.objects.filter(quand__lt=now - ENVOIS).delete()[0],
            "essais_de_connexion": AccessAttempt.objects.filter(attempt_time__lt=now - ESSAIS_DE_CONNEXION).delete()[0],
        }
    if journal.unguarded():
        logger.error("journal_sans_gardien", detail=journal.UNGUARDED)
    done["entrees_scellees"] = seal()
    with _telling():
        done["entrees_verifiees"] = journal.check().entries
    done["entrees_purgees"] = journal.purge()
    return done


def seal() -> int:
    """What the worker does each minute; return how many entries were new. A broken journal is logged and raised."""
    with _telling():
        return journal.seal()


@contextmanager
def _telling():
    try:
        yield
    except journal.BrokenChain as broken:
        logger.error("journal_rompu", detail=str(broken))
        raise


def _clear_sessions() -> int:
    ended = SessionStore.get_model_class().objects.filter(expire_date__lt=timezone.now())
    return ended.delete()[0]
