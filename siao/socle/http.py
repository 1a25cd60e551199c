"""Views say on top whether they read or write, and which right they require.

- ``@reads(droit)``: GET and HEAD; PostgreSQL itself refuses anything but reading while the view runs.
- ``@writes(droit)``: GET reads in the same way, POST writes in one transaction and waits 10 s at most for a lock.
- ``PUBLIC`` in place of a right opens the page to visitors, ``CONNECTED`` to every user who is logged in.
- several rights: any of them opens the page.
- ``journal="application.modele"`` on either: the page shows personal data of objects of that model, and each view of
  it is one entry of the journal of accesses.

The declaration stays on the view (``view.rights``, ``view.methods``, ``view.journal``): the table of permissions is
checked against it. What needs a model is asked of the request, where the application that knows the profils puts it:

- ``request.may(droit)``;
- ``request.refused_form()``: the page that refuses a form of somebody else or of another habilitation, or None;
- ``request.send_once(carry_out)``: carries a form out, or answers as the first time if it was already sent; what
  ``refused`` answers was not carried out;
- ``request.journalise(view, kwargs, status)``: writes the entry of the journal, if this answer calls for one.
"""

import functools
from collections.abc import Callable
from contextlib import suppress
from ipaddress import ip_address
from urllib.parse import quote

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.core.files.uploadhandler import FileUploadHandler, StopUpload
from django.db import connection, transaction
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect

PUBLIC = "public"
CONNECTED = "connecté"

_READING = ("GET", "HEAD")
_LOCK_TIMEOUT = "SET LOCAL lock_timeout = '10s'"
"""A person waits: a write that another transaction blocks for longer than this ends in an error page."""


def reads(*rights: str, journal: str = "") -> Callable:
    """Declare a view that only reads."""
    return _declare(rights, _READING, journal)


def writes(*rights: str, only_post: bool = False, from_any_page: bool = False, journal: str = "") -> Callable:
    """Declare a view that shows a form and carries it out, or (``only_post``) that only carries out.

    ``from_any_page``: its form works from a page opened under another habilitation, and as often as it is sent (log
    out, change habilitation): it carries no data.
    """
    return _declare(rights, ("POST",) if only_post else (*_READING, "POST"), journal, from_any_page)


def returns_from_elsewhere(view: Callable) -> Callable:
    """Declare the public page to which another site sends the browser back: the only GET that may write.

    What it received proves itself (a state drawn by us, a signature); nothing else may be written on a GET.
    """

    @functools.wraps(view)
    def guarded(request, *args, **kwargs):
        if request.method != "GET":
            return HttpResponseNotAllowed(["GET"])
        with transaction.atomic():
            return view(request, *args, **kwargs)

    guarded.rights, guarded.methods, guarded.journal = (PUBLIC,), ("GET",), ""
    return login_not_required(guarded)


def _declare(rights: tuple[str, ...], methods: tuple[str, ...], journal: str, from_any_page: bool = False) -> Callable:
    def decorate(view):
        @functools.wraps(view)
        def guarded(request, *args, **kwargs):
            if request.method not in methods:
                return HttpResponseNotAllowed(methods)
            carry_out = functools.partial(_show, view, request, *args, **kwargs)
            if PUBLIC in rights:
                return _transaction(request, carry_out)
            # The entry is written when no transaction is left: it stays when the view failed and its writes are
            # undone, and it is there before the first byte of the page leaves.
            try:
                response = _answer(request, rights, carry_out, stamped=not from_any_page)
            except Exception as error:
                request.journalise(guarded, kwargs, _status_of(error))
                raise
            request.journalise(guarded, kwargs, response.status_code)
            return response

        guarded.rights, guarded.methods, guarded.journal = rights, methods, journal
        guarded.carries_data = "POST" in methods and not from_any_page
        return login_not_required(guarded) if PUBLIC in rights else guarded

    return decorate


def refused(request: HttpRequest, sentence: object, to: str, *args, line: str = "") -> HttpResponse:
    """Answer a form that the rules refuse by the page ``to`` (as for ``redirect``), which says why.

    Nothing was done: the same form may be sent again. ``line``: identifier of what it is said in (includes/messages).
    """
    messages.error(request, str(sentence), extra_tags=line)  # noqa: TID251
    response = redirect(to, *args)
    response.refused = True
    return response


def _answer(request: HttpRequest, rights: tuple[str, ...], view: Callable, *, stamped: bool) -> HttpResponse:
    if request.method == "POST" and stamped:
        if refused := request.refused_form():
            return refused
        view = functools.partial(request.send_once, view)
    if CONNECTED not in rights and not any(map(request.may, rights)):
        raise PermissionDenied
    return _transaction(request, view)


def _show(view: Callable, request: HttpRequest, *args, **kwargs) -> HttpResponse:
    """The answer of the view; no object has for key, in its address, a text that PostgreSQL cannot hold."""
    if any("\0" in value for value in kwargs.values() if isinstance(value, str)):
        raise Http404
    return view(request, *args, **kwargs)


def _transaction(request: HttpRequest, view: Callable) -> HttpResponse:
    with transaction.atomic():
        with connection.cursor() as cursor:
            # Each ends with this block; the first, even inside another transaction (tests).
            cursor.execute("SET TRANSACTION READ ONLY" if request.method in _READING else _LOCK_TIMEOUT)
        return view()


def _status_of(error: Exception) -> int:
    if isinstance(error, PermissionDenied):
        return 403
    return 404 if isinstance(error, Http404) else 500


def page_without_database(view: Callable) -> Callable:
    """Declare a public page that must answer even when PostgreSQL does not."""

    @functools.wraps(view)
    def guarded(request, *args, **kwargs):
        if request.method not in _READING:
            return HttpResponseNotAllowed(_READING)
        return view(request, *args, **kwargs)

    guarded.rights, guarded.methods, guarded.journal = (PUBLIC,), _READING, ""
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


def client_ip(request: HttpRequest) -> str | None:
    """Address of the browser. Behind our proxy, the one that the proxy wrote: what the browser claims is ignored."""
    if settings.SECURE_PROXY_SSL_HEADER:
        forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "").rsplit(",", 1)[-1].strip()
        with suppress(ValueError):
            return str(ip_address(forwarded))
    return request.META.get("REMOTE_ADDR") or None
