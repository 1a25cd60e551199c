"""Named places where the crash tests kill the process: ``SIAO_KILL_AT=P7:3`` dies at the third pass of P7.

Costs a comparison when the variable is not set, which is always the case outside the tests.
"""

import os
import signal

_NAME, _, _PASS = os.environ.get("SIAO_KILL_AT", "").partition(":")
_left = int(_PASS or 1)


def kill_point(name: str) -> None:
    """Die here, as a power cut would make us, if the tests asked for it."""
    if name != _NAME:
        return
    global _left
    _left -= 1
    if _left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
