"""Canonical values as people read them: in a fiche, in a list of changes."""

from collections.abc import Iterable, Mapping
from typing import Any

from comptes.models import Commune
from offre.models.nomenclature import Statut
from siao.socle.columns import Reference, Sheet

from .listes import Listes

ADRESSE = ("voie", "complement", "code_postal", "commune", "siret", "finess")
"""What locates a dispositif: SIRET and FINESS too, since public registers give the address of each establishment."""

OTHERS = {"siren": "Entité (SIREN)", "statut": "Statut", "date_fermeture": "Date de fermeture"}
"""Values that a fiche has besides the columns of its tab."""

MASQUE = "Confidentiel"


class Affichage:
    """The lists and communes that showing values takes, read once for any number of fiches."""

    def __init__(self, values: Iterable[Mapping[str, Any]] = (), *, listes: Listes | None = None, communes=None):
        self.listes = listes or Listes()
        self.communes: dict[str, str] = dict(communes or {})
        self.learn(values)

    def learn(self, values: Iterable[Mapping[str, Any]]) -> None:
        """Read the names of the communes of ``values``."""
        codes = {row["commune"] for row in values if row.get("commune")} - set(self.communes)
        if codes:
            self.communes |= Commune.objects.filter(code__in=codes).values_list("code", "nom")

    def value(self, sheet: Sheet, key: str, value: Any) -> str:
        if key == "commune":
            return self.communes.get(value, "")
        if key == "statut":
            return Statut(value).label if value else ""
        if key in sheet.by_key:
            return sheet.by_key[key].type.show(value, self.listes)
        return value or ""

    def changements(
        self, sheet: Sheet, changements: Mapping[str, list], *, adresse: bool = True
    ) -> list[tuple[str, str, str]]:
        """[(label, avant, après)] in the order of the workbook; without ``adresse``, what locates is masked."""
        order = [*sheet.by_key, *OTHERS]
        return [
            (
                sheet.by_key[key].label if key in sheet.by_key else OTHERS[key],
                *(
                    self.value(sheet, key, value) if adresse or key not in ADRESSE else MASQUE
                    for value in changements[key]
                ),
            )
            for key in sorted(changements, key=order.index)
        ]

    def groupes(
        self, sheet: Sheet, values: Mapping[str, Any], *, adresse: bool = True
    ) -> dict[str, list[tuple[str, str, str]]]:
        """{group: [(key, label, value)]}: what a fiche says, without the columns that its other values close."""
        groups: dict[str, list] = {}
        for column in sheet.columns:
            if isinstance(column.type, Reference):
                continue
            value = values.get(column.key, column.type.empty)
            if column.opened_when and not column.opened_when.holds(values) and value in (None, "", []):
                continue
            hidden = not adresse and column.key in ADRESSE
            shown = MASQUE if hidden else self.value(sheet, column.key, value)
            groups.setdefault(column.group, []).append((column.key, column.label, shown))
        return groups
