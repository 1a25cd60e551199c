"""The harness itself: it leaves no process behind, even when it is killed, and no row."""

import os
import signal
import subprocess
import sys

import pytest

from comptes.models import Departement, Utilisateur
from tests.installation import running, state, wait_until

HOLDER = """
import sys, time
from pathlib import Path
from tests.installation import Program
program = Program(Path(sys.argv[1]), ["sleep", "600"])
program.start()
print(program.pid, flush=True)
time.sleep(600)
"""


def test_programs_die_with_the_process_that_started_them(tmp_path):
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "siao.settings"}
    setup = "import django; django.setup()\n"
    command = [sys.executable, "-c", setup + HOLDER, str(tmp_path)]
    with running(command, env=environment, stdout=subprocess.PIPE) as holder:
        pid = int(holder.stdout.readline())
        assert state(pid) in ("R", "S")
        holder.send_signal(signal.SIGKILL)
    wait_until(lambda: state(pid) in ("", "Z"), "the program is dead")


@pytest.mark.parametrize("turn", [1, 2])
def test_committed_rows_go_and_lists_stay(base_reelle, turn):
    assert Departement.objects.exists()
    assert not Utilisateur.objects.exists()
    Utilisateur.objects.create_user(f"agent{turn}@demo.example")
