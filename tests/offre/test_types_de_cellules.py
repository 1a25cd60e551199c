"""What is read is what was typed: the nature of a cell fits its column, its value is plausible, or both are told."""

import datetime
import io
import zipfile

import openpyxl
import pytest

from offre.temps1.lecture import read_file
from siao.socle.workbook.formats import nature_of
from tests.classeurs import DISPOSITIF, ENTITE, FINANCEMENT, address, classeur, departement

pytestmark = pytest.mark.django_db

VALID = {"Entités": ENTITE, "Dispositifs": DISPOSITIF, "Financement": FINANCEMENT}


@pytest.fixture
def lire(tmp_path):
    """Reads the valid workbook with one cell of this value and number format, as a spreadsheet writes it."""

    def read(sheet, key, value, number_format="General"):
        book = openpyxl.load_workbook(io.BytesIO(classeur()))
        cell = book[sheet][address(sheet, key)]
        cell.value = value
        cell.number_format = number_format
        path = tmp_path / "classeur.xlsx"
        book.save(path)
        return read_file(path, departement())

    return read


def said(lecture):
    return [(problem.rule.code, problem.cell) for problem in lecture.problems]


DATE = datetime.date(2026, 3, 1)
TYPE = "type_de_cellule"

# (tab, column, value, number format, rule, words)
REFUSED = [
    # A number in a cell of dates: the year alone, a day, a short number.
    ("Dispositifs", "date_ouverture", 2019, "dd/mm/yyyy", "nombre_affiche_en_date", "Le nombre 2019 a été saisi"),
    ("Dispositifs", "date_ouverture", 2019, "yyyy", "nombre_affiche_en_date", "affiche la date 11/07/1905"),
    ("Dispositifs", "date_fermeture", 1900, "dd/mm/yyyy", "nombre_affiche_en_date", "par exemple 01/01/1900"),
    ("Financement", "date_debut", 2024, "mmm-yy", "nombre_affiche_en_date", "par exemple 01/01/2024"),
    ("Financement", "date_fin", 2100, "dd/mm/yyyy hh:mm", "nombre_affiche_en_date", "01/01/2100"),
    ("Financement", "date_fin", 24, "dd/mm/yyyy", "nombre_affiche_en_date", "Le nombre 24 a été saisi"),
    ("Dispositifs", "date_ouverture", 2019, "General", "date", "« 2019 » est une année seule"),
    ("Dispositifs", "date_ouverture", 42036, "General", "date", "peut-être 01/02/2015, la cellule étant mise au"),
    ("Dispositifs", "date_ouverture", 20150201, "0", "date", "peut-être 01/02/2015 ?"),
    ("Dispositifs", "date_ouverture", 1022015, "0", "date", "peut-être 01/02/2015 ?"),
    ("Dispositifs", "date_ouverture", 0.5, "h:mm", TYPE, "une heure (12:00), et une date est attendu"),
    ("Dispositifs", "date_ouverture", True, "General", TYPE, "une valeur logique (VRAI)"),
    ("Dispositifs", "date_ouverture", 0.25, "0%", TYPE, "un pourcentage (25 %)"),
    # Dates as people write them, told and never guessed.
    ("Dispositifs", "date_ouverture", "1/3/20", "@", "date", "l'année à quatre chiffres, par exemple 01/03/2020"),
    ("Dispositifs", "date_ouverture", "01-03-20", "@", "date", "l'année à quatre chiffres"),
    ("Dispositifs", "date_ouverture", "2015", "@", "date", "« 2015 » est une année seule"),
    ("Dispositifs", "date_ouverture", "1er mars 2024", "@", "date", "peut-être 01/03/2024 ?"),
    ("Dispositifs", "date_ouverture", "15 août 2023", "@", "date", "peut-être 15/08/2023 ?"),
    ("Dispositifs", "date_ouverture", "03/14/2024", "@", "date", "peut-être 14/03/2024 ?"),
    ("Dispositifs", "date_ouverture", "20240314", "@", "date", "peut-être 14/03/2024 ?"),
    # What is no number in a column of numbers.
    ("Dispositifs", "places", datetime.date(1900, 1, 30), "dd/mm/yyyy", TYPE, "(peut-être 30)"),
    ("Dispositifs", "places", DATE, "dd/mm/yyyy", TYPE, "une date (01/03/2026), et un nombre entier est attendu"),
    ("Dispositifs", "places", 1, "0%", TYPE, "un pourcentage (100 %)"),
    ("Dispositifs", "places", 30, '#,##0.00 "€"', TYPE, "un montant (30)"),
    ("Dispositifs", "places", 1.25, "[h]:mm", TYPE, "une heure (30:00)"),
    ("Dispositifs", "places", 30000, "0,", TYPE, "affiché en milliers"),
    ("Dispositifs", "places", True, "General", TYPE, "une valeur logique (VRAI)"),
    ("Dispositifs", "age_min", DATE, "dd/mm/yyyy", TYPE, "une date"),
    ("Financement", "quantite", 0.3, "0.00%", TYPE, "un pourcentage (30 %)"),
    ("Financement", "montant_annuel", DATE, "dd/mm/yyyy", TYPE, "une date"),
    ("Financement", "montant_annuel", 0.5, "0%", TYPE, "un pourcentage (50 %)"),
    ("Financement", "montant_annuel", 250, '0" k€"', TYPE, "affiché en milliers ou en millions"),
    ("Financement", "montant_annuel", 1000, "[$$-409]#,##0.00", TYPE, "une autre monnaie"),
    ("Financement", "montant_annuel", 1000, "#,##0 [$CHF]", TYPE, "une autre monnaie"),
    ("Financement", "montant_annuel", False, "General", TYPE, "une valeur logique (FAUX)"),
    # What a spreadsheet made of a text.
    ("Financement", "reference_acte", datetime.date(2024, 1, 1), "mmm-yy", TYPE, "une date (01/01/2024), et un texte"),
    ("Dispositifs", "voie", DATE, "d-mmm", TYPE, "mettez-la au format Texte"),
    ("Dispositifs", "commentaire", datetime.time(9, 30), "h:mm", TYPE, "une heure (09:30), et un texte est attendu"),
    ("Dispositifs", "complement", 0.5, "0%", TYPE, "un pourcentage (50 %)"),
    ("Entités", "nom", True, "General", TYPE, "une valeur logique (VRAI)"),
    ("Entités", "siren", DATE, "dd/mm/yyyy", TYPE, "une date"),
    ("Entités", "siren", 440016000, "dd/mm/yyyy", TYPE, "une date (440016000)"),
    ("Entités", "courriel", DATE, "dd/mm/yyyy", TYPE, "une date"),
    ("Entités", "convention", DATE, "dd/mm/yyyy", TYPE, "une date"),
    ("Dispositifs", "siret", DATE, "dd/mm/yyyy", TYPE, "une date"),
    ("Dispositifs", "code_postal", DATE, "dd/mm/yyyy", TYPE, "une date"),
    ("Dispositifs", "animaux", DATE, "dd/mm/yyyy", TYPE, "Oui ou Non est attendu"),
    ("Dispositifs", "animaux", 1, "0%", TYPE, "un pourcentage"),
    ("Dispositifs", "publics", True, "General", TYPE, "une valeur logique"),
]


@pytest.mark.parametrize(("sheet", "key", "value", "form", "code", "words"), REFUSED)
def test_what_is_not_of_the_nature_of_its_column_is_refused(lire, sheet, key, value, form, code, words):
    lecture = lire(sheet, key, value, form)
    assert (code, address(sheet, key)) in said(lecture)
    [problem] = [found for found in lecture.errors if found.rule.code == code]
    assert words in problem.message
    assert "{" not in problem.message


# (tab, column, value, number format, canonical value, rule or nothing, words)
READ = [
    ("Dispositifs", "date_ouverture", datetime.date(2015, 2, 1), "dd/mm/yyyy", "2015-02-01", "", ""),
    ("Dispositifs", "date_ouverture", datetime.date(2015, 2, 1), "yyyy", "2015-02-01", "", ""),
    (
        "Dispositifs",
        "date_ouverture",
        datetime.datetime(2015, 2, 1, 14, 30),  # noqa: DTZ001
        "dd/mm/yyyy hh:mm",
        "2015-02-01",
        "heure_ignoree",
        "L'heure de « 01/02/2015 14:30 » n'est pas gardée",
    ),
    ("Dispositifs", "date_ouverture", "01/02/2015 14:30", "@", "2015-02-01", "heure_ignoree", "01/02/2015 14:30"),
    ("Dispositifs", "date_ouverture", "2015-02-01T00:00:00", "@", "2015-02-01", "", ""),
    ("Dispositifs", "date_ouverture", "01/07/1905", "@", "1905-07-01", "date_peu_plausible", "01/07/1905"),
    ("Dispositifs", "date_fermeture", "01/07/2099", "@", "2099-07-01", "date_peu_plausible", "01/07/2099"),
    ("Financement", "montant_annuel", 100000 / 3, "#,##0.00", "33333.33", "montant_arrondi", "33\u202f333,33 €"),
    ("Financement", "montant_annuel", 12.345, "General", "12.35", "montant_arrondi", "contient 12,345"),
    ("Financement", "montant_annuel", 1234.5, '#,##0.00 "€"', "1234.50", "", ""),
    ("Financement", "montant_annuel", 1234.5, "#,##0.00 [$€-40C]", "1234.50", "", ""),
    ("Financement", "montant_annuel", 250, "_-* #,##0.00 _€_-", "250.00", "", ""),
    ("Financement", "montant_annuel", 2_000_000_000, "0", "2000000000.00", "montant_peu_plausible", "2\u202f000"),
    ("Dispositifs", "places_pmr", 5.000000000000001, "0", 5, "", ""),
    ("Financement", "quantite", 2024, "0", 2024, "nombre_peu_plausible", "est-ce une année ?"),
    ("Dispositifs", "animaux", True, "General", True, "", ""),
    ("Entités", "siren", 440016, "000000000", None, "siren_longueur", ""),
    ("Financement", "reference_acte", 2024001, "0", "2024001", "nombre_lu_en_texte", "le texte « 2024001 »"),
    ("Dispositifs", "complement", 3.1, "0.00", "3,1", "nombre_lu_en_texte", "« 3,1 »"),
    ("Dispositifs", "code_postal", 44000, "0", "44000", "", ""),
]


@pytest.mark.parametrize(("sheet", "key", "value", "form", "canonical", "code", "words"), READ)
def test_what_is_read_otherwise_than_typed_is_said(lire, sheet, key, value, form, canonical, code, words):
    lecture = lire(sheet, key, value, form)
    about = [
        problem for problem in lecture.problems if problem.key == key and problem.rule.code != "financement_au_dela"
    ]
    assert [problem.rule.code for problem in about] == ([code] if code else [])
    assert all(words in problem.message for problem in about)
    if canonical is not None:
        assert lecture.errors == []
        [row] = lecture.rows[sheet].values()
        assert row[key] == canonical


ODS = [
    ('office:value-type="date" office:date-value="1905-07-11"', "11/07/1905", "A", TYPE),
    ('office:value-type="percentage" office:value="0.5"', "50 %", "A", TYPE),
    ('office:value-type="currency" office:currency="USD" office:value="5"', "5 $", "A", TYPE),
    ('office:value-type="boolean" office:boolean-value="true"', "VRAI", "A", TYPE),
    ('office:value-type="float" office:value="115"', "115", "A", "nombre_lu_en_texte"),
    ('office:value-type="date" office:date-value="2024-01-01"', "janv. 24", "B", TYPE),
]


@pytest.mark.parametrize(("attributes", "text", "column", "code"), ODS)
def test_the_cells_of_an_ods_have_a_nature_too(tmp_path, attributes, text, column, code):
    typed = {"A": "Cellule à changer", "B": "000440016"}
    content = classeur([{"nom": typed["A"], "siren": typed["B"]}], kind="ods")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    old = f'office:value-type="string" table:style-name="texte"><text:p>{typed[column]}</text:p>'
    new = f'{attributes} table:style-name="texte"><text:p>{text}</text:p>'
    xml = parts["content.xml"].decode()
    assert xml.count(old) == 1
    parts["content.xml"] = xml.replace(old, new).encode()
    path = tmp_path / "classeur.ods"
    with zipfile.ZipFile(path, "w") as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    assert (code, f"{column}9") in said(read_file(path, departement()))


@pytest.mark.parametrize(
    ("number_format", "nature"),
    [
        ("General", ""),
        ("0.00", ""),
        ("#,##0", ""),
        ("# ##0,00", ""),
        ('#,##0.00 "places, PMR"', ""),
        ("0%", "pourcentage"),
        ('0" %"', ""),
        ("[h]:mm:ss", "heure"),
        ("h:mm AM/PM", "heure"),
        ("dd/mm/yyyy", "date"),
        ("#,##0.00\\ €", "euros"),
        ("[$EUR] #,##0", "euros"),
        ("_-* #,##0.00\\ _€_-;[Red]-0", ""),
        ("$#,##0", "devise"),
        ("[$£-809]#,##0", "devise"),
        ("#,##0,", "milliers"),
        ('#,##0,,"M"', "milliers"),
        ('0.0\\ "M€"', "milliers"),
        ("[" * 100_000, ""),
    ],
)
def test_what_a_number_format_makes_of_a_number(number_format, nature):
    assert nature_of(number_format) == nature
