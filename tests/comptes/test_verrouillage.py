"""Lockout: what stops a guesser never keeps the owner of the account out."""

import re

import pytest
from axes.models import AccessAttempt
from django.core import mail
from django.urls import reverse

from comptes import actions, verrouillage
from comptes.droits import Profil
from tests.comptes.fabrique import PASSWORD, make_utilisateur, words
from tests.navigateur import Navigateur

pytestmark = pytest.mark.django_db
URL = reverse("connexion")


@pytest.fixture(autouse=True)
def clock(time_machine):
    time_machine.move_to("2026-11-21T22:00:00Z", tick=False)
    return time_machine


@pytest.fixture
def ecoutant():
    return account()


def account():
    utilisateur = make_utilisateur(Profil.ECOUTANT_115)
    utilisateur.set_password(PASSWORD)
    utilisateur.save()
    return utilisateur


def log_in(browser, utilisateur, password=PASSWORD, **others) -> bool:
    return browser.post(URL, {"username": utilisateur.courriel, "password": password}, **others).status_code == 302


def guess(utilisateur, times: int, *, address="203.0.113.9", browser=None) -> None:
    for _ in range(times):
        assert not log_in(browser or Navigateur(), utilisateur, "faux", REMOTE_ADDR=address)


def known_browser(utilisateur):
    browser = Navigateur()
    assert log_in(browser, utilisateur)
    browser.post(reverse("deconnexion"))
    return browser


@pytest.mark.parametrize("address", ["203.0.113.9", "127.0.0.1"])
def test_ten_wrong_attempts_a_minute_never_close_the_usual_browser(ecoutant, clock, address):
    browser = known_browser(ecoutant)
    for _ in range(6):
        guess(ecoutant, 10, address=address)
        clock.shift(60)
    assert log_in(browser, ecoutant)
    # The same address as the guesser, or any other, from a browser that nobody knows: refused there only.
    assert not log_in(Navigateur(), ecoutant, REMOTE_ADDR=address)


def test_from_many_addresses_neither_and_a_new_browser_opens_elsewhere(ecoutant, clock):
    browser = known_browser(ecoutant)
    for minute in range(6):
        for number in range(10):
            guess(ecoutant, 1, address=f"203.0.113.{minute * 10 + number}")
        clock.shift(60)
    assert log_in(browser, ecoutant)
    assert log_in(Navigateur(), ecoutant)


def test_many_addresses_that_guess_together_are_stopped(ecoutant):
    browser = known_browser(ecoutant)
    for number in range(25):
        guess(ecoutant, 4, address=f"203.0.113.{number}")
    assert not log_in(Navigateur(), ecoutant, REMOTE_ADDR="198.51.100.7")
    assert log_in(browser, ecoutant)


def test_a_known_browser_has_five_attempts_of_its_own(ecoutant, clock):
    browser = known_browser(ecoutant)
    guess(ecoutant, 4, browser=browser)
    assert log_in(browser, ecoutant)
    browser.post(reverse("deconnexion"))
    guess(ecoutant, 1, browser=browser)
    assert not log_in(browser, ecoutant)
    clock.shift(301)
    assert log_in(browser, ecoutant)


def test_a_browser_is_known_of_those_who_opened_it_only(ecoutant):
    colleague = account()
    browser = known_browser(colleague)
    guess(ecoutant, 5, address="127.0.0.1")
    assert not log_in(browser, ecoutant)
    assert log_in(browser, colleague)
    # A shared post knows all of its night shift.
    AccessAttempt.objects.all().delete()
    assert log_in(browser, ecoutant)
    guess(ecoutant, 5, address="127.0.0.1")
    guess(colleague, 5, address="127.0.0.1")
    browser.post(reverse("deconnexion"))
    assert log_in(browser, colleague)
    assert log_in(browser, ecoutant)


@pytest.mark.parametrize("cookie", ["", "n'importe quoi", "WyJhIixbXV0:1abcde:signature"])
def test_a_cookie_that_is_not_ours_makes_nobody_known(ecoutant, cookie):
    browser = Navigateur()
    browser.cookies[verrouillage.COOKIE] = cookie
    guess(ecoutant, 5, address="127.0.0.1")
    assert not log_in(browser, ecoutant)


def test_the_cookie_names_nobody_and_no_script_reads_it(ecoutant):
    browser = known_browser(ecoutant)
    cookie = browser.cookies[verrouillage.COOKIE]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert ecoutant.courriel not in cookie.value


def test_a_used_link_opens_whatever_the_guessers_do(ecoutant):
    guess(ecoutant, 50, address="127.0.0.1")
    actions.ask_new_password(courriel=ecoutant.courriel)
    actions.send_pending_links()
    (address,) = re.findall(r"http\S+", mail.outbox[0].body)
    browser = Navigateur()
    fresh = "une autre phrase assez longue"
    form = {"mot_de_passe": fresh, "confirmation": fresh}
    assert browser.post(f"/{address.split('/', 3)[3]}", form).url == URL
    assert not AccessAttempt.objects.exists()  # forgiven
    guess(ecoutant, 50, address="127.0.0.1")
    assert log_in(browser, ecoutant, fresh)


def test_what_was_typed_in_place_of_an_address_is_kept_nowhere(ecoutant):
    browser = Navigateur()
    browser.post(URL, {"username": "secret-tape-ici@demo.example", "password": "faux-secret-tape"})
    (attempt,) = AccessAttempt.objects.values()
    assert "secret-tape" not in str(attempt)


def test_a_fourth_request_of_a_link_is_told_that_the_last_one_stays_good(client, ecoutant):
    for _ in range(4):
        page = client.post(reverse("mot_de_passe_oublie"), {"courriel": ecoutant.courriel}, follow=True)
        actions.send_pending_links()
    assert "le dernier courriel reçu reste le bon" in words(page)
    assert len(mail.outbox) == 3
    last = re.findall(r"http\S+", mail.outbox[-1].body)[0]
    assert client.get(f"/{last.split('/', 3)[3]}").status_code == 200
