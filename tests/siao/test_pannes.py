"""PostgreSQL away: a page in French, at once, and everything again as soon as it is back.

Redis away: ``tests/offre/test_import_sans_file.py``.
"""

import socket
import time

import pytest
from django.urls import reverse

from offre.models import Import
from tests.classeurs import classeur
from tests.comptes.fabrique import make_utilisateur
from tests.visite import Visiteur

PATIENCE = 5
"""Seconds within which the site must say that it cannot answer."""


@pytest.fixture
def usager(base_reelle, site_isole):
    usager = Visiteur(site_isole.url, make_utilisateur())
    assert usager.get("/").status == 200  # the web server holds a connection
    return usager


def test_without_postgresql_every_page_says_so_in_french_and_soon(usager, site_isole):
    content = classeur()
    site_isole.postgresql.stop_at_once()
    for ask in (
        lambda: usager.get("/"),
        lambda: usager.get(reverse("offre:temps1")),
        lambda: usager.get(reverse("offre:dispositifs")),
        lambda: usager.get(reverse("offre:import", args=[1])),
        lambda: usager.post(reverse("offre:temps1"), {"territoire": "departement-44"}, fichier=content),
        lambda: usager.post(reverse("connexion"), {"username": "camille@demo.example", "password": "x"}),
        lambda: usager.post(reverse("deconnexion")),
    ):
        start = time.monotonic()
        page = ask()
        assert time.monotonic() - start < PATIENCE
        assert page.status == 503
        assert "Le service est momentanément indisponible" in page.text
        assert "Numéro de la demande" in page.text
        assert "Traceback" not in page.text
    assert usager.get("/sante").status == 503

    site_isole.repair()
    assert usager.get("/").status == 200
    assert usager.get("/sante").status == 200
    assert not Import.objects.exists()


def test_without_postgresql_visitors_still_read_the_pages_that_need_nothing(usager, site_isole):
    site_isole.postgresql.stop_at_once()
    visitor = Visiteur(site_isole.url, None)
    for name in ("accessibilite", "mentions_legales", "donnees_personnelles", "plan_du_site"):
        assert visitor.get(reverse(name)).status == 200


def test_a_postgresql_that_accepts_and_never_answers_is_no_different(usager, site_isole, request):
    silent = socket.create_server(("127.0.0.1", 0))
    request.addfinalizer(silent.close)
    silent_url = f"postgresql://siao@127.0.0.1:{silent.getsockname()[1]}/siao"
    with site_isole.web.restarted_with(DATABASE_URL=silent_url):
        visitor = Visiteur(site_isole.url, None)
        assert visitor.get(reverse("accessibilite")).status == 200  # it has started
        for ask in (
            lambda: usager.get("/"),
            lambda: visitor.post(reverse("connexion"), {"username": "camille@demo.example", "password": "x"}),
        ):
            start = time.monotonic()
            page = ask()
            assert time.monotonic() - start < PATIENCE
            assert page.status == 503
    assert usager.get("/").status == 200
