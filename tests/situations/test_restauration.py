"""Forgetting, as it happens: killed in the middle (G22), searched byte by byte in a dump (G16), restored (G20)."""

import datetime
import os
import signal
import subprocess
import sys

import pytest
from django.conf import settings
from django.core.management import call_command
from django.utils import timezone

from menages.models import DemandeDAcces, Fusion, Personne
from situations.actions import oubli
from situations.models import Oubli, SituationOubliee
from situations.verification import verify
from tests.installation import Restored, by_the_owner, database_url, dump, running
from tests.menages.fabrique import jour, make_menage, make_personne
from tests.situations.test_droits_des_personnes import NAISSANCE, SENTINELS, leave_traces, occurrences, quiet


def environment(url: str = "") -> dict[str, str]:
    return os.environ | {"DATABASE_URL": url or database_url(), "REDIS_URL": settings.REDIS_URL}


def manage(*arguments, url: str = "", **options) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=settings.BASE_DIR,
        env=environment(url),
        capture_output=True,
        text=True,
        check=True,
        **options,
    )


def found_in(copy: bytes) -> list[str]:
    return [sentinel for sentinel in SENTINELS if sentinel.encode() in copy.lower()]


def due(personne) -> None:
    quiet(personne, 900)
    Oubli.objects.create(personne=personne, annonce_le=jour(40), echeance=jour(1))


@pytest.fixture
def rosa(base_reelle):
    rosa = make_personne(
        make_menage(),
        "Zqrosa Zqexemple",
        depuis=90,
        parcours=[("VII.1", 90), ("III.1", 20)],
        date_naissance=NAISSANCE,
    )
    leave_traces(rosa)
    return rosa


def test_g16_g20_nothing_is_left_in_a_dump_and_a_restored_backup_forgets_again(rosa, tmp_path):
    backup = dump()
    assert found_in(backup) == list(SENTINELS)  # without which the rest would prove nothing
    quiet(rosa, 900)
    long_ago = timezone.now() - datetime.timedelta(days=900)
    Fusion.objects.update(faite_le=long_ago)
    DemandeDAcces.objects.update(demandee_le=long_ago)
    Oubli.objects.create(personne=rosa, annonce_le=jour(40), echeance=jour(1))

    rehearsed = manage("oublier")
    assert "1  personnes_oubliees" in rehearsed.stdout
    assert "personnes_oubliees" not in rehearsed.stderr  # what was not written must not be replayed
    told = manage("oublier", "--appliquer")
    assert found_in(dump()) == []

    journal = tmp_path / "journal.log"
    journal.write_text(f"web-1  | une ligne d'un autre programme\n{told.stderr}")
    with Restored(backup) as restored:
        assert found_in(dump(restored.owner_url)) == list(SENTINELS)
        again = manage("oublier", "--rejouer", str(journal), "--appliquer", url=restored.url)
        assert "1  personnes_oubliees" in again.stdout
        assert found_in(dump(restored.owner_url)) == []
        assert manage("parcours", "verifier", url=restored.url).returncode == 0
        # A second time, and by the entry: nothing more.
        again = manage("oublier", "--rejouer", "-", "--appliquer", url=restored.url, input=journal.read_text())
        assert "0  personnes_oubliees" in again.stdout


KILLS = (1, 7, 16, 29, 45, 60, 80, 105, 130, 150)


def test_g22_killed_at_ten_points_the_next_night_ends_the_work_once(base_reelle):
    persons = [
        make_personne(make_menage(), f"Zqrosa Zqexemple{n}", depuis=90, parcours=[("VII.1", 90), ("III.1", 20)])
        for n in range(len(KILLS) + 1)
    ]
    for person in persons:
        due(person)
    with running(
        [sys.executable, "-m", "tests.situations.purge"],
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as purge:

        def night(last: int) -> int:
            print(last, file=purge.stdin, flush=True)
            return int(purge.stdout.readline())

        for point in KILLS:
            assert night(point) == -signal.SIGKILL
            violations, _ = verify()
            assert not any(violations.values()), violations
            gone = len(persons) - Personne.objects.count()
            assert sum(SituationOubliee.objects.values_list("nombre", flat=True)) == 2 * gone
        assert 0 < Personne.objects.count() < len(persons)
        assert night(0) == 0
        assert night(0) == 0
        purge.stdin.close()
    assert not Personne.objects.exists()
    assert occurrences() == []
    assert sum(SituationOubliee.objects.values_list("nombre", flat=True)) == 2 * len(persons)


@pytest.mark.django_db
def test_a_number_given_again_since_is_somebody_else():
    absorbed, other = (make_personne(make_menage(), name) for name in ("Zqrosa Zqexemple", "Autre Exemple"))
    line = '{{"event": "personnes_oubliees", "personnes": [{}], "timestamp": "{}"}}'
    before = timezone.now() - datetime.timedelta(hours=1)
    assert oubli.replay([line.format(other.pk, before.isoformat())]) == 0
    assert Personne.objects.filter(pk=other.pk).exists()
    # Absorbed in the backup, separate again when she was forgotten.
    Personne.objects.filter(pk=absorbed.pk).update(fusionnee_dans=other)
    after = timezone.now() + datetime.timedelta(hours=1)
    assert oubli.replay([line.format(absorbed.pk, after.isoformat())]) == 1
    assert list(Personne.objects.all()) == [other]


def test_parcours_verifier_counts_what_the_constraints_forbid(base_reelle, capsys):
    menage = make_menage()
    make_personne(menage, "Zqrosa Zqexemple", depuis=90, parcours=[("VII.1", 90), ("III.1", 20)])
    make_personne(menage, "Nouvelle Exemple")
    by_the_owner("DELETE FROM situations_situationresidentielle WHERE date_fin IS NULL")
    with pytest.raises(SystemExit):
        call_command("parcours", "verifier")
    said = capsys.readouterr().out
    assert "situations, sans période en cours : 1\n" in said
    assert "personnes sans situation : 2\n" in said
