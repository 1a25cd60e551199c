"""The door: a workbook read by a locked-up child process."""

import datetime
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Collection, Iterator
from dataclasses import asdict
from pathlib import Path

from siao.socle.killpoints import kill_point

from .cells import BAD_CELLS, BadCell, Merge, Sheet, ShownFloat, ShownInt, Stray, Workbook, shown_as
from .formats import NATURES
from .limits import Limits
from .refusals import SENTENCES, Refused
from .wire import clean

_ROOT = Path(__file__).resolve().parents[3]
_CHILD = "import sys; sys.path.append(sys.argv[1]); from siao.socle.workbook.child import main; main()"
_PIECE = 1 << 20
_CELLS = frozenset({type(None), str, int, float, ShownInt, ShownFloat, bool, datetime.date, datetime.datetime, BadCell})


def read_workbook(path: str | Path, sheets: Collection[str] | None = None, limits: Limits | None = None) -> Workbook:
    """The workbook in the file ``path``, or ``Refused``, whatever its bytes are and whatever becomes of the child.

    Only the ``sheets`` of these names are read (accents, case and extra spaces do not count); the others are told by
    name alone. None: all of them. ``OSError`` when ``path`` itself cannot be opened or no process can be started.
    """
    limits = limits or Limits()
    deadline = time.monotonic() + limits.wall_seconds
    order = {"limits": asdict(limits), "sheets": None if sheets is None else list(sheets), "parent": os.getpid()}
    with Path(path).open("rb") as file:
        child = subprocess.Popen(  # noqa: S603 (the program and its arguments are ours)
            [sys.executable, "-I", "-S", "-X", "utf8", "-c", _CHILD, str(_ROOT), json.dumps(order)],
            stdin=file,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            cwd="/",
            env={name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ},
            start_new_session=True,
        )
    try:
        kill_point("P5")
        return _workbook(_lines(child, deadline, limits), limits)
    finally:
        child.stdout.close()
        if child.poll() is None:
            os.killpg(child.pid, 9)
            child.wait()


def _lines(child: subprocess.Popen, deadline: float, limits: Limits) -> Iterator[bytes]:
    """The lines that the child says before it ends."""
    source, received, pieces = child.stdout.fileno(), 0, []
    poll = select.poll()
    poll.register(source, select.POLLIN)
    while True:
        if not poll.poll(max(0, deadline - time.monotonic()) * 1000):
            raise Refused("trop_long")
        piece = os.read(source, _PIECE)
        received += len(piece)
        if not piece:
            break
        if received > limits.text_bytes + _PIECE:
            raise Refused("illisible")
        *lines, rest = piece.split(b"\n")
        if lines:
            yield b"".join([*pieces, lines[0]])
            yield from lines[1:]
            pieces = []
        pieces.append(rest)
    # Dead, and without a word of conclusion: its caller would have stopped listening.
    try:
        code = child.wait(max(0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        raise Refused("trop_long") from None
    raise Refused("trop_complexe" if code < 0 else "illisible")


def _workbook(lines: Iterator[bytes], limits: Limits) -> Workbook:
    """The workbook that ``lines`` say; they come from a process that read hostile bytes, so they are checked too."""
    sheets, cells = [], 0
    try:
        for line in lines:
            letter, content = line[:1], _decode(line[1:].decode())
            if letter == b"R":
                for number, row in content:
                    cells += len(row)
                    if cells > limits.cells or not _CELLS.issuperset(map(type, row)):
                        raise Refused("illisible")
                    sheets[-1].rows.append((number, row))
            elif letter == b"S":
                name, visible, is_read = content
                sheets.append(Sheet(clean(name), visible is True, is_read is True))
            elif letter == b"E":
                merges, totals, hidden, strays = content
                sheets[-1].merges = tuple(Merge(*merge) for merge in merges)
                sheets[-1].totals = frozenset(totals)
                sheets[-1].hidden = frozenset(hidden)
                sheets[-1].strays = tuple(Stray(kind, row, clean(address)) for kind, row, address in strays)
            elif letter == b"F":
                file_format, warnings = content
                return Workbook(file_format, sheets, tuple(warnings))
            else:
                code, details = content
                raise Refused(code if code in SENTENCES else "illisible", **details)
    except (ValueError, TypeError, AttributeError, LookupError, RecursionError):
        raise Refused("illisible") from None


def _value(said: dict):
    """The date, date and time or bad cell that ``wire`` says; details of a refusal stay as they are."""
    match said:
        case {"d": day}:
            return datetime.date.fromisoformat(day)
        case {"t": moment}:
            return datetime.datetime.fromisoformat(moment)
        case {"b": [str(kind), str(raw)]} if kind in BAD_CELLS:
            return BadCell(kind, raw)
        case {"n": [str(nature), int(number) | float(number)]} if nature in NATURES:
            return shown_as(nature, number)
    return said


_decode = json.JSONDecoder(object_hook=_value).decode
