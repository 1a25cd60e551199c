"""CSV files that French spreadsheets open without asking: semicolons, a byte order mark, and no cell that computes."""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from typing import Any

from .xlsx import RISKY

_INTERNATIONAL = re.compile(r"\+(?=[0-9]+ )[0-9 .-]{8,20}", re.ASCII)


def harmless(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula; numbers stay what they are.

    A telephone number is written with the 00 that « + » stands for: a spreadsheet shows it and gives it back as it is.
    """
    if isinstance(value, str) and _INTERNATIONAL.fullmatch(value):
        return f"00{value[1:]}"
    return f"'{value}" if isinstance(value, str) and value.startswith(RISKY) else value


def encoded(lines: Iterable[Iterable[Any]]) -> Iterator[bytes]:
    """The bytes of the file, line after line."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";")
    yield "\ufeff".encode()
    for line in lines:
        writer.writerow([harmless(value) for value in line])
        yield text.getvalue().encode()
        text.seek(0)
        text.truncate()
