"""What every request and every response of the site goes through, whatever the application."""

from django.conf import settings
from django.db import connection

from siao.views import address_too_long, method_not_allowed

SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")
"""Methods that Django never suspects."""
PERMISSIONS_POLICY = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"


def private_pages(get_response):
    """Keep pages out of shared and browser caches (a shared PC, the Back button after logout)."""

    def middleware(request):
        response = get_response(request)
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        return response

    return middleware


LONGEST_ADDRESS = 40_000
"""Characters, as they travel: 10 kB typed in a search are read to the letter, and each byte may travel as three."""


def bounded_address(get_response):
    """Refuse a longer address in a page of ours: the web server would do it in English, without a request id."""

    def middleware(request):
        if len(request.get_full_path()) > LONGEST_ADDRESS:
            request.META["QUERY_STRING"] = ""  # a refusal is logged, and what was searched for is not
            return address_too_long(request)
        return get_response(request)

    return middleware


class Methods:
    """Refuse in French the methods that a page does not have: a bookmark of an address that only writes, a robot."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        if response.status_code == 405 and not response.content:
            return self._refusal(request, response.headers["Allow"])
        return response

    def process_view(self, request, view, args, kwargs):
        """Those that write are refused here: Django would ask for the secret of a form first, and speak of that."""
        methods = getattr(view, "methods", None)
        if methods and request.method not in methods and request.method not in SAFE:
            return self._refusal(request, ", ".join(methods))
        return None

    def _refusal(self, request, allowed: str):
        page = method_not_allowed(request)
        page.headers["Allow"] = allowed
        return page


def one_attempt(get_response):
    """When PostgreSQL is away, learn it once: session, user and log would each wait for an attempt of their own."""

    def middleware(request):
        if settings.SESSION_COOKIE_NAME in request.COOKIES:
            connection.cursor().close()
        return get_response(request)

    return middleware
