"""The home page: what each application wants its users to see first."""

from comptes.attentes import ATTENTES as ATTENTES_COMPTES
from comptes.models import Message
from menages.attentes import ATTENTES as ATTENTES_MENAGES
from offre.attentes import ATTENTES as ATTENTES_OFFRE
from siao.socle.attentes import waiting
from situations.attentes import ATTENTES as ATTENTES_SITUATIONS

ATTENTES = (*ATTENTES_MENAGES, *ATTENTES_SITUATIONS, *ATTENTES_OFFRE, *ATTENTES_COMPTES)
"""Every worklist, in the order of the page: an application adds its own here."""


def content_of(request) -> dict:
    """Messages addressed to the user, then what waits for them."""
    if request.habilitation is None:
        return {}
    return {
        "messages_recus": Message.objects.addressed_to(request.habilitation),
        "attentes": waiting(ATTENTES, request),
    }
