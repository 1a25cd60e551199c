"""Forms know who opened them; what was typed is neither lost nor signed by somebody else, nor done twice."""

import re
import threading

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from comptes import champs, saisies
from comptes.droits import Profil
from comptes.models import Departement, EntreeJournal, Message
from tests.comptes.fabrique import PASSWORD, client_of, habilite, make_utilisateur, plain, words
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


def test_a_form_whose_habilitation_was_withdrawn_says_so(agent):
    """Whether another one is left or not: no session has ended."""
    for left in (True, False):
        first = agent.habilitations.get(retiree_le=None)
        client = client_of(agent)
        stamp = client.stamp()
        if left:
            habilite(agent, Profil.ADMIN_SIAO, departement_id="35")
        type(first).objects.filter(pk=first.pk).update(retiree_le=timezone.now())
        for page in (client.post(URL, {**TYPED, "ouvert_par": stamp}), client.get(reverse("saisie"))):
            text = plain(page)
            assert "Ce formulaire ne peut plus être envoyé" in text, left
            assert "Il l'a été sous une habilitation que vous n'avez plus" in text
            assert "Votre session s'était terminée" not in text
            assert "Coupure de mardi" in text  # nothing is lost
            assert "Envoyer cette saisie" not in text
    assert not Message.objects.exists()


def test_a_form_taken_up_again_under_its_habilitation_does_not_speak_of_a_session(agent):
    client = client_of(agent)
    stamp = client.stamp()
    first, second = agent.habilitations.get(), habilite(agent, Profil.ADMIN_SIAO, departement_id="35")
    client.post(reverse("choisir_habilitation"), {"habilitation": second.pk})
    client.post(URL, {**TYPED, "ouvert_par": stamp})
    client.post(reverse("choisir_habilitation"), {"habilitation": first.pk})
    text = plain(client.get(reverse("saisie")))
    assert "sous une autre habilitation que celle où il a été ouvert" in text
    assert "Votre session s'était terminée" not in text
    assert "Envoyer cette saisie" in text


def test_a_form_opened_before_the_first_habilitation_says_so(agent):
    newcomer = make_utilisateur(None)
    client = client_of(newcomer)
    stamp = client.stamp()
    habilite(newcomer, Profil.ADMIN_SIAO)
    text = plain(client.post(URL, {**TYPED, "ouvert_par": stamp}))
    assert "avant qu'une habilitation vous soit donnée" in text
    assert "que vous n'avez plus" not in text


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


# --- The browser has another secret than the form --------------------------------------------------------------------


class Strict(Navigateur):
    """A browser whose forms need their secret, as in the world."""

    def __init__(self):
        super().__init__(enforce_csrf_checks=True)

    def secret(self) -> str:
        return self.get(reverse("connexion")).context["csrf_token"]

    def log_in(self, utilisateur):
        form = {"username": utilisateur.courriel, "password": PASSWORD, "csrfmiddlewaretoken": self.secret()}
        assert self.post(reverse("connexion"), form).status_code == 302
        return self

    def form(self) -> dict:
        """What the page of a message gives its form to send, typed in."""
        page = self.get(URL)
        return {**TYPED, "ouvert_par": self.stamp(), "csrfmiddlewaretoken": str(page.context["csrf_token"])}


def log_out_and_in(browser, agent):
    secret = str(browser.get(reverse("accueil")).context["csrf_token"])
    browser.post(reverse("deconnexion"), {"csrfmiddlewaretoken": secret})
    browser.log_in(agent)


def end_and_log_in(browser, agent):
    del browser.cookies[settings.SESSION_COOKIE_NAME]
    browser.log_in(agent)


def lose_the_cookie(browser, agent):
    del browser.cookies[settings.CSRF_COOKIE_NAME]


@pytest.mark.parametrize("happens", [log_out_and_in, end_and_log_in, lose_the_cookie])
def test_logged_in_again_in_another_tab_the_first_one_loses_nothing(agent, happens):
    browser = Strict().log_in(agent)
    form = browser.form()
    happens(browser, agent)
    assert browser.post(URL, form).url == reverse("saisie")
    assert not Message.objects.exists()
    page = browser.get(reverse("saisie"))
    assert "Coupure de mardi" in words(page)
    fresh = {"ouvert_par": browser.stamp(), "csrfmiddlewaretoken": str(page.context["csrf_token"])}
    assert browser.post(URL, {**TYPED, **fresh}).url == reverse("messages")
    assert Message.objects.get().titre == "Coupure de mardi"


def test_neither_session_nor_cookie_and_it_waits_behind_the_login(agent):
    browser = Strict().log_in(agent)
    form = browser.form()
    browser.cookies.clear()
    assert browser.post(URL, form).url == reverse("connexion")
    browser.log_in(agent)
    assert "Coupure de mardi" in words(browser.get(reverse("saisie")))


def test_a_fragment_is_sent_to_the_page_that_gives_it_back(agent):
    browser = Strict().log_in(agent)
    form = browser.form()
    log_out_and_in(browser, agent)
    answer = browser.post(URL, form, headers={"hx-request": "true"})
    assert (answer.status_code, answer["HX-Redirect"]) == (204, reverse("saisie"))


def test_a_colleague_who_logged_in_meanwhile_signs_nothing(agent):
    browser = Strict().log_in(agent)
    form = browser.form()
    other = make_utilisateur(Profil.ADMIN_SIAO)
    other.set_password(PASSWORD)
    other.save()
    log_out_and_in(browser, other)
    page = browser.post(URL, form)
    assert page.status_code == 403
    assert "Coupure de mardi" in words(page)
    assert "par une autre personne" in words(page)
    assert browser.get(reverse("saisie")).url == reverse("accueil")
    assert not Message.objects.exists()


@pytest.mark.parametrize("connected", [True, False])
def test_a_stamp_that_cannot_be_read_any_more_leaves_the_text_to_copy(agent, connected):
    browser = Strict().log_in(agent)
    form = browser.form() | {"ouvert_par": "WzEsMV0:1abcde:signature"}
    browser.cookies.clear()
    if connected:
        browser.log_in(agent)
    page = browser.post(URL, form)
    assert page.status_code == 403
    assert "Coupure de mardi" in words(page)
    assert "recopiez" in words(page)
    assert not Message.objects.exists()


def test_after_the_key_of_the_site_changed_what_was_opened_before_is_still_good(agent, settings):
    client = client_of(agent)
    stamp = client.stamp()
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "une autre clé, tirée au déploiement"
    assert client.post(URL, {**TYPED, "ouvert_par": stamp}).url == reverse("messages")


def test_what_another_site_sends_is_given_back_to_nobody(agent):
    browser = Strict().log_in(agent)
    form = browser.form()
    answer = browser.post(URL, form, headers={"origin": "https://evil.example"})
    assert answer.status_code == 403
    assert "Coupure de mardi" not in words(answer)
    assert saisies.SESSION_KEY not in browser.session
    # Nor one that shows the stamp of its own account.
    stranger = make_utilisateur(Profil.ADMIN_SIAO)
    forged = client_of(stranger).stamp()
    browser.post(URL, form | {"ouvert_par": forged, "csrfmiddlewaretoken": "x" * 64})
    assert saisies.SESSION_KEY not in browser.session


def test_logging_in_from_a_second_tab_that_was_left_open_opens_the_home_page(agent):
    browser = Strict()
    secret = browser.secret()
    browser.log_in(agent)
    form = {"username": agent.courriel, "password": PASSWORD, "csrfmiddlewaretoken": secret}
    assert browser.post(reverse("connexion"), form).url == reverse("accueil")


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
