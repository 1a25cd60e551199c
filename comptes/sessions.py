"""The session store: Django's, in the database, with its user and an absolute end.

A session ends after ``SESSION_COOKIE_AGE`` seconds without a request, and ``SESSION_ABSOLUTE_AGE`` seconds after the
login whatever happens. Both are the same date in the row, so that an ended session is never loaded.
"""

import datetime
import uuid

from django.conf import settings
from django.contrib.auth import SESSION_KEY as USER_KEY
from django.contrib.auth import login
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.utils import timezone

from comptes.models import Session
from siao.socle.http import client_ip

OPENING = "ouverture"


class SessionStore(DatabaseStore):
    @classmethod
    def get_model_class(cls):
        return Session

    def cycle_key(self):
        if opening := self.get(OPENING):
            # The new row is written before the old one goes: they cannot share a reference.
            self[OPENING] = opening | {"reference": str(uuid.uuid4())}
        super().cycle_key()

    def create_model_instance(self, data):
        row = super().create_model_instance(data)
        if opening := data.get(OPENING):
            row.utilisateur_id = int(data[USER_KEY])
            row.reference = uuid.UUID(opening["reference"])
            row.ouverte_le = datetime.datetime.fromisoformat(opening["le"])
            row.ip = opening["ip"]
            row.navigateur = opening["navigateur"]
            row.expire_date = min(row.expire_date, row.ouverte_le + settings.SESSION_ABSOLUTE_AGE)
        return row


def open_session(request, utilisateur) -> None:
    """Log ``utilisateur`` in: a new key, and what the list of their sessions will show of this one.

    However they proved who they are, Django's own backend reads the account again at each request.
    """
    login(request, utilisateur, backend="django.contrib.auth.backends.ModelBackend")
    request.session[OPENING] = {
        "reference": str(uuid.uuid4()),
        "le": timezone.now().isoformat(),
        "ip": client_ip(request),
        "navigateur": request.headers.get("User-Agent", "")[:200],
    }


def end_sessions(utilisateur, *, but: str | None = None) -> int:
    """End the sessions of ``utilisateur`` at once, except the one with the key ``but``; return how many."""
    return Session.objects.filter(utilisateur=utilisateur).exclude(session_key=but).delete()[0]


def remaining(session) -> int:
    """Seconds before ``session`` ends if nothing more is asked."""
    now = timezone.now()
    end = now + datetime.timedelta(seconds=settings.SESSION_COOKIE_AGE)
    if opening := session.get(OPENING):
        end = min(end, datetime.datetime.fromisoformat(opening["le"]) + settings.SESSION_ABSOLUTE_AGE)
    return max(0, int((end - now).total_seconds()))
