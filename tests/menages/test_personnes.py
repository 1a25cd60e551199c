"""The fiche of a person: corrections with a motive, protection, named agents."""

import pytest
from django.urls import reverse
from django.utils import timezone

from comptes.actions import share
from comptes.droits import Profil
from comptes.models import Siao
from menages.actions.personnes import name_user, stop_protecting
from menages.models import AccesProtege, Personne
from siao.socle.courriels import Courriel
from siao.socle.refusal import Refusal
from tests.comptes.fabrique import client_of, habilitation_of, make_utilisateur, words
from tests.menages.fabrique import accompany, jour, make_menage, make_operateur, make_personne
from tests.offre.fabrique import make_dispositif, make_rattachement

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


@pytest.mark.parametrize("day", ["31/02/2000", "01/01/1800", "01/01/2100", "17-9-186", "17/09"])
def test_a_birth_that_cannot_be(operateur, personne, day):
    assert correct(operateur, personne, date_naissance=day).status_code == 200


@pytest.mark.parametrize(
    "day", ["01/01/1900", "01/01/1901", "31/12/1902", "11/11/1111", "01/01/0001", "99/99/9999", "00/00/0000"]
)
def test_a_birth_invented_to_fill_the_field_is_told_to_leave_it_empty(operateur, personne, day):
    answer = correct(operateur, personne, date_naissance=day)
    assert answer.status_code == 200
    assert day in words(answer)
    assert "laissez vide si elle n'est pas connue" in words(answer)
    assert correct(operateur, personne, date_naissance="").status_code == 302


def test_the_oldest_persons_are_real(operateur, personne):
    today = timezone.localdate()
    assert correct(operateur, personne, date_naissance=f"01/01/{today.year - 122}").status_code == 302


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


def test_lifting_a_protection_is_for_a_named_agent_has_a_motive_and_is_told(auteur, operateur, personne):
    menage, url = personne.appartenances.get().menage, reverse("proteger", args=[personne.pk])
    fiche = reverse("fiche_personne", args=[personne.pk])
    admin, second, elsewhere = make_utilisateur(Profil.ADMIN_SIAO), make_operateur().utilisateur, make_operateur("35")
    operateur.post(url)
    operateur.post(reverse("designer_agent", args=[personne.pk]), {"utilisateur": second.pk})

    administrator = client_of(admin)
    assert "Ne plus protéger" not in words(administrator.get(fiche))
    assert "Seul un agent désigné lève une protection" in words(administrator.post(url, {"motif": "Erreur"}))
    assert "Donnez le motif" in words(operateur.post(url, {"motif": " "}))
    with pytest.raises(Refusal, match="motif"):
        stop_protecting(auteur=auteur, personne=personne, motif=" ")
    personne.refresh_from_db()
    assert personne.protegee
    assert not Courriel.objects.exists()

    assert "avertis par courriel" in words(operateur.get(url))
    assert operateur.post(url, {"motif": "Menace écartée, jugement vu"}).status_code == 302
    personne.refresh_from_db()
    assert not personne.protegee
    told = Courriel.objects.all()
    assert {each.a for each in told} == {auteur.utilisateur.courriel, second.courriel, admin.courriel}
    assert elsewhere.utilisateur.courriel not in {each.a for each in told}
    assert not any(secret in f"{each.sujet}{each.texte}" for each in told for secret in ("Rosa", "Exemple", "Menace"))
    assert all(fiche in each.texte for each in told)
    text = words(operateur.get(reverse("modifications", args=[menage.pk])))
    assert "La situation n'est plus protégée" in text
    assert "(motif : Menace écartée, jugement vu)" in text
    assert "I.3 Voiture" in words(client_of(second).get(reverse("dossier", args=[menage.pk])))
    assert "Fin de protection d'une personne" in words(administrator.get(reverse("journal"), {"compte": ""}))


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


def test_nobody_names_themselves(personne):
    Personne.objects.filter(pk=personne.pk).update(protegee=True)
    admin = make_utilisateur(Profil.ADMIN_SIAO)
    client, agents = client_of(admin), reverse("designer_agent", args=[personne.pk])
    assert str(admin) not in [str(each) for each in client.get(agents).context["form"]["utilisateur"].field.queryset]
    assert client.post(agents, {"utilisateur": admin.pk}).status_code == 200
    with pytest.raises(Refusal, match="ne se désigne soi-même"):
        name_user(auteur=habilitation_of(admin), personne=personne, utilisateur=admin)
    assert not AccesProtege.objects.exists()


def test_who_may_correct(personne):
    for profil, code in ((Profil.ECOUTANT_115, 302), (Profil.ADMIN_DEPARTEMENTAL, 403), (Profil.ANALYSTE, 403)):
        assert correct(client_of(make_utilisateur(profil)), personne).status_code == code
    assert correct(client_of(make_operateur("35").utilisateur), personne).status_code == 404


def test_who_reads_a_protected_dossier_is_told_to_named_agents_alone(personne):
    """The team of her dispositif reads it: their habilitation says where she is."""
    menage, autre = personne.appartenances.get().menage, make_menage(personnes=["Ana Exemple"])
    refuge = make_dispositif(make_rattachement("44"), nom="Refuge des Tilleuls")
    for each in (menage, autre):
        accompany(each, refuge)
    Personne.objects.filter(pk=personne.pk).update(protegee=True)
    team = client_of(make_utilisateur(Profil.TRAVAILLEUR_SOCIAL, objets=[refuge]))
    for each in (menage, autre):
        team.get(reverse("dossier", args=[each.pk]))
    team.get(reverse("fiche_personne", args=[personne.pk]))

    admin = make_utilisateur(Profil.ADMIN_SIAO)
    client = client_of(admin)
    pages = [
        reverse(name, args=args)
        for name in ("acces", "historique")
        for args in (["menages.menage", menage.pk], ["menages.personne", personne.pk])
    ]
    shown = [
        client.get(reverse("dossier", args=[menage.pk])),
        client.get(reverse("fiche_personne", args=[personne.pk])),
    ]
    for page in pages:
        assert client.get(page).status_code == 404
        assert not any(page in each.text for each in shown)
    journal = words(client.get(reverse("journal"), {"compte": ""}))
    assert "Refuge des Tilleuls" in journal  # of the other dossier; of hers, what was done and when
    assert "Un agent d'une structure" in journal
    assert f"ménage {autre.pk}\n" in journal
    assert f"ménage {menage.pk}\n" not in journal
    assert f"personne {personne.pk}\n" not in journal
    assert "ménage (numéro protégé)" in journal

    AccesProtege.objects.create(personne=personne, utilisateur=admin)
    assert all(client.get(page).status_code == 200 for page in pages)
    assert f"ménage {menage.pk}\n" in words(client.get(reverse("journal")))


def test_the_journal_of_a_dossier_is_for_the_siao_that_follows_it_not_for_those_it_is_shared_with(personne):
    menage = personne.appartenances.get().menage
    admin, other = make_utilisateur(Profil.ADMIN_SIAO), make_utilisateur(Profil.ADMIN_SIAO, siao_id="35")
    share(
        auteur=habilitation_of(admin), objet=menage, siao=Siao.objects.get(pk="35"), date_fin=jour(-7), motif="Départ"
    )
    page = reverse("acces", args=["menages.menage", menage.pk])
    dossier = client_of(other).get(reverse("dossier", args=[menage.pk]))
    assert dossier.status_code == 200
    assert page not in dossier.text
    assert client_of(other).get(page).status_code == 404
    assert client_of(admin).get(page).status_code == 200
