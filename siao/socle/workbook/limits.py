"""How much of a workbook is read, and how much its reading may cost."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """What a workbook may hold and what reading it may cost. Beyond: refused, except where the line says otherwise.

    A realistic workbook (5 sheets, 6 620 rows) is 0.8 MB, 9 MB unzipped, ratio 12, so each limit leaves 5 times that
    or more.
    """

    file_bytes: int = 10_000_000
    unzipped_bytes: int = 60_000_000
    ratio: int = 100
    """Unzipped size over file size."""
    entries: int = 200
    """Parts of the zip archive, and sheets."""
    rows: int = 5_000
    """Rows with a value in one sheet, under its headings."""
    heading_rows: int = 50
    """Rows of titles and headings that come on top of ``rows``. A value lower than both together is a ``Stray``."""
    columns: int = 64
    """A value further right is a ``Stray``."""
    cells: int = 1_000_000
    """Cells up to the last value of each row, in all the sheets read."""
    text_bytes: int = 20_000_000
    """What the child may say to its parent."""
    merges: int = 5_000
    """Merged ranges of one sheet."""
    strays: int = 100
    """Values out of place that are listed for one sheet; the next ones are dropped."""
    memory_bytes: int = 512_000_000
    """RLIMIT_AS of the child."""
    cpu_seconds: int = 20
    wall_seconds: float = 60.0


LIMITS = Limits()
"""Those of every upload."""
