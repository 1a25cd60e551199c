"""The locked-up reader: reads the workbook open on descriptor 0 and says it on descriptor 1.

Standard library alone. Everything it needs is imported first; then it locks itself, for good, before it reads the
first hostile byte: little memory, little CPU, no file, no process, no network, death with its parent. Two locks that do
not depend on each other hold the door: the kernel refuses every system call but sixteen (seccomp), and the interpreter
refuses every audited operation (``sys.addaudithook``): open, import, connect, exec…
"""

import ctypes
import gc
import json
import os
import resource
import signal
import struct
import sys
import unicodedata
from collections.abc import Callable
from types import SimpleNamespace

from . import ods, preflight, xlsx
from .archive import Archive
from .refusals import Refused
from .wire import Writer

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 4, 22, 38
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_SECCOMP_MODE_FILTER, _SECCOMP_ALLOW, _SECCOMP_EPERM = 2, 0x7FFF0000, 0x00050001

# read, write, mmap, mprotect, munmap, brk, mremap, madvise, rt_sigaction, rt_sigprocmask, rt_sigreturn, futex,
# clock_gettime, getrandom, exit, exit_group: by machine, with the kernel's mark of it.
_SYSTEM_CALLS = {
    "x86_64": (0xC000003E, (0, 1, 9, 10, 11, 12, 25, 28, 13, 14, 15, 202, 228, 318, 60, 231)),
    "aarch64": (0xC00000B7, (63, 64, 222, 226, 215, 214, 216, 233, 134, 135, 139, 98, 113, 278, 93, 94)),
}


def main():
    """Arguments: a JSON object with ``limits``, ``sheets`` (names to read, or null) and ``parent`` (process id)."""
    gc.disable()  # trees of elements hold no cycle, and come and go by the hundred thousand
    order = json.loads(sys.argv[-1])
    limits = SimpleNamespace(**order["limits"])
    lock(limits, order["parent"])
    refusal = None
    try:
        read(_received(limits.file_bytes + 1), _chosen(order["sheets"]), Writer(_send, limits), limits)
    except Refused as found:
        refusal = [found.code, found.details]
    except MemoryError:
        refusal = ["trop_complexe", {}]
    except RecursionError:
        refusal = ["structure", {}]
    except Exception:  # noqa: BLE001 (whatever hostile bytes provoke is a refused file)
        refusal = ["illisible", {}]
    # Said only now: what the exception held in memory is gone.
    if refusal:
        _send(f"X{json.dumps(refusal)}\n".encode())
    os._exit(0)


def read(data: bytes, wanted: Callable[[str], bool], writer: Writer, limits):
    """Say the workbook whose file holds ``data``, or raise ``Refused``."""
    preflight.check_file(data, limits)
    archive = Archive(data, limits)
    file_format = preflight.family(archive)
    warnings = (xlsx if file_format == "xlsx" else ods).read(archive, wanted, writer, limits)
    archive.verify_the_rest()
    if archive.ratio > limits.ratio:
        raise Refused("trop_compresse")
    writer.finish(file_format, warnings)


def lock(limits, parent: int):
    """Give up everything but reading descriptors 0, writing descriptor 1, and a little memory and time."""
    libc = ctypes.CDLL(None)
    libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET)  # refused on some machines: one lock less, not the last one
    for kind, value in (
        (resource.RLIMIT_AS, limits.memory_bytes),
        (resource.RLIMIT_CPU, limits.cpu_seconds),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 3),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        most = resource.getrlimit(kind)[1]
        value = value if most == resource.RLIM_INFINITY else min(value, most)
        resource.setrlimit(kind, (value, value))
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)
    libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if os.uname().machine in _SYSTEM_CALLS and sys.maxsize > 2**32:
        _filter_system_calls(libc, *_SYSTEM_CALLS[os.uname().machine])
    sys.addaudithook(_refuse_everything)


def _filter_system_calls(libc, machine: int, allowed: tuple[int, ...]):
    """From now on the kernel answers EPERM to every other system call."""
    load, equal, answer = 0x20, 0x15, 0x06
    program = [(load, 0, 0, 4), (equal, 0, len(allowed) + 1, machine), (load, 0, 0, 0)]
    program += [(equal, len(allowed) - index, 0, number) for index, number in enumerate(allowed)]
    program += [(answer, 0, 0, _SECCOMP_EPERM), (answer, 0, 0, _SECCOMP_ALLOW)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("<HBBI", *line) for line in program))
    header = ctypes.create_string_buffer(struct.pack("@HP", len(program), ctypes.addressof(code)))
    libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, header, 0, 0)


def _refuse_everything(event: str, arguments: tuple):
    raise PermissionError(event)


def _chosen(names: list[str] | None) -> Callable[[str], bool]:
    if names is None:
        return lambda name: True
    keys = {_key(name) for name in names}
    return lambda name: _key(name) in keys


def _key(name: str) -> str:
    """The name of a sheet as people compare it: without accents, case or extra spaces."""
    letters = (letter for letter in unicodedata.normalize("NFKD", name) if not unicodedata.combining(letter))
    return " ".join("".join(letters).casefold().split())


def _received(most: int) -> bytes:
    pieces, size = [], 0
    while size < most and (piece := os.read(0, most - size)):
        pieces.append(piece)
        size += len(piece)
    return b"".join(pieces)


def _send(line: bytes):
    view = memoryview(line)
    while view:
        view = view[os.write(1, view) :]
