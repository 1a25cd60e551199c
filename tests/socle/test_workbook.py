"""What comes out of a workbook: its cells, or a sentence."""

import datetime
import io
import pickle
import re
import socket
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter

from siao.socle.workbook import sandbox
from siao.socle.workbook.cells import BAD_CELLS, STRAYS, BadCell, Merge, Sheet, Stray
from siao.socle.workbook.limits import Limits
from siao.socle.workbook.refusals import SENTENCES, Refused
from siao.socle.workbook.xlsx import shows_a_date

from . import classeurs_hostiles as hostiles
from .classeurs_hostiles import CASES, Case

WHAT_TO_DO = re.compile("(?i)ouvrez|copiez|supprimez|enregistrez|déposez|retirez|vérifiez|annulez|repartez")


@pytest.fixture(scope="module", autouse=True)
def trap():
    """A server that nobody must call, where the hostile files ask to connect."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        hostiles.TRAP = f"127.0.0.1:{server.getsockname()[1]}"
        yield
        server.setblocking(False)
        with pytest.raises(BlockingIOError):
            server.accept()


@pytest.fixture
def read(tmp_path):
    def read(data: bytes, sheets=None, **limits):
        path = tmp_path / "classeur"
        path.write_bytes(data)
        return sandbox.read_workbook(path, sheets, Limits(**limits))

    return read


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_hostile_workbook(case: Case, read, tmp_path):
    if case.code is None:
        assert read(case.build(), cpu_seconds=10).sheets[0].rows == case.rows
        return
    with pytest.raises(Refused) as refusal:
        read(case.build(), cpu_seconds=10)
    assert refusal.value.code == case.code
    sentence = str(refusal.value)
    assert case.words in sentence
    assert WHAT_TO_DO.search(sentence)
    assert not re.search("/|root:|Error|xml|expat|zip", sentence)
    assert [path.name for path in tmp_path.iterdir()] == ["classeur"]


def test_case_names_are_unique():
    assert len({case.name for case in CASES}) == len(CASES)


def test_nothing_was_written_where_names_pointed():
    assert not list(Path("/tmp").glob("siao_i16*"))  # noqa: S108
    assert not list(Path.cwd().glob("*siao_i16*"))


def test_every_sentence_is_used_and_says_what_to_do():
    folder = Path(sandbox.__file__).parent
    source = "".join(path.read_text() for path in folder.glob("*.py") if path.stem != "refusals")
    assert [code for code in SENTENCES if f'"{code}"' not in source] == []
    details = {"limit": 5000, "sheet": "Entités", "row": "12"}
    for code in SENTENCES:
        assert WHAT_TO_DO.search(str(Refused(code, **details))), code
    assert str(Refused("lignes", sheet="A", limit=5000)).startswith(
        "L'onglet « A » contient plus de 5\u202f000 lignes."
    )


def test_a_refusal_travels_between_processes():
    refusal = pickle.loads(pickle.dumps(Refused("lignes", sheet="A", limit=5000)))  # noqa: S301
    assert (refusal.code, str(refusal)) == ("lignes", str(Refused("lignes", sheet="A", limit=5000)))


def test_every_bad_cell_says_what_to_do():
    said = [str(BadCell(kind, "#REF!")) for kind in BAD_CELLS] + [str(Stray(kind, 3, "AB3")) for kind in STRAYS]
    assert all(re.search("saisissez|collez|raccourcissez|supprimez|copiez", sentence) for sentence in said)
    assert str(BadCell("formule", "")) == "formule non calculée : collez la valeur (Collage spécial > Valeurs)"
    assert "#REF!" in str(BadCell("erreur", "#REF!"))
    assert "AB3" in str(Stray("hors_tableau", 3, "AB3"))


# What the sheets say besides their cells


def test_strays_are_told_with_their_address(read):
    assert read(hostiles.i42_valeur_egaree()).sheets[0].strays == (Stray("hors_tableau", 1_048_576, "XFD1048576"),)
    assert read(hostiles.i42_format_egare()).sheets[0].strays == ()
    assert read(hostiles.ods_valeur_egaree()).sheets[0].strays == (Stray("hors_tableau", 1, "GJJ1"),)
    strays = read(hostiles.i58_adresses_fausses()).sheets[0].strays
    assert [stray.address for stray in strays] == ["ZZZZ1", "A0", "B2", "a1", "A1", "", "AB", "-1"]
    assert {stray.kind for stray in strays} == {"adresse"}


def test_strays_listed_are_bounded(read):
    cells = hostiles.cells(*["><v>1</v>"] * 300)
    sheet = read(hostiles.xlsx(cells)).sheets[0]
    assert sheet.rows == [(1, [1] * 64)]
    assert len(sheet.strays) == 100
    assert sheet.strays[0].address == "BM1"


def test_a_totals_row_is_told(read):
    sheets = read(hostiles.i57_rien_d_anormal()).sheets
    assert [sheet.totals for sheet in sheets] == [frozenset({3}), frozenset()]


def test_external_links_are_a_warning(read):
    assert read(hostiles.xlsx()).warnings == ()
    assert "liens externes" in read(hostiles.i30_liens_externes()).warnings[0]


def test_merges_are_given_by_row(read):
    rows = "".join(f'<row r="{n}"><c r="A{n}"><v>1</v></c></row>' for n in (1, 2, 4, 7, 9))
    refs = ("A9:C9", "A1:B2", "A2:A4", "C3:C3", "A8:ZZ8", "AAA1:AAB900")
    merges = "".join(f'<mergeCell ref="{ref}"/>' for ref in refs)
    sheet = read(hostiles.xlsx(rows, after=f"<mergeCells>{merges}</mergeCells>")).sheets[0]
    assert [str(merge) for merge in sheet.merges] == ["A9:C9", "A1:B2", "A2:A4", "C3:C3", "A8:ZZ8"]
    assert {row: str(merge) for row, merge in sheet.merges_by_row().items()} == {
        1: "A1:B2",
        2: "A2:A4",
        4: "A2:A4",
        9: "A9:C9",
    }
    everything = read(hostiles.i45_fusion_de_tout()).sheets[0]
    assert everything.merges_by_row() == {1: Merge(1, 1, 1_048_576, 16_384)}


def test_merges_by_row_stay_linear():
    rows = [(n, [1]) for n in range(1, 5_001)]
    merges = tuple(Merge(1, 1, 10_000 - n, 2) for n in range(5_000))
    assert Sheet("A", True, True, rows, merges).merges_by_row().keys() == dict(rows).keys()


def test_merges_of_an_ods(read):
    cell = '<table:table-cell table:number-rows-spanned="3"><text:p>a</text:p></table:table-cell>'
    rows = f"<table:table-row><table:table-cell/>{cell}</table:table-row>"
    assert read(hostiles.ods(hostiles.table(rows))).sheets[0].merges == (Merge(1, 2, 3, 2),)


def test_hidden_sheets_are_told(read):
    sheets = '<sheet name="Entités" r:id="r1"/><sheet name="Dispositifs" state="veryHidden" r:id="r2"/>'
    book = read(hostiles.xlsx(replaced={"xl/workbook.xml": hostiles.workbook(sheets)}))
    assert [sheet.visible for sheet in book.sheets] == [True, False]
    style = '<style:style style:name="ta2"><style:table-properties table:display="false"/></style:style>'
    tables = hostiles.table("") + hostiles.table("", "Liste", 'table:style-name="ta2"')
    assert [sheet.visible for sheet in read(hostiles.ods(tables, style)).sheets] == [True, False]


def test_hidden_rows_are_told(read):
    first, hidden = '<row r="1"><c r="A1"><v>1</v></c></row>', '<row r="2" hidden="1"><c r="A2"><v>2</v></c></row>'
    assert read(hostiles.xlsx(first + hidden + '<row r="3" hidden="1"/>')).sheets[0].hidden == {2}
    cell = "<table:table-cell><text:p>a</text:p></table:table-cell>"
    hidden = f'<table:table-row table:visibility="filter" table:number-rows-repeated="2">{cell}</table:table-row>'
    rows = f"<table:table-row>{cell}</table:table-row>{hidden}"
    assert read(hostiles.ods(hostiles.table(rows))).sheets[0].hidden == {2, 3}


@pytest.mark.parametrize("name", ["Entités", "ENTITES", " entités "])
def test_only_the_sheets_asked_for_are_read(read, name):
    broken = {"xl/worksheets/sheet2.xml": "<"}
    book = read(hostiles.xlsx(replaced=broken), [name])
    assert [(sheet.name, sheet.read, bool(sheet.rows)) for sheet in book.sheets] == [
        ("Entités", True, True),
        ("Dispositifs", False, False),
    ]
    with pytest.raises(Refused, match="« Dispositifs »"):
        read(hostiles.xlsx(replaced=broken), [name, "Dispositifs"])
    far_too_long = f'<table:table-row table:number-rows-repeated="9000">{hostiles.text("a")}</table:table-row>'
    tables = hostiles.table("") + hostiles.table(far_too_long, "Brouillon")
    assert [sheet.read for sheet in read(hostiles.ods(tables), [name]).sheets] == [True, False]
    with pytest.raises(Refused, match="« Brouillon » contient plus de"):
        read(hostiles.ods(tables))


# Limits


def rows(count: int) -> bytes:
    return hostiles.xlsx("".join(f'<row r="{n}"><c r="A{n}"><v>{n}</v></c></row>' for n in range(1, count + 1)))


def test_rows_up_to_the_limit(read):
    assert len(read(rows(12), rows=10, heading_rows=2).sheets[0].rows) == 12
    with pytest.raises(Refused, match="plus de 10 lignes"):
        read(rows(13), rows=10, heading_rows=2)


def test_cells_up_to_the_limit(read):
    assert read(rows(12), cells=13).sheets[0].rows
    with pytest.raises(Refused, match="12 au plus"):
        read(rows(12), cells=12)


def test_a_long_text_said_many_times_is_refused(read):
    """A shared text of 32 000 characters costs ten bytes a cell in the file, and 32 000 for its reader."""
    line = '<row><c t="s"><v>0</v></c></row>'
    data = hostiles.xlsx(line * 4_000, replaced={hostiles.STRINGS: hostiles.strings(f"<t>{'é' * 32_000}</t>")})
    with pytest.raises(Refused) as refusal:
        read(data)
    assert refusal.value.code == "trop_de_texte"


# What other programs write


def written_by_xlsxwriter() -> bytes:
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target)
    day, quoted = book.add_format({"num_format": "dd/mm/yyyy"}), book.add_format({"quote_prefix": True})
    sheet = book.add_worksheet("Entités")
    sheet.write_row("A1", ["Nom", "SIREN", "Ouverture", "Places"])
    sheet.write_row("A2", ["Association « Été »", "012345678"])
    sheet.write_datetime("C2", datetime.datetime(2024, 2, 29), day)  # noqa: DTZ001
    sheet.write_number("D2", 12.5)
    sheet.write_string("A3", "=Ensemble", quoted)
    sheet.write_boolean("B3", True)
    sheet.write_blank("C3", None, day)
    sheet.write_formula("D3", "=D2*2", None, 25)
    sheet.write_rich_string("A4", "un ", book.add_format({"bold": True}), "deux")
    sheet.write_formula("D4", "=1/0", None, "#DIV/0!")
    sheet.add_table("A6:B8", {"total_row": True, "columns": [{"total_string": "Total"}, {"total_function": "sum"}]})
    sheet.write_row("A7", ["x", 3])
    sheet.merge_range("A10:B11", "fusion")
    sheet.write_comment("A2", "une note")
    sheet.write_url("A12", "mailto:contact@exemple.fr", string="contact@exemple.fr")
    sheet.data_validation("E2:E50", {"validate": "list", "source": ["Oui", "Non"]})
    sheet.freeze_panes(1, 0)
    sheet.protect("secret")
    book.add_worksheet("Cachée").hide()
    chart = book.add_chart({"type": "column"})
    chart.add_series({"values": "=Entités!$D$2:$D$3"})
    book.add_chartsheet("Graphique").set_chart(chart)
    book.close()
    return target.getvalue()


def test_a_workbook_by_xlsxwriter(read):
    book = read(written_by_xlsxwriter())
    assert [(sheet.name, sheet.visible, sheet.read) for sheet in book.sheets] == [
        ("Entités", True, True),
        ("Cachée", False, True),
        ("Graphique", True, False),
    ]
    sheet = book.sheets[0]
    assert sheet.rows == [
        (1, ["Nom", "SIREN", "Ouverture", "Places"]),
        (2, ["Association « Été »", "012345678", datetime.date(2024, 2, 29), 12.5]),
        (3, ["=Ensemble", True, None, 25]),
        (4, ["un deux", None, None, BadCell("erreur", "#DIV/0!")]),
        (6, ["Column1", "Column2"]),
        (7, ["x", 3]),
        (8, ["Total", 0]),
        (10, ["fusion"]),
        (12, ["contact@exemple.fr"]),
    ]
    assert sheet.totals == {8}
    assert sheet.merges == (Merge(10, 1, 11, 2),)


def test_a_workbook_by_openpyxl(read):
    book, target = openpyxl.Workbook(), io.BytesIO()
    sheet = book.active
    sheet.title = "Entités"
    sheet.append(["Nom", 3, datetime.date(2024, 2, 29), None, "=B1*2"])
    sheet.append([None, datetime.datetime(2024, 2, 29, 8, 30), "a\nb"])  # noqa: DTZ001
    book.save(target)
    assert read(target.getvalue()).sheets[0].rows == [
        (1, ["Nom", 3, datetime.date(2024, 2, 29), None, BadCell("formule", "B1*2")]),
        (2, [None, hostiles.moment("2024-02-29T08:30"), "a\nb"]),
    ]


@pytest.mark.parametrize(
    ("number_format", "is_date"),
    [
        ("dd/mm/yyyy;@", True),
        ("[$-40C]d mmmm yyyy", True),
        ("mmm-yy", True),
        ("d/m h:mm", True),
        ("jj/mm/aaaa", True),
        ("yyyy", True),
        ("h:mm:ss", False),
        ("[h]:mm", False),
        ("mm:ss", False),
        ("General", False),
        ("Standard", False),
        ("0.00E+00", False),
        ('#,##0.00 "places dispo"', False),
        ("_-* #,##0.00\\ _€_-;[Red]-0", False),
        ("0\\d", False),
        ('00" "00" "00" "00" "00', False),
        ("[$EUR] #,##0", False),
        ("@", False),
        ("[" * 100_000, False),
        ('"' * 100_001, False),
    ],
)
def test_number_formats_that_show_a_date(number_format, is_date):
    assert shows_a_date(number_format) is is_date
