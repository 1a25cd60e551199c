"""Inviting, the link of the e-mail, choosing a password, asking for a new one."""

import datetime
import re

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from comptes import actions
from comptes.droits import Profil
from comptes.models import Habilitation, Lien, Utilisateur
from tests.comptes.fabrique import PASSWORD, client_of, habilitation_of, make_utilisateur, words
from tests.offre.fabrique import make_dispositif, make_rattachement

pytestmark = pytest.mark.django_db
INVITER = reverse("inviter") + "?profil=ECOUTANT_115"
GUEST = {
    "courriel": "Nouvelle.Personne@test.example",
    "prenom": "Nouvelle",
    "nom": "Personne",
    "territoire": "siao-44",
    "date_debut": "01/01/2026",
    "date_fin": "",
}
SECRET = re.compile(r"/lien/([\w-]+)/")


@pytest.fixture
def admin():
    return make_utilisateur(Profil.ADMIN_SIAO)


@pytest.fixture
def page(admin):
    return client_of(admin)


def received() -> str:
    """The address that the last e-mail gives."""
    return SECRET.search(mail.outbox[-1].body)[0]


def send_all():
    actions.send_pending_links()
    return received()


def test_an_invitation_becomes_an_account_a_habilitation_and_an_email(page, admin):
    assert page.post(INVITER, GUEST).url == reverse("comptes")
    guest = Utilisateur.objects.get(courriel="nouvelle.personne@test.example")
    [habilitation] = guest.habilitations.all()
    assert (habilitation.profil, habilitation.siao_id, habilitation.accordee_par) == ("ECOUTANT_115", "44", admin)
    assert not guest.has_usable_password()

    assert actions.send_pending_links() == 1
    [message] = mail.outbox
    assert message.to == [guest.courriel]
    assert message.subject == "SI SIAO : votre compte est ouvert"
    assert "http://127.0.0.1:8000/lien/" in message.body
    assert actions.send_pending_links() == 0  # sent once


def test_what_is_missing_is_said_and_nothing_is_lost(page):
    answer = page.post(INVITER, {**GUEST, "courriel": "pas une adresse", "nom": "", "date_fin": "01/01/2020"})
    assert answer.status_code == 200
    text = words(answer)
    assert "3 points à corriger, rien n'a été enregistré" in text
    assert 'value="Nouvelle"' in answer.text
    assert not Utilisateur.objects.filter(prenom="Nouvelle").exists()
    assert not Lien.objects.exists()


def test_the_link_opens_once_within_seven_days(page, client, time_machine):
    time_machine.move_to("2026-11-21T10:00:00Z", tick=False)
    page.post(INVITER, GUEST)
    address = send_all()

    time_machine.move_to("2026-11-28T09:59:59Z", tick=False)
    assert "nouvelle.personne@test.example" in client.get(address).text
    assert client.get(address).status_code == 200  # looking does not use it up
    short = client.post(address, {"mot_de_passe": "trop court", "confirmation": "trop court"})
    assert "16" in words(short)
    differs = client.post(address, {"mot_de_passe": PASSWORD, "confirmation": PASSWORD + "s"})
    assert "Les deux mots de passe diffèrent" in words(differs)
    assert client.post(address, {"mot_de_passe": PASSWORD, "confirmation": PASSWORD}).url == reverse("connexion")
    assert client.post(reverse("connexion"), {"username": GUEST["courriel"], "password": PASSWORD}).status_code == 302

    again = client.post(address, {"mot_de_passe": "un autre mot de passe", "confirmation": "un autre mot de passe"})
    assert again.status_code == 410
    assert "n'est plus valable" in words(again)
    assert Utilisateur.objects.get(prenom="Nouvelle").check_password(PASSWORD)


def test_after_seven_days_the_link_is_worth_nothing(page, client, time_machine):
    time_machine.move_to("2026-11-21T10:00:00Z", tick=False)
    page.post(INVITER, GUEST)
    address = send_all()
    time_machine.move_to("2026-11-28T10:00:01Z", tick=False)
    assert client.get(address).status_code == 410
    assert client.post(address, {"mot_de_passe": PASSWORD, "confirmation": PASSWORD}).status_code == 410


def test_only_the_hash_of_the_link_is_kept_and_only_the_last_link_opens(page, client):
    page.post(INVITER, GUEST)
    first = send_all()
    assert SECRET.search(first)[1] not in str(Lien.objects.values().get())
    guest = Utilisateur.objects.get(prenom="Nouvelle")
    page.post(reverse("reinitialiser_compte", args=[guest.pk]))
    second = send_all()
    assert first != second
    assert client.get(first).status_code == 410
    assert client.get(second).status_code == 200


def test_a_disabled_account_cannot_use_its_link(page, client):
    page.post(INVITER, GUEST)
    address = send_all()
    Utilisateur.objects.filter(prenom="Nouvelle").update(is_active=False)
    assert client.get(address).status_code == 410


def test_an_account_that_exists_gets_the_habilitation_and_keeps_its_name(page):
    known = make_utilisateur(Profil.OPERATEUR_SIAO, departement_id="35")
    Utilisateur.objects.filter(pk=known.pk).update(last_login=datetime.datetime.now(datetime.UTC))
    page.post(INVITER, {**GUEST, "courriel": known.courriel.upper()})
    known.refresh_from_db()
    assert known.prenom == "Agent"
    assert {h.siao_id for h in known.habilitations.all()} == {"35", "44"}
    assert not Lien.objects.exists()  # they know their password

    twice = page.post(INVITER, {**GUEST, "courriel": known.courriel})
    assert "Cette personne a déjà cette habilitation." in words(twice)
    assert known.habilitations.count() == 2


def test_a_responsable_is_given_dispositifs_ticked_in_a_list():
    association = make_rattachement("44", nom="Association du Port")
    mine, other = make_dispositif(association), make_dispositif(make_rattachement("44"))
    gestionnaire = client_of(make_utilisateur(Profil.GESTIONNAIRE_ENTITE, objets=[association]))
    address = reverse("inviter") + "?profil=RESPONSABLE_DISPOSITIF"
    form = gestionnaire.get(address)
    assert mine.nom in words(form)
    assert other.nom not in words(form)

    guest = {**GUEST, "objets": [mine.pk]}
    assert gestionnaire.post(address, {**guest, "objets": [mine.pk, other.pk]}).status_code == 200
    assert "Cochez au moins une ligne." in words(gestionnaire.post(address, {**guest, "objets": []}))
    assert gestionnaire.post(address, guest).status_code == 302
    habilitation = habilitation_of(Utilisateur.objects.get(prenom="Nouvelle"))
    assert habilitation.perimetre.dispositifs == {mine.pk}
    assert habilitation.codes_departements == {"44"}


def test_a_wide_perimeter_chooses_the_departement_first():
    make_rattachement("44", nom="Association du Port")
    national = client_of(make_utilisateur(Profil.ADMIN_NATIONAL))
    address = reverse("inviter") + "?profil=ASSISTANT"
    assert "Choisissez le département où cette personne travaille." in words(national.get(address))
    assert "Association du Port" in words(national.get(f"{address}&departement=44"))
    assert "Association du Port" not in words(national.get(f"{address}&departement=35"))


def test_posted_privileges_are_ignored(page):
    page.post(INVITER, {**GUEST, "is_staff": "1", "is_superuser": "1", "profil": "ADMIN_NATIONAL", "siao": "35"})
    guest = Utilisateur.objects.get(prenom="Nouvelle")
    assert not guest.is_superuser
    assert habilitation_of(guest).profil == Profil.ECOUTANT_115
    assert habilitation_of(guest).siao_id == "44"


def test_a_disabled_account_is_given_nothing_before_it_is_enabled(page):
    known = make_utilisateur(Profil.OPERATEUR_SIAO)
    Utilisateur.objects.filter(pk=known.pk).update(is_active=False)
    answer = page.post(INVITER, {**GUEST, "courriel": known.courriel})
    assert "Ce compte est désactivé : réactivez-le d'abord" in words(answer)
    assert known.habilitations.count() == 1
    assert "Ajouter une habilitation" not in words(page.get(reverse("compte", args=[known.pk])))


def test_names_keep_no_character_that_nobody_sees(page):
    page.post(INVITER, {**GUEST, "prenom": "\u202eNou\u200bvelle\u0000", "nom": "\u2066Personne"})
    guest = Utilisateur.objects.get(courriel="nouvelle.personne@test.example")
    assert (guest.prenom, guest.nom) == ("Nouvelle", "Personne")


# --- Forgotten password -----------------------------------------------------------------------------------------

OUBLIE = reverse("mot_de_passe_oublie")


def test_same_answer_and_same_work_for_a_known_and_an_unknown_address(admin):
    answers = []
    for courriel in (admin.courriel, "inconnue@test.example"):
        client = Client()
        with CaptureQueriesContext(connection) as queries:
            answer = client.post(OUBLIE, {"courriel": courriel})
        answers.append((answer.status_code, answer.url, len(queries)))
        assert "Si un compte a cette adresse" in words(client.get(answer.url))
    assert answers[0] == answers[1]

    assert actions.send_pending_links() == 1
    assert [message.to for message in mail.outbox] == [[admin.courriel]]
    assert actions.send_pending_links() == 0


def test_the_link_is_worth_an_hour_and_ends_every_session(client, admin, time_machine):
    time_machine.move_to("2026-11-21T10:00:00Z", tick=False)
    elsewhere = client_of(admin)
    client.post(OUBLIE, {"courriel": admin.courriel})
    address = send_all()
    assert elsewhere.get(reverse("accueil")).status_code == 200
    time_machine.move_to("2026-11-21T10:59:59Z", tick=False)
    elsewhere = client_of(admin)
    client.post(address, {"mot_de_passe": PASSWORD, "confirmation": PASSWORD})
    assert elsewhere.get(reverse("accueil")).status_code == 302

    client.post(OUBLIE, {"courriel": admin.courriel})
    address = send_all()
    time_machine.move_to("2026-11-21T12:00:01Z", tick=False)
    assert client.get(address).status_code == 410


def test_three_links_an_hour_at_most(client, admin):
    for _ in range(5):
        client.post(OUBLIE, {"courriel": admin.courriel})
    assert Lien.objects.count() == 3


def test_what_visitors_ask_for_an_address_does_not_stop_its_invitation(page, client):
    for _ in range(5):
        client.post(OUBLIE, {"courriel": GUEST["courriel"]})
    page.post(INVITER, GUEST)
    send_all()
    assert any(message.subject == "SI SIAO : votre compte est ouvert" for message in mail.outbox)


def test_a_forgotten_password_leaves_the_invitation_open_until_one_of_them_is_used(page, client, time_machine):
    time_machine.move_to("2026-11-21T10:00:00Z", tick=False)
    page.post(INVITER, GUEST)
    invitation = send_all()
    client.post(OUBLIE, {"courriel": GUEST["courriel"]})
    forgotten = send_all()
    time_machine.move_to("2026-11-23T10:00:00Z", tick=False)
    assert (client.get(invitation).status_code, client.get(forgotten).status_code) == (200, 410)

    client.post(OUBLIE, {"courriel": GUEST["courriel"]})
    forgotten = send_all()
    assert client.post(forgotten, {"mot_de_passe": PASSWORD, "confirmation": PASSWORD}).status_code == 302
    assert client.get(invitation).status_code == 410


def test_a_reset_closes_the_links_already_sent(page, client):
    page.post(INVITER, GUEST)
    address = send_all()
    guest = Utilisateur.objects.get(prenom="Nouvelle")
    page.post(reverse("reinitialiser_compte", args=[guest.pk]))  # before the worker sends the new one
    assert client.get(address).status_code == 410


def test_a_mail_server_that_fails_is_tried_again_then_given_up(client, admin, settings, monkeypatch):
    client.post(OUBLIE, {"courriel": admin.courriel})
    monkeypatch.setattr("django.core.mail.EmailMessage.send", lambda self: (_ for _ in ()).throw(OSError("refusé")))
    for _ in range(6):
        assert actions.send_pending_links() == 0
    lien = Lien.objects.get()
    assert (lien.essais, lien.envoye_le, lien.empreinte) == (5, None, "")


def test_the_link_is_on_our_address_whatever_the_browser_says(client, admin, settings):
    settings.ALLOWED_HOSTS = ["testserver"]
    assert client.post(OUBLIE, {"courriel": admin.courriel}, headers={"host": "evil.example"}).status_code == 400
    client.post(OUBLIE, {"courriel": admin.courriel}, headers={"x-forwarded-host": "evil.example"})
    actions.send_pending_links()
    assert "evil.example" not in mail.outbox[-1].body


def test_habilitations_of_the_guest_count_from_their_first_day(page):
    page.post(INVITER, {**GUEST, "date_debut": "01/01/2100"})
    assert not Habilitation.objects.current().filter(utilisateur__prenom="Nouvelle").exists()
