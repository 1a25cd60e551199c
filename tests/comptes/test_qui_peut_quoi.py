"""« Qui peut quoi »: the page shows the matrix that the code applies, whole."""

import pytest
from django.urls import reverse

from comptes.droits import MATRICE, Droit, Profil, droits_of
from tests.comptes.fabrique import client_of, make_utilisateur, words


@pytest.mark.django_db
def test_the_page_has_every_right_and_every_profil():
    page = words(client_of(make_utilisateur(Profil.TRAVAILLEUR_SOCIAL)).get(reverse("qui_peut_quoi")))
    for label in (*Droit.labels, *Profil.labels):
        assert label in page
    held = sum(len(profils) for profils in MATRICE.values())
    assert page.count("<abbr") == held == sum(len(droits_of(profil)) for profil in Profil)


def test_an_unknown_profil_has_no_right():
    assert droits_of("INCONNU") == frozenset()
