"""The Celery application. Tasks live in the ``tasks`` module of each application."""

import ctypes
import os
import signal
import sys

from celery import Celery
from celery.schedules import crontab
from celery.signals import beat_embedded_init, celeryd_init, setup_logging
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "siao.settings")

_PR_SET_PDEATHSIG = 1

app = Celery("siao")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.conf.beat_schedule = {
    "reconcile": {
        "task": "offre.tasks.reconcile_imports",
        "schedule": settings.RECONCILE_EVERY,
        "options": {"expires": 10 * settings.RECONCILE_EVERY},
    },
    "transitions": {"task": "offre.tasks.tell_transitions", "schedule": settings.RECONCILE_EVERY},
    "files": {"task": "offre.tasks.verify_files", "schedule": crontab(hour=3, minute=17)},
    "sirene": {"task": "offre.tasks.refresh_sirene", "schedule": crontab(hour=4, minute=5)},
    # By day: who receives it has the places at hand.
    "places": {"task": "offre.tasks.remind_places", "schedule": crontab(hour="7-19", minute=5)},
    "seal": {"task": "comptes.tasks.seal_journal", "schedule": settings.SEAL_EVERY, "options": {"expires": 60}},
    "links": {"task": "comptes.tasks.send_links", "schedule": settings.RECONCILE_EVERY},
    "mails": {"task": "siao.socle.courriels.send_mails", "schedule": settings.RECONCILE_EVERY},
    "alerts": {"task": "situations.tasks.detect_alerts", "schedule": crontab(minute=25)},
    "dossiers": {"task": "situations.tasks.nightly", "schedule": crontab(hour=3, minute=40)},
    "nightly": {"task": "comptes.tasks.nightly", "schedule": crontab(hour=3, minute=15)},
}


@setup_logging.connect
def keep_django_logging(**kwargs):
    """Celery would install its own handlers; ours (JSON lines) are already in place."""


@celeryd_init.connect
def wait_for_a_frozen_redis(conf, **kwargs):
    """The worker waits where a person may not: a call whose acknowledgement timed out would be its last.

    Celery counts that call as still being worked on, and takes no other.
    """
    conf.broker_transport_options = {**conf.broker_transport_options, "socket_timeout": None}


@beat_embedded_init.connect
def end_with_its_worker(**kwargs):
    """The clock of a worker that was killed would go on for ever, beside that of the next one (`make run`)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
