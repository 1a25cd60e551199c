"""Places under several hands at once: real transactions, each in its thread."""

import datetime
import threading

from django.core import mail
from django.db import connection

from comptes.droits import Profil
from offre import rappels
from offre.actions import places as actions
from offre.models import Place
from tests.comptes.fabrique import habilitation_of, make_utilisateur
from tests.offre.fabrique import make_groupe, make_hebergement, make_place, make_rattachement


def in_threads(count: int, work) -> list:
    """What ``work`` answers to each of ``count`` threads that call it together."""
    answers, start = [], threading.Barrier(count)

    def run():
        start.wait()
        try:
            answers.append(work())
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_many_clicks_at_once_make_one_declaration(base_reelle):
    """The row lock leaves one change, the other clicks confirm it."""
    chrs = make_hebergement(make_rattachement("44"))
    place = make_groupe(chrs, etats=["OCCUPEE"]).places.get()
    auteur = habilitation_of(make_utilisateur(Profil.RESPONSABLE_DISPOSITIF, objets=[chrs]))
    changed = in_threads(8, lambda: actions.declare(auteur=auteur, place=Place.objects.get(pk=place.pk), etat="LIBRE"))
    assert sorted(changed) == [False] * 7 + [True]
    assert place.declarations.count() == 1


def test_two_workers_remind_a_person_once(base_reelle):
    chrs = make_hebergement(make_rattachement("44"))
    make_place(make_groupe(chrs, etats=[]), etat="LIBRE", il_y_a=datetime.timedelta(days=2))
    make_utilisateur(Profil.RESPONSABLE_DISPOSITIF, objets=[chrs])
    sent = in_threads(4, rappels.remind)
    assert sorted(sent) == [0, 0, 0, 1]
    assert len(mail.outbox) == 1
