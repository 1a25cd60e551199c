"""What the worker does for the accounts. Each task calls a plain function; the rows say what remains to be done."""

from celery import shared_task

from comptes import actions, nuit


@shared_task
def send_links():
    actions.send_pending_links()


@shared_task
def seal_journal():
    nuit.seal()


@shared_task
def nightly():
    nuit.run()
