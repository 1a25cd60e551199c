"""What every page shows around its content: menu, active habilitation, request id."""

import structlog
from django.conf import settings
from django.urls import reverse

from comptes.droits import Droit
from comptes.sessions import remaining
from siao.menu import menu_of


def _search(may) -> dict | None:
    """The search of the header: a person or a dossier; the offre for those who see no dossier (the State)."""
    if may is None:
        return None
    if may(Droit.MENAGES_VOIR):
        return {
            # Posted: who is looked for stays out of addresses.
            "methode": "post",
            "page": reverse("recherche"),
            "libelle": "Chercher une personne ou un dossier",
            "indice": "Nom prénom, naissance ou numéro",
            "longueur": 200,
        }
    if may(Droit.OFFRE_VOIR):
        return {
            "methode": "get",
            "page": reverse("offre:dispositifs"),
            "libelle": "Chercher un dispositif ou une entité",
            "indice": "Dispositif ou entité",
            "longueur": 100,
        }
    return None


def site(request):
    may = getattr(request, "may", None)
    connected = hasattr(request, "user") and request.user.is_authenticated
    return {
        "menu": menu_of(request),
        "habilitation": getattr(request, "habilitation", None),
        "autres_habilitations": [h for h in getattr(request, "habilitations", ()) if h != request.habilitation],
        "session_reste": remaining(request.session) if connected else None,
        "session_inactivite": settings.SESSION_COOKIE_AGE,
        "recherche_entete": _search(may),
        "request_id": structlog.contextvars.get_contextvars().get("request_id", ""),
    }
