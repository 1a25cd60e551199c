"""Exceptional shares with another SIAO: dated, motivated, and gone in time. Tried on a dispositif."""

import datetime

import pytest
from django.utils import timezone

from comptes import actions
from comptes.droits import Profil
from comptes.models import EntreeJournal, Partage, Siao
from comptes.nuit import run
from offre.models import Dispositif
from siao.socle.refusal import Refusal
from tests.comptes.fabrique import habilitation_of, make_utilisateur
from tests.offre.fabrique import make_dispositif, make_rattachement

pytestmark = pytest.mark.django_db
TODAY = datetime.date(2026, 11, 21)


@pytest.fixture(autouse=True)
def clock(time_machine):
    time_machine.move_to("2026-11-21T12:00:00Z", tick=False)
    return time_machine


@pytest.fixture
def owner():
    return habilitation_of(make_utilisateur(Profil.ADMIN_SIAO))


@pytest.fixture
def dispositif():
    return make_dispositif(make_rattachement("44"))


def shared_with(departement: str) -> set:
    perimetre = habilitation_of(make_utilisateur(Profil.OPERATEUR_SIAO, departement_id=departement)).perimetre
    return set(Dispositif.objects.filter(pk__in=Partage.objects.keys(Dispositif, perimetre)))


def share(owner, dispositif, **changed):
    arguments = {"siao": Siao.objects.get(pk="35"), "date_fin": TODAY + datetime.timedelta(days=7), "motif": "Départ"}
    return actions.share(auteur=owner, objet=dispositif, **arguments | changed)


def test_seen_by_that_siao_alone_between_its_dates(owner, dispositif, clock):
    share(owner, dispositif)
    assert shared_with("35") == {dispositif}
    assert shared_with("49") == set()
    assert EntreeJournal.objects.get().action == "comptes.partager"
    clock.move_to("2026-11-28T12:00:00Z", tick=False)
    assert shared_with("35") == {dispositif}  # last day included
    clock.move_to("2026-11-29T12:00:00Z", tick=False)
    assert shared_with("35") == set()


def test_stopped_at_once(owner, dispositif):
    partage = share(owner, dispositif)
    actions.stop_sharing(auteur=owner, partage=partage)
    assert shared_with("35") == set()
    assert Partage.objects.get().retire_le == timezone.now()
    with pytest.raises(Refusal, match="déjà pris fin"):
        actions.stop_sharing(auteur=owner, partage=partage)


def test_a_share_to_come_is_not_open_yet(owner, dispositif):
    share(owner, dispositif, date_debut=TODAY + datetime.timedelta(days=1))
    assert shared_with("35") == set()


def test_not_without_an_end_in_order_nor_a_motive_nor_what_one_does_not_see(owner, dispositif):
    with pytest.raises(Refusal, match="date de fin"):
        share(owner, dispositif, date_fin=TODAY - datetime.timedelta(days=1))
    with pytest.raises(Refusal, match="un an au plus"):
        share(owner, dispositif, date_fin=TODAY + datetime.timedelta(days=366))
    with pytest.raises(Refusal, match="motif"):
        share(owner, dispositif, motif="  ")
    with pytest.raises(Refusal, match="ce que vous voyez"):
        share(owner, make_dispositif(make_rattachement("35")))
    assert not Partage.objects.exists()


def test_a_profil_without_siao_is_shared_nothing(owner, dispositif):
    share(owner, dispositif)
    perimetre = habilitation_of(make_utilisateur(Profil.ADMIN_DEPARTEMENTAL, departement_id="35")).perimetre
    assert not Dispositif.objects.filter(pk__in=Partage.objects.keys(Dispositif, perimetre)).exists()


def test_cleaned_at_night_when_its_object_is_gone(owner, dispositif):
    share(owner, dispositif)
    dispositif.delete()
    assert run()["octrois_orphelins"] == 1
    assert not Partage.objects.exists()
