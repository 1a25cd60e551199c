"""Finding a person: two criteria, tolerant, journalled, and nothing said of who is protected or elsewhere."""

import datetime

import pytest
from django.urls import reverse
from django.utils import timezone

from comptes.droits import Profil
from comptes.models import EntreeJournal, Partage
from menages.actions.demandes_d_acces import ask_access
from menages.models import AccesProtege, DemandeDAcces, Menage, Personne, Precision, Recherche
from tests.comptes.fabrique import client_of, make_utilisateur, words
from tests.menages.fabrique import accompany, jour, make_menage, make_operateur, make_personne
from tests.offre.fabrique import make_dispositif, make_rattachement

pytestmark = pytest.mark.django_db
NAISSANCE = datetime.date(1986, 9, 17)


@pytest.fixture
def personne(db):
    menage = make_menage()
    return make_personne(menage, prenom="Marie-Hélène", nom="Lefèvre d'Ornano", date_naissance=NAISSANCE)


@pytest.fixture
def operateur():
    return client_of(make_operateur().utilisateur)


def search(client, **criteria):
    return client.post(reverse("recherche"), criteria)


def found(answer) -> list[int]:
    return [trouvee.personne.pk for trouvee in answer.context["trouvailles"].ici]


@pytest.mark.parametrize(
    "criteria",
    [
        {"nom": "Lefèvre d'Ornano", "prenom": "Marie-Hélène"},
        {"nom": "LEFEVRE D ORNANO", "prenom": "marie helene"},
        {"nom": "lefevre", "prenom": "helene"},
        {"nom": "Marie-Hélène", "prenom": "Lefèvre"},  # inverted
        {"nom": "Lefebvre", "prenom": "Marie Hélène"},  # heard on the telephone
        {"nom": "Lefèvre", "prenom": "Maire-Hélène"},  # two letters inverted
        {"nom": "Lefevre", "date_naissance": "17/09/1986"},
        {"prenom": "Marie-Hélène", "date_naissance": "17/09/1986"},
        {"nom": "Lefèvre d'Ornano", "prenom": "Marie-Hélène", "date_naissance": "17/09/1968"},
        {"nom": "Lefèvre d'Ornano", "prenom": "Marie-Hélène", "date_naissance": "01/01/1986"},
    ],
)
def test_accents_case_hyphens_inversions_and_typing_errors(operateur, personne, criteria):
    make_personne(make_menage(), "Ahmed Benali")
    assert found(search(operateur, **criteria)) == [personne.pk]


def test_the_best_comes_first_and_the_others_do_not_come(operateur, personne):
    menage = make_menage()
    soeur = make_personne(menage, prenom="Marie-Odile", nom="Lefèvre d'Ornano")
    make_personne(menage, prenom="Paul", nom="Dupont")
    answer = search(operateur, nom="Lefèvre d'Ornano", prenom="Marie-Hélène")
    assert found(answer)[0] == personne.pk
    assert set(found(answer)) <= {personne.pk, soeur.pk}
    assert "identique" in words(answer)


@pytest.mark.parametrize("criteria", [{"nom": "Lefèvre"}, {"prenom": "Marie"}, {"date_naissance": "17/09/1986"}, {}])
def test_w39_one_criterion_is_not_enough_for_a_team(personne, criteria):
    dispositif = make_dispositif(make_rattachement("44"))
    accompany(personne.appartenances.get().menage, dispositif)
    team = client_of(make_utilisateur(Profil.TRAVAILLEUR_SOCIAL, objets=[dispositif]))
    answer = search(team, **criteria)
    assert "au moins deux critères" in words(answer)
    assert "1 point à corriger, la recherche n'a pas été faite" in words(answer)
    assert "rien n'a été enregistré" not in words(answer)
    assert "trouvailles" not in answer.context
    assert not Recherche.objects.exists()


@pytest.mark.parametrize(
    "criteria",
    [{"nom": "Lefèvre"}, {"prenom": "Marie Helene"}, {"q": "lefevre"}, {"date_naissance": "17/09/1986"}],
)
def test_one_criterion_is_enough_among_the_recent_dossiers_of_ones_own_siao(operateur, personne, criteria):
    answer = search(operateur, **criteria)
    assert found(answer) == [personne.pk]
    assert "Un seul critère : cherché seulement dans les dossiers" in words(answer)
    assert Recherche.objects.count() == 1
    # Nothing of the old ones, nor of another SIAO, not even that they exist.
    autre = search(client_of(make_operateur("35").utilisateur), **criteria)
    assert found(autre) == []
    assert "Connue dans un autre" not in words(autre)
    Menage.objects.update(cree_le=timezone.now() - datetime.timedelta(days=31))
    answer = search(operateur, **criteria)
    assert found(answer) == []
    assert "Personne ne correspond dans ces dossiers" in words(answer)


def test_a_number_alone_opens_a_dossier_of_the_perimeter_only(operateur, personne):
    menage = personne.appartenances.get().menage
    for number in (menage.numero, personne.numero, f"p{personne.pk}", f" {menage.numero} "):
        assert search(operateur, numero=number).url == reverse("dossier", args=[menage.pk])
    ailleurs = make_menage("35", personnes=["Autre Exemple"])
    assert "au moins deux critères" in words(search(operateur, numero=ailleurs.numero))


def test_the_header_takes_everything_in_one_field(operateur, personne):
    for typed in ("Lefèvre Marie-Hélène", "marie-helene lefevre", "lefevre 17/09/1986"):
        assert found(search(operateur, q=typed)) == [personne.pk]
    assert search(operateur, q=personne.numero).status_code == 302
    assert "au moins deux critères" in words(search(operateur, q="44-999999"))
    assert 'name="q"' in operateur.get(reverse("accueil")).text
    assert (
        f'action="{reverse("recherche")}"'
        not in client_of(make_utilisateur(Profil.ADMIN_NATIONAL)).get(reverse("accueil")).text
    )


@pytest.mark.parametrize("text", ["%", "_", "\\", "'", "\x00", "x" * 10_000, "🙂", "(a+)+$", "' OR 1=1 --", "٣"])
def test_w38_hostile_text_is_literal(operateur, personne, text):
    answer = search(operateur, nom=text, prenom=text)
    assert answer.status_code == 200
    if "trouvailles" in answer.context:
        assert found(answer) == []


def test_another_siao_learns_that_she_is_known_and_nothing_more(personne):
    autre = client_of(make_operateur("35").utilisateur)
    answer = search(autre, nom="Lefèvre d'Ornano", prenom="Marie-Hélène", date_naissance="17/09/1986")
    text = words(answer)
    assert found(answer) == []
    assert "Connue dans un autre département" in text
    menage = personne.appartenances.get().menage
    for hidden in (menage.numero, personne.numero, "Loire-Atlantique"):
        assert hidden not in text
    # A mere resemblance would tell too much.
    assert "Connue dans un autre" not in words(search(autre, nom="Lefort", prenom="Marie-Hélène"))


def test_a_protected_person_elsewhere_is_never_a_hit_nor_who_lives_with_her(personne):
    enfant = make_personne(personne.appartenances.get().menage, "Noé Lefèvre")
    Personne.objects.filter(pk=personne.pk).update(protegee=True)
    autre = client_of(make_operateur("35").utilisateur)
    for criteria in (
        {"nom": "Lefèvre d'Ornano", "prenom": "Marie-Hélène", "date_naissance": "17/09/1986"},
        {"nom": "Lefèvre", "prenom": "Noé"},
        {"numero": personne.numero, "nom": "Lefèvre d'Ornano"},
        {"numero": enfant.numero, "nom": "Lefèvre"},
    ):
        assert "Connue dans un autre" not in words(search(autre, **criteria))


def test_in_the_perimeter_a_protected_person_is_found_without_her_place(operateur, personne):
    Personne.objects.filter(pk=personne.pk).update(protegee=True)
    answer = search(operateur, nom="Lefèvre", prenom="Marie-Hélène")
    assert found(answer) == [personne.pk]


def test_entites_find_the_persons_they_accompany_and_learn_nothing_of_the_others(personne):
    dispositif = make_dispositif(make_rattachement("44"))
    team = client_of(make_utilisateur(Profil.TRAVAILLEUR_SOCIAL, objets=[dispositif]))
    criteria = {"nom": "Lefèvre d'Ornano", "prenom": "Marie-Hélène"}
    answer = search(team, **criteria)
    assert found(answer) == []
    assert "Connue dans un autre" not in words(answer)
    accompany(personne.appartenances.get().menage, dispositif)
    assert found(search(team, **criteria)) == [personne.pk]


def test_absorbed_and_frozen_fiches_are_not_found(operateur, personne):
    from django.utils import timezone

    Personne.objects.filter(pk=personne.pk).update(gelee_le=timezone.now(), gel_motif="Contestation")
    assert found(search(operateur, nom="Lefèvre", prenom="Marie-Hélène")) == []


def test_each_search_is_journalled_without_what_was_searched(operateur, personne):
    search(operateur, nom="Lefèvre", prenom="Marie-Hélène")
    entry = EntreeJournal.objects.order_by("-pk").first()
    assert (entry.action, entry.nombre) == ("recherche", 1)
    assert len(entry.recherche) == 64
    kept = Recherche.objects.get()
    assert kept.criteres == [{"nom": "Lefèvre", "prenom": "Marie-Hélène"}]


def test_sixty_searches_in_ten_minutes_then_429(operateur, personne, time_machine):
    time_machine.move_to("2026-11-21T10:00:00Z", tick=False)
    operateur = client_of(make_operateur().utilisateur)
    search(operateur, nom="Lefèvre", prenom="Marie-Hélène")
    model = Recherche.objects.get()
    from django.utils import timezone

    Recherche.objects.update(quand=timezone.now())
    Recherche.objects.bulk_create(
        Recherche(utilisateur=model.utilisateur, habilitation=model.habilitation, quand=timezone.now())
        for _ in range(59)
    )
    answer = search(operateur, nom="Lefèvre", prenom="Marie-Hélène")
    assert answer.status_code == 429
    assert "Plus de 60 recherches en dix minutes" in words(answer)
    assert "trouvailles" not in answer.context
    time_machine.move_to("2026-11-21T10:10:01Z", tick=False)
    assert search(operateur, nom="Lefèvre", prenom="Marie-Hélène").status_code == 200


def test_as_many_queries_for_1_result_as_for_20(operateur, personne, django_assert_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    search(operateur, nom="Lefèvre d'Ornano", prenom="Marie-Hélène")  # what a process reads once is read
    with CaptureQueriesContext(connection) as one:
        search(operateur, nom="Lefèvre d'Ornano", prenom="Marie-Hélène")
    for _ in range(25):
        make_personne(make_menage(), prenom="Marie-Hélène", nom="Lefèvre d'Ornano")
    with CaptureQueriesContext(connection) as twenty:
        assert len(found(search(operateur, nom="Lefèvre d'Ornano", prenom="Marie-Hélène"))) == 20
    assert len(one) == len(twenty)


# --- Names as people have them ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("nom", "prenom", "typed"),
    [
        ("De La Cruz", "Jean", "De La Cruz Jean"),
        ("De La Cruz", "Jean", "Jean De La Cruz"),
        ("De La Cruz", "Jean", "M. Jean DE LA CRUZ"),
        ("De La Cruz", "Jean", "delacruz jean"),
        ("Garcia Lopez", "Maria José", "Maria Garcia José Lopez"),  # any order at all
        ("Garcia Lopez", "Maria José", "Gracia Lopez Maria José"),  # and a mistake
        ("Ben Salah", "Mohamed Ali", "Mohamed Ali Ben Salah"),
        ("Ly", "Ba Oumar", "Ba Oumar Ly"),
        ("Dupont", "Claire", "Mme Dupont Claire"),
        ("Dupont", "Claire", "Madame Claire Dupont"),
        ("Dupont", "Claire", "mlle DUPONT, Claire"),
        ("Mme Dupont", "Claire", "Claire Dupont"),
        ("Dupont", "Claire", "Mme Claire Martin née Dupont"),
        ("Sørensen", "Łukasz", "Sorensen Lukasz"),
        ("Đặng", "Thị Ánh", "Dang Thi Anh"),
        ("Weiß", "Jürgen", "Weiss Jurgen"),
        ("Yıldız", "İbrahim", "Yildiz Ibrahim"),
        ("Þórsdóttir", "Guðrún", "Thorsdottir Gudrun"),
        ("Sorensen", "Lukasz", "SØRENSEN ŁUKASZ"),
        ("Œuvrard", "Chloé", "oeuvrard chloe"),
        ("M'Baye", "Awa", "MBaye Awa"),
    ],
)
def test_every_split_and_order_of_a_name_civilities_and_letters(operateur, nom, prenom, typed):
    personne = make_personne(make_menage(), nom=nom, prenom=prenom)
    make_personne(make_menage(), "Ahmed Benali")
    assert found(search(operateur, q=typed)) == [personne.pk]


def test_letters_are_the_same_for_the_database_and_for_the_score():
    from django.db import connection

    from menages.doublons import LETTRES, latin

    with connection.cursor() as cursor:
        for letter in map(chr, LETTRES):
            for form in (letter, letter.upper() if len(letter.upper()) == 1 else letter):
                cursor.execute("SELECT menages_plie(%s)", [form])
                assert cursor.fetchone()[0] == latin(form)
                assert latin(form).isascii()


def test_the_exact_one_comes_before_hundreds_of_homonyms_and_the_count_is_true(operateur):
    for number in range(24):
        make_personne(make_menage(), nom="Diallo", prenom="Mamadou", date_naissance=datetime.date(1980, 1, 2 + number))
    menage = make_menage()
    Personne.objects.bulk_create(
        Personne(nom="Dialo", prenom="Mamadou", date_naissance=datetime.date(1990, 5, 5)) for _ in range(340)
    )
    from menages.models import Appartenance

    Appartenance.objects.bulk_create(
        Appartenance(personne=each, menage=menage, date_debut=jour(0)) for each in Personne.objects.filter(nom="Dialo")
    )
    exact = make_personne(make_menage(), nom="Diallo", prenom="Mamadou", date_naissance=datetime.date(1990, 5, 6))
    answer = search(operateur, nom="Diallo", prenom="Mamadou", date_naissance="06/05/1990")
    assert found(answer)[0] == exact.pk
    assert "identique" in words(answer)
    answer = search(operateur, nom="Diallo", prenom="Mamadou")
    assert len(found(answer)) == 20
    assert set(Personne.objects.filter(pk__in=found(answer)).values_list("nom", flat=True)) == {"Diallo"}
    assert "365 personnes de votre périmètre." in words(answer)
    assert "Voici les 20 plus ressemblantes" in words(answer)


def test_a_single_name_without_date_is_found(operateur):
    seule = make_personne(make_menage(), prenom="Fatoumata", nom="x")
    Personne.objects.filter(pk=seule.pk).update(nom="")
    assert found(search(operateur, nom="Fatoumata", date_naissance="01/02/1990")) == [seule.pk]
    assert found(search(operateur, prenom="Fatoumata", nom="Diallo")) == [seule.pk]
    assert found(search(operateur, q="Fatumata Diallo")) == [seule.pk]


@pytest.mark.parametrize("typed", ["Essai Awa 1990", "1990 Essai Awa", "Awa Essai vers 1991", "Essai 1990"])
def test_a_year_alone_is_a_criterion(operateur, typed):
    exact = make_personne(make_menage(), "Awa Essai", date_naissance=datetime.date(1990, 6, 17))
    make_personne(make_menage(), "Awa Essai", date_naissance=datetime.date(1950, 6, 17))
    assert found(search(operateur, q=typed))[0] == exact.pk


def test_who_is_known_by_a_year_is_found_by_a_date_of_it(operateur):
    born = {"date_naissance": datetime.date(1990, 1, 1), "naissance_precision": Precision.ENVIRON}
    presumed = make_personne(make_menage(), nom="Essai", prenom="Awa", **born)
    for typed in ("17/06/1990", "17/06/1991", "1990", "vers 1988"):
        answer = search(operateur, nom="Essai", prenom="Awa", date_naissance=typed)
        assert found(answer) == [presumed.pk]
        assert "vers 1990" in words(answer)
        assert "01/01/1990" not in words(answer)
    assert "identique" in words(search(operateur, nom="Essai", prenom="Awa", date_naissance="vers 1990"))
    assert found(search(operateur, nom="Essai", date_naissance="17/06/1970")) == []


# --- Asking another SIAO ----------------------------------------------------------------------------------------


def ask(personne, motif="Appel au 115 cette nuit"):
    asker = client_of(make_operateur("35").utilisateur)
    page = search(asker, nom="Lefèvre d'Ornano", prenom="Marie-Hélène")
    recherche = page.context["demande"].initial["recherche"]
    return asker, asker.post(reverse("demander_acces"), {"recherche": recherche, "motif": motif})


def test_a_siao_asks_another_which_shares_the_dossier_for_a_time(operateur, personne):
    menage = personne.appartenances.get().menage
    asker, answer = ask(personne)
    assert answer.url == reverse("demandes_d_acces")
    demande = DemandeDAcces.objects.get()
    assert "Appel au 115 cette nuit" in words(operateur.get(reverse("demandes_d_acces")))
    assert "1 demande d'accès d'un autre SIAO" in words(operateur.get(reverse("accueil")))
    url = reverse("repondre_demande", args=[demande.pk])
    assert asker.get(url).status_code == 404
    assert "Écrivez jusqu'à quand" in words(operateur.post(url, {"acceptee": "oui"}))
    until = jour(0) + datetime.timedelta(days=30)
    assert operateur.post(url, {"acceptee": "oui", "jusqu_au": f"{until:%d/%m/%Y}"}).status_code == 302
    assert Partage.objects.get().date_fin == until
    assert asker.get(reverse("dossier", args=[menage.pk])).status_code == 200
    assert asker.get(reverse("ajouter_situation", args=[menage.pk])).status_code == 404
    assert operateur.post(url, {"acceptee": "non"}).status_code == 404  # answered once


def test_a_share_lasts_a_year_at_most(operateur, personne):
    ask(personne)
    url = reverse("repondre_demande", args=[DemandeDAcces.objects.get().pk])
    last = jour(-365)
    assert "Un an au plus." in words(operateur.get(url))
    for wrong in (jour(-366), datetime.date(2199, 12, 31)):
        refused = operateur.post(url, {"acceptee": "oui", "jusqu_au": f"{wrong:%d/%m/%Y}"})
        assert f"Un partage dure un an au plus : choisissez le {last:%d/%m/%Y} ou avant." in words(refused)
    assert not Partage.objects.exists()
    assert operateur.post(url, {"acceptee": "oui", "jusqu_au": f"{last:%d/%m/%Y}"}).status_code == 302
    assert Partage.objects.get().date_fin == last


def test_the_share_is_read_on_the_dossier_and_stopped_at_once(operateur, personne):
    menage = personne.appartenances.get().menage
    dossier = reverse("dossier", args=[menage.pk])
    asker, _ = ask(personne)
    demande = DemandeDAcces.objects.get()
    assert "Cesser le partage" not in words(operateur.get(dossier))
    until = f"{jour(-30):%d/%m/%Y}"
    operateur.post(reverse("repondre_demande", args=[demande.pk]), {"acceptee": "oui", "jusqu_au": until})
    stop = reverse("cesser_partage", args=[Partage.objects.get().pk])

    # The SIAO that asked is led to the dossier, and is offered nothing there that would not be found.
    sent = asker.get(reverse("demandes_d_acces"))
    assert dossier in sent.text
    assert menage.numero in words(sent)
    read = asker.get(dossier)
    assert reverse("fiche_personne", args=[personne.pk]) not in read.text
    assert stop not in read.text
    assert asker.get(stop).status_code == asker.post(stop).status_code == 404
    elsewhere = client_of(make_operateur("49").utilisateur)
    assert elsewhere.post(stop).status_code == 404

    read = operateur.get(dossier)
    assert reverse("fiche_personne", args=[personne.pk]) in read.text
    assert stop in read.text
    assert f"Ille-et-Vilaine, jusqu'au {until}" in words(read)
    assert "Appel au 115 cette nuit" in words(read)
    assert "dès maintenant" in words(operateur.get(stop))
    assert asker.get(dossier).status_code == 200
    assert operateur.post(stop).url == dossier
    assert asker.get(dossier).status_code == 404
    assert dossier not in asker.get(reverse("demandes_d_acces")).text
    assert EntreeJournal.objects.filter(action="comptes.cesser_de_partager", objet_id=str(menage.pk)).count() == 1
    assert stop not in operateur.get(dossier).text
    assert operateur.get(stop).status_code == 404


def test_a_team_that_accompanies_a_shared_dossier_reads_it_and_leaves_the_share_alone(operateur, personne):
    menage = personne.appartenances.get().menage
    dispositif = make_dispositif(make_rattachement("44"))
    accompany(menage, dispositif)
    ask(personne)
    url = reverse("repondre_demande", args=[DemandeDAcces.objects.get().pk])
    operateur.post(url, {"acceptee": "oui", "jusqu_au": f"{jour(-30):%d/%m/%Y}"})
    stop = reverse("cesser_partage", args=[Partage.objects.get().pk])
    team = client_of(make_utilisateur(Profil.TRAVAILLEUR_SOCIAL, objets=[dispositif]))
    assert stop not in team.get(reverse("dossier", args=[menage.pk])).text
    assert team.get(stop).status_code == 404


@pytest.mark.parametrize("who", ["herself", "her mother"])
def test_who_does_not_see_the_whole_dossier_does_not_open_it(operateur, personne, who):
    """Somebody was protected since the demande: it is refused, or accepted by who was named."""
    menage = personne.appartenances.get().menage
    protegee = personne if who == "herself" else make_personne(menage, "Rosa Exemple")
    ask(personne)
    Personne.objects.filter(pk=protegee.pk).update(protegee=True)
    url = reverse("repondre_demande", args=[DemandeDAcces.objects.get().pk])
    yes = {"acceptee": "oui", "jusqu_au": f"{jour(-30):%d/%m/%Y}"}
    for profil in (Profil.ECOUTANT_115, Profil.ADMIN_SIAO):
        refused = client_of(make_utilisateur(profil)).post(url, yes)
        assert "Demandez à un agent désigné" in words(refused)
        assert f"{jour(-30):%d/%m/%Y}" in refused.text  # what was typed stays
    assert not Partage.objects.exists()
    named = make_operateur()
    AccesProtege.objects.create(personne=protegee, utilisateur=named.utilisateur)
    assert client_of(named.utilisateur).post(url, yes).status_code == 302
    assert Partage.objects.exists()


def test_a_demande_refused_without_seeing_needs_no_door(operateur, personne):
    ask(personne)
    Personne.objects.filter(pk=personne.pk).update(protegee=True)
    url = reverse("repondre_demande", args=[DemandeDAcces.objects.get().pk])
    assert operateur.post(url, {"acceptee": "non", "reponse": "Appelez-nous"}).status_code == 302


def test_nothing_is_asked_about_who_lives_with_a_protected_person(personne):
    """Not from a search made before she was protected either; the answer does not tell why."""
    asker = make_operateur("35")
    client = client_of(asker.utilisateur)
    page = search(client, nom="Lefèvre d'Ornano", prenom="Marie-Hélène")
    make_personne(personne.appartenances.get().menage, "Rosa Exemple", protegee=True)
    ask_access(auteur=asker, siao=asker.siao, personnes=[personne], motif="Appel")
    sent = {"recherche": page.context["demande"].initial["recherche"], "motif": "Appel"}
    assert client.post(reverse("demander_acces"), sent).url == reverse("demandes_d_acces")
    assert not DemandeDAcces.objects.exists()


def test_a_refusal_opens_nothing_and_the_search_of_somebody_else_asks_nobody(operateur, personne):
    asker, _ = ask(personne)
    demande = DemandeDAcces.objects.get()
    operateur.post(
        reverse("repondre_demande", args=[demande.pk]), {"acceptee": "non", "reponse": "Voir avec l'intéressée"}
    )
    assert "Voir avec l'intéressée" in words(asker.get(reverse("demandes_d_acces")))
    assert not Partage.objects.exists()
    other = client_of(make_operateur("35").utilisateur)
    for recherche in (Recherche.objects.order_by("pk").first().pk, 10**9, "x", ""):
        answer = other.post(reverse("demander_acces"), {"recherche": recherche, "motif": "x"})
        assert answer.url == reverse("recherche")
    assert DemandeDAcces.objects.count() == 1
