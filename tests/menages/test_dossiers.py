"""What is said of a ménage as a whole, and the dispositifs that accompany it."""

import datetime

import pytest
from django.urls import reverse

from comptes.droits import Profil
from comptes.models import Siao
from menages.actions.dossiers import accompany as accompany_menage
from menages.models import Menage
from offre.models import Composition
from siao.socle.refusal import Refusal
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
    assert "ne verra plus le dossier, dès maintenant" in words(operateur.get(url))
    assert operateur.post(url).url == dossier
    link.refresh_from_db()
    assert link.date_fin == jour(0)
    assert operateur.get(url).status_code == 404
    assert url not in operateur.get(dossier).text
    assert team.get(dossier).status_code == 404
    # Ended by mistake, it is put back the same day.
    operateur.post(accompagner, {"dispositif": dispositif.pk})
    assert team.get(dossier).status_code == 200
    # A team that ends its own is led where it may go.
    url = reverse("cesser_accompagnement", args=[menage.accompagnements.current().get().pk])
    assert team.post(url).url == reverse("recherche")


@pytest.mark.parametrize(
    ("siao", "moment"),
    [
        ("974", "2026-06-10 23:00+02:00"),  # already the 11th in La Réunion
        ("971", "2026-06-11 04:00+02:00"),  # still the 10th in Guadeloupe
    ],
)
def test_overseas_a_team_reads_the_dossier_that_it_opens_around_midnight(siao, moment, time_machine):
    time_machine.move_to(datetime.datetime.fromisoformat(moment), tick=False)
    dispositif = make_dispositif(make_rattachement(siao))
    team = client_of(make_utilisateur(Profil.TRAVAILLEUR_SOCIAL, objets=[dispositif]))
    aujourdhui = Siao.objects.get(pk=siao).departement.aujourdhui
    line = {"p-TOTAL_FORMS": 1, "p-INITIAL_FORMS": 0, "p-0-prenom": "Rosa", "date_debut": f"{aujourdhui:%d/%m/%Y}"}
    assert team.post(reverse("nouveau_dossier"), line).status_code == 302
    menage = Menage.objects.get()
    dossier = reverse("dossier", args=[menage.pk])
    assert team.get(dossier).status_code == 200
    again = team.post(reverse("accompagner", args=[menage.pk]), {"dispositif": dispositif.pk})
    assert again.url == dossier
    with pytest.raises(Refusal, match="accompagne déjà"):
        accompany_menage(auteur=make_operateur(siao), menage=menage, dispositif=dispositif)
    assert menage.accompagnements.get().date_debut == aujourdhui


def test_a_team_is_offered_its_own_dispositifs_only(menage):
    mine, theirs = (make_dispositif(make_rattachement("44")) for _ in range(2))
    accompany(menage, mine)
    team = client_of(make_utilisateur(Profil.TRAVAILLEUR_SOCIAL, objets=[mine]))
    assert theirs.nom not in words(team.get(reverse("modifier_menage", args=[menage.pk])))
    team.post(reverse("accompagner", args=[menage.pk]), {"dispositif": theirs.pk})
    assert menage.accompagnements.count() == 1
