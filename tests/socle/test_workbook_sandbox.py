"""The child that reads workbooks can do nothing else, and always ends."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

import billiard
import pytest

from siao.socle.workbook import sandbox
from siao.socle.workbook.limits import Limits
from siao.socle.workbook.refusals import Refused
from tests.installation import running

from . import classeurs_hostiles as hostiles

ROOT = Path(sandbox.__file__).parents[3]
DEADLINE = 120
"""Seconds, far above what a busy machine needs."""

# Locks this process as the child does, and then runs the lines that follow.
LOCKED = f"""
import ctypes, json, os, socket, subprocess, sys, threading
sys.path.append({str(ROOT)!r})
from types import SimpleNamespace
from siao.socle.workbook import child
libc = ctypes.CDLL(None, use_errno=True)
calls = {{name: getattr(libc, name) for name in ("socket", "fork", "open", "unlink", "kill", "execv")}}
limits = SimpleNamespace(**json.loads({json.dumps(asdict(Limits()))!r}))
child.lock(limits, os.getppid())
def tell(name, action):
    try:
        outcome = "done" if action() != -1 else "refused"
    except OSError as error:
        outcome = "refused"
    child._send(f"{{name}} {{outcome}}\\n".encode())
"""


@pytest.fixture
def workbook(tmp_path):
    path = tmp_path / "classeur.xlsx"
    path.write_bytes(hostiles.xlsx())
    return path


def run_locked(lines: str) -> str:
    command = [sys.executable, "-c", LOCKED + lines]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=DEADLINE).stdout


def children() -> dict[int, str]:
    """State of the children of this process, by process id."""
    found = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(parent) == os.getpid():
            found[int(stat.parent.name)] = state
    return found


def state(process: int) -> str:
    """State of any process; « Z » too when there is no such process."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return "Z"


def wait_until(condition):
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def instead_of_the_child(monkeypatch, lines: str):
    monkeypatch.setattr(sandbox, "_CHILD", f"import os, sys, time\n{lines}")


def test_the_interpreter_refuses_everything():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        said = run_locked(f"""
tell("read", lambda: open("/etc/passwd"))
tell("write", lambda: open("/tmp/siao_sandbox", "w"))
tell("connect", lambda: socket.create_connection(("127.0.0.1", {port})))
tell("resolve", lambda: socket.getaddrinfo("exemple.fr", 80))
tell("fork", os.fork)
tell("run", lambda: subprocess.run(["true"]))
tell("system", lambda: os.system("true"))
tell("exec", lambda: os.execv("/bin/true", ["true"]))
tell("remove", lambda: os.remove("/tmp/siao_sandbox"))
tell("list", lambda: os.listdir("/"))
tell("kill", lambda: os.kill(os.getppid(), 0))
tell("import", lambda: __import__("ftplib"))
tell("load", lambda: ctypes.CDLL("libc.so.6"))
""")
        server.setblocking(False)
        with pytest.raises(BlockingIOError):
            server.accept()
    lines = said.splitlines()
    assert len(lines) == 13
    assert [line for line in lines if not line.endswith(" refused")] == []


@pytest.mark.skipif(os.uname().machine not in ("x86_64", "aarch64"), reason="no filter of system calls there")
def test_the_kernel_refuses_everything():
    """Even to code that would have taken the interpreter over: these calls go straight to the C library."""
    said = run_locked("""
tell("connect", lambda: calls["socket"](2, 1, 0))
tell("fork", lambda: calls["fork"]())
tell("read", lambda: calls["open"](b"/etc/passwd", 0))
tell("remove", lambda: calls["unlink"](b"/tmp/siao_sandbox"))
tell("kill", lambda: calls["kill"](os.getppid(), 0))
tell("exec", lambda: calls["execv"](b"/bin/true", None))
""")
    assert said.splitlines() == [f"{name} refused" for name in ("connect", "fork", "read", "remove", "kill", "exec")]


def test_the_child_inherits_nothing(monkeypatch, workbook):
    """No other open file, no environment, its own session."""
    monkeypatch.setenv("SECRET_KEY", "secret")
    kept = os.open("/etc/passwd", os.O_RDONLY)
    os.set_inheritable(kept, True)
    instead_of_the_child(
        monkeypatch,
        "files = set(os.listdir('/proc/self/fd')) - {'3'}\n"
        "fine = files == {'0', '1', '2'} and 'SECRET_KEY' not in os.environ and os.getsid(0) == os.getpid()\n"
        """print('X["vide",{}]' if fine else 'X["macros",{}]')""",
    )
    try:
        with pytest.raises(Refused) as refusal:
            sandbox.read_workbook(workbook)
    finally:
        os.close(kept)
    assert refusal.value.code == "vide"


def test_too_much_memory_is_refused(workbook):
    texts = hostiles.strings(*(f"<t>texte numéro {n}</t>" for n in range(300_000)))
    workbook.write_bytes(hostiles.xlsx(replaced={hostiles.STRINGS: texts}))
    with pytest.raises(Refused) as refusal:
        sandbox.read_workbook(workbook, limits=Limits(memory_bytes=40_000_000))
    assert refusal.value.code == "trop_complexe"


def test_too_much_calculation_is_refused(monkeypatch, workbook):
    workbook.write_bytes(hostiles.xlsx("<row><c><v>1</v></c></row>" * 1_000_000))
    with pytest.raises(Refused) as refusal:
        sandbox.read_workbook(workbook, limits=Limits(cpu_seconds=1, rows=2_000_000, cells=2_000_000))
    assert refusal.value.code == "trop_complexe"


@pytest.mark.parametrize(
    "lines",
    [
        "while True: pass",
        "time.sleep(60)",
        "os.close(1); time.sleep(60)",
        "print('S[\"a\",true,true]', flush=True); time.sleep(60)",
    ],
)
def test_the_wall_limit_kills(monkeypatch, workbook, lines):
    instead_of_the_child(monkeypatch, lines)
    before, start = children(), time.monotonic()
    with pytest.raises(Refused) as refusal:
        sandbox.read_workbook(workbook, limits=Limits(wall_seconds=0.5))
    assert refusal.value.code == "trop_long"
    assert time.monotonic() - start < 10
    assert children().keys() <= before.keys()


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ("", "illisible"),
        ("sys.exit(3)", "illisible"),
        ("os.kill(os.getpid(), 9)", "trop_complexe"),
        ("os.abort()", "trop_complexe"),
        ("print('S[\"a\",true,true]')", "illisible"),
        ("print('pas du JSON')", "illisible"),
        ("print('R[[1,[1]]]')", "illisible"),
        ("print('F' + '[' * 100_000)", "illisible"),
        ("print('F[]')", "illisible"),
        ('print(\'F{"d":"demain"}\')', "illisible"),
        ("print('F{\"d\":[]}')", "illisible"),
        ("print('X[\"inconnu\",{}]')", "illisible"),
        ("print('X[\"lignes\",{}]')", "illisible"),
        ("print('X[[],{}]')", "illisible"),
        ("print('X5')", "illisible"),
        ("print('S[1,true,true]\nF[\"xlsx\",[]]')", "illisible"),
        ('print(\'S["a",true,true]\nR[[1,[[1]]]]\nF["xlsx",[]]\')', "illisible"),
        ('print(\'S["a",true,true]\nR[[1,[{"b":["inconnu",""]}]]]\nF["xlsx",[]]\')', "illisible"),
        ("print('S[\"a\",true,true]\\nR[[1,[' + '1,' * 2_000_000 + '1]]]')", "illisible"),
        ("sys.stdout.buffer.write(b'\\xff\\n')", "illisible"),
        ("while True: print('x' * 1_000_000, end='')", "illisible"),
    ],
)
def test_a_child_that_misbehaves_is_a_refused_file(monkeypatch, workbook, lines, code):
    instead_of_the_child(monkeypatch, lines)
    before = children()
    with pytest.raises(Refused) as refusal:
        sandbox.read_workbook(workbook)
    assert refusal.value.code == code
    assert children().keys() <= before.keys()


def test_a_killed_parent_leaves_no_child(workbook):
    """The parent of this reading dies at once, without a word; the child is locked and calculating."""
    lines = """
import json, os, sys
from types import SimpleNamespace
sys.path.append(sys.argv[1])
from siao.socle.workbook import child
order, process = json.loads(sys.argv[-1]), os.getpid()
child.lock(SimpleNamespace(**order["limits"]), order["parent"])
child._send(b"%d\\n" % process)
while True: pass
"""
    reader = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from siao.socle.workbook import sandbox
sandbox._CHILD = {lines!r}
sandbox._workbook = lambda lines, limits: [print(line.decode(), flush=True) for line in lines]
sandbox.read_workbook({str(workbook)!r})
"""
    with running([sys.executable, "-c", reader], stdout=subprocess.PIPE) as parent:
        child = int(parent.stdout.readline())
        assert state(child) != "Z"
        parent.send_signal(signal.SIGKILL)
    wait_until(lambda: state(child) == "Z")


def test_an_interrupted_parent_leaves_no_child(monkeypatch, workbook):
    """As when Celery's soft time limit falls during the reading."""
    instead_of_the_child(monkeypatch, "time.sleep(60)")
    before = children()

    def interrupt(*arguments):
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGALRM, interrupt)
    reading = sandbox._workbook

    def interrupted(lines, limits):
        signal.setitimer(signal.ITIMER_REAL, 0.05)  # not before the child is there to be left
        return reading(lines, limits)

    monkeypatch.setattr(sandbox, "_workbook", interrupted)
    try:
        with pytest.raises(KeyboardInterrupt):
            sandbox.read_workbook(workbook)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
    assert children().keys() <= before.keys()


def _read_in_a_worker(path: Path, answers):
    answers.send([sheet.name for sheet in sandbox.read_workbook(path).sheets])


def test_reading_inside_a_celery_worker(workbook):
    """Celery's workers are daemonic processes of billiard, which may not have children of their own kind."""
    receiver, sender = billiard.Pipe(duplex=False)
    worker = billiard.Process(target=_read_in_a_worker, args=(workbook, sender), daemon=True)
    worker.start()
    assert receiver.poll(DEADLINE)
    assert receiver.recv() == ["Entités", "Dispositifs"]
    worker.join(10)


def test_a_file_that_is_not_there_is_not_a_refused_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        sandbox.read_workbook(tmp_path / "absent.xlsx")
