"""Every page of the product through axe-core: clear and dark, wide and narrow, filled, empty and in error."""

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from comptes.droits import Profil
from comptes.models import Utilisateur
from offre.models import (
    Dispositif,
    FicheSirene,
    Financement,
    GroupeMesures,
    Import,
    Indisponibilite,
    PrestationProposee,
    Rattachement,
)
from offre.temps1 import travaux
from siao import demo
from tests.classeurs import DISPOSITIF, ENTITE, PENSION, classeur
from tests.comptes.fabrique import PASSWORD, make_utilisateur
from tests.offre.conftest import Chain
from tests.offre.fabrique import (
    make_accompagnement,
    make_dispositif,
    make_groupe,
    make_hebergement,
    make_proposition,
    make_rattachement,
)
from tests.parcours.accessibilite import check
from tests.parcours.conftest import connect

LOOKS = [(1280, False), (1280, True), (320, False), (320, True)]
PUBLIC = ("connexion", "plan_du_site", "accessibilite", "mentions_legales", "donnees_personnelles", "grille")


@pytest.mark.parametrize(("width", "dark"), LOOKS)
def test_public_pages(ouvrir, base_reelle, width, dark):
    page = ouvrir(width=width, dark=dark)
    for name in PUBLIC:
        answer = page.goto(reverse(name))
        assert answer.status == 200
        check(page)
    assert page.evaluate("document.documentElement.dataset.frTheme") == ("dark" if dark else "light")
    page.goto(reverse("connexion"))
    page.get_by_role("button", name="Se connecter").click()
    expect(page.locator("[data-resume-erreurs]")).to_be_focused()
    check(page)


@pytest.mark.parametrize(("width", "dark"), LOOKS)
def test_pages_of_the_offre(ouvrir, base_reelle, width, dark):
    demo.load_accounts()
    page = ouvrir(width=width, dark=dark)
    courriel = "administrateur-departemental.44@demo.example"
    connect(page, courriel, demo.PASSWORD)
    paths = [reverse(f"offre:{name}") for name in ("entites", "dispositifs", "financements", "temps1", "aide_temps1")]
    paths.append(reverse("accueil"))
    for path in paths:
        visit(page, path)
    chain = Chain(Utilisateur.objects.get(courriel=courriel))
    chain.apply(classeur(dispositifs=[DISPOSITIF, PENSION]))
    states = [
        chain.read(b""),
        chain.read(classeur([{**ENTITE, "siren": "1"}])),
        chain.read(classeur(dispositifs=[{**DISPOSITIF, "voie": "9 rue des Exemples"}])),
    ]
    for travail in Import.objects.all():
        travaux.annotate(travail.pk)
        paths.append(travail.get_absolute_url())
    paths.append(reverse("offre:corriger_import", args=[states[1].pk]))
    paths += [reverse("offre:annuler", args=[states[0].pk]), f"{states[-1].get_absolute_url()}?nature=MODIFIE"]
    for path in paths:
        visit(page, path)
    # What the same workbook would do under a profil that does not validate.
    proposed = chain.read(classeur(dispositifs=[{**DISPOSITIF, "voie": "8 rue des Exemples"}]), statut="PREVALIDE")
    for nature in ("MODIFIE", "ABSENT"):
        visit(page, f"{proposed.get_absolute_url()}?nature={nature}")
    page.goto(reverse("offre:temps1"))
    page.get_by_role("button", name="Déposer", exact=True).click()
    expect(page.get_by_text("1 point à corriger")).to_be_visible()
    check(page)


@pytest.mark.parametrize(("width", "dark"), LOOKS)
def test_pages_of_the_capacity(ouvrir, base_reelle, width, dark):
    """Places, mesures, prestations, the register and the open data; with rows, and the forms in error."""
    rattachement = make_rattachement("44")
    groupe = make_groupe(make_hebergement(rattachement), etats=["LIBRE", "OCCUPEE", ""])
    place = groupe.places.first()
    works = Indisponibilite.objects.create(place=place, motif="TRAVAUX", date_debut="2026-01-01")
    avdl, accueil = make_accompagnement(rattachement), make_dispositif(rattachement)
    mesures = GroupeMesures.objects.create(dispositif=avdl, libelle="AVDL", nombre=3, ouvert_le="2024-01-01")
    PrestationProposee.objects.create(dispositif=accueil, nature="REPAS").creneaux.create(
        jour=1, heure_debut="09:00", heure_fin="12:00"
    )
    FicheSirene.objects.create(
        siren=accueil.siren, etat="CESSEE", denomination="ANCRE", adresse="1 RUE 44000 NANTES", lue_le=timezone.now()
    )
    visits = {
        Profil.ASSISTANT: [
            ("places", []),
            ("places_dispositif", [groupe.dispositif_id]),
            ("creer_groupe", [groupe.dispositif_id]),
            ("modifier_groupe", [groupe.pk]),
            ("ajouter_places", [groupe.pk]),
            ("place", [place.pk]),
            ("modifier_place", [place.pk]),
            ("rendre_indisponible", [place.pk]),
            ("modifier_indisponibilite", [works.pk]),
            ("mesures", []),
            ("mesures_dispositif", [avdl.pk]),
            ("creer_mesures", [avdl.pk]),
            ("modifier_mesures", [mesures.pk]),
            ("prestations", []),
            ("prestations_dispositif", [accueil.pk]),
            ("horaires", [accueil.pk, "REPAS"]),
        ],
        Profil.ADMIN_NATIONAL: [("donnees_ouvertes", [])],
        Profil.ADMIN_DEPARTEMENTAL: [("repertoire", []), ("chercher_siren", [])],
        Profil.ECOUTANT_115: [("disponibilites", [])],
    }
    page = ouvrir(width=width, dark=dark)
    for profil, pages in visits.items():
        utilisateur = make_utilisateur(profil, objets=[rattachement] if profil == Profil.ASSISTANT else ())
        utilisateur.set_password(PASSWORD)
        utilisateur.save()
        page.context.clear_cookies()
        connect(page, utilisateur.courriel, PASSWORD)
        for name, arguments in pages:
            visit(page, reverse(f"offre:{name}", args=arguments))
    visit(page, reverse("offre:disponibilites") + "?composition=100&taille=4")
    visit(page, reverse("offre:disponibilites") + "?composition=100&taille=1")


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (320, True)])
def test_fiches_and_their_validation(ouvrir, base_reelle, width, dark):
    demo.load_accounts()
    agent = Utilisateur.objects.get(courriel="administrateur-departemental.44@demo.example")
    Chain(agent).apply(classeur(dispositifs=[DISPOSITIF, PENSION]))
    chrs, pension = Dispositif.objects.order_by("nom")
    entite = Rattachement.objects.get()
    other = make_rattachement("44", nom="Fondation le Pont")
    proposition = make_proposition(chrs, agent, statut="PREVALIDE", apres={"places_pmr": 3})
    Dispositif.objects.filter(pk=pension.pk).update(statut="PREVALIDE")
    names = {
        "fiche": [("entites", entite.pk), ("dispositifs", chrs.pk), ("financements", Financement.objects.get().pk)],
        "modifier": [("entites", entite.pk), ("dispositifs", chrs.pk)],
        "creer_entite": [()],
        "creer_dispositif": [(entite.pk,)],
        "creer_financement": [(chrs.pk,)],
        "passer": [("dispositifs", pension.pk, "renvoyer"), ("dispositifs", chrs.pk, "fermer")],
        "proposition": [(proposition.pk,)],
        "passer_proposition": [(proposition.pk, "renvoyer")],
        "a_valider": [()],
        "communes": [()],
        "synthese_financements": [()],
        "fusionner": [(entite.pk,)],
        "deplacer": [(chrs.pk,)],
    }
    paths = [reverse(f"offre:{name}", args=args) for name, several in names.items() for args in several]
    paths += [f"{paths[6]}?categorie=HEBERGEMENT", f"{paths[-2]}?entite={other.pk}"]
    page = ouvrir(width=width, dark=dark, status=409)
    connect(page, agent.courriel, demo.PASSWORD)
    for path in paths:
        visit(page, path)
    # Somebody was faster: the page of the conflict.
    page.goto(reverse("offre:modifier", args=["entites", entite.pk]))
    Rattachement.objects.filter(pk=entite.pk).update(version=7, nom="Nom d'un autre")
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.get_by_text("Quelqu'un a enregistré avant vous")).to_be_visible()
    check(page)
    page.goto(reverse("offre:a_valider"))
    page.get_by_role("button", name="Valider les lignes cochées").click()
    expect(page.get_by_text("Cochez au moins une ligne.")).to_be_visible()
    check(page)


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (320, True)])
def test_referentiels(ouvrir, base_reelle, width, dark):
    demo.load_accounts()
    page = ouvrir(width=width, dark=dark)
    connect(page, "administrateur-national@demo.example", demo.PASSWORD)
    for name, args in (
        ("referentiels", ()),
        ("referentiel", ("lignes",)),
        ("nouvelle_valeur", ("types",)),
        ("valeur", ("types", "CHRS")),
        ("importer_referentiel", ("lignes",)),
    ):
        visit(page, reverse(f"offre:{name}", args=args))
    visit(page, reverse("nouvelle_sr2"))
    visit(page, reverse("modifier_sr2", args=["I.1"]))
    page.goto(reverse("offre:importer_referentiel", args=["lignes"]))
    line = "code;libelle;financeur;programme_177;ordre\nFSL;FSL;État;oui;1\nFAUX;x;y;peut-être;2\n"
    page.get_by_label("Fichier de la liste").set_input_files(
        {"name": "liste.csv", "mimeType": "text/csv", "buffer": line.encode()}
    )
    page.get_by_role("button", name="Voir ce qui changerait").click()
    expect(page.get_by_text("Rien n'est encore enregistré")).to_be_visible()
    check(page)


def visit(page, path):
    assert page.goto(path).status == 200
    check(page)


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (320, True)])
def test_error_pages(ouvrir, base_reelle, width, dark):
    page = ouvrir(width=width, dark=dark, status=404)
    demo.load_accounts()
    connect(page, "administrateur-siao.35@demo.example", demo.PASSWORD)
    assert page.goto("/offre/temps1/99999/").status == 404
    check(page)
