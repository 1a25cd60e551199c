"""The declaration says what the reference file of the workbook's columns says, column by column."""

import csv
from pathlib import Path

from offre.colonnes.declaration import BY_NAME
from siao.socle.columns.sheets import letter

REFERENCE = Path(__file__).with_name("classeur_temps1.csv")


def test_every_column_is_declared_where_the_reference_puts_it():
    with REFERENCE.open(encoding="utf-8", newline="") as file:
        expected = list(csv.DictReader(file))
    declared = [
        (sheet.name, letter(position), column.group, column.key, column.header)
        for sheet in BY_NAME.values()
        for position, column in enumerate(sheet.columns)
    ]
    assert declared == [(row["feuille"], row["colonne"], row["groupe"], row["cle"], row["entete"]) for row in expected]
    for row in expected:
        column = BY_NAME[row["feuille"]].by_key[row["cle"]]
        assert column.required == (row["obligatoire"] in ("oui", "condition")), row
        assert bool(column.opened_when) == bool(row["ouverte_si"]), row
        if row["longueur_max"] and row["type"] == "texte":
            assert column.type.maximum == int(row["longueur_max"]), row
