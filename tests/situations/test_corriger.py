"""« Corriger le parcours »: an error in the past, or a stay found later, is corrected in one page."""

import re

import pytest
from django.urls import reverse

from comptes.models import EntreeJournal
from menages.models import Menage, Personne
from situations.models import SituationResidentielle, Sr2
from tests.comptes.fabrique import client_of, make_utilisateur
from tests.comptes.fabrique import plain as words
from tests.menages.fabrique import chain_of, jour, make_menage, make_operateur, make_personne
from tests.situations.saisie import ajouter, current_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def rosa(menage):
    return make_personne(
        menage, "Rosa Exemple", depuis=100, parcours=[("VII.1", 100), ("I.3", 60), ("III.1", 40), ("VIII.9", 10)]
    )


def url(personne) -> str:
    return reverse("corriger_parcours", args=[personne.pk])


def fields_of(page) -> dict:
    """What the page would send back, untouched."""
    fields = {"jeton": page.context["jeton"], "motif": "Séjour appris aujourd'hui", "etape": "enregistrer"}
    fields |= {f"jeton-{pk}": jeton for pk, jeton in page.context["jetons"]}
    lignes = page.context["lignes"]
    fields["l-TOTAL_FORMS"], fields["l-INITIAL_FORMS"] = lignes.total_form_count(), 0
    for ligne in lignes:
        for field in ligne:
            if str(value := field.value()) not in ("None", "", "False"):
                fields[field.html_name] = value
    return fields


def opened(client, personne) -> dict:
    return fields_of(client.get(url(personne)))


def new_line(fields: dict, code: str, day, **more) -> None:
    number = fields["l-TOTAL_FORMS"]
    fields["l-TOTAL_FORMS"] = number + 1
    fields |= {f"l-{number}-sr2": code, f"l-{number}-date_debut": day if isinstance(day, str) else f"{day:%d/%m/%Y}"}
    fields |= {f"l-{number}-{name}": value for name, value in more.items()}


def send(client, personne, fields: dict):
    """Send, read what will happen, send again. A page that refuses comes back at once."""
    answer = client.post(url(personne), fields)
    lue = re.search(r'name="lue" value="(\w+)"', answer.text) if answer.status_code == 200 else None
    return client.post(url(personne), {**fields, "lue": lue[1]}) if lue else answer


def test_a_stay_found_later_is_inserted_and_an_old_error_corrected(operateur, menage, rosa):
    fields = opened(operateur, rosa)
    fields["l-1-sr2"] = "I.1"  # not a car
    new_line(fields, "IV.2", f"{jour(50):%d%m%Y}")
    before = chain_of(rosa)
    said = operateur.post(url(rosa), fields)
    text = words(said)
    assert f"« I.3 Voiture » depuis le {jour(60):%d/%m/%Y} devient « I.1 Rue, place, parc, pont, bois »" in text
    assert f"« IV.2 Aux urgences » depuis le {jour(50):%d/%m/%Y} est ajoutée" in text
    assert f"« IV.2 Aux urgences » du {jour(50):%d/%m/%Y} au {jour(41):%d/%m/%Y}" in text
    assert chain_of(rosa) == before
    answer = send(operateur, rosa, fields)
    assert answer.url == reverse("situations_du_menage", args=[menage.pk]) + "#historique"
    assert chain_of(rosa) == [
        ("VII.1", jour(100), jour(61)),
        ("I.1", jour(60), jour(51)),
        ("IV.2", jour(50), jour(41)),
        ("III.1", jour(40), jour(11)),
        ("VIII.9", jour(10), None),
    ]


def test_lines_are_removed_dates_exchanged_and_the_first_one_moved(operateur, rosa):
    fields = opened(operateur, rosa)
    fields["l-0-date_debut"] = f"{jour(90):%d/%m/%Y}"
    fields["l-1-date_debut"], fields["l-2-date_debut"] = fields["l-2-date_debut"], fields["l-1-date_debut"]
    fields["l-3-supprimer"] = "on"
    assert send(operateur, rosa, fields).status_code == 302
    assert chain_of(rosa) == [
        ("VII.1", jour(90), jour(61)),
        ("III.1", jour(60), jour(41)),
        ("I.3", jour(40), None),
    ]
    assert current_of(rosa).confirmee_le == jour(0)


def test_a_past_before_the_first_one_is_added(operateur, rosa):
    fields = opened(operateur, rosa)
    new_line(fields, "I.1", jour(300))
    assert send(operateur, rosa, fields).status_code == 302
    assert chain_of(rosa)[:2] == [("I.1", jour(300), jour(101)), ("VII.1", jour(100), jour(61))]


def test_each_line_says_who_said_it_and_why(operateur, menage, rosa):
    first = current_of(rosa)
    corrector = make_operateur()
    client = client_of(corrector.utilisateur)
    fields = opened(client, rosa)
    fields["l-1-sr2"] = "I.1"
    fields["motif"] = "Mauvaise ligne cochée"
    assert send(client, rosa, fields).status_code == 302
    page = words(operateur.get(url(rosa)))
    assert page.count("motif : Mauvaise ligne cochée") == 1
    assert f"dite par {corrector.utilisateur} le {jour(0):%d/%m/%Y} (motif : Mauvaise ligne cochée)" in page
    history = words(operateur.get(reverse("modifications", args=[menage.pk])))
    assert "Situation supprimée : « I.3 Voiture »" in history
    assert "(motif : Mauvaise ligne cochée)" in history
    # What did not change was not written: it keeps its author.
    assert current_of(rosa).version == first.version
    entry = EntreeJournal.objects.filter(action="situations.corriger").get()
    assert (entry.utilisateur_id, entry.nombre) == (corrector.utilisateur_id, 1)


def test_nothing_typed_is_lost_and_nothing_is_written_when_something_is_wrong(operateur, rosa):
    fields = opened(operateur, rosa)
    fields["l-1-date_debut"] = "31/02/2026"
    fields["motif"] = ""
    new_line(fields, "", "27/11")
    before = chain_of(rosa)
    answer = operateur.post(url(rosa), fields)
    text = words(answer)
    assert "Ligne 2, Depuis le</a> : Écrivez une date qui existe" in text
    assert "Ligne 5, Situation</a> : Choisissez une situation." in text
    assert "Donnez le motif de la correction." in text
    assert 'value="31/02/2026"' in answer.text
    assert 'value="27/11"' in answer.text
    assert chain_of(rosa) == before


def changed(name: str, value):
    return lambda fields: fields.__setitem__(name, value() if callable(value) else value)


def add(code: str, day, **more):
    return lambda fields: new_line(fields, code, day(), **more)


@pytest.mark.parametrize(
    ("change", "phrase", "then"),
    [
        (lambda fields: None, "Rien n'a changé", add("IV.2", lambda: jour(50))),
        # The first one is never deleted: the advice is followed.
        (
            changed("l-0-supprimer", "on"),
            "ne se supprime pas : donnez-lui la situation et la date de la suivante, puis supprimez la suivante",
            lambda fields: fields.update(
                {
                    "l-0-supprimer": "",
                    "l-0-sr2": "I.3",
                    "l-0-date_debut": fields["l-1-date_debut"],
                    "l-1-supprimer": "on",
                }
            ),
        ),
        (
            add("IV.2", lambda: jour(40)),
            "Changez une des dates, ou supprimez la ligne en trop.",
            changed("l-4-date_debut", lambda: f"{jour(39):%d/%m/%Y}"),
        ),
        (
            add("IV.2", lambda: jour(-1)),
            "choisissez une date passée, ou aujourd'hui",
            changed("l-4-date_debut", lambda: f"{jour(0):%d/%m/%Y}"),
        ),
        (
            add("III.7", lambda: jour(50)),
            "Précisez la région",
            changed("l-4-region", "53"),
        ),
        (
            add("VI.2", lambda: jour(50)),
            "Choisissez une situation de la liste",
            changed("l-4-sr2", "VI.4"),
        ),
        (add("NR", lambda: jour(50)), "Choisissez une situation de la liste", changed("l-4-sr2", "I.1")),
        (
            add("IV.2", lambda: jour(900)),
            "jour de la naissance. Si cette naissance est fausse",
            changed("l-4-date_debut", lambda: f"{jour(800):%d/%m/%Y}"),
        ),
    ],
)
def test_a_refusal_names_a_step_that_works(operateur, rosa, change, phrase, then):
    Personne.objects.filter(pk=rosa.pk).update(date_naissance=jour(800))
    Sr2.objects.filter(pk="VI.2").update(retiree_le=jour(0))
    fields = opened(operateur, rosa)
    before = chain_of(rosa)
    change(fields)
    refused = send(operateur, rosa, fields)
    assert refused.status_code == 200
    assert phrase in words(refused)
    assert chain_of(rosa) == before
    then(fields)
    assert send(operateur, rosa, fields).status_code == 302
    assert chain_of(rosa) != before


def test_non_renseignee_stays_first_until_somebody_says_what_it_was(operateur, menage):
    personne = make_personne(menage, "Ana Exemple", depuis=30, parcours=[("NR", 30), ("I.1", 10)])
    before = chain_of(personne)
    fields = opened(operateur, personne)
    assert "« Non renseignée » ne se supprime pas" in words(
        send(operateur, personne, {**fields, "l-0-supprimer": "on"})
    )
    earlier = dict(fields)
    new_line(earlier, "I.3", jour(60))
    assert "Rien ne précède « Non renseignée »" in words(send(operateur, personne, earlier))
    assert chain_of(personne) == before
    said = {**fields, "l-0-sr2": "I.3", "l-0-date_debut": f"{jour(60):%d/%m/%Y}"}
    assert send(operateur, personne, said).status_code == 302
    assert chain_of(personne) == [("I.3", jour(60), jour(11)), ("I.1", jour(10), None)]


def test_a_retired_value_stays_while_its_date_is_corrected(operateur, menage):
    personne = make_personne(menage, "Ana Exemple", depuis=60, parcours=[("VI.2", 60), ("I.1", 10)])
    Sr2.objects.filter(pk="VI.2").update(retiree_le=jour(5))
    fields = opened(operateur, personne)
    fields["l-0-date_debut"] = f"{jour(50):%d/%m/%Y}"
    assert send(operateur, personne, fields).status_code == 302
    assert chain_of(personne)[0] == ("VI.2", jour(50), jour(11))


def test_who_has_the_same_path_is_corrected_with_her(operateur, menage, rosa):
    path = [("VII.1", 100), ("I.3", 60), ("III.1", 40), ("VIII.9", 10)]
    louise = make_personne(menage, "Louise Exemple", depuis=100, parcours=path)
    leon = make_personne(menage, "Léon Exemple", depuis=100, parcours=path[:3])
    page = operateur.get(url(rosa))
    offered = [pk for pk, _ in page.context["form"].fields["personnes"].choices]
    assert offered == [louise.pk]
    before = chain_of(leon)
    fields = fields_of(page) | {"l-1-sr2": "I.1", "personnes": [louise.pk]}
    assert send(operateur, rosa, fields).status_code == 302
    assert chain_of(rosa) == chain_of(louise)
    assert chain_of(louise)[1] == ("I.1", jour(60), jour(41))
    assert chain_of(leon) == before
    forged = opened(operateur, rosa) | {"l-1-sr2": "I.2", "personnes": [leon.pk]}
    assert send(operateur, rosa, forged).status_code == 200
    assert chain_of(leon) == before


def test_a_stale_table_is_a_409_with_both_that_loses_nothing(operateur, menage, rosa):
    fields = opened(operateur, rosa)
    fields["l-1-sr2"] = "I.1"
    new_line(fields, "IV.2", jour(50))
    collegue = client_of(make_operateur().utilisateur)
    theirs = opened(collegue, rosa)
    theirs["l-2-sr2"] = "III.3"
    theirs["l-3-supprimer"] = "on"
    new_line(theirs, "II.1", jour(30))
    assert send(collegue, rosa, theirs).status_code == 302
    answer = send(operateur, rosa, fields)
    assert answer.status_code == 409
    text = words(answer)
    assert f"« VIII.9 Locataire parc privé » depuis le {jour(10):%d/%m/%Y}" in text.replace("parc social", "parc privé")
    assert f"« II.1 Halte de nuit » depuis le {jour(30):%d/%m/%Y}" in text
    # What was typed is in the table, with what the colleague did: both are kept when it is sent.
    assert send(operateur, rosa, fields_of(answer)).status_code == 302
    assert [code for code, *_ in chain_of(rosa)] == ["VII.1", "I.1", "IV.2", "III.3", "II.1"]


@pytest.mark.parametrize("forged", ["", "x", "1.1-", "0.0", "9" * 400, "²٣.1-" * 2_000])
def test_a_forged_token_is_stale(operateur, rosa, forged):
    fields = opened(operateur, rosa) | {"jeton": forged, "l-1-sr2": "I.1"}
    assert send(operateur, rosa, fields).status_code == 409


@pytest.mark.parametrize(
    "forged",
    [{"l-1-rang": 0}, {"l-1-rang": 99}, {"l-1-rang": "-1"}, {"l-TOTAL_FORMS": "x"}],
)
def test_a_forged_table_writes_nothing(operateur, rosa, forged):
    before = chain_of(rosa)
    fields = opened(operateur, rosa) | {"l-1-sr2": "I.1"} | forged
    assert send(operateur, rosa, fields).status_code == 200
    assert chain_of(rosa) == before


def test_what_will_happen_must_have_been_read(operateur, rosa):
    fields = opened(operateur, rosa) | {"l-1-sr2": "I.1"}
    lue = re.search(r'name="lue" value="(\w+)"', operateur.post(url(rosa), fields).text)[1]
    before = chain_of(rosa)
    assert operateur.post(url(rosa), {**fields, "l-1-sr2": "I.2", "lue": lue}).status_code == 200
    assert operateur.post(url(rosa), {**fields, "etape": "", "lue": lue}).status_code == 200
    assert chain_of(rosa) == before


def test_a_line_is_added_without_a_script(operateur, rosa):
    fields = opened(operateur, rosa) | {"l-1-date_debut": "demain", "etape": "ligne"}
    answer = operateur.post(url(rosa), fields)
    assert answer.context["lignes"].total_form_count() == 5
    assert 'value="demain"' in answer.text
    assert "à corriger" not in words(answer)


def test_a_long_path_is_shown_by_its_end_and_the_rest_does_not_change(operateur, menage):
    path = [("I.1" if n % 2 else "I.3", 200 - 10 * n) for n in range(15)]
    personne = make_personne(menage, "Ana Exemple", depuis=200, parcours=path)
    page = operateur.get(url(personne))
    assert len(page.context["lignes"].forms) == 10
    assert "hors du tableau et inchangé : 5 situations" in words(page)
    before = chain_of(personne)
    fields = fields_of(page) | {"l-9-sr2": "III.1"}
    assert send(operateur, personne, fields).status_code == 302
    assert chain_of(personne) == [*before[:-1], ("III.1", jour(60), None)]
    assert len(operateur.get(url(personne), {"lignes": "15"}).context["lignes"].forms) == 15
    assert len(operateur.get(url(personne), {"lignes": "x"}).context["lignes"].forms) == 10


def test_a_very_long_errance_must_be_confirmed(operateur, rosa):
    fields = opened(operateur, rosa)
    new_line(fields, "I.1", jour(9_000))
    asked = send(operateur, rosa, fields)
    assert "Rosa Exemple : 24 ans et 5 mois d'errance en tout." in words(asked)
    assert "Vérifiez les dates" in words(asked)
    assert send(operateur, rosa, {**fields, "errance": "on"}).status_code == 302


def test_the_banner_goes_with_a_line_that_says_something_new(operateur, menage, rosa):
    Menage.objects.filter(pk=menage.pk).update(bandeau_expulsion=True)
    assert send(operateur, rosa, opened(operateur, rosa) | {"l-3-supprimer": "on"}).status_code == 302
    menage.refresh_from_db()
    assert menage.bandeau_expulsion
    assert send(operateur, rosa, opened(operateur, rosa) | {"l-1-sr2": "I.1"}).status_code == 302
    menage.refresh_from_db()
    assert not menage.bandeau_expulsion


def test_today_is_the_day_of_the_departement(time_machine, db):
    time_machine.move_to("2026-11-20T21:30:00Z", tick=False)
    personne = make_personne(make_menage("974"), "Léa Exemple", depuis=10, parcours=[("I.1", 10)])
    client = client_of(make_operateur("974").utilisateur)
    fields = opened(client, personne)
    new_line(fields, "I.3", "22/11/2026")
    assert send(client, personne, fields).status_code == 200
    fields["l-1-date_debut"] = "21/11/2026"
    assert send(client, personne, fields).status_code == 302


def test_who_may_correct(menage, rosa):
    for profil, code in (("ECOUTANT_115", 200), ("ADMIN_DEPARTEMENTAL", 403), ("ANALYSTE", 403)):
        assert client_of(make_utilisateur(profil)).get(url(rosa)).status_code == code
    assert client_of(make_operateur("35").utilisateur).get(url(rosa)).status_code == 404


def test_a_protected_path_has_no_such_page_nor_that_of_who_lives_with_her(operateur, menage, rosa):
    louise = make_personne(menage, "Louise Exemple", depuis=100, parcours=[("VII.1", 100)])
    fields = opened(operateur, rosa)
    Personne.objects.filter(pk=louise.pk).update(protegee=True)
    before = chain_of(rosa)
    for personne in (rosa, louise):
        assert operateur.get(url(personne)).status_code == 404
        assert send(operateur, personne, fields | {"l-1-sr2": "I.1"}).status_code == 404
    assert chain_of(rosa) == before


def test_a_frozen_or_absorbed_person_has_none(operateur, menage, rosa):
    from menages.actions.fusion import merge

    double = make_personne(menage, "Rosa Double", depuis=30, parcours=[("I.1", 30)])
    merge(auteur=make_operateur(), maitre=rosa, absorbee=double, identite={})
    assert operateur.get(url(double)).status_code == 404


def test_the_dossier_and_the_refusals_lead_there(operateur, menage, rosa):
    assert url(rosa) in operateur.get(reverse("situations_du_menage", args=[menage.pk])).text
    assert url(rosa) in ajouter(operateur, menage, [rosa], "I.1", jour(30)).text


def test_same_number_of_queries_at_1_and_20_rows(operateur, menage):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    short = make_personne(menage, "Ana Exemple", depuis=200, parcours=[("I.1", 200)])
    path = [("I.1" if n % 2 else "I.3", 200 - n) for n in range(20)]
    long = make_personne(make_menage(), "Éva Exemple", depuis=200, parcours=path)
    counts = []
    for personne in (short, short, long):
        with CaptureQueriesContext(connection) as queries:
            assert operateur.get(url(personne), {"lignes": "20"}).status_code == 200
        counts.append(len(queries))
    assert counts[1] == counts[2]
    assert SituationResidentielle.objects.filter(personne=long).count() == 20
