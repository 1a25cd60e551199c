"""The journal: one entry per view of personal data, refusals included; append-only; sealed; purged after a year."""

import datetime
import threading

import pytest
from django.core.exceptions import PermissionDenied
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


# --- Seals ------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_sealed_entries_verify_night_after_night():
    for _ in range(3):
        entry()
    assert journal.seal() == 3
    assert journal.seal() == 0
    entry()
    assert journal.seal() == 1
    assert journal.check() == 4
    assert [sceau.precedente for sceau in Sceau.objects.all()][1] == Sceau.objects.first().empreinte


@pytest.mark.django_db
def test_an_entry_committed_late_gets_its_own_seal():
    late, *_ = entry(), entry(), entry()
    missing = late.pk + 1
    tamper("DELETE FROM comptes_entreejournal WHERE id = {missing}", missing=missing)  # not committed when night comes
    journal.seal()
    entry(pk=missing)
    assert journal.seal() == 1
    assert journal.check() == 3


@pytest.mark.django_db
@pytest.mark.parametrize(
    "crime",
    [
        "UPDATE comptes_entreejournal SET resultat = 'REFUSE' WHERE id = {second}",
        "UPDATE comptes_entreejournal SET ip = '10.0.0.1' WHERE id = {second}",
        "UPDATE comptes_entreejournal SET quand = quand + interval '1 microsecond' WHERE id = {second}",
        "DELETE FROM comptes_entreejournal WHERE id = {second}",
        "UPDATE comptes_sceau SET empreinte = repeat('0', 64) WHERE id = {sceau}",
        "DELETE FROM comptes_sceau WHERE id = {sceau}",
        "UPDATE comptes_sceau SET nombre = nombre + 1 WHERE id = {sceau}",
    ],
)
def test_one_altered_byte_is_found(crime):
    entry()
    journal.seal()
    second = entry()
    journal.seal()
    entry()
    journal.seal()
    middle = Sceau.objects.order_by("pk")[1]
    tamper(crime, second=second.pk, sceau=middle.pk)
    with pytest.raises(journal.BrokenChain):
        journal.check()
    with pytest.raises(journal.BrokenChain):
        nuit.run()


def tamper(order: str, **keys) -> None:
    """What only the owner of the tables can do."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(order.format(**keys))
        cursor.execute("SET session_replication_role = origin")


def test_writing_never_waits_for_sealing(base_reelle):
    """An entry is inserted while the sealing transaction holds its lock."""
    entry()
    with transaction.atomic():
        journal.seal()
        done = threading.Event()

        def insert():
            entry()
            connection.close()
            done.set()

        thread = threading.Thread(target=insert)
        thread.start()
        assert done.wait(10)
        thread.join()
    assert journal.seal() == 1
    assert journal.check() == 2


# --- Retention --------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_kept_365_days_and_gone_the_366th():
    now = timezone.now()
    old, young = (entry(quand=now - datetime.timedelta(days=days)) for days in (366, 364))
    journal.seal()
    sceaux = list(Sceau.objects.values_list("premiere", "derniere"))
    assert sceaux == [(old.pk, young.pk)]
    assert journal.purge() == 0  # sealed today: kept a year from its seal

    with pytest.raises(ProgrammingError), transaction.atomic():
        young.delete()
    with transaction.atomic():
        old.delete()  # the trigger itself lets what is over go
        transaction.set_rollback(True)


@pytest.mark.django_db
def test_a_purged_chain_still_verifies():
    long_ago = timezone.now() - datetime.timedelta(days=400)
    entry(quand=long_ago)
    journal.seal()
    tamper("UPDATE comptes_sceau SET scelle_le = scelle_le - interval '399 days'")
    recent = entry()
    journal.seal()
    assert journal.check() == 2
    assert journal.purge() == 1
    assert list(EntreeJournal.objects.all()) == [recent]
    assert journal.check() == 1


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
