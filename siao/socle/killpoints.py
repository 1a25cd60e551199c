"""Named places where the crash tests strike. Outside the tests a kill point costs one comparison.

``SIAO_KILL_AT=P7:3``: the process dies at its third pass of P7, as a power cut would make it.
``SIAO_STOP_FOLDER``: a file ``P7`` in this folder, holding 3, stops (SIGSTOP) the first process that makes the third
pass from then on; the file is renamed ``P7.<process id>``, and the test chooses who dies.
"""

import os
import signal
from pathlib import Path

_NAME, _, _PASS = os.environ.get("SIAO_KILL_AT", "").partition(":")
_left = int(_PASS or 1)
_FOLDER = Path(os.environ["SIAO_STOP_FOLDER"]) if "SIAO_STOP_FOLDER" in os.environ else None


def kill_point(name: str) -> None:
    """Die or stop here, if the tests asked for it."""
    if _FOLDER:
        _stop_if_ordered(_FOLDER / name)
    if name != _NAME:
        return
    global _left
    _left -= 1
    if _left == 0:
        os.kill(os.getpid(), signal.SIGKILL)


def _stop_if_ordered(order: Path) -> None:
    try:
        passes = int(order.read_text())
        if passes == 1:
            order.rename(order.with_suffix(f".{os.getpid()}"))
    except FileNotFoundError:
        return
    if passes == 1:
        os.kill(os.getpid(), signal.SIGSTOP)
    else:
        order.write_text(str(passes - 1))
