"""``python -m tests.deployment``: Django's deployment checks with the settings of production; none may be left."""

import os
import secrets
import subprocess
import sys

PRODUCTION = {
    "DEBUG": "off",
    "HTTPS": "on",
    "EMBEDDED_SERVICES": "off",
    "SECRET_KEY": secrets.token_urlsafe(64),
    "ALLOWED_HOSTS": "siao.example",
    "DATABASE_URL": "postgresql://siao@localhost/siao",
    "REDIS_URL": "redis://localhost/0",
    "SITE_URL": "https://siao.example",
    "EMAIL_URL": "smtp+tls://siao@localhost:587",
}


def main() -> int:
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    return subprocess.run(command, env=os.environ | PRODUCTION, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
