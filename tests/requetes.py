"""What queries must not rely on: B6, locks name their target and an order; B7, no order but the one that is asked."""

from contextlib import contextmanager
from unittest import mock

from django.db.models.expressions import OrderBy
from django.db.models.functions import Random
from django.db.models.query import MAX_GET_RESULTS
from django.db.models.sql.compiler import SQLCompiler


class UnorderedLock(AssertionError):
    """A lock on several rows without ``order_by("pk")``, or on several tables without ``of=``."""


@contextmanager
def strict_queries():
    """Rows of an unordered query come in random order; a lock that could end in a deadlock fails."""
    as_sql, pairs = SQLCompiler.as_sql, SQLCompiler._order_by_pairs

    def checked(self, *args, **kwargs):
        if self.query.select_for_update:
            check_lock(self.query)
        return as_sql(self, *args, **kwargs)

    def shuffled(self):
        ordered = False
        for pair in pairs(self):
            ordered = True
            yield pair
        if not ordered and is_list(self.query):
            yield OrderBy(Random()), False

    with mock.patch.object(SQLCompiler, "as_sql", checked), mock.patch.object(SQLCompiler, "_order_by_pairs", shuffled):
        yield


def check_lock(query) -> None:
    model = query.model._meta
    one_row = query.high_mark in (1, MAX_GET_RESULTS)
    joined = query.select_related or sum(map(bool, query.alias_refcount.values())) > 1
    if joined and not query.select_for_update_of:
        raise UnorderedLock(f"verrou sur {model.label} et ce qui lui est joint, sans of=")
    if not one_row and tuple(query.order_by) not in (("pk",), (model.pk.name,)):
        raise UnorderedLock(f"verrou de plusieurs {model.label} sans order_by('pk')")


def is_list(query) -> bool:
    """Whether ``query`` returns rows whose order Django leaves to the database."""
    return not (query.distinct or query.combinator or query.subquery or query.group_by or query.select_for_update)
