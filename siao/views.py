"""Home page, pages of the footer, errors, health."""

import sys

import structlog
from django.db import InterfaceError, OperationalError, connection
from django.http import JsonResponse
from django.shortcuts import redirect, render

from comptes import saisies
from siao.accueil import content_of
from siao.socle.http import CONNECTED, page_without_database, reads


@reads(CONNECTED)
def accueil(request):
    return render(request, "siao/accueil.html", content_of(request))


@page_without_database
def plan_du_site(request):
    return render(request, "siao/plan_du_site.html")


@page_without_database
def accessibilite(request):
    return render(request, "siao/accessibilite.html")


@page_without_database
def mentions_legales(request):
    return render(request, "siao/mentions_legales.html")


@page_without_database
def donnees_personnelles(request):
    return render(request, "siao/donnees_personnelles.html")


@page_without_database
def sante(request):
    """Health, for the supervisor of the servers: 200 when PostgreSQL answers, 503 otherwise."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (OperationalError, InterfaceError):
        return JsonResponse({"etat": "base injoignable"}, status=503)
    return JsonResponse({"etat": "ok"})


# --- Errors: what happened, what was kept, what to do, and the request id ---------------------------------------


def bad_request(request, exception=None):
    # A session that cannot be saved is a bad request for Django, even when the database is what failed.
    return _error(request, 503 if _failed_on_database(exception) else 400)


def permission_denied(request, exception=None):
    return _error(request, 403)


def method_not_allowed(request):
    return _error(request, 405)


def address_too_long(request):
    return _error(request, 414)


def csrf_failure(request, reason=""):
    """A form whose secret is not that of the browser any more: its own author gets back what was typed.

    Another site's form stays refused: its browser says where it comes from, or it has no stamp of ours to show.
    """
    view = request.resolver_match.func
    if reason.startswith("CSRF"):  # and not the origin
        if request.resolver_match.view_name == "connexion" and request.user.is_authenticated:
            return redirect("accueil")  # logged in from another tab meanwhile
        if getattr(view, "carries_data", False) and (rescued := saisies.rescued(request)):
            return rescued
    return _error(request, 403, template="siao/erreurs/formulaire_expire.html")


def page_not_found(request, exception=None):
    return _error(request, 404)


def server_error(request):
    """Last resort. A database that does not answer is an ordinary event: it has its own page."""
    return _error(request, 503 if _failed_on_database(sys.exc_info()[1]) else 500)


def _failed_on_database(error: BaseException | None) -> bool:
    while error and not isinstance(error, OperationalError | InterfaceError):
        error = error.__cause__ or error.__context__
    return error is not None


def _error(request, status: int, template: str | None = None):
    # Rendered without the request: no query, no menu, nothing that could fail a second time.
    request_id = structlog.contextvars.get_contextvars().get("request_id", "")
    return render(None, template or f"siao/erreurs/{status}.html", {"request_id": request_id}, status=status)
