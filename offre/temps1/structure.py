"""The structure of a workbook: its tabs and headers are those of the model, or the file is refused as a whole."""

from offre.colonnes import regles
from offre.colonnes.declaration import ANNEXES, ENTITES, ERREURS, LISTES, SHEETS
from siao.socle.columns import Problem, Rule, Sheet
from siao.socle.columns.sheets import letter
from siao.socle.columns.types import as_text
from siao.socle.refusal import Refusal
from siao.socle.text import fold, visible
from siao.socle.workbook.cells import Sheet as SheetContent
from siao.socle.workbook.cells import Workbook
from siao.socle.workbook.limits import LIMITS
from siao.socle.workbook.refusals import Refused

from .entete import data_rows
from .regroupement import in_words, ranges_of

_OWN = {fold(name) for name in (ANNEXES, LISTES, ERREURS)}
_OF_COMPLETE = ("dispositif", "financement", fold(ANNEXES))
"""What the tabs of a complete workbook are recognised by, renamed or not."""


def is_reduced(workbook: Workbook) -> bool:
    """Whether the file is the reduced variant: an .ods with nothing of the complete workbook but its Entités tab."""
    return workbook.format == "ods" and not any(
        word in fold(sheet.name) for sheet in workbook.sheets for word in _OF_COMPLETE
    )


def data_sheets(workbook: Workbook) -> tuple[dict[str, SheetContent], list[Problem]]:
    """The tabs of data by name, and warnings on what is not read.

    The reduced variant has the Entités tab alone; every other workbook, .xlsx or .ods, has the three. Raises
    ``Refusal`` with the differences, expected and found, when the structure was modified.
    """
    expected = (ENTITES,) if is_reduced(workbook) else SHEETS
    wanted = {fold(sheet.name) for sheet in expected}
    found: dict[str, SheetContent] = {}
    for sheet in workbook.sheets:
        key = fold(sheet.name)
        if found.setdefault(key, sheet) is not sheet and key in wanted:
            raise modified([f"les onglets « {found[key].name} » et « {sheet.name} » ont le même nom, aux accents près"])
    differences = [f"l'onglet « {sheet.name} » est absent" for sheet in expected if fold(sheet.name) not in found]
    if differences:
        names = ", ".join(f"« {sheet.name} »" for sheet in workbook.sheets)
        raise modified([*differences, f"onglets trouvés : {names}"])
    for sheet in expected:
        differences += _differences(sheet, found[fold(sheet.name)])
    if differences:
        raise modified(differences)
    for sheet in expected:
        if len(data_rows(sheet, found[fold(sheet.name)])) > LIMITS.rows:
            raise Refused("lignes", sheet=sheet.name, limit=LIMITS.rows)
    contents = {sheet.name: found[fold(sheet.name)] for sheet in expected}
    ignored = [sheet.name for sheet in workbook.sheets if fold(sheet.name) not in wanted | _OWN]
    warnings = [about(regles.FEUILLE_IGNOREE, name, name=name) for name in ignored]
    for sheet in expected:
        content = contents[sheet.name]
        if not content.visible:
            warnings.append(about(regles.ONGLET_MASQUE, sheet.name, name=content.name))
        if hidden := [number for number, _ in data_rows(sheet, content) if number in content.hidden]:
            warnings.append(about(regles.LIGNES_MASQUEES, sheet.name, rows=in_words(ranges_of(hidden))))
    return contents, warnings


def about(rule: Rule, sheet: str = "", **details) -> Problem:
    """A problem of a tab as a whole, or of the file."""
    return Problem(rule, sheet, None, "", "", "", rule.message.format(**details))


def modified(differences: list[str]) -> Refusal:
    details = " ; ".join(differences[:12]) + (" ; …" if len(differences) > 12 else "")
    return Refusal(
        f"La structure du classeur a été modifiée : {details}. Téléchargez de nouveau le modèle, recopiez-y vos lignes "
        "sans ajouter, déplacer ni renommer de colonne ou d'onglet.",
    )


def _differences(sheet: Sheet, content: SheetContent) -> list[str]:
    expected = [column.header for column in sheet.columns]
    keys = list(map(_key, expected))
    found = next((_texts(cells) for number, cells in content.rows if number == sheet.header_row), [])
    if list(map(_key, found)) != keys:
        moved = next((number for number, cells in content.rows if list(map(_key, _texts(cells))) == keys), None)
        if moved is not None:
            return [_moved(sheet, moved)]
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


def _texts(cells) -> list[str]:
    """The texts of a row, to the last that holds something."""
    found = [visible(as_text(cell) or "").strip() for cell in cells]
    while found and not found[-1]:
        found.pop()
    return found


def _moved(sheet: Sheet, number: int) -> str:
    """What to do when the whole row of headers is at another place."""
    away = number - sheet.header_row
    if away > 20:
        remedy = "annulez le tri qui l'a déplacée"
    elif away > 0:
        remedy = f"supprimez {'la ligne ajoutée' if away == 1 else f'les {away} lignes ajoutées'} au-dessus"
    else:
        remedy = f"remettez {'la ligne supprimée' if away == -1 else f'les {-away} lignes supprimées'} au-dessus"
    return (
        f"onglet {sheet.name}, la ligne des titres de colonnes est en ligne {number} au lieu de la ligne "
        f"{sheet.header_row} ({remedy})"
    )


def _key(header: str) -> str:
    """Headers are compared without case, accents, stars, line breaks or double spaces."""
    return fold(header.replace("*", " ").replace("\n", " "))
