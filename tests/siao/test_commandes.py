"""The command line: what is interrupted says so in one word."""

import os
import signal
import subprocess
import sys

from django.conf import settings
from django.db import connection, transaction

from tests.installation import DEADLINE, database_url, somebody_waits_for_a_lock, wait_until


def test_interrupted_while_the_database_works_it_leaves_no_traceback(base_reelle):
    environment = os.environ | {"DATABASE_URL": database_url(), "REDIS_URL": settings.REDIS_URL}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("LOCK TABLE django_migrations")
        migrate = subprocess.Popen(
            [sys.executable, "manage.py", "lancer"],
            cwd=settings.BASE_DIR,
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        wait_until(somebody_waits_for_a_lock, "migrate waits")
        migrate.send_signal(signal.SIGINT)
        said = migrate.communicate(timeout=DEADLINE)[1]
    assert (migrate.returncode, said) == (130, "\nInterrompu.\n")
