"""The ten demonstration accounts in a browser: each its home page, its menu and nothing else. Then every page of the
accounts through axe-core, and an invitation with the keyboard alone."""

import re

import pytest
from django.core import signing
from django.urls import reverse
from django.utils import timezone
from django_otp.oath import totp
from django_otp.plugins.otp_totp.models import TOTPDevice
from playwright.sync_api import Page, expect

from comptes import saisies
from comptes.models import Habilitation, Lien, Message, NatureLien, Utilisateur
from offre.models import Dispositif
from siao import demo
from tests.parcours.accessibilite import check
from tests.parcours.conftest import connect
from tests.parcours.test_accessibilite import LOOKS, visit

OFFRE = ["Places", "Dispositifs", "Entités", "Financements"]
DOSSIERS = ["Dossiers", "À confirmer"]
SIAO = [*DOSSIERS, "Places disponibles"]
REFERENTIELS = ["Référentiels", "Grille des situations", "Données ouvertes"]
MENUS = {
    "administrateur-national": [*OFFRE, "Comptes", "Messages", "Journal", *REFERENTIELS],
    "analyste": OFFRE,
    "administrateur-departemental.44": ["À valider", *OFFRE, "Classeur Temps 1", "Comptes"],
    "administrateur-siao.44": [*SIAO, "À valider", *OFFRE, "Classeur Temps 1", "Comptes", "Messages", "Journal"],
    "operateur-siao.44": [*SIAO, *OFFRE],
    "ecoutant-115.44": [*SIAO, *OFFRE],
    "gestionnaire-entite.44": ["Dossiers", *OFFRE, "Comptes"],
    "assistant.44": [*OFFRE, "Comptes"],
    "responsable-dispositif.44": [*DOSSIERS, *OFFRE, "Comptes"],
    "travailleur-social.44": [*DOSSIERS, *OFFRE],
}
PLACES = {
    "administrateur-national": "Administrateur national — France entière",
    "analyste": "Analyste — France entière",
    "administrateur-departemental.44": "Administrateur départemental — Loire-Atlantique",
    "administrateur-siao.44": "Administrateur SIAO — SIAO Loire-Atlantique",
    "operateur-siao.44": "Opérateur SIAO — SIAO Loire-Atlantique",
    "ecoutant-115.44": "Écoutant 115 — SIAO Loire-Atlantique",
    "gestionnaire-entite.44": "Gestionnaire d'entité — ",
    "assistant.44": "Assistant — ",
    "responsable-dispositif.44": "Responsable de dispositif — ",
    "travailleur-social.44": "Travailleur social — ",
}


def test_the_ten_accounts_find_their_home_page_their_menu_and_nothing_else(ouvrir, base_reelle):
    demo.load()
    addresses: dict[str, str] = {}
    opened: dict[str, tuple[Page, list[str]]] = {}
    for account in MENUS:
        page = ouvrir()
        connect(page, f"{account}@demo.example", demo.PASSWORD)
        expect(page.get_by_role("heading", level=1)).to_contain_text("Bonjour, Compte")
        expect(page.get_by_role("heading", name="Ce qui m'attend")).to_be_visible()
        expect(page.locator(".habilitation")).to_contain_text(PLACES[account])
        links = page.get_by_role("navigation", name="Menu principal").get_by_role("link").all()
        menu = {link.inner_text(): link.get_attribute("href") for link in links}
        assert list(menu) == MENUS[account], account
        addresses |= menu
        for label, address in menu.items():
            opened_page = page.request.get(address)  # with her cookies, without drawing it
            assert opened_page.status == 200, (account, label)
            assert re.search(rf'aria-current="page"\s*>{label}</a>', opened_page.text()), (account, label)
        opened[account] = page, list(menu.values())
    assert len(addresses) == 15
    for account, (page, own) in opened.items():
        for address in set(addresses.values()) - set(own):
            refused = page.request.get(address)
            assert refused.status == 403, (account, address)
            assert "Votre profil ne permet pas cette action" in refused.text()


@pytest.mark.parametrize(("width", "dark"), LOOKS)
def test_every_page_of_the_accounts(ouvrir, base_reelle, width, dark):
    demo.load()
    agent = Utilisateur.objects.get(courriel="travailleur-social.44@demo.example")
    [held] = Habilitation.objects.of(agent)
    page = ouvrir(width=width, dark=dark)
    message = Message.objects.create(
        nature="INFORMATION",
        titre="Coupure de mardi",
        texte="Le service s'arrête à midi.",
        debut=timezone.now(),
        fin=timezone.now() + timezone.timedelta(days=1),
        departement_id="44",
        auteur=agent,
    )
    connect(page, "administrateur-siao.44@demo.example", demo.PASSWORD)
    inviter = reverse("inviter")
    for path in (
        reverse("accueil"),
        reverse("comptes"),
        f"{reverse('comptes')}?q=personne-de-ce-nom",
        *(
            reverse(name, args=[agent.pk])
            for name in (
                "compte",
                "modifier_compte",
                "desactiver_compte",
                "reactiver_compte",
                "reinitialiser_compte",
                "ajouter_habilitation",
            )
        ),
        inviter,
        f"{inviter}?profil=OPERATEUR_SIAO",
        f"{inviter}?profil=TRAVAILLEUR_SOCIAL",
        reverse("retirer_habilitation", args=[held.pk]),
        reverse("etendre_habilitation", args=[held.pk]),
        reverse("messages"),
        reverse("publier_message"),
        reverse("modifier_message", args=[message.pk]),
        reverse("journal"),
        reverse("alertes"),
        f"{reverse('journal')}?jour=01/01/2020",
        reverse("historique", args=["comptes.utilisateur", agent.pk]),
        reverse("historique", args=["comptes.habilitation", held.pk]),
        reverse("acces", args=["comptes.utilisateur", agent.pk]),
        reverse("qui_peut_quoi"),
        reverse("mon_compte"),
        reverse("changer_mot_de_passe"),
    ):
        visit(page, path)
    page.goto(f"{inviter}?profil=OPERATEUR_SIAO")
    page.get_by_role("button", name="Inviter").click()
    expect(page.locator("[data-resume-erreurs]")).to_be_focused()
    check(page)


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (320, True)])
def test_pages_around_the_login(ouvrir, base_reelle, width, dark):
    demo.load_accounts()
    agent = Utilisateur.objects.get(courriel="operateur-siao.44@demo.example")
    page = ouvrir(width=width, dark=dark)
    visit(page, reverse("mot_de_passe_oublie"))
    visit(page, reverse("lien", args=[link_of(agent)]))

    connect(page, agent.courriel, demo.PASSWORD)
    visit(page, reverse("double_authentification"))
    page.get_by_label("Votre mot de passe, ou un code").fill(demo.PASSWORD)
    page.get_by_role("button", name="Activer").click()
    expect(page.get_by_label("Code à usage unique")).to_be_visible()
    check(page)
    device = TOTPDevice.objects.get(user=agent)
    page.get_by_label("Code à usage unique").fill(f"{totp(device.bin_key):06d}")
    page.get_by_role("button", name="Vérifier et activer").click()
    expect(page.get_by_role("heading", name="Codes de secours")).to_be_visible()
    check(page)
    visit(page, reverse("double_authentification"))
    visit(page, reverse("codes_de_secours"))
    visit(page, reverse("retirer_second_facteur"))
    page.goto(reverse("accueil"))
    page.get_by_role("button", name="Se déconnecter").locator("visible=true").or_(
        page.get_by_role("button", name="Menu")
    ).first.click()
    if width == 320:
        page.get_by_role("button", name="Se déconnecter").locator("visible=true").click()
    page.wait_for_url(f"**{reverse('connexion')}")
    connect(page, agent.courriel, demo.PASSWORD)
    expect(page.get_by_role("heading", name="Code à usage unique")).to_be_visible()
    check(page)


def link_of(utilisateur: Utilisateur) -> str:
    """The secret of a link that the worker would have sent."""
    from comptes.actions import _hash

    Lien.objects.create(
        nature=NatureLien.INVITATION,
        courriel=utilisateur.courriel,
        utilisateur=utilisateur,
        envoye_le=timezone.now(),
        expire_le=timezone.now() + timezone.timedelta(days=7),
        empreinte=_hash("secret"),
    )
    return "secret"


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (320, True)])
@pytest.mark.parametrize(("status", "method", "name"), [(403, "GET", "journal"), (405, "GET", "deconnexion")])
def test_pages_of_refusals(ouvrir, base_reelle, width, dark, status, method, name):
    demo.load_accounts()
    page = ouvrir(width=width, dark=dark, status=status)
    connect(page, "operateur-siao.44@demo.example", demo.PASSWORD)
    assert page.goto(reverse(name)).status == status
    check(page)


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (320, True)])
def test_the_page_of_a_form_opened_by_somebody_else(ouvrir, base_reelle, width, dark):
    demo.load_accounts()
    page = ouvrir(width=width, dark=dark, status=409)
    connect(page, "administrateur-siao.44@demo.example", demo.PASSWORD)
    page.goto(f"{reverse('inviter')}?profil=OPERATEUR_SIAO")
    page.get_by_label("Prénom").fill("Camille")
    stamp = signing.dumps([0, 0, "x"], salt=saisies._SALT)
    page.locator("main form input[name=ouvert_par]").evaluate("(field, stamp) => field.value = stamp", stamp)
    page.get_by_role("button", name="Inviter").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Ce formulaire a été ouvert ailleurs")
    expect(page.get_by_text("Camille")).to_be_visible()
    check(page)


def test_inviting_somebody_with_the_keyboard_alone(ouvrir, base_reelle):
    demo.load_accounts()
    page = ouvrir()
    page.goto("/connexion/")
    expect(page.get_by_label("Adresse courriel")).to_be_focused()
    type_in(page, "administrateur-siao.44@demo.example", "Tab", demo.PASSWORD, "Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Bonjour")
    page.goto(reverse("inviter"))
    page.get_by_label("Écoutant 115").focus()
    type_in(page, "Space", "Enter")
    page.wait_for_url(re.compile("profil=ECOUTANT_115"))
    page.get_by_label("Adresse courriel").focus()
    with page.expect_navigation():  # the focus that the new page gives would be taken from the next field
        type_in(page, "nouvelle@test.example", "Tab", "Nouvelle", "Tab", "Personne", "Enter")
    expect(page.get_by_text("L'habilitation est donnée.")).to_be_visible()
    page.get_by_label("Nom, prénom ou adresse").focus()
    type_in(page, "nouvelle", "Enter")
    expect(page.get_by_text("1 compte dans votre périmètre.")).to_be_visible()


def test_a_dispositif_is_found_among_many_by_the_words_of_its_name(ouvrir, base_reelle):
    demo.load()
    wanted = Dispositif.objects.filter(departement="44").order_by("nom_cle").last()
    page = ouvrir()
    connect(page, "administrateur-siao.44@demo.example", demo.PASSWORD)
    page.goto(f"{reverse('inviter')}?profil=RESPONSABLE_DISPOSITIF")
    boxes = page.get_by_role("checkbox")
    expect(boxes).to_have_count(demo.OFFRE["dispositifs"])
    boxes.first.check(force=True)
    page.get_by_label("Ne montrer que les lignes qui contiennent").fill(f"  {wanted.nom.upper()} ")
    expect(page.get_by_text(f"2 sur {demo.OFFRE['dispositifs']}")).to_be_visible()
    boxes.first.uncheck(force=True)
    page.get_by_label(wanted.nom).check(force=True)
    check(page)
    page.get_by_label("Adresse courriel").fill("responsable@test.example")
    page.get_by_label("Prénom").fill("Nouvelle")
    page.locator("input[name=nom]").fill("Personne")
    page.get_by_role("button", name="Inviter", exact=True).click()
    expect(page.get_by_text("L'habilitation est donnée.")).to_be_visible()
    [habilitation] = Habilitation.objects.filter(utilisateur__courriel="responsable@test.example")
    assert habilitation.perimetre.dispositifs == {wanted.pk}


def type_in(page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key) if key in ("Tab", "Enter", "Space") else page.keyboard.type(key)
