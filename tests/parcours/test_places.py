"""A family room, from the Assistant who creates it to the Opérateur who finds it, freed on a phone in between."""

import re

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from comptes.droits import Profil
from offre.models import Dispositif
from tests.comptes.fabrique import PASSWORD, make_utilisateur
from tests.offre.fabrique import make_groupe, make_hebergement, make_rattachement
from tests.parcours.accessibilite import check
from tests.parcours.conftest import connect


@pytest.fixture
def people(base_reelle):
    """The Assistant, the Responsable and the Opérateur of one CHRS, each with a password."""
    rattachement = make_rattachement("44")
    chrs = make_hebergement(rattachement, nom="CHRS le Phare")
    users = {
        "assistant": make_utilisateur(Profil.ASSISTANT, objets=[rattachement]),
        "responsable": make_utilisateur(Profil.RESPONSABLE_DISPOSITIF, objets=[chrs]),
        "operateur": make_utilisateur(Profil.OPERATEUR_SIAO),
    }
    for user in users.values():
        user.set_password(PASSWORD)
        user.save()
    return users


def test_a_family_room_is_created_freed_on_a_phone_and_found(ouvrir, people):
    page = ouvrir()
    connect(page, people["assistant"].courriel, PASSWORD)
    page.goto(reverse("offre:places"))
    check(page)
    page.goto(reverse("offre:places_dispositif", args=[Dispositif.objects.get().pk]))
    check(page)
    page.get_by_role("link", name="Créer un groupe de places").click()
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.locator("[data-resume-erreurs]")).to_be_focused()
    check(page)
    page.get_by_label("Nom du groupe").fill("Chambres familiales")
    page.get_by_label("Type de place").select_option("Place d'insertion")
    page.get_by_label("Catégorie").select_option("Chambre 4 places")
    page.get_by_label("Couchages par place").fill("4")
    page.get_by_label("Couchages financés").fill("8")
    page.get_by_label("Combien de places").fill("2")
    page.get_by_text("Couple avec enfant", exact=True).click()
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.get_by_text("2 places de 4 couchages")).to_be_visible()
    check(page)

    phone = ouvrir(width=320, dark=True)
    connect(phone, people["responsable"].courriel, PASSWORD)
    check(phone)
    phone.get_by_role("link", name="2 places à déclarer").click()
    expect(phone.get_by_role("heading", name="Places de CHRS le Phare")).to_be_visible()
    check(phone)
    free = phone.get_by_role("button", name="Une place se libère : Chambre 01")
    assert free.bounding_box()["height"] >= 44
    free.click()
    expect(phone.get_by_role("button", name="Place occupée : Chambre 01")).to_be_visible()
    expect(phone.get_by_text("1 libre sur 2 en service")).to_be_visible()
    check(phone)
    phone.get_by_role("link", name="Chambre 02").click()
    expect(phone.get_by_role("heading", level=1)).to_have_text("Chambre 02")
    check(phone)
    phone.get_by_role("link", name="Déclarer indisponible").click()
    expect(phone.get_by_role("heading", level=1)).to_have_text("« Chambre 02 » ne peut pas servir")
    check(phone)
    phone.get_by_role("button", name="Enregistrer").click()
    expect(phone.get_by_text("ne sera pas proposée pendant ces dates")).to_be_visible()
    check(phone)

    siao = ouvrir(javascript=False)
    connect(siao, people["operateur"].courriel, PASSWORD)
    siao.goto(reverse("offre:disponibilites"))
    siao.get_by_label("Composition du ménage").select_option("Couple avec enfant")
    siao.get_by_label("Nombre de personnes").fill("4")
    siao.get_by_role("button", name="Chercher une place").click()
    row = siao.get_by_role("row", name="CHRS le Phare")
    expect(row).to_contain_text("Chambres familiales")
    expect(row).to_contain_text(re.compile(r"à l'instant|il y a \d+\smin"))
    siao.get_by_label("Nombre de personnes").fill("5")
    siao.get_by_role("button", name="Chercher une place").click()
    expect(siao.get_by_text("Aucune place libre déclarée")).to_be_visible()


@pytest.mark.parametrize("javascript", [True, False])
def test_on_a_phone_the_answer_to_a_click_is_before_the_eyes(ouvrir, people, javascript):
    chrs = Dispositif.objects.get()
    last = make_groupe(chrs, etats=["OCCUPEE"] * 12).places.last()
    phone = ouvrir(width=320, javascript=javascript)
    connect(phone, people["responsable"].courriel, PASSWORD)
    phone.goto(reverse("offre:places_dispositif", args=[chrs.pk]))
    phone.get_by_role("button", name=f"Une place se libère : {last}").click()
    done = phone.get_by_role("status").filter(has_text="le SIAO le voit dès maintenant")
    expect(done).to_be_in_viewport(ratio=1)
    if javascript:
        expect(done).to_be_focused()
        check(phone)
    last.indisponibilites.create(motif="TRAVAUX", date_debut=timezone.localdate())
    phone.get_by_role("button", name=f"Place occupée : {last}").click()
    expect(phone.get_by_role("alert").filter(has_text="remettez-la d'abord en service")).to_be_in_viewport(ratio=1)
