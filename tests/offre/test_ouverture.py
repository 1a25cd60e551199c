"""Open data: only the validated offer that may be said, by token, as the OpenAPI document says it."""

import csv
import datetime
import io
import json

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from comptes import saisies
from comptes.droits import Profil
from comptes.models import EntreeJournal
from offre.models import Dispositif, FicheSirene, JetonOuverture, PrestationProposee, Rattachement, SpecificitePublic
from offre.models.nomenclature import Statut
from offre.ouverture import donnees, jetons
from siao.socle.french_csv import encoded
from tests.comptes.fabrique import client_of, habilitation_of, make_utilisateur, plain
from tests.navigateur import Navigateur
from tests.offre.fabrique import make_dispositif, make_hebergement, make_rattachement

pytestmark = pytest.mark.django_db


@pytest.fixture
def national():
    return make_utilisateur(Profil.ADMIN_NATIONAL)


@pytest.fixture
def program(national):
    """What a program of a structure asks with."""
    _, secret = jetons.give(
        auteur=habilitation_of(national), structure="Ville", courriel="open@ville.example", formulaire="1:x"
    )
    return Navigateur(headers={"Authorization": f"Bearer {secret}"})


@pytest.fixture
def rattachement():
    return make_rattachement("44", nom="Association l'Ancre")


@pytest.fixture
def chrs(rattachement):
    chrs = make_hebergement(rattachement, nom="CHRS le Phare", courriel="phare@ancre.example", telephone="+33261910012")
    chrs.publics.add("100")
    return chrs


def names(program, **query) -> list[str]:
    return [one["name"] for one in program.get(reverse("api_services"), query).json()["contents"]]


# --- What is published ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"statut": Statut.BROUILLON},
        {"statut": Statut.SOUMIS},
        {"statut": Statut.PREVALIDE},
        {"statut": Statut.A_CORRIGER},
        {"statut": Statut.REFUSE},
        {"statut": Statut.FERME, "date_fermeture": datetime.date(2024, 1, 1)},
        {"date_fermeture": datetime.date(2024, 1, 1)},
        {"adresse_confidentielle": True},
    ],
)
def test_only_the_validated_open_and_not_confidential_offer(program, chrs, change):
    assert names(program) == ["CHRS le Phare"]
    url = reverse("api_service", args=[donnees.identifier("service", chrs.pk)])
    place = reverse("api_lieu", args=[donnees.identifier("service_at_location", chrs.pk)])
    entite = reverse("api_organization", args=[donnees.identifier("organization", chrs.entite_id)])
    assert [program.get(one).status_code for one in (url, place, entite)] == [200, 200, 200]
    Dispositif.objects.filter(pk=chrs.pk).update(**change)
    assert names(program) == []
    assert [program.get(one).status_code for one in (url, place, entite)] == [404, 404, 404]
    for address in ("offre_csv", "api_lieux", "api_organizations"):
        assert "Phare" not in _text(program.get(reverse(address)))


def test_nor_that_of_an_entite_that_is_not_validated(program, chrs):
    Rattachement.objects.update(statut=Statut.SOUMIS)
    assert names(program) == []


def test_a_place_for_women_who_flee_violence_is_nowhere(program, rattachement):
    hidden = make_hebergement(rattachement, nom="Refuge zqfvv", voie="12 rue zqsecrète", adresse_confidentielle=True)
    hidden.specificites.add(SpecificitePublic.objects.get(code="FVV"))
    every = [reverse(name) for name in ("offre_csv", "api_services", "api_lieux", "api_organizations")]
    for address in [*every, f"{reverse('api_services')}?full=true"]:
        answer = program.get(address)
        assert answer.status_code == 200
        assert "zq" not in _text(answer)


def _text(answer) -> str:
    return (b"".join(answer.streaming_content) if answer.streaming else answer.content).decode()


def test_the_register_gives_its_name_to_the_organization(program, chrs):
    FicheSirene.objects.create(
        siren=chrs.siren, etat="ACTIVE", denomination="ANCRE", categorie_juridique="9220", lue_le="2026-01-01T00:00Z"
    )
    [one] = program.get(reverse("api_organizations")).json()["contents"]
    assert (one["name"], one["alternate_name"]) == ("ANCRE", "Association l'Ancre")
    assert one["legal_status"] == "Association déclarée"
    assert one["organization_identifiers"][0]["identifier"] == chrs.siren
    FicheSirene.objects.update(diffusible=False)
    [one] = program.get(reverse("api_organizations")).json()["contents"]
    assert one["name"] == "Association l'Ancre"


# --- As the document says it ------------------------------------------------------------------------------------


def test_the_document_is_valid_and_every_answer_is_what_it_says(program, rattachement, chrs):
    document = Navigateur().get(reverse("api_openapi")).json()
    validate(document)
    accueil = make_dispositif(rattachement, type_id="ACCUEIL_JOUR")
    repas = PrestationProposee.objects.create(dispositif=accueil, nature="REPAS")
    repas.creneaux.create(jour=7, heure_debut="20:00", heure_fin="08:00")
    ids = {
        "services": donnees.identifier("service", accueil.pk),
        "organizations": donnees.identifier("organization", chrs.entite_id),
        "service_at_locations": donnees.identifier("service_at_location", chrs.pk),
    }
    asked = 0
    for path, item in document["paths"].items():
        for query in ("", "?full=true") if path == "/services" else ("",):
            resource = path.split("/")[1]
            address = reverse("api_offre") + path[1:].replace("{id}", ids.get(resource, "")) + query
            answer = program.get(address)
            assert answer.status_code == 200, address
            schema = item["get"]["responses"]["200"]["content"]["application/json"]["schema"]
            whole = {**schema, "components": document["components"]}
            Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(answer.json())
            asked += 1
    assert asked == 8
    full = program.get(reverse("api_service", args=[ids["services"]])).json()
    assert full["schedules"] == [
        {
            "id": donnees.identifier("schedule", repas.creneaux.get().pk),
            "freq": "WEEKLY",
            "byday": "SU",
            "opens_at": "20:00",
            "closes_at": "08:00",
            "description": "Repas",
        }
    ]


def test_pages_and_filters(program, rattachement, chrs):
    for number in range(4):
        make_hebergement(make_rattachement("35"), nom=f"Rennes {number}")
    first = program.get(reverse("api_services"), {"per_page": "2"}).json()
    assert (first["total_items"], first["total_pages"], first["size"], first["last_page"]) == (5, 3, 2, False)
    last = program.get(reverse("api_services"), {"per_page": "2", "page": "3"}).json()
    assert (last["size"], last["last_page"], last["empty"]) == (1, True, False)
    assert program.get(reverse("api_services"), {"page": "9"}).json()["empty"]
    assert names(program, departement="44") == ["CHRS le Phare"]
    assert names(program, organization_id=donnees.identifier("organization", chrs.entite_id)) == ["CHRS le Phare"]
    assert names(program, organization_id="x") == []
    Dispositif.objects.filter(pk=chrs.pk).update(modifie_le="2020-01-01T00:00Z")
    assert "CHRS le Phare" not in names(program, modified_after="2021-01-01")
    assert "CHRS le Phare" in names(program, modified_after="2020-01-01")


@pytest.mark.parametrize(
    "query",
    [
        {"page": "0"},
        {"page": "-1"},
        {"page": "x"},
        {"page": "9" * 30},
        {"page": "١"},
        {"per_page": "101"},
        {"modified_after": "hier"},
        {"modified_after": "2026-13-45"},
    ],
)
def test_a_parameter_that_means_nothing_is_said(program, query):
    answer = program.get(reverse("api_services"), query)
    assert answer.status_code == 400
    assert next(iter(query)) in answer.json()["erreur"]


@pytest.mark.parametrize("text", ["\x00", "😀", "9" * 500])
def test_a_departement_that_does_not_exist_has_nothing(program, chrs, text):
    assert names(program, departement=text) == []


@pytest.mark.parametrize("identifier", ["1", "x" * 200, "51a00000-0002-8000-8000-00000000000g", "%00", "null"])
def test_an_identifier_that_names_nothing(program, chrs, identifier):
    assert program.get(f"{reverse('api_services')}/{identifier}").status_code == 404
    other_kind = donnees.identifier("organization", chrs.pk)
    assert program.get(reverse("api_service", args=[other_kind])).status_code == 404


def test_same_number_of_queries_for_one_service_or_twenty(program, chrs, django_assert_num_queries):
    url = f"{reverse('api_services')}?full=true"
    with django_assert_num_queries(9):
        program.get(url)
    for _ in range(20):
        make_hebergement(make_rattachement("44")).publics.add("10")
    with django_assert_num_queries(9):
        program.get(url)


# --- The file ---------------------------------------------------------------------------------------------------


def test_the_file_opens_in_a_spreadsheet_and_computes_nothing(program, chrs):
    Dispositif.objects.filter(pk=chrs.pk).update(nom='=HYPERLINK("http://x")')
    answer = program.get(reverse("offre_csv"))
    assert answer["Content-Disposition"].startswith("attachment; filename=")
    text = _text(answer)
    assert text.startswith("\ufeffidentifiant;siren;entite;")
    [line] = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")), delimiter=";")
    assert line["dispositif"] == '\'=HYPERLINK("http://x")'
    assert line["commune"] == chrs.commune.nom
    assert line["publics"] == "Couple avec enfant"
    assert line["telephone"] == "02 61 91 00 12"


def test_numbers_stay_numbers():
    assert b"".join(encoded([[-3, "-3", None]])) == "\ufeff-3;'-3;\r\n".encode()


# --- Tokens -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer x", "Basic eDp5", "Bearer siao_" + "x" * 5_000, "Bearer é"])
def test_without_a_token_nothing(header):
    answer = Navigateur().get(reverse("api_services"), headers={"Authorization": header} if header else {})
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Bearer")
    assert "jeton" in answer.json()["erreur"]


def test_being_logged_in_opens_nothing(national, chrs):
    assert client_of(national).get(reverse("offre_csv")).status_code == 401


def test_a_token_is_given_once_and_taken_back(national):
    page = client_of(national)
    url = reverse("offre:donnees_ouvertes")
    answer = page.post(url, {"structure": "Ville", "courriel": "open@ville.example"})
    secret = answer.context["secret"]
    assert secret in answer.text
    assert secret not in page.get(url).text
    jeton = JetonOuverture.objects.get()
    assert secret not in json.dumps([str(value) for value in JetonOuverture.objects.values_list().get()])
    again = page.post(url, {"structure": "Ville", "courriel": "autre@ville.example"})
    assert "Cette structure a déjà un jeton" in plain(again)
    program = Navigateur(headers={"Authorization": f"Bearer {secret}"})
    assert program.get(reverse("api_offre")).status_code == 200
    page.post(reverse("offre:retirer_jeton", args=[jeton.pk]))
    assert program.get(reverse("api_offre")).status_code == 401
    assert EntreeJournal.objects.filter(action__in=["offre.donner_jeton", "offre.retirer_jeton"]).count() == 2


def test_a_double_click_gives_one_token_and_both_answers_show_it(national):
    page = client_of(national)
    url = reverse("offre:donnees_ouvertes")
    form = {saisies.FIELD: page.stamp(), "structure": "Ville", "courriel": "open@ville.example"}
    secrets = [page.post(url, form).context["secret"] for _ in range(2)]
    assert secrets[0] == secrets[1]
    jeton = JetonOuverture.objects.get()
    assert EntreeJournal.objects.filter(action="offre.donner_jeton").count() == 1
    assert Navigateur(headers={"Authorization": f"Bearer {secrets[1]}"}).get(reverse("api_offre")).status_code == 200
    # The same form with other words, another form, another person's: another token, or none.
    other = page.post(url, form | {"structure": "Métropole"})
    assert other.context["secret"] != secrets[0]
    for refused in (
        page.post(url, form | {saisies.FIELD: page.stamp()}),
        client_of(make_utilisateur(Profil.ADMIN_NATIONAL)).post(url, form),
    ):
        assert secrets[0] not in refused.text
    # It is shown for a moment, and no more once it is taken back.
    for change in (
        {"cree_le": timezone.now() - saisies.REMONTRE},
        {"retire_le": timezone.now(), "cree_le": timezone.now()},
    ):
        JetonOuverture.objects.filter(pk=jeton.pk).update(**change)
        late = page.post(url, form)
        assert "qui n'est plus montré" in plain(late)
        assert secrets[0] not in late.text
    assert JetonOuverture.objects.count() == 2


def test_a_token_is_slowed_down_for_the_minute_and_no_longer(program):
    JetonOuverture.objects.update(par_minute=2)
    url = reverse("api_offre")
    with time_machine.travel("2026-03-02T10:00:10Z", tick=False) as clock:
        assert [program.get(url).status_code for _ in range(3)] == [200, 200, 429]
        slowed = program.get(url)
        assert slowed["Retry-After"] == "50"
        clock.shift(50)
        assert program.get(url).status_code == 200


def test_only_reading(program):
    for method in ("post", "put", "patch", "delete"):
        assert getattr(program, method)(reverse("api_services")).status_code == 405
