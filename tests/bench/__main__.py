"""Runs the measures named on the command line (all by default) in a database of their own."""

import argparse
import importlib
import os
import pkgutil

import django


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.bench.settings"
    django.setup()
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection

    import tests.bench
    from tests.bench.mesures import show
    from tests.installation import OWNER_URL

    names = [module.name for module in pkgutil.iter_modules(tests.bench.__path__) if module.name.startswith("p")]
    parser = argparse.ArgumentParser(description="Measures")
    parser.add_argument("names", nargs="*", default=names, help=", ".join(names))
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    # The tables are filled past their triggers.
    connection.settings_dict |= settings.DATABASE_OWNER
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    # Children (memory) work on the same database.
    os.environ["DATABASE_URL"] = OWNER_URL.replace("/siao?", f"/{settings.DATABASES['default']['NAME']}?")
    os.environ["REDIS_URL"] = settings.REDIS_URL
    try:
        call_command("charger_referentiels", stdout=open(os.devnull, "w"))  # noqa: PTH123, SIM115
        measures = [
            found
            for name in arguments.names
            for found in importlib.import_module(f"tests.bench.{name}").measure(arguments.runs)
        ]
    finally:
        connection.creation.destroy_test_db("siao", verbosity=0)
    show(measures, settings.VAR / "bench.json")


if __name__ == "__main__":
    main()
