"""Places under several hands at once: real transactions, each in its thread."""

import threading

from django.db import connection

from comptes.droits import Profil
from offre.actions import places as actions
from offre.models import Place
from tests.comptes.fabrique import habilitation_of, make_utilisateur
from tests.offre.fabrique import make_groupe, make_hebergement, make_rattachement

CLICKS = 8


def test_many_clicks_at_once_make_one_declaration(base_reelle):
    """Real transactions, each in its thread: the row lock leaves one change, the others confirm it."""
    chrs = make_hebergement(make_rattachement("44"))
    place = make_groupe(chrs, etats=["OCCUPEE"]).places.get()
    auteur = habilitation_of(make_utilisateur(Profil.RESPONSABLE_DISPOSITIF, objets=[chrs]))
    changed, start = [], threading.Barrier(CLICKS)

    def click():
        start.wait()
        try:
            changed.append(actions.declare(auteur=auteur, place=Place.objects.get(pk=place.pk), etat="LIBRE"))
        finally:
            connection.close()

    threads = [threading.Thread(target=click) for _ in range(CLICKS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(changed) == [False] * (CLICKS - 1) + [True]
    assert place.declarations.count() == 1
