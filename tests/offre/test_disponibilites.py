"""« Places disponibles »: by composition AND size, always; and the reminder that keeps it true."""

import datetime

import pytest
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from comptes.droits import Profil
from comptes.models import Utilisateur
from offre import rappels
from offre.models import Dispositif, GroupePlaces, Indisponibilite, Place
from offre.models.nomenclature import Statut
from tests.comptes.fabrique import client_of, habilite, make_utilisateur, plain
from tests.offre.fabrique import make_groupe, make_hebergement, make_place, make_rattachement

pytestmark = pytest.mark.django_db

URL = reverse("offre:disponibilites")
A_DAY = datetime.timedelta(days=1)


@pytest.fixture
def rattachement():
    return make_rattachement("44")


@pytest.fixture
def chrs(rattachement):
    return make_hebergement(rattachement)


@pytest.fixture
def operateur():
    return client_of(make_utilisateur(Profil.OPERATEUR_SIAO))


def found(page, composition="100", taille=4, **others) -> str:
    """What the page says to who looks for a place, in one line."""
    answer = page.get(URL, {"composition": composition, "taille": taille, **others})
    assert answer.status_code == 200
    return plain(answer)


def test_a_free_room_is_found_by_the_families_that_fit_and_by_nobody_else(chrs, operateur):
    make_groupe(chrs, libelle="Familles", accueils={"100": (3, 4), "40": (2, 3)}, etats=["LIBRE", "LIBRE", "OCCUPEE"])
    fits = {("100", 3), ("100", 4), ("40", 2), ("40", 3)}
    for composition, taille in [*fits, ("100", 5), ("40", 4), ("10", 1), ("30", 2), ("60", 4)]:
        text = found(operateur, composition, taille)
        assert ("Familles" in text) == ((composition, taille) in fits), (composition, taille)
    assert "1 groupe avec au moins une place libre pour « Couple avec enfant », 4 personnes" in found(operateur)


def test_a_room_for_four_is_not_four_places_for_people_alone(chrs, operateur):
    make_groupe(chrs, libelle="Familles", etats=["LIBRE"])
    make_groupe(chrs, libelle="Dortoir", accueils={"10": (1, 1)}, couchages=1, etats=["LIBRE"] * 3)
    text = found(operateur, "10", 1)
    assert "Dortoir" in text
    assert "Familles" not in text
    rows = GroupePlaces.objects.with_free_places(composition="10", taille=1, day=timezone.localdate())
    assert [row.nb_libres for row in rows] == [3]


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({}, "La composition et la taille du ménage sont obligatoires"),
        ({"composition": "100"}, "Donnez le nombre"),
        ({"taille": "4"}, "Choisissez la composition"),
        ({"composition": "100", "taille": "2"}, "compte au moins 3 personnes"),
        ({"composition": "10", "taille": "2"}, "compte 1 personne"),
        ({"composition": "9", "taille": "2"}, "Choisissez une composition de la liste"),
        ({"composition": "100", "taille": "0"}, "Au moins 1"),
        ({"composition": "100", "taille": "4", "type": "x"}, "choix"),
    ],
)
def test_nothing_is_shown_before_both_are_known(chrs, operateur, asked, sentence):
    make_groupe(chrs, libelle="Familles", etats=["LIBRE"])
    text = plain(operateur.get(URL, asked))
    assert sentence in text
    assert "Familles" not in text


@pytest.mark.parametrize(
    "change",
    [
        {"statut": Statut.PREVALIDE},
        {"statut": Statut.A_CORRIGER},
        {"statut": Statut.FERME, "date_fermeture": datetime.date(2024, 1, 1)},
        {"orientation_siao": False},
        {"date_ouverture": datetime.date(2100, 1, 1)},
        {"date_fermeture": timezone.localdate()},
    ],
)
def test_the_siao_orients_to_validated_open_dispositifs_that_it_orients_to(chrs, operateur, change):
    make_groupe(chrs, libelle="Familles", etats=["LIBRE"])
    assert "Familles" in found(operateur)
    Dispositif.objects.filter(pk=chrs.pk).update(**change)
    assert "Familles" not in found(operateur)


def test_a_place_under_works_closed_or_not_yet_open_is_not_free(chrs, operateur):
    groupe = make_groupe(chrs, libelle="Familles", etats=["LIBRE"])
    place, today = groupe.places.get(), timezone.localdate()
    works = Indisponibilite.objects.create(place=place, motif="TRAVAUX", date_debut=today, date_fin=today)
    assert "Familles" not in found(operateur)
    Indisponibilite.objects.filter(pk=works.pk).update(date_debut=today - 2 * A_DAY, date_fin=today - A_DAY)
    assert "Familles" in found(operateur)
    for dates in ({"fermee_le": today}, {"ouverte_le": today + A_DAY, "fermee_le": None}):
        Place.objects.update(**dates)
        assert "Familles" not in found(operateur)


def test_the_other_criteria_narrow(chrs, operateur, rattachement):
    make_groupe(chrs, libelle="Familles", etats=["LIBRE"], pmr=True)
    commune = chrs.commune.nom
    assert "Familles" in found(operateur, commune=commune.upper(), type="30", pmr="on")
    assert "Familles" not in found(operateur, commune="Xyz")
    assert "Familles" not in found(operateur, type="10")
    GroupePlaces.objects.update(pmr=False)
    assert "Familles" not in found(operateur, pmr="on")


def test_a_confidential_place_is_found_by_those_who_orient_there_alone(chrs, operateur, rattachement):
    Dispositif.objects.filter(pk=chrs.pk).update(adresse_confidentielle=True, voie="12 rue Secrète")
    make_groupe(chrs, libelle="Refuge", etats=["LIBRE"])
    text = found(operateur)
    assert f"{chrs.commune.nom} (adresse confidentielle)" in text
    assert "rue Secrète" not in text
    other_siao = client_of(make_utilisateur(Profil.OPERATEUR_SIAO, departement_id="35"))
    assert "Refuge" not in found(other_siao)
    assert client_of(make_utilisateur(Profil.ADMIN_DEPARTEMENTAL)).get(URL).status_code == 403
    listed = client_of(make_utilisateur(Profil.ADMIN_DEPARTEMENTAL)).get(reverse("offre:places"))
    assert chrs.commune.nom not in plain(listed)


def test_the_most_recently_declared_comes_first(chrs, operateur):
    for name, hours in (("Hier", 20), ("Midi", 3), ("Nuit", 9)):
        groupe = make_groupe(chrs, libelle=name, etats=[])
        make_place(groupe, etat="LIBRE", il_y_a=datetime.timedelta(hours=hours))
    text = found(operateur)
    assert text.index("Midi") < text.index("Nuit") < text.index("Hier")
    assert "il y a 3 heures" in text


def test_same_number_of_queries_for_one_group_or_twenty(chrs, operateur, django_assert_num_queries):
    make_groupe(chrs, etats=["LIBRE"])
    found(operateur)
    with django_assert_num_queries(14):
        found(operateur)
    for _ in range(20):
        make_groupe(chrs, etats=["LIBRE", "OCCUPEE"])
    with django_assert_num_queries(14):
        found(operateur)


# --- The reminder -----------------------------------------------------------------------------------------------


def stale(dispositif, *, etat="LIBRE", hours=25):
    return make_place(make_groupe(dispositif, etats=[]), etat=etat, il_y_a=datetime.timedelta(hours=hours))


def test_the_home_page_counts_the_places_to_confirm(chrs):
    responsable = make_utilisateur(Profil.RESPONSABLE_DISPOSITIF, objets=[chrs])
    page = client_of(responsable)
    assert "places à déclarer" not in plain(page.get("/"))
    make_groupe(chrs, etats=["LIBRE", ""])
    assert "1 place à déclarer ou à confirmer" in plain(page.get("/"))
    assert ", depuis" not in plain(page.get("/"))  # open since 2020, but typed today
    stale(chrs)
    assert "2 places à déclarer ou à confirmer (plus de 24 h)" in plain(page.get("/"))
    travailleur = client_of(make_utilisateur(Profil.TRAVAILLEUR_SOCIAL, objets=[chrs]))
    assert "places à déclarer" not in plain(travailleur.get("/"))


def test_an_occupied_logement_is_not_asked_about_each_day(rattachement):
    pension = make_hebergement(
        rattachement,
        categorie="LOGEMENT_RS",
        type_id="PENSION",
        logements=4,
        contingent_prefectoral=False,
        **dict.fromkeys(("places", "places_urgence", "places_stabilisation", "places_insertion")),
    )
    stale(pension, etat="OCCUPEE")
    assert not Place.objects.to_confirm(timezone.now()).exists()
    free = stale(pension, etat="LIBRE")
    assert Place.objects.to_confirm(timezone.now()).get() == free
    taken = Place.objects.exclude(pk=free.pk).first()
    yesterday = timezone.localdate() - datetime.timedelta(days=1)
    taken.indisponibilites.create(motif="TRAVAUX", date_debut=yesterday, date_fin=yesterday)
    assert set(Place.objects.to_confirm(timezone.now())) == {free, taken}, "de retour de travaux, il se redit"


def test_one_email_a_day_to_the_responsable(chrs, rattachement):
    other = make_hebergement(rattachement)
    responsable = make_utilisateur(Profil.RESPONSABLE_DISPOSITIF, objets=[chrs, other])
    gestionnaire = make_utilisateur(Profil.GESTIONNAIRE_ENTITE, objets=[rattachement])
    make_utilisateur(Profil.TRAVAILLEUR_SOCIAL, objets=[chrs])
    for dispositif in (chrs, chrs, other):
        stale(dispositif)
    assert rappels.remind() == 1
    [message] = mail.outbox
    assert message.to == [responsable.courriel]
    assert message.subject == "3 places à déclarer ou à confirmer"
    assert f"- {chrs} : 2 places" in message.body
    assert reverse("offre:places_dispositif", args=[other.pk]) in message.body
    assert rappels.remind() == 0
    assert rappels.remind(timezone.now() + datetime.timedelta(hours=25)) == 1
    responsable.habilitations.update(retiree_le=timezone.now())
    assert rappels.remind(timezone.now() + datetime.timedelta(hours=50)) == 1
    assert mail.outbox[-1].to == [gestionnaire.courriel]


def test_nobody_is_reminded_of_fresh_places_nor_of_closed_dispositifs(chrs, rattachement):
    make_utilisateur(Profil.RESPONSABLE_DISPOSITIF, objets=[chrs])
    stale(chrs, hours=23)
    assert rappels.remind() == 0
    stale(chrs)
    Dispositif.objects.filter(pk=chrs.pk).update(statut=Statut.SOUMIS)
    assert rappels.remind() == 0
    Dispositif.objects.filter(pk=chrs.pk).update(statut=Statut.VALIDE)
    Utilisateur.objects.update(is_active=False)
    assert rappels.remind() == 0


def test_a_mail_server_that_fails_loses_no_reminder(chrs, settings, monkeypatch):
    habilite(make_utilisateur(None), Profil.RESPONSABLE_DISPOSITIF, objets=[chrs])
    stale(chrs)
    with monkeypatch.context() as broken:
        broken.setattr("django.core.mail.EmailMessage.send", _refuse)
        assert rappels.remind() == 0
    assert rappels.remind() == 1


def _refuse(self):
    raise ConnectionRefusedError


@pytest.mark.parametrize("text", ["\x00", "\ud800", "😀", "9" * 5_000])
def test_what_no_list_holds_finds_nothing_and_breaks_nothing(operateur, text):
    for url, fields in ((URL, ("composition", "taille", "commune", "type")), (reverse("offre:places"), ("q", "type"))):
        for field in fields:
            asked = {"composition": "100", "taille": "4", field: text.encode("utf-8", "surrogatepass")}
            assert operateur.get(url, asked).status_code == 200, field
