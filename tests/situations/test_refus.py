"""Each refusal names a next step, and the step works: the tests do what the sentence says."""

import pytest
from django.urls import reverse

from menages.models import Personne
from tests.comptes.fabrique import client_of, plain
from tests.menages.fabrique import chain_of, jour, make_operateur, make_personne
from tests.situations.saisie import ajouter, modifier, supprimer, url_modifier
from tests.situations.test_corriger import new_line, opened, send

pytestmark = pytest.mark.django_db


def test_before_a_first_situation_the_parcours_is_corrected(operateur, menage):
    personne = make_personne(menage, "Ana Exemple", depuis=40, parcours=[("I.1", 40)])
    refused = ajouter(operateur, menage, [personne], "VIII.9", jour(90))
    said = plain(refused)
    assert "Pour une date plus ancienne, corrigez son parcours : rien n'a besoin d'être supprimé." in said
    assert "supprimez d'abord" not in said
    assert reverse("corriger_parcours", args=[personne.pk]) in refused.text
    fields = opened(operateur, personne)
    new_line(fields, "VIII.9", jour(90))
    assert send(operateur, personne, fields).status_code == 302
    assert chain_of(personne) == [("VIII.9", jour(90), jour(41)), ("I.1", jour(40), None)]


def test_before_non_renseignee_the_pencil_says_it(operateur, menage):
    personne = make_personne(menage, "Ana Exemple", depuis=40)
    said = plain(ajouter(operateur, menage, [personne], "I.1", jour(90)))
    assert "Pour une date plus ancienne, renseignez plutôt cette situation avec le crayon." in said
    assert modifier(operateur, personne, "I.1", jour(90)).status_code == 302


def test_the_day_it_began_the_pencil_corrects_it(operateur, menage, rosa):
    refused = ajouter(operateur, menage, [rosa], "I.1", jour(20))
    assert "Si « I.3 Voiture » est fausse, modifiez-la avec le crayon." in plain(refused)
    assert url_modifier(rosa) in refused.text
    assert modifier(operateur, rosa, "I.1", jour(20)).status_code == 302


def test_two_on_the_same_day_none_is_destroyed(operateur, menage, time_machine):
    time_machine.move_to("2026-11-28T10:00:00Z", tick=False)
    personne = make_personne(menage, "Ana Exemple", depuis=40, parcours=[("I.1", 40), ("IV.2", 0)])
    said = plain(ajouter(operateur, menage, [personne], "III.1", jour(0)))
    assert "Si « IV.2 Aux urgences » est vraie, ajoutez la suivante demain ; si elle est fausse, modifiez-la" in said
    # In the future too, the same sentence: today is not advised where it cannot be.
    assert "ou aujourd'hui" not in plain(ajouter(operateur, menage, [personne], "III.1", jour(-1)))
    time_machine.move_to("2026-11-29T10:00:00Z", tick=False)
    tomorrow = client_of(make_operateur().utilisateur)
    assert ajouter(tomorrow, menage, [personne], "III.1", jour(0)).status_code == 302
    assert [code for code, *_ in chain_of(personne)] == ["I.1", "IV.2", "III.1"]


def test_who_is_alone_is_not_told_to_untick_herself(operateur, menage):
    enfant = make_personne(menage, "Petit Exemple", depuis=300, parcours=[("I.1", 300)])
    Personne.objects.filter(pk=enfant.pk).update(date_naissance=jour(100))
    said = plain(ajouter(operateur, menage, [enfant], "III.1", jour(200)))
    assert f"au plus tôt le {jour(100):%d/%m/%Y}, jour de sa naissance" in said
    assert "corrigez-la d'abord sur sa fiche" in said
    assert "décochez" not in said
    assert ajouter(operateur, menage, [enfant], "III.1", jour(100)).status_code == 302


def test_with_others_she_is(operateur, menage, rosa):
    enfant = make_personne(menage, "Petit Exemple", depuis=300, parcours=[("I.1", 300)])
    Personne.objects.filter(pk=enfant.pk).update(date_naissance=jour(5))
    said = plain(ajouter(operateur, menage, [rosa, enfant], "III.1", jour(10)))
    assert "Pour les autres personnes, décochez Petit Exemple, puis recommencez." in said
    assert ajouter(operateur, menage, [rosa], "III.1", jour(10)).status_code == 302


def test_the_earliest_day_that_the_page_promises_is_accepted(operateur, menage):
    """The birth counts too."""
    enfant = make_personne(menage, "Petit Exemple", depuis=300, parcours=[("I.1", 300)])
    Personne.objects.filter(pk=enfant.pk).update(date_naissance=jour(100))
    page = plain(operateur.get(reverse("ajouter_situation", args=[menage.pk])))
    assert f"au plus tôt le {jour(100):%d/%m/%Y}" in page
    assert ajouter(operateur, menage, [enfant], "III.1", jour(100)).status_code == 302


def test_too_early_for_the_pencil_the_parcours_is_corrected(operateur, menage, rosa):
    said = plain(modifier(operateur, rosa, "I.1", jour(120)))
    assert "sa situation précédente. Si celle-ci est fausse aussi, corrigez son parcours." in said
    fields = opened(operateur, rosa)
    fields |= {"l-1-date_debut": f"{jour(120):%d/%m/%Y}", "l-0-date_debut": f"{jour(150):%d/%m/%Y}"}
    assert send(operateur, rosa, fields).status_code == 302


def test_a_first_situation_is_modified_as_its_refusal_says(operateur, menage):
    personne = make_personne(menage, "Ana Exemple", depuis=40, parcours=[("I.1", 40)])
    assert "Elle se modifie, elle ne se supprime pas." in plain(supprimer(operateur, personne))
    assert modifier(operateur, personne, "I.2", jour(50)).status_code == 302


def test_what_is_not_known_is_said_with_the_pencil_then_confirmed(operateur, menage):
    from tests.situations.test_confirmer import confirmer

    personne = make_personne(menage, "Ana Exemple", depuis=40)
    page = confirmer(operateur, menage, personne)
    assert "Dites-la avec le crayon." in plain(operateur.get(page.url))
    assert modifier(operateur, personne, "I.2", jour(50)).status_code == 302
    assert confirmer(operateur, menage, personne).status_code == 302
