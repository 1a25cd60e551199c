"""``python -m tests.deployment``: Django's deployment checks with the settings of production; none may be left."""

import os
import secrets
import subprocess
import sys


def main() -> int:
    environment = os.environ | {
        "DEBUG": "off",
        "HTTPS": "on",
        "EMBEDDED_SERVICES": "off",
        "SECRET_KEY": secrets.token_urlsafe(64),
        "ALLOWED_HOSTS": "siao.example",
        "DATABASE_URL": "postgresql://siao@localhost/siao",
        "REDIS_URL": "redis://localhost/0",
    }
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
