"""The suite runs on PostgreSQL, Redis, a real worker and a real Chromium, with the settings of the product."""

from collections import defaultdict
from contextlib import nullcontext

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction
from django.test.utils import setup_databases, teardown_databases

from siao.celery import app as celery
from siao.socle.database import as_owner
from tests.installation import Installation, PostgreSQL, Restored, dump
from tests.navigateur import Navigateur
from tests.requetes import strict_queries


def pytest_addoption(parser):
    parser.addoption("--interruptions", type=int, default=1, help="runs of each kill point × who dies (make crash: 10)")


def pytest_configure():
    # Each new browser of a test would list the thousands of files of the DSFR; looked for one by one, when asked.
    settings.WHITENOISE_AUTOREFRESH = True


def pytest_terminal_summary(terminalreporter, config):
    """What the tests counted is printed, so that nobody shrinks it without being seen."""
    totals: dict[str, int] = defaultdict(int)
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        for name, value in report.user_properties if report.when == "call" else ():
            totals[name] += value if isinstance(value, int) else 0
    counts = [f"{value} {name}" for name, value in totals.items() if value]
    if counts:
        terminalreporter.write_line(", ".join(counts))
    if config.getoption("interruptions") > 1:
        _tell_interruptions(terminalreporter)


def _tell_interruptions(terminalreporter):
    """``make crash``: what became of the imports, by kill point and by who died there."""
    cells, figures = defaultdict(list), []
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            told = dict(report.user_properties) if report.when == "call" else {}
            if "point" in told:
                cells[told["point"], told["qui"]].append((outcome == "passed", told.get("seconds", 0)))
            figures += [told["figure"]] if "figure" in told else []
    who = sorted({qui for _, qui in cells})
    terminalreporter.section("runs that ended in one of the two legal bases, and seconds until calm at worst")
    terminalreporter.write_line("".join(f"{title:<16}" for title in ("", *who)))
    for point in sorted({point for point, _ in cells}, key=lambda point: int(point[1:])):
        runs = [cells[point, qui] for qui in who]
        said = [f"{sum(p for p, _ in r)}/{len(r)} {max((s for _, s in r), default=0):.1f} s" for r in runs]
        terminalreporter.write_line("".join(f"{text:<16}" for text in (point, *said)))
    for figure in figures:
        terminalreporter.write_line(figure)


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment, django_db_modify_db_settings, django_db_keepdb, django_db_createdb, django_db_blocker
):
    """The test database, whatever the fixture that asks for it, with the reference lists of production."""
    with django_db_blocker.unblock():
        with as_owner():
            created = setup_databases(
                verbosity=0, interactive=False, keepdb=django_db_keepdb and not django_db_createdb
            )
        call_command("charger_referentiels", verbosity=0)
    yield
    if not django_db_keepdb:
        with django_db_blocker.unblock(), as_owner():
            teardown_databases(created, verbosity=0)


@pytest.fixture(scope="session", autouse=True)
def _no_real_queue():
    """What the test process enqueues goes nowhere: the Redis of the settings is the developer's own."""
    celery.conf.broker_url = "memory://"


@pytest.fixture
def client():
    """A visitor's browser."""
    return Navigateur()


@pytest.fixture(autouse=True)
def _strict_queries():
    """Unordered rows come in random order; a lock says what it locks, and in which order."""
    with strict_queries():
        yield


@pytest.fixture(autouse=True)
def _fast_passwords(request, settings):
    if not _site_of(request):
        settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def _no_register(settings):
    """Nothing leaves this machine: the tests of the register have a server of their own."""
    settings.SIRENE_URL = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
def _files_in_a_temporary_folder(request, settings, tmp_path):
    """Of the test, or of the site whose processes must find them."""
    folder = _site_of(request).files if _site_of(request) else tmp_path / "fichiers"
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": folder, "base_url": None},
        },
    }


# --- Committed data and real processes ---------------------------------------------------------------------------


@pytest.fixture(scope="session")
def _business_tables(django_db_setup, django_db_blocker) -> list[str]:
    """The tables that the reference lists leave empty."""
    with django_db_blocker.unblock():
        models = apps.get_models(include_auto_created=True)
        real = [model for model in models if model._meta.managed and not model._meta.proxy]
        return [model._meta.db_table for model in real if not model._default_manager.exists()]


@pytest.fixture
def base_reelle(request, _business_tables, django_db_blocker):
    """The database with real commits, that threads and other processes see; emptied of all but the lists afterwards.

    Instead of ``transactional_db``, whose flush would take the reference lists away from the tests that follow.
    With ``site`` or ``site_isole``, it is their database, and what their worker has begun is waited for.
    """
    site = _site_of(request)
    with django_db_blocker.unblock(), site.database() if site else nullcontext():
        try:
            yield
            if site:
                site.quiet_down()
        finally:
            with as_owner():
                _empty(_business_tables)


def _empty(tables: list[str]) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        # Rows go without their constraints and triggers; no TRUNCATE, which would wait for readers of the site.
        cursor.execute("SET LOCAL session_replication_role = replica")
        for table in tables:
            cursor.execute(f'DELETE FROM "{table}"')  # noqa: S608


@pytest.fixture(scope="session")
def site(_business_tables, tmp_path_factory):
    """The product running: its web server (``site.url``), its worker, its Redis, its database.

    Started once. ``base_reelle`` connects the test to its database, which is a copy of the one of the tests: its worker
    must not take the work of those that do without it.
    """
    with Restored(dump(), "site") as copy:
        yield from _running(Installation(tmp_path_factory.mktemp("site"), copy.url))


@pytest.fixture(scope="session")
def site_isole(_business_tables, tmp_path_factory):
    """As ``site``, with a PostgreSQL of its own that can be killed."""
    postgresql = PostgreSQL()
    yield from _running(Installation(tmp_path_factory.mktemp("site_isole"), postgresql.url, postgresql=postgresql))


def _running(installation: Installation):
    try:
        installation.repair()
        yield installation
    finally:
        installation.stop()


def _site_of(request) -> Installation | None:
    """The site that the test works with."""
    names = [name for name in ("site", "site_isole") if name in request.fixturenames]
    return request.getfixturevalue(names[0]) if names else None
