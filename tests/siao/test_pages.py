"""Every page that needs no account, the error pages, and what all responses carry."""

import io
import logging
import re
from pathlib import Path

import pytest
import structlog
from django.conf import settings
from django.test import Client
from django.urls import reverse

from comptes.droits import Profil
from comptes.models import EntreeJournal
from siao import views
from tests.comptes.fabrique import client_of, make_utilisateur, words

PAGES = ("plan_du_site", "accessibilite", "mentions_legales", "donnees_personnelles", "connexion")


@pytest.mark.django_db
@pytest.mark.parametrize("name", PAGES)
def test_public_pages_answer_visitors(client, name):
    answer = client.get(reverse(name))
    assert answer.status_code == 200
    assert '<html lang="fr"' in answer.text
    assert answer.text.count("<h1") == 1


@pytest.mark.django_db
def test_other_pages_ask_to_log_in(client):
    for name in ("accueil", "offre:entites", "offre:temps1"):
        answer = client.get(reverse(name))
        assert answer.status_code == 302
        assert answer.url.startswith(reverse("connexion"))


@pytest.mark.django_db
def test_every_response_is_private_and_strict(client):
    pages = client_of(make_utilisateur())
    pages.raise_request_exception = False
    for answer in (client.get(reverse("connexion")), pages.get("/"), pages.get("/nulle-part/"), pages.put("/")):
        policy = answer["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert answer["Cache-Control"] == "no-store"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Referrer-Policy"] == "same-origin"
        assert answer["Cross-Origin-Opener-Policy"] == "same-origin"


@pytest.mark.django_db
def test_a_missing_page_says_what_to_do(client):
    answer = client.get("/nulle-part/")
    assert answer.status_code == 404
    assert "Page introuvable" in answer.text
    assert "Numéro de la demande" in answer.text


@pytest.mark.django_db
def test_a_form_without_its_token_is_refused_in_french():
    strict = Client(enforce_csrf_checks=True)
    answer = strict.post(reverse("connexion"), {"username": "a@b.fr", "password": "x"})
    assert answer.status_code == 403
    assert "Ce formulaire n'est plus valable" in words(answer)


@pytest.mark.parametrize("status", [400, 403, 404, 405, 414, 500, 503])
def test_error_pages_need_nothing(rf, status):
    answer = views._error(rf.get("/"), status)
    assert answer.status_code == status
    assert "Retour à l" in answer.content.decode()


@pytest.mark.django_db
def test_an_address_that_only_writes_has_a_page_in_french_for_those_who_open_it():
    answer = client_of(make_utilisateur()).get(reverse("deconnexion"))
    assert (answer.status_code, answer["Allow"]) == (405, "POST")
    assert "Rien n'a été modifié" in words(answer)
    assert "Numéro de la demande" in answer.text


@pytest.mark.django_db
def test_a_method_that_no_form_has_is_refused_for_what_it_is():
    strict = Client(enforce_csrf_checks=True)
    for address, method, allowed in (
        (reverse("connexion"), "PUT", "GET, HEAD, POST"),
        (reverse("deconnexion"), "DELETE", "POST"),
        (reverse("plan_du_site"), "POST", "GET, HEAD"),
    ):
        answer = strict.generic(method, address)
        assert (answer.status_code, answer["Allow"]) == (405, allowed)
        assert "Rien n'a été modifié" in words(answer)
    assert strict.post(reverse("deconnexion")).status_code == 403  # a method of the page, without its token


@pytest.fixture
def log(monkeypatch) -> io.StringIO:
    """What the technical log of the test receives, as the servers write it."""
    console = next(
        handler
        for handler in logging.getLogger().handlers
        if isinstance(handler.formatter, structlog.stdlib.ProcessorFormatter)
    )
    monkeypatch.setattr(console, "stream", io.StringIO())
    return console.stream


@pytest.mark.django_db
def test_a_right_that_is_missing_is_one_line_of_the_log_and_one_entry_of_the_journal(log):
    assert client_of(make_utilisateur(Profil.TRAVAILLEUR_SOCIAL)).get(reverse("journal")).status_code == 403
    [line] = [line for line in log.getvalue().splitlines() if "Forbidden" in line]
    assert "/journal/" in line
    assert "Traceback" not in log.getvalue()
    assert EntreeJournal.objects.get(action="journal").resultat == "REFUSE"


def test_a_failure_keeps_its_stack_in_the_log(log):
    try:
        raise ValueError("une panne")
    except ValueError:
        logging.getLogger("django.request").exception("Internal Server Error")
    assert "Traceback" in log.getvalue()


@pytest.mark.django_db
def test_the_secret_of_an_emailed_link_never_reaches_the_logs(log):
    Client(enforce_csrf_checks=True).post("/lien/le-secret-du-lien/", {"mot_de_passe": "x"})
    Client().get("/lien/le-secret-du-lien/")
    lines = log.getvalue()
    assert "POST /lien/…/" in lines
    assert "Gone: /lien/…/" in lines
    assert "le-secret-du-lien" not in lines


@pytest.mark.django_db
def test_the_parameters_of_an_address_never_reach_the_logs(log):
    Client().get("/nulle-part/?token=zqsecret")
    Client().get("/connexion/?next=/zqsecret/&q=zqsecret")
    assert "/nulle-part/" in log.getvalue()
    assert "zqsecret" not in log.getvalue()


@pytest.mark.django_db
def test_health(client):
    assert client.get(reverse("sante")).json() == {"etat": "ok"}


def test_a_search_that_is_refused_does_not_speak_of_recording():
    for page in (Path(settings.BASE_DIR) / "templates").rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        if 'role="search"' in text and "resume_erreurs.html" in text:
            assert "non_fait=" in text, page


def test_no_page_counts_in_english():
    """Django's own filter says « 0 places » (``siao.templatetags.tableaux`` has ours)."""
    pages = (Path(settings.BASE_DIR) / "templates").rglob("*.html")
    assert [str(page) for page in pages if re.search(r"\|\s*pluralize", page.read_text(encoding="utf-8"))] == []
