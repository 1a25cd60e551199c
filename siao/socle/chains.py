"""Periods that follow each other, held by PostgreSQL: for one owner, no overlap, no gap, one open end.

Each row has ``date_debut``, ``date_fin`` (last day included, NULL for the current one) and ``debut_suivante``, the
day after its end, computed by the database. Three constraints on those columns make the rows of one owner a path:

- two periods never start the same day;
- each period has at most one predecessor, and at most one is open;
- a period that ends is followed, the next day, by another one.

It suffices: starts strictly increase along the links, and the only row without a successor is the open one.
The constraints speak at once; ``moving_boundaries`` lets them wait while an end and the next start move together.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, models
from django.db.models import Deferrable, F, Func, Q

from siao.socle.database import ForeignKeyTogether


class NextDay(Func):
    output_field = models.DateField()
    template = "(%(expressions)s + 1)"


class UniqueNullsToo(models.UniqueConstraint):
    """UNIQUE NULLS NOT DISTINCT that can wait: Django forgets one or the other when it creates the table."""

    def __init__(self, *, fields, name, **options):
        options |= {"nulls_distinct": False, "deferrable": Deferrable.IMMEDIATE}
        super().__init__(fields=fields, name=name, **options)

    def constraint_sql(self, model, schema_editor):
        quote = schema_editor.quote_name
        columns = ", ".join(quote(model._meta.get_field(field).column) for field in self.fields)
        return f"CONSTRAINT {quote(self.name)} UNIQUE NULLS NOT DISTINCT ({columns}) DEFERRABLE INITIALLY IMMEDIATE"


def debut_suivante() -> models.GeneratedField:
    """The day after the end of a period; NULL while it is open."""
    return models.GeneratedField(expression=NextDay(F("date_fin")), output_field=models.DateField(), db_persist=True)


def chain_of(owner: str, *, model: str, name: str) -> list[models.BaseConstraint]:
    """The constraints of a chain: ``owner`` is the field of whose periods they are, ``model`` is "app.Model"."""
    return [
        models.CheckConstraint(
            condition=Q(date_fin__isnull=True) | Q(date_fin__gte=F("date_debut")),
            name=f"{name}_finit_apres_son_debut",
            violation_error_message="La fin ne peut pas précéder le début.",
        ),
        models.UniqueConstraint(
            fields=[owner, "date_debut"],
            name=f"{name}_un_debut_par_jour",
            violation_error_message="Une autre période commence déjà ce jour-là.",
        ),
        UniqueNullsToo(
            fields=[owner, "debut_suivante"],
            name=f"{name}_une_seule_en_cours",
            violation_error_message="Il n'y a qu'une période à la fois, et une seule en cours.",
        ),
        ForeignKeyTogether(
            fields=[owner, "debut_suivante"],
            to=model,
            to_fields=[owner, "date_debut"],
            name=f"{name}_suivie_le_lendemain",
            violation_error_message="Une période qui finit est suivie d'une autre dès le lendemain.",
        ),
    ]


@contextmanager
def moving_boundaries(name: str) -> Iterator[None]:
    """Let the chain ``name`` be broken inside, and check it at the end: not at COMMIT, when all has been told well."""
    names = (f"{name}_une_seule_en_cours", f"{name}_suivie_le_lendemain")
    waiting = ", ".join(map(connection.ops.quote_name, names))
    with connection.cursor() as cursor:
        cursor.execute(f"SET CONSTRAINTS {waiting} DEFERRED")
        yield
        cursor.execute(f"SET CONSTRAINTS {waiting} IMMEDIATE")
