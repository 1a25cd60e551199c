"""The structure of a workbook: its tabs and headers are those of the model, or the file is refused as a whole."""

from siao.socle.columns import Problem, Sheet
from siao.socle.columns.sheets import letter
from siao.socle.columns.types import as_text
from siao.socle.refusal import Refusal
from siao.socle.text import fold, visible
from siao.socle.workbook.cells import Sheet as SheetContent
from siao.socle.workbook.cells import Workbook
from siao.socle.workbook.limits import LIMITS
from siao.socle.workbook.refusals import Refused

from . import regles
from .declaration import ANNEXES, ENTITES, ERREURS, LISTES, SHEETS

_OWN = {fold(name) for name in (ANNEXES, LISTES, ERREURS)}


def data_sheets(workbook: Workbook) -> tuple[dict[str, SheetContent], list[Problem]]:
    """The tabs of data by name, and warnings on what is not read.

    The reduced variant (.ods) has the Entités tab alone; every other workbook has the three. Raises ``Refusal`` with
    the differences, expected and found, when the structure was modified.
    """
    expected = (ENTITES,) if workbook.format == "ods" else SHEETS
    found = {fold(sheet.name): sheet for sheet in workbook.sheets}
    differences = [f"l'onglet « {sheet.name} » est absent" for sheet in expected if fold(sheet.name) not in found]
    if differences:
        names = ", ".join(f"« {sheet.name} »" for sheet in workbook.sheets)
        raise modified([*differences, f"onglets trouvés : {names}"])
    for sheet in expected:
        differences += _differences(sheet, found[fold(sheet.name)])
    if differences:
        raise modified(differences)
    for sheet in expected:
        rows = sum(1 for number, _ in found[fold(sheet.name)].rows if number >= sheet.first_row)
        if rows > LIMITS.rows:
            raise Refused("lignes", sheet=sheet.name, limit=LIMITS.rows)
    wanted = {fold(sheet.name) for sheet in expected}
    warnings = [
        Problem(
            regles.FEUILLE_IGNOREE, sheet.name, None, "", "", "", regles.FEUILLE_IGNOREE.message.format(name=sheet.name)
        )
        for key, sheet in found.items()
        if key not in wanted and key not in _OWN
    ]
    return {sheet.name: found[fold(sheet.name)] for sheet in expected}, warnings


def modified(differences: list[str]) -> Refusal:
    details = " ; ".join(differences[:12]) + (" ; …" if len(differences) > 12 else "")
    return Refusal(
        f"La structure du classeur a été modifiée : {details}. Téléchargez de nouveau le modèle, recopiez-y vos lignes "
        "sans ajouter, déplacer ni renommer de colonne ou d'onglet.",
    )


def _differences(sheet: Sheet, content: SheetContent) -> list[str]:
    cells = next((cells for number, cells in content.rows if number == sheet.header_row), ())
    found = [visible(as_text(cell) or "").strip() for cell in cells]
    while found and not found[-1]:
        found.pop()
    expected = [column.header for column in sheet.columns]
    differences = []
    for position in range(max(len(expected), len(found))):
        wanted = expected[position] if position < len(expected) else ""
        seen = found[position] if position < len(found) else ""
        if _key(wanted) != _key(seen):
            differences.append(
                f"onglet {sheet.name}, cellule {letter(position)}{sheet.header_row} : "
                f"« {wanted or 'rien'} » attendu, « {seen[:80] or 'rien'} » trouvé"
            )
    return differences


def _key(header: str) -> str:
    """Headers are compared without case, accents, stars, line breaks or double spaces."""
    return fold(header.replace("*", " ").replace("\n", " "))
