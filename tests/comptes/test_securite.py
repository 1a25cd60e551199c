"""Hostile requests that are about no page in particular."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from comptes import saisies
from comptes.droits import Profil
from comptes.models import EntreeJournal, Message, Utilisateur
from tests.comptes.fabrique import PASSWORD, client_of, make_utilisateur, words
from tests.navigateur import Navigateur

ROOT = Path(settings.BASE_DIR)
APPLICATIONS = ("siao", "comptes", "offre", "menages", "situations")


@pytest.fixture
def agent(db):
    agent = make_utilisateur(Profil.ADMIN_SIAO)
    agent.set_password(PASSWORD)
    agent.save()
    return agent


@pytest.mark.django_db
@pytest.mark.parametrize("profil", [*Profil.values, None])
def test_there_is_no_admin_site(profil):
    browser = client_of(make_utilisateur(profil))
    for address in ("/admin/", "/admin/login/", "/admin/comptes/utilisateur/"):
        assert browser.get(address).status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path",
    [
        "/media/imports/1",
        "/media/",
        "/var/fichiers/temps1/x",
        "/static/../siao/settings.py",
        "/static/%2e%2e/%2e%2e/etc/passwd",
        "/.git/config",
        "/.env",
        "/.env.example",
        "/manage.py",
        "/fixtures/siao.csv",
    ],
)
def test_no_file_of_the_server_is_served(client, path):
    assert client.get(path).status_code == 404


class Strict(Navigateur):
    """A browser that sends no token of its own and is checked for it."""

    def __init__(self, **options):
        super().__init__(enforce_csrf_checks=True, **options)


def test_a_post_without_our_token_or_from_elsewhere_is_refused_in_french(agent):
    strict = Strict()
    strict.force_login(agent)
    other = Client(enforce_csrf_checks=True)
    foreign = other.get(reverse("connexion")).cookies[settings.CSRF_COOKIE_NAME].value
    form = {"nature": "INFORMATION", "titre": "Titre", saisies.FIELD: ""}
    for answer in (
        strict.post(reverse("publier_message"), form),
        strict.post(reverse("publier_message"), {**form, "csrfmiddlewaretoken": foreign}),
        strict.post(reverse("publier_message"), form, headers={"origin": "null"}),
        strict.post(reverse("publier_message"), form, headers={"origin": "https://evil.example"}),
        other.post(reverse("connexion"), {"username": agent.courriel, "password": PASSWORD}),
    ):
        assert answer.status_code == 403
        assert "Ce formulaire n'est plus valable" in words(answer)
        assert "Numéro de la demande" in answer.text
    assert not Message.objects.exists()


def test_no_method_but_those_of_the_page(agent):
    browser = client_of(agent)
    ecoutant = make_utilisateur(Profil.ECOUTANT_115)
    address = reverse("desactiver_compte", args=[ecoutant.pk])
    assert browser.get(address, headers={"x-http-method-override": "POST"}).status_code == 200
    assert browser.get(f"{address}?_method=POST").status_code == 200
    for method in ("PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "INVENTEE"):
        assert browser.generic(method, address).status_code == 405
    head = browser.head(reverse("compte", args=[ecoutant.pk]))
    assert (head.status_code, head.content) == (200, b"")
    ecoutant.refresh_from_db()
    assert ecoutant.is_active


def test_one_value_of_each_field_and_forms_only(agent):
    browser = client_of(agent)
    ecoutant = make_utilisateur(Profil.ECOUTANT_115)
    address = reverse("modifier_compte", args=[ecoutant.pk])
    browser.post(address, {"prenom": ["Un", "Deux"], "nom": ["A", "B"]})
    ecoutant.refresh_from_db()
    assert (ecoutant.prenom, ecoutant.nom) == ("Deux", "B")  # the last one, as Django reads it; never both
    assert browser.post(address, {"prenom[]": "X", "nom[]": "Y"}).status_code == 200
    stamped = browser.post(address, '{"prenom": "X", "nom": "Y"}', content_type="application/json")
    assert stamped.status_code == 409  # no stamp in there, hence no form of ours
    assert browser.get(reverse("comptes"), {"page": ["1", "2"], "q": ["a", "zzzz"]}).status_code == 200
    ecoutant.refresh_from_db()
    assert ecoutant.prenom == "Deux"


def test_too_much_is_a_page_in_french_and_nothing_is_written(agent):
    browser = client_of(agent)
    browser.raise_request_exception = False
    many = browser.post(reverse("publier_message"), {f"champ{number}": "x" for number in range(10_000)})
    huge = browser.post(
        reverse("publier_message"), "texte=" + "x" * 1_100_000, content_type="application/x-www-form-urlencoded"
    )
    for answer in (many, huge):
        assert answer.status_code in (400, 403)
        assert "Numéro de la demande" in answer.text
        assert "Rien n'a été enregistré" in words(answer)
    assert not Message.objects.exists()


@pytest.mark.django_db
def test_a_wrong_host_is_refused_and_an_absolute_request_is_ours(client):
    assert client.get("/connexion/", headers={"host": "evil.example"}).status_code == 400
    assert client.get("/connexion/", headers={"x-forwarded-host": "evil.example"}).status_code == 200


@pytest.mark.django_db
def test_no_page_is_framed_nor_keeps_an_opener(agent):
    page = client_of(agent).get(reverse("accueil"))
    assert page["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in page["Content-Security-Policy"]
    assert page["Cross-Origin-Opener-Policy"] == "same-origin"


def test_names_are_text_wherever_they_show(agent):
    browser = client_of(agent)
    hostile = '"><img src=x onerror=alert(1)>{{7*7}}${jndi:x}'
    guest = make_utilisateur(Profil.ECOUTANT_115)
    Utilisateur.objects.filter(pk=guest.pk).update(prenom=hostile[:100], nom="'); DROP TABLE x;--")
    for name, arguments in (
        ("comptes", []),
        ("compte", [guest.pk]),
        ("desactiver_compte", [guest.pk]),
        ("historique", ["comptes.utilisateur", guest.pk]),
        ("acces", ["comptes.utilisateur", guest.pk]),
    ):
        page = browser.get(reverse(name, args=arguments))
        assert page.status_code == 200
        assert "<img src=x" not in page.text
        assert hostile in words(page)
    assert "<img src=x" not in client_of(guest).get(reverse("accueil")).text


def test_every_refusal_is_journalled(agent):
    browser = client_of(make_utilisateur(Profil.ECOUTANT_115))
    for name in ("comptes", "inviter", "journal", "messages"):
        assert browser.get(reverse(name)).status_code == 403
    assert list(EntreeJournal.objects.order_by("pk").values_list("action", "resultat")) == [
        (name, "REFUSE") for name in ("comptes", "inviter", "journal", "messages")
    ]


def test_a_fragment_asked_for_after_the_end_of_the_session_reloads_the_whole_page(db):
    answer = Client().get(reverse("accueil"), headers={"hx-request": "true"})
    assert (answer.status_code, answer["HX-Redirect"]) == (204, reverse("connexion"))


# --- The code itself --------------------------------------------------------------------------------------------


def sources(pattern: str):
    for application in APPLICATIONS:
        for path in (ROOT / application).rglob(pattern):
            if "migrations" not in path.parts:
                yield path, path.read_text(encoding="utf-8")


def test_there_is_no_third_mechanism_of_rights():
    """Only ``may``, ``visible_to`` and ``manageable_by``: guardian's own questions ignore habilitations and dates."""
    asked = re.compile(r"\.has_perms?\(|get_objects_for_|ObjectPermissionChecker|permission_required|is_superuser")
    assert [str(path) for path, text in sources("*.py") if asked.search(text)] == []


def test_every_form_that_posts_carries_the_stamp():
    for path in (ROOT / "templates").rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        for form in re.findall(r"<form\b[^>]*method=\"post\".*?</form>", text, re.DOTALL | re.IGNORECASE):
            assert "{% csrf_token %}" in form, path


def test_nothing_bypasses_the_protections():
    forbidden = re.compile(r"csrf_exempt|mark_safe|\|\s*safe\b|\.extra\(|RawSQL")
    found = [str(path) for path, text in [*sources("*.py")] if forbidden.search(text)]
    pages = [str(path) for path in (ROOT / "templates").rglob("*.html") if forbidden.search(path.read_text())]
    assert found + pages == []
