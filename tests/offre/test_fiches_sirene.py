"""Creating an entité from its SIREN: the register fills the name, and never stands in the way."""

import pytest
from django.urls import reverse
from django.utils import timezone

from comptes.droits import Profil
from offre.models import Entite, FicheSirene, Rattachement
from tests.comptes.fabrique import client_of, make_utilisateur, plain, words

from .fabrique import make_dispositif, make_hebergement, make_proposition, make_rattachement

pytestmark = pytest.mark.django_db

SIREN = "400461356"


@pytest.fixture
def page():
    return client_of(make_utilisateur(Profil.ADMIN_SIAO))


def known(**fields):
    """A fresh copy of what the register says: nobody is asked."""
    return FicheSirene.objects.create(siren=SIREN, lue_le=timezone.now(), **{"denomination": "LE PHARE", **fields})


def fill(page, **typed):
    return page.post(reverse("offre:creer_entite"), {"siren": "400 461 356", "remplir": "1", **typed})


def test_the_name_comes_from_the_register_and_what_was_typed_stays(page):
    known(etat="ACTIVE")
    answer = fill(page, courriel="contact@phare.example")
    assert 'value="LE PHARE"' in answer.text
    assert 'value="contact@phare.example"' in answer.text
    assert "Dénomination" in words(answer)
    assert 'value="Le Phare de Nantes"' in fill(page, nom="Le Phare de Nantes").text
    assert not Rattachement.objects.exists()
    saved = page.post(reverse("offre:creer_entite"), {"siren": SIREN, "nom": "LE PHARE"})
    assert saved.status_code == 302
    assert Rattachement.objects.get().nom == "LE PHARE"


def test_a_closed_company_and_a_wrong_number_are_said_so(page):
    known(etat="CESSEE")
    assert "Cette entreprise est fermée au répertoire" in words(fill(page))
    wrong = fill(page, siren="400461357")
    assert wrong.status_code == 200
    assert 'value="400461357"' in wrong.text
    assert "SIREN" in words(wrong)


def test_a_register_that_is_down_stops_nobody(page, settings):
    settings.SIRENE_URL = "http://127.0.0.1:9/"
    answer = fill(page, courriel="contact@phare.example")
    assert "ne répond pas pour l'instant" in words(answer)
    assert "à corriger" not in words(answer)
    assert "obligatoire." not in words(answer)
    assert 'value="contact@phare.example"' in answer.text
    assert 'value="400 461 356"' in answer.text
    assert "1 point à corriger" in words(fill(page, courriel="contact"))
    # Saved without a name, it is refused as always.
    refused = page.post(reverse("offre:creer_entite"), {"siren": SIREN, "nom": ""})
    assert "1 point à corriger" in words(refused)
    assert not Rattachement.objects.exists()


def test_a_fiche_leads_to_what_the_dispositif_offers(page):
    rattachement = make_rattachement("44")
    for dispositif, route in (
        (make_hebergement(rattachement), "offre:places_dispositif"),
        (make_dispositif(rattachement), "offre:prestations_dispositif"),
    ):
        fiche = page.get(reverse("offre:fiche", args=["dispositifs", dispositif.pk]))
        assert reverse(route, args=[dispositif.pk]) in fiche.text


def test_a_closed_entite_is_said_where_somebody_decides_on_it(page):
    """On its fiche and its dispositifs', in the queue, where it cannot be ticked, on the step and on a proposition."""
    rattachement = make_rattachement("44", entite=Entite.objects.create(siren=SIREN), statut="PREVALIDE")
    dispositif = make_dispositif(rattachement, statut="PREVALIDE")
    agent = make_utilisateur(Profil.ADMIN_DEPARTEMENTAL)
    etat = client_of(agent)
    valide = make_dispositif(rattachement)
    proposition = make_proposition(valide, agent, apres={"horaires": "9 h à 17 h"}, statut="PREVALIDE")
    pages = [
        reverse("offre:fiche", args=["entites", rattachement.pk]),
        reverse("offre:fiche", args=["dispositifs", dispositif.pk]),
        reverse("offre:passer", args=["entites", rattachement.pk, "valider"]),
        reverse("offre:proposition", args=[proposition.pk]),
        reverse("offre:a_valider"),
    ]
    told = "L'entité est fermée au répertoire SIRENE depuis le 12/03/2024."
    before = [plain(etat.get(address)) for address in pages]
    assert not any("répertoire SIRENE" in shown for shown in before)
    assert before[-1].count('name="choix"') == 3
    known(etat="CESSEE", date_fermeture="2024-03-12")
    after = [plain(etat.get(address)) for address in pages]
    assert all(told in shown for shown in after)
    assert (after[-1].count(told), after[-1].count('name="choix"')) == (3, 0)
