"""``make run``: everything that a newcomer needs, started in order and stopped together."""

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

from siao import demo

START_TIMEOUT = 30  # seconds


class Command(BaseCommand):
    help = "Lance l'application entière sur ce poste : base, file de travaux, serveur web, démonstration."

    def add_arguments(self, parser):
        parser.add_argument("--port", type=int, default=int(os.environ.get("PORT", "8000")))

    def handle(self, *, port, **options):
        call_command("migrate", verbosity=0)
        call_command("charger_referentiels", stdout=open(os.devnull, "w"))  # noqa: PTH123, SIM115
        call_command("charger_demo", stdout=open(os.devnull, "w"))  # noqa: PTH123, SIM115
        if _answers(port):
            raise CommandError(f"Le port {port} est déjà pris. Essayez : make run PORT={port + 1}")
        os.environ.setdefault("SITE_URL", f"http://127.0.0.1:{port}")  # where the links of the e-mails lead
        address = ("--bind", f"127.0.0.1:{port}", "--limit-request-line", "0")  # siao.middleware.bounded_address
        processes = [
            self._start("gunicorn", "siao.wsgi", *address, "--workers", "2", "--threads", "4"),
            self._start("celery", "--app", "siao", "worker", "--beat", "--concurrency", "2", "--loglevel", "WARNING"),
        ]
        try:
            self._wait_for(port, processes)
            self._welcome(port)
            while all(process.poll() is None for process in processes):
                time.sleep(0.5)
            raise CommandError("Un des programmes s'est arrêté : voir ses messages ci-dessus.")
        except KeyboardInterrupt:
            self.stdout.write("\nArrêt…")
        finally:
            self._stop(processes)

    def _start(self, program, *arguments):
        # The children get the addresses of the services, so that they do not start their own; DEBUG is off, so that
        # what a newcomer sees is what production shows, error pages included.
        environment = os.environ | {
            "DATABASE_URL": settings.DATABASE_URL,
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
        signal.signal(signal.SIGTERM, _interrupt)
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
        for process in processes:
            with suppress(ProcessLookupError):
                process.terminate()
        for process in processes:
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)


def _interrupt(*_):
    raise KeyboardInterrupt


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
