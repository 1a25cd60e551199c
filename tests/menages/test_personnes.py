"""The fiche of a person: corrections with a motive, protection, named agents."""

import pytest
from django.urls import reverse

from comptes.droits import Profil
from menages.models import AccesProtege, Personne
from tests.comptes.fabrique import client_of, make_utilisateur, words
from tests.menages.fabrique import make_menage, make_operateur, make_personne

pytestmark = pytest.mark.django_db


@pytest.fixture
def personne(db):
    return make_personne(make_menage(), "Rosa Exemple", depuis=30, parcours=[("I.3", 30)])


@pytest.fixture
def auteur():
    return make_operateur()


@pytest.fixture
def operateur(auteur):
    return client_of(auteur.utilisateur)


def correct(client, personne, **fields):
    fields = {"version": personne.version, "nom": "Exemple", "prenom": "Rosa", "motif": "Pièce vue", **fields}
    return client.post(reverse("modifier_personne", args=[personne.pk]), fields)


def test_a_correction_has_a_motive_and_stays_in_the_history(auteur, operateur, personne):
    assert "Donnez le motif" in words(correct(operateur, personne, nom="Exemples", motif=""))
    assert correct(operateur, personne, nom="Exemples", date_naissance="17/09/1986", sexe="F").status_code == 302
    menage = personne.appartenances.get().menage
    text = words(operateur.get(reverse("modifications", args=[menage.pk])))
    assert "nom « Exemple » devient « Exemples »" in text
    assert "(motif : Pièce vue)" in text
    assert str(auteur.utilisateur) in text


def test_nothing_of_an_identity_is_compulsory(operateur, personne):
    assert correct(operateur, personne, nom="", prenom="").status_code == 302
    assert "Personne sans nom" in words(operateur.get(reverse("fiche_personne", args=[personne.pk])))


@pytest.mark.parametrize("day", ["31/02/2000", "01/01/1800", "01/01/2100", "17-9-86"])
def test_a_birth_that_cannot_be(operateur, personne, day):
    assert correct(operateur, personne, date_naissance=day).status_code == 200


def test_a_stale_correction_is_a_409_with_both(operateur, personne):
    collegue = client_of(make_operateur().utilisateur)
    correct(collegue, personne, nom="Première")
    answer = correct(operateur, personne, nom="Seconde")
    assert answer.status_code == 409
    assert "maintenant « Première », vous aviez écrit « Seconde »" in words(answer)
    assert Personne.objects.get(pk=personne.pk).nom == "Première"
    personne.refresh_from_db()
    assert correct(operateur, personne, nom="Seconde").status_code == 302


def test_protecting_names_its_author_who_names_others(operateur, auteur, personne):
    menage = personne.appartenances.get().menage
    collegue = make_operateur()
    fiche = reverse("fiche_personne", args=[personne.pk])
    url = reverse("proteger", args=[personne.pk])
    assert "plus jamais trouvée par la recherche d'un autre SIAO" in words(operateur.get(url))
    assert operateur.post(url).status_code == 302
    assert "I.3 Voiture" in words(operateur.get(reverse("dossier", args=[menage.pk])))
    autre = client_of(collegue.utilisateur)
    assert "Voiture" not in words(autre.get(reverse("dossier", args=[menage.pk])))
    assert autre.get(fiche).status_code == 404

    agents = reverse("designer_agent", args=[personne.pk])
    assert operateur.post(agents, {"utilisateur": collegue.utilisateur_id}).status_code == 302
    assert "I.3 Voiture" in words(autre.get(reverse("dossier", args=[menage.pk])))
    ailleurs = make_operateur("35")
    assert operateur.post(agents, {"utilisateur": ailleurs.utilisateur_id}).status_code == 200
    mine = AccesProtege.objects.get(personne=personne, utilisateur=auteur.utilisateur)
    theirs = AccesProtege.objects.get(personne=personne, utilisateur=collegue.utilisateur)
    assert operateur.post(reverse("retirer_agent", args=[theirs.pk])).status_code == 302
    operateur.post(reverse("retirer_agent", args=[mine.pk]))
    assert AccesProtege.objects.filter(pk=mine.pk).exists()  # the last one stays
    assert operateur.post(url).status_code == 302  # and protection ends the same way
    assert "I.3 Voiture" in words(autre.get(reverse("dossier", args=[menage.pk])))


def test_the_administrator_of_the_siao_names_agents_without_seeing_the_place(personne):
    Personne.objects.filter(pk=personne.pk).update(protegee=True)
    admin = make_utilisateur(Profil.ADMIN_SIAO)
    client = client_of(admin)
    text = words(client.get(reverse("fiche_personne", args=[personne.pk])))
    assert "Situation protégée" in text
    assert "Voiture" not in text
    assert "Voiture" not in words(client.get(reverse("donnees_personne", args=[personne.pk])))
    agent = make_operateur().utilisateur
    client.post(reverse("designer_agent", args=[personne.pk]), {"utilisateur": agent.pk})
    assert AccesProtege.objects.get().utilisateur == agent


def test_who_may_correct(personne):
    for profil, code in ((Profil.ECOUTANT_115, 302), (Profil.ADMIN_DEPARTEMENTAL, 403), (Profil.ANALYSTE, 403)):
        assert correct(client_of(make_utilisateur(profil)), personne).status_code == code
    assert correct(client_of(make_operateur("35").utilisateur), personne).status_code == 404
