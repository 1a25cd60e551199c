"""The day of a référent: template, mistakes, correction, import, second version, undo. Exactly as a newcomer would."""

import os
from pathlib import Path

import openpyxl
import pytest
from playwright.sync_api import Page, expect

from offre.models import Dispositif, Entite, Financement
from siao import demo
from tests.classeurs import AUTRE_SIREN, DISPOSITIF, FINANCEMENT, PENSION, SIREN
from tests.parcours.accessibilite import check
from tests.parcours.conftest import connect, follow, press

IMAGES = os.environ.get("README_IMAGES")
"""Folder where the pictures of the README are written; ``make images`` sets it."""

ENTITES = [
    {"nom": "Association l'Ancre", "siren": SIREN, "telephone": "02 61 91 00 12", "courriel": "contact@ancre.example"},
    {"nom": "Fondation le Pont", "siren": AUTRE_SIREN, "convention": "CCN 51 – FEHAP"},
    {"nom": "Union la Marée", "siren": "000440032", "convention": "Autre", "idcc": "0413"},
]
AVDL = {
    **{key: DISPOSITIF[key] for key in ("entite", "date_ouverture", "perennite", "voie", "code_postal", "commune")},
    "nom": "AVDL du Moulin",
    "categorie": "Mesures accompagnement",
    "type": "AVDL",
    "adresse_confidentielle": "Non",
    "orientation_siao": "Oui",
    "publics": "Homme seul",
    "mesures": 20,
}
DISPOSITIFS = [
    DISPOSITIF,
    {**PENSION, "entite": "Fondation le Pont"},
    {**DISPOSITIF, "nom": "Hôtel de l'Escale", "type": "Hôtel", "entite": "Union la Marée"},
    AVDL,
    {**DISPOSITIF, "nom": "RHVS la Source", "type": "RHVS"},
]
FINANCEMENTS = [
    FINANCEMENT,
    {**FINANCEMENT, "date_debut": "01/01/2025", "date_fin": None, "reference_acte": "2025-001"},
    {**FINANCEMENT, "dispositif": PENSION["nom"], "unite": "Logements", "quantite": 24},
    {**FINANCEMENT, "dispositif": "Hôtel de l'Escale"},
    {**FINANCEMENT, "dispositif": AVDL["nom"], "unite": "Mesures", "quantite": 20},
    {**FINANCEMENT, "dispositif": "RHVS la Source", "ligne": "Autre", "precision": "Fondation locale"},
]


def fill(path: Path, **tabs: list[dict]) -> None:
    """Type rows in a downloaded template, from row 9 on, as a person does."""
    book = openpyxl.load_workbook(path)
    names = {"entites": "Entités", "dispositifs": "Dispositifs", "financements": "Financement"}
    from offre.colonnes.declaration import BY_NAME

    for tab, rows in tabs.items():
        sheet, columns = book[names[tab]], BY_NAME[names[tab]].letters
        for number, row in enumerate(rows, start=9):
            for key, value in row.items():
                sheet[f"{columns[key]}{number}"] = value
    book.save(path)


def download(page: Page, link: str, folder: Path) -> Path:
    with page.expect_download() as started:
        page.get_by_role("link", name=link).first.click()
    path = folder / started.value.suggested_filename
    started.value.save_as(path)
    return path


def deposit(page: Page, path: Path) -> None:
    page.goto("/offre/temps1/")
    page.get_by_label("Classeur à déposer").set_input_files(path)
    page.get_by_role("button", name="Déposer", exact=True).click()


@pytest.fixture
def agent(visite, base_reelle):
    demo.load_accounts()
    connect(visite, "administrateur-departemental.44@demo.example", demo.PASSWORD)
    return visite


def picture(page: Page, name: str) -> None:
    if IMAGES:
        page.screenshot(path=Path(IMAGES) / f"{name}.png", full_page=True, caret="initial")


def test_from_the_template_to_the_undo(agent, tmp_path):
    page = agent
    page.get_by_role("link", name="Classeur Temps 1").first.click()
    path = download(page, "Modèle vierge", tmp_path)

    # Three entités, five dispositifs, six financements, and two mistakes.
    wrong = [{**ENTITES[0], "siren": "00044001"}, *ENTITES[1:]]
    fill(
        path, entites=wrong, dispositifs=[*DISPOSITIFS[:4], {**DISPOSITIFS[4], "places": 31}], financements=FINANCEMENTS
    )
    deposit(page, path)
    expect(page.get_by_text("2 erreurs dans 2 onglets. Rien n'a été enregistré.")).to_be_visible()
    expect(page.get_by_role("cell", name="B9")).to_be_visible()
    expect(page.get_by_text("Un SIREN a 9 chiffres, celui-ci en a 8")).to_be_visible()
    check(page)
    picture(page, "temps1-erreurs")

    # The annotated workbook shows where; corrected, it goes through.
    expect(page.get_by_role("link", name="Télécharger le classeur annoté")).to_be_visible()
    annotated = download(page, "Télécharger le classeur annoté", tmp_path)
    book = openpyxl.load_workbook(annotated)
    assert "Un SIREN a 9 chiffres" in book["Entités"]["B9"].comment.text
    book["Entités"]["B9"] = SIREN
    book["Dispositifs"]["Z13"] = 30
    book.save(annotated)
    deposit(page, annotated)
    expect(page.get_by_text("Voici ce que son import changera")).to_be_visible()
    expect(page.get_by_role("link", name="Créés (14)")).to_be_visible()
    check(page)
    picture(page, "temps1-verification")
    page.get_by_role("button", name="Importer").click()
    expect(page.get_by_text("Importé le")).to_be_visible()
    check(page)
    assert (Entite.objects.count(), Dispositif.objects.count(), Financement.objects.count()) == (3, 5, 6)
    for name, seen in (
        ("Entités", "Union la Marée"),
        ("Dispositifs", "AVDL du Moulin"),
        ("Financements", "24 logements"),
    ):
        follow(page, name)
        expect(page.get_by_text(seen).first).to_be_visible()
        check(page)

    # A second version: one change, one absence to decide on.
    page.goto("/offre/temps1/")
    second = download(page, "Modèle vierge", tmp_path)
    changed = [{**DISPOSITIF, "voie": "9 rue des Exemples"}, *DISPOSITIFS[1:4]]
    fill(second, entites=ENTITES, dispositifs=changed, financements=FINANCEMENTS[:5])
    deposit(page, second)
    expect(page.get_by_text("1 décision à prendre avant d'importer")).to_be_visible()
    page.get_by_role("link", name="Modifiés (1)").click()
    expect(page.get_by_text("9 rue des Exemples")).to_be_visible()
    check(page)
    page.get_by_role("link", name="Absents du fichier (1)").click()
    page.get_by_label("Décision pour RHVS la Source").select_option("Fermer")
    press(page, "Enregistrer les décisions")
    page.get_by_role("button", name="Importer").click()
    expect(page.get_by_text("Importé le")).to_be_visible()
    assert Dispositif.objects.get(nom="RHVS la Source").statut == "FERME"

    # And back.
    page.get_by_role("link", name="Annuler cet import").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Annuler l'import")
    check(page)
    page.get_by_role("button", name="Annuler cet import").click()
    expect(page.get_by_text("2 changements annulés")).to_be_visible()
    check(page)
    assert Dispositif.objects.get(nom="RHVS la Source").statut == "VALIDE"
    assert Dispositif.objects.get(nom=DISPOSITIF["nom"]).voie == DISPOSITIF["voie"]


def test_the_same_without_javascript_and_by_keyboard(ouvrir, base_reelle, tmp_path):
    demo.load_accounts()
    page = ouvrir(javascript=False)
    page.goto("/connexion/")
    expect(page.locator("#id_username")).to_be_focused()  # what is typed before is lost
    page.keyboard.type("administrateur-siao.44@demo.example")
    page.keyboard.press("Tab")
    page.keyboard.type(demo.PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Classeur Temps 1").first.press("Enter")
    path = download(page, "Modèle vierge", tmp_path)
    fill(path, entites=ENTITES[:1], dispositifs=[DISPOSITIF], financements=[FINANCEMENT])
    with page.expect_navigation(url="**/offre/temps1/*/"):
        deposit(page, path)
    refresh_until(page, "Voici ce que son import changera")
    with page.expect_navigation():
        page.get_by_role("button", name="Importer").press("Enter")
    refresh_until(page, "Importé le")
    assert Dispositif.objects.get().statut == "PREVALIDE"


def refresh_until(page: Page, text: str) -> None:
    """Press « Actualiser » for as long as the page offers it."""
    page.wait_for_load_state()
    while not page.get_by_text(text).count():
        follow(page, "Actualiser")
