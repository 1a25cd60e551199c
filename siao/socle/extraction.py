"""A list as a file: the columns and the rows of its page, all pages together, as a spreadsheet or as text."""

import itertools
import tempfile
from collections.abc import Iterator
from typing import Any

from django.http import HttpResponse
from django.utils import timezone

from .french_csv import encoded
from .http import attachment
from .tables import Table
from .xlsx import Book

FORMATS = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
}
_CHUNK = 2_000
"""Rows read from the database at a time."""


def extraction(table: Table, name: str, kind: str) -> HttpResponse:
    """``table`` as a file of ``kind`` (xlsx by default), named ``name`` and the day."""
    kind = kind if kind in FORMATS else "xlsx"
    stream = _xlsx(table) if kind == "xlsx" else _csv(table)
    return attachment(stream, f"{name}-{timezone.localdate():%Y-%m-%d}.{kind}", FORMATS[kind])


def _rows(table: Table) -> Iterator[list[Any]]:
    for row in table.queryset.iterator(chunk_size=_CHUNK):
        yield [column.value(row) for column in table.columns]


def _xlsx(table: Table):
    stream = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the response)
    with Book(stream) as book:
        sheet = book.sheet(table.caption[:31])
        for position, column in enumerate(table.columns):
            sheet.set_column(position, position, 14 if column.numeric else 28)
            book.write(sheet, 0, position, column.header, bold=True)
        sheet.freeze_panes(1, 0)
        for number, row in enumerate(_rows(table), start=1):
            for position, value in enumerate(row):
                book.write(sheet, number, position, _cell(value))
    stream.seek(0)
    return stream


def _cell(value):
    return value if isinstance(value, int | float | str) or value is None else str(value)


def _csv(table: Table):
    stream = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the response)
    stream.writelines(encoded(itertools.chain([[column.header for column in table.columns]], _rows(table))))
    stream.seek(0)
    return stream
