"""The lists of the offre: perimeter, search, sorting, pages."""

import pytest
from django.urls import reverse

from comptes.droits import Profil
from offre.models import Dispositif
from tests.classeurs import AUTRE_SIREN, DISPOSITIF, ENTITE, FINANCEMENT, PENSION, SIREN, classeur
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
    assert first.index("CHRS le Phare") < first.index("Pension de famille")
    assert last.index("CHRS le Phare") > last.index("Pension de famille")
    assert 'aria-sort="descending"' in last
    for parameters in ({"tri": "password"}, {"tri": "--nom"}, {"page": "0"}, {"page": "x"}, {"page": "9" * 30}):
        assert page.get(url, parameters).status_code == 200


def test_a_confidential_address_is_not_located(offre, page):
    assert "Nantes" in page.get(reverse("offre:dispositifs")).text
    Dispositif.objects.update(adresse_confidentielle=True)
    text = page.get(reverse("offre:dispositifs")).text
    assert "Nantes" not in text
    assert "Confidentielle" in text


@pytest.mark.parametrize("url", URLS)
def test_same_number_of_queries_for_one_row_or_twenty(chain, page, url, django_assert_num_queries):
    chain.apply()
    page.get(url)
    with django_assert_num_queries(11):
        page.get(url)
    many = [{**DISPOSITIF, "nom": f"CHRS {number}"} for number in range(20)]
    paid = [{**FINANCEMENT, "dispositif": row["nom"], "quantite": 1} for row in many]
    chain.apply(classeur([ENTITE, {"nom": "B", "siren": AUTRE_SIREN}], many, paid), tous={"ABSENT": "CONSERVER"})
    assert SIREN in words(page.get(URLS[0]))
    with django_assert_num_queries(11):
        page.get(url)
