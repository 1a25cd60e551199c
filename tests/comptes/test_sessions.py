"""Sessions: 30 minutes of inactivity, 10 hours at most, listed and ended by their owner, extended on demand."""

import datetime

import pytest
from django.conf import settings
from django.urls import reverse

from comptes.models import Session
from comptes.nuit import run
from tests.comptes.fabrique import PASSWORD, client_of, make_utilisateur, words
from tests.navigateur import Navigateur

pytestmark = pytest.mark.django_db
ACCUEIL, MON_COMPTE = reverse("accueil"), reverse("mon_compte")


@pytest.fixture
def agent():
    agent = make_utilisateur()
    agent.set_password(PASSWORD)
    agent.save()
    return agent


def log_in(agent, **headers) -> Navigateur:
    browser = Navigateur(headers=headers)
    browser.post(reverse("connexion"), {"username": agent.courriel, "password": PASSWORD})
    return browser


def test_half_an_hour_without_a_request_is_the_end(agent, time_machine):
    time_machine.move_to("2026-11-21T08:00:00Z", tick=False)
    browser = log_in(agent)
    time_machine.move_to("2026-11-21T08:29:00Z", tick=False)
    assert browser.get(ACCUEIL).status_code == 200  # and half an hour more
    time_machine.move_to("2026-11-21T08:58:00Z", tick=False)
    assert browser.get(ACCUEIL).status_code == 200
    time_machine.move_to("2026-11-21T09:28:01Z", tick=False)
    assert browser.get(ACCUEIL).status_code == 302


def test_ten_hours_is_the_end_whatever_happens(agent, time_machine):
    start = datetime.datetime(2026, 11, 21, 8, tzinfo=datetime.UTC)
    time_machine.move_to(start, tick=False)
    browser = log_in(agent)
    for minutes in range(20, 600, 20):
        time_machine.move_to(start + datetime.timedelta(minutes=minutes), tick=False)
        assert browser.get(ACCUEIL).status_code == 200, minutes
    time_machine.move_to(start + datetime.timedelta(minutes=595), tick=False)
    assert browser.post(reverse("prolonger")).json() == {"reste": 300}  # not thirty minutes
    assert 'data-fin-de-session="300"' in browser.get(ACCUEIL).text
    assert 'data-inactivite="1800"' in browser.get(ACCUEIL).text
    time_machine.move_to(start + datetime.timedelta(hours=10, seconds=1), tick=False)
    assert browser.get(ACCUEIL).status_code == 302


def test_the_page_knows_how_long_is_left_and_extending_works_from_any_page(agent, time_machine):
    time_machine.move_to("2026-11-21T08:00:00Z", tick=False)
    browser = log_in(agent)
    assert 'data-fin-de-session="1800"' in browser.get(ACCUEIL).text
    time_machine.move_to("2026-11-21T08:26:00Z", tick=False)
    assert browser.post(reverse("prolonger")).json() == {"reste": 1800}
    time_machine.move_to("2026-11-21T08:55:00Z", tick=False)
    assert browser.get(ACCUEIL).status_code == 200
    assert Navigateur().post(reverse("prolonger")).status_code == 302
    assert "data-fin-de-session" not in Navigateur().get(reverse("connexion")).text


def test_one_s_own_sessions_are_listed_and_ended(agent):
    here = log_in(agent, user_agent="Firefox du bureau")
    there = log_in(agent, user_agent="Chromium <script>alert(1)</script>")
    third = log_in(agent)
    page = here.get(MON_COMPTE)
    assert "Firefox du bureau" in words(page)
    assert "<script>alert" not in page.text
    for browser in (here, there, third):
        assert browser.cookies[settings.SESSION_COOKIE_NAME].value not in page.text  # the key is a secret

    reference = Session.objects.get(navigateur__startswith="Chromium").reference
    here.post(reverse("terminer_session", args=[reference]))
    assert there.get(ACCUEIL).status_code == 302
    assert third.get(ACCUEIL).status_code == 200
    here.post(reverse("terminer_sessions"))
    assert third.get(ACCUEIL).status_code == 302
    assert here.get(ACCUEIL).status_code == 200


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox sur Windows"),
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36", "Chrome sur Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0", "Edge sur Windows"),
        ("Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/140.0 Safari/537.36", "Chrome sur Android"),
        ("curl/8.0", "curl/8.0"),
        ("", "—"),
    ],
)
def test_a_browser_is_named_as_people_do(said, shown):
    assert Session(navigateur=said).appareil == shown


def test_a_session_of_somebody_else_is_not_found(agent):
    other = make_utilisateur()
    client_of(other).get(ACCUEIL)
    browser = log_in(agent)
    theirs = Session.objects.create(
        session_key="x" * 32,
        session_data="",
        expire_date=datetime.datetime(2100, 1, 1, tzinfo=datetime.UTC),
        utilisateur=other,
    )
    assert browser.post(reverse("terminer_session", args=[theirs.reference])).status_code == 404
    assert Session.objects.filter(pk=theirs.pk).exists()


def test_changing_the_password_asks_for_the_old_one_and_ends_the_other_sessions(agent):
    here, there = log_in(agent), log_in(agent)
    address, new = reverse("changer_mot_de_passe"), "une phrase plus longue encore"
    wrong = here.post(address, {"mot_de_passe_actuel": "faux", "mot_de_passe": new, "confirmation": new})
    assert "Ce n'est pas votre mot de passe actuel" in words(wrong)
    assert new not in wrong.text
    here.post(address, {"mot_de_passe_actuel": PASSWORD, "mot_de_passe": new, "confirmation": new})
    agent.refresh_from_db()
    assert agent.check_password(new)
    assert here.get(ACCUEIL).status_code == 200
    assert there.get(ACCUEIL).status_code == 302


@pytest.mark.parametrize("weak", ["court", "motdepasse", "1234567890123456", "courriel"])
def test_weak_passwords_are_refused(agent, weak):
    browser = log_in(agent)
    weak = agent.courriel if weak == "courriel" else weak
    form = {"mot_de_passe_actuel": PASSWORD, "mot_de_passe": weak, "confirmation": weak}
    assert browser.post(reverse("changer_mot_de_passe"), form).status_code == 200
    agent.refresh_from_db()
    assert agent.check_password(PASSWORD)


def test_ended_sessions_are_cleared_at_night(agent, time_machine):
    time_machine.move_to("2026-11-21T08:00:00Z", tick=False)
    log_in(agent)
    time_machine.move_to("2026-11-21T09:00:00Z", tick=False)
    log_in(agent)
    assert run()["sessions_finies"] == 1
    assert Session.objects.filter(utilisateur=agent).count() == 1


def test_what_a_page_was_about_to_say_is_not_told_to_whoever_comes_next():
    """« Le compte de Léon Exemple est désactivé », then log out before the next page is read."""
    client = client_of(make_utilisateur())
    client.post(reverse("terminer_sessions"))
    assert client.session["_messages"]
    assert "messages" not in client.cookies
    client.post(reverse("deconnexion"))
    for page in (reverse("connexion"), reverse("plan_du_site")):
        assert "Sessions terminées" not in client.get(page).text

    client.force_login(make_utilisateur())
    assert "Sessions terminées" not in client.get(reverse("accueil")).text
