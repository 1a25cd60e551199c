"""What proves that somebody is who they say, a password or a one-time code; and what they are told when it changes."""

from django.conf import settings
from django.contrib.auth import authenticate
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django_otp import devices_for_user, verify_token
from django_otp.plugins.otp_totp.models import TOTPDevice

from siao.socle import courriels

CODE = 8
"""Characters of the longest code; passwords have at least twice as many."""


def verified_device(utilisateur, code: str):
    """The device of ``utilisateur`` that accepts ``code``, which is then used up; None otherwise.

    Six digits are asked of the application, anything else of the recovery codes: a wrong guess slows one down only.
    """
    for device in devices_for_user(utilisateur):
        if isinstance(device, TOTPDevice) == code.isdigit() and verify_token(utilisateur, device.persistent_id, code):
            return device
    return None


def proves(request: HttpRequest, typed: str) -> bool:
    """Whether ``typed`` is the password of the user of ``request``, or one of their codes, now.

    An open session is not enough to change a way in (OWASP ASVS 5.0, 7.5.1). Failures count as those of a login.
    """
    code = typed.replace(" ", "").lower()
    if len(code) <= CODE:
        return verified_device(request.user, code) is not None
    return authenticate(request, username=request.user.courriel, password=typed) == request.user


def tell(utilisateur, changement: str) -> None:
    """Write to the owner of an account that a way into it has changed (OWASP ASVS 5.0, 6.3.7): it may be a thief.

    ``changement``: the sentence that says what.
    """
    courriels.post(
        a=utilisateur.courriel,
        gabarit="comptes/courriels/changement_d_acces.txt",
        changement=changement,
        quand=timezone.now(),
        url=f"{settings.SITE_URL}{reverse('mot_de_passe_oublie')}",
    )
