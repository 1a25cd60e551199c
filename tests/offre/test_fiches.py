"""Fiches in the browser: create, read, change, by who may."""

import datetime
import re

import pytest
from django.urls import reverse
from stdnum import luhn

from comptes.droits import Profil
from offre.models import Dispositif, Entite, Financement, Rattachement, Transition
from tests.classeurs import DISPOSITIF, ENTITE, FINANCEMENT, SIREN
from tests.comptes.fabrique import client_of, make_utilisateur, words
from tests.offre.fabrique import make_dispositif, make_financement, make_rattachement
from tests.offre.formulaires import champs

pytestmark = pytest.mark.django_db


@pytest.fixture
def siao():
    return client_of(make_utilisateur(Profil.ADMIN_SIAO))


def url(nom, *args):
    return reverse(f"offre:{nom}", args=args)


def make_chrs(entite, **fields):
    chrs = make_dispositif(
        entite,
        **{
            "categorie": "HEBERGEMENT",
            "type_id": "CHRS",
            "implantation": "REGROUPE",
            "prestations": [],
            "places": 30,
            "places_urgence": 10,
            "places_stabilisation": 5,
            "places_insertion": 15,
            **fields,
        },
    )
    chrs.publics.set(["10", "20"])
    return chrs


def opened(client, address: str) -> dict:
    """The fields of the form at ``address``, as a browser would send them back."""
    form = client.get(address).context["form"]
    fields = {}
    for bound in form:
        value = bound.value()
        if value not in (None, ""):
            fields[bound.html_name] = value
    context = client.get(address).context
    return fields | {"version": context["version"], "revision": context.get("revision", 0)}


# --- Creating ---------------------------------------------------------------------------------------------------


def test_an_entite_its_dispositif_and_its_financement(page, siao):
    answer = page.post(url("creer_entite"), champs("Entités", ENTITE), follow=True)
    entite = Rattachement.objects.get()
    assert (entite.nom, entite.entite.siren, entite.departement_id, entite.statut) == (
        ENTITE["nom"],
        SIREN,
        "44",
        "VALIDE",
    )
    assert SIREN in words(answer)
    address = url("creer_dispositif", entite.pk)
    assert "Catégorie du dispositif" in words(page.get(address))
    filled = page.get(address, {"categorie": "HEBERGEMENT"})
    assert 'name="places"' in filled.text
    assert 'name="mesures"' not in filled.text
    answer = page.post(address, champs("Dispositifs", DISPOSITIF), follow=True)
    dispositif = Dispositif.objects.get()
    assert (dispositif.places, dispositif.commune_id, dispositif.statut) == (30, "44109", "VALIDE")
    assert [str(public) for public in dispositif.publics.all()] == ["Homme seul", "Femme seule"]
    assert "1 rue des Exemples" in words(answer)
    page.post(url("creer_financement", dispositif.pk), champs("Financement", FINANCEMENT))
    assert Financement.objects.get().montant_annuel == 250000.5
    assert "2024-001" in words(page.get(url("fiche", "dispositifs", dispositif.pk)))
    assert list(Transition.objects.values_list("de", "vers")) == [("", "VALIDE")] * 2
    # The SIAO types a draft.
    other = {**ENTITE, "nom": "Fondation le Pont", "siren": "000440024"}
    siao.post(url("creer_entite"), champs("Entités", other))
    assert Rattachement.objects.get(nom="Fondation le Pont").statut == "BROUILLON"


def test_a_known_siren_is_attached_and_not_created_twice(page):
    elsewhere = make_rattachement("35", entite=Entite.objects.create(siren=SIREN))
    answer = page.post(url("creer_entite"), champs("Entités", ENTITE), follow=True)
    assert Entite.objects.count() == 1
    assert Rattachement.objects.filter(entite=elsewhere.entite).count() == 2
    assert "déjà connu hors de ce département" in words(answer)


def test_errors_keep_what_was_typed_and_write_nothing(page):
    answer = page.post(url("creer_entite"), champs("Entités", {**ENTITE, "siren": "1234"}))
    assert answer.status_code == 200
    assert "Un SIREN a 9 chiffres, celui-ci en a 4" in words(answer)
    assert ENTITE["nom"] in words(answer)
    entite = make_rattachement("44", nom=ENTITE["nom"])
    answer = page.post(url("creer_dispositif", entite.pk), champs("Dispositifs", {**DISPOSITIF, "places": "31"}))
    assert "= 30, et non 31" in words(answer)
    assert not Dispositif.objects.exists()


def test_a_column_that_the_category_closes_is_refused_when_forged(page):
    entite = make_rattachement("44", nom=ENTITE["nom"])
    data = champs("Dispositifs", DISPOSITIF) | {"mesures": "12"}
    answer = page.post(url("creer_dispositif", entite.pk), data)
    assert "Cette donnée reste vide quand « Catégorie » vaut « Hébergement »" in words(answer)
    assert not Dispositif.objects.exists()


def test_nothing_is_created_in_what_is_closed_or_elsewhere(page):
    closed = make_rattachement("44", statut="FERME", date_fermeture=datetime.date(2024, 1, 1))
    assert "elle ne reçoit plus de dispositif" in words(page.get(url("creer_dispositif", closed.pk)))
    page.post(url("creer_dispositif", closed.pk), champs("Dispositifs", DISPOSITIF))
    foreign = make_rattachement("35")
    assert page.post(url("creer_dispositif", foreign.pk), champs("Dispositifs", DISPOSITIF)).status_code == 404
    assert not Dispositif.objects.exists()


def test_a_region_says_in_which_departement_first():
    dreets = client_of(make_utilisateur(Profil.ADMIN_DEPARTEMENTAL, region_id="52"))
    assert "Maine-et-Loire" in words(dreets.get(url("creer_entite")))
    dreets.post(url("creer_entite") + "?departement=49", champs("Entités", ENTITE))
    assert Rattachement.objects.get().departement_id == "49"
    assert "SIREN" not in words(dreets.get(url("creer_entite"), {"departement": "35"}))


# --- Changing ---------------------------------------------------------------------------------------------------


def test_a_change_in_place_keeps_its_before_and_after(page):
    chrs = make_chrs(make_rattachement("44"), nom="CHRS le Phare")
    address = url("modifier", "dispositifs", chrs.pk)
    data = opened(page, address) | {"places": "31", "places_urgence": "11"}
    assert page.post(address, data).status_code == 302
    chrs.refresh_from_db()
    assert (chrs.places, chrs.places_urgence, chrs.version, chrs.statut) == (31, 11, 2, "VALIDE")
    [step] = Transition.objects.all()
    assert step.changements == {"places": [30, 31], "places_urgence": [10, 11]}
    history = words(page.get(url("fiche", "dispositifs", chrs.pk)))
    assert "<del>30</del>" in history
    # The same again changes nothing, and leaves no step.
    page.post(address, opened(page, address))
    assert Transition.objects.count() == 1


def test_the_second_of_two_editors_gets_their_data_and_the_difference(page):
    chrs = make_chrs(make_rattachement("44"), nom="CHRS le Phare")
    address = url("modifier", "dispositifs", chrs.pk)
    first, second = opened(page, address), opened(page, address)
    page.post(address, first | {"nom": "CHRS de la Source"})
    answer = page.post(address, second | {"nom": "CHRS du Moulin"})
    assert answer.status_code == 409
    text = words(answer)
    assert "Quelqu'un a enregistré avant vous" in text
    assert "<del>CHRS de la Source</del>" in text
    assert 'value="CHRS du Moulin"' in answer.text
    assert Dispositif.objects.get().nom == "CHRS de la Source"
    # What they keep of it goes through, on the version that they have now seen.
    again = second | {"nom": "CHRS du Moulin", "version": answer.context["version"]}
    assert page.post(address, again).status_code == 302
    assert Dispositif.objects.get().nom == "CHRS du Moulin"


@pytest.mark.parametrize("version", ["", "x", "-1", "9" * 30, "١"])
def test_a_version_that_is_none_is_a_conflict(page, version):
    entite = make_rattachement("44")
    address = url("modifier", "entites", entite.pk)
    answer = page.post(address, opened(page, address) | {"nom": "Autre nom", "version": version})
    assert answer.status_code == 409
    assert Rattachement.objects.get().nom != "Autre nom"


def test_sent_twice_it_is_done_once(page):
    address = url("creer_entite")
    data = champs("Entités", ENTITE) | {"ouvert_par": page.stamp()}
    first, second = page.post(address, data), page.post(address, data)
    assert (first.status_code, second.status_code) == (302, 302)
    assert second.url == first.url
    assert Rattachement.objects.count() == Transition.objects.count() == 1


def test_the_siren_of_an_entite_never_changes(page):
    entite = make_rattachement("44")
    address = url("modifier", "entites", entite.pk)
    assert 'name="siren"' not in page.get(address).text
    page.post(address, opened(page, address) | {"nom": "Autre nom", "siren": SIREN, "statut": "FERME"})
    entite.refresh_from_db()
    assert (entite.nom, entite.statut) == ("Autre nom", "VALIDE")
    assert entite.entite.siren != SIREN


def test_another_category_closes_its_columns(page):
    chrs = make_chrs(make_rattachement("44"))
    address = url("modifier", "dispositifs", chrs.pk)
    assert "Changer de catégorie" in words(page.get(address, {"categorie": "autre"}))
    shown = page.get(address, {"categorie": "MESURES"})
    assert 'name="mesures"' in shown.text
    assert 'name="places"' not in shown.text
    data = opened(page, address + "?categorie=MESURES") | {"type": "AVDL", "mesures": "20"}
    answer = page.post(address, data)
    assert answer.status_code == 302, answer.context["form"].errors
    chrs.refresh_from_db()
    assert (chrs.categorie, chrs.places, chrs.mesures, chrs.implantation) == ("MESURES", None, 20, "")


def test_a_financement_is_changed_by_those_who_type_the_offre(page):
    financement = make_financement(make_chrs(make_rattachement("44")), unite="PLACES", quantite=20)
    address = url("modifier", "financements", financement.pk)
    answer = page.post(address, opened(page, address) | {"quantite": "31"}, follow=True)
    financement.refresh_from_db()
    assert financement.quantite == 31
    assert "totalisent 31 places pour une capacité de 30" in words(answer)
    manager = make_utilisateur(Profil.GESTIONNAIRE_ENTITE, objets=[Rattachement.objects.get()])
    assert client_of(manager).get(address).status_code == 403


# --- Reading ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("profil", "seen"),
    [
        (Profil.ADMIN_SIAO, True),
        (Profil.OPERATEUR_SIAO, True),
        (Profil.ECOUTANT_115, True),
        (Profil.ADMIN_DEPARTEMENTAL, True),
        (Profil.RESPONSABLE_DISPOSITIF, True),
        (Profil.TRAVAILLEUR_SOCIAL, True),
        (Profil.ADMIN_NATIONAL, False),
        (Profil.ANALYSTE, False),
    ],
)
def test_a_confidential_address_is_for_those_who_orient_there_and_its_team(profil, seen):
    entite = make_rattachement("44")
    siret = f"{entite.entite.siren}0001"
    fvv = make_chrs(
        entite,
        adresse_confidentielle=True,
        voie="3 rue Tenue Secrète",
        complement="Porte bleue",
        siret=siret + luhn.calc_check_digit(siret),  # public registers say where it is
        finess="440990011",
    )
    reader = client_of(make_utilisateur(profil, objets=[fvv] if Profil(profil).rang > 4 else []))
    text = words(reader.get(url("fiche", "dispositifs", fvv.pk)))
    for secret in ("3 rue Tenue Secrète", "Porte bleue", fvv.commune.nom, fvv.code_postal):
        assert bool(re.search(rf"\b{secret}\b", text)) == seen, secret
    digits = re.sub(r"(?<=[0-9])\s(?=[0-9])", "", text)  # whole: five of them may be those of another number
    assert (fvv.siret in digits, fvv.finess in digits) == (seen, seen)
    assert ("Confidentiel" in text) or seen
    Dispositif.objects.update(adresse_confidentielle=False)
    assert "3 rue Tenue Secrète" in words(reader.get(url("fiche", "dispositifs", fvv.pk)))


def test_the_same_number_of_queries_whatever_the_fiche_holds(page, django_assert_max_num_queries):
    entite = make_rattachement("44")
    chrs = make_chrs(entite)
    addresses = [url("fiche", "entites", entite.pk), url("fiche", "dispositifs", chrs.pk)]
    for address in addresses:
        page.get(address)
    for _ in range(20):
        make_financement(chrs)
        make_chrs(entite)
    for address in addresses:
        with django_assert_max_num_queries(20):
            page.get(address)
