"""Tables of list pages: columns declared once, sorted and cut into pages by the database."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.db.models import QuerySet

PAR_PAGE = 50


@dataclass(frozen=True)
class TableColumn:
    key: str
    """Name of the column in the address, for sorting."""
    header: str
    value: Callable[[Any], Any]
    """What to show of a row."""
    order: Sequence[str] = ()
    """How to sort on this column; empty when it is not sortable."""
    numeric: bool = False
    link: Callable[[Any], str] | None = None
    """Address that the cell leads to, when it is the name of something that has a page."""


class Table:
    """One page of a list: ``tri`` and ``page`` are read from the address; nonsense there gives the default.

    ``ancre``: identifier of the place of the page where its links lead, when the list is not all that the page shows.
    """

    def __init__(self, caption: str, columns: Sequence[TableColumn], queryset: QuerySet, parameters, ancre: str = ""):
        self.ancre = ancre
        self.caption, self.columns, self.parameters = caption, columns, parameters
        self.sort = parameters.get("tri", "")
        key = self.sort.removeprefix("-")
        column = next((column for column in columns if column.key == key and column.order), None)
        if column:
            signs = ("-", "") if self.sort.startswith("-") else ("", "-")
            order = [
                f"{signs[0]}{name}" if not name.startswith("-") else f"{signs[1]}{name[1:]}" for name in column.order
            ]
            queryset = queryset.order_by(*order, "pk")
        else:
            self.sort = ""
        self.queryset = queryset
        """Every row, in the order asked for."""
        self.page = Paginator(queryset, PAR_PAGE).get_page(parameters.get("page"))

    @property
    def total(self) -> int:
        return self.page.paginator.count

    @property
    def headers(self) -> list[dict]:
        """Label of each column, the link that sorts on it, and how it is sorted now (for ``aria-sort``)."""
        headers = []
        for column in self.columns:
            now = {column.key: "ascending", f"-{column.key}": "descending"}.get(self.sort)
            link = f"-{column.key}" if now == "ascending" else column.key
            headers.append(
                {
                    "label": column.header,
                    "sort": self.address(tri=link, page=None) if column.order else "",
                    "now": now,
                    "numeric": column.numeric,
                }
            )
        return headers

    @property
    def rows(self) -> list[list[dict]]:
        return [
            [
                {
                    "value": column.value(row),
                    "numeric": column.numeric,
                    "link": column.link(row) if column.link else "",
                }
                for column in self.columns
            ]
            for row in self.page
        ]

    @property
    def pages(self) -> list[dict]:
        paginator = self.page.paginator
        return [
            {"label": number, "address": self.address(page=number) if isinstance(number, int) else ""}
            for number in paginator.get_elided_page_range(self.page.number, on_each_side=2, on_ends=1)
        ]

    @property
    def previous(self) -> str:
        return self.address(page=self.page.number - 1) if self.page.has_previous() else ""

    @property
    def next(self) -> str:
        return self.address(page=self.page.number + 1) if self.page.has_next() else ""

    def address(self, **changes) -> str:
        """The same list with some parameters changed (None removes one)."""
        parameters = dict(self.parameters.lists()) | {key: [value] for key, value in changes.items()}
        kept = {key: [each for each in values if each not in (None, "")] for key, values in parameters.items()}
        asked = urlencode(kept, doseq=True)
        return f"?{asked}#{self.ancre}" if self.ancre else f"?{asked}"
