"""Faulty rows corrected in the page: the next version of the file, read again by the same rules.

A few cells do not need a spreadsheet. The rows are written in a fresh template, where each keeps its number, with what
was typed in place of the cells that it changes; nothing is checked here, the reading does it.
"""

import io
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from offre.colonnes.declaration import BY_NAME, SHEETS
from offre.colonnes.listes import Listes
from offre.models import Anomalie, Import
from offre.models.imports import Etat, Gravite
from siao.socle.columns import Choice, Column, MultiChoice, Sheet, YesNo
from siao.socle.columns.types import as_text
from siao.socle.refusal import Refusal
from siao.socle.workbook.cells import BadCell, Workbook
from siao.socle.workbook.sandbox import read_workbook

from .entete import kept_rows
from .modele import write_xlsx
from .modele_ods import write_ods
from .structure import data_sheets

LIGNES = 20
"""Rows corrected at once: a page of fields that a browser sends and that somebody reads."""

Saisies = Mapping[tuple[str, int, str], str]
"""What was typed, by tab, row number and key of the column."""


@dataclass
class Cellule:
    column: Column
    name: str
    """Of its field."""
    value: str
    messages: list[str]
    choices: list[str]


@dataclass
class Ligne:
    sheet: Sheet
    number: int
    nom: str
    messages: list[str]
    """What is wrong with the row as a whole."""
    fautives: list[Cellule]
    autres: list[Cellule]


def correctable(travail: Import) -> bool:
    """Whether all that is wrong is in rows of the tabs: an error elsewhere is corrected in the file itself."""
    if travail.etat != Etat.A_CORRIGER or not travail.fichier:
        return False
    places = _errors(travail).values_list("feuille", "ligne").distinct()
    return all(sheet in BY_NAME and row is not None and row >= BY_NAME[sheet].first_row for sheet, row in places)


def faulty_rows(travail: Import, typed: Saisies | None = None) -> tuple[list[Ligne], int]:
    """The first rows with errors, each with all its cells, and how many rows have errors. ``typed`` is shown again."""
    found: dict[tuple, list[Anomalie]] = defaultdict(list)
    for anomalie in _errors(travail).order_by("pk"):
        for number in anomalie.lignes:
            found[anomalie.feuille, number].append(anomalie)
    order = [sheet.name for sheet in SHEETS]
    places = sorted(found, key=lambda place: (order.index(place[0]), place[1]))
    cells = _cells(_workbook(travail))
    listes = Listes()
    lines = [
        _line(BY_NAME[sheet], number, cells.get(sheet, {}).get(number, ()), found[sheet, number], listes, typed or {})
        for sheet, number in places[:LIGNES]
    ]
    return lines, len(places)


def _line(sheet: Sheet, number: int, cells, anomalies: Iterable[Anomalie], listes: Listes, typed: Saisies) -> Ligne:
    line = Ligne(sheet, number, "", [a.message for a in anomalies if not a.cellule], [], [])
    for position, column in enumerate(sheet.columns):
        value = shown(cells[position] if position < len(cells) else None)
        if column.key == "nom" or (not line.nom and position == 0):
            line.nom = value
        messages = [a.message for a in anomalies if a.cellule and a.colonne == column.label]
        cell = Cellule(
            column,
            field_name(sheet, number, column),
            typed.get((sheet.name, number, column.key), value),
            messages,
            _choices(column, listes),
        )
        (line.fautives if messages else line.autres).append(cell)
    return line


def _choices(column: Column, listes: Listes) -> list[str]:
    kind = column.type
    if isinstance(kind, YesNo):
        return list(kind.labels)
    return listes[kind.values].offered if isinstance(kind, Choice | MultiChoice) else []


def field_name(sheet: Sheet, number: int, column: Column) -> str:
    return f"cellule-{SHEETS.index(sheet)}-{number}-{column.key}"


def corrected_file(travail: Import, typed: Saisies) -> bytes:
    """The workbook with what was ``typed``. Raises ``Refusal`` when it changes nothing."""
    workbook = _workbook(travail)
    changed = False
    rows = {}
    for name, lines in _cells(workbook).items():
        sheet = BY_NAME[name]
        rows[name] = []
        for number, cells in lines.items():
            values = [*cells, *[None] * (len(sheet.columns) - len(cells))]
            for position, column in enumerate(sheet.columns):
                text = typed.get((name, number, column.key))
                # A field of one line loses the line breaks of the cell that nobody touched.
                if text is not None and text.split() != shown(values[position]).split():
                    values[position] = text.strip() or None
                    changed = True
            rows[name].append((number, [value.raw if isinstance(value, BadCell) else value for value in values]))
    if not changed:
        raise Refusal("Aucune cellule n'a changé : corrigez au moins une des cellules ci-dessous.")
    stream = io.BytesIO()
    if workbook.format == "ods":
        write_ods(stream, Listes(), sheets=[BY_NAME[name] for name in rows], rows=rows)
    else:
        write_xlsx(stream, Listes(), rows=rows, regional=travail.region_id is not None)
    return stream.getvalue()


def _workbook(travail: Import) -> Workbook:
    try:
        return read_workbook(travail.fichier.path, [sheet.name for sheet in SHEETS])
    except (OSError, ValueError) as error:
        raise Refusal("Le fichier de cet import n'est plus conservé : déposez-le de nouveau.") from error


def _cells(workbook: Workbook) -> dict[str, dict[int, list]]:
    """The cells of the rows that say something, by tab and row; the total of a table is no row of data."""
    return {
        name: {
            number: list(cells[: len(BY_NAME[name].columns)])
            for number, cells in kept_rows(BY_NAME[name], content)
            if number not in content.totals
        }
        for name, content in data_sheets(workbook)[0].items()
    }


def shown(cell) -> str:
    """A cell as its field shows it."""
    return cell.raw if isinstance(cell, BadCell) else as_text(cell) or ""


def _errors(travail: Import):
    return travail.anomalies.filter(gravite=Gravite.ERREUR)
