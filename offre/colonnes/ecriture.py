"""Writes fiches, whole tables at a time: an import of thousands of rows and a form of one row go through here.

Values are canonical (``offre.colonnes.fiches``). Everything runs in the caller's transaction; a broken constraint
raises ``IntegrityError``.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from comptes.models import Utilisateur
from offre.models import Dispositif, DispositifSpecificite, Entite, Rattachement
from siao.socle.database import copy_rows, update_rows
from siao.socle.killpoints import kill_point

from .fiches import TABLE_DISPOSITIFS, TABLE_ENTITES, TABLE_FINANCEMENTS, Table

Created = Sequence[tuple[int, dict[str, Any]]]
"""(primary key, canonical row) of new fiches."""

Changes = Sequence[tuple[int, dict[str, Any]]]
"""(primary key, {key: canonical value}) of fiches: their other values stay."""

Done = Callable[[int], None]
"""Told, at each new row, how many came before it."""

_PUBLICS = Dispositif.publics.through


# --- New fiches -------------------------------------------------------------------------------------------------


def insert_entites(created: Created, *, statut: str, auteur: Utilisateur, done: Done = lambda row: None) -> None:
    sirens = sorted({row["siren"] for _, row in created})
    Entite.objects.bulk_create((Entite(siren=siren) for siren in sirens), ignore_conflicts=True)
    ids = entite_ids(sirens)
    given = {
        "entite": lambda row: ids[row["siren"]],
        "departement": lambda row: row["departement"],
        "statut": lambda row: statut,
    }
    _insert(TABLE_ENTITES, created, given, auteur, done)


def insert_dispositifs(created: Created, *, statut: str, auteur: Utilisateur, done: Done = lambda row: None) -> None:
    ids = entite_ids({row["siren"] for _, row in created})
    given = {
        "entite": lambda row: ids[row["siren"]],
        "departement": lambda row: row["departement"],
        "statut": lambda row: statut,
    }
    _insert(TABLE_DISPOSITIFS, created, given, auteur, done)
    copy_rows(_PUBLICS, ["dispositif", "composition"], _pairs(created, "publics"))
    copy_rows(DispositifSpecificite, ["dispositif", "specificite"], _pairs(created, "specificites"))


def insert_financements(
    created: Created,
    *,
    auteur: Utilisateur,
    done: Done = lambda row: None,
    aliases: Mapping[str, str] | None = None,
) -> None:
    """``aliases``: keys of dispositifs that may still have another one in the database, and that one."""
    ids = dispositif_ids({row["departement"] for _, row in created})
    ids |= {new: ids[old] for new, old in (aliases or {}).items() if new not in ids and old in ids}
    _insert(TABLE_FINANCEMENTS, created, {"dispositif": lambda row: ids[row["dispositif"]]}, auteur, done)


def _insert(table: Table, rows: Created, given: dict, auteur: Utilisateur, done: Done) -> None:
    """Copy new fiches; ``given`` computes the attributes that are not values of the row."""

    def lines():
        for number, (identifier, row) in enumerate(rows):
            kill_point("P7")
            done(number)
            values = [table.to_database(key, row[key]) for key in table.attributes]
            yield (identifier, *values, *(value(row) for value in given.values()), auteur.pk, auteur.pk)

    copy_rows(table.model, ["id", *table.attributes.values(), *given, "cree_par", "modifie_par"], lines())


# --- Changes ----------------------------------------------------------------------------------------------------


def change_entites(changes: Changes, auteur: Utilisateur) -> None:
    """Change the fiches of entités; two of them may exchange their names."""
    renamed = [identifier for identifier, values in changes if "nom" in values]
    if renamed:
        # Free all the names first: the constraint looks at each row as it changes.
        update_rows(Rattachement, ["nom"], ((identifier, f"(renommage {identifier})") for identifier in renamed))
    _update(TABLE_ENTITES, changes, auteur)


def change_dispositifs(changes: Changes, auteur: Utilisateur) -> None:
    """Change dispositifs, lists included; one that names another SIREN passes to that entité.

    Specificities that leave go first and those that come are last, so that the database can hold, between them, that
    an address is confidential whenever one of them demands it.
    """
    ids = entite_ids({values["siren"] for _, values in changes if "siren" in values})
    changes = [
        (identifier, {**values, "entite": ids[values["siren"]]} if "siren" in values else values)
        for identifier, values in changes
    ]
    publics = [(identifier, values) for identifier, values in changes if "publics" in values]
    specificites = [(identifier, values) for identifier, values in changes if "specificites" in values]
    _PUBLICS.objects.filter(dispositif__in=[identifier for identifier, _ in publics]).delete()
    DispositifSpecificite.objects.filter(dispositif__in=[identifier for identifier, _ in specificites]).delete()
    _update(TABLE_DISPOSITIFS, changes, auteur)
    copy_rows(_PUBLICS, ["dispositif", "composition"], _pairs(publics, "publics"))
    copy_rows(DispositifSpecificite, ["dispositif", "specificite"], _pairs(specificites, "specificites"))


def change_financements(changes: Changes, auteur: Utilisateur) -> None:
    _update(TABLE_FINANCEMENTS, changes, auteur)


CHANGE = {
    TABLE_ENTITES.sheet.name: change_entites,
    TABLE_DISPOSITIFS.sheet.name: change_dispositifs,
    TABLE_FINANCEMENTS.sheet.name: change_financements,
}
"""What changes the fiches of each tab."""

_COMMON = ("statut", "date_fermeture", "entite")
"""Attributes that change like values, and that the workbook does not have."""


def _update(table: Table, changes: Changes, auteur: Utilisateur) -> None:
    by_fields: dict[tuple, list] = {}
    for identifier, values in changes:
        known = tuple(sorted(key for key in values if key in table.attributes or key in _COMMON))
        if known:
            by_fields.setdefault(known, []).append((identifier, values))
    for keys, rows in by_fields.items():
        update_rows(
            table.model,
            [table.attributes.get(key, key) for key in keys],
            ((identifier, *(_database_value(table, key, values[key]) for key in keys)) for identifier, values in rows),
        )
    touched = [identifier for identifier, _ in changes]
    table.model.objects.filter(pk__in=touched).update(**table.model.trace(auteur))


def _database_value(table: Table, key: str, value):
    return table.to_database(key, value) if key in table.attributes else value


def _pairs(rows: Changes, key: str) -> list[tuple[int, str]]:
    return [(identifier, code) for identifier, values in rows for code in values[key]]


# --- Parents ----------------------------------------------------------------------------------------------------


def entite_ids(sirens) -> dict[str, int]:
    return dict(Entite.objects.filter(siren__in=sirens).values_list("siren", "pk"))


def dispositif_ids(departements) -> dict[str, int]:
    """Primary keys by key of the workbook."""
    rows = Dispositif.objects.filter(departement__in=departements).values_list("departement_id", "nom_cle", "pk")
    return {f"{departement}|{nom_cle}": identifier for departement, nom_cle, identifier in rows}
