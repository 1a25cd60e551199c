"""What the clock calls exists."""

from siao.celery import app


def test_every_entry_of_the_clock_is_a_task():
    app.loader.import_default_modules()
    called = {entry["task"] for entry in app.conf.beat_schedule.values()}
    assert called <= set(app.tasks)
    assert len(called) > 5
