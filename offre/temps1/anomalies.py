"""The lines of the « Erreurs » tab: one per error or warning, each leading to its cell."""

from offre.colonnes.declaration import BY_NAME
from offre.colonnes.regles import RULES
from offre.models import Anomalie

HEADERS = ("Gravité", "Onglet", "Cellule", "Colonne", "Valeur", "Règle", "Message")
WIDTHS = (15, 12, 9, 24, 24, 24, 70)
LEGEND_HEADER, LEGEND_WIDTH = "Les couleurs des cellules", 42

LABELS = {rule.code: rule.label for rule in RULES}
"""Short name of each rule, by code."""


def line(anomalie: Anomalie) -> tuple[str, ...]:
    """The texts of the line, in the order of ``HEADERS``."""
    return (
        anomalie.get_gravite_display(),
        anomalie.feuille,
        anomalie.place,
        anomalie.colonne,
        anomalie.valeur,
        LABELS.get(anomalie.code, anomalie.code),
        anomalie.message,
    )


def target(anomalie: Anomalie) -> str | None:
    """Address of the cell that the line leads to, None when it is about the whole file."""
    if anomalie.feuille not in BY_NAME or not anomalie.ligne:
        return None
    return anomalie.cellule or f"A{anomalie.ligne}"
