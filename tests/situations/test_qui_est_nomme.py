"""What is said after a gesture names those for whom it was done, and nobody else."""

import pytest
from django.urls import reverse

from tests.comptes.fabrique import words
from tests.menages.fabrique import jour, make_personne
from tests.situations.saisie import ajouter, jeton, modifier, supprimer

pytestmark = pytest.mark.django_db


@pytest.fixture
def louise(menage):
    return make_personne(menage, "Louise Exemple", depuis=100, parcours=[("VII.1", 100), ("I.3", 20)])


@pytest.fixture
def lea(menage):
    return make_personne(menage, "Léa Exemple", depuis=100, parcours=[("VII.1", 100), ("I.3", 20)])


def said(client, answer) -> list[str]:
    assert answer.status_code == 302
    return [str(message) for message in client.get(answer.url).context["messages"]]


def test_each_gesture_names_those_who_were_ticked(operateur, menage, rosa, louise, lea):
    both = "Rosa Exemple et Louise Exemple"
    assert said(operateur, ajouter(operateur, menage, [rosa, louise], "III.1", jour(9))) == [
        f"La situation de {both} est enregistrée."
    ]
    assert said(operateur, modifier(operateur, rosa, "III.1", jour(8), [rosa, louise])) == [
        f"La situation de {both} est modifiée."
    ]
    ticked = {"personnes": [rosa.pk, louise.pk], **jeton(rosa), **jeton(louise)}
    confirmed = operateur.post(reverse("confirmer_situations", args=[menage.pk]), ticked)
    assert said(operateur, confirmed) == [f"Toujours exact au {jour(0):%d/%m/%Y} : la situation de {both}."]
    assert said(operateur, supprimer(operateur, rosa, [rosa, louise])) == [
        f"La situation de {both} est supprimée, la précédente redevient la situation actuelle."
    ]


def test_one_alone_and_three(operateur, menage, rosa, louise, lea):
    assert said(operateur, ajouter(operateur, menage, [lea], "III.1", jour(9))) == [
        "La situation de Léa Exemple est enregistrée."
    ]
    assert said(operateur, modifier(operateur, rosa, "I.1", jour(8), [rosa, louise, lea])) == [
        "La situation de Rosa Exemple, Louise Exemple et Léa Exemple est modifiée."
    ]


def test_a_name_is_read_as_it_was_typed(operateur, menage):
    personne = make_personne(menage, "{0} <b>Exemple</b>", depuis=30, parcours=[("I.1", 30)])
    answer = ajouter(operateur, menage, [personne], "III.1", jour(9))
    page = operateur.get(answer.url)
    assert "La situation de {0} <b>Exemple</b> est enregistrée." in words(page)
    assert "<b>Exemple</b>" not in page.text
