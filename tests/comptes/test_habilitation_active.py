"""The active habilitation: chosen in the header, shown with its territory, read again at every request."""

import datetime

import pytest
from django.urls import reverse
from django.utils import timezone

from comptes.droits import Profil
from comptes.models import Habilitation, Utilisateur
from comptes.perimetres import VIDE, Perimetre
from tests.comptes.fabrique import client_of, habilitation_of, habilite, make_utilisateur, words
from tests.offre.fabrique import make_rattachement

pytestmark = pytest.mark.django_db
ACCUEIL = reverse("accueil")
COMPTES = reverse("comptes")


@pytest.fixture
def agent():
    """Two habilitations: Écoutant 115 of 44 first, then Administrateur SIAO of 35."""
    agent = make_utilisateur(Profil.ECOUTANT_115)
    habilite(agent, Profil.ADMIN_SIAO, departement_id="35")
    return agent


def choose(client, profil, agent):
    chosen = agent.habilitations.get(profil=profil)
    return client.post(reverse("choisir_habilitation"), {"habilitation": chosen.pk})


def test_the_header_shows_it_with_its_territory_and_offers_the_others(agent):
    page = words(client_of(agent).get(ACCUEIL))
    assert "Écoutant 115 — SIAO Loire-Atlantique" in page
    assert "Administrateur SIAO — SIAO Ille-et-Vilaine" in page
    assert "habilitation--siao" in page


def test_choosing_another_changes_rights_and_territory(agent):
    client = client_of(agent)
    assert client.get(COMPTES).status_code == 403
    assert choose(client, Profil.ADMIN_SIAO, agent).url == ACCUEIL
    assert client.get(COMPTES).status_code == 200

    elsewhere = habilitation_of(make_utilisateur(Profil.ADMIN_SIAO))
    assert client.post(reverse("choisir_habilitation"), {"habilitation": elsewhere.pk}).status_code == 404
    assert client.get(COMPTES).status_code == 200


@pytest.mark.parametrize(
    "ended",
    [
        {"retiree_le": timezone.now()},
        {"date_debut": datetime.date(2020, 1, 1), "date_fin": datetime.date(2020, 1, 2)},
        {"date_debut": datetime.date(2100, 1, 1)},
    ],
    ids=["withdrawn", "ended", "not begun"],
)
def test_a_habilitation_that_is_not_current_opens_nothing_on_the_next_click(ended):
    agent = make_utilisateur(Profil.ADMIN_SIAO)
    client = client_of(agent)
    assert client.get(COMPTES).status_code == 200
    Habilitation.objects.filter(utilisateur=agent).update(**ended)
    assert client.get(COMPTES).status_code == 403
    assert "pas d'habilitation en cours" in words(client.get(ACCUEIL))


def test_who_loses_the_one_they_work_under_is_told_under_which_they_go_on(agent):
    client = client_of(agent)
    told = "L'habilitation sous laquelle vous travailliez a pris fin. Vous agissez maintenant comme « Admin"
    assert told not in words(client.get(ACCUEIL))
    agent.habilitations.filter(profil=Profil.ECOUTANT_115).update(retiree_le=timezone.now())
    assert told in words(client.get(ACCUEIL))
    assert told not in words(client.get(ACCUEIL))  # said once


def test_a_disabled_account_is_out_on_the_next_click():
    agent = make_utilisateur(Profil.ADMIN_SIAO)
    client = client_of(agent)
    assert client.get(ACCUEIL).status_code == 200
    Utilisateur.objects.filter(pk=agent.pk).update(is_active=False)
    assert client.get(ACCUEIL).status_code == 302


def test_the_last_day_is_included_and_begins_with_the_first():
    today = timezone.localdate()
    agent = make_utilisateur(Profil.ADMIN_SIAO, date_debut=today, date_fin=today)
    assert client_of(agent).get(COMPTES).status_code == 200


def test_the_perimeter_of_each_level(django_assert_num_queries):
    association = make_rattachement("44")
    perimeters = {
        Perimetre(national=True): make_utilisateur(Profil.ADMIN_NATIONAL),
        Perimetre(departements=frozenset(["44"])): make_utilisateur(Profil.ADMIN_DEPARTEMENTAL),
        Perimetre(departements=frozenset(["44", "49", "53", "72", "85"])): make_utilisateur(
            Profil.ADMIN_DEPARTEMENTAL, region_id="52"
        ),
        Perimetre(departements=frozenset(["44"]), siaos=frozenset(["44"])): make_utilisateur(Profil.OPERATEUR_SIAO),
        Perimetre(rattachements=frozenset([association.pk])): make_utilisateur(
            Profil.GESTIONNAIRE_ENTITE, objets=[association]
        ),
    }
    for perimetre, utilisateur in perimeters.items():
        assert habilitation_of(utilisateur).perimetre == perimetre
    assert Perimetre() == VIDE


def test_an_empty_perimeter_sees_nothing_and_the_national_one_everything():
    row = make_rattachement("44")
    rattachements = type(row).objects
    assert not rattachements.visible_to(VIDE).exists()
    assert rattachements.visible_to(Perimetre(national=True)).filter(pk=row.pk).exists()
    # Even when a model has nothing of what the perimeter holds.
    assert not rattachements.filter(Perimetre(siaos=frozenset(["44"])).rows(departement="departement")).exists()


def test_as_many_queries_with_one_other_habilitation_as_with_twenty(django_assert_num_queries):
    def queries(others: int) -> int:
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        agent = make_utilisateur(Profil.OPERATEUR_SIAO)
        for _ in range(others):
            habilite(agent, Profil.GESTIONNAIRE_ENTITE, objets=[make_rattachement("44")])
        client = client_of(agent)
        client.get(ACCUEIL)
        with CaptureQueriesContext(connection) as context:
            assert client.get(ACCUEIL).status_code == 200
        return len(context)

    assert queries(1) == queries(20)


def test_the_database_refuses_a_profil_on_a_wrong_kind_of_territory():
    from django.db import IntegrityError, transaction

    from siao.socle.database import sentence_of

    agent = make_utilisateur(None)
    for profil, territoire in (
        (Profil.ADMIN_SIAO, {"departement_id": "44"}),
        (Profil.ADMIN_NATIONAL, {"region_id": "52"}),
        (Profil.ADMIN_DEPARTEMENTAL, {}),
        (Profil.ADMIN_DEPARTEMENTAL, {"departement_id": "44", "region_id": "52"}),
        (Profil.GESTIONNAIRE_ENTITE, {"departement_id": "44"}),
    ):
        with pytest.raises(IntegrityError) as refused, transaction.atomic():
            Habilitation.objects.create(utilisateur=agent, profil=profil, **territoire)
        assert sentence_of(refused.value) == "Ce profil ne s'exerce pas sur ce genre de territoire."
    Habilitation.objects.create(utilisateur=agent, profil=Profil.ANALYSTE, region_id="52")
