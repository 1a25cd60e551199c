"""Which row of another tab a name designates.

In the workbook of a région, rows of several départements may have the same name: « CHRS le Phare (44) » says which one.
A dispositif is told apart by its département, an entité by its SIREN.
"""

import re
from collections import defaultdict
from collections.abc import Iterator

from siao.socle.columns import Row
from siao.socle.text import fold

_PRECISE = re.compile(r"(.*\S) ?\(([0-9a-z]+)\)", re.DOTALL)


class Nommees:
    """The rows of a tab by name; ``key`` is the value that tells those of one name apart."""

    def __init__(self, key: str):
        self.key = key
        self._by_name: dict[str, list[Row]] = defaultdict(list)

    def add(self, row: Row) -> None:
        self._by_name[fold(row["nom"])].append(row)

    def __iter__(self) -> Iterator[Row]:
        for rows in self._by_name.values():
            yield from rows

    def called(self, text: str) -> list[Row]:
        """The rows that ``text`` may designate; those of one département (or SIREN) are one, the first."""
        name = fold(text)
        rows = self._by_name.get(name, [])
        if not rows and (parts := _PRECISE.fullmatch(name)):
            base, mark = parts.groups()
            rows = [row for row in self._by_name.get(base, []) if str(row.values.get(self.key)).lower() == mark]
        return list({row.values.get(self.key): row for row in reversed(rows)}.values())[::-1]

    def precise(self, row: Row) -> str:
        """The text that designates this row and no other."""
        return precise(row["nom"], row.values.get(self.key))


def precise(nom: str, mark: object) -> str:
    """« CHRS le Phare (44) »."""
    return f"{nom} ({mark})"
