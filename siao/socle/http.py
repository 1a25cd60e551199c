"""Views say on top whether they read or write, and which right they require.

- ``@reads(droit)``: GET and HEAD; PostgreSQL itself refuses anything but reading while the view runs.
- ``@writes(droit)``: GET reads in the same way, POST writes in one transaction and waits 10 s at most for a lock.
- ``PUBLIC`` in place of a right opens the page to visitors, ``CONNECTED`` to every user who is logged in.

The declaration stays on the view (``view.right``, ``view.methods``): the table of permissions is checked against it.
``request.may`` comes from the application that knows the profils.
"""

import functools
from collections.abc import Callable
from urllib.parse import quote

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.core.files.uploadhandler import FileUploadHandler, StopUpload
from django.db import connection, transaction
from django.http import FileResponse, HttpResponse, HttpResponseNotAllowed

PUBLIC = "public"
CONNECTED = "connecté"

_READING = ("GET", "HEAD")
_LOCK_TIMEOUT = "SET LOCAL lock_timeout = '10s'"
"""A person waits: a write that another transaction blocks for longer than this ends in an error page."""


def reads(right: str) -> Callable:
    """Declare a view that only reads."""
    return _declare(right, _READING)


def writes(right: str, *, only_post: bool = False) -> Callable:
    """Declare a view that shows a form and carries it out, or (``only_post``) that only carries out."""
    return _declare(right, ("POST",) if only_post else (*_READING, "POST"))


def _declare(right: str, methods: tuple[str, ...]) -> Callable:
    def decorate(view):
        @functools.wraps(view)
        def guarded(request, *args, **kwargs):
            if request.method not in methods:
                return HttpResponseNotAllowed(methods)
            if right not in (PUBLIC, CONNECTED) and not request.may(right):
                raise PermissionDenied
            with transaction.atomic():
                with connection.cursor() as cursor:
                    # Each ends with this block; the first, even inside another transaction (tests).
                    cursor.execute("SET TRANSACTION READ ONLY" if request.method in _READING else _LOCK_TIMEOUT)
                return view(request, *args, **kwargs)

        guarded.right, guarded.methods = right, methods
        return login_not_required(guarded) if right == PUBLIC else guarded

    return decorate


def page_without_database(view: Callable) -> Callable:
    """Declare a public page that must answer even when PostgreSQL does not."""

    @functools.wraps(view)
    def guarded(request, *args, **kwargs):
        if request.method not in _READING:
            return HttpResponseNotAllowed(_READING)
        return view(request, *args, **kwargs)

    guarded.right, guarded.methods = PUBLIC, _READING
    return login_not_required(guarded)


def attachment(content, filename: str, content_type: str) -> HttpResponse:
    """Send a file that browsers save and never run or show: attachment, nosniff, an empty content policy."""
    response = FileResponse(content, content_type=content_type)
    ascii_name = filename.encode("ascii", "replace").decode().replace('"', "_").replace("\\", "_")
    response["Content-Disposition"] = f"attachment; filename=\"{ascii_name}\"; filename*=UTF-8''{quote(filename)}"
    response["X-Content-Type-Options"] = "nosniff"
    response._csp_replace = {"default-src": ["'none'"], "script-src": None, "style-src": None}
    return response


class BoundedUpload(FileUploadHandler):
    """Drops a file that no form accepts before it fills the disk, and says so: ``request.upload_cut``.

    Forms have their own limit, lower; for them a file that was cut is a missing one.
    """

    MAXIMUM = 25_000_000
    """Bytes."""

    def __init__(self, request=None):
        super().__init__(request)
        self.received = 0

    def receive_data_chunk(self, raw_data, start):
        self.received += len(raw_data)
        if self.received > self.MAXIMUM:
            self.request.upload_cut = True
            raise StopUpload(connection_reset=False)
        return raw_data

    def file_complete(self, file_size):
        return None
