"""What every request and every response of the site goes through, whatever the application."""

from django.conf import settings
from django.db import connection

PERMISSIONS_POLICY = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"


def private_pages(get_response):
    """Keep pages out of shared and browser caches (a shared PC, the Back button after logout)."""

    def middleware(request):
        response = get_response(request)
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        return response

    return middleware


def one_attempt(get_response):
    """When PostgreSQL is away, learn it once: session, user and log would each wait for an attempt of their own."""

    def middleware(request):
        if settings.SESSION_COOKIE_NAME in request.COOKIES:
            connection.cursor().close()
        return get_response(request)

    return middleware
