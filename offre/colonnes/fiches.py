"""The fiches of some départements in the canonical form of the workbook: one mapping, to read and to write them."""

import datetime
import decimal
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import F, Model, OuterRef, TextField, Value
from django.db.models.functions import Coalesce, Concat, NullIf, Trim

from offre.models import Dispositif, DispositifSpecificite, Financement, Rattachement
from offre.models.nomenclature import Statut
from siao.socle.columns import Sheet
from siao.socle.columns.types import Values

from .declaration import DISPOSITIFS, ENTITES, FINANCEMENTS
from .listes import Listes


@dataclass(frozen=True)
class Fiche:
    """One fiche as the database holds it now."""

    id: int
    version: int
    values: dict[str, Any]
    statut: str
    modifie_le: datetime.datetime
    modifie_par: str
    cree_le: datetime.datetime
    cree_par: str

    @property
    def fermee(self) -> bool:
        return self.statut == Statut.FERME


@dataclass(frozen=True)
class Table:
    """The tab, its model, and the attribute of the model behind each value of the canonical row."""

    nom: str
    """In addresses and reports: « entites »."""
    sheet: Sheet
    model: type[Model]
    attributes: dict[str, str]

    def to_database(self, key: str, value: Any) -> Any:
        """The value as its column takes it: a text is never NULL."""
        if value is None and self.model._meta.get_field(self.attributes[key]).empty_strings_allowed:
            field = self.model._meta.get_field(self.attributes[key])
            return None if field.null else ""
        return value


TABLE_ENTITES = Table(
    "entites",
    ENTITES,
    Rattachement,
    {
        "nom": "nom",
        "telephone": "telephone",
        "courriel": "courriel",
        "convention": "convention_id",
        "idcc": "idcc_id",
    },
)
TABLE_DISPOSITIFS = Table(
    "dispositifs",
    DISPOSITIFS,
    Dispositif,
    {
        column.key: {"type": "type_id", "commune": "commune_id"}.get(column.key, column.key)
        for column in DISPOSITIFS.columns
        if column.key not in ("entite", "publics", "specificites")
    }
    | {"siren": "siren"},
)
TABLE_FINANCEMENTS = Table(
    "financements",
    FINANCEMENTS,
    Financement,
    {
        column.key: {"ligne": "ligne_id"}.get(column.key, column.key)
        for column in FINANCEMENTS.columns
        if column.key != "dispositif"
    },
)
TABLES = {table.sheet.name: table for table in (TABLE_ENTITES, TABLE_DISPOSITIFS, TABLE_FINANCEMENTS)}

BY_NOM = {table.nom: table for table in TABLES.values()}


def _name(who: str) -> Coalesce:
    return Coalesce(
        NullIf(Trim(Concat(f"{who}__prenom", Value(" "), f"{who}__nom")), Value("")),
        f"{who}__courriel",
        Value("un traitement automatique"),
        output_field=TextField(),
    )


_AUTEURS = {"auteur": _name("modifie_par"), "createur": _name("cree_par")}


def fiches_of(departements: Sequence[str], listes: Listes, sheets: Iterable[str]) -> dict[str, dict[str, Fiche]]:
    """The fiches of these départements, by tab and key."""
    owners = {
        ENTITES.name: "departement",
        DISPOSITIFS.name: "departement",
        FINANCEMENTS.name: "dispositif__departement",
    }
    return {
        name: dict(_READERS[name](TABLES[name].model.objects.filter(**{f"{owners[name]}__in": departements}), listes))
        for name in sheets
    }


def fiches_by_id(table: Table, ids: Iterable[int], listes: Listes) -> dict[int, Fiche]:
    """These fiches, by primary key."""
    rows = table.model.objects.filter(pk__in=ids)
    return {fiche.id: fiche for _, fiche in _READERS[table.sheet.name](rows, listes)}


def _entites(rows, listes):
    for row in _values(rows, TABLE_ENTITES, "statut", "date_fermeture", "departement_id", siren=F("entite__siren")):
        closed_on = row["date_fermeture"] and row["date_fermeture"].isoformat()  # not in the workbook
        values = _canonical(row, TABLE_ENTITES) | {
            "departement": row["departement_id"],
            "siren": row["siren"],
            "date_fermeture": closed_on,
        }
        yield f"{row['departement_id']}|{row['siren']}", _fiche(row, values)


def _dispositifs(rows, listes):
    publics = Dispositif.publics.through.objects.filter(dispositif=OuterRef("pk")).values("composition")
    specificites = DispositifSpecificite.objects.filter(dispositif=OuterRef("pk")).values("specificite")
    extras = {"codes_publics": ArraySubquery(publics), "codes_specificites": ArraySubquery(specificites)}
    for row in _values(rows, TABLE_DISPOSITIFS, "statut", "nom_cle", "departement_id", **extras):
        values = _canonical(row, TABLE_DISPOSITIFS) | {
            "departement": row["departement_id"],
            "publics": _ordered(row["codes_publics"], listes["compositions"]),
            "specificites": _ordered(row["codes_specificites"], listes["specificites_public"]),
        }
        values["prestations"] = _ordered(values["prestations"], listes["prestations"])
        yield f"{row['departement_id']}|{row['nom_cle']}", _fiche(row, values)


def _financements(rows, listes):
    extras = {"departement": F("dispositif__departement_id"), "dispositif_cle": F("dispositif__nom_cle")}
    for row in _values(rows, TABLE_FINANCEMENTS, "precision_cle", "reference_cle", **extras):
        values = _canonical(row, TABLE_FINANCEMENTS) | {
            "departement": row["departement"],
            "dispositif": f"{row['departement']}|{row['dispositif_cle']}",
        }
        key = (
            row["departement"],
            row["dispositif_cle"],
            row["ligne_id"],
            row["precision_cle"],
            row["reference_cle"],
            values["date_debut"],
        )
        yield "|".join(key), _fiche(row, values)


_READERS = {ENTITES.name: _entites, DISPOSITIFS.name: _dispositifs, FINANCEMENTS.name: _financements}


def _values(rows, table: Table, *fields, **extras):
    return rows.order_by().values(
        "pk",
        "version",
        "modifie_le",
        "cree_le",
        *fields,
        *dict.fromkeys(table.attributes.values()),
        **_AUTEURS,
        **extras,
    )


def _canonical(row: dict, table: Table) -> dict[str, Any]:
    values = {}
    for key, attribute in table.attributes.items():
        value = row[attribute]
        if isinstance(value, datetime.date):
            value = value.isoformat()
        elif isinstance(value, decimal.Decimal):
            value = str(value)
        elif value == "" and key in table.sheet.by_key:
            value = table.sheet.by_key[key].type.empty
        values[key] = value
    return values


def _ordered(codes: Iterable[str], values: Values) -> list[str]:
    return sorted(codes, key=lambda code: values.order.get(code, len(values.order)))


def _fiche(row: dict, values: dict) -> Fiche:
    return Fiche(
        row["pk"],
        row["version"],
        values,
        row.get("statut", ""),
        row["modifie_le"],
        row["auteur"],
        row["cree_le"],
        row["createur"],
    )
