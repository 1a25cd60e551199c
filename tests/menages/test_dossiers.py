"""What is said of a ménage as a whole, and the dispositifs that accompany it."""

import pytest
from django.urls import reverse

from comptes.droits import Profil
from menages.models import Menage
from offre.models import Composition
from tests.comptes.fabrique import client_of, make_utilisateur, words
from tests.menages.fabrique import accompany, jour, make_menage, make_operateur
from tests.offre.fabrique import make_dispositif, make_rattachement

pytestmark = pytest.mark.django_db


@pytest.fixture
def menage():
    return make_menage(personnes=["Rosa Exemple"])


@pytest.fixture
def operateur():
    return client_of(make_operateur().utilisateur)


def test_the_composition_of_the_menage_and_a_stale_page(operateur, menage):
    url = reverse("modifier_menage", args=[menage.pk])
    one, two = Composition.objects.order_by("pk")[:2]
    assert operateur.post(url, {"version": 1, "composition": one.pk}).status_code == 302
    assert str(one) in words(operateur.get(reverse("dossier", args=[menage.pk])))
    answer = operateur.post(url, {"version": 1, "composition": two.pk})
    assert answer.status_code == 409
    assert answer.context["form"]["composition"].value() == str(two.pk)
    assert Menage.objects.get(pk=menage.pk).composition == one


def test_a_dispositif_accompanies_then_stops(operateur, menage):
    dispositif, ailleurs = make_dispositif(make_rattachement("44")), make_dispositif(make_rattachement("35"))
    team = client_of(make_utilisateur(Profil.TRAVAILLEUR_SOCIAL, objets=[dispositif]))
    dossier = reverse("dossier", args=[menage.pk])
    accompagner = reverse("accompagner", args=[menage.pk])
    assert team.get(dossier).status_code == 404
    operateur.post(accompagner, {"dispositif": ailleurs.pk})
    assert not menage.accompagnements.exists()
    operateur.post(accompagner, {"dispositif": dispositif.pk})
    assert team.get(dossier).status_code == 200
    operateur.post(accompagner, {"dispositif": dispositif.pk})
    link = menage.accompagnements.get()
    url = reverse("cesser_accompagnement", args=[link.pk])
    assert "ne verra plus le dossier à partir de demain" in words(operateur.get(url))
    assert operateur.post(url).status_code == 302
    link.refresh_from_db()
    assert link.date_fin == jour(0)
    assert operateur.get(url).status_code == 404


def test_a_team_is_offered_its_own_dispositifs_only(menage):
    mine, theirs = (make_dispositif(make_rattachement("44")) for _ in range(2))
    accompany(menage, mine)
    team = client_of(make_utilisateur(Profil.TRAVAILLEUR_SOCIAL, objets=[mine]))
    assert theirs.nom not in words(team.get(reverse("modifier_menage", args=[menage.pk])))
    team.post(reverse("accompagner", args=[menage.pk]), {"dispositif": theirs.pk})
    assert menage.accompagnements.count() == 1
