"""The same situation added again, and an errance so long that a year was probably mistyped: the page asks."""

import datetime

import pytest
from django.urls import reverse

from tests.comptes.fabrique import words
from tests.menages.fabrique import chain_of, jour, make_personne
from tests.situations.saisie import ajouter, current_of, jeton, modifier, submit, typed

pytestmark = pytest.mark.django_db


@pytest.fixture
def louise(menage):
    return make_personne(menage, "Louise Exemple", depuis=100, parcours=[("VII.1", 100), ("III.1", 40)])


def url(menage) -> str:
    return reverse("ajouter_situation", args=[menage.pk])


def test_the_same_situation_again_asks_whether_it_goes_on(operateur, menage, rosa):
    before = chain_of(rosa)
    asked = ajouter(operateur, menage, [rosa], "I.3", jour(2))
    assert "Rosa Exemple : cette situation est déjà la leur" in words(asked)
    assert "Choisissez : la même situation continue, ou une autre commence." in words(asked)
    assert chain_of(rosa) == before
    answer = ajouter(operateur, menage, [rosa], "I.3", jour(2), meme="exact")
    assert answer.status_code == 302
    assert chain_of(rosa) == before
    assert current_of(rosa).confirmee_le == jour(0)
    assert f"Toujours exact au {jour(0):%d/%m/%Y} : la situation de Rosa Exemple." in words(operateur.get(answer.url))


def test_another_one_of_the_same_type_can_begin(operateur, menage, rosa):
    assert ajouter(operateur, menage, [rosa], "I.3", jour(2), meme="nouvelle").status_code == 302
    assert chain_of(rosa)[-2:] == [("I.3", jour(20), jour(3)), ("I.3", jour(2), None)]


def test_it_goes_on_for_one_and_begins_for_the_other(operateur, menage, rosa, louise):
    before = chain_of(rosa)
    said = operateur.post(url(menage), typed([rosa, louise], "I.3", jour(5)))
    assert "Louise Exemple : cela clôturera « III.1" in words(said)
    assert "Rosa Exemple : cela clôturera" not in words(said)
    assert ajouter(operateur, menage, [rosa, louise], "I.3", jour(5), meme="exact").status_code == 302
    assert chain_of(rosa) == before
    assert chain_of(louise)[-1] == ("I.3", jour(5), None)


def test_it_goes_on_whatever_the_date(operateur, menage, rosa):
    """Who writes since when it lasts, and not since when it changed, is offered the same."""
    refused = ajouter(operateur, menage, [rosa], "I.3", jour(20))
    assert "cette situation est déjà la leur" in words(refused)
    assert "modifiez-la avec le crayon" in words(refused)
    assert ajouter(operateur, menage, [rosa], "I.3", jour(20), meme="exact").status_code == 302


def test_all_or_nothing_when_it_goes_on_for_one(operateur, menage, rosa, louise):
    before = chain_of(louise)
    assert ajouter(operateur, menage, [rosa, louise], "I.3", jour(50), meme="exact").status_code == 200
    assert chain_of(louise) == before
    assert current_of(rosa).confirmee_le != jour(0)


def test_another_region_is_not_the_same_sas(operateur, menage):
    personne = make_personne(menage, "Ana Exemple", depuis=30, parcours=[("I.1", 30)])
    assert ajouter(operateur, menage, [personne], "III.7", jour(10), region="53").status_code == 302
    assert ajouter(operateur, menage, [personne], "III.7", jour(5), region="28").status_code == 302
    assert "déjà la leur" in words(ajouter(operateur, menage, [personne], "III.7", jour(2), region="28"))


# --- Errance ----------------------------------------------------------------------------------------------------


def years_ago(number: int) -> datetime.date:
    return jour(round(number * 365.25) + 5)


def test_more_than_twenty_years_of_errance_must_be_confirmed(operateur, menage):
    personne = make_personne(menage, "Ana Exemple", depuis=30)
    asked = modifier(operateur, personne, "I.1", years_ago(21))
    assert "Ana Exemple : 21 ans d'errance en tout." in words(asked)
    assert "Vérifiez les dates" in words(asked)
    assert chain_of(personne)[-1][0] == "NR"
    assert modifier(operateur, personne, "I.1", years_ago(21), errance="on").status_code == 302
    assert chain_of(personne) == [("I.1", years_ago(21), None)]
    # What already was is not asked again: the errance goes on, no longer than it was.
    assert ajouter(operateur, menage, [personne], "I.3", jour(1)).status_code == 302


@pytest.mark.parametrize(("code", "years"), [("I.1", 19), ("VIII.10", 40), ("III.1", 21)])
def test_no_question_for_less_nor_for_a_home(operateur, menage, code, years):
    personne = make_personne(menage, "Ana Exemple", depuis=30)
    assert modifier(operateur, personne, code, years_ago(years)).status_code == 302


def test_errance_in_pieces_is_counted_in_all(operateur, menage):
    long = round(12 * 365.25)
    personne = make_personne(menage, "Ana Exemple", depuis=9_000, parcours=[("I.1", 9_000), ("III.1", 9_000 - long)])
    assert ajouter(operateur, menage, [personne], "VI.5", jour(9 * 365)).status_code == 200
    assert ajouter(operateur, menage, [personne], "VI.5", jour(365)).status_code == 302


def test_a_child_has_not_been_homeless_for_longer_than_their_life(operateur, menage):
    from menages.models import Personne

    personne = make_personne(menage, "Petit Exemple", depuis=30)
    Personne.objects.filter(pk=personne.pk).update(date_naissance=jour(400))
    assert modifier(operateur, personne, "I.1", jour(400)).status_code == 302


# --- Toujours exact, for the whole ménage -----------------------------------------------------------------------


def fields_of(*personnes) -> dict:
    fields = {"personnes": [each.pk for each in personnes]}
    for each in personnes:
        fields |= jeton(each)
    return fields


def test_the_whole_menage_in_one_click(operateur, menage, rosa, louise):
    page = operateur.get(reverse("situations_du_menage", args=[menage.pk]))
    assert "Toujours exact pour tout le ménage" in words(page)
    answer = operateur.post(reverse("confirmer_situations", args=[menage.pk]), fields_of(rosa, louise))
    assert "#" not in answer.url
    assert [current_of(each).confirmee_le for each in (rosa, louise)] == [jour(0)] * 2


def test_the_click_leaves_out_those_of_whom_nothing_is_known(operateur, menage, rosa, louise):
    make_personne(menage, "Nouvelle Exemple", depuis=3)
    page = operateur.get(reverse("situations_du_menage", args=[menage.pk]))
    assert "Toujours exact pour les 2 personnes renseignées" in words(page)


def test_alone_there_is_one_button(operateur, menage, rosa):
    assert "Toujours exact pour" not in words(operateur.get(reverse("situations_du_menage", args=[menage.pk])))


def test_the_keyboard_goes_on_with_the_next_person_who_waits(operateur, menage, rosa, louise):
    third = make_personne(menage, "Léon Exemple", depuis=100, parcours=[("VII.1", 100)])
    confirm = reverse("confirmer_situations", args=[menage.pk])
    page = reverse("situations_du_menage", args=[menage.pk])
    assert operateur.post(confirm, fields_of(louise)).url == f"{page}#exact-{third.pk}"
    assert f'id="exact-{third.pk}"' in operateur.get(page).text
    assert operateur.post(confirm, fields_of(third)).url == f"{page}#exact-{rosa.pk}"
    assert operateur.post(confirm, fields_of(rosa)).url == page


def test_in_the_worklist_it_is_the_next_row(operateur, menage, rosa, louise):
    for personne, days in ((rosa, 300), (louise, 200)):
        personne.situations.filter(date_fin=None).update(confirmee_le=jour(days))
    address = reverse("a_confirmer")
    page = operateur.get(address)
    assert f'name="suivante" value="{louise.pk}"' in " ".join(page.text.split())
    confirm = reverse("confirmer_situations", args=[menage.pk])
    sent = {**fields_of(rosa), "depuis": "a_confirmer", "liste": "", "suivante": louise.pk}
    assert operateur.post(confirm, sent).url == f"{address}?#exact-{louise.pk}"
    assert submit(operateur, confirm, {**fields_of(louise), "depuis": "a_confirmer", "suivante": "x"}).url == (
        f"{address}?"
    )
