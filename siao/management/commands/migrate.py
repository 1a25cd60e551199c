"""Django's ``migrate``, run by the owner of the tables; then the role of the application gets its rights on them."""

from collections.abc import Callable

from django.conf import settings
from django.core.management.base import CommandError
from django.core.management.commands import migrate
from django.db import DatabaseError, ProgrammingError, connection, transaction
from django.db.migrations.exceptions import MigrationSchemaMissing
from environ import Env
from psycopg import sql

from comptes.models import Chaine
from siao.socle.database import as_owner

NOT_THE_OWNER = (
    "Le rôle de l'application ne peut pas changer les tables : lancez migrate avec OWNER_DATABASE_URL, l'adresse de la "
    "base pour leur propriétaire (avec Docker : « docker compose run --rm owner python manage.py migrate »)."
)
READ_ONLY = ("django_migrations", Chaine._meta.db_table)
"""Tables that the application never writes itself."""

Told = Callable[[str], None]


class Command(migrate.Command):
    told: Told | None = None
    """Called after each migration with its name, in place of Django's own words."""

    def handle(self, *args, **options):
        application = Env.db_url_config(settings.DATABASE_URL)
        if application["USER"] == settings.DATABASE_OWNER.get("USER"):
            raise CommandError(
                "DATABASE_URL et OWNER_DATABASE_URL nomment le même rôle : donnez à l'application le sien ; migrate le "
                "crée s'il n'existe pas."
            )
        with as_owner():
            try:
                super().handle(*args, **options)
            except DatabaseError as error:
                if getattr(error.__cause__, "sqlstate", None) == "42501" or isinstance(error, MigrationSchemaMissing):
                    raise CommandError(NOT_THE_OWNER) from error
                raise
            if settings.DATABASE_OWNER and not (options["plan"] or options["check_unapplied"]):
                _let_in(application["USER"], application["PASSWORD"])

    def migration_progress_callback(self, action, migration=None, fake=False):
        if self.told is None:
            super().migration_progress_callback(action, migration, fake)
        elif action == "apply_success":
            self.told(str(migration))


@transaction.atomic
def _let_in(role: str, password: str) -> None:
    """Give ``role`` what the application needs: every row, and nothing of the tables themselves."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = %s)", [role])
        if cursor.fetchone() == (False,):
            _create(cursor, role, password)
        tables = sql.SQL(", ").join(map(sql.Identifier, READ_ONLY))
        for order in (
            "GRANT USAGE ON SCHEMA public TO {role}",
            "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}",
            "REVOKE INSERT, UPDATE, DELETE ON {tables} FROM {role}",
            "GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role}",
        ):
            cursor.execute(sql.SQL(order).format(role=sql.Identifier(role), tables=tables))


def _create(cursor, role: str, password: str) -> None:
    options = sql.SQL("")
    if password:
        # Hashed here: the logs of the server never see it.
        hashed = connection.connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256")
        options = sql.SQL(" PASSWORD {}").format(sql.Literal(hashed.decode()))
    try:
        cursor.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role)) + options)
    except ProgrammingError as error:
        raise CommandError(
            f"Le rôle « {role} » n'existe pas, et le propriétaire ne peut pas le créer : {error}"
        ) from error
