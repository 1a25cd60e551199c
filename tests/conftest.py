"""The suite runs on PostgreSQL, Redis, a real worker and a real Chromium, with the settings of the product."""

import pytest
from django.core.management import call_command

from tests.base import committed
from tests.navigateur import Navigateur


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """The reference lists are there for every test, as they are in production."""
    with django_db_blocker.unblock():
        call_command("charger_referentiels", verbosity=0)


@pytest.fixture
def commits(django_db_setup, django_db_blocker):
    """What the test writes is committed, then removed. Instead of the ``django_db`` mark, never with it."""
    with committed(django_db_blocker):
        yield


@pytest.fixture
def client():
    """A visitor's browser."""
    return Navigateur()


@pytest.fixture(autouse=True)
def _fast_passwords(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def _files_in_a_temporary_folder(settings, tmp_path):
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": tmp_path / "fichiers", "base_url": None},
        },
    }


def pytest_terminal_summary(terminalreporter):
    """What the tests counted: printed, so that nobody shrinks it without being seen."""
    totals: dict[str, int] = {}
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        for name, value in report.user_properties if report.when == "call" else ():
            totals[name] = totals.get(name, 0) + value
    if totals:
        terminalreporter.write_line(", ".join(f"{value} {name}" for name, value in totals.items()))
