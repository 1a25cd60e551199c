"""PostgreSQL as the keeper of the rules: named constraints, ordered locks, rehearsals, sets of rows.

Every constraint carries the French sentence of the rule (``violation_error_message``); ``sentence_of`` gives it
back when PostgreSQL refuses a row.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.postgres.fields import BigIntegerRangeField
from django.core.exceptions import ValidationError
from django.db import (
    DEFAULT_DB_ALIAS,
    DatabaseError,
    Error,
    IntegrityError,
    OperationalError,
    connection,
    connections,
    transaction,
)
from django.db.backends.ddl_references import Statement, Table
from django.db.migrations.executor import MigrationExecutor
from django.db.models import BaseConstraint, Func, Model, QuerySet
from psycopg import sql

from siao.socle.refusal import Refusal


class ForeignKeyTogether(BaseConstraint):
    """A foreign key on several columns: what a row says of its parent must be true of that parent.

    ``to_fields`` must carry a unique constraint in ``to`` ("app.Model"). A row with a NULL among ``fields`` is not
    checked (PostgreSQL's MATCH SIMPLE). The check waits for the end of the transaction when ``deferred``; otherwise
    the constraint can still be deferred by ``SET CONSTRAINTS``.
    """

    def __init__(self, *, fields, to, to_fields, name, on_update="NO ACTION", deferred=False, **kwargs):
        self.fields, self.to, self.to_fields = tuple(fields), to, tuple(to_fields)
        self.on_update, self.deferred = on_update, deferred
        super().__init__(name=name, **kwargs)

    def constraint_sql(self, model, schema_editor):
        target = self._target(model)
        quote = schema_editor.quote_name
        columns = ", ".join(quote(model._meta.get_field(field).column) for field in self.fields)
        to_columns = ", ".join(quote(target._meta.get_field(field).column) for field in self.to_fields)
        return (
            f"CONSTRAINT {quote(self.name)} FOREIGN KEY ({columns}) "
            f"REFERENCES {quote(target._meta.db_table)} ({to_columns}) ON UPDATE {self.on_update} "
            f"DEFERRABLE INITIALLY {'DEFERRED' if self.deferred else 'IMMEDIATE'}"
        )

    def create_sql(self, model, schema_editor):
        return Statement(
            "ALTER TABLE %(table)s ADD %(constraint)s",
            table=Table(model._meta.db_table, schema_editor.quote_name),
            constraint=self.constraint_sql(model, schema_editor),
        )

    def remove_sql(self, model, schema_editor):
        return Statement(
            "ALTER TABLE %(table)s DROP CONSTRAINT %(name)s",
            table=Table(model._meta.db_table, schema_editor.quote_name),
            name=schema_editor.quote_name(self.name),
        )

    def validate(self, model, instance, exclude=None, using=DEFAULT_DB_ALIAS):
        if exclude and set(self.fields) & set(exclude):
            return
        values = [getattr(instance, model._meta.get_field(field).attname) for field in self.fields]
        if None in values:
            return
        wanted = dict(zip(self.to_fields, values, strict=True))
        if not self._target(model)._base_manager.using(using).filter(**wanted).exists():
            raise ValidationError(self.get_violation_error_message(), code=self.violation_error_code)

    def _target(self, model):
        # During a migration the state's registry knows the target, the global one may be ahead of the tables.
        return model._meta.apps.get_model(self.to)

    def deconstruct(self):
        path, arguments, options = super().deconstruct()
        options |= {"fields": self.fields, "to": self.to, "to_fields": self.to_fields}
        if self.on_update != "NO ACTION":
            options["on_update"] = self.on_update
        if self.deferred:
            options["deferred"] = True
        return path, arguments, options

    def __eq__(self, other):
        if not isinstance(other, ForeignKeyTogether):
            return NotImplemented
        return self.deconstruct() == other.deconstruct()

    __hash__ = None


class Single(Func):
    """A key as a range of one value, so that an exclusion constraint compares it without the extension btree_gist."""

    output_field = BigIntegerRangeField()
    template = "INT8RANGE(%(expressions)s, %(expressions)s, '[]')"


def sentence_of(error: IntegrityError) -> str | None:
    """The French sentence of the constraint that ``error`` broke, None when it is not one of ours."""
    diagnostic = getattr(error.__cause__, "diag", None)
    name = getattr(diagnostic, "constraint_name", None)
    for model in apps.get_models():
        for constraint in model._meta.constraints:
            if constraint.name == name:
                return str(constraint.get_violation_error_message())
    return None


@contextmanager
def refusing() -> Iterator[None]:
    """A constraint that speaks inside is a ``Refusal``, in its French sentence; nothing of the block is written."""
    try:
        with transaction.atomic():
            yield
            check_now()
    except IntegrityError as error:
        sentence = sentence_of(error)
        if sentence is None:
            raise
        raise Refusal(sentence) from error


@contextmanager
def rehearsal(*, apply: bool) -> Iterator[None]:
    """Run a write for good (``apply``) or as a rehearsal: every constraint is checked, then all is rolled back."""
    with transaction.atomic():
        yield
        check_now()
        if not apply:
            transaction.set_rollback(True)


def check_now() -> None:
    """Make the deferred constraints speak now: at COMMIT the user has already been told that all went well."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


@contextmanager
def outside_transaction() -> Iterator[Any]:
    """A cursor of a second connection in autocommit: what it writes is seen at once, and stays after a rollback."""
    second = connections[DEFAULT_DB_ALIAS].copy()
    try:
        with second.cursor() as cursor:
            yield cursor
    finally:
        second.close()


@contextmanager
def as_owner() -> Iterator[None]:
    """Connect as the owner of the tables, where this process knows their password (``DATABASE_OWNER``).

    Outside of any transaction: the connection is opened again, before and after.
    """
    usual = {key: connection.settings_dict[key] for key in settings.DATABASE_OWNER}
    connection.close()
    connection.settings_dict |= settings.DATABASE_OWNER
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict |= usual


def why_not_ready(error: Error) -> str | None:
    """The French sentence for ``error`` when the database is away or has not the tables of this code; else None."""
    cause = error.__cause__ if error.__cause__ is not None else error
    if isinstance(error, OperationalError) and getattr(cause, "sqlstate", None) in _AWAY:
        said = " ".join(str(cause).split())
        return f"La base de données ne s'ouvre pas ; vérifiez DATABASE_URL et que PostgreSQL tourne. Il dit : {said}"
    if isinstance(error, DatabaseError) and not _migrated():
        return "La base de données est vide ou n'est pas à jour : lancez d'abord « python manage.py migrate »."
    return None


_AWAY = {None, "3D000", "28000", "28P01", "53300", "57P01", "57P02", "57P03"}
"""No answer, no such database, no such role or password, no connection left, a server that starts or stops."""


def _migrated() -> bool:
    """Whether every migration of this code is applied; False too where this role may not even look."""
    connection.close()  # the transaction of the error is broken
    try:
        executor = MigrationExecutor(connection)
        return not executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        return False


# --- Locks ------------------------------------------------------------------------------------------------------


def lock_in_order(queryset: QuerySet, *, waiting_inserts: bool = True) -> list:
    """Lock the rows of ``queryset`` until the end of the transaction, in primary key order, and return them.

    Two transactions that lock the same rows always meet in the same order, so that none dies of a deadlock.
    With ``waiting_inserts`` off, rows that reference the locked ones can still be inserted meanwhile.
    """
    return list(queryset.order_by("pk").select_for_update(of=("self",), no_key=not waiting_inserts))


def lock_names(space: int, numbers: Iterable[int]) -> None:
    """Take advisory locks until the end of the transaction, in increasing order. ``space`` tells their kind."""
    with connection.cursor() as cursor:
        for number in sorted(set(numbers)):
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [space, number])


@contextmanager
def only_one(space: int, number: int) -> Iterator[bool]:
    """Hold a session lock that needs no transaction; yields False when another session holds it.

    The lock dies with its connection, hence with its process: a killed worker never leaves it behind.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [space, number])
        obtained = cursor.fetchone()[0]
    try:
        yield obtained
    finally:
        if obtained and connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [space, number])


def held(space: int) -> set[int]:
    """The numbers of ``space`` that some session holds, as ``only_one`` takes them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT objid FROM pg_locks JOIN pg_database ON database = pg_database.oid "
            "WHERE locktype = 'advisory' AND granted AND classid = %s AND datname = current_database()",
            [space],
        )
        return {number for (number,) in cursor.fetchall()}


# --- Sets of rows -----------------------------------------------------------------------------------------------


def reserve_ids(model: type[Model], count: int) -> list[int]:
    """Take ``count`` new primary keys of ``model``, so that rows and their children can be copied in one go."""
    if not count:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, %s)) FROM generate_series(1, %s)",
            [model._meta.db_table, model._meta.pk.column, count],
        )
        return [row[0] for row in cursor.fetchall()]


def copy_rows(model: type[Model], fields: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Insert ``rows`` with COPY: ``fields`` names them, a value is what psycopg takes for the column.

    No default of the model is applied and no ``save`` is called; constraints and triggers of the database are.
    """
    _copy(model._meta.db_table, [_column(model, field) for field in fields], rows)


def update_rows(model: type[Model], fields: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """Update many rows at once; each of ``rows`` is the primary key, then the values of ``fields``."""
    key = sql.Identifier(model._meta.pk.column)
    columns = [sql.Identifier(_column(model, field)) for field in fields]
    names = {
        "table": sql.Identifier(model._meta.db_table),
        "staged": sql.Identifier("maj"),
        "key": key,
        "columns": sql.SQL(", ").join([key, *columns]),
        "changes": sql.SQL(", ").join(sql.SQL("{0} = maj.{0}").format(column) for column in columns),
    }
    with connection.cursor() as cursor:
        # As texts: inside a request, django-pghistory reads what passes through the cursor.
        cursor.execute(
            sql.SQL("CREATE TEMPORARY TABLE {staged} ON COMMIT DROP AS SELECT {columns} FROM {table} LIMIT 0")
            .format(**names)
            .as_string()
        )
        _copy("maj", [model._meta.pk.column, *(_column(model, field) for field in fields)], rows)
        cursor.execute(
            sql.SQL("UPDATE {table} SET {changes} FROM {staged} WHERE {table}.{key} = maj.{key}")
            .format(**names)
            .as_string()
        )
        updated = cursor.rowcount
        cursor.execute("DROP TABLE maj")
        return updated


def _copy(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    command = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    # COPY goes past Django's cursor: its errors become Django's here, so that a broken constraint is an IntegrityError.
    with connection.cursor() as cursor, connection.wrap_database_errors, cursor.copy(command) as copy:
        for row in rows:
            copy.write_row(row)


def _column(model: type[Model], field: str) -> str:
    return model._meta.get_field(field).column
