"""The story of Léon, Rosa and Louise, entered by hand by an Opérateur SIAO in a real browser."""

import datetime
import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from comptes.actions import share
from comptes.models import Habilitation, Siao
from menages.models import Menage, Personne
from siao import demo
from situations.models import SituationResidentielle
from tests.menages.fabrique import chain_of, jour, make_menage, make_personne
from tests.parcours.accessibilite import check
from tests.parcours.conftest import connect, follow, press

IMAGES = os.environ.get("README_IMAGES")
OPERATEUR = "operateur-siao.44@demo.example"
T3, T2, T1, ARRIVEE = (300, 200, 120, 60)
"""Days ago: expulsion, hospital or street, CHRS for two, Léon joins them."""


def picture(page: Page, name: str) -> None:
    if IMAGES:
        page.screenshot(path=Path(IMAGES) / f"{name}.png", full_page=True, caret="initial")


def written(days_ago: int) -> str:
    return f"{jour(days_ago):%d/%m/%Y}"


def tick(place, label: str) -> None:
    """The State's design lays the label over the button: the click goes through it, as a person's does."""
    place.get_by_role("radio", name=label).check(force=True)


def choose(page: Page, sr1: str, sr2: str) -> None:
    """Level 1 opens its level 2."""
    tick(page, sr1)
    tick(page, sr2)


def only(page: Page, *names: str) -> None:
    for box in page.get_by_role("checkbox").all():
        label = page.locator(f"label[for='{box.get_attribute('id')}']").inner_text()
        box.set_checked(any(name in label for name in names), force=True)


def save(page: Page, *said: str) -> None:
    """The consequence is read before the button is pressed."""
    for phrase in said:
        expect(page.locator("#suite")).to_contain_text(phrase)
    page.get_by_role("button", name="Enregistrer").last.click()


def add(page: Page, names: list[str], days_ago: int, sr1: str, sr2: str, *said: str) -> None:
    follow(page, "Ajouter une situation résidentielle")
    only(page, *names)
    page.get_by_role("textbox", name="Depuis le").fill(written(days_ago))
    choose(page, sr1, sr2)
    save(page, *said)
    expect(page.get_by_text(re.compile("La situation de .+ est enregistrée."))).to_be_visible()


@pytest.fixture
def operateur(visite, base_reelle):
    demo.load_accounts()
    connect(visite, OPERATEUR, demo.PASSWORD)
    return visite


def persons() -> dict[str, Personne]:
    return {personne.prenom: personne for personne in Personne.objects.order_by("-pk")}


def test_the_story_of_leon_rosa_and_louise(operateur):
    page = operateur
    # A dossier for the three of them.
    follow(page, "Dossiers")
    follow(page, "Ouvrir un dossier")
    for number, (prenom, naissance, sexe) in enumerate(
        [("Léon", "02/05/1984", "Homme"), ("Rosa", "17/09/1986", "Femme"), ("Louise", "25/01/2012", "Femme")]
    ):
        if number:
            page.get_by_role("button", name="Ajouter une ligne").click()
        line = page.get_by_role("group", name=f"Personne {number + 1}")
        line.get_by_label("Nom", exact=True).fill("Exemple")
        line.get_by_label("Prénom").fill(prenom)
        line.get_by_label("Date de naissance").fill(naissance)
        line.get_by_label("Sexe").select_option(sexe)
    page.get_by_label("Ensemble depuis le").fill(written(T3))
    check(page)
    page.get_by_role("button", name="Créer").click()

    # T-3: the whole ménage in an expulsion procedure.
    expect(page.get_by_text("est ouvert. Renseignez maintenant")).to_be_visible()
    page.get_by_role("textbox", name="Depuis le").fill(written(T3))
    choose(page, "VII Personne en logement devant quitter", "VII.1 Expulsion du logement comme locataire")
    check(page)
    save(page, f"Louise Exemple : « Non renseignée » depuis le {written(0)} devient « VII.1")
    expect(page.get_by_text(re.compile("La situation de .+ est modifiée."))).to_be_visible()

    # T-2: Léon in the emergency ward, Rosa and Louise in the street. T-1: a CHRS for them, then for him.
    add(page, ["Léon"], T2, "IV Personne en établissement", "IV.2 Aux urgences", "cela clôturera « VII.1")
    add(page, ["Rosa", "Louise"], T2, "I Personne à la rue", "I.1 Rue, place", f"au {written(T2 + 1)}")
    add(page, ["Rosa", "Louise"], T1, "III Personne hébergée", "III.1 CHRS sauf FVV", "cela clôturera « I.1")
    # A mistake: RHVS, a month too early.
    add(page, ["Léon"], ARRIVEE + 30, "III Personne hébergée", "III.5 RHVS", "cela clôturera « IV.2")

    # The lanes.
    lanes = page.locator(".lignes-d-eau__cadre svg .ligne")
    expect(lanes).to_have_count(3)
    expect(lanes.nth(0).locator(".troncon")).to_have_count(3)
    check(page)

    # Corrected by deleting and adding again.
    page.get_by_role("link", name="Modifier la situation de Léon Exemple").click()
    page.get_by_role("link", name="Supprimer cette situation").click()
    expect(page.get_by_text("redeviendra la situation actuelle")).to_be_visible()
    check(page)
    press(page, "Supprimer cette situation")
    add(page, ["Léon"], ARRIVEE, "III Personne hébergée", "III.1 CHRS sauf FVV", "cela clôturera « IV.2")
    leon, rosa = persons()["Léon"], persons()["Rosa"]
    assert chain_of(leon) == [
        ("VII.1", jour(T3), jour(T2 + 1)),
        ("IV.2", jour(T2), jour(ARRIVEE + 1)),
        ("III.1", jour(ARRIVEE), None),
    ]
    picture(page, "dossier")

    # A duplicate of Rosa, created in spite of the warning.
    dossier = page.url
    follow(page, "Dossiers")
    follow(page, "Ouvrir un dossier")
    page.get_by_label("Nom", exact=True).fill("Exemples")
    page.get_by_label("Prénom").fill("Rosa")
    page.get_by_role("button", name="Créer").click()
    expect(page.get_by_text("Ces personnes existent peut-être déjà")).to_be_visible()
    check(page)
    press(page, "Ce ne sont pas les mêmes : créer")
    double = Personne.objects.get(nom="Exemples")

    # Merged into her, and undone.
    page.goto(dossier)
    follow(page, "Ménage")
    page.get_by_role("link", name="Fiche de Rosa Exemple").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Rosa Exemple")
    check(page)
    page.get_by_role("link", name="Fusionner un doublon").click()
    # « Ce ne sont pas les mêmes » is remembered: she is no longer proposed, and is compared by her number.
    page.get_by_label("N° de la fiche en double").fill(double.numero)
    page.get_by_role("button", name="Comparer").click()
    page.get_by_role("radio", name="Nom : Exemple", exact=True).check(force=True)
    check(page)
    picture(page, "fusion")
    page.get_by_role("button", name="Voir ce qui va changer").click()
    expect(page.get_by_text(f"{double.numero} est absorbée")).to_be_visible()
    check(page)
    page.get_by_role("button", name="Fusionner").click()
    expect(page.get_by_text("Les deux fiches n'en font plus qu'une")).to_be_visible()
    expect(page.locator(".lignes-d-eau__cadre .ligne--archivee")).to_have_count(1)
    page.get_by_role("link", name="Fiche de Rosa Exemple").click()
    page.get_by_role("link", name="Défaire cette fusion").click()
    page.get_by_role("button", name="Défaire la fusion").click()
    expect(page.get_by_text("La fusion est défaite")).to_be_visible()
    double.refresh_from_db()
    assert double.active

    # Louise moves to a ménage of her own.
    page.goto(dossier)
    follow(page, "Ménage")
    follow(page, "Déplacer, séparer, réunir")
    only(page, "Louise")
    tick(page, "Un nouveau dossier")
    page.get_by_label("Dans l'autre ménage depuis le").fill(written(10))
    check(page)
    page.get_by_role("button", name="Voir ce qui va changer").click()
    expect(page.get_by_text("ses situations la suivent")).to_be_visible()
    page.get_by_role("button", name="Déplacer").click()
    expect(page.get_by_text("les situations ont suivi les personnes")).to_be_visible()
    expect(page.locator(".lignes-d-eau__cadre svg .troncon")).to_have_count(3)

    # The dossier on paper.
    page.goto(dossier)
    page.get_by_role("link", name="Imprimer").click()
    expect(page.get_by_text("Cette page est faite pour le papier")).to_be_visible()
    check(page)
    page.emulate_media(media="print")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Exemple")
    expect(page.locator(".fr-header")).to_be_hidden()
    assert len(page.pdf(format="A4")) > 10_000
    expect(page.locator(".lignes-d-eau__cadre .ligne")).to_have_count(3)  # Louise's lane stops where she left
    expect(page.get_by_role("table", name="Parcours résidentiels")).to_contain_text("IV.2 Aux urgences")
    assert SituationResidentielle.objects.filter(personne=rosa).count() == 3


def test_with_the_keyboard_alone_work_goes_on_from_what_the_page_says(operateur):
    """Nobody goes through the header again: after a search, one more line, an action, the focus is where it matters."""
    page, press = operateur, operateur.keyboard.press
    demo._load_dossiers()
    focused = page.locator(":focus")

    def type_then_tab(*values: str) -> None:
        for value in values:
            page.keyboard.type(value)
            press("Tab")

    page.goto("/dossiers/nouveau/")
    expect(focused).to_have_attribute("name", "p-0-nom")
    type_then_tab("Essai", "Anna")
    page.get_by_role("button", name="Ajouter une ligne").focus()
    press("Enter")
    expect(focused).to_have_attribute("name", "p-1-nom")
    type_then_tab("Essai", "Paul")
    press("Enter")  # in a field: creates, adds no line
    expect(focused).to_contain_text("est ouvert")
    expect(page.get_by_role("heading", level=1)).to_have_text("Renseigner la situation résidentielle")
    expect(page.get_by_role("link", name="Supprimer cette situation")).to_have_count(0)

    page.get_by_role("textbox", name="Depuis le").fill(written(30))
    for _ in range(3):  # « Aujourd'hui », « M'aider à choisir », level 1
        press("Tab")
    press("ArrowRight")
    press("Tab")
    press("Space")
    expect(focused).to_have_attribute("value", "II.1")
    press("Tab")
    # The button says what it will do, and keeps the focus while it changes.
    expect(focused).to_have_text("Enregistrer")
    press("Enter")
    expect(focused).to_have_text(re.compile("La situation de .+ est modifiée."))
    press("Tab")
    expect(focused).to_have_text("Ajouter une situation résidentielle")
    press("Enter")
    expect(focused).to_have_attribute("name", "personnes")

    page.goto("/dossiers/")
    expect(focused).to_have_attribute("name", "nom")
    type_then_tab("exemple", "rosa")
    press("Enter")
    expect(focused).to_contain_text("personnes de votre périmètre")
    press("Tab")  # the table, which scrolls on a phone
    press("Tab")
    expect(focused).to_contain_text("Rosa Exemple")
    press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Exemple")


def test_without_a_script_level_2_follows_level_1_and_the_consequence_is_read_first(ouvrir, base_reelle):
    demo.load_accounts()
    demo._load_dossiers()
    page = ouvrir(javascript=False)
    connect(page, OPERATEUR, demo.PASSWORD)
    rosa = Personne.objects.get(prenom="Rosa", nom="Exemple")
    page.goto(f"/dossiers/{rosa.appartenances.get().menage_id}/ajouter/")
    expect(page.get_by_label("I.3 Voiture")).to_be_hidden()
    tick(page, "I Personne à la rue")
    expect(page.get_by_label("I.3 Voiture")).to_be_visible()
    expect(page.get_by_label("III.7 SAS")).to_be_hidden()
    expect(page.get_by_label("Région d'orientation du SAS")).to_be_hidden()
    tick(page, "III Personne hébergée")
    tick(page, "III.7 SAS")
    page.get_by_label("Région d'orientation du SAS").select_option("Bretagne")
    only(page, "Rosa")
    page.get_by_role("button", name="Aujourd'hui").click()
    expect(page.get_by_role("textbox", name="Depuis le")).to_have_value(f"{jour(0):%d/%m/%Y}")
    before = chain_of(rosa)
    page.get_by_role("button", name="Voir ce qui va changer, puis enregistrer").click()
    expect(page.locator("#suite")).to_contain_text("Rosa Exemple : cela clôturera « III.1")
    assert chain_of(rosa) == before
    page.get_by_role("button", name="Enregistrer").last.click()
    expect(page.get_by_text(re.compile("La situation de .+ est enregistrée."))).to_be_visible()
    assert chain_of(rosa)[-1] == ("III.7", jour(0), None)
    # One click, and what was not sure is.
    page.get_by_role("button", name="Toujours exact : Louise Exemple").click()
    expect(page.get_by_text("Toujours exact au")).to_be_visible()


@pytest.mark.parametrize("javascript", [True, False])
def test_on_a_phone_the_lanes_open_on_today_and_the_keyboard_goes_back_in_time(ouvrir, base_reelle, javascript):
    demo.load_accounts()
    demo._load_dossiers()
    page = ouvrir(width=320, javascript=javascript)
    connect(page, OPERATEUR, demo.PASSWORD)
    menage = Personne.objects.get(prenom="Rosa", nom="Exemple").appartenances.get().menage_id
    page.goto(f"/dossiers/{menage}/")
    frame = page.get_by_role("region", name="Image des parcours résidentiels")
    picture = frame.locator("> svg")

    def inside(side: str) -> bool:
        """Whether this side of the picture is in sight."""
        seen, drawn = frame.bounding_box(), picture.bounding_box()
        gap = drawn["x"] - seen["x"] + (drawn["width"] - seen["width"] if side == "right" else 0)
        return abs(gap) <= 1

    assert picture.bounding_box()["width"] > 2 * frame.bounding_box()["width"]
    assert inside("right")
    assert not inside("left")
    frame.focus()
    for _ in range(100):
        page.keyboard.press("ArrowLeft")
        if inside("left"):
            break
    assert inside("left")
    assert not inside("right")
    page.set_viewport_size({"width": 1280, "height": 900})
    assert inside("left")
    assert inside("right")


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (320, True)])
def test_every_page_of_the_dossiers_through_axe(ouvrir, base_reelle, width, dark):
    demo.load_accounts()
    demo._load_dossiers()
    rosa = Personne.objects.get(prenom="Rosa", nom="Exemple")
    double = Personne.objects.get(nom="Exemples")
    ines = Personne.objects.get(prenom="Inès")
    menage = rosa.appartenances.get().menage_id
    refuge = ines.appartenances.get().menage_id
    courante = rosa.situations.get(date_fin=None).pk
    samir = Personne.objects.get(prenom="Samir").situations.get().pk
    partage = share(
        auteur=Habilitation.objects.get(utilisateur__courriel=OPERATEUR),
        objet=Menage.objects.get(pk=menage),
        siao=Siao.objects.get(pk="35"),
        date_fin=jour(-30),
        motif="Appel au 115",
    )
    operateur = [
        *(f"/dossiers/{key}/{tab}" for key in (menage, refuge) for tab in ("", "situations/", "modifications/")),
        *(f"/dossiers/{menage}/{page}/" for page in ("imprimer", "ajouter", "personnes", "deplacer", "modifier")),
        *(f"/situations/{key}/{page}/" for key in (courante, samir) for page in ("modifier", "supprimer")),
        *(f"/personnes/{rosa.pk}/{page}/" for page in ("fiche", "modifier", "protection", "fusionner", "parcours")),
        f"/personnes/{rosa.pk}/fusionner/{double.pk}/",
        f"/dossiers/{menage}/situations/?tri=-debut",
        f"/personnes/{ines.pk}/fiche/",
        f"/personnes/{ines.pk}/agents/",
        "/dossiers/",
        "/dossiers/nouveau/",
        "/demandes-d-acces/",
        f"/partages/{partage.pk}/cesser/",
        "/situations/a-confirmer/",
        "/situations/a-confirmer/?liste=nr",
        "/aide/situations/choisir/",
        "/aide/situations/choisir/?ou=hebergement&hebergement=hotel&payeur=soi",
        "/aide/situations/calculs/?pieces=2&couples=1&adultes=0&garcons=1&filles=0&petits_garcons=0&petites_filles=0",
        "/aide/notice/",
        "/",
    ]
    admin = [f"/personnes/{rosa.pk}/{page}/" for page in ("donnees", "geler", "effacer")] + ["/oublis/"]
    national = ["/referentiels/situations/", "/referentiels/situations/VI.2/", "/referentiels/situations/nouvelle/"]
    for courriel, paths in (
        (OPERATEUR, operateur),
        ("administrateur-siao.44@demo.example", admin),
        ("administrateur-national@demo.example", national),
    ):
        page = ouvrir(width=width, dark=dark)
        connect(page, courriel, demo.PASSWORD)
        for path in paths:
            assert page.goto(path).status == 200, path
            check(page)
    page = ouvrir(width=width, dark=dark)
    connect(page, OPERATEUR, demo.PASSWORD)
    page.goto("/dossiers/")
    found = "personnes de votre périmètre"
    for nom, prenom, said in (("", "", "Donnez au moins deux critères"), ("Exemple", "Rosa", found)):
        page.get_by_label("Nom", exact=True).fill(nom)
        page.get_by_label("Prénom").fill(prenom)
        page.get_by_role("button", name="Chercher", exact=True).click()
        expect(page.get_by_text(said)).to_be_visible()
        check(page)
    page.goto(f"/personnes/{rosa.pk}/parcours/")
    page.get_by_role("button", name="Ajouter une ligne").click()
    expect(page.get_by_label("Depuis le").last).to_be_focused()
    page.get_by_label("Depuis le").last.fill("demain")
    page.get_by_role("button", name="Voir ce qui va changer").click()
    expect(page.locator("[data-resume-erreurs]")).to_be_focused()
    check(page)
    page.get_by_label("Depuis le").last.fill("01/01/1990")
    page.locator('select[name$="-sr2"]').last.select_option("I.1")
    page.get_by_label("Motif de la correction").fill("Exemple")
    page.get_by_role("button", name="Voir ce qui va changer").click()
    expect(page.get_by_text("Ce qui va se passer")).to_be_visible()
    expect(page.get_by_label("C'est exact, les dates ont été vérifiées")).to_be_visible()
    check(page)
    page.goto(f"/dossiers/{menage}/ajouter/")
    page.get_by_role("button", name="Voir ce qui va changer").click()
    expect(page.locator("[data-resume-erreurs]")).to_be_focused()
    check(page)


def test_the_demonstration_has_dossiers_alive(base_reelle):
    demo.load_accounts()
    demo._load_dossiers()
    demo._load_dossiers()  # again: nothing more
    assert Personne.objects.count() == 13
    leon = Personne.objects.get(prenom="Léon")
    assert [code for code, _, _ in chain_of(leon)] == ["VII.1", "IV.2", "III.1"]
    assert chain_of(leon)[-1][1] == jour(90)
    assert isinstance(leon.date_naissance, datetime.date)


@pytest.mark.parametrize("dark", [False, True])
def test_in_a_narrow_window_what_is_done_about_each_person_is_in_sight(ouvrir, base_reelle, dark):
    demo.load_accounts()
    menage = make_menage(personnes=["Rosa Exemple"])
    make_personne(menage, "Louise Très-Longuement-Nommée Exemple", depuis=30, parcours=[("VI.4", 30), ("VII.1", 3)])
    page = ouvrir(width=320, dark=dark)
    connect(page, "operateur-siao.44@demo.example", demo.PASSWORD)
    page.goto(f"/dossiers/{menage.pk}/situations/")
    table = page.get_by_role("table", name="Situation actuelle de chaque personne")
    expect(table.get_by_role("row")).to_have_count(3)
    expect(table.get_by_role("rowheader")).to_have_count(2)
    expect(table.get_by_role("columnheader", name="Situation actuelle")).to_have_count(1)
    for action in [*table.get_by_role("link").all(), *table.get_by_role("button").all()]:
        action.scroll_into_view_if_needed()
        box = action.bounding_box()
        left, right = box["x"], box["x"] + box["width"]
        assert (min(left, 0), max(right, 320)) == (0, 320), action.inner_text()
    frame = page.locator(".cartes .fr-table__content")
    assert frame.evaluate("each => each.scrollWidth <= each.clientWidth")
    check(page)
