"""A fiche that takes another name in the workbook: found, proposed, and never decided here.

A dispositif is known by its name, a financement by what it says of its deed: written otherwise, the same fiche would be
one created and one missing, with its places and its financements on the missing one. Who imports says which are one.
An entité is known by its SIREN: it may change its name.
"""

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from offre.colonnes.declaration import DISPOSITIFS, FINANCEMENTS
from offre.colonnes.fiches import Fiche
from siao.socle.text import fold

Renommages = Sequence[Sequence[str]]
"""What was decided: (tab, key in the database, key in the workbook)."""

Known = dict[str, dict[str, Fiche]]


def renamed(known: Known, rows: Mapping[str, Mapping], renommages: Renommages) -> tuple[Known, dict[tuple, str]]:
    """``known`` under the keys that the workbook gives, and the former ones: {(tab, key): key in the database}.

    The financements of a dispositif follow it. What no longer applies (the base changed meanwhile) is left aside.
    """
    known = {sheet: dict(fiches) for sheet, fiches in known.items()}
    former: dict[tuple, str] = {}

    def move(sheet: str, old: str, new: str, **values) -> bool:
        fiches = known.get(sheet, {})
        if old not in fiches or new in fiches:
            return False
        fiche = fiches.pop(old)
        fiches[new] = dataclasses.replace(fiche, values={**fiche.values, **values})
        former[sheet, new] = former.pop((sheet, old), old)
        return True

    for sheet, old, new in sorted(renommages):  # the dispositifs first: the others are named after them
        if new in rows.get(sheet, {}) and move(sheet, old, new) and sheet == DISPOSITIFS.name:
            for key, fiche in list(known.get(FINANCEMENTS.name, {}).items()):
                if fiche.values["dispositif"] == old:
                    move(FINANCEMENTS.name, key, new + key.removeprefix(old), dispositif=new)
    return known, former


def candidates(
    sheet: str, missing: Mapping[str, Mapping], created: Mapping[str, Mapping], *, most: int = 5
) -> dict[str, list[str]]:
    """For each missing fiche, the keys of the created rows that may be the same one."""
    signs = _SIGNS.get(sheet)
    if signs is None:
        return {}
    by_sign = defaultdict(list)
    for key, row in created.items():
        for sign in signs(row):
            by_sign[sign].append(key)
    found = {}
    for key, values in missing.items():
        same = dict.fromkeys(other for sign in signs(values) for other in by_sign.get(sign, ()))
        if same:
            found[key] = list(same)[:most]
    return found


def _of_dispositif(row: Mapping) -> Iterable[tuple]:
    """Same entité, same type, same address; or the same number in a register."""
    place = fold(row["voie"]), row["code_postal"], row["commune"]
    yield (row["departement"], row["siren"], row["type"], *place)
    for register in ("siret", "finess"):
        if row[register]:
            yield (row["departement"], register, row[register])


def _of_financement(row: Mapping) -> Iterable[tuple]:
    """Same dispositif, and all that names it but one."""
    names = (row["ligne"], fold(row["precision"] or ""), fold(row["reference_acte"] or ""), row["date_debut"])
    for left_out in ((0, 1), (2,), (3,)):
        yield (row["dispositif"], left_out, *(name for i, name in enumerate(names) if i not in left_out))


_SIGNS = {DISPOSITIFS.name: _of_dispositif, FINANCEMENTS.name: _of_financement}
