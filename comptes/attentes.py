"""What waits for those who manage accounts."""

import datetime

from comptes.droits import Droit
from comptes.models import Alerte, Habilitation, Utilisateur
from siao.socle.attentes import Attente

BIENTOT = datetime.timedelta(days=30)


def _never_came(request):
    accounts = Utilisateur.objects.manageable_by(request.habilitation)
    return accounts.filter(is_active=True, last_login__isnull=True)


def _ending(request):
    return Habilitation.objects.manageable_by(request.habilitation).ending_within(BIENTOT)


def _alerts(request):
    return Alerte.objects.visible_to(request.perimetre).to_examine().not_about(request.user)


ATTENTES = (
    Attente(
        libelle="alertes sur des accès inhabituels, à examiner",
        singulier="alerte sur des accès inhabituels, à examiner",
        droit=Droit.JOURNAL_VOIR,
        lignes=_alerts,
        depuis="levee_le",
        page="alertes",
    ),
    Attente(
        libelle="comptes invités qui ne se sont jamais connectés",
        singulier="compte invité qui ne s'est jamais connecté",
        droit=Droit.COMPTES_GERER,
        lignes=_never_came,
        depuis="date_creation",
        page="comptes",
        parametres="etat=invites",
    ),
    Attente(
        libelle="habilitations qui finissent dans les trente jours",
        singulier="habilitation qui finit dans les trente jours",
        droit=Droit.COMPTES_GERER,
        lignes=_ending,
        depuis="date_fin",
        page="comptes",
        parametres="etat=finissent",
    ),
)
