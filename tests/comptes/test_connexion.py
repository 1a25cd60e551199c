import pytest
from django.urls import reverse

from comptes.models import Utilisateur

pytestmark = pytest.mark.django_db
PASSWORD = "mot de passe assez long"


@pytest.fixture
def utilisateur():
    return Utilisateur.objects.create_user("Camille.Exemple@demo.example", PASSWORD, prenom="Camille")


def test_logs_in_whatever_the_case_and_refuses_a_wrong_password(client, utilisateur):
    page = client.post(reverse("connexion"), {"username": "CAMILLE.exemple@demo.example", "password": "faux"})
    assert page.status_code == 200
    assert "Adresse ou mot de passe inconnus" in page.text
    assert "CAMILLE.exemple@demo.example" in page.text  # what was typed is still there

    page = client.post(reverse("connexion"), {"username": "CAMILLE.exemple@demo.example", "password": PASSWORD})
    assert page.status_code == 302
    assert page.url == reverse("accueil")


def test_same_answer_for_an_unknown_address(client, utilisateur):
    pages = [
        client.post(reverse("connexion"), {"username": username, "password": "faux"}).text
        for username in ("camille.exemple@demo.example", "personne.ici@demo.example")
    ]
    words = [page.split("<main")[1].split("<form")[0] for page in pages]
    assert words[0] == words[1]


@pytest.mark.parametrize(
    "suite",
    [
        "//evil.example",
        "\\\\evil.example",
        "https:evil.example",
        "/%09/evil.example",
        "javascript:alert(1)",
        "http://evil.example/",
        "///evil.example",
        "/\\evil.example",
        "\t//evil.example",
        "https://evil.example",
    ],
)
def test_never_leaves_the_site_after_login(client, utilisateur, suite):
    page = client.post(reverse("connexion"), {"username": utilisateur.courriel, "password": PASSWORD, "next": suite})
    assert page.status_code == 302
    assert page.url in (reverse("accueil"), "/%09/evil.example")


def test_logout_is_a_post(client, utilisateur):
    client.force_login(utilisateur)
    assert client.get(reverse("deconnexion")).status_code == 405
    assert client.post(reverse("deconnexion")).url == reverse("connexion")
    assert client.get(reverse("accueil")).status_code == 302
