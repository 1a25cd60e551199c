"""The workbook as .ods: the reduced variant, its Entités tab alone, or all the tabs of a complete one sent back."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import BinaryIO

from offre.colonnes.declaration import ENTITES, ERREURS, LISTES
from offre.colonnes.listes import Listes
from offre.models import Anomalie
from siao.socle import ods
from siao.socle.columns import Column, Date, Decimal, Integer, MultiChoice, Sheet
from siao.socle.columns.sheets import letter
from siao.socle.ods import Cell, Colours, Row, Style, Typing

from .anomalies import HEADERS, LEGEND_HEADER, LEGEND_WIDTH, WIDTHS, line, target
from .presentation import (
    BLUE,
    GREY,
    LEGEND_OF_MARKS,
    ORANGE,
    PALE_BLUE,
    RED,
    WHITE,
    Mark,
    Marks,
    Rows,
    cell_value,
    choices,
    colours_of_tab,
    head,
    height,
    heights,
    last_row,
    list_columns,
    list_names,
    names_column,
    pages,
    widths,
)

_BACKGROUNDS = {"": "", "grise": GREY, "erreur": RED, "avertissement": ORANGE}
_FORMS = ("", "texte", "date", "montant")
_STYLES = {
    "titre": Style(bold=True),
    "groupe": Style(bold=True, background=PALE_BLUE),
    "entete": Style(bold=True, background=BLUE, colour=WHITE, wrap=True),
    "aide": Style(wrap=True),
    **{
        f"{form}{state}": Style(form=form, background=background, wrap=form == "texte")
        for form in _FORMS
        for state, background in _BACKGROUNDS.items()
        if form or state
    },
    **{f"legende{colour[1:]}": Style(background=colour, wrap=True) for colour, _ in LEGEND_OF_MARKS},
}


def write_ods(
    stream: BinaryIO,
    listes: Listes,
    *,
    sheets: Sequence[Sheet] = (ENTITES,),
    rows: Rows | None = None,
    marks: Marks | None = None,
    anomalies: Sequence[Anomalie] = (),
) -> None:
    """Write the file; the arguments are those of ``write_xlsx``. ``anomalies`` adds the « Erreurs » tab."""
    tabs = [
        _DataTab(sheet, listes, (rows or {}).get(sheet.name, ()), (marks or {}).get(sheet.name, {})) for sheet in sheets
    ]
    columns = list_columns(listes)
    lists = ods.Tab(
        LISTES, [30] * len(columns), [Row([*map(Cell, line)]) for line in zip_longest(*columns.values())], hidden=True
    )
    errors = [ods.Tab(ERREURS, [*WIDTHS, 4, LEGEND_WIDTH], _error_rows(anomalies), frozen=(0, 1))] if anomalies else []
    rules = {name: rule for tab in tabs for name, rule in tab.rules().items()}
    file = ods.File([*errors, *(tab.tab() for tab in tabs), lists], _STYLES, rules, list_names(columns))
    ods.write(stream, file)


class _DataTab:
    def __init__(self, sheet: Sheet, listes: Listes, rows, marks: Mapping[tuple[int, int], Mark]):
        self.sheet, self.listes, self.marks = sheet, listes, marks
        self.rows = [(number, [cell_value(value) for value in values]) for number, values in rows]
        self.widths = widths(sheet, self.rows)

    def tab(self) -> ods.Tab:
        return ods.Tab(
            self.sheet.name,
            self.widths,
            self._rows(),
            frozen=(1, self.sheet.header_row),
            pages=pages(self.widths, names_column(self.sheet) + 1),
            colours=list(self._colours()),
        )

    def rules(self) -> dict[str, Typing]:
        return {
            self._rule(position): Typing(
                source=choices(self.sheet, column),
                base=f"{self.sheet.name}.{letter(position)}{self.sheet.first_row}",
                strict=not isinstance(column.type, MultiChoice),
                title=column.label,
                help=column.help,
            )
            for position, column in enumerate(self.sheet.columns)
        }

    def _rule(self, position: int) -> str:
        return f"{self.sheet.name}.{letter(position)}"

    def _head(self) -> Iterator[Row]:
        sheet, columns = self.sheet, self.sheet.columns
        for position, text in enumerate(head(sheet)):
            yield Row([Cell(text or None, "titre" if position == 0 else "")])
        groups = [None, *(column.group for column in columns)]
        headers, helps = heights(sheet, self.widths)
        changing = [column.group if column.group != groups[i] else None for i, column in enumerate(columns)]
        yield Row([Cell(group, "groupe") for group in changing], repeated=True)
        yield Row([Cell(column.header, "entete") for column in columns], repeated=True, height=headers)
        yield Row([Cell(column.help or None, "aide") for column in columns], height=helps)

    def _rows(self) -> Iterator[Row]:
        sheet = self.sheet
        above = {number: values for number, values in self.rows if number < sheet.first_row}
        for number, row in enumerate(self._head(), start=1):
            # What somebody typed there takes the place of the template's own row.
            yield self._row(number, above[number]) if number in above else row
        number = sheet.first_row
        for here, values in self.rows:
            if here < sheet.first_row:
                continue
            if here > number:
                yield self._row(number, (), here - number)
            yield self._row(here, values)
            number = here + 1
        if number <= last_row(sheet):
            yield self._row(number, (), last_row(sheet) - number + 1)

    def _row(self, number: int, values, times: int = 1) -> Row:
        cells = []
        for position, column in enumerate(self.sheet.columns):
            mark = self.marks.get((number, position))
            state = ("erreur" if mark.error else "avertissement") if mark else "grise" if column.opened_when else ""
            cells.append(
                Cell(
                    values[position] if position < len(values) else None,
                    f"{_form(column)}{state}",
                    comment=mark.comment if mark else "",
                    rule=self._rule(position),
                )
            )
        return Row(cells, times, height=height(values, self.widths))

    def _colours(self) -> Iterator[Colours]:
        name = self.sheet.name
        for case in colours_of_tab(self.sheet, self.rows, self.marks, self.listes):
            yield Colours(
                [f"{name}.{cells.replace(':', f':{name}.')}" for cells in case.cells], case.formula, case.colour
            )


def _form(column: Column) -> str:
    if isinstance(column.type, Date):
        return "date"
    if isinstance(column.type, Decimal):
        return "montant"
    return "" if isinstance(column.type, Integer) else "texte"


def _error_rows(anomalies: Sequence[Anomalie]) -> Iterator[Row]:
    empty = [Cell()] * len(HEADERS)
    yield Row([*(Cell(header, "entete") for header in HEADERS), Cell(), Cell(LEGEND_HEADER, "entete")], repeated=True)
    for anomalie, legend in zip_longest(anomalies, LEGEND_OF_MARKS):
        cells = _error(anomalie) if anomalie else empty
        colour, text = legend or ("", "")
        key = [Cell(), Cell(text, f"legende{colour[1:]}")] if legend else []
        yield Row([*cells, *key], height=height([cell.value for cell in cells], WIDTHS))


def _error(anomalie: Anomalie) -> list[Cell]:
    address = target(anomalie)
    return [
        Cell(text, "aide", link=f"#{anomalie.feuille}.{address}" if address and position == 2 else "")
        for position, text in enumerate(line(anomalie))
    ]
