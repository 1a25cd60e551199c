"""Celery tasks: a wake-up call each. What they do, and what makes them safe to repeat, is in ``temps1.travaux``."""

from celery import shared_task

from offre import avis, rappels, sirene
from offre.temps1 import fichiers, travaux
from siao.socle.jobs import wake_again


@shared_task
def read_import(travail_id: int) -> None:
    travaux.read(travail_id)
    travaux.annotate(travail_id)
    travaux.tell(travail_id)


@shared_task
def apply_import(travail_id: int) -> None:
    travaux.apply(travail_id)
    travaux.tell(travail_id)


@shared_task
def undo_import(travail_id: int) -> None:
    travaux.undo(travail_id)
    travaux.tell(travail_id)


@shared_task
def reconcile_imports() -> None:
    """Call again what the queue may have lost: states that wait for a worker, reports, e-mails."""
    for task, travail_id in travaux.forgotten():
        wake_again(TASKS[task], travail_id)


@shared_task
def verify_files() -> None:
    fichiers.verify(apply=True)


@shared_task
def refresh_sirene() -> None:
    sirene.refresh()


@shared_task
def remind_places() -> None:
    rappels.remind()


@shared_task
def tell_transitions() -> None:
    avis.tell()


TASKS = {"read": read_import, "apply": apply_import, "undo": undo_import}
