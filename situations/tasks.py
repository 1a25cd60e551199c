"""Celery tasks: a wake-up call each."""

from celery import shared_task

from situations import alertes, nuit


@shared_task
def nightly() -> None:
    nuit.run()


@shared_task
def detect_alerts() -> None:
    alertes.detect()
