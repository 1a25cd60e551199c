"""The lists of places, mesures and prestations as files; and where a confidential address is said, everywhere."""

import datetime

import pytest
from django.urls import reverse

from comptes.droits import Profil
from offre.models import Creneau, Dispositif, GroupeMesures, PrestationProposee
from tests.classeurs import lines_of
from tests.comptes.fabrique import client_of, make_utilisateur, plain
from tests.offre.fabrique import (
    make_accompagnement,
    make_dispositif,
    make_groupe,
    make_hebergement,
    make_rattachement,
)

pytestmark = pytest.mark.django_db

ORIENTE = {"composition": "100", "taille": "4"}
LISTES = {
    "places": ({}, {"q": "familles"}, {"etat": "libres"}, {"type": "30"}),
    "disponibilites": (ORIENTE, {**ORIENTE, "pmr": "on"}),
    "mesures": ({}, {"q": "avdl"}),
    "prestations": ({}, {"q": "xyz"}, {"tri": "-nature"}),
}


@pytest.fixture
def offre():
    """Three dispositifs with what each offers: the hébergement as many rooms as a list has lines on three pages."""
    rattachement = make_rattachement("44")
    chrs = make_hebergement(rattachement)
    make_groupe(chrs, libelle="Familles", etats=["LIBRE", ""], pmr=True)
    make_groupe(chrs, libelle="=SOMME(A1)", etats=["LIBRE"])
    avdl = make_accompagnement(rattachement)
    GroupeMesures.objects.create(dispositif=avdl, libelle="AVDL", nombre=3, ouvert_le="2024-01-01")
    GroupeMesures.objects.create(dispositif=avdl, libelle="DALO", nombre=3, financees=2, ouvert_le="2024-01-01")
    accueil = make_dispositif(rattachement, nom="Accueil", type_id="ACCUEIL_JOUR", prestations=["REPAS", "HYGIENE"])
    for nature in accueil.prestations:
        prestation = PrestationProposee.objects.create(dispositif=accueil, nature=nature)
        for jour in (1, 2):
            Creneau.objects.create(
                prestation=prestation, jour=jour, heure_debut=datetime.time(9), heure_fin=datetime.time(12)
            )
    return rattachement


@pytest.fixture
def operateur():
    return client_of(make_utilisateur(Profil.OPERATEUR_SIAO))


@pytest.mark.parametrize("nom", LISTES)
def test_the_file_holds_what_is_on_the_screen(offre, operateur, nom):
    for filters in LISTES[nom]:
        answer = operateur.get(reverse(f"offre:{nom}"), filters)
        table = answer.context["table"]
        shown = [[str(cell["value"]) for cell in row] for row in table.rows]
        if shown:
            assert reverse(f"offre:exporter_{nom}") in answer.text
        for kind in ("csv", "xlsx"):
            file = operateur.get(reverse(f"offre:exporter_{nom}"), {**filters, "format": kind})
            assert file["Content-Disposition"].startswith("attachment")
            headers, *lines = lines_of(file, kind)
            assert headers == [column.header for column in table.columns]
            # What would be a formula is text in a csv: an apostrophe comes before it.
            assert [[cell.removeprefix("'") for cell in line] for line in lines] == shown
    nobody = client_of(make_utilisateur(None))
    assert nobody.get(reverse(f"offre:exporter_{nom}"), filters).status_code == 403
    elsewhere = client_of(make_utilisateur(Profil.OPERATEUR_SIAO, departement_id="35"))
    assert len(lines_of(elsewhere.get(reverse(f"offre:exporter_{nom}"), LISTES[nom][0]), "xlsx")) == 1


def test_the_file_holds_all_the_pages(offre, operateur):
    chrs = Dispositif.objects.get(categorie="HEBERGEMENT")
    for number in range(55):
        make_groupe(chrs, libelle=f"Groupe {number:02}", etats=["LIBRE"])
    for nom in ("places", "disponibilites"):
        file = operateur.get(reverse(f"offre:exporter_{nom}"), {**ORIENTE, "page": "2", "format": "csv"})
        assert len(lines_of(file, "csv")) == 58


def test_no_file_of_free_places_before_the_menage_is_known(offre, operateur):
    answer = operateur.get(reverse("offre:exporter_disponibilites"), {"composition": "100", "taille": "2"}, follow=True)
    assert "compte au moins 3 personnes" in plain(answer)
    departemental = client_of(make_utilisateur(Profil.ADMIN_DEPARTEMENTAL))
    assert departemental.get(reverse("offre:exporter_disponibilites"), ORIENTE).status_code == 403


@pytest.mark.parametrize("nom", LISTES)
def test_the_same_number_of_queries_for_a_file_of_one_line_or_twenty(
    offre, operateur, nom, django_assert_max_num_queries
):
    url = reverse(f"offre:exporter_{nom}")

    def download():
        return lines_of(operateur.get(url, ORIENTE), "xlsx")

    download()
    with django_assert_max_num_queries(20) as few:
        assert len(download()) == 3
    for number in range(20):
        make_groupe(Dispositif.objects.get(categorie="HEBERGEMENT"), libelle=f"G {number}", etats=["LIBRE"])
        mesures = Dispositif.objects.get(categorie="MESURES")
        GroupeMesures.objects.create(dispositif=mesures, libelle=f"G {number}", nombre=1, ouvert_le="2024-01-01")
        accueil = make_dispositif(offre, nom=f"Accueil {number}", type_id="ACCUEIL_JOUR", prestations=["REPAS"])
        PrestationProposee.objects.create(dispositif=accueil, nature="REPAS")
    with django_assert_max_num_queries(20) as many:
        assert len(download()) == 23
    assert len(few) == len(many)


# --- Confidential addresses -------------------------------------------------------------------------------------

LIEU = ("Nantes", "44000", "rue Secrète", "résidence Cachée")
"""What locates the refuge of these tests."""


@pytest.fixture
def refuge(offre):
    """Every dispositif of ``offre`` is at a confidential address."""
    Dispositif.objects.update(
        adresse_confidentielle=True,
        voie="12 rue Secrète",
        complement="résidence Cachée",
        code_postal="44000",
        commune_id="44109",
    )
    return Dispositif.objects.get(categorie="HEBERGEMENT")


PAGES = ("places", "mesures", "prestations", "dispositifs", "communes")


@pytest.mark.parametrize(
    "profil", [Profil.ADMIN_NATIONAL, Profil.ADMIN_DEPARTEMENTAL, Profil.OPERATEUR_SIAO, Profil.GESTIONNAIRE_ENTITE]
)
def test_no_list_no_file_and_no_page_of_places_locates_a_refuge(offre, refuge, profil):
    client = client_of(make_utilisateur(profil, objets=[offre] if profil == Profil.GESTIONNAIRE_ENTITE else []))
    files = [reverse("offre:exporter", args=["dispositifs"])]
    files += [reverse(f"offre:exporter_{nom}") for nom in ("places", "mesures", "prestations")]
    read = [plain(client.get(reverse(f"offre:{nom}"))) for nom in PAGES]
    read += [
        str(lines_of(client.get(url), "xlsx")) for url in (*files, reverse("offre:exporter", args=["dispositifs"]))
    ]
    for dispositif in Dispositif.objects.all():
        page = {"HEBERGEMENT": "places", "MESURES": "mesures"}.get(dispositif.categorie, "prestations")
        read.append(plain(client.get(reverse(f"offre:{page}_dispositif", args=[dispositif.pk]))))
    read.append(plain(client.get(reverse("offre:place", args=[refuge.groupes.first().places.first().pk]))))
    for text in read:
        assert len(text) > 200, "rien n'a été lu"
        assert [word for word in LIEU if word in text] == []


def test_the_file_of_free_places_does_not_locate_a_refuge_that_the_page_locates(offre, refuge, operateur):
    nantes = {**ORIENTE, "commune": "nantes"}
    assert "Nantes (adresse confidentielle)" in plain(operateur.get(reverse("offre:disponibilites"), nantes))
    url = reverse("offre:exporter_disponibilites")
    _, *lines = lines_of(operateur.get(url, ORIENTE), "xlsx")
    assert {line[2] for line in lines} == {"Confidentielle"}
    # A file in which every other line is in Nantes would say where these are.
    assert len(lines_of(operateur.get(url, nantes), "xlsx")) == 1


def test_sorting_by_commune_does_not_tell_between_which_communes_a_refuge_is(operateur):
    rattachement = make_rattachement("44")
    # Nantes, Saint-Colomban, Saint-Nazaire.
    for nom, commune, code_postal in (("A", "44109", "44000"), ("B", "44155", "44310"), ("C", "44184", "44600")):
        confidential = {"adresse_confidentielle": nom == "B"}
        make_dispositif(rattachement, nom=nom, commune_id=commune, code_postal=code_postal, **confidential)
    for tri, expected in (("commune", ["B", "A", "C"]), ("-commune", ["C", "A", "B"])):
        table = operateur.get(reverse("offre:dispositifs"), {"tri": tri}).context["table"]
        assert [row[0]["value"] for row in table.rows] == expected
