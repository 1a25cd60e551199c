"""What the logs do without."""

import re

from django.core.exceptions import PermissionDenied

_LINK = re.compile(r"(/lien/)[^/\s\"']+")
"""The address of an e-mailed link: its secret gives an account to whoever reads it before its owner."""


def without_refusals(logger, method_name, event: dict) -> dict:
    """Processor of structlog: a right that is missing is an answer, not a failure. Its line goes without its stack."""
    if isinstance(event.get("exc_info"), tuple) and isinstance(event["exc_info"][1], PermissionDenied):
        event = {key: value for key, value in event.items() if key != "exc_info"}
    return event


def without_secrets(logger, method_name, event: dict) -> dict:
    """Processor of structlog: the line without the secrets of the addresses it names."""
    return {key: _LINK.sub(r"\1…", value) if isinstance(value, str) else value for key, value in event.items()}
