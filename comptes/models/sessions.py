"""Sessions that know their user, so that they can be listed and ended."""

import uuid

from django.conf import settings
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models

_NAVIGATEURS = {"Edg/": "Edge", "OPR/": "Opera", "Firefox/": "Firefox", "Chrome/": "Chrome", "Safari/": "Safari"}
_SYSTEMES = ("Windows", "Android", "iPhone", "iPad", "Macintosh", "Linux")


class Session(AbstractBaseSession):
    """A row of the session store (``comptes.sessions``); every column comes from the session's own data."""

    utilisateur = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="sessions", verbose_name="utilisateur"
    )
    # The primary key is the secret of the cookie: pages name a session by this.
    reference = models.UUIDField("référence", default=uuid.uuid4, unique=True)
    ouverte_le = models.DateTimeField("ouverte le", null=True)
    ip = models.GenericIPAddressField("adresse IP", null=True)
    navigateur = models.CharField("navigateur", max_length=200, blank=True)

    class Meta(AbstractBaseSession.Meta):
        abstract = False
        verbose_name = "session"

    @classmethod
    def get_session_store_class(cls):
        from comptes.sessions import SessionStore

        return SessionStore

    @property
    def appareil(self) -> str:
        """The browser as people name it, « Firefox sur Windows »; else the beginning of what it says of itself."""
        said = self.navigateur
        browser = next((name for mark, name in _NAVIGATEURS.items() if mark in said), None)
        system = next((name for name in _SYSTEMES if name in said), None)
        return f"{browser} sur {system}" if browser and system else said[:60] or "—"
