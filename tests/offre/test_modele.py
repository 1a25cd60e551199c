"""The template: what spreadsheets show of it, blank and prefilled, and that it can be read back."""

import io
import os
import shutil
import struct
import subprocess
import textwrap
import zipfile
from pathlib import Path

import openpyxl
import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from openpyxl.utils import column_index_from_string

from comptes.droits import Profil
from offre.colonnes.declaration import SHEETS
from offre.colonnes.listes import Listes
from offre.temps1.lecture import read_file
from offre.temps1.modele import write_xlsx
from offre.temps1.synthese import invented_rows
from siao.socle import ods
from siao.socle.workbook.sandbox import read_workbook
from tests.classeurs import AUTRE_SIREN, DISPOSITIF, ENTITE, FINANCEMENT, PENSION, classeur, departement
from tests.comptes.fabrique import client_of, make_utilisateur, words

pytestmark = pytest.mark.django_db
OFFICE, PDFTOPPM = shutil.which("soffice") or shutil.which("libreoffice"), shutil.which("pdftoppm")
needs_office = pytest.mark.skipif(OFFICE is None, reason="LibreOffice is not installed here")


@pytest.fixture
def book(tmp_path):
    path = tmp_path / "modele.xlsx"
    call_command("modele_temps1", departement="44", sortie=path, stdout=io.StringIO())
    return openpyxl.load_workbook(path)


def test_four_tabs_and_a_hidden_one(book):
    assert book.sheetnames == ["Entités", "Dispositifs", "Financement", "Annexes et guide", "Listes"]
    assert [sheet.sheet_state for sheet in book] == ["visible"] * 4 + ["hidden"]


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
def test_each_tab_has_the_official_layout(book, sheet):
    tab = book[sheet.name]
    assert tab["A1"].value == sheet.title
    assert tab["A2"].value == "Guide de remplissage :"
    assert tab["A5"].value == "Les données obligatoires sont suivies d'une *"
    assert [cell.value for cell in tab[7]] == [column.header for column in sheet.columns]
    groups = [cell.value for cell in tab[6] if cell.value]
    assert groups[0] == sheet.columns[0].group
    assert tab.max_row == 8
    assert not tab.merged_cells.ranges
    assert tab.freeze_panes == "B8"


def validations(tab):
    return {str(v.sqref).split(":")[0]: v for v in tab.data_validations.dataValidation}


def test_dropdowns_follow_the_lists_and_the_other_cells(book):
    entites, dispositifs, financement = (validations(book[sheet.name]) for sheet in SHEETS)
    assert entites["E9"].formula1 == "liste_conventions_collectives"
    assert dispositifs["A9"].formula1.startswith("OFFSET('Entités'!$A$9")
    assert "MATCH($C9,liste_types_categorie,0)" in dispositifs["D9"].formula1
    assert dispositifs["V9"].formula1 == "liste_compositions"
    assert not dispositifs["V9"].showErrorMessage  # several values can be typed
    assert dispositifs["O9"].formula1 == '"Oui,Non"'
    assert financement["A9"].formula1.startswith("OFFSET('Dispositifs'!$B$9")
    assert str(entites["E9"].sqref) == "E9:E5008"
    names = {name: defined.attr_text for name, defined in book.defined_names.items()}
    for validation in (*entites.values(), *dispositifs.values(), *financement.values()):
        if validation.formula1 and validation.formula1.startswith("liste_"):
            tab, cells = names[validation.formula1].split("!")
            assert all(row[0].value for row in book[tab][cells.replace("$", "")])


def test_grey_cells_open_by_conditional_formatting(book):
    tab = book["Dispositifs"]
    rules = {str(found.sqref).split(":")[0]: found.rules for found in tab.conditional_formatting}
    opening = [rule.formula[0] for rule in rules["Z9"]]
    assert opening == ['AND(OR($C9="Hébergement"),$Z9="")', 'OR($C9="Hébergement")']
    assert rules["U9"][1].formula == ['OR($T9="Oui")']
    assert rules["E9"][1].formula == ['LEFT($D9,5)="Autre"']
    assert rules["S9"][1].formula == ['AND($C9<>"",$C9<>"Premier accueil")']
    assert tab.column_dimensions["Z"].width
    assert tab.column_dimensions["Z"].fill.fgColor.rgb == "FFD9D9D9"


def test_the_lists_of_names_go_down_to_the_last_one_whatever_is_blank_in_between(book):
    for sheet, cell in (("Dispositifs", "A9"), ("Financement", "A9")):
        formula = validations(book[sheet])[cell].formula1
        assert "COUNTA" not in formula
        assert "SUMPRODUCT(MAX((" in formula
        assert len(formula) <= 255  # what Excel reads of it


def width_of(tab, name: str) -> float:
    """Neighbours of the same width are one description in the file."""
    number = column_index_from_string(name)
    return next(found.width for found in tab.column_dimensions.values() if found.min <= number <= found.max)


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
def test_headers_are_readable_on_screen_and_on_a4(book, sheet):
    tab = book[sheet.name]
    for column in sheet.columns:
        width = width_of(tab, sheet.letters[column.key])
        assert width > max(map(len, column.header.split()))
        lines = len(textwrap.wrap(column.header, int(width)))
        assert tab.row_dimensions[7].height >= 15 * lines
    assert tab.row_dimensions[8].height > 15
    assert (int(tab.page_setup.paperSize), tab.page_setup.orientation) == (9, "landscape")
    assert tab.print_title_rows == "$6:$7"
    assert tab.sheet_properties.pageSetUpPr.fitToPage
    assert tab.page_setup.fitToHeight == 0


def test_the_many_columns_of_dispositifs_take_as_many_pages_as_it_needs_to_be_read(book):
    assert book["Entités"].page_setup.fitToWidth in (1, None)
    tab = book["Dispositifs"]
    assert tab.page_setup.fitToWidth >= 4
    assert tab.print_title_cols == "$A:$B"


def test_the_annexes_are_printed_with_their_columns_together(book):
    tab = book["Annexes et guide"]
    assert tab.sheet_properties.pageSetUpPr.fitToPage
    assert (int(tab.page_setup.paperSize), tab.page_setup.orientation) == (9, "landscape")
    for row in range(1, tab.max_row + 1):
        text = tab.cell(row, 3).value or ""
        if len(text) > 105:
            assert tab.row_dimensions[row].height >= 30, text


def test_columns_are_as_wide_as_what_is_prefilled(tmp_path):
    name = "Association des Longs Couloirs de la Loire"
    book = openpyxl.load_workbook(io.BytesIO(classeur([{**ENTITE, "nom": name}])))
    assert book["Entités"].column_dimensions["A"].width > len(name)


def parts(content: bytes) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def test_the_ods_has_lists_greying_and_frozen_panes():
    content, settings = (parts(classeur([], kind="ods"))[name] for name in ("content.xml", "settings.xml"))
    assert 'xmlns:of="urn:oasis:names:tc:opendocument:xmlns:of:1.2"' in content
    assert "of:cell-content-is-in-list(liste_conventions_collectives)" in content
    assert 'table:name="liste_conventions_collectives"' in content
    assert """calcext:value='formula-is(OR([.$E9]="Autre"))'""" in content
    assert '<table:table-row table:number-rows-repeated="5000"><table:table-cell table:style-name="texte"' in content
    assert 'config:name="VerticalSplitPosition" config:type="int">7<' in settings
    assert 'config:name="HorizontalSplitPosition" config:type="int">1<' in settings


def test_a_formula_becomes_that_of_the_other_format():
    assert ods.formula("""AND('Entités'!$A$9:$A$12<>"a,b $C9",liste_x,ROW($B9))""") == (
        """AND([$'Entités'.$A$9:.$A$12]<>"a,b $C9";liste_x;ROW([.$B9]))"""
    )


def test_spaces_lines_and_tabs_of_an_ods_are_those_of_the_cell(tmp_path):
    path = tmp_path / "espaces.ods"
    with path.open("wb") as stream:
        ods.write(stream, ods.File([ods.Tab("T", [9], [ods.Row([ods.Cell("  a  b\tc \nd")])])]))
    assert read_workbook(path).sheets[0].rows == [(1, ["  a  b\tc \nd"])]


def test_codes_are_texts_and_keep_their_zeros(book):
    assert book["Entités"].column_dimensions["B"].number_format == "@"
    assert book["Dispositifs"].column_dimensions["M"].number_format == "@"
    assert book["Dispositifs"].column_dimensions["H"].number_format == "dd/mm/yyyy"


def test_prefilled_with_what_the_base_knows_and_nothing_to_change(chain, tmp_path):
    chain.apply(classeur(dispositifs=[DISPOSITIF, PENSION]))
    for kind in ("xlsx", "ods"):
        path = tmp_path / f"prerempli.{kind}"
        call_command("modele_temps1", departement="44", sortie=path, prerempli=True, format=kind, stdout=io.StringIO())
        travail = chain.read(path.read_bytes(), nom=path.name)
        assert travail.etat == "PRET", travail.motif
        assert set(travail.bilan["entites"].values()) == {0, 1}
        if kind == "xlsx":
            tab = openpyxl.load_workbook(path)["Dispositifs"]
            assert "C9" in validations(tab)
            assert tab["B9"].value == DISPOSITIF["nom"]
        assert list(travail.ecarts.values_list("libelle", "nature", "avant", "apres")) == []


def test_the_region_prefilled_has_nothing_to_change(chain, tmp_path):
    angers = {"code_postal": "49000", "commune": "Angers"}
    twin = {**ENTITE, "nom": "L'Ancre", "siren": AUTRE_SIREN}
    chain.apply(classeur([ENTITE, twin], [DISPOSITIF, {**PENSION, "entite": "L'Ancre"}]))
    for code, entites, dispositifs in (
        ("49", [{**ENTITE, "nom": "L'ancre"}], [{**DISPOSITIF, **angers, "entite": "L'ancre"}]),
        ("72", [ENTITE, twin], []),  # no dispositif there: they are known where they are attached
    ):
        there = make_utilisateur(Profil.ADMIN_DEPARTEMENTAL, departement_id=code)
        financements = [FINANCEMENT] if dispositifs else []
        chain.apply(classeur(entites, dispositifs, financements), territoire=departement(code), auteur=there)
    path = tmp_path / "region.xlsx"
    call_command("modele_temps1", region="52", sortie=path, prerempli=True, stdout=io.StringIO())
    book = openpyxl.load_workbook(path)
    assert [row[1].value for row in book["Dispositifs"].iter_rows(min_row=9)].count("CHRS le Phare") == 2
    assert {row[0].value for row in book["Financement"].iter_rows(min_row=9)} == {
        "CHRS le Phare (44)",
        "CHRS le Phare (49)",
    }
    of_region = make_utilisateur(Profil.ADMIN_DEPARTEMENTAL, region_id="52")
    travail = chain.read(path.read_bytes(), territoire=departement("44").region, auteur=of_region)
    assert travail.etat == "PRET", list(travail.anomalies.values_list("message", flat=True))
    assert list(travail.ecarts.values_list("libelle", "nature", "avant", "apres")) == []


def test_the_template_of_a_region_is_for_those_who_hold_it_whole(page):
    url = reverse("offre:modele_temps1")
    region = client_of(make_utilisateur(Profil.ADMIN_DEPARTEMENTAL, region_id="52"))
    for parameters in ({"region": "52"}, {"region": "52", "prerempli": 1}):
        answer = region.get(url, parameters)
        assert "temps1-region-52" in answer["Content-Disposition"]
        assert zipfile.is_zipfile(io.BytesIO(answer.getvalue()))
        assert page.get(url, parameters).status_code == 404
    # The reduced variant does not say the département of an entité.
    assert region.get(url, {"region": "52", "format": "ods"}).status_code == 404
    for parameters in ({"region": "53"}, {"region": "44"}, {"departement": "52"}):
        assert region.get(url, parameters).status_code == 404
    text = words(region.get(reverse("offre:temps1")))
    assert "?region=52" in text
    assert "region=52&amp;format=ods" not in text
    assert "region=" not in words(page.get(reverse("offre:temps1")))


def test_the_download_is_for_the_perimeter(page):
    url = reverse("offre:modele_temps1")
    for parameters in (
        {"departement": "44"},
        {"departement": "44", "format": "ods"},
        {"departement": "44", "prerempli": 1},
    ):
        answer = page.get(url, parameters)
        assert answer["Content-Disposition"].startswith("attachment")
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert zipfile.is_zipfile(io.BytesIO(answer.getvalue()))
    assert page.get(url, {"departement": "35"}).status_code == 404
    assert page.get(url).status_code == 404
    assert client_of(make_utilisateur(Profil.OPERATEUR_SIAO)).get(url, {"departement": "44"}).status_code == 403


def test_the_command_refuses_an_unknown_departement(tmp_path):
    with pytest.raises(CommandError, match="n'existe pas"):
        call_command("modele_temps1", departement="20", sortie=tmp_path / "x.xlsx")


def converted(source: Path, form: str, folder: Path) -> Path:
    """The file ``source`` as LibreOffice opens it and saves it in the format ``form``."""
    home = f"-env:UserInstallation=file://{folder}/profil"
    command = [OFFICE, home, "--headless", "--convert-to", form, "--outdir", folder / "lu", source]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return folder / "lu" / f"{source.stem}.{form.partition(':')[0]}"


@pytest.fixture
def filled(tmp_path):
    source = tmp_path / "modele.xlsx"
    with source.open("wb") as stream:
        listes = Listes()
        write_xlsx(stream, listes, rows=invented_rows(departement(), listes, entites=3, dispositifs=12, financements=6))
    return source


@needs_office
def test_libreoffice_opens_it_with_its_dropdowns_and_greying_alive(filled, tmp_path):
    book = openpyxl.load_workbook(converted(filled, "xlsx:Calc MS Excel 2007 XML", tmp_path))
    for sheet in SHEETS:
        before = openpyxl.load_workbook(filled)[sheet.name]
        after = book[sheet.name]
        lists = {place for place, found in validations(before).items() if found.type == "list"}
        assert lists
        assert lists <= {place for place, found in validations(after).items() if found.type == "list"}
        assert len(after.conditional_formatting) == len(before.conditional_formatting) > 0
        assert [cell.value for cell in after[7]] == [column.header for column in sheet.columns]
    assert "liste_types_categorie" in validations(book["Dispositifs"])["D9"].formula1


@needs_office
def test_libreoffice_opens_the_ods_with_its_list_and_its_greying(tmp_path):
    source = tmp_path / "modele.ods"
    source.write_bytes(classeur(kind="ods"))
    tab = openpyxl.load_workbook(converted(source, "xlsx:Calc MS Excel 2007 XML", tmp_path))["Entités"]
    validation = validations(tab)["E9"]
    assert (validation.type, validation.formula1) == ("list", "liste_conventions_collectives")
    assert "E1000" in validation.cells
    assert 'OR($E9="Autre")' in [rule.formula[0] for found in tab.conditional_formatting for rule in found.rules]


@needs_office
def test_a_complete_workbook_saved_by_libreoffice_as_ods_is_read_to_the_letter(filled, tmp_path):
    saved = converted(filled, "ods", tmp_path)
    before, after = read_file(filled, departement()), read_file(saved, departement())
    assert after.sheets == [sheet.name for sheet in SHEETS]
    assert after.rows == before.rows
    assert [problem.message for problem in after.problems] == [problem.message for problem in before.problems]


@needs_office
@pytest.mark.skipif(PDFTOPPM is None, reason="poppler is not installed here")
def test_the_template_is_printed_on_a4_and_its_picture_taken(filled, tmp_path):
    command = [PDFTOPPM, "-r", "72", "-png", converted(filled, "pdf", tmp_path), tmp_path / "page"]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    pictures = sorted(tmp_path.glob("page-*.png"))
    assert 8 <= len(pictures) <= 20
    for picture in pictures:
        width, height = struct.unpack(">II", picture.read_bytes()[16:24])
        assert (width, height) == (842, 596), picture.name  # A4, landscape, in points
    if images := os.environ.get("README_IMAGES"):
        shutil.copy(pictures[1], Path(images) / "modele.png")
