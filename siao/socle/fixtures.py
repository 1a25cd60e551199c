"""Reading the reference files of ``fixtures/``."""

import csv

from django.conf import settings


def rows(name: str) -> list[dict[str, str]]:
    """The lines of ``fixtures/NAME.csv``, a dictionary each."""
    with (settings.BASE_DIR / "fixtures" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
