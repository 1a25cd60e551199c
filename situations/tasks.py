"""Celery tasks: a wake-up call each."""

from celery import shared_task

from situations import nuit


@shared_task
def nightly() -> None:
    nuit.run()
