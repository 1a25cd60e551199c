"""The settings of production: what is missing, or left empty as in ``.env.example``, stops the start."""

import os
import subprocess
import sys

import pytest
import yaml
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


def test_only_the_service_that_migrates_knows_the_owner_of_the_tables():
    compose = yaml.safe_load((settings.BASE_DIR / "docker-compose.yml").read_text())["services"]
    owner = compose["postgres"]["environment"]["POSTGRES_USER"]
    ours = {name: service["environment"] for name, service in compose.items() if "env_file" in service}
    assert set(ours) == {"web", "worker", "clock", "owner"}
    migrating = ours.pop("owner")
    assert migrating["OWNER_DATABASE_URL"].startswith(f"postgresql://{owner}:${{POSTGRES_PASSWORD:?}}@postgres/")
    assert compose["owner"]["profiles"]  # ``docker compose up`` does not start it
    for name, environment in ours.items():
        kept_from_it = {"OWNER_DATABASE_URL": "", "POSTGRES_PASSWORD": ""}
        assert {**environment, **kept_from_it} == environment, name
        assert "DATABASE_URL" not in environment
    example = (settings.BASE_DIR / ".env.example").read_text()
    assert "postgresql://siao_application:" in example
    assert owner != "siao_application"
