"""Workbooks that people have touched where they should not: what spreadsheets really do to files."""

import io

import openpyxl
import pytest
from openpyxl.worksheet.table import Table

from tests.classeurs import AUTRE_SIREN, DISPOSITIF, ENTITE, PENSION, classeur

pytestmark = pytest.mark.django_db


@pytest.fixture
def touched(chain):
    """Read the valid workbook after ``change(book)``."""

    def read(change, **rows):
        book = openpyxl.load_workbook(io.BytesIO(classeur(**rows)))
        change(book)
        stream = io.BytesIO()
        book.save(stream)
        return chain.read(stream.getvalue())

    return read


def found(travail):
    return set(travail.anomalies.values_list("code", "cellule"))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda book: book["Entités"].insert_cols(2), "A7"),
        (lambda book: book["Entités"].delete_cols(3), "Téléphone"),
        (lambda book: book["Dispositifs"].insert_rows(1), "A7"),
        (lambda book: book.remove(book["Financement"]), "l'onglet « Financement » est absent"),
        (lambda book: setattr(book["Entités"], "title", "Structures"), "« Structures »"),
        (lambda book: setattr(book["Entités"]["G7"], "value", "Notes"), "« rien » attendu, « Notes » trouvé"),
        (
            lambda book: (
                setattr(book["Entités"]["A7"], "value", "Code SIREN*"),
                setattr(book["Entités"]["B7"], "value", "Nom de l'entité*"),
            ),
            "« Nom de l'entité* » attendu, « Code SIREN* » trouvé",
        ),
    ],
)
def test_a_modified_structure_is_refused_with_the_differences(touched, change, words):
    travail = touched(change)
    assert travail.etat == "REFUSE"
    assert "La structure du classeur a été modifiée" in travail.motif
    if words != "A7" and words != "Téléphone":
        assert words in travail.motif
    assert "Téléchargez de nouveau le modèle" in travail.motif


def test_headers_are_compared_as_people_read_them(touched):
    def change(book):
        book["Entités"]["A7"] = "NOM  de l’entite"
        book["Entités"]["B7"] = "Code\nSIREN *"
        book["Dispositifs"]["C7"] = "Catégorie\u00a0*"

    assert touched(change).etat == "PRET"


def test_two_tabs_of_the_same_name_are_refused_and_named(touched):
    def copy(book):
        book.copy_worksheet(book["Entités"]).title = "Entites"

    travail = touched(copy)
    assert travail.etat == "REFUSE"
    assert "les onglets « Entités » et « Entites » ont le même nom, aux accents près" in travail.motif


def test_a_tab_written_without_accents_is_the_one_of_the_model(touched):
    assert touched(lambda book: setattr(book["Entités"], "title", "ENTITES")).etat == "PRET"


def test_extra_tabs_that_look_alike_are_both_said(touched):
    travail = touched(lambda book: [book.create_sheet(name) for name in ("Brouillon", "Bröuillon")])
    assert travail.etat == "PRET"
    assert sorted(travail.anomalies.values_list("feuille", "code")) == [
        ("Brouillon", "feuille_ignoree"),
        ("Bröuillon", "feuille_ignoree"),
    ]


def test_hidden_tabs_and_rows_are_read_and_said(touched):
    def hide(book):
        book["Entités"].sheet_state = "hidden"
        for number in (9, 10, 12):
            book["Dispositifs"].row_dimensions[number].hidden = True

    rows = [{**DISPOSITIF, "nom": f"CHRS {number}"} for number in range(4)]
    travail = touched(hide, dispositifs=rows, financements=[])
    assert travail.etat == "PRET"
    assert travail.bilan["dispositifs"]["crees"] == 4
    said = {found.code: (found.feuille, found.message) for found in travail.anomalies.all()}
    assert set(said) == {"onglet_masque", "lignes_masquees"}
    assert said["onglet_masque"][0] == "Entités"
    assert "« Entités » est masqué" in said["onglet_masque"][1]
    assert said["lignes_masquees"][0] == "Dispositifs"
    assert ": 9 à 10, 12." in said["lignes_masquees"][1]


def test_an_extra_tab_is_not_read_and_said(touched):
    travail = touched(lambda book: book.create_sheet("Brouillon").append(["à effacer"]))
    assert travail.etat == "PRET"
    assert found(travail) == {("feuille_ignoree", "")}


def test_merged_cells_are_an_error_on_each_line(touched):
    rows = [DISPOSITIF, PENSION, {**PENSION, "nom": "Autre pension"}]
    travail = touched(lambda book: book["Dispositifs"].merge_cells("A9:A11"), dispositifs=rows)
    assert travail.etat == "A_CORRIGER"
    assert {("cellules_fusionnees", f"A{row}") for row in (9, 10, 11)} <= found(travail)


def test_errors_of_the_spreadsheet_and_formulas(touched):
    def change(book):
        tab = book["Entités"]
        tab["C9"] = "=1/0"
        tab["D9"] = "#REF!"
        tab["D9"].data_type = "e"

    travail = touched(change)
    assert found(travail) == {("formule_non_calculee", "C9"), ("erreur_tableur", "D9")}


def test_a_value_out_of_the_table(touched):
    def change(book):
        book["Entités"]["J9"] = "note"
        book["Entités"]["XFD900000"] = "loin"

    travail = touched(change)
    assert found(travail) == {("hors_tableau", "J9"), ("hors_tableau", "XFD900000")}


def test_the_total_row_of_a_table_is_no_entite(touched):
    def change(book):
        tab = book["Entités"]
        tab["A10"] = "Total"
        tab["B10"] = "1"
        table = Table(displayName="Entites", ref="A8:F10", totalsRowCount=1)
        tab.add_table(table)
        for position, cell in enumerate(tab[8]):
            cell.value = f"Colonne {position}"

    travail = touched(change)
    assert travail.etat == "PRET"
    assert travail.bilan["entites"]["crees"] == 1


def test_protection_comments_and_styles_do_no_harm(touched):
    def change(book):
        tab = book["Entités"]
        tab.protection.sheet = True
        tab["A9"].comment = openpyxl.comments.Comment("à vérifier", "x")
        tab["A9"].font = openpyxl.styles.Font(bold=True)
        tab.auto_filter.ref = "A7:F9"

    assert touched(change).etat == "PRET"


def test_more_rows_than_the_limit(chain):
    rows = [{"nom": f"E{number}", "siren": None} for number in range(5_001)]
    travail = chain.read(classeur(rows, [], []))
    assert travail.etat == "REFUSE"
    assert "plus de 5\u202f000 lignes" in travail.motif


def test_an_empty_template_has_nothing_to_import(chain):
    travail = chain.read(classeur([], [], []))
    assert travail.etat == "A_CORRIGER"
    assert found(travail) == {("classeur_vide", "")}
    assert "ne décrit aucune fiche" in travail.anomalies.get().message


def test_an_empty_template_does_not_propose_to_close_everything(chain):
    chain.apply()
    travail = chain.read(classeur([], [], []))
    assert travail.etat == "A_CORRIGER"
    assert not travail.ecarts.exists()


def test_a_name_is_shown_escaped_everywhere(page, chain):
    hostile = "<script>alert(1)</script>"
    travail = chain.apply(
        classeur(
            [{**ENTITE, "nom": hostile}, {"nom": "{{7*7}}", "siren": AUTRE_SIREN}], [{**DISPOSITIF, "entite": hostile}]
        )
    )
    for url in (travail.get_absolute_url(), "/offre/entites/", "/offre/dispositifs/"):
        text = page.get(url).text
        assert hostile not in text
        assert "&lt;script&gt;" in text
    assert "{{7*7}}" in page.get("/offre/entites/").text
