"""Modifier: the current situation only, its level and its start; the end of the one before follows."""

import pytest
from django.urls import reverse

from situations.models import Sr2
from tests.comptes.fabrique import client_of, make_utilisateur, words
from tests.menages.fabrique import chain_of, jour, make_operateur, make_personne
from tests.situations.saisie import ajouter, current_of, modifier, submit, typed, url_modifier

pytestmark = pytest.mark.django_db


def test_the_page_begins_with_what_is_known(operateur, rosa):
    page = operateur.get(url_modifier(rosa))
    assert f'value="{jour(20):%d/%m/%Y}"' in page.text
    assert page.context["form"]["sr2"].value() == "I.3"
    assert f"au plus tôt le {jour(99):%d/%m/%Y}" in words(page)


def test_level_and_start_change_and_the_end_before_follows(operateur, rosa):
    said = operateur.post(url_modifier(rosa), typed([rosa], "I.1", jour(30)))
    assert f"et « VII.1 Expulsion du logement comme locataire » finira le {jour(31):%d/%m/%Y}" in words(said)
    assert modifier(operateur, rosa, "I.1", jour(30)).status_code == 302
    assert chain_of(rosa) == [("VII.1", jour(100), jour(31)), ("I.1", jour(30), None)]


def test_the_bound_towards_the_previous_one(operateur, rosa):
    assert "au plus tôt le" in words(modifier(operateur, rosa, "I.3", jour(100)))
    assert modifier(operateur, rosa, "I.3", jour(99)).status_code == 302
    assert chain_of(rosa)[0] == ("VII.1", jour(100), jour(100))
    assert modifier(operateur, rosa, "I.3", jour(-1)).status_code == 200


def test_the_first_situation_may_begin_long_ago_but_not_before_1900(operateur, menage):
    personne = make_personne(menage, "Nouvelle Exemple")
    assert "une année entre 1900 et" in words(modifier(operateur, personne, "VIII.11", "31/12/1899"))
    assert "devient « VIII.11 Propriétaire » depuis le 01/03/1985" in words(
        operateur.post(url_modifier(personne), typed([personne], "VIII.11", "01/03/1985"))
    )
    assert modifier(operateur, personne, "VIII.11", "01/03/1985").status_code == 302
    assert [code for code, _, _ in chain_of(personne)] == ["VIII.11"]


def test_nothing_begins_before_a_birth(operateur, menage, rosa):
    """A group is refused for the baby, by name; the others go through without, then the baby from the birth on."""
    bebe = make_personne(menage, "Léa Exemple", date_naissance=jour(10))
    said = words(modifier(operateur, rosa, "I.1", jour(30), [rosa, bebe]))
    assert f"Léa Exemple : au plus tôt le {jour(10):%d/%m/%Y}, jour de sa naissance" in said
    assert "Rosa Exemple : au plus tôt" not in said
    assert f"elle peut commencer dès sa naissance, le {jour(10):%d/%m/%Y}" in words(operateur.get(url_modifier(bebe)))
    assert [code for code, _, _ in chain_of(bebe)] == ["NR"]
    assert modifier(operateur, rosa, "I.1", jour(30)).status_code == 302
    assert modifier(operateur, bebe, "I.1", jour(11)).status_code == 200
    assert modifier(operateur, bebe, "I.1", jour(10)).status_code == 302
    assert chain_of(bebe) == [("I.1", jour(10), None)]


def test_several_persons_at_once_all_or_nothing(operateur, menage):
    people = [make_personne(menage, f"P{n} Exemple") for n in range(3)]
    late = make_personne(menage, "Tard Exemple", depuis=9, parcours=[("I.1", 9), ("I.3", 4)])
    refused = modifier(operateur, people[0], "VII.1", jour(50), [*people, late])
    assert "Tard Exemple : au plus tôt le" in words(refused)
    assert [chain_of(each)[0][0] for each in people] == ["NR"] * 3
    assert modifier(operateur, people[0], "VII.1", jour(50), people).status_code == 302
    assert [chain_of(each) for each in people] == [[("VII.1", jour(50), None)]] * 3


def test_w09_a_closed_situation_is_not_found(operateur, menage, rosa):
    closed = rosa.situations.get(date_fin__isnull=False)
    before = chain_of(rosa)
    for name in ("modifier_situation", "supprimer_situation"):  # W09, W10
        url = reverse(name, args=[closed.pk])
        assert operateur.get(url).status_code == 404
        assert operateur.post(url, typed([rosa], "I.1", jour(5))).status_code == 404
    assert chain_of(rosa) == before


def test_a_retired_value_stays_while_its_date_is_corrected(operateur, menage):
    personne = make_personne(menage, "Ana Exemple", depuis=30, parcours=[("VI.2", 30)])
    Sr2.objects.filter(pk="VI.2").update(retiree_le=jour(1))
    assert "Choisissez plutôt « VI.4" in words(operateur.get(url_modifier(personne)))
    assert modifier(operateur, personne, "VI.2", jour(40)).status_code == 302
    assert chain_of(personne) == [("VI.2", jour(40), None)]


def test_a_stale_form_changes_nothing(operateur, menage, rosa):
    url, fields = url_modifier(rosa), typed([rosa], "I.1", jour(10))
    collegue = client_of(make_operateur().utilisateur)
    assert modifier(collegue, rosa, "I.2", jour(15)).status_code == 302
    answer = submit(operateur, url, fields)
    assert answer.status_code == 409
    assert "maintenant « I.2 Lieux couverts : parking, gare »" in words(answer)
    assert chain_of(rosa)[-1] == ("I.2", jour(15), None)
    # A situation that was closed meanwhile cannot be modified any more.
    ajouter(collegue, menage, [rosa], "III.1", jour(1))
    assert submit(operateur, url, fields).status_code == 404


def test_who_may_modify(menage, rosa):
    fields = typed([rosa], "I.1", jour(1))
    for profil, code in (("ECOUTANT_115", 200), ("ADMIN_NATIONAL", 403), ("ASSISTANT", 403)):
        objets = () if profil != "ASSISTANT" else [_rattachement()]
        client = client_of(make_utilisateur(profil, objets=objets))
        assert client.post(url_modifier(rosa), fields).status_code == code
    assert client_of(make_operateur("35").utilisateur).get(url_modifier(rosa)).status_code == 404
    assert current_of(rosa).sr2_id == "I.3"


def _rattachement():
    from tests.offre.fabrique import make_rattachement

    return make_rattachement("44")
