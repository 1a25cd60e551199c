"""What waits for a SIAO that others ask about the persons it follows."""

from comptes.droits import Droit
from menages.models import DemandeDAcces
from siao.socle.attentes import Attente

ATTENTES = (
    Attente(
        libelle="demandes d'accès d'un autre SIAO",
        singulier="demande d'accès d'un autre SIAO",
        droit=Droit.MENAGES_SAISIR,
        lignes=lambda request: DemandeDAcces.objects.received_by(request.perimetre).waiting(),
        depuis="demandee_le",
        page="demandes_d_acces",
    ),
)
