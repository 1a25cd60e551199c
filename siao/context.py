"""What every page shows around its content: menu, active habilitation, request id."""

import structlog

from siao.menu import menu_of


def site(request):
    return {
        "menu": menu_of(request),
        "habilitation": getattr(request, "habilitation", None),
        "request_id": structlog.contextvars.get_contextvars().get("request_id", ""),
    }
