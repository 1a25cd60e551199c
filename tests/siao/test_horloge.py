"""What the clock calls exists, and it stops with its worker."""

import os
import signal

from siao.celery import app
from tests.installation import children, state, wait_until


def test_every_entry_of_the_clock_is_a_task():
    app.loader.import_default_modules()
    called = {entry["task"] for entry in app.conf.beat_schedule.values()}
    assert called <= set(app.tasks)
    assert len(called) > 5


def test_the_clock_of_a_killed_worker_ends_with_it(site):
    """It is a process of its own, that would call its tasks beside the clock of the next worker."""
    started = wait_until(lambda: len(found := children(site.worker.pid)) > 1 and found, "a worker and its clock")
    os.kill(site.worker.pid, signal.SIGKILL)
    wait_until(lambda: all(state(pid) in ("Z", "") for pid in started), "what the worker had started has ended")
    site.repair()
