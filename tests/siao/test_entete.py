"""The search of the header: persons for those who see dossiers, the offre for the others."""

import pytest
from django.urls import reverse

from comptes.droits import Profil
from tests.comptes.fabrique import client_of, make_utilisateur, plain, words
from tests.offre.fabrique import make_dispositif, make_rattachement

PERSONNES, OFFRE = "Chercher une personne ou un dossier", "Chercher un dispositif ou une entité"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("profil", "shown", "hidden"),
    [
        (Profil.ADMIN_NATIONAL, OFFRE, PERSONNES),
        (Profil.ADMIN_DEPARTEMENTAL, OFFRE, PERSONNES),
        (Profil.ANALYSTE, OFFRE, PERSONNES),
        (Profil.OPERATEUR_SIAO, PERSONNES, OFFRE),
    ],
)
def test_who_looks_for_what(profil, shown, hidden):
    page = words(client_of(make_utilisateur(profil)).get(reverse("accueil")))
    assert shown in page
    assert hidden not in page


@pytest.mark.django_db
def test_the_state_finds_a_dispositif_by_its_name_or_its_entite_s():
    make_dispositif(make_rattachement("44", nom="Entité Horizon"), nom="Résidence des Tilleuls")
    make_dispositif(make_rattachement("44", nom="Autre"), nom="Foyer")
    client = client_of(make_utilisateur(Profil.ADMIN_DEPARTEMENTAL))
    page = words(client.get(reverse("accueil")))
    assert f'action="{reverse("offre:dispositifs")}"' in page
    for text in ("tilleuls", "horizon"):
        found = plain(client.get(reverse("offre:dispositifs"), {"q": text}))
        assert "Résidence des Tilleuls" in found
        assert "Foyer" not in found


@pytest.mark.django_db
def test_nobody_without_a_habilitation():
    page = words(client_of(make_utilisateur(None)).get(reverse("accueil"), follow=True))
    assert PERSONNES not in page
    assert OFFRE not in page


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("page", "entry"),
    [("a_confirmer", "À confirmer"), ("nouveau_dossier", "Dossiers"), ("demandes_d_acces", "Dossiers"), ("notice", "")],
)
def test_the_menu_says_where_one_is(page, entry):
    answer = client_of(make_utilisateur(Profil.OPERATEUR_SIAO)).get(reverse(page))
    assert [each["label"] for each in answer.context["menu"] if each["current"]] == ([entry] if entry else [])
