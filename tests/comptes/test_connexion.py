"""Logging in with a password: same answers to everybody, lockout, rotation, never off the site."""

import pytest
from django.conf import settings
from django.urls import reverse

from comptes.models import EntreeJournal, Utilisateur
from tests.comptes.fabrique import words

pytestmark = pytest.mark.django_db
PASSWORD = "mot de passe assez long"
URL = reverse("connexion")


@pytest.fixture
def utilisateur():
    return Utilisateur.objects.create_user("Camille.Exemple@demo.example", PASSWORD, prenom="Camille")


def log_in(client, username="camille.exemple@demo.example", password=PASSWORD, **others):
    return client.post(URL, {"username": username, "password": password, **others})


def spoken(page) -> str:
    """What the page says above its form: the address typed is below."""
    return page.text.split("<main")[1].split("<form")[0]


def test_logs_in_whatever_the_case_and_refuses_a_wrong_password(client, utilisateur):
    page = log_in(client, "CAMILLE.exemple@demo.example", "faux")
    assert page.status_code == 200
    assert "Adresse ou mot de passe inconnus" in page.text
    assert "camille.exemple@demo.example" in page.text.lower()  # what was typed is still there
    assert 'value="faux"' not in page.text

    page = log_in(client, "CAMILLE.exemple@demo.example")
    assert page.status_code == 302
    assert page.url == reverse("accueil")


def test_both_are_journalled_and_neither_names_anybody(client, utilisateur):
    log_in(client, password="faux")
    log_in(client)
    entries = list(EntreeJournal.objects.order_by("pk").values_list("action", "resultat", "utilisateur"))
    assert entries == [("connexion", "REFUSE", None), ("connexion", "PERMIS", utilisateur.pk)]


def test_same_answer_for_an_unknown_address_a_disabled_account_and_a_locked_one(client, utilisateur):
    Utilisateur.objects.create_user("partie@demo.example", PASSWORD, is_active=False)
    pages = [
        log_in(client, "camille.exemple@demo.example", "faux"),
        log_in(client, "personne.ici@demo.example", "faux"),
        log_in(client, "partie@demo.example", PASSWORD),
    ]
    for _ in range(5):
        pages.append(log_in(client, "personne.ici@demo.example", "faux"))
    assert {page.status_code for page in pages} == {200}
    assert len({spoken(page) for page in pages}) == 1


def test_five_failures_lock_the_account_for_five_minutes_and_nobody_else(client, utilisateur, time_machine):
    time_machine.move_to("2026-11-21T10:00:00Z", tick=False)
    other = Utilisateur.objects.create_user("autre@demo.example", PASSWORD)
    for _ in range(5):
        log_in(client, password="faux")
    assert log_in(client).status_code == 200
    assert log_in(client, other.courriel).status_code == 302
    client.post(reverse("deconnexion"))

    time_machine.move_to("2026-11-21T10:05:01Z", tick=False)
    assert log_in(client).status_code == 302


def test_an_address_that_guesses_at_many_accounts_is_locked_too(client, utilisateur):
    for number in range(50):
        log_in(client, f"compte{number}@demo.example", "faux")
    assert log_in(client).status_code == 200


def test_the_address_of_the_browser_is_the_one_that_our_proxy_saw(rf, settings):
    from siao.socle.http import client_ip

    request = rf.get("/", HTTP_X_FORWARDED_FOR="203.0.113.9, 198.51.100.7", REMOTE_ADDR="10.0.0.1")
    assert client_ip(request) == "10.0.0.1"
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    assert client_ip(request) == "198.51.100.7"


SUITES = [
    "//evil.example",
    "///evil.example",
    "////evil.example",
    "\\\\evil.example",
    "/\\evil.example",
    "\\/evil.example",
    "/\\/evil.example",
    "https:evil.example",
    "https:/evil.example",
    "https://evil.example",
    "HTTPS://evil.example",
    "http://evil.example/",
    "http:///evil.example",
    "ftp://evil.example",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\nscript:alert(1)",
    " javascript:alert(1)",
    "data:text/html,<script>",
    "vbscript:x",
    "file:///etc/passwd",
    "\t//evil.example",
    "\n//evil.example",
    "\r\n//evil.example",
    " //evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "//evil.example@testserver",
    "http://testserver@evil.example",
    "http://testserver.evil.example",
    "//testserver.evil.example",
    "//evil%2eexample",
    "//%65vil.example",
    "/%5cevil.example/..//evil.example",
    "https://[::1]",
    "http://1.2.3.4",
    "//0x7f.1",
    "?next=//evil.example",
    "#//evil.example",
    "evil.example",
]


@pytest.mark.parametrize("suite", SUITES)
def test_never_leaves_the_site_after_login(client, utilisateur, suite):
    page = log_in(client, next=suite)
    assert page.status_code == 302
    # Where the browser ends up: on this site, whatever it makes of the address.
    assert page.url == reverse("accueil") or (page.url.startswith("/") and page.url[1:2] not in ("/", "\\"))


def test_forty_ways_of_leaving_were_tried(record_property):
    assert len(set(SUITES)) == 40
    record_property("suites", len(SUITES))


def test_goes_where_the_user_wanted(client, utilisateur):
    assert client.get(reverse("mon_compte")).url == f"{URL}?next={reverse('mon_compte')}"
    assert log_in(client, next=reverse("mon_compte")).url == reverse("mon_compte")


def test_the_key_of_the_session_changes_at_login_and_the_cookie_is_strict(client, utilisateur):
    client.cookies[settings.SESSION_COOKIE_NAME] = "choisie-par-un-autre"
    page = log_in(client)
    cookie = page.cookies[settings.SESSION_COOKIE_NAME]
    assert cookie.value != "choisie-par-un-autre"
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


def test_logout_is_a_post_and_closes_the_way_back(client, utilisateur):
    log_in(client)
    page = client.get(reverse("accueil"))
    assert page["Cache-Control"] == "no-store"
    assert client.get(reverse("deconnexion")).status_code == 405
    assert client.post(reverse("deconnexion")).url == URL
    assert client.get(reverse("accueil")).status_code == 302


def test_an_incomplete_address_is_said_so(client):
    assert "Écrivez une adresse complète" in words(log_in(client, "camille"))
