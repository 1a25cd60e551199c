"""Who acts in each request: the active habilitation, what it may do (``may``) and which rows it sees."""

from functools import partial

import structlog
from django.conf import settings
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.db.models import prefetch_related_objects
from django.shortcuts import redirect
from django.urls import reverse

from comptes import saisies
from comptes.droits import SECOND_FACTOR_DROITS, SECOND_FACTOR_PROFILS, Famille
from comptes.historique import acting
from comptes.journal import journalise
from comptes.models import Habilitation, Resultat
from comptes.models.habilitations import OCTROIS
from comptes.perimetres import VIDE
from siao.socle.http import CONNECTED, PUBLIC, client_ip

SESSION_KEY = "habilitation"


class LoginRequired(LoginRequiredMiddleware):
    """Sends visitors to the login page; what they had typed before their session ended waits for them behind it."""

    def handle_no_permission(self, request, view_func):
        if request.method == "POST" and view_func.carries_data and (rescued := saisies.rescued(request)):
            return rescued
        if "GET" not in view_func.methods:
            return redirect(settings.LOGIN_URL)  # there is no page to come back to
        if request.headers.get("HX-Request"):
            # A fragment cannot hold the login page: the browser loads it whole.
            response = redirect(settings.LOGIN_URL)
            response.headers["HX-Redirect"], response.status_code = response.url, 204
            return response
        return super().handle_no_permission(request, view_func)


def active_habilitation(get_response):
    """Set ``request.habilitation`` (or None), ``request.perimetre`` and ``request.may(droit)``.

    The choice is kept in the session and read again from the database at each request: a right that is taken away
    is gone on the next click. Without habilitation, nothing is permitted and nothing is seen.
    """

    def middleware(request):
        structlog.contextvars.bind_contextvars(ip=client_ip(request))
        connected = request.user.is_authenticated
        request.habilitations = _held_by(request.user) if connected else []
        request.habilitation = _chosen(request)
        request.second_factor_missing = _lacks_second_factor(request)
        opened = request.habilitation and not request.second_factor_missing
        request.perimetre = request.habilitation.perimetre if opened else VIDE
        request.may = (request.habilitation.droits if opened else frozenset()).__contains__
        request.shown = {}
        request.refused_form = partial(saisies.refused_form, request)
        request.send_once = partial(saisies.send_once, request)
        request.journalise = partial(_journalise, request)
        if not connected:
            return get_response(request)
        with acting(utilisateur=request.user, habilitation=request.habilitation):
            return get_response(request)

    return middleware


def _held_by(utilisateur) -> list[Habilitation]:
    habilitations = list(Habilitation.objects.of(utilisateur))
    # Only these have octrois to name in the header: the others cost no query more.
    prefetch_related_objects([h for h in habilitations if h.famille == Famille.ENTITE], *OCTROIS)
    return habilitations


def _chosen(request) -> Habilitation | None:
    """The habilitation that the user works under: the one of the session while it is current, else their first.

    ``request.habilitation_ended``: the one of the session is no more, and the page says so.
    """
    request.habilitation_ended = False
    if not request.habilitations:
        return None
    chosen = request.session.get(SESSION_KEY)
    active = next((h for h in request.habilitations if h.pk == chosen), request.habilitations[0])
    if active.pk != chosen:
        request.session[SESSION_KEY] = active.pk
        request.habilitation_ended = chosen is not None
    return active


# --- Second factor ----------------------------------------------------------------------------------------------

PROCONNECT_SECOND_FACTOR = "second_facteur_proconnect"
"""Session key: ProConnect vouches for a second factor (``amr``)."""


def has_second_factor(request) -> bool:
    """Whether this session was opened with more than a password."""
    return request.user.is_verified() or bool(request.session.get(PROCONNECT_SECOND_FACTOR))


def _lacks_second_factor(request) -> bool:
    """The active habilitation demands a second factor that this session does not have: it opens nothing."""
    return bool(
        settings.SECOND_FACTOR_REQUIRED
        and request.habilitation
        and request.habilitation.profil in SECOND_FACTOR_PROFILS
        and not has_second_factor(request)
    )


class SecondFactor:
    """Sends to the enrolment page who asks for more than their session proves."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_view(self, request, view, args, kwargs):
        rights = set(getattr(view, "rights", (PUBLIC,)))
        if rights & {PUBLIC, CONNECTED} or not settings.SECOND_FACTOR_REQUIRED or request.habilitation is None:
            return None
        if request.second_factor_missing or (rights <= SECOND_FACTOR_DROITS and not has_second_factor(request)):
            return redirect(f"{reverse('double_authentification')}?pour={request.path}")
        return None


# --- Journal ----------------------------------------------------------------------------------------------------

_RESULTATS = {200: Resultat.PERMIS, 403: Resultat.REFUSE, 409: Resultat.REFUSE, 404: Resultat.INTROUVABLE}


def _journalise(request, view, kwargs, status: int) -> None:
    """One entry for each page of personal data, and for each refusal. A redirection shows nothing."""
    refused = status in (403, 409)
    if not (refused or (view.journal and (status == 200 or status >= 400))):
        return
    shown = {"objet_type": view.journal, "objet_id": str(next(iter(kwargs.values()), "")), **request.shown}
    journalise(
        action=request.resolver_match.view_name,
        utilisateur=request.user,
        habilitation=request.habilitation,
        resultat=_RESULTATS.get(status, Resultat.ECHEC),
        **shown,
    )
