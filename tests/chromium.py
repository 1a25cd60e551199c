"""Finds a Chromium for the browser tests: the system's, else Debian's package, else Playwright's own.

``python -m tests.chromium`` makes sure there is one; the suite then asks ``executable()``.
"""

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")


def executable() -> str | None:
    """Path of the system's Chromium, None when Playwright must use its own."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def ensure() -> None:
    if executable():
        return
    if shutil.which("apt-get") and os.geteuid() == 0:
        quiet = {"stdout": subprocess.DEVNULL, "env": os.environ | {"DEBIAN_FRONTEND": "noninteractive"}}
        subprocess.run(["apt-get", "update", "-qq"], check=False, **quiet)
        subprocess.run(["apt-get", "install", "-qq", "--yes", "chromium"], check=False, **quiet)
    if not executable():
        subprocess.run([sys.executable, "-m", "playwright", "install", "--with-deps", "chromium"], check=True)


if __name__ == "__main__":
    ensure()
