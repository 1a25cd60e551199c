"""Nothing disappears: whatever stands where no row is expected is read, or reported at its cell."""

import io

import openpyxl
import pytest

from offre.colonnes.declaration import ENTITES, SHEETS
from offre.models import Anomalie
from offre.temps1.annotation import annotated_file
from offre.temps1.lecture import read_file
from offre.temps1.modele_file import template_file
from siao.socle.refusal import Refusal
from siao.socle.workbook.sandbox import read_workbook
from tests.classeurs import AUTRE_SIREN, DISPOSITIF, ENTITE, PENSION, SIREN, classeur, departement

pytestmark = pytest.mark.django_db

PONT = {"nom": "Fondation le Pont", "siren": AUTRE_SIREN}


@pytest.fixture
def lire(tmp_path):
    def read(change=lambda book: None, content=None):
        book = openpyxl.load_workbook(io.BytesIO(content or classeur()))
        change(book)
        path = tmp_path / "classeur.xlsx"
        book.save(path)
        return read_file(path, departement())

    return read


def found(lecture):
    return {(problem.rule.code, problem.cell) for problem in lecture.problems}


def type_in(tab, row: int, entite: dict, *, whole: bool = True) -> None:
    """Write an entité in a row; ``whole`` empties its other cells first."""
    if whole:
        for cell in tab[row]:
            cell.value = None
    tab.cell(row, 1).value, tab.cell(row, 2).value = entite["nom"], entite["siren"]


def sirens(lecture):
    return {row["siren"] for row in lecture.rows["Entités"].values()}


def test_an_entite_typed_over_the_whole_help_is_read(lire):
    lecture = lire(lambda book: type_in(book["Entités"], 8, PONT))
    assert lecture.problems == []
    assert sirens(lecture) == {SIREN, AUTRE_SIREN}


def test_an_entite_typed_over_a_part_of_the_help_is_an_error_at_its_cell(lire):
    lecture = lire(lambda book: type_in(book["Entités"], 8, PONT, whole=False))
    assert found(lecture) == {("au_dessus_du_tableau", "A8")}
    [problem] = lecture.errors
    assert "« Fondation le Pont », « 000440024 »" in problem.message
    assert "à partir de la ligne 9" in problem.message


def test_the_help_row_deleted_loses_nothing(lire):
    lecture = lire(lambda book: book["Entités"].delete_rows(8), classeur([PONT, ENTITE]))
    assert lecture.problems == []
    assert sirens(lecture) == {SIREN, AUTRE_SIREN}
    lecture = lire(lambda book: [book[sheet.name].delete_rows(8) for sheet in SHEETS])
    assert lecture.problems == []
    assert [len(rows) for rows in lecture.rows.values()] == [1, 1, 1]


def test_rows_sorted_with_the_help_lose_nothing(lire):
    def sort(book):
        tab = book["Entités"]
        help_row = [cell.value for cell in tab[8]]
        type_in(tab, 8, ENTITE)
        for position, text in enumerate(help_row, start=1):
            tab.cell(9, position).value = text
        type_in(tab, 10, PONT)

    lecture = lire(sort)
    assert sirens(lecture) == {SIREN, AUTRE_SIREN}
    assert [(problem.rule.code, problem.row) for problem in lecture.problems] == [("ligne_du_modele", 9)]


@pytest.mark.parametrize("row", [1, 2, 3, 4, 5, 6])
def test_an_entite_above_the_headers_is_an_error_at_its_cell(lire, row):
    lecture = lire(lambda book: type_in(book["Entités"], row, PONT))
    assert found(lecture) == {("au_dessus_du_tableau", f"A{row}")}
    assert lecture.errors


@pytest.mark.parametrize("address", ["C1", "B3", "F5", "K2", "I8", "BZ4"])
def test_a_note_beside_the_title_is_an_error_at_its_cell(lire, address):
    lecture = lire(lambda book: book["Entités"].__setitem__(address, "note du 12"))
    assert address in {problem.cell for problem in lecture.errors}
    assert len(lecture.errors) == 1


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
@pytest.mark.parametrize("value", [12, True, "x"])
def test_every_tab_reports_what_is_above_its_rows(lire, sheet, value):
    lecture = lire(lambda book: book[sheet.name].__setitem__("B4", value))
    assert found(lecture) == {("au_dessus_du_tableau", "B4")}


def test_the_texts_of_an_earlier_template_are_its_own(lire):
    def former(book):
        book["Entités"]["B8"] = "9 chiffres (espaces tolérés), clé de Luhn, unique au niveau national"
        book["Entités"]["A3"] = None
        book["Dispositifs"]["H8"] = None
        book["Dispositifs"]["A1"] = "  Dispositifs du  département "
        book["Financement"]["D6"] = "acte"

    assert lire(former).problems == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda tab: tab.insert_rows(1), r"est en ligne 8 au lieu de la ligne 7 \(supprimez la ligne ajoutée"),
        (lambda tab: tab.insert_rows(7, 3), r"est en ligne 10 au lieu de la ligne 7 \(supprimez les 3 lignes"),
        (lambda tab: tab.delete_rows(2), r"est en ligne 6 au lieu de la ligne 7 \(remettez la ligne supprimée"),
        (lambda tab: tab.move_range("A7:F7", rows=60), r"est en ligne 67 au lieu de la ligne 7 \(annulez le tri"),
    ],
)
def test_headers_at_another_row_are_said_once_with_what_to_do(lire, change, words):
    with pytest.raises(Refusal, match=words) as refusal:
        lire(lambda book: change(book["Entités"]))
    assert str(refusal.value).count("onglet Entités") == 1


def test_headers_pasted_again_below_are_ignored_and_the_rows_after_them_read(lire):
    def again(book):
        tab = book["Entités"]
        for position, column in enumerate(ENTITES.columns, start=1):
            tab.cell(10, position).value = column.header
        type_in(tab, 11, PONT)

    lecture = lire(again)
    assert [(problem.rule.code, problem.row) for problem in lecture.problems] == [("ligne_du_modele", 10)]
    assert sirens(lecture) == {SIREN, AUTRE_SIREN}


def test_rows_past_a_gap_are_read_and_the_gap_is_one_warning(lire):
    lecture = lire(lambda book: type_in(book["Entités"], 3000, PONT))
    [problem] = lecture.problems
    assert (problem.rule.code, problem.row) == ("ligne_vide", 10)
    assert problem.message.startswith("Les lignes 10 à 2999 sont vides")
    assert sirens(lecture) == {SIREN, AUTRE_SIREN}


def test_a_total_row_is_one_error(lire):
    rows = [DISPOSITIF, {"entite": "TOTAL général :", "places": 30, "places_urgence": 10}]
    lecture = lire(content=classeur(dispositifs=rows))
    assert found(lecture) == {("ligne_de_total", "A10")}
    assert "La ligne 10 est un total (« TOTAL général : »)" in lecture.errors[0].message
    lecture = lire(content=classeur([{**ENTITE, "nom": "Total"}], [{**DISPOSITIF, "entite": "Total"}]))
    assert lecture.problems == []


def test_a_fiche_at_the_end_of_a_table_with_a_total_row_is_read(lire):
    def table(book):
        tab = book["Entités"]
        type_in(tab, 10, PONT)
        tab.add_table(openpyxl.worksheet.table.Table(displayName="Entites", ref="A7:F10", totalsRowCount=1))

    assert sirens(lire(table)) == {SIREN, AUTRE_SIREN}


def test_a_second_table_at_the_right_is_one_error(lire):
    def beside(book):
        for row in range(9, 15):
            book["Entités"].cell(row, 9).value = "note"
            book["Entités"].cell(row, 11).value = row

    problems = [problem for problem in lire(beside).problems if problem.rule.code == "hors_tableau"]
    assert [problem.cell for problem in problems] == ["I9"]
    assert "12 valeurs hors du tableau, de I9 à K14" in problems[0].message


def test_merged_cells_are_not_missing_as_well(lire):
    rows = [DISPOSITIF, PENSION]
    lecture = lire(lambda book: book["Dispositifs"].merge_cells("A9:A10"), classeur(dispositifs=rows))
    assert found(lecture) == {("cellules_fusionnees", "A9"), ("cellules_fusionnees", "A10")}


@pytest.mark.parametrize("kind", ["xlsx", "ods"])
def test_the_template_itself_has_nothing_above_its_rows(tmp_path, kind):
    path = tmp_path / f"modele.{kind}"
    with path.open("wb") as stream:
        template_file(stream, departement(), kind=kind)
    assert {code for code, _ in found(read_file(path, departement()))} == {"classeur_vide"}


@pytest.mark.parametrize("kind", ["xlsx", "ods"])
def test_the_annotated_workbook_keeps_what_is_above_and_says_the_same(tmp_path, kind):
    path = tmp_path / f"classeur.{kind}"
    path.write_bytes(typed_above(kind))
    lecture = read_file(path, departement())
    assert found(lecture) == {("au_dessus_du_tableau", "A4"), ("siren_longueur", "B8")}
    anomalies = [
        Anomalie(
            gravite=problem.rule.severity.value,
            feuille=problem.sheet,
            ligne=problem.row,
            cellule=problem.cell,
            colonne=problem.column,
            code=problem.rule.code,
            message=problem.message,
        )
        for problem in lecture.problems
    ]
    again = tmp_path / f"annote.{kind}"
    again.write_bytes(annotated_file(read_workbook(path), anomalies))
    assert found(read_file(again, departement())) == found(lecture)


def typed_above(kind: str) -> bytes:
    """A workbook whose row 8 is an entité with a wrong SIREN, and whose row 4 is another."""
    from offre.colonnes.listes import Listes
    from offre.temps1.modele import write_xlsx
    from offre.temps1.modele_ods import write_ods

    rows = {
        "Entités": [
            (4, ["Fondation le Pont", AUTRE_SIREN]),
            (8, ["Association l'Ancre", "44"]),
            (9, ["Autre", SIREN]),
        ]
    }
    stream = io.BytesIO()
    (write_ods if kind == "ods" else write_xlsx)(stream, Listes(), rows=rows)
    return stream.getvalue()
