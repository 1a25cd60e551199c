"""The template: what spreadsheets show of it, blank and prefilled, and that it can be read back."""

import io
import shutil
import subprocess
import zipfile

import openpyxl
import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from comptes.droits import Profil
from offre.colonnes.declaration import SHEETS
from offre.colonnes.listes import Listes
from offre.temps1.modele import write_xlsx
from offre.temps1.synthese import invented_rows
from tests.classeurs import AUTRE_SIREN, DISPOSITIF, ENTITE, FINANCEMENT, PENSION, classeur, departement
from tests.comptes.fabrique import client_of, make_utilisateur, words

pytestmark = pytest.mark.django_db
OFFICE = shutil.which("soffice") or shutil.which("libreoffice")


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


@pytest.mark.skipif(OFFICE is None, reason="LibreOffice is not installed here")
def test_libreoffice_opens_it_with_its_dropdowns_and_greying_alive(tmp_path):
    listes = Listes()
    rows = invented_rows(departement(), listes, entites=3, dispositifs=12, financements=6)
    source = tmp_path / "modele.xlsx"
    with source.open("wb") as stream:
        write_xlsx(stream, listes, rows=rows)
    home = f"-env:UserInstallation=file://{tmp_path}/profil"
    command = [
        OFFICE,
        home,
        "--headless",
        "--convert-to",
        "xlsx:Calc MS Excel 2007 XML",
        "--outdir",
        tmp_path / "lu",
        source,
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    book = openpyxl.load_workbook(tmp_path / "lu" / "modele.xlsx")
    for sheet in SHEETS:
        before = openpyxl.load_workbook(source)[sheet.name]
        after = book[sheet.name]
        lists = {place for place, found in validations(before).items() if found.type == "list"}
        assert lists
        assert lists <= {place for place, found in validations(after).items() if found.type == "list"}
        assert len(after.conditional_formatting) == len(before.conditional_formatting) > 0
        assert [cell.value for cell in after[7]] == [column.header for column in sheet.columns]
    assert "liste_types_categorie" in validations(book["Dispositifs"])["D9"].formula1
