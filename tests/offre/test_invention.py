"""The invented capacity of the demonstration: what the pages accept, found by who looks for it, made once."""

import pytest
from django.utils import timezone

from comptes.droits import Profil
from comptes.models import Departement
from offre.invention import invent_capacity
from offre.models import Creneau, DeclarationPlace, GroupeMesures, GroupePlaces, Place
from tests.comptes.fabrique import habilitation_of, make_utilisateur
from tests.offre.fabrique import make_accompagnement, make_dispositif, make_hebergement, make_rattachement

pytestmark = pytest.mark.django_db


def test_each_dispositif_gets_what_its_fiche_says_once():
    rattachement = make_rattachement("44")
    chrs = make_hebergement(rattachement, places=40, places_insertion=40)
    chrs.publics.add("10", "100")
    make_accompagnement(rattachement)
    make_dispositif(rattachement)
    auteur = habilitation_of(make_utilisateur(Profil.ADMIN_SIAO))
    loire = Departement.objects.get(pk="44")
    made = invent_capacity(loire, auteur)
    assert made == Place.objects.count() > 0
    assert sum(groupe.couchages * groupe.places.count() for groupe in chrs.groupes.all()) <= 40
    assert {one.composition_id for groupe in chrs.groupes.all() for one in groupe.configurations.all()} == {"10", "100"}
    assert DeclarationPlace.objects.count() == Place.objects.exclude(etat="").count()
    assert GroupeMesures.objects.get().nombre == 20
    assert Creneau.objects.count() == 10
    today = timezone.localdate()
    free = [
        GroupePlaces.objects.with_free_places(composition=composition, taille=taille, day=today).count()
        for composition, taille in (("10", 1), ("100", 4), ("100", 7), ("20", 1))
    ]
    assert free[2:] == [0, 0]
    assert sum(free) > 0
    assert invent_capacity(loire, auteur) == 0
