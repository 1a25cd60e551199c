"""What the logs do without."""

import re

from django.core.exceptions import PermissionDenied

_SECRETS = (
    # The address of an e-mailed link: its secret gives an account to whoever reads it before its owner.
    re.compile(r"(/lien/)[^/\s\"'?]+", re.IGNORECASE),
    # Whatever a query string holds: a token, the code of a login, what was searched for.
    re.compile(r"(\?)[^\s\"'<>]+"),
)


def without_refusals(logger, method_name, event: dict) -> dict:
    """Processor of structlog: a right that is missing is an answer, not a failure. Its line goes without its stack."""
    if isinstance(event.get("exc_info"), tuple) and isinstance(event["exc_info"][1], PermissionDenied):
        event = {key: value for key, value in event.items() if key != "exc_info"}
    return event


def without_secrets(logger, method_name, event: dict) -> dict:
    """Processor of structlog: the line without the secrets of the addresses it names."""
    return {key: masked(value) for key, value in event.items()}


def masked(value):
    """``value`` (a text, or what holds some) without the secrets of the addresses that it names."""
    if isinstance(value, str):
        for secret in _SECRETS:
            value = secret.sub(r"\1…", value)
        return value
    if isinstance(value, dict):
        return {key: masked(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [masked(each) for each in value]
    return value
