"""A new dispositif, from the draft of the SIAO to its validation, through a remark and its correction."""

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from comptes.models import Utilisateur
from offre.models import Dispositif, FicheSirene, Rattachement
from siao import demo
from tests.classeurs import ENTITE, SIREN
from tests.comptes.fabrique import habilite
from tests.parcours.accessibilite import check
from tests.parcours.conftest import connect

GESTIONNAIRE = "gestionnaire@demo.example"


@pytest.fixture
def personne(ouvrir):
    """Open the product as one of the accounts of the demonstration."""

    def open_as(courriel: str, **look) -> Page:
        page = ouvrir(**look)
        connect(page, courriel, demo.PASSWORD)
        return page

    return open_as


def test_from_the_draft_to_the_validation(personne, base_reelle):
    demo.load_accounts()
    siao = personne("administrateur-siao.44@demo.example")
    siao.goto("/offre/entites/")
    siao.get_by_role("link", name="Créer une entité").click()
    FicheSirene.objects.create(siren=SIREN, denomination=ENTITE["nom"], etat="ACTIVE", lue_le=timezone.now())
    siao.get_by_label("Code SIREN").fill(SIREN[:-1])
    siao.get_by_role("button", name="Enregistrer").click()
    expect(siao.get_by_role("alert")).to_contain_text("Un SIREN a 9 chiffres, celui-ci en a 8")
    siao.get_by_label("Code SIREN").fill(SIREN)
    siao.get_by_role("button", name="Remplir depuis SIRENE").click()
    expect(siao.get_by_label("Nom de l'entité")).to_have_value(ENTITE["nom"])
    check(siao)
    siao.get_by_role("button", name="Enregistrer").click()
    expect(siao.get_by_role("heading", level=1)).to_contain_text(ENTITE["nom"])
    check(siao)

    siao.get_by_role("link", name="Ajouter un dispositif").click()
    siao.get_by_text("Hébergement", exact=True).click()
    siao.get_by_role("button", name="Continuer").click()
    for label, value in (
        ("nom", "CHRS le Phare"),
        ("date_ouverture", "01/02/2015"),
        ("voie", "1 rue des Exemples"),
        ("code_postal", "44000"),
        ("commune", "nantes"),
        ("places", "30"),
        ("places_urgence", "10"),
        ("places_stabilisation", "5"),
        ("places_insertion", "15"),
    ):
        siao.locator(f"[name={label}]").fill(value)
    for label, choice in (
        ("type", "CHRS"),
        ("perennite", "Pérenne"),
        ("implantation", "Regroupé"),
        ("orientation_siao", "Oui"),
        ("adresse_confidentielle", "Non"),
    ):
        siao.locator(f"[name={label}]").select_option(label=choice)
    siao.get_by_label("Homme seul", exact=True).check(force=True)
    check(siao)
    siao.get_by_role("button", name="Enregistrer").click()
    expect(siao.get_by_role("heading", level=1)).to_contain_text("Brouillon")
    siao.get_by_role("button", name="Pré-valider").click()
    expect(siao.get_by_text("l'administrateur départemental est prévenu")).to_be_visible()

    etat = personne("administrateur-departemental.44@demo.example")
    etat.get_by_role("link", name="1 dispositif à valider").click()
    etat.get_by_text("Nouvelle fiche").click()
    expect(etat.get_by_text("Nombre de places : 30")).to_be_visible()
    check(etat)
    etat.get_by_role("link", name="Renvoyer avec remarques").click()
    etat.get_by_label("Nombre de places").fill("L'arrêté dit 32 places : vérifiez.")
    check(etat)
    etat.get_by_role("button", name="Renvoyer avec remarques").click()
    expect(etat.get_by_text("Rien n'attend votre décision")).to_be_visible()

    gestionnaire = _gestionnaire(personne)
    gestionnaire.get_by_role("link", name="1 dispositif à corriger").click()
    gestionnaire.get_by_role("link", name="CHRS le Phare").click()
    gestionnaire.get_by_role("link", name="Corriger").click()
    expect(gestionnaire.get_by_text("L'arrêté dit 32 places")).to_be_visible()
    expect(gestionnaire.locator("main input:visible, main select, main textarea")).to_have_count(1)
    check(gestionnaire)
    gestionnaire.get_by_label("Nombre de places").fill("32")
    gestionnaire.get_by_role("button", name="Renvoyer corrigé").click()
    expect(gestionnaire.get_by_role("alert")).to_contain_text("= 30, et non 32")
    gestionnaire.get_by_label("Nombre de places").fill("30")
    gestionnaire.get_by_role("button", name="Renvoyer corrigé").click()
    expect(gestionnaire.get_by_role("heading", level=1)).to_contain_text("Soumis")

    siao.goto("/offre/a-valider/")
    expect(siao.get_by_text("à ouvrir")).to_be_visible()  # it was sent back: not one to pass without looking
    siao.get_by_role("button", name="Pré-valider CHRS le Phare").click()
    expect(siao.get_by_text("C'est pré-validé")).to_be_visible()
    etat.goto("/offre/a-valider/")
    etat.get_by_role("button", name="Valider CHRS le Phare").click()
    expect(etat.get_by_text("C'est validé.")).to_be_visible()
    assert Dispositif.objects.get().statut == "VALIDE"
    etat.goto(f"/offre/dispositifs/{Dispositif.objects.get().pk}/")
    expect(etat.get_by_role("heading", name="Historique")).to_be_visible()
    check(etat)


def _gestionnaire(personne) -> Page:
    utilisateur = Utilisateur.objects.create_user(GESTIONNAIRE, demo.PASSWORD, prenom="Compte", nom="Gestionnaire")
    habilite(utilisateur, "GESTIONNAIRE_ENTITE", objets=[Rattachement.objects.get()])
    return personne(GESTIONNAIRE)
