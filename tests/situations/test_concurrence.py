"""B2, B3, B6: many editors in two processes on the same ménages; `make parcours` runs 32 of them, 3 200 operations."""

import json
import os
import re
import subprocess
import sys
import threading
from collections import Counter
from contextlib import ExitStack, contextmanager

from django.conf import settings
from django.db import connection, transaction
from django.urls import reverse

from menages.actions.deplacement import move_personnes
from menages.actions.fusion import merge, undo_merge
from menages.actions.personnes import edit_personne
from menages.models import Fusion, Menage, Personne
from siao.socle.refusal import Refusal
from situations.actions.dossiers import add_personnes
from situations.models import SituationResidentielle
from situations.verification import verify
from tests.comptes.fabrique import client_of, words
from tests.installation import database_url, running, somebody_waits_for_a_lock, wait_until
from tests.menages.fabrique import chain_of, jour, make_menage, make_operateur, make_personne
from tests.situations.saisie import current_of, jeton, typed

EDITEURS = int(os.environ.get("EDITEURS", "8"))
OPERATIONS = int(os.environ.get("OPERATIONS", "12"))


def launch(number: int, editors: int, auteur, menages):
    arguments = [editors, OPERATIONS, number, auteur.pk, *(menage.pk for menage in menages)]
    environment = os.environ | {"DATABASE_URL": database_url(), "REDIS_URL": settings.REDIS_URL}
    command = [sys.executable, "-m", "tests.situations.editeurs", *map(str, arguments)]
    return running(command, env=environment, stdout=subprocess.PIPE)


def test_b2_concurrent_editors_lose_nothing(base_reelle, record_property):
    menages = [make_menage() for _ in range(2)]
    for menage in menages:
        for number in range(4):
            make_personne(menage, f"P{number} Exemple", depuis=200, parcours=[("I.1", 200), ("I.3", 150)])
    auteur = make_operateur()
    with ExitStack() as both:
        processes = [both.enter_context(launch(number, EDITEURS // 2, auteur, menages)) for number in range(2)]
        told = [json.loads(process.communicate(timeout=900)[0]) for process in processes]
    counts = sum((Counter(each["comptes"]) for each in told), Counter())
    reread = counts.pop("relues", 0)
    added, modified, deleted = (counts.pop(kind, 0) for kind in ("ajoutees", "modifiees", "supprimees"))
    assert set(counts) <= {"reussies", "refusees"}, counts  # no deadlock, no broken constraint, no error
    assert counts.total() == EDITEURS // 2 * 2 * OPERATIONS
    assert counts["reussies"] >= 0.9 * counts.total(), counts
    violations, _ = verify()
    assert not any(violations.values()), violations
    # No lost update: nobody wrote over what somebody else had written since it was seen…
    seen = Counter(jeton for each in told for jeton in each["jetons"])
    assert seen.total() == added + modified + deleted
    assert seen.most_common(1)[0][1] == 1
    # … and what the editors were told is what the history holds: no write is missing, none is there twice.
    events = SituationResidentielle.pgh_event_model.objects.order_by()
    assert events.filter(pgh_label="insert").count() == added + 8 * 2
    assert events.filter(pgh_label="delete").count() == deleted
    assert events.filter(pgh_label="update", date_fin__isnull=True).count() == modified + deleted
    record_property("opérations concurrentes", counts.total())
    record_property("formulaires relus", reread)
    record_property("millisecondes au 95e centile", round(1_000 * max(each["p95"] for each in told)))


def test_b3_the_same_version_thirty_two_times_is_one_success(base_reelle):
    menage = make_menage()
    rosa = make_personne(menage, "Rosa Exemple", depuis=50, parcours=[("I.1", 50)])
    clients = [client_of(make_operateur().utilisateur) for _ in range(32)]
    url = reverse("ajouter_situation", args=[menage.pk])
    fields = typed([rosa], "III.1", jour(1))
    said = clients[0].post(url, fields)
    fields["lue"] = re.search(r'name="lue" value="(\w+)"', said.text)[1]
    answers = at_once([lambda client=client: client.post(url, fields) for client in clients])
    assert Counter(answer.status_code for answer in answers) == {302: 1, 409: 31}
    for answer in answers:
        if answer.status_code == 409:
            assert f'value="{jour(1):%d/%m/%Y}"' in answer.text
    assert chain_of(rosa) == [("I.1", jour(50), jour(2)), ("III.1", jour(1), None)]


def test_w29_deleting_and_adding_at_once_is_one_success(base_reelle):
    rosa = make_personne(menage := make_menage(), "Rosa Exemple", depuis=50, parcours=[("VII.1", 50), ("I.1", 20)])
    clients = [client_of(make_operateur().utilisateur) for _ in range(8)]
    add, fields = reverse("ajouter_situation", args=[menage.pk]), typed([rosa], "III.1", jour(1))
    fields["lue"] = re.search(r'name="lue" value="(\w+)"', clients[0].post(add, fields).text)[1]
    delete, seen = reverse("supprimer_situation", args=[current_of(rosa).pk]), {"personnes": [rosa.pk], **jeton(rosa)}
    answers = at_once(
        [lambda client=client: client.post(add, fields) for client in clients[:4]]
        + [lambda client=client: client.post(delete, seen) for client in clients[4:]]
    )
    codes = Counter(answer.status_code for answer in answers)
    assert codes[302] == 1
    assert codes[302] + codes[409] + codes[404] == 8  # 404: the situation to delete is not the current one any more
    assert chain_of(rosa) == (
        [("VII.1", jour(50), jour(21)), ("I.1", jour(20), jour(2)), ("III.1", jour(1), None)]
        if 302 in [answer.status_code for answer in answers[:4]]
        else [("VII.1", jour(50), None)]
    )
    assert not any(verify()[0].values())


def test_crossed_and_double_fusions_end_in_one(base_reelle):
    """Two fiches merged into each other at once, and one into two: one fusion, no cycle, nobody lost."""
    auteur = make_operateur()
    people = [make_personne(make_menage(), f"Rosa{n} Exemple", depuis=9, parcours=[("I.1", 9)]) for n in range(3)]
    one, two, three = people

    def merging(maitre, absorbee):
        def merged():
            read = Personne.objects.in_bulk([maitre.pk, absorbee.pk])
            try:
                return merge(auteur=auteur, maitre=read[maitre.pk], absorbee=read[absorbee.pk], identite={})
            except Refusal as refusal:
                return refusal

        return merged

    outcomes = at_once([merging(one, two), merging(two, one), merging(three, two), merging(two, three)] * 3)
    assert all(outcome is not None for outcome in outcomes)
    masters = dict(Personne.objects.order_by("pk").values_list("pk", "fusionnee_dans"))
    assert sum(master is None for master in masters.values()) in (1, 2)
    assert all(masters[master] is None for master in masters.values() if master)
    assert not any(verify()[0].values())
    assert SituationResidentielle.objects.count() == 3


def test_w23_w27_a_form_sent_during_a_fusion_or_a_move_waits_then_says_so(base_reelle):
    auteur = make_operateur()
    for begin, said in (
        (lambda menage, rosa, other: merge(auteur=auteur, maitre=other, absorbee=rosa, identite={}), "fusionnée"),
        (
            lambda menage, rosa, other: move_personnes(
                auteur=auteur, origine=menage, personnes=[rosa.pk], destination=None, jour=jour(0)
            ),
            "Plus dans ce ménage : Rosa Exemple. Rechargez la page, puis recommencez.",
        ),
    ):
        menage = make_menage()
        rosa, other = (
            make_personne(menage, name, depuis=50, parcours=[("I.1", 50)]) for name in ("Rosa Exemple", "Rosa Autre")
        )
        client = client_of(make_operateur().utilisateur)
        url, fields = reverse("ajouter_situation", args=[menage.pk]), typed([rosa], "III.1", jour(1))
        fields["lue"] = re.search(r'name="lue" value="(\w+)"', client.post(url, fields).text)[1]
        with sent_meanwhile(lambda client=client, url=url, fields=fields: client.post(url, fields)) as answers:
            begin(menage, rosa, other)
        assert said in words(answers[0])
        kept = other if said == "fusionnée" else rosa
        assert f'href="{reverse("personne", args=[kept.pk])}"' in answers[0].text
        assert chain_of(rosa) == [("I.1", jour(50), None)]
        assert not any(verify()[0].values())


def test_an_identity_corrected_during_a_fusion_is_not_lost(base_reelle):
    auteur = make_operateur()
    rosa, double = (make_personne(make_menage(), name, depuis=9) for name in ("Rosa Exemple", "Rosa Exemples"))
    client = client_of(auteur.utilisateur)
    url, fields = reverse("comparer", args=[rosa.pk, double.pk]), {"nom": "absorbee"}
    fields["lue"] = re.search(r'name="lue" value="(\w+)"', client.post(url, fields).text)[1]
    with sent_meanwhile(lambda: client.post(url, fields)) as answers:
        edit_personne(auteur=auteur, personne=rosa, version=rosa.version, identite={"nom": "Corrigée"})
    assert answers[0].status_code == 409
    said = words(answers[0])
    assert f"La fiche {rosa.numero} a été modifiée entre-temps." in said
    assert "Corrigée" in said
    rosa.refresh_from_db()
    assert (rosa.nom, Fusion.objects.count()) == ("Corrigée", 0)
    # Read again, it goes through.
    fields["lue"] = re.search(r'name="lue" value="(\w+)"', client.post(url, fields).text)[1]
    assert client.post(url, fields).status_code == 302
    rosa.refresh_from_db()
    assert rosa.nom == "Exemples"


def test_a_menage_is_archived_only_when_nobody_comes_meanwhile(base_reelle):
    """The last person of a ménage is merged elsewhere, or that is undone, while somebody is added, or the reverse."""
    auteur = make_operateur()
    rosa = make_personne(make_menage(), "Rosa Exemple")
    doubles = [make_personne(make_menage(), "Rosa Exemples") for _ in range(3)]
    menages = [double.appartenances.get().menage for double in doubles]

    def merging(double):
        maitre = Personne.objects.get(pk=rosa.pk)
        return merge(auteur=auteur, maitre=maitre, absorbee=double, identite={})

    def adding(menage):
        return add_personnes(auteur=auteur, menage=menage, identites=[{"prenom": "Léon"}], arrivee=jour(0))

    with sent_meanwhile(lambda: merging(doubles[0])):
        adding(menages[0])
    with sent_meanwhile(lambda: adding(menages[1])):
        merging(doubles[1])
    fusion = merging(doubles[2])
    with sent_meanwhile(lambda: undo_merge(auteur=auteur, fusion=fusion)):
        adding(menages[2])
    assert not Menage.objects.filter(archive_le__isnull=False).exists()
    assert not any(verify()[0].values())


@contextmanager
def sent_meanwhile(call):
    """Begin ``call`` once the block has written, and commit the block once ``call`` waits for it; yields its answer."""
    answers = []

    def send():
        try:
            answers.append(call())
        finally:
            connection.close()

    sending = threading.Thread(target=send)
    with transaction.atomic():
        yield answers
        sending.start()
        wait_until(somebody_waits_for_a_lock, "the call waits")
    sending.join()


def at_once(calls) -> list:
    """The answers of ``calls``, all begun together in threads of their own."""
    start, answers = threading.Barrier(len(calls)), [None] * len(calls)

    def run(rank, call):
        start.wait()
        try:
            answers[rank] = call()
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(rank, call)) for rank, call in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers
