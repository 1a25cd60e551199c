"""The pages of help: questionnaire and calculators."""

import pytest
from django.urls import reverse

from situations.models import Sr2
from tests.comptes.fabrique import client_of, words
from tests.menages.fabrique import jour, make_operateur

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(db):
    return client_of(make_operateur().utilisateur)


def test_questions_come_one_at_a_time_and_answers_can_be_changed(client):
    url = reverse("questionnaire")
    assert "Où la personne vit-elle" in words(client.get(url))
    page = client.get(url, {"ou": "hebergement", "hebergement": "hotel"})
    assert "Qui paie l'hôtel" in words(page)
    assert "Changer" in words(page)
    done = words(client.get(url, {"ou": "hebergement", "hebergement": "hotel", "payeur": "ase"}))
    assert "IV.8 En établissement relevant de la protection de l’enfance" in done
    assert "Choisir cette situation" not in done  # opened from nowhere


def test_a_retired_advice_gives_its_replacement(client):
    Sr2.objects.filter(pk="I.3").update(retiree_le=jour(0), remplacee_par="I.1")
    page = words(client.get(reverse("questionnaire"), {"ou": "rue", "rue": "voiture", "dossier": "12"}))
    assert "I.1 Rue, place" in page
    assert "/dossiers/12/ajouter/?sr2=I.1" in page


def test_a_retired_advice_without_replacement_recommends_nothing(client):
    Sr2.objects.filter(pk="I.3").update(retiree_le=jour(0), remplacee_par=None)
    page = words(client.get(reverse("questionnaire"), {"ou": "rue", "rue": "voiture", "dossier": "12"}))
    assert "n'est plus proposée" in page
    assert "sr2=" not in page
    assert "Rien ne la remplace" in page


@pytest.mark.parametrize("dossier", ["x", "-1", "9" * 30, "٣", "//evil", "<script>"])
def test_a_forged_way_back_leads_nowhere(client, dossier):
    page = client.get(reverse("questionnaire"), {"ou": "rue", "rue": "voiture", "dossier": dossier})
    assert page.status_code == 200
    assert "Choisir cette situation" not in words(page)
    assert "<script>" not in page.text.replace("<script src", "")


def test_rooms(client):
    url = reverse("calculs")
    people = {"couples": 1, "adultes": 0, "garcons": 1, "filles": 1, "petits_garcons": 0, "petites_filles": 0}
    text = words(client.get(url, {"pieces": 3, **people}))
    assert "Il faudrait <strong>4 pièces</strong>" in text
    assert "Il en manque 1 : le logement est en suroccupation" in text
    assert "n'est pas en suroccupation" in words(client.get(url, {"pieces": 4, **people}))
    assert "Écrivez un nombre" in words(client.get(url, {"pieces": "x", **people}))


def test_surface(client):
    url = reverse("calculs")
    text = words(client.get(url, {"surface": 30, "personnes": 4}))
    assert "Il faudrait <strong>34 m²</strong>" in text
    assert "Il manque 4 m²" in text
    assert "n'est pas en suroccupation importante" in words(client.get(url, {"surface": 70, "personnes": 12}))
    for typed in ("24,5", "24.5"):
        assert "Il manque 9,5 m²" in words(client.get(url, {"surface": typed, "personnes": 4}))
    for typed in ("24,5,1", "x", "0", "1e9", "NaN"):
        refused = words(client.get(url, {"surface": typed, "personnes": 4}))
        assert "1 point à corriger" in refused
        assert "enregistré" not in refused.partition("1 point")[2]
