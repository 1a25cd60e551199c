"""The template as a file of one département: blank, or filled with what the database knows."""

from typing import BinaryIO

from comptes.models import Commune, Departement
from offre.colonnes.declaration import DISPOSITIFS, ENTITES, FINANCEMENTS, SHEETS
from offre.colonnes.fiches import fiches_of
from offre.colonnes.listes import Listes

from .modele import write_xlsx
from .modele_ods import write_ods
from .presentation import Rows


def template_file(stream: BinaryIO, departement: Departement, *, kind: str = "xlsx", prefilled: bool = False) -> None:
    """Write the template of ``departement`` as ``kind`` (xlsx, or ods with the Entités tab alone)."""
    listes = Listes()
    rows = known_rows(departement, listes) if prefilled else None
    (write_ods if kind == "ods" else write_xlsx)(stream, listes, rows=rows)


def known_rows(departement: Departement, listes: Listes) -> Rows:
    """The open fiches of the département as rows of the workbook, in alphabetical order."""
    fiches = fiches_of([departement.code], listes, [sheet.name for sheet in SHEETS])
    entites = {f.values["siren"]: f.values["nom"] for f in fiches[ENTITES.name].values()}
    dispositifs = {key: fiche.values["nom"] for key, fiche in fiches[DISPOSITIFS.name].items() if not fiche.fermee}
    communes = dict(Commune.objects.filter(departement=departement).values_list("code", "nom"))
    rows = {}
    for sheet in SHEETS:
        lines = []
        for _, fiche in sorted(fiches[sheet.name].items()):
            values = dict(fiche.values)
            if fiche.fermee or (sheet is FINANCEMENTS and values["dispositif"] not in dispositifs):
                continue
            if sheet is DISPOSITIFS:
                values |= {"entite": entites[values["siren"]], "commune": communes[values["commune"]]}
            elif sheet is FINANCEMENTS:
                values["dispositif"] = dispositifs[values["dispositif"]]
            lines.append([_cell(column, values[column.key], listes) for column in sheet.columns])
        rows[sheet.name] = list(enumerate(lines, start=sheet.first_row))
    return rows


def _cell(column, value, listes):
    cell = column.type.to_cell(value, listes)
    return None if cell == "" else cell
