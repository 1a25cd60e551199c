"""Writes a plan: whole tables at a time, inside the caller's transaction."""

import datetime
from collections.abc import Callable, Sequence

from comptes.models import Utilisateur
from offre.models import Dispositif, DispositifSpecificite, Ecart, Entite, Rattachement
from offre.models.imports import Decision, Nature
from offre.models.nomenclature import Statut
from siao.socle.database import check_now, copy_rows, update_rows
from siao.socle.killpoints import kill_point

from .declaration import DISPOSITIFS, ENTITES, FINANCEMENTS
from .fiches import TABLE_DISPOSITIFS, TABLE_ENTITES, TABLE_FINANCEMENTS, TABLES, Table
from .plan import Rows

_PUBLICS = Dispositif.publics.through


def apply_plan(
    ecarts: Sequence[Ecart],
    rows: Rows,
    *,
    auteur: Utilisateur,
    statut: str,
    aujourdhui: datetime.date,
    progress: Callable[[str, int, int], None] = lambda *_: None,
) -> None:
    """Create, change and close what ``ecarts`` say, with the values of ``rows`` (canonical, by tab and key).

    Runs in the caller's transaction; a broken constraint raises ``IntegrityError`` and nothing is written.
    """
    by_sheet = {name: [ecart for ecart in ecarts if ecart.feuille == name] for name in TABLES}
    # A fiche that is closed frees its name for another one of the same file.
    close(ecarts, auteur=auteur, aujourdhui=aujourdhui)
    progress("Enregistrement des entités", 0, len(by_sheet[ENTITES.name]))
    _write_entites(by_sheet[ENTITES.name], rows, auteur, statut)
    progress("Enregistrement des dispositifs", 0, len(by_sheet[DISPOSITIFS.name]))
    _write_dispositifs(by_sheet[DISPOSITIFS.name], rows, auteur, statut)
    progress("Enregistrement des financements", 0, len(by_sheet[FINANCEMENTS.name]))
    _write_financements(by_sheet[FINANCEMENTS.name], rows, auteur)
    check_now()


def _created(ecarts, rows: Rows, sheet: str) -> list[tuple[int, dict]]:
    return [(ecart.objet, rows[sheet][ecart.cle]) for ecart in ecarts if ecart.nature == Nature.CREE]


def _changed(ecarts) -> list[Ecart]:
    return [ecart for ecart in ecarts if ecart.nature == Nature.MODIFIE and ecart.decision in ("", Decision.FICHIER)]


def _insert(table: Table, rows: list[tuple], fixed: dict, auteur) -> None:
    """Copy new fiches: ``rows`` are (primary key, canonical row, values of ``fixed``'s keys)."""

    def lines():
        for identifier, row in rows:
            kill_point("P7")
            values = [table.to_database(key, row[key]) for key in table.attributes]
            yield (identifier, *values, *(value(row) for value in fixed.values()), auteur.pk, auteur.pk)

    copy_rows(table.model, ["id", *table.attributes.values(), *fixed, "cree_par", "modifie_par"], lines())


def update_fiches(table: Table, changes: list[tuple[int, dict]], auteur) -> None:
    """Change fiches: ``changes`` are (primary key, {key: canonical value}); others of their values stay."""
    by_fields: dict[tuple, list] = {}
    for identifier, values in changes:
        known = tuple(sorted(key for key in values if key in table.attributes or key in _COMMON))
        if known:
            by_fields.setdefault(known, []).append((identifier, values))
    for keys, rows in by_fields.items():
        attributes = [table.attributes.get(key, key) for key in keys]
        update_rows(
            table.model,
            attributes,
            ((identifier, *(_database_value(table, key, values[key]) for key in keys)) for identifier, values in rows),
        )
    touched = [identifier for identifier, _ in changes]
    table.model.objects.filter(pk__in=touched).update(**table.model.trace(auteur))


_COMMON = ("statut", "date_fermeture", "entite")


def _database_value(table: Table, key: str, value):
    return table.to_database(key, value) if key in table.attributes else value


def _write_entites(ecarts, rows: Rows, auteur, statut) -> None:
    change_entites([(ecart.objet, ecart.apres) for ecart in _changed(ecarts)], auteur)
    created = _created(ecarts, rows, ENTITES.name)
    sirens = sorted({row["siren"] for _, row in created})
    Entite.objects.bulk_create((Entite(siren=siren) for siren in sirens), ignore_conflicts=True)
    ids = entite_ids(sirens)
    _insert(
        TABLE_ENTITES,
        created,
        {
            "entite": lambda row: ids[row["siren"]],
            "departement": lambda row: row["departement"],
            "statut": lambda row: statut,
        },
        auteur,
    )


def change_entites(changes: list[tuple[int, dict]], auteur) -> None:
    """Change the fiches of entités; two of them may exchange their names."""
    renamed = [identifier for identifier, values in changes if "nom" in values]
    if renamed:
        # Free all the names first: the constraint looks at each row as it changes.
        update_rows(Rattachement, ["nom"], ((identifier, f"(renommage {identifier})") for identifier in renamed))
    update_fiches(TABLE_ENTITES, changes, auteur)


def _write_dispositifs(ecarts, rows: Rows, auteur, statut) -> None:
    created = _created(ecarts, rows, DISPOSITIFS.name)
    changed = _changed(ecarts)
    sirens = {row["siren"] for _, row in created} | {
        ecart.apres["siren"] for ecart in changed if "siren" in ecart.apres
    }
    ids = entite_ids(sirens)
    _insert(
        TABLE_DISPOSITIFS,
        created,
        {
            "entite": lambda row: ids[row["siren"]],
            "departement": lambda row: row["departement"],
            "statut": lambda row: statut,
        },
        auteur,
    )
    change_dispositifs([(ecart.objet, _with_entite(ecart.apres, ids)) for ecart in changed], auteur)
    copy_rows(
        _PUBLICS,
        ["dispositif", "composition"],
        ((identifier, code) for identifier, row in created for code in row["publics"]),
    )
    copy_rows(
        DispositifSpecificite,
        ["dispositif", "specificite"],
        ((identifier, code) for identifier, row in created for code in row["specificites"]),
    )


def _with_entite(values: dict, ids: dict[str, int]) -> dict:
    return {**values, "entite": ids[values["siren"]]} if "siren" in values else values


def change_dispositifs(changes: list[tuple[int, dict]], auteur) -> None:
    """Change dispositifs, lists included.

    Specificities that leave go first and those that come are last, so that the database can hold, between them, that
    an address is confidential whenever one of them demands it.
    """
    publics = [(identifier, values["publics"]) for identifier, values in changes if "publics" in values]
    specificites = [(identifier, values["specificites"]) for identifier, values in changes if "specificites" in values]
    _PUBLICS.objects.filter(dispositif__in=[identifier for identifier, _ in publics]).delete()
    DispositifSpecificite.objects.filter(dispositif__in=[identifier for identifier, _ in specificites]).delete()
    update_fiches(TABLE_DISPOSITIFS, changes, auteur)
    copy_rows(_PUBLICS, ["dispositif", "composition"], _pairs(publics))
    copy_rows(DispositifSpecificite, ["dispositif", "specificite"], _pairs(specificites))


def _pairs(lists: list[tuple[int, list[str]]]) -> list[tuple[int, str]]:
    return [(identifier, code) for identifier, codes in lists for code in codes]


def _write_financements(ecarts, rows: Rows, auteur) -> None:
    created = _created(ecarts, rows, FINANCEMENTS.name)
    ids = dispositif_ids({row["departement"] for _, row in created})
    _insert(TABLE_FINANCEMENTS, created, {"dispositif": lambda row: ids[row["dispositif"]]}, auteur)
    update_fiches(TABLE_FINANCEMENTS, [(ecart.objet, ecart.apres) for ecart in _changed(ecarts)], auteur)


def close(ecarts: Sequence[Ecart], *, auteur: Utilisateur, aujourdhui: datetime.date) -> None:
    """Close the fiches that the user decided to close; what they were is kept in ``avant``, for the undo."""
    closed = [ecart for ecart in ecarts if ecart.decision == Decision.FERMER]
    for sheet, table in TABLES.items():
        ids = [ecart.objet for ecart in closed if ecart.feuille == sheet]
        if not ids:
            continue
        dates = "date_fin" if sheet == FINANCEMENTS.name else "date_fermeture"
        opening = {FINANCEMENTS.name: "date_debut", DISPOSITIFS.name: "date_ouverture"}.get(sheet)
        fields = [dates] if sheet == FINANCEMENTS.name else [dates, "statut"]
        now = {row.pop("pk"): row for row in table.model.objects.filter(pk__in=ids).values("pk", *fields)}
        starts = dict(table.model.objects.filter(pk__in=ids).values_list("pk", opening)) if opening else {}
        for ecart in closed:
            if ecart.feuille != sheet:
                continue
            # A period that has not begun yet ends the day it was to begin.
            end = max(aujourdhui, starts.get(ecart.objet, aujourdhui)).isoformat()
            ecart.avant = {key: _iso(value) for key, value in now[ecart.objet].items()}
            ecart.apres = {dates: end} | ({"statut": Statut.FERME.value} if "statut" in fields else {})
        Ecart.objects.bulk_update([ecart for ecart in closed if ecart.feuille == sheet], ["avant", "apres"])
        update_fiches(table, [(ecart.objet, ecart.apres) for ecart in closed if ecart.feuille == sheet], auteur)


def _iso(value):
    return value.isoformat() if isinstance(value, datetime.date) else value


def entite_ids(sirens) -> dict[str, int]:
    return dict(Entite.objects.filter(siren__in=sirens).values_list("siren", "pk"))


def dispositif_ids(departements) -> dict[str, int]:
    """Primary keys by key of the workbook."""
    rows = Dispositif.objects.filter(departement__in=departements).values_list("departement_id", "nom_cle", "pk")
    return {f"{departement}|{nom_cle}": identifier for departement, nom_cle, identifier in rows}
