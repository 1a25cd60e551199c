"""Every URL × method × actor × territory against ``table.csv``, which a person wrote and reviews (docs/droits.md)."""

import csv
import re
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import urlencode

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver, reverse

from comptes.models import EntreeJournal
from tests.droits.monde import ACTEURS, ENVOIS, OBJETS, TERRITOIRES, Monde

COLONNES = dict(zip(ACTEURS, ["AN", "AD", "AA", "AS", "OS", "EC", "GE", "AC", "RD", "TS", "SH", "V", "D"], strict=True))
WITHOUT_LOGIN = {"public", "jeton"}
METHODES = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
SEEN_FROM = {
    "nat": ("mien", "voisin", "region", "ailleurs"),
    "dep": ("mien", "voisin"),
    "ent": ("mien",),
}
"""Territories where a cell like ``200@dep`` gives its code; 404 in the others."""

with (Path(__file__).parent / "table.csv").open(encoding="utf-8", newline="") as file:
    TABLE = list(csv.DictReader(file))


def urls(resolver=None, namespace=""):
    """Name and view of every URL of the site."""
    for pattern in (resolver or get_resolver()).url_patterns:
        if hasattr(pattern, "url_patterns"):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from urls(pattern, inner)
        else:
            yield f"{namespace}{pattern.name}", pattern.callback


VIEWS = dict(urls())


def test_every_url_is_in_the_table_with_the_methods_that_its_view_declares():
    declared = {(name, method) for name, view in VIEWS.items() for method in view.methods if method != "HEAD"}
    written = {(line["route"], line["methode"]) for line in TABLE}
    assert written == declared


FOR_PROGRAMS = {"sante", "api_openapi"}
"""Public addresses that are no page: the supervisor's, and the description of the open data, which holds none."""


def test_few_pages_are_public():
    public = {name for name, view in VIEWS.items() if "public" in view.rights}
    assert public >= FOR_PROGRAMS
    assert len(public - FOR_PROGRAMS) <= 11, sorted(public)


ASKS_OTHER_METHODS = ("OPERATEUR_SIAO", "sans_habilitation", "visiteur", "desactive")
"""A method that the view does not have is refused before the profil is looked at: these actors are enough."""


def cells(acteur):
    """Route, method, kind of object and line of the table (None: a method that the view does not have)."""
    lines = {(line["route"], line["methode"], line["objet"]): line for line in TABLE}
    objets = {route: objet for route, _, objet in lines}
    for (route, methode, objet), line in lines.items():
        yield route, methode, objet, line
        if methode == "GET" and "HEAD" in VIEWS[route].methods:
            yield route, "HEAD", objet, line
    for route, objet in objets.items() if acteur in ASKS_OTHER_METHODS else ():
        for methode in METHODES:
            if methode not in VIEWS[route].methods:
                yield route, methode, objet, None


def expected(line, route: str, methode: str, acteur: str, territoire: str) -> int:
    if line is None:
        if methode in ("POST", "PUT", "PATCH", "DELETE"):
            return 405  # before anything is asked of who sends it
        public = WITHOUT_LOGIN & set(VIEWS[route].rights)
        return 302 if acteur in ("visiteur", "desactive") and not public else 405
    code, _, seen_from = line[COLONNES[acteur]].partition("@")
    return int(code) if not seen_from or territoire in SEEN_FROM[seen_from] else 404


MASKS = (
    (re.compile(r"<code>[0-9a-f-]{36}</code>"), "<code/>"),
    (re.compile(r'name="(csrfmiddlewaretoken|ouvert_par)" value="[^"]*"'), r'name="\1"'),
)


def body_of(answer) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


def close(answer) -> None:
    """Its files; ``answer.close()`` would also close the connection, and the test's transaction with it."""
    for closer in answer._resource_closers:
        closer()


def masked(answer) -> tuple:
    body = body_of(answer).decode()
    for pattern, replacement in MASKS:
        body = pattern.sub(replacement, body)
    return answer.headers.get("Content-Type"), body


@pytest.mark.django_db
@pytest.mark.parametrize("acteur", ACTEURS)
def test_each_cell(acteur, record_property):
    monde = Monde()
    utilisateur, client = monde.acteur(acteur)
    client.raise_request_exception = False
    cookies = client.cookies.output(header="", sep=";")
    wrong, leaks, count = [], [], 0

    for route, methode, objet, line in cells(acteur):
        view, not_found = VIEWS[route], set()
        # A HEAD is a GET without its body: once is enough.
        for territoire in (*TERRITOIRES, "inconnu") if objet and line and methode != "HEAD" else ("mien",):
            with transaction.atomic():
                arguments = OBJETS[objet](monde, utilisateur, territoire) if objet else {}
                query = arguments.pop("?", {})
                path = reverse(route, kwargs=arguments) + (f"?{urlencode(query)}" if query else "")
                before = EntreeJournal.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
                client.cookies = SimpleCookie(cookies)
                connection.queries_log.clear()  # it keeps the last 9 000 only
                with CaptureQueriesContext(connection) as queries:
                    client.handler.enforce_csrf_checks = line is None
                    if methode == "POST":
                        answer = client.post(path, ENVOIS.get(route, {}))
                    else:
                        answer = client.generic(methode, path)
                entries = EntreeJournal.objects.filter(pk__gt=before)
                cell = f"{methode} {route} {territoire}"
                count += 1
                code = expected(line, route, methode, acteur, territoire)
                if answer.status_code != code:
                    wrong.append(f"{cell}: {answer.status_code} au lieu de {code}")
                    if code in (302, 403, 404) and answer.status_code < 300:
                        leaks.append(cell)
                if methode == "HEAD" and body_of(answer):
                    leaks.append(f"{cell}: un HEAD a un corps")
                if line and answer.status_code == 404:
                    not_found.add(masked(answer))
                if line and code != 302 and not journalled_once(view, answer.status_code, entries):
                    wrong.append(f"{cell}: {entries.count()} entrées du journal")
                written = writes(queries)
                if methode in ("GET", "HEAD") and written:
                    wrong.append(f"{cell}: une lecture écrit dans {written}")
                if methode == "POST" and written - SENT and route not in WITHOUT_A_LINE and not entries.exists():
                    wrong.append(f"{cell}: écrit dans {written} sans laisser d'entrée du journal")
                close(answer)
                transaction.set_rollback(True)
        if len(not_found) > 1:
            leaks.append(f"{methode} {route}: un objet d'ailleurs se distingue d'un objet inconnu")

    record_property("cellules", count)
    record_property("fuites", len(leaks))
    assert not leaks, leaks
    assert not wrong, wrong


def journalled_once(view, status: int, entries) -> bool:
    """One entry for a page of personal data, whatever the answer, and for any refusal of a right; none otherwise."""
    if WITHOUT_LOGIN & set(view.rights):
        return True
    due = status == 403 or (bool(view.journal) and status != 405)
    return entries.count() == int(due)


SENT = {'"comptes_envoi"', '"comptes_saisie"'}
"""What keeps a form from being lost or carried out twice."""

WITHOUT_A_LINE: dict[str, str] = {
    "mot_de_passe_oublie": "asked by a visitor, about an account that may not be theirs",
    "masquer_message": "what a user no longer wants to see is nobody else's concern",
}
"""Routes whose POST may write without a line in the journal, each with its reason."""

ALLOWED = re.compile(r'"(comptes_session|comptes_entreejournal)"')
WRITE = re.compile(r'(?:INSERT INTO|UPDATE|DELETE FROM) ("\w+")')


def writes(queries) -> set[str]:
    """Tables that were written, besides the session and the journal."""
    written = {match[1] for query in queries for match in WRITE.finditer(query["sql"])}
    return {table for table in written if not ALLOWED.match(table)}


@pytest.mark.django_db
def test_addresses_that_name_nothing(client):
    """Numbers that are no key, in other writings, or too long: not found, whoever asks."""
    monde = Monde()
    _, client = monde.acteur("ADMIN_NATIONAL")
    for pk in ("99999999999999999999", "-1", "1e3", "١٢", "0"):
        assert client.get(f"/comptes/{pk}/").status_code == 404
