"""The settings of production: what is missing, or left empty as in ``.env.example``, stops the start."""

import os
import subprocess
import sys

import pytest
from django.conf import settings

from tests.deployment import PRODUCTION

REQUIRED = ("SECRET_KEY", "ALLOWED_HOSTS", "DATABASE_URL", "REDIS_URL", "SITE_URL", "EMAIL_URL")


def start(**environment) -> subprocess.CompletedProcess:
    """The web application, loaded as gunicorn does; a variable of the ``.env`` of this machine counts for nothing."""
    return subprocess.run(
        [sys.executable, "-c", "import siao.wsgi; from django.conf import settings; print(settings.SITE_URL)"],
        cwd=settings.BASE_DIR,
        env=os.environ | PRODUCTION | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_example_names_them_all_and_gives_none():
    example = (settings.BASE_DIR / ".env.example").read_text().splitlines()
    compulsory = example[: example.index("")]
    assert [line.removesuffix("=") for line in compulsory if not line.startswith("#")] == list(REQUIRED)


def test_production_starts_with_the_six():
    done = start(SITE_URL="https://siao.example/")
    assert (done.returncode, done.stdout) == (0, "https://siao.example\n")


@pytest.mark.parametrize("name", REQUIRED)
def test_a_variable_without_value_stops_the_start(name):
    for value in ("", " "):
        done = start(**{name: value})
        assert done.returncode == 1
        assert done.stderr.endswith(f"La variable {name} n'a pas de valeur : voir .env.example.\n")
