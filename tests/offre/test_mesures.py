"""Mesures d'accompagnement and prestations: capacity, what is used, the hours of each week."""

import datetime
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction
from django.urls import reverse

from comptes.droits import Profil
from offre.actions import mesures as actions
from offre.models import Creneau, GroupeMesures, PrestationProposee
from siao.socle.database import sentence_of
from tests.comptes.fabrique import client_of, habilitation_of, make_utilisateur, plain
from tests.offre.fabrique import make_accompagnement, make_dispositif, make_hebergement, make_rattachement

pytestmark = pytest.mark.django_db
PARIS = ZoneInfo("Europe/Paris")


@pytest.fixture
def rattachement():
    return make_rattachement("44")


@pytest.fixture
def avdl(rattachement):
    return make_accompagnement(rattachement)


@pytest.fixture
def accueil(rattachement):
    return make_dispositif(
        rattachement, nom="Accueil de jour", type_id="ACCUEIL_JOUR", prestations=["REPAS", "HYGIENE"]
    )


@pytest.fixture
def assistant(rattachement):
    return make_utilisateur(Profil.ASSISTANT, objets=[rattachement])


@pytest.fixture
def page(assistant):
    return client_of(assistant)


def typed(**changes) -> dict:
    return {"libelle": "Ménages DALO", "nombre": "20", "financees": "18", "ouvert_le": "01/01/2024", **changes}


# --- Mesures ----------------------------------------------------------------------------------------------------


def test_a_group_of_mesures_is_created_then_its_use_is_declared(avdl, page, assistant):
    created = page.post(reverse("offre:creer_mesures", args=[avdl.pk]), typed(), follow=True)
    assert "« Ménages DALO » est créé" in plain(created)
    groupe = GroupeMesures.objects.get()
    url = reverse("offre:declarer_mesures", args=[groupe.pk])
    assert "5 en cours sur 20" in plain(page.post(url, {"utilisees": "5"}, follow=True))
    page.post(url, {"utilisees": "5"})
    assert [(one.utilisees, one.auteur) for one in groupe.declarations.all()] == [(5, assistant)]
    listed = plain(page.get(reverse("offre:mesures")))
    assert "15" in listed
    assert "à l'instant" in listed
    more = plain(page.post(url, {"utilisees": "23"}, follow=True))
    assert "3 de plus que le groupe n'en compte" in more
    assert "0 disponible" in more


@pytest.mark.parametrize("used", ["", "-1", "x", "1e3", "100001"])
def test_a_number_that_is_none_is_refused(avdl, page, used):
    groupe = GroupeMesures.objects.create(dispositif=avdl, libelle="AVDL", nombre=3, ouvert_le="2024-01-01")
    answer = page.post(reverse("offre:declarer_mesures", args=[groupe.pk]), {"utilisees": used}, follow=True)
    assert "« AVDL » :" in plain(answer)
    groupe.refresh_from_db()
    assert groupe.utilisees is None


def test_the_second_of_two_editors_gets_both_versions(avdl, page):
    groupe = GroupeMesures.objects.create(dispositif=avdl, libelle="AVDL", nombre=3, ouvert_le="2024-01-01")
    url = reverse("offre:modifier_mesures", args=[groupe.pk])
    assert page.post(url, typed(version="1", nombre="7")).status_code == 302
    answer = page.post(url, typed(version="1", nombre="9"))
    assert answer.status_code == 409
    assert answer.context["conflit"] == [("Nombre de mesures", "7", "9")]
    assert 'value="9"' in answer.text
    assert page.post(url, typed(version="2", nombre="9")).status_code == 302
    assert GroupeMesures.objects.get().nombre == 9


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"libelle": ""}, "Donnez un nom au groupe"),
        ({"nombre": "-1"}, "Au moins 0"),
        ({"ferme_le": "01/01/2023"}, "La fermeture ne peut pas précéder l'ouverture."),
    ],
)
def test_a_group_that_makes_no_sense_is_refused(avdl, page, changes, sentence):
    answer = page.post(reverse("offre:creer_mesures", args=[avdl.pk]), typed(**changes))
    assert sentence in plain(answer)
    assert not GroupeMesures.objects.exists()


def test_only_an_accompagnement_has_mesures_and_only_the_veille_sociale_prestations(rattachement, accueil, page):
    chrs = make_hebergement(rattachement)
    assert page.get(reverse("offre:creer_mesures", args=[chrs.pk])).status_code == 404
    assert page.get(reverse("offre:prestations_dispositif", args=[chrs.pk])).status_code == 404
    for make in (
        lambda: GroupeMesures.objects.create(
            dispositif=chrs, categorie_dispositif=chrs.categorie, libelle="x", nombre=1, ouvert_le="2024-01-01"
        ),
        lambda: PrestationProposee.objects.create(dispositif=chrs, nature="REPAS"),
    ):
        with pytest.raises(IntegrityError) as caught, transaction.atomic():
            make()
        assert sentence_of(caught.value)


# --- Prestations ------------------------------------------------------------------------------------------------


def test_the_week_of_a_prestation_is_typed_as_people_write_it(accueil, page):
    url = reverse("offre:horaires", args=[accueil.pk, "REPAS"])
    week = {"jour_1": "9h-12h, 14h – 17h30", "jour_5": "20:00-8:00", "jour_7": "0h-24h", "precision": "Sur place"}
    assert "Repas : la semaine est enregistrée." in plain(page.post(url, week, follow=True))
    assert PrestationProposee.objects.get().semaine == [
        ("Lundi", "09:00-12:00, 14:00-17:30"),
        ("Vendredi", "20:00-08:00"),
        ("Dimanche", "00:00-00:00"),
    ]
    assert 'value="09:00-12:00, 14:00-17:30"' in page.get(url).text
    page.post(url, {"jour_2": "9h-10h", "vus": PrestationProposee.objects.get().horaires})
    assert PrestationProposee.objects.get().horaires == "Mardi 09:00-10:00"


@pytest.mark.parametrize(
    ("week", "sentence"),
    [
        ({"jour_1": "neuf heures"}, "Écrivez les heures ainsi"),
        ({"jour_1": "9h-25h"}, "Écrivez les heures ainsi"),
        ({"jour_1": "9h60-10h"}, "Écrivez les heures ainsi"),
        ({"jour_1": ",".join(["9h-10h"] * 7)}, "6 créneaux par jour au plus"),
        ({"jour_1": "9h-12h, 11h-14h"}, "Deux créneaux de cette prestation se chevauchent."),
        ({"jour_7": "20h-8h", "jour_1": "7h-9h"}, "Deux créneaux de cette prestation se chevauchent."),
        ({"jour_1": "20h-8h", "jour_2": "7h-9h"}, "Deux créneaux de cette prestation se chevauchent."),
    ],
)
def test_a_week_that_makes_no_sense_is_refused(accueil, page, week, sentence):
    answer = page.post(reverse("offre:horaires", args=[accueil.pk, "REPAS"]), week)
    assert sentence in plain(answer)
    assert not Creneau.objects.exists()


def test_a_prestation_that_is_not_in_the_fiche_has_no_hours(accueil, page, assistant):
    assert page.get(reverse("offre:horaires", args=[accueil.pk, "LAVERIE"])).status_code == 404
    auteur = habilitation_of(assistant)
    with pytest.raises(actions.Refusal, match="pas dans la fiche"):
        actions.set_hours(auteur=auteur, dispositif=accueil, nature="LAVERIE", precision="", creneaux=[], vus="")


def test_hours_changed_meanwhile_are_not_overwritten(accueil, page):
    url = reverse("offre:horaires", args=[accueil.pk, "REPAS"])
    page.post(url, {"jour_1": "9h-12h", "vus": ""})
    answer = page.post(url, {"jour_1": "8h-11h", "vus": ""})
    assert answer.status_code == 409
    assert answer.context["conflit"] == [("Lundi", "09:00-12:00", "08:00-11:00")]
    assert 'value="8h-11h"' in answer.text
    assert PrestationProposee.objects.get().horaires == "Lundi 09:00-12:00"


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ((2026, 3, 2, 8, 59), False),  # a Monday
        ((2026, 3, 2, 9), True),
        ((2026, 3, 2, 12), False),
        ((2026, 3, 8, 23), True),  # Sunday night
        ((2026, 3, 2, 7, 59), True),
        ((2026, 3, 3, 7), False),
    ],
)
def test_open_now_is_said_by_the_clock_of_the_departement(accueil, page, moment, is_open):
    prestation = PrestationProposee.objects.create(dispositif=accueil, nature="REPAS")
    prestation.creneaux.create(jour=1, heure_debut="09:00", heure_fin="12:00")
    prestation.creneaux.create(jour=7, heure_debut="20:00", heure_fin="08:00")
    with time_machine.travel(datetime.datetime(*moment, tzinfo=PARIS), tick=False):
        found = PrestationProposee.objects.for_list().get()
        assert found.ouverte == is_open


def test_two_creneaux_never_overlap_whoever_writes(accueil):
    prestation = PrestationProposee.objects.create(dispositif=accueil, nature="REPAS")
    other = PrestationProposee.objects.create(dispositif=accueil, nature="HYGIENE")
    insert = "INSERT INTO offre_creneau (prestation_id, jour, heure_debut, heure_fin) VALUES (%s, %s, %s, %s)"
    with connection.cursor() as cursor:
        cursor.execute(insert, [prestation.pk, 7, "20:00", "08:00"])
        cursor.execute(insert, [other.pk, 7, "20:00", "08:00"])
        cursor.execute(insert, [prestation.pk, 1, "08:00", "09:00"])
    with pytest.raises(IntegrityError) as caught, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(insert, [prestation.pk, 1, "07:59", "08:00"])
    assert sentence_of(caught.value) == "Deux créneaux de cette prestation se chevauchent."


@pytest.mark.parametrize(
    ("name", "count"),
    [("mesures", 14), ("mesures_dispositif", 14), ("prestations", 15), ("prestations_dispositif", 15)],
)
def test_same_number_of_queries_for_one_row_or_twenty(
    rattachement, avdl, accueil, page, name, count, django_assert_num_queries
):
    where = avdl if "mesures" in name else accueil
    url = reverse(f"offre:{name}", args=[where.pk] if "dispositif" in name else [])

    def more(number):
        GroupeMesures.objects.create(dispositif=avdl, libelle=f"AVDL {number}", nombre=3, ouvert_le="2024-01-01")
        one = PrestationProposee.objects.create(dispositif=make_dispositif(rattachement), nature="REPAS")
        one.creneaux.create(jour=1, heure_debut="09:00", heure_fin="12:00")

    PrestationProposee.objects.create(dispositif=accueil, nature="REPAS")
    more(0)
    page.get(url)
    with django_assert_num_queries(count):
        page.get(url)
    for number in range(1, 20):
        more(number)
    PrestationProposee.objects.create(dispositif=accueil, nature="HYGIENE")
    with django_assert_num_queries(count):
        page.get(url)
