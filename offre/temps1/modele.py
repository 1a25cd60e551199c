"""Writes the Temps 1 workbook from its declaration: the blank template, the prefilled one, the annotated one.

Three data tabs, « Annexes et guide », and a hidden « Listes » that feeds the dropdowns. White cells may be filled,
yellow ones must be, grey ones must stay empty until another cell opens them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from offre.colonnes.declaration import ANNEXES, BY_NAME, LISTES, SHEETS
from offre.colonnes.listes import Listes
from offre.models.nomenclature import Categorie
from siao.socle.columns import Choice, Column, Date, Decimal, Integer, MultiChoice, Reference, Sheet, YesNo
from siao.socle.columns.sheets import letter
from siao.socle.workbook.limits import LIMITS
from siao.socle.xlsx import Book

GREY, YELLOW, WHITE, RED = "#D9D9D9", "#FFF2CC", "#FFFFFF", "#FFC7CE"
BLUE, PALE_BLUE = "#000091", "#E3E3FD"
HELP_LINE = "Les données obligatoires sont suivies d'une *"
_TEXT_FORMAT = "@"


@dataclass(frozen=True)
class Mark:
    """A faulty cell of the annotated workbook, and what its comment says."""

    error: bool
    comment: str


Rows = Mapping[str, Iterable[tuple[int, Sequence[Any]]]]
"""By tab: (row number, values of the cells), in increasing order."""

Marks = Mapping[str, Mapping[tuple[int, int], Mark]]
"""By tab, then by (row number, column from 0)."""


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
        self.last_row = sheet.first_row + LIMITS.rows - 1

    def write(self, rows, marks) -> None:
        # In constant memory, what is above the last row written can no longer be touched: ranges first, then each row
        # with its comments.
        for position, column in enumerate(self.sheet.columns):
            style = self.book.format(**self._base_format(column))
            self.tab.set_column(position, position, column.type.width, style)
            self._colour(position, column, marked=bool(marks))
            self._validate(position, column)
        self.tab.freeze_panes(self.sheet.header_row, 1)
        self.tab.set_landscape()
        self.tab.fit_to_pages(1, 0)
        self.tab.repeat_rows(self.sheet.header_row - 1)
        rows = list(rows)
        first = self.sheet.first_row
        self.above = {number: values for number, values in rows if number < first}
        self._write_head(marks)
        for number, values in rows:
            if number >= first:
                self._write_row(number, values, marks)

    def _write_row(self, number: int, values: Sequence[Any], marks) -> None:
        for position, column in enumerate(self.sheet.columns):
            value = values[position] if position < len(values) else None
            mark = marks.get((number, position))
            if value is None and mark is None:
                continue
            properties = self._base_format(column)
            if mark:
                properties["bg_color"] = RED if mark.error else YELLOW
            self.book.write(self.tab, number - 1, position, value, **properties)
            if mark:
                self.tab.write_comment(number - 1, position, mark.comment, {"x_scale": 2.5, "y_scale": 1.5})

    def _write_head(self, marks) -> None:
        sheet, columns = self.sheet, self.sheet.columns
        plain = {"bg_color": WHITE}
        lines = [sheet.title, *sheet.guide, *[""] * (3 - len(sheet.guide))]
        lines.append(HELP_LINE)
        for row, text in enumerate(lines):
            style = {"bold": True, "font_size": 14} if row == 0 else {"italic": row == len(lines) - 1}
            self._write_above(marks, row, 0, text, **plain, **style)
            for position in range(1, len(columns)):
                self._write_above(marks, row, position, None, **plain)
        header = sheet.header_row - 1
        for position, column in enumerate(columns):
            begins = position == 0 or columns[position - 1].group != column.group
            self._write_above(
                marks,
                header - 1,
                position,
                column.group if begins else None,
                bold=True,
                bg_color=PALE_BLUE,
                left=1 if begins else 0,
            )
        for position, column in enumerate(columns):
            self._write_above(
                marks,
                header,
                position,
                column.header,
                bold=True,
                font_color=WHITE,
                bg_color=BLUE,
                border=1,
                text_wrap=True,
                valign="vcenter",
            )
        for position, column in enumerate(columns):
            self._write_above(
                marks,
                header + 1,
                position,
                column.help or None,
                italic=True,
                font_size=9,
                bg_color=WHITE,
                text_wrap=True,
                valign="top",
                bottom=1,
            )
        self.tab.set_row(header, 32)
        self.tab.set_row(header + 1, 64)

    def _write_above(self, marks, row: int, position: int, text: str | None, **properties) -> None:
        """A cell above the data: the template's, or what somebody typed in a row that ``rows`` gives."""
        if row + 1 in self.above:
            typed = self.above[row + 1]
            text = typed[position] if position < len(typed) else None
        mark = marks.get((row + 1, position))
        if mark:
            properties["bg_color"] = RED if mark.error else YELLOW
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
            properties["num_format"] = _TEXT_FORMAT
        return properties

    def _cells(self, position: int) -> str:
        name = letter(position)
        return f"{name}{self.sheet.first_row}:{name}{self.last_row}"

    def _colour(self, position: int, column: Column, *, marked: bool) -> None:
        first_row = self.sheet.first_row
        cell = f"${letter(position)}{first_row}"
        conditions = []
        if column.opened_when:
            other = self.sheet.by_key[column.opened_when.column]
            opened = column.opened_when.formula(
                f"${self.sheet.letters[other.key]}{first_row}", lambda value: self._label(other, value)
            )
            if column.required:
                conditions.append((f'AND({opened},{cell}="")', YELLOW))
            if not marked:
                conditions.append((opened, WHITE))
        elif column.required:
            last = letter(len(self.sheet.columns) - 1)
            conditions.append((f'AND({cell}="",COUNTA($A{first_row}:${last}{first_row})>0)', YELLOW))
        for formula, colour in conditions:
            self.tab.conditional_format(
                self._cells(position),
                {
                    "type": "formula",
                    "criteria": f"={formula}",
                    "format": self.book.format(bg_color=colour),
                    "stop_if_true": True,
                },
            )

    def _label(self, column: Column, value) -> str:
        return column.type.show(value, self.listes)

    def _validate(self, position: int, column: Column) -> None:
        kind = column.type
        options: dict[str, Any] = {
            "ignore_blank": True,
            "input_title": column.label[:32],
            "input_message": column.help[:255] or "Cellule facultative",
            "error_title": column.label[:32],
        }
        if not column.help:
            options |= {"show_input": False}
        if isinstance(kind, MultiChoice):
            # A list shows the values; free typing stays possible, to put several of them in the cell.
            options |= {"validate": "list", "source": f"=liste_{kind.values}", "show_error": False}
        elif isinstance(kind, Choice) and kind.depends_on:
            owner = f"${self.sheet.letters[kind.depends_on]}{self.sheet.first_row}"
            options |= {"validate": "list", "source": _dependent_source(owner)}
        elif isinstance(kind, Choice):
            options |= {"validate": "list", "source": f"=liste_{kind.values}"}
        elif isinstance(kind, YesNo):
            options |= {"validate": "list", "source": list(kind.labels)}
        elif isinstance(kind, Reference):
            options |= {"validate": "list", "source": _reference_source(kind)}
            if self.regional:
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


def _dependent_source(owner: str) -> str:
    return f"=OFFSET({LISTES}!$B$2,MATCH({owner},liste_types_categorie,0)-1,0,COUNTIF(liste_types_categorie,{owner}),1)"


def _reference_source(kind: Reference) -> str:
    sheet = BY_NAME[kind.sheet]
    name = next(column for column in sheet.columns if column.key == "nom")
    column = sheet.letters[name.key]
    first, last = sheet.first_row, sheet.first_row + LIMITS.rows - 1
    cells = f"'{sheet.name}'!${column}${first}:${column}${last}"
    return f"=OFFSET('{sheet.name}'!${column}${first},0,0,MAX(1,COUNTA({cells})),1)"


def _write_listes(book: Book, listes: Listes) -> None:
    """Columns A and B: the types under their category; then one column per list, each with its name."""
    tab = book.sheet(LISTES)
    types = [
        (Categorie(categorie).label, libelle)
        for categorie in Categorie.values
        for libelle in listes.offered_types(categorie)
    ]
    names = sorted({column.type.values for sheet in SHEETS for column in sheet.columns if _simple_list(column)})
    columns = [listes[name].offered for name in names]
    for row in range(max(len(types), *map(len, columns)) + 1):
        values = ("categorie", "types") if row == 0 else types[row - 1] if row <= len(types) else (None, None)
        cells = [*values, *(names[i] if row == 0 else _at(columns[i], row - 1) for i in range(len(names)))]
        for position, value in enumerate(cells):
            if value is not None:
                book.write(tab, row, position, value)
    book.workbook.define_name("liste_types_categorie", f"={LISTES}!$A$2:$A${len(types) + 1}")
    for position, (name, values) in enumerate(zip(names, columns, strict=True), start=2):
        column = letter(position)
        book.workbook.define_name(f"liste_{name}", f"={LISTES}!${column}$2:${column}${len(values) + 1}")
    tab.hide()


def _simple_list(column: Column) -> bool:
    return isinstance(column.type, Choice | MultiChoice) and not getattr(column.type, "depends_on", None)


def _at(values: list, position: int):
    return values[position] if position < len(values) else None


def _write_annexes(book: Book, listes: Listes) -> None:
    tab = book.sheet(ANNEXES)
    tab.set_column(0, 0, 28)
    tab.set_column(1, 1, 44)
    tab.set_column(2, 2, 90)
    lines: list[tuple] = [
        (ANNEXES,),
        (),
        ("Avant de commencer",),
        ("Un seul classeur complet par département (ou par région) : le nouveau remplace le précédent.",),
        ("Respectez l'ordre : une entité, puis ses dispositifs, puis leurs financements.",),
        ("Ne laissez pas de ligne vide, ne modifiez ni les colonnes, ni les onglets, ni les listes déroulantes.",),
        ("Cellule jaune : à remplir. Cellule blanche : facultative. Cellule grise : à laisser vide.",),
        ("Sélection multiple : plusieurs valeurs dans la même cellule, séparées par « ; ».",),
        (),
        ("Les colonnes",),
        ("Onglet", "Colonne", "Ce qu'on y met"),
    ]
    for sheet in SHEETS:
        for column in sheet.columns:
            lines.append((sheet.name, column.header, explanation(sheet, column, listes)))
    lines += [(), ("Nomenclature des dispositifs",), ("Catégorie", "Type")]
    for categorie in Categorie.values:
        lines += [(Categorie(categorie).label, libelle) for libelle in listes.offered_types(categorie)]
    headings = {"Avant de commencer", "Les colonnes", "Nomenclature des dispositifs", ANNEXES}
    for row, line in enumerate(lines):
        for position, value in enumerate(line):
            bold = value in headings or line[0] in ("Onglet", "Catégorie")
            book.write(tab, row, position, value, bold=bold, text_wrap=position == 2, valign="top")


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
