"""The outbox: each e-mail leaves once, whoever fails."""

import datetime

import pytest
from django.core import mail
from django.db import transaction

from siao.socle import courriels
from siao.socle.courriels import ESSAIS, Courriel

pytestmark = pytest.mark.django_db
AVIS = {"gabarit": "comptes/courriels/changement_d_acces.txt", "changement": "Essai d'envoi & suite."}


def test_what_is_rolled_back_is_not_sent():
    with transaction.atomic():
        courriels.post(a="une@test.example", **AVIS)
        transaction.set_rollback(True)
    assert courriels.send_due() == 0


def test_each_leaves_once_with_its_subject_and_its_text():
    courriels.post(a="une@test.example", **AVIS)
    courriels.post(a="deux@test.example", **AVIS)
    assert (courriels.send_due(), courriels.send_due()) == (2, 0)
    assert [message.to for message in mail.outbox] == [["une@test.example"], ["deux@test.example"]]
    assert mail.outbox[0].subject == "SI SIAO : les accès de votre compte ont changé"
    assert "Essai d'envoi & suite." in mail.outbox[0].body


def test_a_mail_server_that_is_away_is_asked_less_and_less_then_given_up(monkeypatch, time_machine):
    time_machine.move_to("2026-11-21T10:00:00Z", tick=False)
    courriels.post(a="une@test.example", **AVIS)
    with monkeypatch.context() as broken:
        broken.setattr("django.core.mail.EmailMessage.send", refuse)
        assert courriels.send_due() == 0
        assert Courriel.objects.get().essais == 1
        assert courriels.send_due() == 0
        assert Courriel.objects.get().essais == 1  # its turn has not come
    time_machine.shift(60)
    assert courriels.send_due() == 1

    courriels.post(a="une@test.example", **AVIS)
    monkeypatch.setattr("django.core.mail.EmailMessage.send", refuse)
    for _ in range(ESSAIS + 3):
        courriels.send_due()
        time_machine.shift(datetime.timedelta(days=4))
    assert Courriel.objects.get(envoye_le=None).essais == ESSAIS


def refuse(message):
    raise OSError("refusé")
