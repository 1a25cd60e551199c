#!/usr/bin/env python
"""Django's command line. From a bare shell it attaches to the embedded services by itself."""

import os
import signal
import sys

NOT_READY = 3
"""Exit code when the database is away, empty or not migrated; each command gives 1 and 2 a meaning of its own."""


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "siao.settings")
    if sys.argv[1:2] == ["lancer"]:
        # A shell starts what is in the background with SIGINT ignored, and these would stay deaf to it. Here rather
        # than in the command: PostgreSQL and Redis start before it.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.default_int_handler)
    from django.core.management import execute_from_command_line
    from django.db import Error

    try:
        execute_from_command_line(sys.argv)
    except Error as error:
        from siao.socle.database import why_not_ready

        sentence = why_not_ready(error)
        if sentence is None:
            raise
        sys.stderr.write(f"{sentence}\n")
        sys.exit(NOT_READY)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.stderr.write("\nInterrompu.\n")
        sys.exit(130)
