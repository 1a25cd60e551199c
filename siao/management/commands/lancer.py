"""``make run``: everything that a newcomer needs, started in order and stopped together."""

import itertools
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from siao import demo
from siao.management.commands import migrate
from siao.socle.database import as_owner

START_TIMEOUT = 120  # seconds: on a busy machine too; a program that dies is noticed at once


class Command(BaseCommand):
    help = "Lance l'application entière sur ce poste : base, file de travaux, serveur web, démonstration."

    def add_arguments(self, parser):
        parser.add_argument("--port", type=int, default=int(os.environ.get("PORT", "8000")))

    def handle(self, *, port, **options):
        demo.refuse_in_production()
        if _answers(port):
            raise CommandError(f"Le port {port} est déjà pris. Essayez : make run PORT={port + 1}")
        self._say("SI SIAO démarre ; la première fois, cela prend quelques minutes.")
        self._say("1/4  Base de données")
        self._migrate()
        self._say("2/4  Listes de référence")
        call_command("charger_referentiels", stdout=self.stdout)
        self._say("3/4  Démonstration")
        demo.load(self._detail)
        self._say("4/4  Serveur web et file de travaux")
        os.environ.setdefault("SITE_URL", f"http://127.0.0.1:{port}")  # where the links of the e-mails lead
        address = ("--bind", f"127.0.0.1:{port}", "--limit-request-line", "0")  # siao.middleware.bounded_address
        processes = []
        try:
            processes.append(self._start("gunicorn", "siao.wsgi", *address, "--workers", "2", "--threads", "4"))
            worker = ("worker", "--beat", "--concurrency", "2", "--loglevel", "WARNING")
            processes.append(self._start("celery", "--app", "siao", *worker))
            self._wait_for(port, processes)
            self._welcome(port)
            while all(process.poll() is None for process in processes):
                time.sleep(0.5)
            raise CommandError("Un des programmes s'est arrêté : voir ses messages ci-dessus.")
        except KeyboardInterrupt:
            self._say("\nArrêt…")
        finally:
            self._stop(processes)

    def _migrate(self):
        with as_owner():
            executor = MigrationExecutor(connection)
            total = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
        done = itertools.count(1)
        command = migrate.Command()
        command.told = lambda name: self._detail(f"migration {next(done)} sur {total} : {name}")
        call_command(command, verbosity=0)

    def _say(self, what):
        """At once: the reader of a pipe or of a file waits as well."""
        self.stdout.write(what)
        self.stdout.flush()

    def _detail(self, what):
        self._say(f"  {what}")

    def _start(self, program, *arguments):
        # The children get the addresses of the services, so that they do not start their own; DEBUG is off, so that
        # what a newcomer sees is what production shows, error pages included.
        environment = os.environ | {
            "DATABASE_URL": settings.DATABASE_URL,
            "OWNER_DATABASE_URL": "",  # they do not migrate
            "REDIS_URL": settings.REDIS_URL,
            "DEBUG": "off",
        }
        # A group of its own: Ctrl-C reaches this command alone, which then stops everything in order.
        return subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", program, *arguments],
            cwd=settings.BASE_DIR,
            env=environment,
            start_new_session=True,
        )

    def _wait_for(self, port, processes):
        deadline = time.monotonic() + START_TIMEOUT
        while not _answers(port):
            if time.monotonic() > deadline or any(process.poll() is not None for process in processes):
                raise CommandError("Le serveur web n'a pas démarré : voir ses messages ci-dessus.")
            time.sleep(0.1)

    def _welcome(self, port):
        self.stdout.write(f"\nSI SIAO : http://127.0.0.1:{port}/   (Ctrl-C pour tout arrêter)\n\n")
        self.stdout.write(f"Comptes de démonstration, mot de passe « {demo.PASSWORD} » :\n")
        for courriel, role in demo.ACCOUNTS.items():
            self.stdout.write(f"  {courriel:<48} {role}\n")
        self.stdout.flush()

    def _stop(self, processes):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)  # who asks twice must not leave half of it running
        for process in processes:
            with suppress(ProcessLookupError):
                process.terminate()
        for process in processes:
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
