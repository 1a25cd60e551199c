"""Somebody who uses the site over HTTP: cookies, forms, redirects. One per thread."""

import http.client
import secrets
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from comptes import saisies
from comptes.models import Utilisateur
from comptes.sessions import SessionStore
from tests.installation import DEADLINE
from tests.navigateur import signed_in

TIMEOUT = DEADLINE
"""Seconds without an answer after which the visitor gives up (``TimeoutError``)."""


@dataclass
class Page:
    status: int
    url: str
    """Path of the page, after redirects."""
    text: str


@dataclass
class Visiteur:
    """Somebody who is logged in (or not: None) on the site at ``url``.

    Errors of the network are raised, those of the site returned.
    """

    url: str
    utilisateur: Utilisateur | None
    cookies: dict[str, str] = field(default_factory=dict)

    def __post_init__(self):
        self.cookies = {"csrf": secrets.token_hex(16)}
        if self.utilisateur is None:
            return
        session = SessionStore()
        session[SESSION_KEY] = str(self.utilisateur.pk)
        session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
        session[HASH_SESSION_KEY] = self.utilisateur.get_session_auth_hash()
        session.create()
        self.cookies["session"] = session.session_key
        self._signed_in = signed_in(self.utilisateur)  # asked once: visits of other threads leave no connection behind

    def get(self, path: str) -> Page:
        return self._follow("GET", path)

    def post(self, path: str, fields: dict | None = None, **files: bytes) -> Page:
        """Send a form; ``files`` are the bytes of its files, by field."""
        content = {name: SimpleUploadedFile("classeur.xlsx", data) for name, data in files.items()}
        token = {"csrfmiddlewaretoken": self.cookies["csrf"]}
        if self.utilisateur:
            token[saisies.FIELD] = saisies.stamp(self._signed_in)
        body = encode_multipart(BOUNDARY, {**token, **(fields or {}), **content})
        return self._follow("POST", path, body)

    def _follow(self, method: str, path: str, body: bytes | None = None) -> Page:
        while True:
            status, headers, text = self._exchange(method, path, body)
            if status not in (301, 302, 303):
                return Page(status, path, text)
            method, path, body = "GET", urljoin(path, headers["Location"]), None

    def _exchange(self, method: str, path: str, body: bytes | None):
        address = urlsplit(self.url)
        connection = http.client.HTTPConnection(address.hostname, address.port, timeout=TIMEOUT)
        try:
            headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
            if body is not None:
                headers["Content-Type"] = MULTIPART_CONTENT
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            for cookie in response.headers.get_all("Set-Cookie", []):
                name, _, rest = cookie.partition("=")
                self.cookies[name] = rest.partition(";")[0]
            return response.status, response.headers, response.read().decode(errors="replace")
        finally:
            connection.close()
