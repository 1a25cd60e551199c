"""Writing .xlsx files that nothing can turn against their reader: text stays text, whatever it begins with."""

import re
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any, BinaryIO

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

MAXIMUM = 32_767
"""Characters that a cell can hold; more is cut, and ends with « … »."""

_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_SCRATCH = "siao-classeur-"
_RISKY = ("=", "+", "-", "@", "\t", "\r", "\n")


def writable(text: str) -> str:
    """``text`` without what XML refuses (control characters, lone surrogates), cut to what a cell can hold."""
    text = _UNWRITABLE.sub("", text)
    return text if len(text) <= MAXIMUM else f"{text[: MAXIMUM - 1]}…"


def forget_scratch(seconds: float) -> None:
    """Delete the rows that processes killed more than ``seconds`` ago left on the disk while they wrote a workbook."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_SCRATCH}*"):
        if time.time() - folder.stat().st_mtime > seconds:
            shutil.rmtree(folder, ignore_errors=True)


class Book:
    """A workbook written row after row in constant memory; formats are made once each."""

    def __init__(self, stream: BinaryIO):
        self._scratch = tempfile.TemporaryDirectory(prefix=_SCRATCH)
        self.workbook = xlsxwriter.Workbook(
            stream,
            {
                "constant_memory": True,
                "tmpdir": self._scratch.name,
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "strings_to_numbers": False,
                "default_date_format": "dd/mm/yyyy",
            },
        )
        self._formats: dict[tuple, Format] = {}

    def __enter__(self) -> "Book":
        return self

    def __exit__(self, *exception) -> None:
        try:
            self.workbook.close()
        finally:
            self._scratch.cleanup()

    def sheet(self, name: str) -> Worksheet:
        return self.workbook.add_worksheet(name)

    def format(self, **properties) -> Format:
        key = tuple(sorted(properties.items()))
        if key not in self._formats:
            self._formats[key] = self.workbook.add_format(properties)
        return self._formats[key]

    def write(self, sheet: Worksheet, row: int, column: int, value: Any, **properties) -> None:
        """Write ``value`` (rows and columns from 0) as what it is: a text is never a formula, a link or a number."""
        if isinstance(value, str):
            text = writable(value)
            if text.startswith(_RISKY):
                properties["quote_prefix"] = True
            sheet.write_string(row, column, text, self.format(**properties))
        elif value is None:
            sheet.write_blank(row, column, None, self.format(**properties))
        else:
            sheet.write(row, column, value, self.format(**properties))
