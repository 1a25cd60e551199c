"""The dossier: three places where the current situation is read, the history, and what must stay hidden."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from comptes.droits import Profil
from comptes.models import EntreeJournal
from menages.actions.deplacement import move_personnes
from menages.actions.fusion import merge, undo_merge
from menages.models import AccesProtege, Personne
from tests.comptes.fabrique import client_of, make_utilisateur, words
from tests.menages.fabrique import accompany, jour, make_menage, make_operateur, make_personne
from tests.offre.fabrique import make_dispositif, make_rattachement
from tests.situations.saisie import ajouter, modifier, supprimer

pytestmark = pytest.mark.django_db
TABS = ("dossier", "situations_du_menage", "modifications", "imprimer_dossier")


def page(client, menage, tab="dossier", **query) -> str:
    return words(client.get(reverse(tab, args=[menage.pk]), query))


def test_the_current_situation_is_read_in_three_places(operateur, menage, rosa):
    for tab in ("dossier", "situations_du_menage"):
        text = page(operateur, menage, tab)
        assert "I.3 Voiture" in text
        assert f"depuis le {jour(20):%d/%m/%Y}" in text
    history = page(operateur, menage, "situations_du_menage").partition('id="historique"')[2]
    assert "I.3 Voiture" in history
    assert "VII.1 Expulsion" in history


def test_both_numbers_are_shown_with_their_kind(operateur, menage, rosa):
    text = page(operateur, menage)
    assert f"Dossier <strong>{menage.numero}</strong>" in text
    assert f"N° de personne {rosa.numero}" in text


@pytest.mark.parametrize(
    ("tri", "first"),
    [
        ("situation", "I.3 Voiture"),
        ("-situation", "VII.1 Expulsion"),
        ("personne", "Ana Exemple"),
        ("-personne", "Rosa Exemple"),
        ("debut", "VII.1 Expulsion"),
        ("-debut", "III.1 CHRS"),
        ("fin", "VII.1 Expulsion"),
    ],
)
def test_the_history_is_sorted_by_each_column(operateur, menage, rosa, tri, first):
    make_personne(menage, "Ana Exemple", depuis=5, parcours=[("III.1", 5)])
    history = page(operateur, menage, "situations_du_menage", tri=tri).partition('id="historique"')[2]
    assert first in history.partition("<tbody>")[2].partition("</tr>")[0]


def history_of(client, menage, **query) -> str:
    return page(client, menage, "situations_du_menage", **query).partition('<details id="historique"')[2]


def test_the_history_keeps_who_left_up_to_her_departure(operateur, menage, rosa):
    louise = make_personne(menage, "Louise Exemple", depuis=40, parcours=[("VII.1", 40), ("I.1", 20)])
    auteur = make_operateur()
    autre = move_personnes(auteur=auteur, origine=menage, personnes=[louise.pk], destination=None, jour=jour(10))
    ajouter(operateur, autre, [louise], "III.1", jour(5))
    assert "III.1" in history_of(operateur, autre)
    history = history_of(operateur, menage)
    assert history.count("Louise Exemple") == 2
    assert f"son départ, le {jour(11):%d/%m/%Y}" in history
    assert "III.1" not in history
    assert f"{jour(6):%d/%m/%Y}" not in history


def test_the_history_is_sorted_as_in_french_and_stays_where_it_is(operateur, menage, rosa):
    for nom in ("Éva", "eudes", "Zoé", "Fanny"):
        make_personne(menage, f"{nom} Exemple", depuis=5, parcours=[("III.1", 5)])
    history = history_of(operateur, menage, tri="personne")
    places = [history.index(f"{nom} Exemple") for nom in ("eudes", "Éva", "Fanny", "Rosa", "Zoé")]
    assert places == sorted(places)
    assert history.count("#historique") == 4
    assert " open" in history.partition(">")[0]
    # Equal dates: always in the same order, one way or the other.
    for tri in ("debut", "-debut", "fin", "situation"):
        assert len({history_of(operateur, menage, tri=tri).partition("<tbody>")[2] for _ in range(3)}) == 1


def test_errance_is_computed(operateur, menage):
    make_personne(menage, "Paul Exemple", depuis=400, parcours=[("VI.5", 400), ("I.1", 300), ("II.1", 100)])
    text = page(operateur, menage)
    assert f"En errance depuis le {jour(400):%d/%m/%Y}" in text
    assert "13 mois d'errance en tout" in text


def test_the_tab_modifications_tells_who_did_what(operateur, menage, rosa):
    ajouter(operateur, menage, [rosa], "III.1", jour(3))
    modifier(operateur, rosa, "III.3", jour(2))
    supprimer(operateur, rosa)
    text = page(operateur, menage, "modifications")
    for said in (
        f"Situation ajoutée : « III.1 CHRS sauf FVV » depuis le {jour(3):%d/%m/%Y}",
        f"devient « III.3 Hors CHRS hors FVV » depuis le {jour(2):%d/%m/%Y}",
        "Situation supprimée : « III.3",
        f"« I.3 Voiture » depuis le {jour(20):%d/%m/%Y} : de nouveau en cours",
    ):
        assert said in text
    assert "Agent Essai" in text


def test_a_fusion_its_undoing_and_a_departure_are_told(operateur, menage, rosa):
    auteur = make_operateur()
    leon = make_personne(menage, "Léon Exemple", depuis=50, parcours=[("I.2", 50)])
    double = make_personne(make_menage(), "Rosa Exemples", depuis=50)
    undo_merge(auteur=auteur, fusion=merge(auteur=auteur, maitre=rosa, absorbee=double, identite={}))
    move_personnes(auteur=auteur, origine=menage, personnes=[leon.pk], destination=None, jour=jour(3))
    ajouter(operateur, leon.appartenances.get(date_fin=None).menage, [leon], "III.5", jour(1))
    text = page(operateur, menage, "modifications")
    told = [f"Fusion de {double.numero} défaite", f"Fiche {double.numero} fusionnée dans celle-ci", "Dossier ouvert"]
    assert sorted(told, key=text.index) == told  # latest first
    assert f"Quitte ce ménage le {jour(4):%d/%m/%Y}" in text
    assert "III.5" not in text  # what happened to him elsewhere


def test_each_consultation_is_one_entry_of_the_journal(operateur, menage, rosa):
    for tab in TABS:
        before = EntreeJournal.objects.count()
        page(operateur, menage, tab)
        entry = EntreeJournal.objects.order_by("-pk").first()
        assert EntreeJournal.objects.count() == before + 1
        assert (entry.action, entry.objet_type, entry.objet_id) == (tab, "menages.menage", str(menage.pk))


@pytest.mark.parametrize("tab", TABS)
def test_as_many_queries_for_1_person_as_for_20(operateur, menage, tab):
    page(operateur, menage, tab)
    make_personne(menage, "Rosa Exemple", depuis=50, parcours=[("VII.1", 50)])
    with CaptureQueriesContext(connection) as one:
        page(operateur, menage, tab)
    for n in range(19):
        make_personne(menage, f"P{n} Exemple", depuis=50, parcours=[("VII.1", 50), ("I.1", 30), ("III.1", 10)])
    with CaptureQueriesContext(connection) as twenty:
        assert "P18 Exemple" in page(operateur, menage, tab)
    assert len(one) == len(twenty) <= 22, len(twenty)


def test_w33_a_dossier_of_elsewhere_is_like_one_that_does_not_exist(operateur):
    ailleurs = make_menage("35", personnes=["Cachée Exemple"])
    for tab in TABS:
        assert operateur.get(reverse(tab, args=[ailleurs.pk])).status_code == 404
        assert operateur.get(reverse(tab, args=[999_999_999])).status_code == 404


def test_the_state_never_sees_a_nominative_dossier(menage, rosa):
    for profil in (Profil.ADMIN_NATIONAL, Profil.ADMIN_DEPARTEMENTAL, Profil.ANALYSTE):
        client = client_of(make_utilisateur(profil))
        for tab in TABS:
            assert client.get(reverse(tab, args=[menage.pk])).status_code == 403
        assert client.get(reverse("recherche")).status_code == 403
        assert client.get(reverse("personne", args=[rosa.pk])).status_code == 403


# --- Protected persons (G24) ------------------------------------------------------------------------------------


@pytest.fixture
def protegee(menage, rosa):
    Personne.objects.filter(pk=rosa.pk).update(protegee=True)
    return rosa


def test_where_a_protected_person_lives_is_hidden_from_colleagues(operateur, menage, protegee):
    enfant = make_personne(menage, "Noé Exemple", depuis=100, parcours=[("VII.1", 100), ("I.3", 20)])
    dispositif = make_dispositif(make_rattachement("44"))
    accompany(menage, dispositif)
    for tab in TABS:
        text = page(operateur, menage, tab)
        assert "Voiture" not in text
        assert "VII.1 Expulsion" not in text
        assert dispositif.nom not in text
        assert f"{jour(20):%d/%m/%Y}" not in text
    assert "Situation protégée" in page(operateur, menage)
    assert enfant.prenom in page(operateur, menage)
    for name in ("modifier_situation", "supprimer_situation"):
        assert operateur.get(reverse(name, args=[protegee.situations.get(date_fin=None).pk])).status_code == 404
        assert operateur.get(reverse(name, args=[enfant.situations.get(date_fin=None).pk])).status_code == 404


def test_named_agents_and_the_team_of_the_place_see_her(menage, protegee):
    nomme = make_operateur()
    AccesProtege.objects.create(personne=protegee, utilisateur=nomme.utilisateur)
    assert "I.3 Voiture" in page(client_of(nomme.utilisateur), menage)
    dispositif = make_dispositif(make_rattachement("44"))
    accompany(menage, dispositif)
    team = client_of(make_utilisateur(Profil.TRAVAILLEUR_SOCIAL, objets=[dispositif]))
    assert "I.3 Voiture" in page(team, menage)
    # The gestionnaire of the entité is not the team of the place.
    entite = dispositif.entite.rattachements.get()
    gestionnaire = client_of(make_utilisateur(Profil.GESTIONNAIRE_ENTITE, objets=[entite]))
    assert "Voiture" not in page(gestionnaire, menage)


def test_frozen_data_are_read_by_who_answers_for_the_rights_alone(operateur, menage, rosa):
    from django.utils import timezone

    Personne.objects.filter(pk=rosa.pk).update(gelee_le=timezone.now(), gel_motif="Contestation")
    for tab in TABS:
        text = page(operateur, menage, tab)
        assert "Rosa" not in text
        assert "Voiture" not in text
    admin = client_of(make_utilisateur(Profil.ADMIN_SIAO))
    assert "I.3 Voiture" in page(admin, menage)
    assert "Modifier la situation" not in page(admin, menage)


def test_a_dispositif_sees_the_dossiers_that_it_accompanies(menage, rosa):
    dispositif = make_dispositif(make_rattachement("44"))
    team = client_of(make_utilisateur(Profil.TRAVAILLEUR_SOCIAL, objets=[dispositif]))
    assert team.get(reverse("dossier", args=[menage.pk])).status_code == 404
    link = accompany(menage, dispositif)
    assert team.get(reverse("dossier", args=[menage.pk])).status_code == 200
    type(link).objects.filter(pk=link.pk).update(date_fin=jour(1))
    assert team.get(reverse("dossier", args=[menage.pk])).status_code == 404


def test_the_number_of_a_person_leads_to_the_dossier_of_today(operateur, menage, rosa):
    answer = operateur.get(reverse("personne", args=[rosa.pk]))
    assert answer.url == f"{reverse('dossier', args=[menage.pk])}#personne-{rosa.pk}"
    ailleurs = make_personne(make_menage("35"), "Ailleurs Exemple")
    assert operateur.get(reverse("personne", args=[ailleurs.pk])).status_code == 404


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", '"><img onerror=x>', "{{7*7}}"])
def test_w19_names_are_escaped(operateur, menage, text):
    make_personne(menage, f"{text.replace(' ', '_')} Exemple")
    for tab in TABS:
        raw = operateur.get(reverse(tab, args=[menage.pk])).text
        assert "<script>alert" not in raw
        assert "<img onerror" not in raw
        assert ">49<" not in raw


@pytest.mark.parametrize(
    ("tab", "name"), [(TABS[0], "Ménage"), (TABS[1], "Situation du ménage"), (TABS[2], "Historique")]
)
def test_each_tab_has_a_title_of_its_own(operateur, menage, rosa, tab, name):
    make_personne(menage, "Louise Exemple")
    title = " ".join(page(operateur, menage, tab).partition("<title>")[2].partition("</title>")[0].split())
    assert title.startswith(f"Dossier {menage.numero} · Famille Exemple · {name}")


@pytest.mark.parametrize(
    ("personnes", "name"),
    [
        ([("Rosa", "Exemple")], "Rosa Exemple"),
        ([("Rosa", "")], "Rosa"),
        ([("Rosa", ""), ("", "")], "Rosa, {second}"),
        ([("", "")], "{first}"),
        ([("Rosa", "Exemple"), ("Léon", "Essai"), ("Louise", "Exemple")], "Famille Exemple, Essai"),
        ([], "Dossier sans personne"),
    ],
)
def test_a_dossier_is_named_by_what_is_known_of_its_people(operateur, personnes, name):
    menage = make_menage()
    made = [make_personne(menage, prenom=prenom, nom=nom) for prenom, nom in personnes]
    numbers = dict(zip(("first", "second"), (personne.numero for personne in made), strict=False))
    heading = page(operateur, menage).partition("<h1")[2].partition("</h1>")[0].partition(">")[2]
    assert heading == name.format(**numbers)
