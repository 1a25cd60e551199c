"""Workbooks of the tests: valid by default, with one thing changed."""

import csv
import io
import zipfile
from typing import Any

import openpyxl

from comptes.models import Departement
from offre.colonnes.declaration import BY_NAME, DISPOSITIFS, ENTITES, FINANCEMENTS, SHEETS
from offre.colonnes.listes import Listes
from offre.temps1.modele import write_xlsx
from offre.temps1.modele_ods import write_ods

# SIREN that begin with 000 are never given by the register.
SIREN = "000440016"
AUTRE_SIREN = "000440024"

ENTITE = {"nom": "Association l'Ancre", "siren": SIREN}
DISPOSITIF = {
    "entite": ENTITE["nom"],
    "nom": "CHRS le Phare",
    "categorie": "Hébergement",
    "type": "CHRS",
    "date_ouverture": "01/02/2015",
    "perennite": "Pérenne",
    "voie": "1 rue des Exemples",
    "code_postal": "44000",
    "commune": "Nantes",
    "adresse_confidentielle": "Non",
    "implantation": "Regroupé",
    "orientation_siao": "Oui",
    "publics": "Homme seul ; Femme seule",
    "places": 30,
    "places_urgence": 10,
    "places_stabilisation": 5,
    "places_insertion": 15,
}
PENSION = {
    **{key: DISPOSITIF[key] for key in ("entite", "date_ouverture", "perennite", "voie", "code_postal", "commune")},
    "nom": "Pension de famille la Source",
    "categorie": "Logement Résidence sociale",
    "type": "Pension de famille",
    "adresse_confidentielle": "Non",
    "implantation": "Regroupé",
    "orientation_siao": "Oui",
    "contingent_prefectoral": "Oui",
    "contingent_nombre": 12,
    "publics": "Homme seul",
    "logements": 24,
}
FINANCEMENT = {
    "dispositif": DISPOSITIF["nom"],
    "ligne": "Programme 177 – Hébergement, parcours vers le logement et insertion des personnes vulnérables",
    "nature_acte": "Convention annuelle",
    "reference_acte": "2024-001",
    "date_debut": "01/01/2024",
    "date_fin": "31/12/2024",
    "quantite": 30,
    "unite": "Places",
    "montant_annuel": 250000.5,
}


def classeur(
    entites: list[dict] | None = None,
    dispositifs: list[dict] | None = None,
    financements: list[dict] | None = None,
    *,
    kind: str = "xlsx",
) -> bytes:
    """A workbook with these rows (a valid one of each by default); each row is {key: cell}.

    ``kind``: "xlsx", "ods" for the reduced variant, "ods complet".
    """
    given = (
        (ENTITES, [ENTITE] if entites is None else entites),
        (DISPOSITIFS, [DISPOSITIF] if dispositifs is None else dispositifs),
        (FINANCEMENTS, [FINANCEMENT] if financements is None else financements),
    )
    rows = {
        sheet.name: [
            (number, [row.get(column.key) for column in sheet.columns])
            for number, row in enumerate(lines, start=sheet.first_row)
            if row is not None
        ]
        for sheet, lines in given
    }
    stream = io.BytesIO()
    if kind == "xlsx":
        write_xlsx(stream, Listes(), rows=rows)
    else:
        write_ods(stream, Listes(), rows=rows, sheets=[ENTITES] if kind == "ods" else SHEETS)
    return stream.getvalue()


def with_cell(sheet: str, key: str, value: Any, **others) -> bytes:
    """The valid workbook with one cell changed, and maybe others of the same row."""
    valid = {"Entités": ENTITE, "Dispositifs": DISPOSITIF, "Financement": FINANCEMENT}
    rows = {name: [{**row, key: value, **others} if name == sheet else row] for name, row in valid.items()}
    return classeur(rows["Entités"], rows["Dispositifs"], rows["Financement"])


def address(sheet: str, key: str, row: int = 9) -> str:
    return f"{BY_NAME[sheet].letters[key]}{row}"


def departement(code: str = "44") -> Departement:
    return Departement.objects.get(code=code)


def lines_of(answer, kind: str) -> list[list[str]]:
    """The cells of a downloaded list (csv, xlsx), as text."""
    content = b"".join(answer.streaming_content)
    if kind == "csv":
        return list(csv.reader(io.StringIO(content.decode("utf-8-sig")), delimiter=";"))
    rows = openpyxl.load_workbook(io.BytesIO(content)).active.iter_rows(values_only=True)
    return [["" if cell is None else str(cell) for cell in row] for row in rows]


def with_part(content: bytes, part: str, before: str, after: str) -> bytes:
    """A file in which one part says ``after`` instead of ``before``."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as target:
        for entry in source.infolist():
            data = source.read(entry)
            if entry.filename == part:
                assert before.encode() in data
                data = data.replace(before.encode(), after.encode())
            target.writestr(entry, data)
    return stream.getvalue()
