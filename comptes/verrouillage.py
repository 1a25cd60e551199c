"""Lockout after failed logins: django-axes, with limits that stop a guesser and not who is guessed at.

In five minutes:

- five failures on one account from one place: a browser that this account has already been opened with, or else a
  network address;
- a hundred on one account from all the places that it does not know: many addresses that guess together;
- fifty from one network address, whatever the accounts. An office shares one: what stops a guesser there must not stop
  the thirty people of a night shift who mistype. Browsers that are known are not counted so.

Whoever fails from elsewhere, however often, keeps nobody out of their usual browser; and a link received by e-mail
makes the browser that opens it a known one. A known browser holds a signed cookie with a number drawn for it and the
accounts that it has opened, as fingerprints: it opens nothing by itself.
"""

import secrets

from axes.handlers.database import AxesDatabaseHandler
from axes.helpers import get_cool_off, get_failure_limit
from axes.models import AccessAttempt
from django.conf import settings
from django.core import signing
from django.db.models import Q, Sum
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import salted_hmac

COOKIE = "navigateur"
AGE = 180 * 24 * 3600
"""How long a browser stays known without opening the account again (seconds)."""
COMPTES = 40
"""How many accounts a browser knows at most, the latest: a post of a night shift."""
FROM_EVERYWHERE, FROM_AN_ADDRESS = 100, 50
"""Failures that lock an account for the places that it does not know, and a network address for all accounts."""

_SALT = "comptes.verrouillage"


class Handler(AxesDatabaseHandler):
    def get_failures(self, request, credentials=None) -> int:
        """The failures that count against this attempt, on the scale of the limit of one account (settings)."""
        place = place_of(request, credentials)
        recent = AccessAttempt.objects.filter(attempt_time__gte=timezone.now() - get_cool_off(request))
        if " " in place:
            return recent.filter(username=place).aggregate(total=Sum("failures_since_start"))["total"] or 0
        account, address = Q(username=place), Q(ip_address=request.axes_ip_address)
        failures = recent.filter(account | address).aggregate(
            here=Sum("failures_since_start", filter=account & address, default=0),
            account=Sum("failures_since_start", filter=account, default=0),
            address=Sum("failures_since_start", filter=address, default=0),
        )
        limit = get_failure_limit(request, credentials)
        return max(
            failures["here"],
            failures["account"] * limit // FROM_EVERYWHERE,
            failures["address"] * limit // FROM_AN_ADDRESS,
        )


def place_of(request: HttpRequest, credentials: dict | None) -> str:
    """Under what the failures of this attempt are counted: the account, followed by the browser that it knows.

    A fingerprint, so that addresses typed by mistake are kept nowhere.
    """
    account = _account((credentials or {}).get(settings.AXES_USERNAME_FORM_FIELD) or "")
    number, accounts = _known(request) if request else ("", [])
    return f"{account} {number}" if account in accounts else account


def remember(request: HttpRequest, response: HttpResponse, utilisateur) -> HttpResponse:
    """Make the browser that receives ``response`` a known one of ``utilisateur``, who has just proved who they are."""
    number, accounts = _known(request)
    account = _account(utilisateur.courriel)
    accounts = [account, *(other for other in accounts if other != account)][:COMPTES]
    response.set_cookie(
        COOKIE,
        signing.dumps([number or secrets.token_urlsafe(12), accounts], salt=_SALT),
        max_age=AGE,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return response


def forgive(utilisateur) -> None:
    """Forget the failures on the account of ``utilisateur``, who has proved otherwise that it is theirs."""
    account = _account(utilisateur.courriel)
    AccessAttempt.objects.filter(Q(username=account) | Q(username__startswith=f"{account} ")).delete()


def same_page(request, response, credentials):
    """Nothing tells a locked account from a wrong password, nor a known address from an unknown one."""
    return response


def _known(request: HttpRequest) -> tuple[str, list[str]]:
    """The number of the browser and the accounts that it has opened; none when it is unknown."""
    try:
        number, accounts = signing.loads(request.COOKIES.get(COOKIE, ""), salt=_SALT, max_age=AGE)
    except signing.BadSignature:
        return "", []
    return number, accounts


def _account(courriel: str) -> str:
    return salted_hmac(_SALT, courriel.strip().lower()).hexdigest()[:32]
