"""One mistake, one message, that says what to do."""

import io

import openpyxl
import pytest

from offre.models import Anomalie
from offre.temps1 import travaux
from offre.temps1.lecture import read_file
from tests.classeurs import AUTRE_SIREN, DISPOSITIF, ENTITE, FINANCEMENT, address, classeur, departement, with_cell

pytestmark = pytest.mark.django_db


@pytest.fixture
def lire(tmp_path):
    def read(content: bytes):
        path = tmp_path / "classeur"
        path.write_bytes(content)
        return read_file(path, departement())

    return read


def places(lecture):
    return [(problem.rule.code, problem.cell) for problem in lecture.problems]


def test_the_same_wrong_value_all_along_a_column_is_one_error(lire):
    rows = [{**DISPOSITIF, "nom": f"CHRS {number}", "perennite": "zz"} for number in range(400)]
    lecture = lire(classeur(dispositifs=rows, financements=[]))
    assert places(lecture) == [("hors_liste", "J9")]
    assert lecture.errors[0].message.endswith("Lignes concernées : 9 à 408.")
    rows[200]["perennite"] = "Pérenne"
    lecture = lire(classeur(dispositifs=rows, financements=[]))
    assert lecture.errors[0].message.endswith("Lignes concernées : 9 à 208, 210 à 408.")
    assert lecture.errors[0].ranges == ((9, 208), (210, 408))


def test_a_word_filled_down_is_as_many_errors_as_it_has_columns(lire):
    lecture = lire(classeur([ENTITE] + [{"nom": "zz", "siren": "zz"} for _ in range(4_990)]))
    assert len(lecture.errors) == 3
    assert {problem.rule.code for problem in lecture.errors} == {"siren_caracteres", "nom_en_double"}
    assert [problem.cell for problem in lecture.errors] == ["A10", "B10", "A11"]


def test_three_alike_are_told_one_by_one_and_different_values_always(lire):
    rows = [{**DISPOSITIF, "nom": f"CHRS {number}", "perennite": "zz"} for number in range(3)]
    assert [cell for _, cell in places(lire(classeur(dispositifs=rows, financements=[])))] == ["J9", "J10", "J11"]
    rows = [{**DISPOSITIF, "nom": f"CHRS {number}", "perennite": f"z{number}"} for number in range(9)]
    assert len(lire(classeur(dispositifs=rows, financements=[])).errors) == 9


def test_the_cells_of_a_group_are_all_coloured_in_the_annotated_workbook(page, chain):
    rows = [{**DISPOSITIF, "nom": f"CHRS {number}", "perennite": "zz"} for number in range(6)]
    travail = chain.read(classeur(dispositifs=rows, financements=[]))
    assert travail.bilan["erreurs"] == Anomalie.objects.count() == 1
    travaux.annotate(travail.pk)
    travail.refresh_from_db()
    with travail.annote.open() as file:
        tab = openpyxl.load_workbook(io.BytesIO(file.read()))["Dispositifs"]
    assert [tab[f"J{row}"].comment is not None for row in range(9, 16)] == [True] * 6 + [False]
    assert "Lignes concernées : 9 à 14." in page.get(travail.get_absolute_url()).content.decode()


# (tab, column, cell, rule, words)
SENTENCES = [
    ("Dispositifs", "publics", "Homme seul / Femme seule", "hors_liste", "séparez-les par « ; », par exemple « Homme"),
    ("Dispositifs", "publics", "Homme seul et Femme seule", "hors_liste", "Homme seul ; Femme seule"),
    ("Dispositifs", "publics", "Homme seul + femme seule", "hors_liste", "Homme seul ; Femme seule"),
    ("Dispositifs", "publics", "Homme seul / Martien", "hors_liste", "n'est pas dans la liste"),
    ("Financement", "ligne", 177, "hors_liste", "peut-être « Programme 177 – Hébergement"),
    ("Financement", "ligne", "177", "hors_liste", "peut-être « Programme 177 – Hébergement"),
    ("Financement", "ligne", "BOP 177", "hors_liste", "peut-être « Programme 177 – Hébergement"),
    ("Entités", "telephone", "N/A", "a_laisser_vide", "« N/A » n'est pas une valeur : laissez vide"),
    ("Entités", "courriel", "néant", "a_laisser_vide", "laissez vide"),
    ("Entités", "convention", "Sans objet", "a_laisser_vide", "laissez vide"),
    ("Dispositifs", "siret", "-", "a_laisser_vide", "laissez vide"),
    ("Dispositifs", "finess", "NC", "a_laisser_vide", "laissez vide"),
    ("Dispositifs", "date_fermeture", "n.c.", "a_laisser_vide", "laissez vide"),
    ("Dispositifs", "age_min", "non renseigné", "a_laisser_vide", "laissez vide"),
    ("Dispositifs", "specificites", "Aucune", "a_laisser_vide", "laissez vide"),
    ("Dispositifs", "animaux", "NSP", "a_laisser_vide", "laissez vide"),
    ("Financement", "montant_annuel", "/", "a_laisser_vide", "laissez vide"),
    ("Financement", "quantite", "N/A", "entier", "n'est pas un nombre entier"),
    ("Dispositifs", "logements", "abc", "cellule_grisee", "reste vide"),
    ("Dispositifs", "contingent_prefectoral", "abc", "cellule_grisee", "reste vide"),
]


@pytest.mark.parametrize(("sheet", "key", "cell", "code", "words"), SENTENCES)
def test_the_sentence_says_what_to_do(lire, sheet, key, cell, code, words):
    lecture = lire(with_cell(sheet, key, cell))
    assert places(lecture) == [(code, address(sheet, key))]
    assert words in lecture.errors[0].message


def test_a_name_given_many_times_names_its_first_row(lire):
    twins = [{**ENTITE, "siren": siren} for siren in (AUTRE_SIREN, "000440032")]
    lecture = lire(classeur([ENTITE, *twins]))
    doubles = [(problem.cell, problem.message) for problem in lecture.errors if problem.rule.code == "nom_en_double"]
    assert [cell for cell, _ in doubles] == ["A9", "A10", "A11"]
    assert "en ligne 10" in doubles[0][1]
    assert "en ligne 9" in doubles[2][1]
    lecture = lire(classeur(financements=[FINANCEMENT] * 3))
    assert places(lecture) == [("financement_en_double", f"A{row}") for row in (9, 10, 11)]


def test_the_example_of_the_template_is_one_error(lire):
    lecture = lire(classeur([ENTITE, {"nom": "Association sportive du FC", "siren": "123456789"}]))
    assert places(lecture) == [("ligne_exemple", "B10")]
