"""The lists of the offre: perimeter, search, sorting, pages."""

import io

import openpyxl
import pytest
from django.urls import reverse

from comptes.droits import Profil
from offre.models import Dispositif, Financement
from tests.classeurs import AUTRE_SIREN, DISPOSITIF, ENTITE, FINANCEMENT, PENSION, SIREN, classeur, lines_of
from tests.comptes.fabrique import client_of, make_utilisateur, words

pytestmark = pytest.mark.django_db
URLS = [reverse(f"offre:{name}") for name in ("entites", "dispositifs", "financements")]


@pytest.fixture
def offre(chain):
    return chain.apply(classeur(dispositifs=[DISPOSITIF, PENSION]))


@pytest.mark.parametrize("url", URLS)
def test_the_perimeter_and_nothing_else(offre, page, url):
    assert "<td" in page.get(url).text
    elsewhere = client_of(make_utilisateur(Profil.ADMIN_DEPARTEMENTAL, departement_id="35"))
    assert "<td" not in elsewhere.get(url).text
    nobody = client_of(make_utilisateur(None))
    assert nobody.get(url).status_code == 403


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("entites", "ancre ASSOCIATION", True),
        ("entites", "000 440", True),
        ("entites", "clairière", False),
        ("dispositifs", "LE PHARÉ", True),
        ("dispositifs", "l'ancre", True),
        ("dispositifs", "%", False),
        ("dispositifs", "_", False),
        ("dispositifs", "'; DROP", False),
        ("dispositifs", "(a+)+$", False),
        ("dispositifs", "\x00", True),
        ("dispositifs", "😀" * 3000, False),
        ("financements", "phare", True),
        ("financements", "source", False),
    ],
)
def test_search_is_literal_and_tolerant(offre, page, name, text, found):
    answer = page.get(reverse(f"offre:{name}"), {"q": text})
    assert answer.status_code == 200
    assert ("<td" in answer.text) == found
    if not found:
        assert "Rien ne correspond" in words(answer)


def test_sorting_and_pages_survive_nonsense(offre, page):
    url = reverse("offre:dispositifs")
    first = page.get(url, {"tri": "nom"}).text
    last = page.get(url, {"tri": "-nom"}).text
    assert first.index("CHRS le Phare") < first.index("Pension de famille la Source")
    assert last.index("CHRS le Phare") > last.index("Pension de famille la Source")
    assert 'aria-sort="descending"' in last
    for parameters in ({"tri": "password"}, {"tri": "--nom"}, {"page": "0"}, {"page": "x"}, {"page": "9" * 30}):
        assert page.get(url, parameters).status_code == 200


def test_a_confidential_address_is_not_located(offre, page):
    assert "Nantes" in page.get(reverse("offre:dispositifs")).text
    Dispositif.objects.update(adresse_confidentielle=True)
    text = page.get(reverse("offre:dispositifs")).text
    assert "Nantes" not in text
    assert "Confidentielle" in text


FILTERS = [
    ("dispositifs", {"categorie": "HEBERGEMENT"}, {"CHRS le Phare"}),
    ("dispositifs", {"type": "PENSION"}, {"Pension de famille la Source"}),
    ("dispositifs", {"statut": "BROUILLON"}, set()),
    ("dispositifs", {"commune": "nant"}, {"CHRS le Phare", "Pension de famille la Source"}),
    ("dispositifs", {"commune": "rennes"}, set()),
    ("dispositifs", {"public": "20"}, {"CHRS le Phare"}),
    ("dispositifs", {"contingent": "oui"}, {"Pension de famille la Source"}),
    ("dispositifs", {"contingent": "non"}, {"CHRS le Phare"}),
    ("dispositifs", {"programme_177": "oui"}, {"CHRS le Phare"}),
    ("dispositifs", {"programme_177": "non"}, {"Pension de famille la Source"}),
    ("dispositifs", {"programme_177": "peut-être", "type": "'"}, {"CHRS le Phare", "Pension de famille la Source"}),
    ("financements", {"periode": "cours"}, {"CHRS le Phare"}),
    ("financements", {"periode": "finie"}, set()),
    ("financements", {"ligne": "303"}, set()),
    ("financements", {"programme_177": "oui"}, {"CHRS le Phare"}),
    ("entites", {"statut": "VALIDE"}, {"Association l'Ancre"}),
    ("entites", {"statut": "FERME"}, set()),
]


def test_filters_and_the_extraction_of_what_is_on_the_screen(offre, page):
    Financement.objects.update(date_fin=None)
    for name, filters, found in FILTERS:
        table = page.get(reverse(f"offre:{name}"), filters).context["table"]
        assert {row[0]["value"] for row in table.rows} == found, filters
        for kind in ("csv", "xlsx"):
            answer = page.get(reverse("offre:exporter", args=[name]), {**filters, "format": kind})
            assert answer["Content-Disposition"].startswith("attachment")
            rows = lines_of(answer, kind)
            assert rows[0] == [column.header for column in table.columns]
            assert {row[0] for row in rows[1:]} == found
            assert len(rows) == len(table.rows) + 1


def test_an_extraction_runs_nothing_and_holds_all_the_pages(chain, page):
    many = [{**DISPOSITIF, "nom": f"=CHRS+{number}"} for number in range(60)]
    chain.apply(classeur(dispositifs=many, financements=[]))
    url = reverse("offre:exporter", args=["dispositifs"])
    rows = lines_of(page.get(url, {"format": "csv", "page": "2", "tri": "-nom"}), "csv")
    assert len(rows) == 61
    assert all(row[0].startswith("'=CHRS") for row in rows[1:])
    assert rows[1][0] > rows[2][0]
    book = openpyxl.load_workbook(io.BytesIO(b"".join(page.get(url).streaming_content)))
    assert {cell.data_type for cell in book.active["A"]} == {"s"}


def test_by_commune_counts_what_is_open_and_locates_nothing_confidential(offre, page):
    url = reverse("offre:communes")
    [row] = page.get(url).context["table"].rows
    assert [cell["value"] for cell in row] == ["Nantes", "44", 2, 30, 24, 0]
    assert "commune=Nantes" in row[0]["link"]
    Dispositif.objects.filter(categorie="HEBERGEMENT").update(adresse_confidentielle=True)
    answer = page.get(url)
    [row] = answer.context["table"].rows
    assert [cell["value"] for cell in row][2:] == [1, 0, 24, 0]
    assert "1 dispositif à une adresse confidentielle" in " ".join(words(answer).split())
    for kind in ("csv", "xlsx"):
        file = reverse("offre:exporter_communes")
        assert f"{file}?format={kind}" in answer.text
        rows = lines_of(page.get(file, {"format": kind}), kind)
        assert [list(map(str, row)) for row in rows] == [
            [column.header for column in answer.context["table"].columns],
            ["Nantes", "44", "1", "0", "24", "0"],
        ]
        assert len(lines_of(page.get(file, {"format": kind, "categorie": "MESURES"}), kind)) == 1
    assert (
        not page.get(reverse("offre:dispositifs"), {"commune": "Nantes", "categorie": "HEBERGEMENT"})
        .context["table"]
        .rows
    )


@pytest.mark.parametrize(
    ("url", "queries"), list(zip(URLS, (11, 13, 12), strict=True))
)  # one more per list to choose from
def test_same_number_of_queries_for_one_row_or_twenty(chain, page, url, queries, django_assert_num_queries):
    chain.apply()
    page.get(url)
    with django_assert_num_queries(queries):
        page.get(url)
    many = [{**DISPOSITIF, "nom": f"CHRS {number}"} for number in range(20)]
    paid = [{**FINANCEMENT, "dispositif": row["nom"], "quantite": 1} for row in many]
    chain.apply(classeur([ENTITE, {"nom": "B", "siren": AUTRE_SIREN}], many, paid), tous={"ABSENT": "CONSERVER"})
    assert SIREN in words(page.get(URLS[0]))
    with django_assert_num_queries(queries):
        page.get(url)
