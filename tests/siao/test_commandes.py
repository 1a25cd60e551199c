"""The command line: what it does is told at once, what is interrupted or not ready says so in one sentence."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.db import connection, transaction

from siao.demo import ACCOUNTS
from siao.socle.database import as_owner
from tests.installation import Program, Restored, database_url, dump, free_port, somebody_waits_for_a_lock, wait_until


def environment(url: str = "", *, owner: str = "") -> dict[str, str]:
    return {
        "DATABASE_URL": url or database_url(),
        "OWNER_DATABASE_URL": owner,
        "REDIS_URL": settings.REDIS_URL,
        "EMAIL_URL": "dummymail://",
    }


def manage(*arguments, url: str, owner: str = "") -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=settings.BASE_DIR,
        env=os.environ | environment(url, owner=owner),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


# --- What is interrupted ----------------------------------------------------------------------------------------


@pytest.fixture
def lancer(base_reelle, tmp_path):
    """``lancer`` as a shell starts it in the background, deaf to SIGINT; it ends with the test whatever happens."""
    command = [sys.executable, "manage.py", "lancer", "--port", free_port()]
    program = Program(
        tmp_path / "lancer",
        ["sh", "-c", "trap '' INT HUP; exec \"$@\"", "sh", *command],
        environment=environment(owner=database_url(owner=True) if settings.DATABASE_OWNER else ""),
        cwd=settings.BASE_DIR,
    )
    try:
        yield program
    finally:
        program.stop()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_interrupted_while_the_database_works_it_leaves_no_traceback(lancer, number):
    with as_owner(), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("LOCK TABLE django_migrations")
        lancer.start()
        wait_until(somebody_waits_for_a_lock, "migrate waits", logs=lancer.log)
        lancer.process.send_signal(number)
        wait_until(lambda: not lancer.alive, "lancer has ended", logs=lancer.log)
    said = lancer.log.read_text().splitlines()
    assert lancer.process.returncode == 130
    assert said[:2] == ["SI SIAO démarre ; la première fois, cela prend quelques minutes.", "1/4  Base de données"]
    assert said[-1] == "Interrompu."
    assert "Traceback" not in "".join(said)


# --- What is not ready ------------------------------------------------------------------------------------------

ARGUMENTS = {
    "charger_demo": ["--forcer"],
    "charger_sirene": ["{file}"],
    "creer_administrateur_national": ["--courriel", "a@demo.example", "--prenom", "A", "--nom", "B"],
    "importer_temps1": ["{file}", "--departement", "44", "--utilisateur", "a@demo.example"],
    "migrer_profils": ["{file}"],
    "modele_temps1": ["--departement", "44", "--sortie", "{sortie}"],
    "parcours": ["verifier"],
}
OF_THE_TABLES = {"lancer", "migrate"}
"""They make what the others need."""


def our_commands() -> list[str]:
    folders = [Path(settings.BASE_DIR, name, "management", "commands") for name in ("siao", "comptes", "offre")]
    folders.append(Path(settings.BASE_DIR, "situations", "management", "commands"))
    return sorted(file.stem for folder in folders for file in folder.glob("[!_]*.py") if file.stem not in OF_THE_TABLES)


@pytest.fixture
def arguments(tmp_path):
    file = tmp_path / "fichier.csv"
    file.write_text("courriel;nom;prenom;ancien_profil;departement;structure\na@demo.example;A;B;Opérateur;44;\n")
    return lambda name: [word.format(file=file, sortie=tmp_path / "sortie") for word in ARGUMENTS.get(name, [])]


@pytest.fixture(scope="module")
def empty_database(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock(), Restored(b"", "vide") as empty:
        yield empty


@pytest.mark.parametrize("name", our_commands())
def test_an_empty_database_is_one_sentence(empty_database, arguments, name):
    done = manage(name, *arguments(name), url=empty_database.url)
    assert done.returncode == 3
    assert done.stderr == (
        "La base de données est vide ou n'est pas à jour : lancez d'abord « python manage.py migrate ».\n"
    )


def test_a_database_that_is_away_is_one_sentence(empty_database):
    for url in (empty_database.url.replace("_vide", "_absente"), "postgresql://siao@127.0.0.1:9/siao"):
        done = manage("parcours", "verifier", url=url)
        assert done.returncode == 3
        assert done.stderr.startswith("La base de données ne s'ouvre pas ; vérifiez DATABASE_URL")
        assert done.stderr.count("\n") == 1


@pytest.mark.skipif(not settings.DATABASE_OWNER, reason="the database was given without the role of its owner")
def test_migrate_without_the_owner_says_whom_it_needs(empty_database):
    done = manage("migrate", "--verbosity", "0", url=empty_database.url)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "OWNER_DATABASE_URL" in done.stderr
    done = manage("migrate", "--verbosity", "0", url=empty_database.owner_url, owner=empty_database.owner_url)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "le même rôle" in done.stderr


def test_without_the_lists_a_command_says_what_to_load_and_the_demonstration_loads_them(
    django_db_setup, django_db_blocker, arguments
):
    with django_db_blocker.unblock(), Restored(dump(), "sans_listes") as bare:
        with psycopg.connect(bare.owner_url) as connection_of_the_owner:
            connection_of_the_owner.execute("SET session_replication_role = replica")
            connection_of_the_owner.execute("DELETE FROM comptes_departement")
        for name in ("modele_temps1", "importer_temps1", "migrer_profils"):
            done = manage(name, *arguments(name), url=bare.url)
            assert done.returncode in (1, 3)
            assert done.stderr == (
                "CommandError: Les listes de référence manquent : lancez d'abord "
                "« python manage.py charger_referentiels ».\n"
            )
        done = manage("charger_demo", "--forcer", url=bare.url)
        assert (done.returncode, done.stderr) == (0, "")
        assert len(done.stdout.splitlines()) > len(ACCOUNTS)
        done = manage("modele_temps1", *arguments("modele_temps1"), url=bare.url)
        assert done.returncode == 0
