"""Long work: the row in the database is the truth, the queue a wake-up call.

The only module that puts calls in the queue.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from siao.socle.database import outside_transaction
from siao.socle.killpoints import kill_point

log = structlog.get_logger(__name__)

Progress = Callable[[str, int, int], None]
"""Told the phase, what is done and the total (0 when unknown)."""

REFRESH = 0.25
"""Seconds between two writings of the progress of one phase."""


def tracked(phase: str, rows: Sequence, progress: Progress) -> Iterator:
    """``rows``, one by one, telling ``progress`` how many are done."""
    for done, row in enumerate(rows):
        progress(phase, done, len(rows))
        yield row
    progress(phase, len(rows), len(rows))


def wake(task, *arguments) -> None:
    """Call a Celery task once the transaction is committed.

    A queue that does not answer is no error: the reconciler finds the row and calls again.
    """

    def call():
        kill_point("P2")
        try:
            # No second try: a person is waiting for the page.
            task.apply_async(arguments, retry=False)
        except (OperationalError, OSError) as error:
            log.warning("queue_unreachable", task=task.name, error=str(error))
        kill_point("P3")

    transaction.on_commit(call)


def wake_again(task, *arguments) -> None:
    """Call a Celery task that the queue may have lost. The call is void when nobody took it within ten rounds.

    Calls are repeated at each round of the reconciler: without a limit they would pile up while no worker runs.
    """
    task.apply_async(arguments, expires=10 * settings.RECONCILE_EVERY)


@contextmanager
def progress_in(model, pk) -> Iterator[Progress]:
    """Write a job's progress in its row of ``model`` (fields phase, fait, total, maj_le), seen while it works.

    The row has its own connection: what the job does in its transaction is seen by nobody before the end.
    """
    table, key = model._meta.db_table, model._meta.pk.column
    last = ["", 0.0]
    with outside_transaction() as cursor:

        def progress(phase: str, done: int, total: int) -> None:
            now = time.monotonic()
            if phase == last[0] and done < total and now - last[1] < REFRESH:
                return
            last[:] = phase, now
            cursor.execute(
                f'UPDATE "{table}" SET phase = %s, fait = %s, total = %s, maj_le = %s WHERE "{key}" = %s',  # noqa: S608
                [phase, done, total, timezone.now(), pk],
            )

        yield progress
