"""The journal: one entry per view of personal data, refusals included; append-only; sealed; purged after a year."""

import datetime
import re
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import time_machine
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.utils import ProgrammingError
from django.test import override_settings
from django.urls import path, reverse
from django.utils import timezone

from comptes import journal, nuit
from comptes import urls as comptes_urls
from comptes.droits import Droit, Profil
from comptes.models import EntreeJournal, Sceau
from comptes.models.journal import ACTIONS
from siao.socle.database import check_now
from siao.socle.http import reads, writes
from tests.comptes.fabrique import client_of, make_utilisateur, words
from tests.installation import by_the_owner

URL = reverse("journal")


def entry(**fields) -> EntreeJournal:
    return EntreeJournal.objects.create(action="essai", resultat="PERMIS", **fields)


# --- What makes an entry ----------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_who_habilitation_action_object_result_request_and_address():
    admin, ecoutant = make_utilisateur(Profil.ADMIN_SIAO), make_utilisateur(Profil.ECOUTANT_115)
    answer = client_of(admin).get(reverse("compte", args=[ecoutant.pk]))
    assert answer.status_code == 200
    found = EntreeJournal.objects.get()
    assert (found.utilisateur, found.habilitation, found.action) == (admin, admin.habilitations.get(), "compte")
    assert (found.objet_type, found.objet_id, found.resultat) == ("comptes.utilisateur", str(ecoutant.pk), "PERMIS")
    assert (found.ip, len(found.demande)) == ("127.0.0.1", 36)


@pytest.mark.django_db
def test_no_name_and_no_word_of_a_search_inside():
    admin, ecoutant = make_utilisateur(Profil.ADMIN_SIAO), make_utilisateur(Profil.ECOUTANT_115)
    client_of(admin).get(reverse("comptes"), {"q": "sentinelle"})
    client_of(admin).post(reverse("modifier_compte", args=[ecoutant.pk]), {"prenom": "Sentinelle", "nom": "Nom"})
    client_of(admin).get(reverse("compte", args=[ecoutant.pk]))
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(e::text, ' ') FROM comptes_entreejournal e")
        [everything] = cursor.fetchone()
    assert "sentinelle" not in everything.lower()
    assert "@" not in everything
    search = EntreeJournal.objects.get(action="comptes")
    assert (search.nombre, len(search.recherche)) == (0, 64)


@pytest.mark.django_db
def test_the_request_id_is_ours_whatever_the_browser_says():
    admin = make_utilisateur(Profil.ADMIN_SIAO)
    client_of(admin).get(URL, headers={"x-request-id": "choisi-par-moi"})
    assert EntreeJournal.objects.get().demande != "choisi-par-moi"


@reads(Droit.COMPTES_GERER, journal="comptes.utilisateur")
def failing(request, pk):
    raise RuntimeError("boum")


@writes(Droit.COMPTES_GERER, only_post=True, journal="comptes.utilisateur")
def refusing(request, pk):
    make_utilisateur(None)
    raise PermissionDenied


urlpatterns = [
    path("essai/<int:pk>/", failing, name="failing"),
    path("refus/<int:pk>/", refusing, name="refusing"),
]


@pytest.mark.django_db
def test_the_entry_stays_when_the_view_fails_and_its_writes_are_undone():
    from comptes.models import Utilisateur
    from siao.urls import urlpatterns as site

    client = client_of(make_utilisateur(Profil.ADMIN_SIAO))
    client.raise_request_exception = False
    module = type("urls", (), {"urlpatterns": [*site, *urlpatterns], "handler403": "siao.views.permission_denied"})
    before = Utilisateur.objects.count()
    with override_settings(ROOT_URLCONF=module):
        assert client.get("/essai/7/").status_code == 500
        assert client.post("/refus/8/").status_code == 403
    assert Utilisateur.objects.count() == before
    entries = EntreeJournal.objects.order_by("pk").values_list("action", "objet_id", "resultat")
    assert list(entries) == [("failing", "7", "ECHEC"), ("refusing", "8", "REFUSE")]


def test_the_entry_is_committed_before_the_page_leaves(base_reelle):
    """Seen from another connection: nothing of it hangs on the end of the request."""
    admin = make_utilisateur(Profil.ADMIN_SIAO)
    client_of(admin).get(reverse("comptes"))
    seen = []

    def look():
        seen.append(EntreeJournal.objects.filter(utilisateur=admin).count())
        connection.close()

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert seen == [1]


# --- Append only ------------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("table", ["comptes_entreejournal", "comptes_sceau"])
@pytest.mark.parametrize("order", ["UPDATE {} SET id = id", "DELETE FROM {}", "TRUNCATE {}"])
def test_the_database_refuses_to_change_or_remove(table, order):
    entry()
    journal.seal()
    check_now()  # PostgreSQL would otherwise refuse TRUNCATE for a reason of its own
    for ignore in ("", "SET LOCAL pgtrigger.ignore = '{pgtrigger_ajout_seul}';"):
        with pytest.raises(ProgrammingError) as refused, transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(ignore + order.format(table))
        assert refused.value.__cause__.sqlstate == "42501"


@pytest.mark.django_db
def test_the_orm_is_refused_too():
    one = entry()
    with pytest.raises(ProgrammingError), transaction.atomic():
        EntreeJournal.objects.update(action="autre")
    with pytest.raises(ProgrammingError), transaction.atomic():
        one.delete()


# --- Chains and seals -------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_each_entry_is_chained_when_it_is_written_and_sealed_with_the_others():
    for _ in range(3):
        entry()
    assert journal.seal() == 3
    assert journal.seal() == 0
    last = entry()
    assert (last.rang, len(last.empreinte)) == (4, 64)
    assert journal.check().entries == 4  # sealed or not
    assert journal.seal() == 1
    assert journal.check().entries == 4
    assert [sceau.precedente for sceau in Sceau.objects.order_by("pk")] == ["", Sceau.objects.earliest("pk").empreinte]


@pytest.mark.django_db
def test_what_is_undone_leaves_no_gap():
    entry()
    for undone in (True, False, True, False):
        with transaction.atomic():
            entry()
            transaction.set_rollback(undone)
    assert list(EntreeJournal.objects.order_by("rang").values_list("rang", flat=True)) == [1, 2, 3]
    assert journal.check().entries == 3


def test_an_entry_waits_for_no_other_and_a_late_one_is_sealed_with_the_next(base_reelle):
    """Each of the transactions that write at once has its chain; the entries of one that goes on are not there yet."""
    entry()
    with transaction.atomic():
        late = entry()
        assert in_another_thread(entry).chaine != late.chaine
        assert in_another_thread(journal.seal) == 2
    assert journal.seal() == 1
    assert journal.check().entries == 3


def test_writing_never_waits_for_sealing(base_reelle):
    entry()
    with transaction.atomic():
        journal.seal()
        in_another_thread(entry)
    assert journal.seal() == 1
    assert journal.check().entries == 2


def in_another_thread(call):
    """What ``call`` gives in a transaction of its own, while the one of the test goes on."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: (call(), connection.close())[0]).result(10)


CRIMES = {
    "changed": "UPDATE comptes_entreejournal SET resultat = 'REFUSE' WHERE rang = 2",
    "another address": "UPDATE comptes_entreejournal SET ip = '10.0.0.1' WHERE rang = 2",
    "a microsecond": "UPDATE comptes_entreejournal SET quand = quand + interval '1 microsecond' WHERE rang = 2",
    "first gone": "DELETE FROM comptes_entreejournal WHERE rang = 1",
    "gone": "DELETE FROM comptes_entreejournal WHERE rang = 2",
    "not sealed yet, gone": "DELETE FROM comptes_entreejournal WHERE rang = 4",
    "last gone": "DELETE FROM comptes_entreejournal WHERE rang = 5",
    "all gone": "DELETE FROM comptes_entreejournal",
    "moved": "UPDATE comptes_entreejournal SET chaine = 9 WHERE rang = 5",
    "added": "INSERT INTO comptes_entreejournal (action, objet_type, objet_id, resultat, recherche, demande, chaine, "
    "rang) VALUES ('x', '', '', 'PERMIS', '', '', 1, 6)",
    "seal changed": "UPDATE comptes_sceau SET nombre = nombre + 1 WHERE nombre = 2",
    "seal dated again": "UPDATE comptes_sceau SET scelle_le = scelle_le - interval '400 days'",
    "first seal gone": "DELETE FROM comptes_sceau WHERE precedente = ''",
    "last seal gone": "DELETE FROM comptes_sceau WHERE precedente <> ''",
    "all seals gone": "DELETE FROM comptes_sceau",
    "last seal gone with its entries": "DELETE FROM comptes_sceau WHERE precedente <> '';"
    "DELETE FROM comptes_entreejournal WHERE rang > 1",
    "head taken back": "DELETE FROM comptes_entreejournal WHERE rang > 2; UPDATE comptes_chaine SET rang = 2, "
    "empreinte = (SELECT empreinte FROM comptes_entreejournal WHERE rang = 2) WHERE id = 1",
    "heads gone": "DELETE FROM comptes_chaine",
}


@pytest.mark.parametrize("crime", CRIMES)
def test_whatever_the_owner_of_the_tables_does_alone_is_found(base_reelle, crime):
    """Five entries: one in the first seal, two in the second, two that are not sealed yet."""
    for count in (1, 2):
        for _ in range(count):
            entry()
        journal.seal()
    for _ in range(2):
        entry()
    assert journal.check().entries == 5
    by_the_owner(CRIMES[crime])
    for checking in (journal.check, nuit.run):
        with pytest.raises(journal.BrokenChain):
            checking()


def test_an_entry_that_goes_within_its_minute_is_missed_by_the_seal_of_this_minute(base_reelle, caplog):
    entry()
    assert nuit.seal() == 1
    entry()
    entry()
    by_the_owner("DELETE FROM comptes_entreejournal WHERE rang = 3")
    with pytest.raises(journal.BrokenChain, match="rang 3 manque"):
        nuit.seal()
    assert "journal_rompu" in caplog.text


def test_a_seal_kept_elsewhere_tells_what_was_written_all_over_again(base_reelle, capsys, caplog):
    """Who owns the database can write the whole journal again; not the log that left the machine."""
    entry()
    journal.seal()
    [kept] = re.findall(r"'empreinte': '(\w{64})'", caplog.text)
    entry()
    call_command("verifier_journal", "--depuis", kept)
    said = capsys.readouterr().out
    assert said.startswith(f"2 entrées vérifiées.\n1 entrée depuis le sceau {kept}.\nDernier sceau : n° ")
    assert kept in said.splitlines()[-1]
    for table in ("comptes_entreejournal", "comptes_sceau", "comptes_chaine"):
        by_the_owner(f"DELETE FROM {table}")  # noqa: S608
    call_command("verifier_journal")
    assert capsys.readouterr().out == "0 entrée vérifiée.\nAucun sceau encore : le worker en pose un chaque minute.\n"
    entry()
    journal.seal()
    assert journal.check().entries == 1
    with pytest.raises(CommandError, match="n'est pas, ou plus, dans la chaîne"):
        call_command("verifier_journal", "--depuis", kept)
    with pytest.raises(CommandError, match="64"):
        call_command("verifier_journal", "--depuis", "abc")


# --- The role of the application --------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.skipif(not settings.DATABASE_OWNER, reason="the database was given without the role of its owner")
@pytest.mark.parametrize(
    "order",
    [
        "SET session_replication_role = replica",
        "ALTER TABLE comptes_entreejournal DISABLE TRIGGER ALL",
        "DROP TRIGGER pgtrigger_ajout_seul_a689e ON comptes_entreejournal",
        "DROP TABLE comptes_sceau CASCADE",
        "ALTER TABLE comptes_entreejournal RENAME TO autre",
        "TRUNCATE comptes_entreejournal",
        "UPDATE comptes_chaine SET rang = 0",
        "DELETE FROM comptes_chaine",
        "INSERT INTO comptes_chaine VALUES (7, 1, '')",
        "CREATE OR REPLACE FUNCTION comptes_ajout_seul() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'",
        "SELECT setval(pg_get_serial_sequence('comptes_entreejournal', 'id'), 1)",
        "DELETE FROM django_migrations",
        "SET ROLE postgres",
    ],
)
def test_the_application_cannot_pass_what_guards_the_journal(order):
    entry()
    assert not journal.unguarded()
    with pytest.raises(ProgrammingError) as refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(order)
    assert refused.value.__cause__.sqlstate == "42501"


@pytest.mark.django_db
def test_the_application_does_not_choose_the_place_of_an_entry():
    entry()
    forged = entry(chaine=7, rang=99, empreinte="0" * 64)
    assert (forged.chaine, forged.rang) == (1, 2)
    with connection.cursor() as cursor:  # a table of the session in front of the real one
        cursor.execute("CREATE TEMPORARY TABLE comptes_chaine (id int PRIMARY KEY, rang bigint, empreinte varchar)")
    entry()
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE pg_temp.comptes_chaine")
    assert journal.check().entries == 3


@pytest.mark.django_db
def test_the_night_says_that_the_journal_is_not_guarded(monkeypatch, caplog):
    nuit.run()
    assert ("journal_sans_gardien" in caplog.text) == (not settings.DATABASE_OWNER)
    monkeypatch.setattr(journal, "unguarded", lambda: True)
    nuit.run()
    assert "journal_sans_gardien" in caplog.text


# --- Retention --------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_kept_365_days_and_gone_the_366th():
    now = timezone.now()
    old, young = (entry(quand=now - datetime.timedelta(days=days)) for days in (366, 364))
    journal.seal()
    assert journal.purge() == 0  # sealed today: kept a year from its seal

    with pytest.raises(ProgrammingError), transaction.atomic():
        young.delete()
    with transaction.atomic():
        old.delete()  # the trigger itself lets what is over go
        transaction.set_rollback(True)


def test_a_purged_chain_still_verifies_and_what_goes_too_early_is_missed(base_reelle):
    """The role of the application deletes what is over: four hundred days ago, two seals of two entries."""
    long_ago = timezone.now() - datetime.timedelta(days=400)
    with time_machine.travel(long_ago):
        for _ in range(2):
            entry(quand=long_ago)
            entry(quand=long_ago)
            journal.seal()
    recent = entry()
    journal.seal()
    assert journal.check().entries == 5
    assert journal.purge() == 4
    assert list(EntreeJournal.objects.all()) == [recent]
    assert journal.check().entries == 1
    assert entry().rang == 6
    assert journal.check(Sceau.objects.earliest("pk").empreinte).entries == 2
    by_the_owner("DELETE FROM comptes_entreejournal WHERE rang = 5")
    with pytest.raises(journal.BrokenChain, match="rang 5 manque"):
        journal.check()


# --- Pages ------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_each_sees_the_entries_of_their_perimeter():
    here, there = make_utilisateur(Profil.ECOUTANT_115), make_utilisateur(Profil.ECOUTANT_115, departement_id="35")
    for agent in (here, there):
        client_of(agent).get(URL)  # refused, hence written
    page = words(client_of(make_utilisateur(Profil.ADMIN_SIAO)).get(URL))
    assert str(here) in page
    assert str(there) not in page
    national = words(client_of(make_utilisateur(Profil.ADMIN_NATIONAL)).get(URL))
    assert str(here) in national
    assert str(there) in national


@pytest.mark.django_db
def test_filters_pages_and_reading_it_is_an_entry():
    admin = make_utilisateur(Profil.ADMIN_NATIONAL)
    client = client_of(admin)
    other = make_utilisateur(None)
    for _ in range(60):
        entry(utilisateur=other)
    page = client.get(URL)
    assert words(page).count("essai") == 50
    older = page.text.split('href="?avant=')[1].split('"')[0]
    assert words(client.get(URL, {"avant": older})).count("essai") == 10
    assert words(client.get(URL, {"resultat": "REFUSE"})).count("essai") == 0
    assert words(client.get(URL, {"compte": other.courriel.upper()})).count("essai") == 50
    assert words(client.get(URL, {"jour": "01/01/2020"})).count("essai") == 0
    assert "Écrivez une date qui existe, comme" in words(client.get(URL, {"jour": "hier"}))
    assert EntreeJournal.objects.filter(action="journal", resultat="PERMIS").count() == 6


@pytest.mark.django_db
def test_a_filter_that_cannot_be_read_is_said_and_nothing_is_recorded_by_a_search():
    page = words(client_of(make_utilisateur(Profil.ADMIN_NATIONAL)).get(reverse("journal"), {"jour": "31/02/2026"}))
    assert "1 point à corriger, la recherche n'a pas été faite" in page
    assert "rien n'a été enregistré" not in page


@pytest.mark.django_db
def test_who_opened_one_object():
    admin, ecoutant = make_utilisateur(Profil.ADMIN_SIAO), make_utilisateur(Profil.ECOUTANT_115)
    client = client_of(admin)
    client.get(reverse("compte", args=[ecoutant.pk]))
    page = words(client.get(reverse("acces", args=["comptes.utilisateur", ecoutant.pk])))
    assert "1 accès" in page
    assert "Consultation du compte" in page
    for unknown in ("comptes.session", "offre.rattachement", "auth.group", "x"):
        assert client.get(reverse("acces", args=[unknown, 1])).status_code == 404


@pytest.mark.django_db
def test_who_read_the_history_or_the_accesses_of_an_object_is_among_them():
    admin, ecoutant = make_utilisateur(Profil.ADMIN_SIAO), make_utilisateur(Profil.ECOUTANT_115)
    client = client_of(admin)
    client.get(reverse("historique", args=["comptes.utilisateur", ecoutant.pk]))
    client.get(reverse("acces", args=["comptes.utilisateur", ecoutant.pk]))
    assert [(one.action, one.nombre) for one in EntreeJournal.objects.about(ecoutant).order_by("pk")] == [
        ("historique", 1),
        ("acces", 1),
    ]
    hidden = make_utilisateur(Profil.ECOUTANT_115, departement_id="35")
    assert client.get(reverse("historique", args=["comptes.utilisateur", hidden.pk])).status_code == 404
    assert EntreeJournal.objects.about(hidden).get().resultat == "INTROUVABLE"


@pytest.mark.django_db
def test_an_unwritable_address_is_a_missing_page_and_an_entry():
    client = client_of(make_utilisateur(Profil.ADMIN_SIAO))
    assert client.get("/historique/%00/1/").status_code == 404
    assert EntreeJournal.objects.get().resultat == "INTROUVABLE"


@pytest.mark.django_db
def test_searching_the_accesses_of_somebody_leaves_its_print():
    admin = make_utilisateur(Profil.ADMIN_SIAO)
    client_of(admin).get(URL, {"compte": "quelqu.un@test.example"})
    assert len(EntreeJournal.objects.get().recherche) == 64


def test_every_entry_reads_in_french():
    views = [(view.name, view.callback) for view in comptes_urls.urlpatterns]
    journalled = [name for name, view in views if view.journal or set(view.rights) & set(Droit.values)]
    assert len(journalled) > 15
    assert [name for name in journalled if name not in ACTIONS] == []


@pytest.mark.django_db
def test_ten_thousand_accesses_are_listed_in_as_many_queries_as_ten(django_assert_max_num_queries):
    from django.test.utils import CaptureQueriesContext

    admin, ecoutant = make_utilisateur(Profil.ADMIN_SIAO), make_utilisateur(Profil.ECOUTANT_115)
    client = client_of(admin)

    def queries(count: int) -> int:
        EntreeJournal.objects.bulk_create(
            EntreeJournal(
                action="compte",
                resultat="PERMIS",
                objet_type="comptes.utilisateur",
                objet_id=str(ecoutant.pk),
                utilisateur=admin,
                habilitation=admin.habilitations.get(),
            )
            for _ in range(count)
        )
        with CaptureQueriesContext(connection) as context:
            assert client.get(reverse("acces", args=["comptes.utilisateur", ecoutant.pk])).status_code == 200
        return len(context)

    queries(1)
    assert queries(9) == queries(9_990)
