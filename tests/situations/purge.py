"""The night's forgetting, killed on purpose: ``python -m tests.situations.purge``, started by ``test_restauration``.

Reads numbers, one a line. For each, a child forgets who is due and dies at its n-th statement (SIGKILL), at none for 0;
the answer is what ended it: the signal, or 0.
"""

import os
import signal
import sys


def main() -> None:
    import django

    django.setup()
    for line in sys.stdin:
        child = os.fork()
        if not child:
            _forget(int(line))
        sys.stdout.write(f"{os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}\n")
        sys.stdout.flush()


def _forget(last: int) -> None:
    from django.db import connection
    from django.utils import timezone

    from situations.actions import oubli

    done = 0

    def killer(execute, *arguments):
        nonlocal done
        done += 1
        if done == last:
            os.kill(os.getpid(), signal.SIGKILL)
        return execute(*arguments)

    with connection.execute_wrapper(killer):
        oubli.forget_due(today=timezone.localdate())
    connection.close()
    os._exit(0)


if __name__ == "__main__":
    main()
