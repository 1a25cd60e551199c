"""The queue is called after COMMIT, from one place."""

import re
from pathlib import Path

import pytest
from celery import Task
from django.conf import settings
from django.db import transaction

from offre import tasks
from siao.socle.jobs import wake

PRODUCT = ("siao", "situations", "menages", "offre", "comptes")


def test_one_module_alone_puts_calls_in_the_queue():
    enqueues = re.compile(r"\.(delay|apply_async|delay_on_commit|apply_async_on_commit|send_task)\(")
    files = [path for folder in PRODUCT for path in (settings.BASE_DIR / folder).rglob("*.py")]
    assert len(files) > 100
    found = [str(path.relative_to(settings.BASE_DIR)) for path in files if enqueues.search(path.read_text())]
    assert found == [str(Path("siao/socle/jobs.py"))]


@pytest.fixture
def calls(monkeypatch):
    made = []
    monkeypatch.setattr(Task, "apply_async", lambda task, *args, **options: made.append((task.name, args[0])))
    return made


def test_a_call_waits_for_the_commit_and_dies_with_a_rollback(base_reelle, calls):
    with transaction.atomic():
        wake(tasks.read_import, 7)
        assert calls == []
    assert calls == [("offre.tasks.read_import", (7,))]

    def fail():
        with transaction.atomic():
            wake(tasks.read_import, 8)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert len(calls) == 1
