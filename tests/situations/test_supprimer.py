"""Supprimer: the current situation only; the one before opens again; the first one and « Non renseignée » stay."""

import pytest
from django.urls import reverse

from menages.views.dossiers import followed_menage
from tests.comptes.fabrique import client_of, words
from tests.menages.fabrique import chain_of, jour, make_operateur, make_personne
from tests.situations.saisie import ajouter, current_of, jeton, supprimer

pytestmark = pytest.mark.django_db


def test_it_is_confirmed_then_the_previous_one_opens_again(operateur, rosa):
    url = reverse("supprimer_situation", args=[current_of(rosa).pk])
    page = words(operateur.get(url))
    assert "Supprimer cette situation" in page
    assert f"« VII.1 Expulsion du logement comme locataire », commencée le {jour(100):%d/%m/%Y}, redeviendra" in page
    assert len(chain_of(rosa)) == 2
    assert supprimer(operateur, rosa).status_code == 302
    assert chain_of(rosa) == [("VII.1", jour(100), None)]


def test_step_by_step_back_to_an_old_mistake(operateur, menage, rosa):
    ajouter(operateur, menage, [rosa], "III.1", jour(5))
    supprimer(operateur, rosa)
    supprimer(operateur, rosa)
    assert chain_of(rosa) == [("VII.1", jour(100), None)]


def test_w11_the_first_one_and_non_renseignee_cannot(operateur, menage, rosa):
    neuve = make_personne(menage, "Nouvelle Exemple")
    assert "« Non renseignée » ne se supprime pas" in words(supprimer(operateur, neuve))
    supprimer(operateur, rosa)
    assert "est sa première situation, rien ne la précède" in words(supprimer(operateur, rosa))
    assert chain_of(rosa) == [("VII.1", jour(100), None)]
    assert [code for code, _, _ in chain_of(neuve)] == ["NR"]


def test_those_who_share_it_go_together_or_not(operateur, menage, rosa):
    louise = make_personne(menage, "Louise Exemple", depuis=100, parcours=[("VII.1", 100), ("I.3", 20)])
    autre = make_personne(menage, "Autre Exemple", depuis=100, parcours=[("VII.1", 100), ("I.1", 20)])
    page = words(operateur.get(reverse("supprimer_situation", args=[current_of(rosa).pk])))
    assert "Louise Exemple" in page
    assert "Autre Exemple" not in page
    assert supprimer(operateur, rosa, [rosa, autre]).status_code == 200  # not on the page: refused
    assert len(chain_of(rosa)) == 2
    assert supprimer(operateur, rosa, [rosa, louise]).status_code == 302
    assert chain_of(rosa) == chain_of(louise) == [("VII.1", jour(100), None)]
    assert len(chain_of(autre)) == 2


def test_a_deletion_after_an_addition_is_stale(operateur, menage, rosa):
    url = reverse("supprimer_situation", args=[current_of(rosa).pk])
    fields = {"personnes": [rosa.pk], **jeton(rosa)}
    ajouter(client_of(make_operateur().utilisateur), menage, [rosa], "III.1", jour(2))
    assert operateur.post(url, fields).status_code == 404
    assert [code for code, _, _ in chain_of(rosa)] == ["VII.1", "I.3", "III.1"]


def test_so_is_one_that_reads_the_dossier_after_the_addition(operateur, menage, rosa, monkeypatch):
    """Somebody adds between the two reads of the page: the situation was still the current one at the first."""
    url = reverse("supprimer_situation", args=[current_of(rosa).pk])
    fields = {"personnes": [rosa.pk], **jeton(rosa)}
    client = client_of(make_operateur().utilisateur)

    def added_meanwhile(*args):
        monkeypatch.undo()
        ajouter(client, menage, [rosa], "III.1", jour(2))
        return followed_menage(*args)

    monkeypatch.setattr("situations.views.saisie.followed_menage", added_meanwhile)
    assert operateur.post(url, fields).status_code == 404
    assert [code for code, _, _ in chain_of(rosa)] == ["VII.1", "I.3", "III.1"]  # what was added stays


def test_a_stale_confirmation_deletes_nothing(operateur, rosa):
    from tests.situations.saisie import modifier

    url = reverse("supprimer_situation", args=[current_of(rosa).pk])
    fields = {"personnes": [rosa.pk], **jeton(rosa)}
    modifier(client_of(make_operateur().utilisateur), rosa, "I.1", jour(10))
    answer = operateur.post(url, fields)
    assert answer.status_code == 409
    assert "Rien n'a été supprimé" in words(answer)
    assert len(chain_of(rosa)) == 2
