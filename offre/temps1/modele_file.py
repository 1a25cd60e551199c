"""The template as a file of a département or of a région: blank, or filled with what the database knows."""

from collections import Counter
from collections.abc import Mapping
from typing import BinaryIO

from comptes.models import Commune, Departement, Region
from offre.colonnes.declaration import DISPOSITIFS, ENTITES, FINANCEMENTS, SHEETS
from offre.colonnes.fiches import Fiche, fiches_of
from offre.colonnes.listes import Listes
from siao.socle.text import fold

from .modele import write_xlsx
from .modele_ods import write_ods
from .presentation import Rows
from .renvois import precise


def template_file(
    stream: BinaryIO, territoire: Departement | Region, *, kind: str = "xlsx", prefilled: bool = False
) -> None:
    """Write the template of ``territoire`` as ``kind`` (xlsx, or ods with the Entités tab alone).

    The reduced variant does not say the département of an entité: a région has none.
    """
    listes = Listes()
    rows = known_rows(territoire, listes) if prefilled else None
    if kind == "ods":
        write_ods(stream, listes, rows=rows)
    else:
        write_xlsx(stream, listes, rows=rows, regional=isinstance(territoire, Region))


def known_rows(territoire: Departement | Region, listes: Listes) -> Rows:
    """The open fiches of the territory as rows of the workbook, in alphabetical order, by département."""
    codes = territoire.codes_departements
    known = fiches_of(codes, listes, [sheet.name for sheet in SHEETS])
    fiches = {sheet: {key: fiche for key, fiche in sorted(known[sheet].items()) if not fiche.fermee} for sheet in known}
    entites = {key: fiche.values for key, fiche in known[ENTITES.name].items()}
    dispositifs = {key: fiche.values for key, fiche in fiches[DISPOSITIFS.name].items()}
    communes = dict(Commune.objects.filter(departement__in=codes).values_list("code", "nom"))
    # An entité is described once, whatever the number of départements that call it so.
    described = {(fold(values["nom"]), values["siren"]): values for values in _values(fiches[ENTITES.name])}
    shared_entites = Counter(nom for nom, _ in described)
    shared_dispositifs = Counter(fold(values["nom"]) for values in dispositifs.values())

    def entite(values) -> str:
        nom = entites[f"{values['departement']}|{values['siren']}"]["nom"]
        return precise(nom, values["siren"]) if shared_entites[fold(nom)] > 1 else nom

    def dispositif(values) -> str:
        nom = values["nom"]
        return precise(nom, values["departement"]) if shared_dispositifs[fold(nom)] > 1 else nom

    rows = {
        ENTITES: list(described.values()),
        DISPOSITIFS: [
            {**values, "entite": entite(values), "commune": communes[values["commune"]]}
            for values in dispositifs.values()
        ],
        FINANCEMENTS: [
            {**values, "dispositif": dispositif(dispositifs[values["dispositif"]])}
            for values in _values(fiches[FINANCEMENTS.name])
            if values["dispositif"] in dispositifs
        ],
    }
    return {
        sheet.name: [
            (number, [_cell(column, values[column.key], listes) for column in sheet.columns])
            for number, values in enumerate(lines, start=sheet.first_row)
        ]
        for sheet, lines in rows.items()
    }


def _values(fiches: Mapping[str, Fiche]) -> list[dict]:
    return [fiche.values for fiche in fiches.values()]


def _cell(column, value, listes):
    cell = column.type.to_cell(value, listes)
    return None if cell == "" else cell
