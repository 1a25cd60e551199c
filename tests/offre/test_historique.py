"""The change history of the offre: an import signs it, and the address of a dispositif stays out of it."""

import datetime

import pytest
from django.urls import reverse
from django.utils import timezone
from pghistory.models import Events

from comptes.droits import Profil
from offre.models import Composition, Dispositif, JetonOuverture, Place, SpecificitePublic
from tests.comptes.fabrique import client_of, make_utilisateur, words

from .fabrique import make_dispositif, make_groupe, make_hebergement, make_rattachement

pytestmark = pytest.mark.django_db


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


def test_the_page_of_a_dispositif_says_how_its_public_changed():
    dispositif, autre = (make_hebergement(make_rattachement("44")) for _ in range(2))
    femmes, familles = Composition.objects.order_by("pk")[:2]
    dispositif.publics.set([femmes])
    dispositif.publics.set([familles])
    dispositif.specificites.add(SpecificitePublic.objects.filter(adresse_confidentielle=False).first())
    siao = client_of(make_utilisateur(Profil.ADMIN_SIAO))
    page = words(siao.get(reverse("historique", args=["offre.dispositif", dispositif.pk])))
    for seen in (
        "Création (public accueilli)",
        "Suppression (public accueilli)",
        f"<s>{femmes}</s>",
        f"<strong>{femmes}</strong>",
        f"<strong>{familles}</strong>",
        f"<strong>{dispositif.specificites.get()}</strong>",
    ):
        assert seen in page
    assert "public accueilli" not in words(siao.get(reverse("historique", args=["offre.dispositif", autre.pk])))


def test_a_group_of_places_shows_what_it_receives_and_a_place_when_it_is_out_of_use():
    groupe = make_groupe(make_hebergement(make_rattachement("44")), accueils={Composition.objects.first().pk: (1, 3)})
    place = groupe.places.get()
    place.indisponibilites.create(motif="TRAVAUX", date_debut=datetime.date(2026, 1, 5))
    siao = client_of(make_utilisateur(Profil.ADMIN_SIAO))
    page = words(siao.get(reverse("historique", args=["offre.groupeplaces", groupe.pk])))
    assert f"<strong>{Composition.objects.first()}</strong>" in page
    page = words(siao.get(reverse("historique", args=["offre.place", place.pk])))
    assert "Création (indisponibilité)" in page
    assert "<strong>05/01/2026</strong>" in page
    elsewhere = client_of(make_utilisateur(Profil.ADMIN_SIAO, departement_id="35"))
    assert elsewhere.get(reverse("historique", args=["offre.place", place.pk])).status_code == 404


def test_what_is_declared_often_is_kept_once():
    """A declaration of a place, and each request of a program, have their own place."""
    place = make_groupe(make_hebergement(make_rattachement("44"))).places.get()
    agent = make_utilisateur(None)
    Place.objects.filter(pk=place.pk).update(
        etat="LIBRE", etat_depuis=timezone.now(), declare_le=timezone.now(), declare_par=agent
    )
    jeton = JetonOuverture.objects.create(
        structure="Ville", courriel="v@test.example", empreinte="0" * 64, debut="siao_abc", cree_par=agent
    )
    JetonOuverture.objects.filter(pk=jeton.pk).update(minute=timezone.now(), nombre=3)
    for objet in (place, jeton):
        assert [event.pgh_label for event in Events.objects.tracks(objet)] == ["insert"]
    assert not hasattr(JetonOuverture.pgh_event_model, "empreinte")
