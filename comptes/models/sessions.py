"""Sessions that know their user, so that they can be listed and ended."""

import uuid

from django.conf import settings
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models


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
