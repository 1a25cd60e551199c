"""What people type is not lost, and goes nowhere else than where its author meant it.

Every form carries a stamp: who opened it, under which habilitation, and a key of its own, signed. It is written by
``{% csrf_token %}`` (``comptes.templatetags.saisies``), hence by all forms, and read by every view that writes:

- another user, another habilitation, no stamp: nothing is written, the page says why and shows what was typed;
- the same key again (double click, Back and send again): nothing is done twice, the answer is that of the first time;
- the session is over: what was typed waits in the new session, and is offered again to its author after login;
- the browser has another secret than the form (logged in again in another tab, cookie lost): the same.
"""

import datetime
import secrets

from django.contrib import messages
from django.core import signing
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils.crypto import salted_hmac

from comptes.champs import in_words
from comptes.models import Envoi

FIELD = "ouvert_par"
SESSION_KEY = "saisie"
SECRETS = frozenset({"mot_de_passe", "mot_de_passe_actuel", "confirmation", "password", "code", "preuve"})
"""Fields that are never kept nor shown again."""

REMONTRE = datetime.timedelta(minutes=5)
"""For how long a form that gave a secret shows it again when it is sent again: time for a double click or a reload."""

_SALT = "comptes.saisies"
_MAX_AGE = 24 * 3600  # seconds


def stamp(request: HttpRequest) -> str:
    """The stamp of one form opened in this request."""
    habilitation = request.habilitation.pk if request.habilitation else None
    return signing.dumps([request.user.pk, habilitation, secrets.token_urlsafe(9)], salt=_SALT)


def stamp_of(request: HttpRequest) -> tuple[int, int | None, str] | None:
    """User, habilitation and key of the form that was posted; None when it carries no stamp of ours."""
    try:
        utilisateur, habilitation, key = signing.loads(request.POST.get(FIELD, ""), salt=_SALT, max_age=_MAX_AGE)
    except signing.BadSignature:
        return None
    return utilisateur, habilitation, key


def key_of(request: HttpRequest) -> str:
    """What no other form has than the one that was posted, by its author."""
    utilisateur, _, key = stamp_of(request)
    return f"{utilisateur}:{key}"


def derived(salt: str, *parts: str) -> bytes:
    """256 bits that only the key of the site can compute from ``parts``, one of which is the key of a form.

    A secret made of them is kept nowhere, and found again when the same form is sent again.
    """
    return salted_hmac(salt, "\n".join(parts), algorithm="sha256").digest()


def typed(request: HttpRequest) -> list[tuple[str, str]]:
    """The fields of the form that was posted, in order, without its secrets."""
    return [
        (name, value)
        for name, values in request.POST.lists()
        if name not in SECRETS and name not in (FIELD, "csrfmiddlewaretoken")
        for value in values
        if value
    ]


def keep(request: HttpRequest, *, session_finie: bool = True) -> None:
    """Keep what was typed in the session, for the author named by the stamp alone; and why it was not sent."""
    stamped = stamp_of(request)
    if stamped is None:
        return
    request.session[SESSION_KEY] = _saisie(request, stamped, session_finie=session_finie)


def _saisie(request: HttpRequest, stamped: tuple | None, *, session_finie: bool = True) -> dict:
    utilisateur, habilitation = stamped[:2] if stamped else (None, None)
    return {
        "utilisateur": utilisateur,
        "habilitation": habilitation,
        "page": request.get_full_path(),
        "champs": typed(request),
        "fichiers": sorted(request.FILES),
        "session_finie": session_finie,
    }


def kept(request: HttpRequest) -> dict | None:
    """What waits for the user of this request, None when nothing does. What belongs to another user is forgotten."""
    saisie = request.session.get(SESSION_KEY)
    if saisie and saisie["utilisateur"] != request.user.pk:
        forget(request)
        return None
    return saisie


def forget(request: HttpRequest) -> None:
    request.session.pop(SESSION_KEY, None)


def show(request: HttpRequest, saisie: dict, *, status: int = 200, origine_inconnue: bool = False) -> HttpResponse:
    """The page that gives ``saisie`` back: to send again, to send under its habilitation, or to copy."""
    du_meme = not origine_inconnue and saisie["utilisateur"] == request.user.pk
    opened_under = next((h for h in request.habilitations if h.pk == saisie["habilitation"]), None)
    return render(
        request,
        "comptes/saisie.html",
        {
            "saisie": saisie,
            "champs": in_words(saisie["champs"]),
            "origine_inconnue": origine_inconnue,
            "du_meme": du_meme,
            "ouverte_sous": opened_under if du_meme else None,
            "prete": du_meme and saisie["habilitation"] == (request.habilitation.pk if request.habilitation else None),
        },
        status=status,
    )


def refused_form(request: HttpRequest) -> HttpResponse | None:
    """The page that refuses a form not opened by this user under this habilitation, None when it was."""
    stamped = stamp_of(request)
    active = request.habilitation.pk if request.habilitation else None
    if stamped and stamped[:2] == (request.user.pk, active):
        return None
    saisie = _saisie(request, stamped)
    if saisie["utilisateur"] == request.user.pk:
        keep(request, session_finie=False)
    return show(request, saisie, status=409, origine_inconnue=stamped is None)


def rescued(request: HttpRequest) -> HttpResponse | None:
    """The answer to a form that cannot be accepted from this browser as it is, and whose text is not lost.

    Its author is logged in: the form is given back. Nobody is: it waits behind the login. Its stamp is unknown or too
    old: what was typed is shown, to copy. None when no form of ours was sent.
    """
    if not request.POST.get(FIELD):
        return None
    stamped = stamp_of(request)
    connected = request.user.is_authenticated
    if stamped and (not connected or stamped[0] == request.user.pk):
        keep(request)
        where = "saisie" if connected else "connexion"
        if request.headers.get("HX-Request"):
            return HttpResponse(status=204, headers={"HX-Redirect": resolve_url(where)})
        return redirect(where)
    return show(request, _saisie(request, stamped), status=403, origine_inconnue=stamped is None)


def send_once(request: HttpRequest, carry_out) -> HttpResponse:
    """Carry a form out, once. It is done when it answers by a redirection, unless that says ``refused``.

    A form that was refused, or shown again with its errors, may be sent again.
    """
    key = key_of(request)
    with connection.cursor() as cursor:
        # A second click waits here for the end of the first one's transaction.
        cursor.execute("INSERT INTO comptes_envoi (cle, suite) VALUES (%s, '') ON CONFLICT DO NOTHING", [key])
        first = cursor.rowcount == 1
    envoi = Envoi.objects.filter(cle=key)
    if not first:
        messages.info(request, "Cet envoi était déjà enregistré : rien n'a été fait une seconde fois.")
        return redirect(envoi.values_list("suite", flat=True).get() or "accueil")
    response = carry_out()
    if 300 <= response.status_code < 400 and not getattr(response, "refused", False):
        envoi.update(suite=response.url)
        forget(request)
    else:
        envoi.delete()
    return response
