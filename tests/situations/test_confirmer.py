"""« Toujours exact »: one click, dated; and the worklists of what nobody has confirmed."""

import pytest
from django.urls import reverse

from comptes.droits import Profil
from menages.models import Personne
from tests.comptes.fabrique import client_of, make_utilisateur, words
from tests.menages.fabrique import accompany, chain_of, jour, make_menage, make_operateur, make_personne
from tests.offre.fabrique import make_dispositif, make_rattachement
from tests.situations.saisie import current_of, jeton

pytestmark = pytest.mark.django_db
LISTE = "/situations/a-confirmer/"


@pytest.fixture
def menage():
    return make_menage()


@pytest.fixture
def rosa(menage):
    return make_personne(menage, "Rosa Exemple", depuis=200, parcours=[("I.1", 200)])


@pytest.fixture
def operateur(menage):
    return client_of(make_operateur().utilisateur)


def confirmer(client, menage, *personnes, **more):
    fields = {"personnes": [each.pk for each in personnes], **more}
    for each in personnes:
        fields |= jeton(each)
    return client.post(reverse("confirmer_situations", args=[menage.pk]), fields)


def test_one_click_dates_the_confirmation_and_changes_nothing_else(operateur, menage, rosa):
    before = chain_of(rosa)
    assert current_of(rosa).confirmee_le == jour(200)
    assert confirmer(operateur, menage, rosa).status_code == 302
    assert current_of(rosa).confirmee_le == jour(0)
    assert chain_of(rosa) == before
    assert f"exacte au {jour(0):%d/%m/%Y}" in words(operateur.get(reverse("dossier", args=[menage.pk])))


def test_what_is_not_known_is_not_confirmed_nor_what_changed_since(operateur, menage, rosa):
    from tests.situations.saisie import modifier

    neuve = make_personne(menage, "Nouvelle Exemple", depuis=9)
    confirmer(operateur, menage, rosa, neuve)
    assert current_of(rosa).confirmee_le == jour(200)  # all or nothing
    old = jeton(rosa)
    modifier(operateur, rosa, "I.2", jour(150))
    version = current_of(rosa).version
    operateur.post(reverse("confirmer_situations", args=[menage.pk]), {"personnes": [rosa.pk], **old})
    assert current_of(rosa).version == version


def test_the_worklist_and_its_click(operateur, menage, rosa):
    recent = make_personne(menage, "Récente Exemple", depuis=45, parcours=[("I.1", 45)])
    make_personne(menage, "Inconnue Exemple", depuis=300)
    ailleurs = make_personne(make_menage("35"), "Ailleurs Exemple", depuis=300, parcours=[("I.1", 300)])
    text = words(operateur.get(LISTE))
    assert "Rosa Exemple" in text
    for name in ("Récente", "Inconnue", "Ailleurs"):
        assert name not in text
    assert "Récente Exemple" in words(operateur.get(LISTE, {"mois": "1"}))
    assert "Inconnue Exemple" in words(operateur.get(LISTE, {"liste": "nr"}))
    answer = confirmer(operateur, menage, rosa, depuis="a_confirmer", liste="mois=1")
    assert answer.url == f"{LISTE}?mois=1"
    emptied = words(operateur.get(LISTE))
    assert "Rosa Exemple</a>" not in emptied
    assert "0 situation que personne n'a confirmée depuis" in emptied
    assert recent.situations.get().version == 1
    assert ailleurs.situations.get().version == 1


def test_by_dispositif_and_for_its_team(operateur, menage, rosa):
    dispositif = make_dispositif(make_rattachement("44"))
    accompany(menage, dispositif)
    autre = make_personne(make_menage(), "Autre Exemple", depuis=300, parcours=[("I.1", 300)])
    filtered = words(operateur.get(LISTE, {"dispositif": dispositif.pk}))
    assert "Rosa Exemple" in filtered
    assert "Autre Exemple" not in filtered
    team = client_of(make_utilisateur(Profil.TRAVAILLEUR_SOCIAL, objets=[dispositif]))
    seen = words(team.get(LISTE))
    assert "Rosa Exemple" in seen
    assert autre.nom in words(operateur.get(LISTE))
    assert "Autre Exemple" not in seen
    assert confirmer(team, menage, rosa).status_code == 302


def test_a_protected_person_is_on_no_worklist_but_her_agents(operateur, menage, rosa):
    Personne.objects.filter(pk=rosa.pk).update(protegee=True)
    refuge = make_dispositif(make_rattachement("44"), nom="Refuge des Tilleuls")
    accompany(menage, refuge)
    assert "Rosa Exemple" not in words(operateur.get(LISTE))
    # Nor is her dispositif among those to choose from, by name or by number.
    assert "Tilleuls" not in words(operateur.get(LISTE))
    assert operateur.get(LISTE, {"dispositif": refuge.pk}).context["form"].errors
    team = words(client_of(make_utilisateur(Profil.TRAVAILLEUR_SOCIAL, objets=[refuge])).get(LISTE))
    assert "Rosa Exemple" in team
    assert "Tilleuls" in team


def test_same_number_of_queries_at_1_and_20_rows(operateur, menage, rosa):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    operateur.get(LISTE)
    with CaptureQueriesContext(connection) as one:
        operateur.get(LISTE)
    for n in range(19):
        make_personne(menage, f"P{n} Exemple", depuis=300, parcours=[("I.1", 300)])
    with CaptureQueriesContext(connection) as twenty:
        assert "20 situations" in words(operateur.get(LISTE))
    assert len(one) == len(twenty)


def test_the_home_page_counts_them(operateur, rosa):
    home = words(operateur.get(reverse("accueil")))
    assert "1 situation résidentielle que personne n'a confirmée depuis trois mois" in home
