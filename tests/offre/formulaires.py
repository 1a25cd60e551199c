"""What a browser sends for a row written as a workbook would have it: {key: cell} → fields of the form."""

from offre.colonnes.declaration import BY_NAME
from offre.colonnes.listes import Listes
from siao.socle.columns import Choice, MultiChoice, Reference


def champs(sheet: str, row: dict) -> dict:
    """Fields of the form of ``sheet``; a label that is in no list is sent as it is, as a forged form would."""
    listes = Listes()
    fields = {}
    for key, cell in row.items():
        kind = BY_NAME[sheet].by_key[key].type
        if cell is None or isinstance(kind, Reference):
            continue
        if isinstance(kind, MultiChoice):
            labels = [text.strip() for text in str(cell).split(";")]
            fields[key] = [listes[kind.values].code_of(label) or label for label in labels]
        elif isinstance(kind, Choice):
            fields[key] = listes[kind.values].code_of(str(cell)) or cell
        else:
            fields[key] = cell
    return fields
