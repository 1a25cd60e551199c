"""Tests that need real commits: seen by other connections, threads and processes."""

from contextlib import contextmanager

from django.apps import apps
from django.db import connection, models
from psycopg import sql


@contextmanager
def committed(django_db_blocker):
    """What is written inside is committed; what was added is removed at the end, whatever refuses deletions.

    Instead of pytest-django's ``transaction=True``, which would empty the reference lists loaded once per session.
    """
    with django_db_blocker.unblock():
        last = {model: _last(model) for model in _kept_by_key()}
        try:
            yield
        finally:
            with connection.cursor() as cursor:
                # Neither foreign keys nor triggers: the journal and the history refuse to be emptied.
                cursor.execute("SET session_replication_role = replica")
                for model in apps.get_models():
                    delete = sql.SQL("DELETE FROM {}").format(sql.Identifier(model._meta.db_table))
                    if model in last:
                        after = sql.SQL(" WHERE {} > %s").format(sql.Identifier(model._meta.pk.column))
                        cursor.execute(delete + after, [last[model]])
                    elif model._meta.label in EMPTIED:
                        cursor.execute(delete)
                cursor.execute("SET session_replication_role = origin")
            connection.close()


EMPTIED = {"comptes.Session", "comptes.Envoi", "pghistory.Context", "offre.Avancement", "offre.Contenu"}
"""Tables without a growing key, empty outside tests."""


def _kept_by_key() -> list[type[models.Model]]:
    return [
        model
        for model in apps.get_models()
        if isinstance(model._meta.pk, models.AutoField) and model._meta.managed and not model._meta.proxy
    ]


def _last(model) -> int:
    return model._base_manager.aggregate(last=models.Max("pk"))["last"] or 0
