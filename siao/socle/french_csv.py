"""CSV files that French spreadsheets open without asking: semicolons, a byte order mark, and no cell that computes."""

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Any

from .xlsx import RISKY


def harmless(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula; numbers stay what they are."""
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
