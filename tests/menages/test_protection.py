"""The page of protection: what is open on the dossier ends by default, and each is kept by a named decision."""

import pytest
from django.urls import reverse

from comptes.actions import share
from comptes.droits import Profil
from comptes.models import EntreeJournal, Partage, Siao
from menages.actions.personnes import protect
from menages.models import AccesProtege, DemandeDAcces, EtatDemande, Personne
from siao.socle.refusal import Refusal
from tests.comptes.fabrique import client_of, habilitation_of, make_utilisateur, words
from tests.menages.fabrique import accompany, jour, make_menage, make_operateur, make_personne
from tests.offre.fabrique import make_dispositif, make_rattachement

pytestmark = pytest.mark.django_db


@pytest.fixture
def menage():
    return make_menage()


@pytest.fixture
def rosa(menage):
    return make_personne(menage, "Rosa Zqexemple", depuis=30, parcours=[("I.3", 30)])


@pytest.fixture
def enfant(menage, rosa):
    return make_personne(menage, "Noé Zqenfant", depuis=30)


@pytest.fixture
def auteur():
    return make_operateur()


@pytest.fixture
def ouvert(menage, enfant, auteur):
    """A share, a demande about the child, and the husband's team."""
    partage = share(auteur=auteur, objet=menage, siao=Siao.objects.get(pk="35"), date_fin=jour(-30), motif="Départ")
    asker = make_operateur("49")
    demande = DemandeDAcces.objects.create(
        personne=enfant, siao_id="44", siao_demandeur_id="49", motif="Appel", demandee_par=asker.utilisateur
    )
    suivi = accompany(menage, make_dispositif(make_rattachement("44"), nom="Maison des Zqormes"))
    return partage, demande, suivi


def found_elsewhere(client) -> str:
    return words(client.post(reverse("recherche"), {"nom": "Zqexemple", "prenom": "Rosa"}))


def test_what_is_open_is_listed_and_ends_by_default(auteur, menage, rosa, ouvert):
    _, demande, suivi = ouvert
    dossier, url = reverse("dossier", args=[menage.pk]), reverse("proteger", args=[rosa.pk])
    elsewhere = client_of(make_operateur("35").utilisateur)
    team = client_of(make_utilisateur(Profil.TRAVAILLEUR_SOCIAL, objets=[suivi.dispositif]))
    assert elsewhere.get(dossier).status_code == team.get(dossier).status_code == 200
    assert "Rosa Zqexemple" in found_elsewhere(elsewhere)

    client = client_of(auteur.utilisateur)
    page = words(client.get(url))
    for shown in ("Partage avec SIAO Ille-et-Vilaine", "Demande d'accès de", "Accompagnement par Maison des Zqormes"):
        assert f"Garder : {shown}" in page
    assert client.post(url).status_code == 302

    assert elsewhere.get(dossier).status_code == team.get(dossier).status_code == 404
    text = found_elsewhere(elsewhere)
    assert "Connue dans un autre" not in text
    assert menage.numero not in text
    demande.refresh_from_db()
    assert (demande.etat, demande.reponse) == (EtatDemande.REFUSEE, "")
    suivi.refresh_from_db()
    assert suivi.date_fin == jour(0)
    written = set(EntreeJournal.objects.values_list("action", flat=True))
    assert {"comptes.cesser_de_partager", "menages.repondre_acces", "menages.cesser_d_accompagner"} <= written
    assert "menages.garder_ouvert" not in written


def test_what_is_kept_is_a_named_decision_that_the_history_keeps(auteur, menage, rosa, ouvert):
    _, _, suivi = ouvert
    client, url = client_of(auteur.utilisateur), reverse("proteger", args=[rosa.pk])
    refused = client.post(url, {"garder": ["partage-0"]})
    assert "Une de ces ouvertures a déjà pris fin" in words(refused)
    assert not Personne.objects.get(pk=rosa.pk).protegee
    assert client.post(url, {"garder": [f"accompagnement-{suivi.pk}"]}).status_code == 302
    suivi.refresh_from_db()
    assert suivi.date_fin is None
    assert not Partage.objects.current().exists()
    kept = EntreeJournal.objects.get(action="menages.garder_ouvert")
    assert (kept.utilisateur, kept.objet_id) == (auteur.utilisateur, str(suivi.pk))
    text = words(client.get(reverse("modifications", args=[menage.pk])))
    assert "gardé : Accompagnement par Maison des Zqormes" in text
    team = client_of(make_utilisateur(Profil.TRAVAILLEUR_SOCIAL, objets=[suivi.dispositif]))
    assert "I.3 Voiture" in words(team.get(reverse("dossier", args=[menage.pk])))


def test_a_share_that_begins_later_ends_too(auteur, menage, rosa):
    siao = Siao.objects.get(pk="35")
    share(auteur=auteur, objet=menage, siao=siao, date_debut=jour(-3), date_fin=jour(-9), motif="Départ")
    protect(auteur=auteur, personne=rosa)
    assert Partage.objects.get().retire_le


def test_the_team_that_protects_goes_on_reading_the_others_do_not(menage, rosa, ouvert):
    mine = accompany(menage, make_dispositif(make_rattachement("44"), nom="Refuge des Genêts"))
    team = client_of(make_utilisateur(Profil.TRAVAILLEUR_SOCIAL, objets=[mine.dispositif]))
    page = words(team.get(reverse("proteger", args=[rosa.pk])))
    assert "Garder : Accompagnement par Refuge des Genêts" not in page
    assert "Garder : Accompagnement par Maison des Zqormes" in page
    assert team.post(reverse("proteger", args=[rosa.pk])).status_code == 302
    assert team.get(reverse("fiche_personne", args=[rosa.pk])).status_code == 200
    assert [each.pk for each in menage.accompagnements.current()] == [mine.pk]


def test_the_exports_made_are_told_since_nothing_takes_them_back(auteur, menage, rosa):
    admin = make_utilisateur(Profil.ADMIN_SIAO, prenom="Zqprenom")
    url = reverse("proteger", args=[rosa.pk])
    client = client_of(auteur.utilisateur)
    page = words(client.get(url))
    assert "Ce qui a été imprimé ou exporté" not in page
    assert "Aucun partage, aucune demande d'accès" in page
    client_of(admin).get(reverse("donnees_personne_json", args=[rosa.pk]))
    client_of(admin).get(reverse("imprimer_dossier", args=[menage.pk]))
    page = words(client.get(url))
    assert f"Export des données d'une personne, le {jour(0):%d/%m/%Y}, par {admin}" in page
    assert f"Impression d'un dossier, le {jour(0):%d/%m/%Y}, par {admin}" in page


def test_two_who_protect_at_once_are_not_both_named(auteur, rosa):
    protect(auteur=auteur, personne=rosa)
    with pytest.raises(Refusal, match="vient de protéger"):
        protect(auteur=make_operateur(), personne=rosa)
    assert AccesProtege.objects.get().utilisateur == auteur.utilisateur


def test_what_is_open_is_not_told_to_who_does_not_see_whom_she_lives_with(auteur, menage, rosa, enfant, ouvert):
    """The administrator reaches the fiche of the child of a protected mother, not the dispositif that shelters both."""
    _, _, suivi = ouvert
    protect(auteur=auteur, personne=rosa, garder=[f"accompagnement-{suivi.pk}"])
    admin, url = make_utilisateur(Profil.ADMIN_SIAO), reverse("proteger", args=[enfant.pk])
    client = client_of(admin)
    assert client.get(reverse("fiche_personne", args=[enfant.pk])).status_code == 200
    assert client.get(url).status_code == client.post(url).status_code == 404
    with pytest.raises(Refusal, match="agent désigné"):
        protect(auteur=habilitation_of(admin), personne=enfant)
    assert menage.accompagnements.current().count() == 1
