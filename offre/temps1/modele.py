"""Writes the Temps 1 workbook from its declaration: the blank template, the prefilled one, the annotated one.

Three data tabs, « Annexes et guide », and a hidden « Listes » that feeds the dropdowns.
"""

from collections.abc import Sequence
from typing import Any, BinaryIO

from xlsxwriter.worksheet import Worksheet

from offre.colonnes.declaration import ANNEXES, LISTES, SHEETS
from offre.colonnes.listes import Listes
from offre.models.nomenclature import Categorie
from siao.socle.columns import Column, Date, Decimal, Integer, MultiChoice, Reference, Sheet, YesNo
from siao.socle.columns.sheets import letter
from siao.socle.xlsx import Book

from .presentation import (
    BLUE,
    GREY,
    LEGEND_OF_MARKS,
    PALE_BLUE,
    WHITE,
    Case,
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

_COULEURS = "Les couleurs des cellules (rouge et orange : dans le classeur annoté seulement)"
_TEXT_FORMAT = "@"
_A4 = 9


def write_xlsx(
    stream: BinaryIO,
    listes: Listes,
    *,
    rows: Rows | None = None,
    marks: Marks | None = None,
    first=None,
    regional: bool = False,
):
    """Write the workbook. ``rows`` fills the data tabs, ``marks`` colours and comments some cells.

    In that of a région (``regional``) a name may be followed by what tells it apart: its list only warns.

    ``first(book)`` may add a tab before the others (the annotated workbook's « Erreurs »).
    """
    with Book(stream) as book:
        if first:
            first(book)
        for sheet in SHEETS:
            _DataTab(book, sheet, listes, regional=regional).write(
                (rows or {}).get(sheet.name, ()), (marks or {}).get(sheet.name, {})
            )
        _write_annexes(book, listes)
        _write_listes(book, listes)


class _DataTab:
    def __init__(self, book: Book, sheet: Sheet, listes: Listes, *, regional: bool = False):
        self.book, self.sheet, self.listes, self.regional = book, sheet, listes, regional
        self.tab = book.sheet(sheet.name)

    def write(self, rows, marks) -> None:
        # In constant memory, what is above the last row written can no longer be touched: ranges first, then each row
        # with its height and its comments.
        rows = [(number, [cell_value(value) for value in values]) for number, values in rows]
        across = widths(self.sheet, rows)
        for case in colours_of_tab(self.sheet, rows, marks, self.listes):
            self._colour(case)
        for position, column in enumerate(self.sheet.columns):
            style = self.book.format(**self._base_format(column))
            self.tab.set_column(position, position, across[position], style)
            self._validate(position, column)
        self.tab.freeze_panes(self.sheet.header_row, 1)
        self._lay_out(across)
        first = self.sheet.first_row
        self.above = {number: values for number, values in rows if number < first}
        self._write_head(across, marks)
        for number, values in rows:
            if number < first:
                continue
            if points := height(values, across):
                self.tab.set_row(number - 1, points)
            self._write_row(number, values, marks)

    def _lay_out(self, across) -> None:
        repeated = names_column(self.sheet) + 1
        count = pages(across, repeated)
        lay_out(self.tab, pages=count)
        self.tab.repeat_rows(self.sheet.header_row - 2, self.sheet.header_row - 1)
        if count > 1:
            self.tab.repeat_columns(0, repeated - 1)

    def _write_row(self, number: int, values: Sequence[Any], marks) -> None:
        for position, column in enumerate(self.sheet.columns):
            value = _at(values, position)
            mark = marks.get((number, position))
            if value is None and mark is None:
                continue
            properties = self._base_format(column)
            if mark:
                # Also where conditional colours are not shown; where they are, they say when it goes.
                properties["bg_color"] = mark.colour
            self.book.write(self.tab, number - 1, position, value, **properties)
            if mark:
                self.tab.write_comment(number - 1, position, mark.comment, {"x_scale": 2.5, "y_scale": 1.5})

    def _write_head(self, across, marks) -> None:
        columns, header = self.sheet.columns, self.sheet.header_row - 1
        headers, helps = heights(self.sheet, across)
        lines = head(self.sheet)
        for row, text in enumerate(lines):
            style = {"bold": True, "font_size": 14} if row == 0 else {"italic": row == len(lines) - 1}
            self._write_above(marks, row, 0, text, bg_color=WHITE, **style)
            for position in range(1, len(columns)):
                self._write_above(marks, row, position, None, bg_color=WHITE)
        for position, column in enumerate(columns):
            begins = position == 0 or columns[position - 1].group != column.group
            group = column.group if begins else None
            style = {"bold": True, "bg_color": PALE_BLUE, "left": 1 if begins else 0}
            self._write_above(marks, header - 1, position, group, **style)
        self.tab.set_row(header, headers)
        style = {"bold": True, "font_color": WHITE, "bg_color": BLUE, "border": 1, "text_wrap": True}
        for position, column in enumerate(columns):
            self._write_above(marks, header, position, column.header, valign="vcenter", **style)
        self.tab.set_row(header + 1, helps)
        style = {"italic": True, "font_size": 9, "bg_color": WHITE, "text_wrap": True, "valign": "top", "bottom": 1}
        for position, column in enumerate(columns):
            self._write_above(marks, header + 1, position, column.help or None, **style)

    def _write_above(self, marks, row: int, position: int, text: str | None, **properties) -> None:
        """A cell above the data: the template's, or what somebody typed in a row that ``rows`` gives."""
        if row + 1 in self.above:
            typed = self.above[row + 1]
            text = typed[position] if position < len(typed) else None
        mark = marks.get((row + 1, position))
        if mark:
            properties["bg_color"] = mark.colour
        self.book.write(self.tab, row, position, text, **properties)
        if mark:
            self.tab.write_comment(row, position, mark.comment, {"x_scale": 2.5, "y_scale": 1.5})

    def _base_format(self, column: Column) -> dict:
        properties = {"valign": "top"}
        if column.opened_when:
            properties |= {"bg_color": GREY}
        if isinstance(column.type, Date):
            properties["num_format"] = "dd/mm/yyyy"
        elif isinstance(column.type, Decimal):
            properties["num_format"] = "#,##0.00"
        elif not isinstance(column.type, Integer):
            # Codes keep their zeros, and what people type stays what they typed.
            properties |= {"num_format": _TEXT_FORMAT, "text_wrap": True}
        return properties

    def _cells(self, position: int) -> str:
        name = letter(position)
        return f"{name}{self.sheet.first_row}:{name}{last_row(self.sheet)}"

    def _colour(self, case: Case) -> None:
        self.tab.conditional_format(
            case.cells[0],
            {
                "type": "formula",
                "criteria": f"={case.formula}",
                "format": self.book.format(bg_color=case.colour),
                "stop_if_true": True,
                "multi_range": " ".join(case.cells),
            },
        )

    def _validate(self, position: int, column: Column) -> None:
        kind, source = column.type, choices(self.sheet, column)
        options: dict[str, Any] = {
            "ignore_blank": True,
            "input_title": column.label[:32],
            "input_message": column.help[:255] or "Cellule facultative",
            "error_title": column.label[:32],
        }
        if not column.help:
            options |= {"show_input": False}
        if isinstance(kind, YesNo):
            options |= {"validate": "list", "source": list(kind.labels)}
        elif source:
            # A list shows the values; free typing stays possible where several of them may be in the cell.
            options |= {"validate": "list", "source": f"={source}", "show_error": not isinstance(kind, MultiChoice)}
            if self.regional and isinstance(kind, Reference):
                options |= {"error_type": "warning"}
        elif isinstance(kind, Integer):
            options |= {
                "validate": "integer",
                "criteria": "between",
                "minimum": kind.minimum,
                "maximum": kind.maximum,
                "error_message": f"Un nombre entier de {kind.minimum} à {kind.maximum} est attendu.",
            }
        elif isinstance(kind, Decimal):
            options |= {
                "validate": "decimal",
                "criteria": ">=",
                "value": 0,
                "error_message": "Un montant positif en euros est attendu.",
            }
        else:
            if not column.help:
                return
            options |= {"validate": "any"}
        if options["validate"] == "list" and options.get("show_error", True):
            options["error_message"] = "Choisissez une valeur de la liste."
        self.tab.data_validation(self._cells(position), options)


def lay_out(tab: Worksheet, *, pages: int = 1) -> None:
    """Printed on A4, landscape, on that many pages across."""
    tab.set_paper(_A4)
    tab.set_landscape()
    tab.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
    tab.fit_to_pages(pages, 0)
    tab.set_footer("&L&A&RPage &P sur &N")


def _write_listes(book: Book, listes: Listes) -> None:
    tab = book.sheet(LISTES)
    columns = list_columns(listes)
    for row in range(max(map(len, columns.values()))):
        for position, values in enumerate(columns.values()):
            if row < len(values):
                book.write(tab, row, position, values[row])
    for name, cells in list_names(columns).items():
        book.workbook.define_name(name, f"={cells}")
    tab.hide()


def _at(values: Sequence, position: int):
    return values[position] if position < len(values) else None


def _write_annexes(book: Book, listes: Listes) -> None:
    tab = book.sheet(ANNEXES)
    across = (30, 44, 100)
    for position, width in enumerate(across):
        tab.set_column(position, position, width)
    lay_out(tab)
    colours = {text: colour for colour, text in LEGEND_OF_MARKS}
    lines: list[tuple] = [
        (ANNEXES,),
        (),
        ("Avant de commencer",),
        ("Un seul classeur complet par département (ou par région) : le nouveau remplace le précédent.",),
        ("Respectez l'ordre : une entité, puis ses dispositifs, puis leurs financements.",),
        ("Ne laissez pas de ligne vide, ne modifiez ni les colonnes, ni les onglets, ni les listes déroulantes.",),
        ("Sélection multiple : plusieurs valeurs dans la même cellule, séparées par « ; ».",),
        (),
        (_COULEURS,),
        *((text,) for text in colours),
        (),
        ("Les colonnes",),
        ("Onglet", "Colonne", "Ce qu'on y met"),
    ]
    headings = {ANNEXES, "Avant de commencer", _COULEURS, "Les colonnes", "Nomenclature des dispositifs"}
    for sheet in SHEETS:
        for column in sheet.columns:
            lines.append((sheet.name, column.header, explanation(sheet, column, listes)))
    lines += [(), ("Nomenclature des dispositifs",), ("Catégorie", "Type")]
    for categorie in Categorie.values:
        lines += [(Categorie(categorie).label, libelle) for libelle in listes.offered_types(categorie)]
    for row, line in enumerate(lines):
        # Sentences run over the next columns; cells of the tables stay in theirs.
        if len(line) > 1 and (points := height(line, across)):
            tab.set_row(row, points)
        for position, value in enumerate(line):
            bold = value in headings or line[0] in ("Onglet", "Catégorie")
            style = {"bg_color": colours[value]} if value in colours else {}
            book.write(tab, row, position, value, bold=bold, text_wrap=len(line) > 1, valign="top", **style)


def explanation(sheet: Sheet, column: Column, listes: Listes) -> str:
    """In French, what a column expects: its help, when it is open, whether it is compulsory."""
    parts = [column.help] if column.help else []
    if column.opened_when:
        other = sheet.by_key[column.opened_when.column]
        sentence = column.opened_when.sentence(other.label, lambda value: other.type.show(value, listes))
        parts.append(f"{'Obligatoire' if column.required else 'Ouverte'} {sentence}, grisée sinon")
    elif column.required:
        parts.append("Obligatoire")
    return " – ".join(parts)
