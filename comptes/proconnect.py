"""ProConnect, the login of the State's agents (OpenID Connect). Off until its settings are there.

mozilla-django-oidc speaks the protocol; this module refuses what it would let through (issuer, audience, expiry,
unsigned userinfo) and says which account a verified agent opens: the one already linked to their ``sub``, else the one
that was invited with their address and nobody has linked yet. Nothing is created: accounts are invited.
"""

import secrets
from urllib.parse import urlencode

import jwt
import requests
import structlog
from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.urls import reverse
from mozilla_django_oidc.auth import OIDCAuthenticationBackend
from mozilla_django_oidc.utils import absolutify
from mozilla_django_oidc.views import OIDCAuthenticationRequestView

from comptes.historique import acting
from comptes.journal import journalise
from comptes.models import Utilisateur
from comptes.preuves import tell

MFA = frozenset({"mfa", "pop", "totp"})
"""Authentication methods (``amr``) that stand for a second factor."""

logger = structlog.get_logger(__name__)


def enabled() -> bool:
    return bool(settings.OIDC_RP_CLIENT_ID)


def authorization(request, suite: str):
    """Redirect to ProConnect, with a state and a nonce of 32 characters kept in the session."""
    response = OIDCAuthenticationRequestView.as_view()(request)
    request.session["oidc_login_next"] = suite
    return response


def identify(request) -> tuple[Utilisateur, bool, str] | None:
    """The account that the agent sent back by ProConnect opens, whether they gave a second factor, and where to go.

    None when no account is theirs. Raises ``SuspiciousOperation`` for an answer that ProConnect did not make for this
    session, and ``requests.RequestException`` when ProConnect does not answer.
    """
    states = request.session.get("oidc_states", {})
    pending = states.pop(request.GET.get("state"), None)  # worth one try, whatever comes out of it
    request.session["oidc_states"] = states
    if pending is None or not request.GET.get("code"):
        raise SuspiciousOperation("unknown state or no code")
    try:
        backend = Backend()
        utilisateur = backend.authenticate(request, nonce=pending["nonce"], code_verifier=pending["code_verifier"])
    except (jwt.PyJWTError, KeyError, ValueError) as malformed:
        raise SuspiciousOperation("malformed token") from malformed
    if utilisateur is None or not utilisateur.is_active:
        return None
    return utilisateur, bool(MFA & set(backend.amr)), request.session.pop("oidc_login_next", "")


def end_session_url(request) -> str | None:
    """Where to go to end the session at ProConnect too; None when it did not open this one."""
    hint = request.session.get("oidc_id_token")
    if not (enabled() and hint):
        return None
    parameters = {
        "id_token_hint": hint,
        "state": secrets.token_urlsafe(24),
        "post_logout_redirect_uri": absolutify(request, reverse("connexion")),
    }
    return f"{settings.OIDC_OP_LOGOUT_ENDPOINT}?{urlencode(parameters)}"


class Backend(OIDCAuthenticationBackend):
    amr: tuple[str, ...] = ()

    def _verify_jws(self, payload, key):
        """Signature, issuer, audience and expiry; the library checks the signature alone."""
        if jwt.get_unverified_header(payload).get("alg") != self.OIDC_RP_SIGN_ALGO:
            raise SuspiciousOperation("unexpected algorithm")
        return jwt.decode(
            payload,
            key,
            algorithms=[self.OIDC_RP_SIGN_ALGO],
            audience=self.OIDC_RP_CLIENT_ID,
            issuer=settings.OIDC_OP_ISSUER,
            options={"require": ["exp", "iat", "iss", "aud", "sub"]},
            leeway=30,
        )

    def get_userinfo(self, access_token, id_token, payload):
        """The claims of the agent, signed: the library would also take them unsigned."""
        response = requests.get(
            self.OIDC_OP_USER_ENDPOINT,
            headers={"Authorization": f"Bearer {access_token}"},
            timeout=settings.OIDC_TIMEOUT,
        )
        response.raise_for_status()
        return self.verify_token(response.text)

    def get_or_create_user(self, access_token, id_token, payload):
        claims = self.get_userinfo(access_token, id_token, payload)
        if claims["sub"] != payload["sub"]:
            raise SuspiciousOperation("userinfo of somebody else")
        self.amr = tuple(payload.get("amr") or ())
        utilisateur = Utilisateur.objects.filter(sub_proconnect=claims["sub"]).first()
        if utilisateur is None:
            # The same address under another ``sub`` is another agent: only an account without agent can be linked.
            courriel = str(claims.get("email", "")).strip().lower()
            unlinked = Utilisateur.objects.select_for_update().filter(sub_proconnect=None, is_active=True)
            utilisateur = unlinked.filter(courriel=courriel).first()
            if utilisateur:
                with acting(utilisateur=utilisateur):
                    utilisateur.sub_proconnect = claims["sub"]
                    utilisateur.save(update_fields=["sub_proconnect"])
                journalise(action="comptes.lier_proconnect", utilisateur=utilisateur, objet=utilisateur)
                tell(utilisateur, "Votre compte s'ouvre désormais aussi par ProConnect.")
        return utilisateur
