"""The change history of the offre: an import signs it, and the address of a dispositif stays out of it."""

import pytest
from django.apps import apps
from django.urls import reverse
from pghistory.models import Events

from comptes import historique
from comptes.droits import Profil
from offre.models import Dispositif, Entite, Financement, Rattachement
from tests.comptes.fabrique import client_of, make_utilisateur, words

from .fabrique import make_dispositif, make_rattachement

pytestmark = pytest.mark.django_db


def test_every_fiche_has_one():
    tracked = {apps.get_model(label) for label in historique.MODELES}
    assert {Entite, Rattachement, Dispositif, Financement} <= tracked


def test_an_import_signs_what_it_writes_and_so_does_its_undo(chain, agent):
    travail = chain.apply()
    [created] = Events.objects.tracks(Dispositif.objects.get())
    assert created.pgh_label == "insert"
    assert created.pgh_context["utilisateur"] == agent.pk
    assert created.pgh_context["travail"] == "import"
    chain.undo(travail)
    gone = Dispositif.pgh_event_model.objects.get(pgh_label="delete")
    assert gone.pgh_context.metadata["travail"] == "annulation d'un import"


def test_the_page_reads_in_french_without_the_address():
    dispositif = make_dispositif(make_rattachement("44"), voie="12 rue Cachée")
    Dispositif.objects.filter(pk=dispositif.pk).update(voie="13 rue Cachée", nom="Maraude du soir")
    siao = client_of(make_utilisateur(Profil.ADMIN_SIAO))
    page = siao.get(reverse("historique", args=["offre.dispositif", dispositif.pk]))
    assert "Maraude du soir" in words(page)
    assert "rue Cachée" not in words(page)
    elsewhere = client_of(make_utilisateur(Profil.ADMIN_SIAO, departement_id="35"))
    assert elsewhere.get(reverse("historique", args=["offre.dispositif", dispositif.pk])).status_code == 404
