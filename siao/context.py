"""What every page shows around its content: menu, active habilitation, request id."""

import structlog

from comptes.sessions import remaining
from siao.menu import menu_of


def site(request):
    connected = hasattr(request, "user") and request.user.is_authenticated
    return {
        "menu": menu_of(request),
        "habilitation": getattr(request, "habilitation", None),
        "autres_habilitations": [h for h in getattr(request, "habilitations", ()) if h != request.habilitation],
        "session_reste": remaining(request.session) if connected else None,
        "request_id": structlog.contextvars.get_contextvars().get("request_id", ""),
    }
