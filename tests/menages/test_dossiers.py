"""What is said of a ménage as a whole, and the dispositifs that accompany it."""

import datetime

import pytest
from django.urls import reverse

from comptes.droits import Profil
from comptes.models import Siao
from menages.actions import dossiers as actions
from menages.actions.deplacement import move_personnes
from menages.actions.fusion import merge
from menages.models import AccesProtege, Menage, Personne
from offre.models import Composition
from siao.socle.refusal import Refusal
from tests.comptes.fabrique import client_of, habilitation_of, make_utilisateur, words
from tests.menages.fabrique import accompany, jour, make_menage, make_operateur, make_personne
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
        actions.accompany(auteur=make_operateur(siao), menage=menage, dispositif=dispositif)
    assert menage.accompagnements.get().date_debut == aujourdhui


def test_a_team_is_offered_its_own_dispositifs_only(menage):
    mine, theirs = (make_dispositif(make_rattachement("44")) for _ in range(2))
    accompany(menage, mine)
    team = client_of(make_utilisateur(Profil.TRAVAILLEUR_SOCIAL, objets=[mine]))
    assert theirs.nom not in words(team.get(reverse("modifier_menage", args=[menage.pk])))
    team.post(reverse("accompagner", args=[menage.pk]), {"dispositif": theirs.pk})
    assert menage.accompagnements.count() == 1


# --- Protected persons (G24) ------------------------------------------------------------------------------------


@pytest.fixture
def refuge():
    """A dossier where somebody is protected, which a dispositif accompanies."""
    menage = make_menage()
    make_personne(menage, "Inès Exemple", depuis=60, parcours=[("III.2", 60)], protegee=True)
    accompany(menage, make_dispositif(make_rattachement("44"), nom="Refuge des Tilleuls"))
    return menage


@pytest.fixture
def ecoutant():
    return make_utilisateur(Profil.ECOUTANT_115)


def test_what_opens_a_protected_dossier_or_tells_of_its_place_is_not_found(refuge, ecoutant):
    client, link = client_of(ecoutant), refuge.accompagnements.get()
    autre = make_dispositif(make_rattachement("44"))
    modifier, cesser = reverse("modifier_menage", args=[refuge.pk]), reverse("cesser_accompagnement", args=[link.pk])
    accompagner = reverse("accompagner", args=[refuge.pk])
    assert modifier not in client.get(reverse("dossier", args=[refuge.pk])).text
    for url, fields in ((modifier, {"version": 1}), (accompagner, {"dispositif": autre.pk}), (cesser, {})):
        assert url == accompagner or client.get(url).status_code == 404
        assert client.post(url, fields).status_code == 404
    link.refresh_from_db()
    assert link.date_fin is None
    assert refuge.accompagnements.get() == link

    AccesProtege.objects.create(personne=Personne.objects.get(), utilisateur=ecoutant)
    assert modifier in client.get(reverse("dossier", args=[refuge.pk])).text
    assert "Refuge des Tilleuls" in words(client.get(cesser))
    assert client.post(modifier, {"version": 1}).status_code == 302
    assert client.post(accompagner, {"dispositif": autre.pk}).status_code == 302
    assert client.post(cesser).status_code == 302
    assert refuge.accompagnements.count() == 2


def test_opening_a_dossier_protected_since_the_page_was_read_is_refused(refuge, ecoutant):
    with pytest.raises(Refusal, match="demandez à un agent désigné"):
        actions.accompany(
            auteur=habilitation_of(ecoutant), menage=refuge, dispositif=make_dispositif(make_rattachement("44"))
        )
    assert refuge.accompagnements.count() == 1


def test_an_archived_dossier_does_not_tell_where_they_went(refuge, ecoutant):
    """Everybody moved together: the old dossier is still accompanied, as the new one is."""
    client, link = client_of(ecoutant), refuge.accompagnements.get()
    named = make_operateur()
    AccesProtege.objects.create(personne=Personne.objects.get(), utilisateur=named.utilisateur)
    move_personnes(auteur=named, origine=refuge, personnes=[Personne.objects.get().pk], destination=None, jour=jour(3))
    for url in (reverse("dossier", args=[refuge.pk]), reverse("modifications", args=[refuge.pk])):
        assert "Tilleuls" not in words(client.get(url))
        assert "Tilleuls" in words(client_of(named.utilisateur).get(url))
    assert client.get(reverse("modifier_menage", args=[refuge.pk])).status_code == 404
    assert client.get(reverse("cesser_accompagnement", args=[link.pk])).status_code == 404


def test_who_left_a_protected_person_is_not_read_beside_her(refuge, ecoutant):
    named = make_operateur()
    AccesProtege.objects.create(personne=Personne.objects.get(), utilisateur=named.utilisateur)
    frere = make_personne(refuge, "Noé Exemple", depuis=60, parcours=[("III.2", 60)])
    move_personnes(auteur=named, origine=refuge, personnes=[frere.pk], destination=None, jour=jour(3))
    for tab in ("dossier", "situations_du_menage", "modifications", "imprimer_dossier"):
        url = reverse(tab, args=[refuge.pk])
        assert "III.2" not in words(client_of(ecoutant).get(url))
        assert tab == "modifications" or "III.2" in words(client_of(named.utilisateur).get(url))


def test_a_fiche_absorbed_by_who_lives_with_her_is_hidden_too(refuge, ecoutant):
    named = make_operateur()
    AccesProtege.objects.create(personne=Personne.objects.get(), utilisateur=named.utilisateur)
    frere = make_personne(refuge, "Noé Exemple", depuis=60, parcours=[("III.2", 60)])
    ancien = make_menage()
    double = make_personne(ancien, "Noé Exemples", depuis=60, parcours=[("VI.5", 60)])
    accompany(ancien, make_dispositif(make_rattachement("44"), nom="Maison des Lilas"))
    merge(auteur=named, maitre=frere, absorbee=double, identite={})
    for menage in (refuge, ancien):
        for tab in ("dossier", "situations_du_menage", "modifications", "imprimer_dossier"):
            text = words(client_of(ecoutant).get(reverse(tab, args=[menage.pk])))
            assert "VI.5" not in text
            assert "Lilas" not in text
    assert "VI.5" in words(client_of(named.utilisateur).get(reverse("imprimer_dossier", args=[refuge.pk])))


def test_the_banner_of_an_expulsion_tells_of_her_place(refuge, ecoutant):
    Menage.objects.filter(pk=refuge.pk).update(bandeau_expulsion=True)
    url = reverse("dossier", args=[refuge.pk])
    assert "en cours d'expulsion" not in words(client_of(ecoutant).get(url))
    AccesProtege.objects.create(personne=Personne.objects.get(), utilisateur=ecoutant)
    assert "en cours d'expulsion" in words(client_of(ecoutant).get(url))
