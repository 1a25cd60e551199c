"""Addresses that nobody types: in the place of a key or of a parameter, on every route, never an error."""

import datetime
import re
from urllib.parse import quote

import pytest
from django.urls import get_resolver, reverse
from gunicorn.config import Config

from comptes.droits import Profil
from siao.acces_http import AccessLogger
from siao.logs import masked
from tests.comptes.fabrique import client_of, make_utilisateur
from tests.droits.test_table import close

pytestmark = pytest.mark.django_db

HOSTILE = (
    "\x00",
    "a\x00b",
    "I.1\x00",
    "%ED%A0%80",  # a surrogate, already quoted
    "%FF%FE",
    "a" * 5_000,
    "9" * 30,
    "\u202eCRHC",
    "مرحبا",
    "🏠" * 300,
    "é\u0301",
    "../..",
    "' OR 1=1 --",
    "%00",
    "-1",
)
ARGUMENT = re.compile(r"<(\w+):\w+>")


def routes(resolver=None, prefix=""):
    for pattern in (resolver or get_resolver()).url_patterns:
        route = f"{prefix}{pattern.pattern}"
        if hasattr(pattern, "url_patterns"):
            yield from routes(pattern, route)
        else:
            yield f"/{route}"


def quoted(text: str) -> str:
    return text if text.startswith("%") else quote(text, safe="")


@pytest.mark.parametrize("profil", [Profil.ADMIN_NATIONAL, Profil.ADMIN_SIAO])
def test_a_key_that_none_can_be_is_not_found_on_any_route(profil):
    browser = client_of(make_utilisateur(profil))
    browser.raise_request_exception = False
    wrong, asked = [], 0
    for route in routes():
        kinds = ARGUMENT.findall(route)
        if not set(kinds) & {"str", "slug"}:
            continue
        for text in HOSTILE:
            address = ARGUMENT.sub(lambda match, text=text: "1" if match[1] == "int" else quoted(text), route)
            asked += 1
            for answer in (browser.get(address), browser.generic("HEAD", address), browser.post(address, {})):
                close(answer)
                if answer.status_code >= 500 or (answer.status_code == 200 and "\x00" in text):
                    wrong.append((address[:80], answer.status_code))
    assert not wrong
    assert asked > 100


def test_a_visitor_is_answered_too(client):
    client.raise_request_exception = False
    for text in HOSTILE:
        assert client.get(f"/lien/{quoted(text)}/").status_code < 500, text


PARAMETERS = ("page", "tri", "q", "departement", "categorie", "avant", "alerte", "compte", "jour", "commune", "format")
"""Those that most lists read."""


@pytest.mark.parametrize(
    "text", ["%00", "a%00", "%ED%A0%80", "9" * 30, "-9", "%E2%80%AE", "x" * 3_000, "&{}=2", "&{}="]
)
def test_a_parameter_that_means_nothing_or_is_given_twice_opens_the_page(text):
    browser = client_of(make_utilisateur(Profil.ADMIN_NATIONAL))
    browser.raise_request_exception = False
    wrong = []
    for route in routes():
        if ARGUMENT.search(route) or "proconnect" in route:
            continue
        query = "&".join(f"{name}=1{text.format(name)}" if "{" in text else f"{name}={text}" for name in PARAMETERS)
        answer = browser.get(f"{route}?{query}")
        close(answer)
        if answer.status_code >= 500:
            wrong.append((route, answer.status_code))
    assert not wrong


def test_a_filter_of_several_values_keeps_them_all_when_the_list_is_sorted():
    browser = client_of(make_utilisateur(Profil.ADMIN_SIAO))
    make_utilisateur(Profil.OPERATEUR_SIAO)
    page = browser.get(f"{reverse('comptes')}?filtre=un&filtre=deux&page=2&page=1&q=").text
    sorted_by = re.findall(r'href="(\?[^"]*tri=[^"]*)"', page)
    assert sorted_by
    for link in sorted_by:
        assert "filtre=un&amp;filtre=deux" in link
        assert "page=" not in link


# --- What the logs keep of an address ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        "GET /offre/disponibilites/?token=zqsecret HTTP/1.1",
        "/api/offre/services?a=1&token=zqsecret",
        "?code=zqsecret&state=zqsecret",
        "Not Found: /comptes/?q=zqsecret",
        "https://siao.example/lien/zqsecret/?x=1",
        "/LIEN/zqsecret",
        "/x?zqsecret",
        {"request": "GET /x?y=zqsecret", "autres": ["/lien/zqsecret/", ("?z=zqsecret",)]},
    ],
)
def test_no_secret_of_an_address_is_left(line):
    assert "zqsecret" not in str(masked(line))


def test_what_is_no_secret_stays():
    line = {"personnes": [1, 2], "event": "personnes_oubliees", "request": "GET /dossiers/ HTTP/1.1", "nombre": None}
    assert masked(line) == line


def test_the_web_server_writes_no_parameter_either(settings):
    compose = (settings.BASE_DIR / "docker-compose.yml").read_text()
    assert "--logger-class siao.acces_http.AccessLogger" in compose

    class Request:
        method, uri, query = "GET", "/x?token=zqsecret", "token=zqsecret"
        headers = [("REFERER", "https://siao.example/lien/zqsecret/?a=zqsecret")]
        version = (1, 1)
        path = "/lien/zqsecret/"

    class Response:
        status, sent, headers = "200 OK", 1, []

    environ = {
        "REQUEST_METHOD": "GET",
        "RAW_URI": "/lien/zqsecret/?token=zqsecret",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "PATH_INFO": "/lien/zqsecret/",
        "QUERY_STRING": "token=zqsecret",
        "HTTP_REFERER": "https://siao.example/lien/zqsecret/?a=zqsecret",
    }
    logger = AccessLogger(Config())
    atoms = logger.atoms(Response(), Request(), environ, datetime.timedelta(seconds=1))
    line = logger.cfg.access_log_format % logger.atoms_wrapper_class(atoms)
    assert "zqsecret" not in line
    assert "/lien/…/" in line
