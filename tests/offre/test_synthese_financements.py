"""What is financed on a day against what is installed, at each level."""

import csv
import datetime
import io

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from comptes.droits import Profil
from offre.models import Dispositif, Rattachement
from tests.comptes.fabrique import client_of, make_utilisateur, words
from tests.offre.fabrique import make_financement, make_rattachement
from tests.offre.test_fiches import make_chrs

pytestmark = pytest.mark.django_db
URL = reverse("offre:synthese_financements")


@pytest.fixture
def chrs():
    chrs = make_chrs(make_rattachement("44", nom="L'Ancre"), nom="CHRS le Phare")
    period = {"date_debut": datetime.date(2024, 1, 1), "date_fin": datetime.date(2024, 12, 31), "unite": "PLACES"}
    make_financement(chrs, quantite=20, montant_annuel="1000.50", **period)
    make_financement(chrs, quantite=12, ligne_id="303", montant_annuel="500", **period)
    make_financement(chrs, quantite=5, unite="PLACES", date_debut=datetime.date(2025, 1, 1))
    return chrs


def rows(client, **parameters) -> list[list]:
    table = client.get(URL, parameters).context["table"]
    return [[cell["value"] for cell in row] for row in table.rows]


@pytest.mark.parametrize(
    ("niveau", "nom"),
    [("dispositif", "CHRS le Phare"), ("entite", "L'Ancre"), ("departement", "Loire-Atlantique (44)")],
)
def test_the_lines_of_the_day_add_up_and_warn(chrs, page, niveau, nom):
    warning = "32 places financées pour 30"
    in_2024 = [nom, "30 places", "32 places", "20 places", "", "1\u202f500,50 €", "1\u202f000,50 €", warning]
    assert rows(page, niveau=niveau, jour="30/06/2024") == [in_2024]
    assert rows(page, niveau=niveau, jour="30/06/2025") == [[nom, "30 places", "5 places", "5 places", "", "", "", ""]]
    assert rows(page, niveau=niveau, jour="30/06/2024", alerte="oui") == [in_2024]
    assert rows(page, niveau=niveau, jour="30/06/2025", alerte="oui") == []
    file = page.get(reverse("offre:exporter_synthese"), {"niveau": niveau, "jour": "30/06/2024", "format": "csv"})
    text = b"".join(file.streaming_content).decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(text), delimiter=";"))[1] == in_2024


def test_the_fiche_of_an_entite_says_its_sums_of_the_day(chrs, page):
    make_financement(chrs, quantite=1, unite="PLACES", date_fin=None)
    entite = Rattachement.objects.get(entite=chrs.entite_id)
    answer = page.get(reverse("offre:fiche", args=["entites", entite.pk]))
    assert dict(answer.context["somme"])["Capacité installée"] == "30 places"
    assert "Capacité et financements aujourd'hui" in words(answer)
    Dispositif.objects.update(statut="FERME", date_fermeture="2025-01-01")
    assert page.get(reverse("offre:fiche", args=["entites", entite.pk])).context["somme"] == []


def test_the_contingent_is_counted_and_the_closed_are_not(chrs, page):
    pension = make_chrs(
        make_rattachement("44"),
        nom="Pension",
        categorie="LOGEMENT_RS",
        type_id="PENSION",
        places=None,
        places_urgence=None,
        places_stabilisation=None,
        places_insertion=None,
        logements=24,
        contingent_prefectoral=True,
        contingent_nombre=12,
    )
    [line] = rows(page, niveau="departement", jour="30/06/2024")
    assert (line[1], line[4]) == ("30 places, 24 logements", 12)
    Dispositif.objects.filter(pk=pension.pk).update(statut="FERME", date_fermeture=datetime.date(2025, 1, 1))
    [line] = rows(page, niveau="departement", jour="30/06/2024")
    assert (line[1], line[4]) == ("30 places", "")


def test_nothing_outside_the_perimeter_is_added(chrs, page):
    other = make_chrs(make_rattachement("44"), nom="Autre")
    make_chrs(make_rattachement("35"))
    team = client_of(make_utilisateur(Profil.RESPONSABLE_DISPOSITIF, objets=[other]))
    assert [line[:2] for line in rows(team, niveau="departement")] == [["Loire-Atlantique (44)", "30 places"]]
    assert [line[0] for line in rows(team)] == ["Autre"]
    assert rows(team, niveau="entite") == []
    assert [line[1] for line in rows(page, niveau="departement")] == ["60 places"]
    everywhere = client_of(make_utilisateur(Profil.ADMIN_NATIONAL))
    assert [line[1:4] for line in rows(everywhere, niveau="departement", jour="30/06/2024")] == [
        ["30 places", "", ""],
        ["60 places", "32 places", "20 places"],
    ]


@pytest.mark.parametrize("jour", ["31/02/2024", "demain", "0001-01-01", "9" * 5000])
def test_a_date_that_is_none_is_said(chrs, page, jour):
    answer = page.get(URL, {"jour": jour, "niveau": "'", "tri": "--"})
    assert answer.status_code == 200


def test_as_many_queries_for_twenty_rows_as_for_one(chrs, page):
    def queries() -> int:
        with CaptureQueriesContext(connection) as context:
            page.get(URL)
        return len(context)

    page.get(URL)
    one = queries()
    for _ in range(20):
        make_chrs(make_rattachement("44"))
    assert queries() == one <= 15
