"""The faulty rows of a workbook, corrected in the page."""

import datetime
import io

import openpyxl
import pytest
from django.urls import reverse

from comptes.droits import Profil
from offre.models import Dispositif, Import
from offre.temps1 import travaux
from tests.classeurs import DISPOSITIF, ENTITE, FINANCEMENT, PENSION, SIREN, classeur, departement
from tests.comptes.fabrique import client_of, make_utilisateur, plain, words

pytestmark = pytest.mark.django_db

FAUTIF = {**DISPOSITIF, "places": 31}


def corriger(travail):
    return reverse("offre:corriger_import", args=[travail.pk])


@pytest.fixture
def travail(chain):
    """Two errors: a SIREN cut short, places whose sum is not right."""
    return chain.read(classeur([{**ENTITE, "siren": "440016"}], [FAUTIF, PENSION]))


def test_the_faulty_rows_are_shown_with_their_errors_and_their_other_cells(page, travail):
    assert corriger(travail) in words(page.get(travail.get_absolute_url()))
    text = plain(page.get(corriger(travail)))
    assert "Entités, ligne 9 : Association l'Ancre" in text
    assert 'name="cellule-0-9-siren" value="440016"' in text
    assert "Un SIREN a 9 chiffres, celui-ci en a 6" in text
    assert "Dispositifs, ligne 9 : CHRS le Phare" in text
    assert 'name="cellule-1-9-voie" value="1 rue des Exemples"' in text
    assert "cellule-1-10-" not in text


def test_what_is_typed_is_the_next_version_of_the_file_read_by_the_same_rules(page, travail, agent):
    first = page.post(corriger(travail), {"cellule-0-9-siren": SIREN, "cellule-1-9-places": "32"})
    travail.refresh_from_db()
    second = travail.remplace_par
    assert (travail.etat, second.etat, second.nom_fichier) == ("REMPLACE", "DEPOSE", travail.nom_fichier)
    assert first.url == second.get_absolute_url()
    assert second.depose_par == agent
    travaux.read(second.pk)
    second.refresh_from_db()
    assert second.etat == "A_CORRIGER"
    text = plain(page.get(corriger(second)))
    assert 'value="32"' in text
    assert "cellule-0-9-siren" not in text
    page.post(corriger(second), {"cellule-1-9-places": "30"})
    second.refresh_from_db()
    third = second.remplace_par
    travaux.read(third.pk)
    third.refresh_from_db()
    assert third.etat == "PRET"
    page.post(reverse("offre:importer", args=[third.pk]))
    travaux.apply(third.pk)
    phare = Dispositif.objects.get(nom=DISPOSITIF["nom"])
    assert (phare.places, phare.siren, phare.date_ouverture) == (30, SIREN, datetime.date(2015, 2, 1))
    # Each version is a file that can be had again.
    download = page.get(reverse("offre:original", args=[third.pk]))
    book = openpyxl.load_workbook(io.BytesIO(b"".join(download)))
    assert (book["Entités"]["B9"].value, book["Dispositifs"]["B10"].value) == (SIREN, PENSION["nom"])


def test_what_nobody_touched_stays_to_the_letter(page, chain):
    rows = [
        {**FAUTIF, "commentaire": "Deux\nlignes", "date_ouverture": datetime.date(2015, 2, 1)},
        {**PENSION, "commentaire": " "},
    ]
    travail = chain.read(classeur(dispositifs=rows, financements=[FINANCEMENT]))
    fields = dict.fromkeys(("date_ouverture",), "01/02/2015") | {"commentaire": "Deux lignes", "places": "30"}
    page.post(corriger(travail), {f"cellule-1-9-{key}": value for key, value in fields.items()})
    travail.refresh_from_db()
    with travail.remplace_par.fichier.open() as file:
        tab = openpyxl.load_workbook(file)["Dispositifs"]
    values = [cell.value for cell in tab[9]]
    assert "Deux\nlignes" in values
    assert [value.date() for value in values if isinstance(value, datetime.datetime)] == [datetime.date(2015, 2, 1)]


def test_a_form_that_changes_nothing_is_refused_and_given_back(page, travail):
    answer = page.post(corriger(travail), {"cellule-0-9-siren": "440016"})
    assert "Aucune cellule n'a changé" in words(answer)
    assert Import.objects.count() == 1


def test_two_at_once_the_second_keeps_what_was_typed(page, travail):
    colleague = client_of(make_utilisateur(Profil.ADMIN_SIAO))
    colleague.post(corriger(travail), {"cellule-0-9-siren": SIREN})
    answer = page.post(corriger(travail), {"cellule-0-9-siren": "000440024"})
    travail.refresh_from_db()
    text = words(answer)
    assert f"a été remplacé entre-temps par l'import n° {travail.remplace_par_id}" in text
    assert 'value="000440024"' in text
    assert Import.objects.count() == 2


def test_a_ready_import_beside_stays_until_the_correction_is_read_without_error(page, chain):
    ready = chain.read(classeur(financements=[]))
    bad = chain.read(classeur([{**ENTITE, "siren": "1"}]))
    page.post(corriger(bad), {"cellule-0-9-siren": "2"})
    travaux.read(Import.objects.latest("pk").pk)
    ready.refresh_from_db()
    assert ready.etat == "PRET"


@pytest.mark.parametrize(
    "forged",
    [
        {"cellule-9-9-siren": SIREN, "cellule-0-x-siren": SIREN, "cellule-0-9-inconnue": "x", "cellule-": "x"},
        {"cellule-0-9-siren": "44\x000016"},
        {"cellule-0-5000-siren": SIREN},
    ],
)
def test_forged_fields_change_nothing(page, travail, forged):
    assert "Aucune cellule n'a changé" in words(page.post(corriger(travail), forged))
    assert Import.objects.count() == 1


def test_what_is_wrong_elsewhere_is_corrected_in_the_file(page, chain):
    empty = chain.read(classeur([], [], []))
    assert empty.etat == "A_CORRIGER"
    assert corriger(empty) not in words(page.get(empty.get_absolute_url()))
    assert page.get(corriger(empty)).url == empty.get_absolute_url()
    ready = chain.read()
    assert page.get(corriger(ready)).url == ready.get_absolute_url()
    assert "n'attend plus de correction" in words(page.post(corriger(ready), {"cellule-0-9-siren": SIREN}))


def test_the_first_rows_are_shown_and_the_others_announced(page, chain):
    entites = [{"nom": f"Entité {n}", "siren": str(n)} for n in range(25)]
    travail = chain.read(classeur(entites, [], []))
    text = plain(page.get(corriger(travail)))
    assert "25 lignes ont des erreurs : voici les 20 premières" in text
    assert "cellule-0-28-siren" in text
    assert "cellule-0-29-siren" not in text


def test_the_reduced_variant_and_a_region_are_corrected_too(page, chain):
    travail = chain.read(classeur([{**ENTITE, "siren": "1"}], kind="ods"), nom="entites.ods")
    page.post(corriger(travail), {"cellule-0-9-siren": SIREN})
    travaux.read(Import.objects.latest("pk").pk)
    assert Import.objects.latest("pk").etat == "PRET"
    of_region = make_utilisateur(Profil.ADMIN_DEPARTEMENTAL, region_id="52")
    twin = {**DISPOSITIF, "code_postal": "49000", "commune": "Angers"}
    content = classeur(dispositifs=[DISPOSITIF, twin])
    region = chain.read(content, territoire=departement("44").region, auteur=of_region)
    client_of(of_region).post(corriger(region), {"cellule-2-9-dispositif": "CHRS le Phare (49)"})
    last = Import.objects.latest("pk")
    travaux.read(last.pk)
    last.refresh_from_db()
    assert (last.etat, last.region_id) == ("PRET", "52")


def test_an_import_of_others_is_not_corrected(travail):
    other = client_of(make_utilisateur(Profil.ADMIN_DEPARTEMENTAL, departement_id="35"))
    assert other.get(corriger(travail)).status_code == 404
    assert other.post(corriger(travail), {"cellule-0-9-siren": SIREN}).status_code == 404
    operateur = client_of(make_utilisateur(Profil.OPERATEUR_SIAO))
    assert operateur.post(corriger(travail), {"cellule-0-9-siren": SIREN}).status_code == 403
    travail.refresh_from_db()
    assert travail.etat == "A_CORRIGER"


def test_as_many_queries_for_one_row_or_twenty(page, chain, django_assert_num_queries, django_assert_max_num_queries):
    one = chain.read(classeur([{**ENTITE, "siren": "1"}]))
    with django_assert_max_num_queries(25) as few:
        page.get(corriger(one))
    many = chain.read(classeur([{"nom": f"Entité {n}", "siren": str(n)} for n in range(20)], [], []))
    with django_assert_num_queries(len(few.captured_queries)):
        page.get(corriger(many))
