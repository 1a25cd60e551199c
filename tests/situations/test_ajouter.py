"""Ajouter une situation: bounds, all or nothing, what is said before, forms that are stale or forged (W01–W23)."""

import re

import pytest
from django.urls import reverse

from menages.models import Menage
from situations.models import SituationResidentielle, Sr2
from tests.comptes.fabrique import client_of, make_utilisateur, words
from tests.menages.fabrique import UN_JOUR, chain_of, jour, make_menage, make_operateur, make_personne
from tests.situations.saisie import ajouter, jeton, submit, typed

pytestmark = pytest.mark.django_db


@pytest.fixture
def louise(menage):
    return make_personne(menage, "Louise Exemple", depuis=100, parcours=[("VII.1", 100), ("I.1", 40)])


def url(menage) -> str:
    return reverse("ajouter_situation", args=[menage.pk])


def test_the_page_says_the_earliest_date_of_each_person_and_why(operateur, menage, rosa, louise):
    text = words(operateur.get(url(menage)))
    assert f"« I.3 Voiture » depuis le {jour(20):%d/%m/%Y}, au plus tôt le {jour(19):%d/%m/%Y}" in text
    assert f"au plus tôt le {jour(39):%d/%m/%Y}" in text
    assert "Qu’ils aient ou non construit des abris de fortune" in text  # definitions under each choice


def test_it_says_what_will_happen_then_does_it(operateur, menage, rosa, louise):
    fields = typed([rosa, louise], "III.1", jour(5))
    before = chain_of(rosa)
    said = operateur.post(url(menage), fields)
    assert f"Rosa Exemple : cela clôturera « I.3 Voiture » au {jour(6):%d/%m/%Y}" in words(said)
    assert chain_of(rosa) == before
    assert submit(operateur, url(menage), fields).status_code == 302
    assert chain_of(rosa)[1:] == [("I.3", jour(20), jour(6)), ("III.1", jour(5), None)]
    assert chain_of(louise)[1:] == [("I.1", jour(40), jour(6)), ("III.1", jour(5), None)]


def test_what_will_happen_must_have_been_read(operateur, menage, rosa):
    """A page that was never shown, or another date than the one that was, saves nothing."""
    before = chain_of(rosa)
    assert operateur.post(url(menage), typed([rosa], "III.1", jour(5), lue="0123456789abcdef")).status_code == 200
    assert chain_of(rosa) == before


def test_another_situation_than_the_one_that_was_read_is_shown_first(operateur, menage, rosa):
    lue = re.search(r'name="lue" value="(\w+)"', operateur.post(url(menage), typed([rosa], "III.1", jour(5))).text)[1]
    before = chain_of(rosa)
    assert operateur.post(url(menage), typed([rosa], "III.2", jour(5), lue=lue)).status_code == 200
    assert chain_of(rosa) == before


def test_a_live_preview_never_saves(operateur, menage, rosa):
    """htmx asks for the consequence with what the page holds, the proof of reading included: nothing is written."""
    fields = typed([rosa], "III.1", jour(5))
    lue = re.search(r'name="lue" value="(\w+)"', operateur.post(url(menage), fields).text)[1]
    fields.pop("etape")
    before = chain_of(rosa)
    assert operateur.post(url(menage), {**fields, "lue": lue}, headers={"HX-Request": "true"}).status_code == 200
    assert chain_of(rosa) == before


def test_w01_today_is_allowed(operateur, menage, rosa):
    assert ajouter(operateur, menage, [rosa], "I.1", jour(0)).status_code == 302
    assert chain_of(rosa)[-1] == ("I.1", jour(0), None)


def test_today_is_the_day_of_the_departement(time_machine, db):
    """In Réunion it is already tomorrow when it is still today in Paris."""
    time_machine.move_to("2026-11-20T21:30:00Z", tick=False)
    menage = make_menage("974")
    personne = make_personne(menage, "Léa Exemple", depuis=10, parcours=[("I.1", 10)])
    client = client_of(make_operateur("974").utilisateur)
    assert ajouter(client, menage, [personne], "I.3", "21/11/2026").status_code == 302
    assert ajouter(client, menage, [personne], "I.2", "22/11/2026").status_code == 200


@pytest.mark.parametrize(
    ("quand", "phrase"),
    [
        (lambda: jour(-1), "ne s'enregistre pas d'avance"),  # W02
        (lambda: jour(20), "au plus tôt le"),  # W04
        (lambda: jour(300), "corrigez son parcours"),
        (lambda: "01/01/0001", "Écrivez une année entre"),  # W06
        (lambda: "31/12/9999", "Écrivez une année entre"),
        (lambda: "29/02/2023", "Écrivez une date qui existe"),
        (lambda: "2025-11-21T10:00", "Écrivez une date qui existe"),
        (lambda: "٢١/١١/٢٠٢٥", "Écrivez une date qui existe"),
        (lambda: "9" * 5_000, "Écrivez une date qui existe"),
        (lambda: "", "Écrivez le jour où la situation a commencé"),
    ],
)
def test_dates_that_are_refused(operateur, menage, rosa, quand, phrase):
    before = chain_of(rosa)
    answer = ajouter(operateur, menage, [rosa], "I.1", quand())
    assert answer.status_code == 200
    assert phrase in words(answer)
    assert 'aria-describedby="id_date_debut' in answer.text
    assert chain_of(rosa) == before


def test_w05_the_day_after_the_start_is_allowed(operateur, menage, rosa):
    assert ajouter(operateur, menage, [rosa], "I.1", jour(19)).status_code == 302
    assert chain_of(rosa)[-2:] == [("I.3", jour(20), jour(20)), ("I.1", jour(19), None)]


def test_w07_level_2_belongs_to_level_1(operateur, menage, rosa):
    answer = ajouter(operateur, menage, [rosa], "I.1", jour(1), sr1="III")
    assert "« I.1 Rue, place, parc, pont, bois » n'est pas du type choisi" in words(answer)
    assert ajouter(operateur, menage, [rosa], "I.1", jour(1)).status_code == 302


@pytest.mark.parametrize("code", ["NR", "I.99", "", "'; DROP", "I.1\x00"])
def test_a_situation_that_is_not_on_offer(operateur, menage, rosa, code):
    before = chain_of(rosa)
    assert ajouter(operateur, menage, [rosa], code, jour(1), sr1="I").status_code == 200
    assert chain_of(rosa) == before


def test_w08_a_retired_value_is_refused_and_its_replacement_offered(operateur, menage):
    personne = make_personne(menage, "Ana Exemple", depuis=30, parcours=[("VI.2", 30)])
    Sr2.objects.filter(pk="VI.2").update(retiree_le=jour(0))
    answer = ajouter(operateur, menage, [personne], "VI.2", jour(1))
    assert "ne peut plus être choisie. Choisissez plutôt « VI.4" in words(answer)
    page = operateur.get(reverse("situations_du_menage", args=[menage.pk]))
    assert "VI.2 Hébergement sous emprise" in words(page)  # the old row keeps its label
    assert "?sr2=VI.4" in page.text


def test_w12_a_sas_asks_for_its_region(operateur, menage, rosa):
    answer = ajouter(operateur, menage, [rosa], "III.7", jour(1))
    assert "Précisez la région" in words(answer)
    assert ajouter(operateur, menage, [rosa], "III.7", jour(1), region="53").status_code == 302
    assert SituationResidentielle.objects.get(personne=rosa, date_fin=None).libelle == "III.7 SAS (Bretagne)"
    # A region left from another choice is dropped.
    assert ajouter(operateur, menage, [rosa], "III.1", jour(0), region="53").status_code == 302
    assert SituationResidentielle.objects.get(personne=rosa, date_fin=None).region_id is None


def test_w14_a_person_of_another_menage_refuses_the_whole(operateur, menage, rosa):
    autre = make_personne(make_menage(), "Autre Exemple", depuis=30, parcours=[("I.1", 30)])
    fields = typed([rosa, autre], "I.2", jour(1))
    before = chain_of(rosa), chain_of(autre)
    assert operateur.post(url(menage), fields).status_code == 200
    assert (chain_of(rosa), chain_of(autre)) == before


def test_w15_nobody_or_five_hundred(operateur, menage, rosa):
    assert "Cochez au moins une personne" in words(operateur.post(url(menage), typed([], "I.1", jour(1))))
    fields = typed([rosa], "I.1", jour(1))
    fields["personnes"] = [rosa.pk, *range(10**9, 10**9 + 499)]
    assert "rien n'a été enregistré" in words(operateur.post(url(menage), fields))


def test_w16_one_of_five_refuses_all_by_name(operateur, menage):
    others = [make_personne(menage, f"Enfant{n} Exemple", depuis=50, parcours=[("I.1", 50)]) for n in range(4)]
    late = make_personne(menage, "Tard Exemple", depuis=50, parcours=[("I.1", 50), ("I.3", 2)])
    before = [chain_of(each) for each in [*others, late]]
    answer = ajouter(operateur, menage, [*others, late], "III.1", jour(10))
    assert "Tard Exemple : au plus tôt le" in words(answer)
    assert "Enfant1 Exemple : au plus tôt" not in words(answer)
    assert [chain_of(each) for each in [*others, late]] == before


def test_w21_a_stale_form_is_a_409_that_keeps_what_was_typed(operateur, menage, rosa):
    collegue = client_of(make_operateur().utilisateur)
    fields = typed([rosa], "III.1", jour(1))
    assert ajouter(collegue, menage, [rosa], "I.1", jour(3)).status_code == 302
    answer = submit(operateur, url(menage), fields)
    text = words(answer)
    assert answer.status_code == 409
    assert "vous aviez sous les yeux « I.3 Voiture »" in text
    assert "maintenant « I.1 Rue, place, parc, pont, bois »" in text
    assert f'value="{jour(1):%d/%m/%Y}"' in answer.text
    assert chain_of(rosa)[-1] == ("I.1", jour(3), None)
    # The page that came back starts from there: it can be sent.
    assert f'name="jeton-{rosa.pk}"' in answer.text
    assert ajouter(operateur, menage, [rosa], "III.1", jour(1)).status_code == 302


@pytest.mark.parametrize("forged", ["", "0.0", "x", "1.1.1", "9" * 40, "²٣.1"])
def test_a_forged_token_is_stale(operateur, menage, rosa, forged):
    fields = typed([rosa], "III.1", jour(1), **{f"jeton-{rosa.pk}": forged})
    assert submit(operateur, url(menage), fields).status_code == 409


def test_w23_a_person_merged_meanwhile_leads_to_the_fiche_that_was_kept(operateur, menage, rosa, monkeypatch):
    from menages.actions.fusion import merge
    from situations.views import saisie

    double = make_personne(menage, "Rosa Double", depuis=30, parcours=[("I.1", 30)])
    auteur = make_operateur()

    def merged_first(**arguments):
        merge(auteur=auteur, maitre=rosa, absorbee=double, identite={})
        return saisie.add_situation(**arguments)

    geste = saisie.AJOUT
    monkeypatch.setattr(saisie, "AJOUT", type(geste)(**{**vars(geste), "action": merged_first}))
    answer = ajouter(operateur, menage, [double], "III.1", jour(1))
    assert "a été fusionnée entre-temps" in words(answer)
    assert reverse("personne", args=[rosa.pk]) in answer.text
    assert chain_of(double)[-1] == ("I.1", jour(30), None)


def test_w31_back_and_send_again_adds_nothing_more(operateur, menage, rosa):
    fields = typed([rosa], "III.1", jour(1))
    said = operateur.post(url(menage), fields)
    fields |= {"lue": re.search(r'name="lue" value="(\w+)"', said.text)[1], "ouvert_par": operateur.stamp()}
    assert [operateur.post(url(menage), fields).status_code for _ in range(3)] == [302, 302, 302]
    assert len(chain_of(rosa)) == 3


def test_w27_a_person_moved_meanwhile_is_not_touched(operateur, menage, rosa):
    from menages.actions.deplacement import move_personnes

    fields = typed([rosa], "III.1", jour(1))
    destination = move_personnes(
        auteur=make_operateur(), origine=menage, personnes=[rosa.pk], destination=None, jour=jour(0)
    )
    before = chain_of(rosa)
    assert submit(operateur, url(menage), fields).status_code == 200
    assert chain_of(rosa) == before
    assert rosa.situations.count() == 2  # they followed her
    assert ajouter(operateur, destination, [rosa], "III.1", jour(1)).status_code == 302


def test_a_person_of_today_is_described_with_the_pencil(operateur, menage):
    personne = make_personne(menage, "Nouvelle Exemple")
    assert "ne peut pas commencer avant demain" in words(operateur.get(url(menage)))
    answer = ajouter(operateur, menage, [personne], "I.1", jour(0))
    assert "modifiez-la avec le crayon" in words(answer)


def test_the_banner_goes_with_the_first_situation(operateur, rosa, menage):
    Menage.objects.filter(pk=menage.pk).update(bandeau_expulsion=True)
    page = reverse("situations_du_menage", args=[menage.pk])
    assert "en cours d'expulsion (repris de l'ancien SI)" in words(operateur.get(page))
    ajouter(operateur, menage, [rosa], "III.1", jour(1))
    assert "repris de l'ancien SI" not in words(operateur.get(page))


def test_eight_persons_in_twelve_queries(operateur, menage):
    """Of SQL for the action itself, triggers of the history included."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from situations.actions.saisie import add_situation
    from situations.parcours import Choix

    people = [make_personne(menage, f"P{n} Exemple", depuis=50, parcours=[("I.1", 50)]) for n in range(8)]
    jetons = {each.pk: jeton(each)[f"jeton-{each.pk}"] for each in people}
    auteur, menage = make_operateur(), Menage.objects.select_related("siao__departement").get(pk=menage.pk)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        add_situation(auteur=auteur, menage=menage, jetons=jetons, choix=Choix(Sr2.objects.get(pk="I.2"), jour(1)))
    # Savepoints are the test's: the view opens one transaction.
    asked = [q["sql"] for q in queries if "SAVEPOINT" not in q["sql"]]
    assert len(asked) <= 12, asked


def test_without_a_script_today_is_a_button_and_help_keeps_what_was_typed(operateur, menage, rosa, louise):
    today = operateur.post(url(menage), typed([rosa], "I.1", "", etape="aujourdhui"))
    assert f'value="{jour(0):%d/%m/%Y}"' in today.text
    assert "à corriger" not in today.text
    helped = operateur.post(url(menage), typed([rosa], "", jour(3), etape="aide"))
    assert helped.url.startswith(reverse("questionnaire"))
    step = operateur.get(helped.url + "&ou=hebergement&hebergement=hotel&payeur=soi")
    assert "II.3 Autre" in words(step)
    back = next(part for part in words(step).split('"') if part.startswith(url(menage)))
    page = operateur.get(back)
    assert f'value="{jour(3):%d/%m/%Y}"' in page.text
    assert page.context["form"]["sr2"].value() == "II.3"
    assert page.context["form"]["personnes"].value() == [rosa.pk]


def test_who_may_add(menage, rosa):
    fields = typed([rosa], "I.1", jour(1))
    for profil, code in (("ECOUTANT_115", 200), ("ADMIN_DEPARTEMENTAL", 403), ("ANALYSTE", 403)):
        assert client_of(make_utilisateur(profil)).post(url(menage), fields).status_code == code
    ailleurs = client_of(make_operateur("35").utilisateur)
    assert ailleurs.post(url(menage), fields).status_code == 404


def test_w30_a_form_opened_by_somebody_else_is_refused(operateur, menage, rosa):
    stamp = client_of(make_operateur().utilisateur).stamp()
    before = chain_of(rosa)
    fields = typed([rosa], "III.1", jour(1), ouvert_par=stamp)
    assert operateur.post(url(menage), fields).status_code == 409
    assert chain_of(rosa) == before


def test_a_share_is_for_reading(menage, rosa):
    from comptes.actions import share
    from comptes.models import Siao

    share(
        auteur=make_operateur(),
        objet=menage,
        siao=Siao.objects.get(pk="35"),
        date_fin=jour(0) + 30 * UN_JOUR,
        motif="Suivi commun",
    )
    autre = client_of(make_operateur("35").utilisateur)
    page = autre.get(reverse("situations_du_menage", args=[menage.pk]))
    assert page.status_code == 200
    assert "Ajouter une situation" not in words(page)
    assert autre.get(url(menage)).status_code == 404
