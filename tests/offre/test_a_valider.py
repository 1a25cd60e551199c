"""The queue of each validator: oldest first, what changed unfolded, the clean lines together."""

import datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from comptes.droits import Profil
from offre.models import Dispositif, Proposition, Rattachement, Transition
from tests.comptes.fabrique import client_of, make_utilisateur, words
from tests.offre.fabrique import make_import, make_proposition, make_rattachement
from tests.offre.test_fiches import make_chrs

pytestmark = pytest.mark.django_db
URL = reverse("offre:a_valider")


@pytest.fixture
def siao():
    return make_utilisateur(Profil.ADMIN_SIAO)


def waiting(**fields):
    return make_chrs(make_rattachement("44"), **{"statut": "PREVALIDE", **fields})


def choice(objet):
    if isinstance(objet, Proposition):
        return f"propositions-{objet.pk}-{objet.revision}"
    return f"{'dispositifs' if isinstance(objet, Dispositif) else 'entites'}-{objet.pk}-{objet.version}"


def test_oldest_first_with_its_age_and_only_what_is_for_me(page, siao):
    recent, old = waiting(nom="Foyer récent"), waiting(nom="Foyer ancien")
    waiting(nom="Foyer soumis", statut="SOUMIS")
    make_chrs(make_rattachement("35"), nom="Foyer d'ailleurs", statut="PREVALIDE")
    Dispositif.objects.filter(pk=old.pk).update(statut_depuis=timezone.now() - datetime.timedelta(days=9))
    text = words(page.get(URL))
    assert text.index("Foyer ancien") < text.index("Foyer récent")
    assert "9 j" in text
    assert "Foyer soumis" not in text
    assert "Foyer d'ailleurs" not in text
    prevalidation = words(client_of(siao).get(URL))
    assert "Foyer soumis" in prevalidation
    assert recent.nom not in prevalidation


def test_the_home_page_counts_it(page, siao):
    waiting(statut_depuis=timezone.now() - datetime.timedelta(days=9))
    make_proposition(make_chrs(make_rattachement("44")), siao, statut="PREVALIDE")
    home = words(page.get(reverse("accueil")))
    assert "1 dispositif à valider" in home
    assert "1 changement proposé à valider" in home
    assert ", depuis 9 jours" in home
    assert f'href="{URL}?genre=dispositifs"' in home
    assert "à valider" not in words(client_of(siao).get(reverse("accueil")))


def test_a_line_unfolds_what_changed_since_the_last_validation(page, siao):
    chrs = waiting(nom="Foyer changé")
    steps = [("VALIDE", "PREVALIDE", [10, 20]), ("PREVALIDE", "PREVALIDE", [20, 30])]
    Transition.objects.create(dispositif=chrs, de="PREVALIDE", vers="VALIDE", auteur=siao)
    travail = make_import("44", siao)
    for de, vers, pair in steps:
        Transition.objects.create(
            dispositif=chrs, de=de, vers=vers, changements={"places": pair}, auteur=siao, travail=travail
        )
    new = waiting(nom="Foyer nouveau")
    proposition = make_proposition(
        make_chrs(make_rattachement("44"), nom="Foyer proposé"), siao, statut="PREVALIDE", apres={"places_pmr": 3}
    )
    lignes = {ligne.choix: ligne for ligne in page.get(URL).context["lignes"]}
    assert lignes[choice(chrs)].changements == [("Nombre de places", "10", "30")]
    assert lignes[choice(new)].jamais_validee
    assert ("Nombre de places", "", "30") in lignes[choice(new)].changements
    assert lignes[choice(proposition)].changements == [("dont accessibles PMR", "", "3")]


def test_clean_lines_pass_together_and_the_others_must_be_opened(page, siao):
    clean, entite = waiting(), make_rattachement("44", statut="PREVALIDE")
    proposition = make_proposition(make_chrs(make_rattachement("44")), siao, statut="PREVALIDE")
    returned, overtaken = waiting(), make_proposition(make_chrs(make_rattachement("44")), siao, statut="PREVALIDE")
    Transition.objects.create(dispositif=returned, de="PREVALIDE", vers="A_CORRIGER", auteur=siao)
    Dispositif.objects.filter(pk=overtaken.dispositif_id).update(version=7)
    boxes = page.get(URL).text
    for objet, shown in ((clean, True), (entite, True), (proposition, True), (returned, False), (overtaken, False)):
        assert (f'value="{choice(objet)}"' in boxes) == shown
    answer = page.post(URL, {"choix": [choice(clean), choice(entite), choice(proposition)]}, follow=True)
    assert "3 lignes validées" in words(answer)
    clean.refresh_from_db()
    entite.refresh_from_db()
    proposition.refresh_from_db()
    assert {clean.statut, entite.statut, proposition.statut} == {"VALIDE"}
    assert Dispositif.objects.get(pk=proposition.dispositif_id).nom == proposition.apres["nom"]


@pytest.mark.parametrize("forged", ["foreign", "unknown", "nonsense", "stale", "nothing", "moved"])
def test_a_forged_or_replayed_list_validates_nothing(page, forged):
    good = waiting()
    bad = {
        "foreign": choice(make_chrs(make_rattachement("35"), statut="PREVALIDE")),
        "unknown": "dispositifs-999999999-1",
        "nonsense": "comptes-1-1",
        "stale": f"dispositifs-{waiting().pk}-7",
        "moved": choice(waiting(statut="A_CORRIGER")),
        "nothing": "",
    }[forged]
    answer = page.post(URL, {"choix": [bad] if forged == "nothing" else [choice(good), bad]})
    assert answer.status_code == 200
    assert "Rien n'a été validé" in words(answer)
    assert not Dispositif.objects.filter(statut="VALIDE").exists()
    assert not Transition.objects.exists()


def test_as_many_queries_for_twenty_lines_as_for_one_of_each(page, siao):
    def queries() -> int:
        with CaptureQueriesContext(connection) as context:
            page.get(URL)
        return len(context)

    def add():
        Transition.objects.create(dispositif=waiting(), de="", vers="PREVALIDE", auteur=siao, travail=travail)
        make_rattachement("44", statut="PREVALIDE")
        make_proposition(make_chrs(make_rattachement("44")), siao, statut="PREVALIDE")
        make_proposition(make_rattachement("44"), siao, statut="PREVALIDE")

    travail = make_import("44", siao)
    add()
    page.get(URL)
    one = queries()
    for _ in range(5):
        add()
    assert queries() == one
    assert Rattachement.objects.filter(statut="PREVALIDE").count() == 6
