"""The two-step validation: who moves a fiche, remarks that open their field, propositions shown before and after."""

import datetime

import pytest
from django.core import mail
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from comptes.droits import Profil
from comptes.models import EntreeJournal
from offre import avis
from offre.circuit import COUPLES, PASSAGES
from offre.models import Dispositif, Proposition, Rattachement, Remarque, Transition
from tests.comptes.fabrique import client_of, habilitation_of, make_utilisateur, words
from tests.offre.fabrique import make_proposition, make_rattachement
from tests.offre.test_fiches import make_chrs, opened, url

pytestmark = pytest.mark.django_db


@pytest.fixture
def chrs():
    return make_chrs(make_rattachement("44", nom="L'Ancre"), nom="CHRS le Phare", statut="BROUILLON")


@pytest.fixture
def people(chrs):
    entite = Rattachement.objects.get()
    return {
        "etat": make_utilisateur(Profil.ADMIN_DEPARTEMENTAL),
        "siao": make_utilisateur(Profil.ADMIN_SIAO),
        "gestionnaire": make_utilisateur(Profil.GESTIONNAIRE_ENTITE, objets=[entite]),
    }


@pytest.fixture
def pages(people):
    return {name: client_of(utilisateur) for name, utilisateur in people.items()}


def step(client, objet, action, **data):
    """Do one step from the page that shows it."""
    if isinstance(objet, Proposition):
        address = url("passer_proposition", objet.pk, action)
    else:
        address = url("passer", "dispositifs" if isinstance(objet, Dispositif) else "entites", objet.pk, action)
    objet.refresh_from_db()
    version = objet.revision if isinstance(objet, Proposition) else objet.version
    return client.post(address, {"version": version, **data})


def test_sent_back_with_a_remark_corrected_on_that_field_alone_then_validated(chrs, pages):
    assert step(pages["siao"], chrs, "prevalider").status_code == 302
    sent_back = step(pages["etat"], chrs, "renvoyer", remarque_places="30 ou 32 places ?")
    assert sent_back.status_code == 302
    chrs.refresh_from_db()
    assert chrs.statut == "A_CORRIGER"
    address = url("modifier", "dispositifs", chrs.pk)
    shown = pages["gestionnaire"].get(address)
    assert "30 ou 32 places ?" in words(shown)
    assert list(shown.context["form"].fields) == ["places"]
    # A forged field is not read: the fiche keeps what it had.
    data = {"version": chrs.version, "places": "30", "nom": "Nom forgé", "places_urgence": "0"}
    assert pages["gestionnaire"].post(address, data).status_code == 302
    chrs.refresh_from_db()
    assert (chrs.statut, chrs.nom, chrs.places) == ("SOUMIS", "CHRS le Phare", 30)
    step(pages["siao"], chrs, "prevalider")
    assert step(pages["etat"], chrs, "valider").status_code == 302
    chrs.refresh_from_db()
    assert chrs.statut == "VALIDE"
    assert list(Transition.objects.order_by("pk").values_list("de", "vers")) == [
        ("BROUILLON", "PREVALIDE"),
        ("PREVALIDE", "A_CORRIGER"),
        ("A_CORRIGER", "SOUMIS"),
        ("SOUMIS", "PREVALIDE"),
        ("PREVALIDE", "VALIDE"),
    ]
    history = words(pages["etat"].get(url("fiche", "dispositifs", chrs.pk)))
    assert "Nombre de places : 30 ou 32 places ?" in history
    assert EntreeJournal.objects.filter(action="offre.valider").count() == 1


def test_what_each_step_asks_for_is_asked(chrs, pages):
    Dispositif.objects.update(statut="PREVALIDE")
    assert "au moins une remarque" in words(step(pages["etat"], chrs, "renvoyer"))
    assert "Donnez le motif" in words(step(pages["etat"], chrs, "refuser", motif="  "))
    chrs.refresh_from_db()
    assert chrs.statut == "PREVALIDE"
    assert step(pages["etat"], chrs, "refuser", motif="Déjà recensé sous un autre nom.").status_code == 302
    assert Transition.objects.get().motif == "Déjà recensé sous un autre nom."
    assert step(pages["siao"], chrs, "reprendre").status_code == 302


def test_the_same_list_replayed_moves_nothing(chrs, pages):
    Dispositif.objects.update(statut="PREVALIDE")
    address = url("passer", "dispositifs", chrs.pk, "valider")
    data = {"version": chrs.version}
    assert pages["etat"].post(address, data).status_code == 302
    again = pages["etat"].post(address, data)
    assert "Ce n'est pas possible maintenant" in words(again)
    Dispositif.objects.update(statut="PREVALIDE")
    stale = pages["etat"].post(address, data)
    assert "a changé entre-temps" in words(stale)
    assert Transition.objects.count() == 1


@pytest.mark.parametrize(
    ("who", "action", "code"),
    [
        ("siao", "valider", 403),
        ("siao", "refuser", 403),
        ("siao", "fermer", 403),
        ("etat", "prevalider", 403),
        ("gestionnaire", "prevalider", 403),
        ("gestionnaire", "renvoyer", 403),
        ("gestionnaire", "reprendre", 403),
        ("etat", "retirer", 404),
        ("etat", "inconnu", 404),
    ],
)
def test_nobody_takes_the_step_of_another(chrs, pages, who, action, code):
    Dispositif.objects.update(statut="SOUMIS")
    assert step(pages[who], chrs, action).status_code == code
    assert not Transition.objects.exists()


def test_closing_takes_a_date_and_an_entite_waits_for_its_dispositifs(chrs, pages):
    Dispositif.objects.update(statut="VALIDE")
    entite = Rattachement.objects.get()
    refused = step(pages["etat"], entite, "fermer", motif="Dissoute")
    assert "tant qu'un de ses dispositifs reste ouvert" in words(refused)
    early = step(pages["etat"], chrs, "fermer", motif="Fin du bail", date_fermeture="01/01/2010")
    assert "ne peut pas précéder l'ouverture" in words(early)
    step(pages["etat"], chrs, "fermer", motif="Fin du bail", date_fermeture="31/12/2025")
    chrs.refresh_from_db()
    assert (chrs.statut, chrs.date_fermeture) == ("FERME", datetime.date(2025, 12, 31))
    assert step(pages["etat"], entite, "fermer", motif="Dissoute").status_code == 302
    assert step(pages["etat"], chrs, "rouvrir", motif="Bail renouvelé").status_code == 302
    chrs.refresh_from_db()
    assert (chrs.statut, chrs.date_fermeture) == ("VALIDE", None)


def test_a_closing_to_come_is_planned_on_the_fiche_and_closes_nothing_today(chrs, pages):
    entite = Rattachement.objects.get()
    Dispositif.objects.update(statut="VALIDE")
    later = timezone.localdate() + datetime.timedelta(days=1)
    typed = {"motif": "Fin du bail", "date_fermeture": f"{later:%d/%m/%Y}"}
    planned = words(step(pages["etat"], chrs, "fermer", **typed))
    assert f"donnez au plus tard le {timezone.localdate():%d/%m/%Y}" in planned
    assert "écrivez sa « Date de fermeture prévue »" in planned
    chrs.refresh_from_db()
    assert (chrs.statut, chrs.date_fermeture) == ("VALIDE", None)
    assert "sort de l'offre tout de suite" in planned
    assert step(pages["etat"], chrs, "fermer", motif="Fin du bail").status_code == 302
    assert "revenez ce jour-là" in words(step(pages["etat"], entite, "fermer", **typed))
    entite.refresh_from_db()
    assert entite.statut == "VALIDE"
    assert not Transition.objects.filter(rattachement=entite).exists()


def test_what_has_not_opened_yet_closes_the_day_it_was_to_open(chrs, pages):
    opening = timezone.localdate() + datetime.timedelta(days=90)
    Dispositif.objects.update(statut="VALIDE", date_ouverture=opening)
    assert step(pages["etat"], chrs, "fermer", motif="Projet abandonné").status_code == 302
    chrs.refresh_from_db()
    assert (chrs.statut, chrs.date_fermeture) == ("FERME", opening)


def test_the_database_knows_the_circuit(chrs, people):
    for de, vers in COUPLES:
        Transition.objects.create(dispositif=chrs, de=de, vers=vers, auteur=people["etat"])
    for de, vers in (("", "FERME"), ("REFUSE", "VALIDE"), ("FERME", "BROUILLON"), ("BROUILLON", "VALIDE")):
        with pytest.raises(IntegrityError, match="transition_du_circuit"), transaction.atomic():
            Transition.objects.create(dispositif=chrs, de=de, vers=vers, auteur=people["etat"])
    assert {vers for passage in PASSAGES for vers in [passage.vers]} <= {vers for _, vers in COUPLES}
    last = Transition.objects.last()
    Remarque.objects.create(transition=last, champ="nom", texte="Précisez")
    with pytest.raises(IntegrityError, match="remarque_unique_par_champ"), transaction.atomic():
        Remarque.objects.create(transition=last, champ="nom", texte="Encore")


def test_the_database_says_since_when(chrs):
    old = timezone.now() - datetime.timedelta(days=9)
    Dispositif.objects.update(statut_depuis=old)
    Dispositif.objects.update(nom="Autre nom")
    assert Dispositif.objects.get().statut_depuis == old
    Dispositif.objects.update(statut="SOUMIS")
    assert Dispositif.objects.get().statut_depuis > old


# --- Propositions -----------------------------------------------------------------------------------------------


@pytest.fixture
def valide(chrs):
    Dispositif.objects.update(statut="VALIDE")
    chrs.refresh_from_db()
    return chrs


def propose(client, fiche, **changes):
    address = url("modifier", "dispositifs", fiche.pk)
    return client.post(address, opened(client, address) | changes)


def test_a_change_to_a_validated_fiche_waits_and_is_shown_before_and_after(valide, pages):
    assert propose(pages["gestionnaire"], valide, places="40", places_urgence="20").status_code == 302
    valide.refresh_from_db()
    assert (valide.places, valide.version, valide.statut) == (30, 1, "VALIDE")
    proposition = Proposition.objects.get()
    assert (proposition.statut, proposition.apres) == ("SOUMIS", {"places": 40, "places_urgence": 20})
    shown = words(pages["siao"].get(url("proposition", proposition.pk)))
    assert "<del>30</del>" in shown
    assert "<strong>40</strong>" in shown
    assert "Un changement proposé" in words(pages["etat"].get(url("fiche", "dispositifs", valide.pk)))
    step(pages["siao"], proposition, "prevalider")
    assert step(pages["etat"], proposition, "valider").status_code == 302
    valide.refresh_from_db()
    assert (valide.places, valide.places_urgence, valide.version, valide.statut) == (40, 20, 2, "VALIDE")
    assert Transition.objects.last().changements == {"places": [30, 40], "places_urgence": [10, 20]}


def test_what_the_siao_proposes_is_prevalidated_and_what_it_amends_too(valide, pages):
    propose(pages["gestionnaire"], valide, nom="CHRS du Pont")
    address = url("modifier", "dispositifs", valide.pk)
    assert 'value="CHRS du Pont"' in pages["siao"].get(address).text
    propose(pages["siao"], valide, horaires="", telephone="02 61 91 00 12")
    proposition = Proposition.objects.get()
    assert proposition.statut == "PREVALIDE"
    assert proposition.apres == {"nom": "CHRS du Pont", "telephone": "+33261910012"}


def test_a_proposition_emptied_is_withdrawn(valide, pages):
    propose(pages["gestionnaire"], valide, nom="CHRS du Pont")
    answer = propose(pages["gestionnaire"], valide, nom="CHRS le Phare")
    assert answer.status_code == 302
    assert Proposition.objects.get().statut == "REFUSE"
    assert Transition.objects.last().motif == "Retirée : plus rien à changer."


def test_a_proposition_is_not_lost_between_two_authors(valide, pages, people):
    address = url("modifier", "dispositifs", valide.pk)
    first, second = opened(pages["gestionnaire"], address), opened(pages["siao"], address)
    pages["gestionnaire"].post(address, first | {"nom": "CHRS du Pont"})
    answer = pages["siao"].post(address, second | {"nom": "CHRS du Moulin"})
    assert answer.status_code == 409
    assert 'value="CHRS du Moulin"' in answer.text
    assert Proposition.objects.get().apres == {"nom": "CHRS du Pont"}


def test_a_proposition_that_the_fiche_has_overtaken_is_checked_again(valide, pages, people):
    proposition = make_proposition(
        valide, people["gestionnaire"], avant={"places_pmr": None}, apres={"places_pmr": 30}, statut="PREVALIDE"
    )
    Dispositif.objects.update(places=10, places_urgence=0, places_stabilisation=0, places_insertion=10)
    shown = words(pages["etat"].get(url("proposition", proposition.pk)))
    assert "Plus de places accessibles (30) que de places (10)" in shown
    answer = step(pages["etat"], proposition, "valider")
    assert "ne s'applique plus telle quelle" in words(answer)
    valide.refresh_from_db()
    assert valide.places_pmr is None
    proposition.refresh_from_db()
    assert proposition.statut == "PREVALIDE"


def test_a_proposition_sent_back_opens_only_its_remarked_fields(valide, pages):
    propose(pages["gestionnaire"], valide, nom="CHRS du Pont", telephone="02 61 91 00 12")
    proposition = Proposition.objects.get()
    form = pages["siao"].get(url("passer_proposition", proposition.pk, "renvoyer")).context["form"]
    assert {name for name in form.fields if name != "version"} == {"remarque_nom", "remarque_telephone"}
    step(pages["siao"], proposition, "renvoyer", remarque_nom="Quel est son nom d'usage ?")
    address = url("modifier", "dispositifs", valide.pk)
    assert list(pages["gestionnaire"].get(address).context["form"].fields) == ["nom"]
    propose(pages["gestionnaire"], valide, nom="CHRS des Ponts")
    proposition.refresh_from_db()
    assert (proposition.statut, proposition.apres["nom"]) == ("SOUMIS", "CHRS des Ponts")
    assert proposition.apres["telephone"] == "+33261910012"


def test_closing_a_fiche_refuses_what_waits_on_it_and_tells_who_typed_it(valide, pages, people):
    propose(pages["gestionnaire"], valide, nom="CHRS du Pont")
    proposition = Proposition.objects.get()
    avis.tell()
    mail.outbox.clear()
    assert "Un changement proposé qui l'attendrait est refusé" in words(
        pages["etat"].get(url("passer", "dispositifs", valide.pk, "fermer"))
    )
    assert step(pages["etat"], valide, "fermer", motif="Fin du bail").status_code == 302
    proposition.refresh_from_db()
    assert (proposition.statut, proposition.revision) == ("REFUSE", 2)
    ended = proposition.transitions.last()
    assert (ended.de, ended.motif) == ("SOUMIS", "La fiche est fermée : Fin du bail")
    avis.tell()
    assert [message.to for message in mail.outbox] == [[people["gestionnaire"].courriel]]
    assert "Ce n'est pas possible maintenant" in words(step(pages["siao"], proposition, "prevalider"))


@pytest.mark.parametrize(
    ("statut", "who", "action"), [("SOUMIS", "siao", "prevalider"), ("PREVALIDE", "etat", "valider")]
)
def test_nothing_proposed_is_applied_to_a_fiche_that_is_closed(valide, pages, people, statut, who, action):
    proposition = make_proposition(valide, people["gestionnaire"], statut=statut)
    Dispositif.objects.update(statut="FERME", date_fermeture="2025-01-01")  # by a workbook
    assert "celle-ci est « Fermé » : rouvrez-la d'abord" in words(step(pages[who], proposition, action))
    proposition.refresh_from_db()
    assert proposition.statut == statut
    assert not Transition.objects.exists()
    assert step(pages["etat"], proposition, "refuser", motif="Le dispositif est fermé.").status_code == 302


def test_one_proposition_waits_on_a_fiche_at_a_time(valide, people):
    make_proposition(valide, people["siao"])
    with pytest.raises(IntegrityError, match="proposition_unique_par_dispositif"), transaction.atomic():
        make_proposition(valide, people["siao"])


# --- E-mails ----------------------------------------------------------------------------------------------------


def test_the_next_person_is_told_once_and_without_a_name(chrs, pages, people):
    step(pages["siao"], chrs, "soumettre")
    avis.tell()
    assert mail.outbox == []  # nobody else pré-valide
    step(pages["siao"], chrs, "prevalider")
    elsewhere = make_utilisateur(Profil.ADMIN_DEPARTEMENTAL, departement_id="35")
    region = make_utilisateur(Profil.ADMIN_DEPARTEMENTAL, region_id="52")
    avis.tell()
    avis.tell()
    told = {address for message in mail.outbox for address in message.to}
    assert told == {people["etat"].courriel, region.courriel}
    assert elsewhere.courriel not in told
    message = mail.outbox[0]
    assert reverse("offre:fiche", args=["dispositifs", chrs.pk]) in message.body
    assert "Phare" not in message.body + message.subject
    mail.outbox.clear()
    step(pages["etat"], chrs, "renvoyer", remarque_nom="Précisez.")
    avis.tell()
    told = {address for message in mail.outbox for address in message.to}
    assert told == {people["siao"].courriel, people["gestionnaire"].courriel}


def test_several_steps_are_one_email(chrs, people):
    habilitation = habilitation_of(people["siao"])
    for _ in range(3):
        Transition.objects.create(
            dispositif=chrs,
            de="SOUMIS",
            vers="PREVALIDE",
            auteur=people["siao"],
            habilitation=habilitation,
            a_prevenir=True,
        )
    avis.tell()
    [message] = mail.outbox
    assert message.body.count("à valider") == 3
