"""The home page: what waits for each profil comes first."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from comptes.droits import Profil
from comptes.models import Utilisateur
from siao.accueil import ATTENTES
from tests.comptes.fabrique import client_of, make_utilisateur, words

pytestmark = pytest.mark.django_db
URL = reverse("accueil")


def test_counts_what_waits_says_since_when_and_leads_to_it():
    admin = client_of(make_utilisateur(Profil.ADMIN_SIAO))
    assert "Rien ne vous attend" in words(admin.get(URL))
    guest = make_utilisateur(Profil.ECOUTANT_115)
    Utilisateur.objects.filter(pk=guest.pk).update(date_creation=timezone.now() - timezone.timedelta(days=9))
    make_utilisateur(Profil.OPERATEUR_SIAO, date_fin=timezone.localdate() + timezone.timedelta(days=3))
    page = words(admin.get(URL))
    assert "2 comptes invités qui ne se sont jamais connectés" in page
    assert ", depuis 9 jours au plus" in page
    assert "1 habilitation qui finit dans les trente jours" in page
    for address in (reverse("comptes") + "?etat=invites", reverse("comptes") + "?etat=finissent"):
        assert f'href="{address}"' in page
        assert "@test.example" in admin.get(address).text


@pytest.mark.parametrize("profil", [Profil.ECOUTANT_115, Profil.ANALYSTE])
def test_shows_nothing_of_what_the_profil_may_not_treat(profil):
    make_utilisateur(Profil.TRAVAILLEUR_SOCIAL)
    assert "comptes invités" not in words(client_of(make_utilisateur(profil)).get(URL))


def test_one_query_for_each_worklist():
    client = client_of(make_utilisateur(Profil.ADMIN_NATIONAL))

    def queries() -> int:
        with CaptureQueriesContext(connection) as context:
            client.get(URL)
        return len(context)

    client.get(URL)
    empty = queries()
    for _ in range(20):
        make_utilisateur(Profil.ECOUTANT_115)
    assert queries() == empty
    assert len(ATTENTES) >= 2


def test_a_long_list_is_not_counted_to_its_end(monkeypatch):
    monkeypatch.setattr("siao.socle.attentes.PLAFOND", 3)
    admin = client_of(make_utilisateur(Profil.ADMIN_SIAO))
    for _ in range(3):
        guest = make_utilisateur(Profil.ECOUTANT_115)
    Utilisateur.objects.filter(pk=guest.pk).update(date_creation=timezone.now() - timezone.timedelta(days=9))
    assert ", depuis 9 jours au plus" in words(admin.get(URL))
    assert "3 comptes invités qui ne se sont jamais connectés" in words(admin.get(URL))
    make_utilisateur(Profil.ECOUTANT_115)
    page = words(admin.get(URL))
    assert "plus de 3 comptes invités qui ne se sont jamais connectés" in page
    assert "au plus" not in page
