"""Rights are checked again when the worker acts: what was allowed at the click may no longer be."""

import pytest
from django.utils import timezone

from comptes.droits import Profil
from comptes.models import Habilitation
from offre.actions.imports import request_import, request_undo
from offre.models import Dispositif
from offre.models.imports import Etat
from offre.models.nomenclature import Statut
from offre.temps1 import travaux
from tests.comptes.fabrique import habilitation_of, habilite

pytestmark = pytest.mark.django_db


def remove(agent):
    Habilitation.objects.filter(utilisateur=agent).update(retiree_le=timezone.now())


def disable(agent):
    agent.is_active = False
    agent.save()


def move_elsewhere(agent):
    Habilitation.objects.filter(utilisateur=agent).update(departement="35")


def keep_prevalidation_alone(agent):
    remove(agent)
    habilite(agent, Profil.ADMIN_SIAO)


@pytest.mark.parametrize("withdraw", [remove, disable, move_elsewhere, keep_prevalidation_alone])
def test_rights_withdrawn_between_the_click_and_the_import(chain, agent, withdraw):
    travail = chain.read()
    request_import(auteur=habilitation_of(agent), travail=travail)
    withdraw(agent)
    travaux.apply(travail.pk)
    travail.refresh_from_db()
    assert (travail.etat, travail.applique_le) == (Etat.PRET, None)
    assert "n'en a plus le droit" in travail.motif
    assert not Dispositif.objects.exists()


def test_another_right_that_is_enough(chain, agent):
    keep_prevalidation_alone(agent)
    travail = chain.read()
    request_import(auteur=habilitation_of(agent), travail=travail)
    remove(agent)
    habilite(agent, Profil.ADMIN_DEPARTEMENTAL)
    travaux.apply(travail.pk)
    travail.refresh_from_db()
    assert travail.etat == Etat.IMPORTE
    assert Dispositif.objects.get().statut == Statut.PREVALIDE


@pytest.mark.parametrize("withdraw", [remove, disable, move_elsewhere])
def test_rights_withdrawn_between_the_click_and_the_undo(chain, agent, withdraw):
    travail = chain.apply()
    request_undo(auteur=habilitation_of(agent), travail=travail)
    withdraw(agent)
    travaux.undo(travail.pk)
    travail.refresh_from_db()
    assert travail.etat == Etat.IMPORTE
    assert "n'en a plus le droit" in travail.motif
    assert Dispositif.objects.exists()
