"""The second factor: enrolment, login with a code, recovery codes, and who may do nothing without it."""

import re

import pytest
from django.core import mail
from django.urls import reverse
from django_otp.oath import totp
from django_otp.plugins.otp_static.models import StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from comptes import saisies
from comptes.droits import Droit, Profil
from comptes.models import EntreeJournal
from siao.socle import courriels
from siao.socle.courriels import Courriel
from tests.comptes.fabrique import PASSWORD, make_utilisateur, words
from tests.navigateur import Navigateur

pytestmark = pytest.mark.django_db
ACCUEIL, URL, CODE = reverse("accueil"), reverse("double_authentification"), reverse("connexion_code")


@pytest.fixture(autouse=True)
def clock(time_machine):
    time_machine.move_to("2026-11-21T08:00:00Z", tick=False)
    return time_machine


@pytest.fixture
def agent():
    return with_password(make_utilisateur(Profil.ADMIN_SIAO))


def with_password(agent):
    agent.set_password(PASSWORD)
    agent.save()
    return agent


def first_step(agent):
    browser = Navigateur()
    answer = browser.post(reverse("connexion"), {"username": agent.courriel, "password": PASSWORD})
    return browser, answer


def code_of(agent, *, steps: int = 0) -> str:
    device = TOTPDevice.objects.get(user=agent)
    return f"{totp(device.bin_key, t0=-30 * steps):06d}"


def enrolled(agent):
    """The agent, with a confirmed application and recovery codes; returns the browser and the codes."""
    browser, _ = first_step(agent)
    browser.post(URL, {"preuve": PASSWORD})
    page = browser.post(URL, {"code": code_of(agent)})
    return browser, re.findall(r"<code>(\w{8})</code>", page.text)


def test_a_double_click_shows_the_same_recovery_codes_for_five_minutes(agent, clock):
    browser, _ = first_step(agent)
    browser.post(URL, {"preuve": PASSWORD})
    form = {saisies.FIELD: browser.stamp(), "code": code_of(agent)}
    answers = [browser.post(URL, form) for _ in range(2)]
    codes = [re.findall(r"<code>(\w{8})</code>", answer.text) for answer in answers]
    assert codes[0] == codes[1]
    assert set(codes[0]) == set(StaticToken.objects.filter(device__user=agent).values_list("token", flat=True))
    assert len(codes[0]) == 10
    for action in ("comptes.activer_second_facteur", "comptes.codes_de_secours"):
        assert EntreeJournal.objects.filter(action=action).count() == 1
    # Another form shows nothing, nor does this one later, nor a code that was used.
    assert codes[0][0] not in browser.post(URL, form | {saisies.FIELD: browser.stamp()}).text
    StaticToken.objects.get(token=codes[0][0]).delete()
    again = browser.post(URL, form).text
    assert codes[0][0] not in again
    assert codes[0][1] in again
    clock.shift(5 * 60)
    assert codes[0][1] not in browser.post(URL, form).text


def test_enrolment_shows_the_key_checks_a_code_and_gives_ten_recovery_codes(agent):
    browser, answer = first_step(agent)
    assert answer.url == ACCUEIL
    assert "Activer" in words(browser.get(URL))
    browser.post(URL, {"preuve": PASSWORD})
    page = browser.get(URL)
    assert 'src="data:image/svg+xml' in page.text
    assert not TOTPDevice.objects.get(user=agent).confirmed
    assert "Ce code n'est pas le bon" in words(browser.post(URL, {"code": "000000"}))

    browser, codes = enrolled_again(browser, agent)
    assert len(set(codes)) == 10
    assert TOTPDevice.objects.get(user=agent).confirmed
    assert codes[0] not in browser.get(URL).text  # shown once


def enrolled_again(browser, agent):
    # django-otp slows a device down after a wrong code: the next try waits a second.
    TOTPDevice.objects.update(throttling_failure_count=0, throttling_failure_timestamp=None)
    page = browser.post(URL, {"code": code_of(agent)})
    return browser, re.findall(r"<code>(\w{8})</code>", page.text)


def test_the_next_login_asks_for_a_code_and_opens_nothing_before(agent, clock):
    enrolled(agent)
    browser, answer = first_step(agent)
    assert answer.url == CODE
    assert browser.get(ACCUEIL).status_code == 302
    assert browser.get(reverse("comptes")).status_code == 302
    wrong = browser.post(CODE, {"code": "000000"})
    assert "Ce code n'est pas le bon" in words(wrong)
    clock.move_to("2026-11-21T08:01:00Z", tick=False)
    assert browser.post(CODE, {"code": code_of(agent)}).url == ACCUEIL
    assert browser.get(reverse("comptes")).status_code == 200


def test_a_code_works_once(agent, clock):
    enrolled(agent)
    clock.move_to("2026-11-21T08:01:00Z", tick=False)
    code = code_of(agent)
    first, _ = first_step(agent)
    assert first.post(CODE, {"code": code}).url == ACCUEIL
    second, _ = first_step(agent)
    assert second.post(CODE, {"code": code}).status_code == 200


def test_a_recovery_code_replaces_the_telephone_once(agent):
    _, codes = enrolled(agent)
    browser, _ = first_step(agent)
    assert browser.post(CODE, {"code": f" {codes[3].upper()} "}).url == ACCUEIL
    again, _ = first_step(agent)
    assert again.post(CODE, {"code": codes[3]}).status_code == 200
    assert StaticToken.objects.filter(device__user=agent).count() == 9


def test_the_second_step_does_not_wait_for_ever(agent, clock):
    enrolled(agent)
    browser, _ = first_step(agent)
    clock.move_to("2026-11-21T08:10:01Z", tick=False)
    assert browser.post(CODE, {"code": code_of(agent)}).url == reverse("connexion")
    assert Navigateur().get(CODE).url == reverse("connexion")


@pytest.mark.parametrize("change", ["password", "account"])
def test_nor_does_it_outlive_the_password_or_the_account(agent, clock, change):
    enrolled(agent)
    browser, _ = first_step(agent)
    clock.move_to("2026-11-21T08:01:00Z", tick=False)
    if change == "password":
        agent.set_password("une autre phrase assez longue")
    agent.is_active = change == "password"
    agent.save()
    assert browser.post(CODE, {"code": code_of(agent)}).url == reverse("connexion")
    assert browser.get(ACCUEIL).status_code == 302


def test_two_tabs_enrol_one_key(agent):
    browser, _ = first_step(agent)
    for _ in range(2):
        browser.post(URL, {"preuve": PASSWORD})
    shown = {browser.get(URL).text.split("la clé <code>")[1].split("</code>")[0] for _ in range(8)}
    assert len(shown) == 1


def test_new_recovery_codes_replace_the_old_ones(agent):
    browser, codes = enrolled(agent)
    page = browser.post(reverse("codes_de_secours"), {"preuve": PASSWORD})
    fresh = re.findall(r"<code>(\w{8})</code>", page.text)
    assert len(fresh) == 10
    assert not set(fresh) & set(codes)
    other, _ = first_step(agent)
    assert other.post(CODE, {"code": codes[0]}).status_code == 200


def test_removing_it_asks_for_a_last_code(agent, clock):
    browser, _ = enrolled(agent)
    clock.move_to("2026-11-21T08:01:00Z", tick=False)
    address = reverse("retirer_second_facteur")
    assert browser.post(address, {"code": "000000"}).status_code == 200
    clock.move_to("2026-11-21T08:05:00Z", tick=False)
    assert browser.post(address, {"code": code_of(agent)}).url == reverse("mon_compte")
    assert not TOTPDevice.objects.filter(user=agent).exists()
    assert first_step(agent)[1].url == ACCUEIL


def test_enrolling_ends_the_other_sessions(agent):
    other, _ = first_step(agent)
    enrolled(agent)
    assert other.get(ACCUEIL).status_code == 302


# --- An open session is not enough to change a way in ----------------------------------------------------------------

WAYS = ["double_authentification", "codes_de_secours", "changer_mot_de_passe", "retirer_second_facteur"]
NEW = {"mot_de_passe": "une autre phrase assez longue", "confirmation": "une autre phrase assez longue"}


def state(agent) -> tuple:
    agent.refresh_from_db()
    devices = TOTPDevice.objects.filter(user=agent).values_list("pk", "confirmed")
    return agent.password, list(devices), sorted(StaticToken.objects.values_list("token", flat=True))


@pytest.mark.parametrize("name", WAYS)
@pytest.mark.parametrize("typed", ["", "000000", "abcdefgh", "une phrase assez fausse"])
def test_without_a_proof_nothing_changes_and_nobody_is_told(agent, name, typed):
    browser, _ = first_step(agent) if name == "double_authentification" else enrolled(agent)
    before, told = state(agent), Courriel.objects.count()
    page = browser.post(reverse(name), {"preuve": typed, "mot_de_passe_actuel": typed, "code": typed, **NEW})
    assert page.status_code == 200
    assert state(agent) == before
    assert Courriel.objects.count() == told


def test_each_change_is_told_to_the_owner_of_the_account(agent, clock):
    browser, codes = enrolled(agent)
    browser.post(reverse("codes_de_secours"), {"preuve": codes[0]})
    clock.move_to("2026-11-21T08:01:00Z", tick=False)
    browser.post(reverse("retirer_second_facteur"), {"code": code_of(agent)})
    browser.post(reverse("changer_mot_de_passe"), {"mot_de_passe_actuel": PASSWORD, **NEW})
    assert courriels.send_due() == 4
    assert courriels.send_due() == 0
    for message, word in zip(
        mail.outbox, ["activée", "remplacés", "retirée", "mot de passe a été changé"], strict=True
    ):
        assert message.to == [agent.courriel]
        assert word in message.body
        assert reverse("mot_de_passe_oublie") in message.body
    assert not Courriel.objects.exclude(texte="").exists()  # once it left, what was said is forgotten


def test_the_key_being_enrolled_is_shown_to_the_session_that_proved_who_is_there_and_for_a_quarter(agent, clock):
    browser, _ = first_step(agent)
    browser.post(URL, {"preuve": PASSWORD})
    other, _ = first_step(agent)
    assert "la clé <code>" in browser.get(URL).text
    assert "la clé <code>" not in other.get(URL).text
    assert "recommencez" in words(other.post(URL, {"code": code_of(agent)}))
    clock.shift(901)
    assert "la clé <code>" not in browser.get(URL).text
    assert "recommencez" in words(browser.post(URL, {"code": code_of(agent)}))
    assert not TOTPDevice.objects.filter(confirmed=True).exists()


def test_five_wrong_proofs_stop_the_guesser_of_an_open_session(agent):
    browser, _ = first_step(agent)
    for _ in range(5):
        browser.post(reverse("changer_mot_de_passe"), {"mot_de_passe_actuel": "une phrase assez fausse", **NEW})
    browser.post(reverse("changer_mot_de_passe"), {"mot_de_passe_actuel": PASSWORD, **NEW})
    agent.refresh_from_db()
    assert agent.check_password(PASSWORD)


def test_an_account_without_password_is_told_how_to_have_one(agent):
    browser, _ = first_step(agent)
    agent.set_unusable_password()
    agent.save()
    browser.force_login(agent)
    page = words(browser.get(URL))
    assert "sans mot de passe" in page
    assert reverse("mot_de_passe_oublie") in page


# --- In production ----------------------------------------------------------------------------------------------

ADMINISTRATORS = [Profil.ADMIN_NATIONAL, Profil.ADMIN_DEPARTEMENTAL, Profil.ADMIN_SIAO]


@pytest.mark.parametrize("profil", ADMINISTRATORS)
def test_administrators_can_do_nothing_without_it(settings, profil, clock):
    settings.SECOND_FACTOR_REQUIRED = True
    agent = with_password(make_utilisateur(profil))
    browser, _ = first_step(agent)
    page = words(browser.get(ACCUEIL))
    assert "attend un second facteur" in page
    assert "Ce qui m'attend" not in page
    assert reverse("comptes") not in browser.get(ACCUEIL).text  # no menu either
    for name in ("comptes", "exporter_comptes", "inviter", "offre:entites"):
        assert browser.get(reverse(name)).url == f"{URL}?pour={reverse(name)}"
    assert browser.post(reverse("inviter"), {"courriel": "x"}).status_code == 302

    browser.post(URL, {"preuve": PASSWORD})
    browser.post(URL, {"code": code_of(agent)})
    assert browser.get(reverse("comptes")).status_code == 200
    clock.move_to("2026-11-21T08:01:00Z", tick=False)
    again, _ = first_step(agent)
    again.post(CODE, {"code": code_of(agent)})
    assert again.get(reverse("comptes")).status_code == 200


def test_others_work_without_it(settings):
    settings.SECOND_FACTOR_REQUIRED = True
    browser, _ = first_step(with_password(make_utilisateur(Profil.ECOUTANT_115)))
    assert browser.get(reverse("offre:entites")).status_code == 200


def test_nor_do_nominative_extractions_open_without_it(settings, rf):
    """No such page yet: the middleware is asked about a view that declares the right."""
    from comptes.middleware import SecondFactor
    from siao.socle.http import reads

    @reads(Droit.EXTRACTIONS_NOMINATIVES)
    def extraction(request):
        return None

    settings.SECOND_FACTOR_REQUIRED = True
    agent = make_utilisateur(Profil.OPERATEUR_SIAO)
    request = rf.get("/extractions/")
    request.user, request.session = agent, {}
    request.user.is_verified = lambda: False
    request.habilitation, request.second_factor_missing = agent.habilitations.get(), False
    gate = SecondFactor(lambda request: None)
    assert gate.process_view(request, extraction, (), {}).url == f"{URL}?pour=/extractions/"
    request.user.is_verified = lambda: True
    assert gate.process_view(request, extraction, (), {}) is None


def test_the_demonstration_only_offers_it(agent):
    browser, _ = first_step(agent)
    assert browser.get(reverse("comptes")).status_code == 200
