"""What every page shows around its content: menu, active habilitation, request id."""

import structlog

from comptes.droits import Droit
from comptes.sessions import remaining
from siao.menu import menu_of


def site(request):
    may = getattr(request, "may", None)
    connected = hasattr(request, "user") and request.user.is_authenticated
    return {
        "menu": menu_of(request),
        "habilitation": getattr(request, "habilitation", None),
        "autres_habilitations": [h for h in getattr(request, "habilitations", ()) if h != request.habilitation],
        "session_reste": remaining(request.session) if connected else None,
        # The State's profils look for the offre: they have no dossier to look for.
        "cherche_dossiers": may is not None and may(Droit.MENAGES_VOIR),
        "request_id": structlog.contextvars.get_contextvars().get("request_id", ""),
    }
