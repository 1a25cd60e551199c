"""Who wrote about a protected person tells where she lives: a name is read by those who see her whole."""

import pghistory
import pytest
from django.apps import apps
from django.urls import reverse

from comptes.actions import share
from comptes.auteurs import UN_AGENT, Auteurs
from comptes.droits import Profil
from comptes.historique import acting
from comptes.models import EntreeJournal, Siao
from menages.actions.fusion import merge
from menages.models import AccesProtege, DemandeDAcces, Menage
from tests.comptes.fabrique import client_of, habilitation_of, habilite, make_utilisateur, plain
from tests.droits.test_table import VIEWS
from tests.menages.fabrique import accompany, jour, make_menage, make_personne
from tests.offre.fabrique import make_dispositif, make_rattachement

pytestmark = pytest.mark.django_db


@pytest.fixture
def refuge(db):
    return make_dispositif(make_rattachement("44"), nom="Zqrefuge")


@pytest.fixture
def team(refuge):
    utilisateur = make_utilisateur(Profil.TRAVAILLEUR_SOCIAL, objets=[refuge])
    type(utilisateur).objects.filter(pk=utilisateur.pk).update(prenom="Zqprenom", nom="Zqnom")
    return habilitation_of(utilisateur)


@pytest.fixture
def protegee(refuge, team):
    """Protected by a worker of her refuge, who wrote all that there is to write about her."""
    with acting(utilisateur=team.utilisateur, habilitation=team):
        menage = make_menage()
        personne = make_personne(menage, "Inès Exemple", depuis=60, protegee=True)
        accompagnement = accompany(menage, refuge)
        AccesProtege.objects.create(personne=personne, utilisateur=team.utilisateur, accorde_par=team.utilisateur)
        double = make_personne(make_menage(), "Inès Exemples", depuis=60)
        merge(auteur=team, maitre=personne, absorbee=double, identite={})
        share(auteur=team, objet=menage, siao=Siao.objects.get(pk="35"), date_fin=jour(-7), motif="Départ")
        DemandeDAcces.objects.create(
            personne=personne, siao_id="44", siao_demandeur_id="44", motif="x", demandee_par=team.utilisateur
        )
    client = client_of(team.utilisateur)
    client.get(reverse("dossier", args=[menage.pk]))
    client.get(reverse("fiche_personne", args=[personne.pk]))
    client.get(reverse("modifier_situation", args=[personne.situations.get().pk]))
    client.get(reverse("cesser_accompagnement", args=[accompagnement.pk]))
    personne.menage = menage
    return personne


def pages_of(personne) -> list[str]:
    return [
        reverse("modifications", args=[personne.menage.pk]),
        reverse("fiche_personne", args=[personne.pk]),
        reverse("dossier", args=[personne.menage.pk]),
        reverse("demandes_d_acces"),
        reverse("repondre_demande", args=[DemandeDAcces.objects.get().pk]),
        reverse("journal"),
    ]


def test_who_does_not_see_her_whole_reads_an_agent_of_a_structure(protegee):
    admin = make_utilisateur(Profil.ADMIN_SIAO)
    client = client_of(admin)
    for page in pages_of(protegee):
        answer = client.get(page)
        assert answer.status_code == 200, page
        assert UN_AGENT in plain(answer).lower(), page
        assert not {"zqprenom", "zqnom", "zqrefuge"} & set(plain(answer).lower().replace(",", " ").split()), page

    AccesProtege.objects.create(personne=protegee, utilisateur=admin)
    for page in pages_of(protegee):
        answer = plain(client.get(page))
        assert "Zqprenom Zqnom" in answer, page
        assert UN_AGENT not in answer.lower(), page


def test_an_account_that_is_asked_for_is_not_anonymous_so_its_lines_are_not_there(protegee, team):
    client = client_of(make_utilisateur(Profil.ADMIN_SIAO))
    ours = EntreeJournal.objects.filter(utilisateur=team.utilisateur)
    assert ours.count() >= 4
    answer = plain(client.get(reverse("journal"), {"compte": team.utilisateur.courriel}))
    assert "(numéro protégé)" not in answer
    assert "n'est pas montré quand vous demandez son compte" in answer
    assert "Aucun accès ne correspond" in answer


def test_the_national_journal_names_no_structure_either(protegee):
    answer = plain(client_of(make_utilisateur(Profil.ADMIN_NATIONAL)).get(reverse("journal")))
    assert UN_AGENT in answer.lower()
    assert "Zq" not in answer


def test_a_row_that_is_gone_is_hidden_with_its_author(protegee, team):
    entry = EntreeJournal.objects.filter(objet_type="situations.situationresidentielle").get()
    protegee.situations.all().delete()
    answer = plain(client_of(make_utilisateur(Profil.ADMIN_SIAO)).get(reverse("journal")))
    assert f"situation résidentielle {entry.objet_id}" not in answer
    assert "Zqrefuge" not in answer


def test_the_motive_of_a_change_is_not_read_beside_a_hidden_person(protegee, team):
    with acting(utilisateur=team.utilisateur), pghistory.context(motif="Zqmotif"):
        Menage.objects.filter(pk=protegee.menage.pk).update(composition="100")
    page = reverse("modifications", args=[protegee.menage.pk])
    assert "Zqmotif" not in plain(client_of(make_utilisateur(Profil.OPERATEUR_SIAO)).get(page))
    assert "Zqmotif" in plain(client_of(team.utilisateur).get(page))


def test_agents_of_the_siao_keep_their_name_unless_they_ever_worked_in_a_structure(refuge):
    colleague, both, nobody = (make_utilisateur(profil) for profil in (*[Profil.OPERATEUR_SIAO] * 2, None))
    habilite(both, Profil.TRAVAILLEUR_SOCIAL, objets=[refuge], date_fin=jour(30))
    auteurs = Auteurs([colleague.pk, both.pk, nobody.pk, None])
    assert auteurs.nom(colleague.pk, entier=False) == str(colleague)
    assert [auteurs.nom(each.pk, entier=False) for each in (both, nobody)] == [UN_AGENT, UN_AGENT]
    assert auteurs.nom(both.pk, entier=True) == str(both)
    assert auteurs.nom(None, entier=False) == "le logiciel"


def test_every_page_of_a_person_has_a_journal_that_can_hide_her():
    """``conceal`` asks the model that the page names."""
    labels = {view.journal for view in VIEWS.values() if view.journal.startswith(("menages.", "situations."))}
    for label in labels | {"comptes.partage"}:
        assert hasattr(apps.get_model(label)._default_manager.all(), "entiers_pour"), label
    assert {"menages.menage", "menages.personne", "menages.demandedacces"} <= labels
