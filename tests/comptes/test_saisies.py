"""Forms know who opened them; what was typed is neither lost nor signed by somebody else, nor done twice."""

import re
import threading

import pytest
from django.test import Client
from django.urls import reverse

from comptes import champs, saisies
from comptes.droits import Profil
from comptes.models import Departement, EntreeJournal, Message
from tests.comptes.fabrique import PASSWORD, client_of, habilite, make_utilisateur, words
from tests.navigateur import Navigateur

URL = reverse("publier_message")
TYPED = {
    "nature": "INFORMATION",
    "titre": "Coupure de mardi",
    "texte": "Le service s'arrête\nà midi.",
    "territoire": "departement-44",
    "debut": "01/01/2030 08:00",
    "fin": "02/01/2030 08:00",
}


@pytest.fixture
def agent(db):
    agent = make_utilisateur(Profil.ADMIN_SIAO)
    agent.set_password(PASSWORD)
    agent.save()
    return agent


def test_the_page_writes_the_stamp_that_the_form_sends(agent):
    client = client_of(agent)
    page = client.get(URL).text
    assert page.count('name="ouvert_par"') == page.count('name="csrfmiddlewaretoken"') > 1
    stamp = page.split('name="ouvert_par" value="')[-1].split('"')[0]
    assert Client.post(client, URL, {**TYPED, "ouvert_par": stamp}).status_code == 302
    assert Message.objects.count() == 1


def test_a_form_opened_by_another_user_is_refused_and_shows_what_was_typed(agent):
    other = make_utilisateur(Profil.ADMIN_SIAO)
    stamp = client_of(other).stamp()
    page = client_of(agent).post(URL, {**TYPED, "ouvert_par": stamp, "password": "secret!"})
    text = words(page)
    assert page.status_code == 409
    assert "par une autre personne" in text
    assert "Coupure de mardi" in text
    assert "secret!" not in text
    assert "Numéro de la demande" in text
    assert not Message.objects.exists()
    assert EntreeJournal.objects.get().resultat == "REFUSE"


def test_a_form_opened_under_another_habilitation_is_refused_then_sent_under_the_right_one(agent):
    client = client_of(agent)
    stamp = client.stamp()
    second = habilite(agent, Profil.ADMIN_SIAO, departement_id="35")
    first = agent.habilitations.first()
    client.post(reverse("choisir_habilitation"), {"habilitation": second.pk})

    refused = client.post(URL, {**TYPED, "ouvert_par": stamp})
    assert refused.status_code == 409
    assert "sous l'habilitation « Administrateur SIAO — SIAO Loire-Atlantique »" in words(refused)
    assert not Message.objects.exists()

    # The button of that page: back to the first habilitation, with what was typed.
    assert client.post(reverse("choisir_habilitation"), {"habilitation": first.pk}).url == reverse("saisie")
    again = client.get(reverse("saisie"))
    assert f'action="{URL}"' in again.text
    assert 'value="Coupure de mardi"' in again.text
    assert client.post(URL, TYPED).status_code == 302
    assert Message.objects.get().texte == "Le service s'arrête\nà midi."
    assert client.get(reverse("saisie")).url == reverse("accueil")  # nothing waits any more


@pytest.mark.parametrize("stamp", ["", "n'importe quoi", "WzEsMV0:1abcde:signature"])
def test_a_form_without_a_stamp_of_ours_is_refused(agent, stamp):
    page = client_of(agent).post(URL, {**TYPED, "ouvert_par": stamp})
    assert page.status_code == 409
    assert "Coupure de mardi" in words(page)
    assert not Message.objects.exists()


def test_a_stamp_is_worth_a_day(agent, time_machine):
    time_machine.move_to("2026-11-21T10:00:00Z", tick=False)
    client = client_of(agent)
    stamp = client.stamp()
    time_machine.move_to("2026-11-22T10:00:01Z", tick=False)
    client.force_login(agent)
    assert client.post(URL, {**TYPED, "ouvert_par": stamp}).status_code == 409


def test_after_40_minutes_on_a_form_what_was_typed_is_offered_again_after_login(agent, time_machine):
    time_machine.move_to("2026-11-21T10:00:00Z", tick=False)
    client = client_of(agent)
    stamp = client.stamp()

    time_machine.move_to("2026-11-21T10:40:00Z", tick=False)
    sent = client.post(URL, {**TYPED, "ouvert_par": stamp, "mot_de_passe": "secret!"})
    assert sent.url.startswith(reverse("connexion"))
    assert "Ce que vous aviez saisi est gardé" in words(client.get(sent.url))
    assert not Message.objects.exists()

    logged_in = client.post(reverse("connexion"), {"username": agent.courriel, "password": PASSWORD})
    assert logged_in.url == reverse("saisie")
    page = client.get(reverse("saisie"))
    assert "<dt>Titre</dt>" in page.text
    assert "Coupure de mardi" in words(page)
    assert "secret!" not in page.text
    assert client.post(URL, TYPED).status_code == 302
    assert Message.objects.get().titre == "Coupure de mardi"


def test_what_was_typed_is_shown_in_the_words_of_the_forms(agent, time_machine):
    time_machine.move_to("2026-11-21T10:00:00Z", tick=False)
    client = client_of(agent)
    stamp = client.stamp()
    time_machine.move_to("2026-11-21T10:40:00Z", tick=False)
    typed = {"prenom": "Rosa", "date_debut": "01/02/2026", "territoire": "departement-35", "profil": "ANALYSTE"}
    client.post(reverse("inviter"), {**typed, "pmr": "on", "version": "7", "ouvert_par": stamp})
    client.post(reverse("connexion"), {"username": agent.courriel, "password": PASSWORD})
    page = client.get(reverse("saisie"))
    shown = re.findall(r"<dt>(.*?)</dt>\s*<dd>\s*(.*?)\s*</dd>", page.text)
    assert shown == [
        ("Prénom", "Rosa"),
        ("À partir du", "01/02/2026"),
        ("Territoire", str(Departement.objects.get(pk="35"))),
        ("Profil", "Analyste"),
        ("Accessible PMR", "oui"),
    ]
    assert '<input type="hidden" name="version" value="7">' in page.text  # sent again, although nobody typed it


def test_the_fields_of_a_table_are_read_under_their_labels(db):
    typed = [("l-0-date_debut", "27/11"), ("l-0-sr2", "I.1"), ("l-0-rang", "3"), ("l-TOTAL_FORMS", "1")]
    words_of = champs.in_words([*typed, ("p-1-prenom", "Rosa")])
    assert ("À partir du", "27/11") in words_of
    assert ("Prénom", "Rosa") in words_of
    assert {label for label, _ in words_of} == {"À partir du", "Situation", "Prénom"}


def test_every_field_of_the_product_has_one_label():
    for name, fields in champs.declared().items():
        if name not in champs.LIBELLES:
            assert len(champs.labels_of(fields)) <= 1, name
            assert champs.labels_of(fields) or all(field.widget.is_hidden for field in fields), name


@pytest.mark.parametrize("name", ["deconnexion", "prolonger", "choisir_habilitation"])
def test_a_click_that_carries_no_data_is_not_offered_again_after_the_end_of_the_session(agent, time_machine, name):
    time_machine.move_to("2026-11-21T10:00:00Z", tick=False)
    client = client_of(agent)
    stamp = client.stamp()
    time_machine.move_to("2026-11-21T10:40:00Z", tick=False)
    sent = client.post(reverse(name), {"ouvert_par": stamp})
    assert sent.url == reverse("connexion")  # where logging in leads to a page, not to an address that only writes
    assert "Ce que vous aviez saisi" not in words(client.get(sent.url))
    logged_in = client.post(sent.url, {"username": agent.courriel, "password": PASSWORD})
    assert logged_in.url == reverse("accueil")


def test_a_form_without_a_page_of_its_own_is_offered_again_too(agent, time_machine):
    time_machine.move_to("2026-11-21T10:00:00Z", tick=False)
    client = client_of(agent)
    stamp = client.stamp()
    time_machine.move_to("2026-11-21T10:40:00Z", tick=False)
    assert client.post(reverse("terminer_sessions"), {"ouvert_par": stamp}).url == reverse("connexion")
    logged_in = client.post(reverse("connexion"), {"username": agent.courriel, "password": PASSWORD})
    assert logged_in.url == reverse("saisie")


def test_somebody_else_who_logs_in_there_does_not_see_it(agent, time_machine):
    other = make_utilisateur(Profil.ADMIN_SIAO)
    other.set_password(PASSWORD)
    other.save()
    time_machine.move_to("2026-11-21T10:00:00Z", tick=False)
    client = client_of(agent)
    stamp = client.stamp()
    time_machine.move_to("2026-11-21T10:40:00Z", tick=False)
    client.post(URL, {**TYPED, "ouvert_par": stamp})
    logged_in = client.post(reverse("connexion"), {"username": other.courriel, "password": PASSWORD})
    assert logged_in.url == reverse("accueil")
    assert client.get(reverse("saisie")).url == reverse("accueil")
    assert saisies.SESSION_KEY not in client.session


def test_it_can_be_given_up(agent):
    client = client_of(agent)
    other = habilite(agent, Profil.ADMIN_SIAO, departement_id="35")
    stamp = client.stamp()
    client.post(reverse("choisir_habilitation"), {"habilitation": other.pk})
    client.post(URL, {**TYPED, "ouvert_par": stamp})
    assert client.get(reverse("saisie")).status_code == 200
    assert client.post(reverse("saisie")).url == reverse("accueil")
    assert client.get(reverse("saisie")).status_code == 302


def test_back_and_send_again_changes_nothing(agent):
    client = client_of(agent)
    stamp = client.stamp()
    answers = [client.post(URL, {**TYPED, "ouvert_par": stamp}) for _ in range(3)]
    assert {answer.url for answer in answers} == {reverse("messages")}
    assert Message.objects.count() == 1
    assert "rien n'a été fait une seconde fois" in words(client.get(reverse("messages")))


def test_a_form_shown_again_with_its_errors_can_be_sent_again(agent):
    client = client_of(agent)
    stamp = client.stamp()
    wrong = client.post(URL, {**TYPED, "titre": "", "ouvert_par": stamp})
    assert wrong.status_code == 200
    assert "Le service s&#x27;arrête" in wrong.text
    assert client.post(URL, {**TYPED, "ouvert_par": stamp}).status_code == 302
    assert Message.objects.count() == 1


def test_a_double_click_is_one_message(base_reelle):
    agent = make_utilisateur(Profil.ADMIN_SIAO)
    client = client_of(agent)
    stamp, session = client.stamp(), client.cookies["session"].value
    answers, start = [], threading.Barrier(8)

    def send():
        browser = Navigateur()
        browser.cookies["session"] = session
        start.wait()
        answers.append(browser.post(URL, {**TYPED, "ouvert_par": stamp}))
        from django.db import connection

        connection.close()

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {(answer.status_code, answer.url) for answer in answers} == {(302, reverse("messages"))}
    assert Message.objects.count() == 1


def test_logging_out_works_from_any_page(agent):
    client = client_of(agent)
    stamp = client.stamp()
    second = habilite(agent, Profil.ADMIN_SIAO, departement_id="35")
    client.post(reverse("choisir_habilitation"), {"habilitation": second.pk})
    assert client.post(reverse("deconnexion"), {"ouvert_par": stamp}).url == reverse("connexion")
    assert client.get(reverse("accueil")).status_code == 302


def test_every_password_field_of_a_form_is_a_secret():
    from django.forms import PasswordInput

    from comptes import forms

    secrets = {
        name
        for form in vars(forms).values()
        if isinstance(form, type) and hasattr(form, "base_fields")
        for name, field in form.base_fields.items()
        if isinstance(field.widget, PasswordInput)
    }
    assert secrets <= saisies.SECRETS
