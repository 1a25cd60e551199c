"""What must not reach the logs."""

import re

_LINK = re.compile(r"(/lien/)[^/\s\"']+")
"""The address of an e-mailed link: its secret gives an account to whoever reads it before its owner."""


def without_secrets(logger, method_name, event: dict) -> dict:
    """Processor of structlog: the line without the secrets of the addresses it names."""
    return {key: _LINK.sub(r"\1…", value) if isinstance(value, str) else value for key, value in event.items()}
