"""What the columns of a row say of each other, and what the registers say of them.

Each check looks at what was read without problem, reports at the cell to correct, and marks it ``FAILED``. The import
runs them on every row of a workbook, a form on its only row.
"""

import functools
from collections.abc import Collection, Sequence

from offre.models.nomenclature import Categorie, Unite
from siao.socle.columns import Position, Row
from siao.socle.columns.types import FAILED
from siao.socle.text import fold

from . import regles
from .communes import Communes, lire
from .declaration import DISPOSITIFS, EXEMPLE_NOM, FINANCEMENTS
from .listes import Listes

PHONE_REGIONS = {
    "971": "GP",
    "972": "MQ",
    "973": "GF",
    "974": "RE",
    "975": "PM",
    "976": "YT",
    "977": "BL",
    "978": "MF",
    "986": "WF",
    "987": "PF",
    "988": "NC",
}
"""Numbering plan of the overseas territories, for numbers typed without international prefix."""

CAPACITE = {Unite.PLACES: "places", Unite.LOGEMENTS: "logements", Unite.MESURES: "mesures"}
"""The column of the capacity that each unit of financement counts."""


def phone_region(departements: Collection[str]) -> str:
    """The numbering plan of these départements."""
    return PHONE_REGIONS.get(next(iter(departements)), "FR") if len(departements) == 1 else "FR"


# --- Entités ----------------------------------------------------------------------------------------------------


def check_entite(row: Row, position: Position) -> None:
    if row.has("nom") and fold(row["nom"]) == fold(EXEMPLE_NOM):
        if not any(found.rule is regles.LIGNE_EXEMPLE and found.row == row.number for found in position.problems):
            position.report_at(regles.LIGNE_EXEMPLE, row.number, "nom", row["nom"])
        row.values["nom"] = FAILED


# --- Dispositifs ------------------------------------------------------------------------------------------------


def check_dispositif(row: Row, position: Position, *, listes: Listes, communes: Communes) -> None:
    """Check one dispositif; ``row["siren"]`` is that of its entité (None or FAILED when it is not known)."""
    _check_siret(row, position)
    _check_type(row, position, listes)
    _check_commune(row, position, communes)
    _check_confidentiality(row, position, listes)
    _check_dates(row, position)
    _check_numbers(row, position)


def _check_siret(row: Row, position: Position) -> None:
    if row.has("siren", "siret") and not row["siret"].startswith(row["siren"]):
        position.report_at(
            regles.SIRET_AUTRE_SIREN, row.number, "siret", row["siret"], found=row["siret"][:9], siren=row["siren"]
        )
        row.values["siret"] = FAILED


def _check_type(row: Row, position: Position, listes: Listes) -> None:
    if row.has("categorie", "type") and row["type"] not in listes.types_of[row["categorie"]]:
        label = listes["types"].labels[row["type"]]
        categorie = Categorie(row["categorie"]).label
        position.report_at(regles.TYPE_HORS_CATEGORIE, row.number, "type", label, type=label, categorie=categorie)
        row.values["type"] = FAILED


def _check_commune(row: Row, position: Position, communes: Communes) -> None:
    """The commune of the postal code: its official code replaces its name, and gives the row its département."""
    if not row.has("code_postal", "commune"):
        return
    found, postal_code = row["commune"], row["code_postal"]
    row.values["commune"] = FAILED
    known = communes.at(postal_code)
    commune = known.find(found)
    if not known.communes or (commune is None and communes.here(found) == communes.of_insee(postal_code) is not None):
        _report_postal_code(row, position, communes, found, postal_code)
    elif commune is None or _arrondissement(found, postal_code) != postal_code:
        close = known.close(found)
        names = _some(sorted(commune.nom for commune in known.communes))
        there = f"peut-être « {close.nom} », qui a ce code" if close else f"ce code est celui de {names}"
        elsewhere = communes.here(found)
        if commune is not None:
            there = f"écrivez {_arrondissement(found, postal_code)}, ou « {commune.nom} »"
        elif elsewhere:
            there += f" ; {elsewhere[0].nom} a {_codes(elsewhere[1])}"
        position.report_at(
            regles.COMMUNE_HORS_CODE_POSTAL,
            row.number,
            "commune",
            found,
            found=found[:60],
            code=postal_code,
            communes=there,
        )
    elif commune.departement not in communes.departements:
        position.report_at(
            regles.COMMUNE_HORS_DEPARTEMENT,
            row.number,
            "commune",
            found,
            found=commune.nom,
            departement=f"{commune.departement_nom}, {commune.departement}",
            territoire=communes.territoire.designation,
        )
    else:
        row.values["commune"], row.values["departement"] = commune.code, commune.departement
        if not known.is_present(found):
            position.report_at(
                regles.COMMUNE_ANCIENNE, row.number, "commune", found, found=found[:60], commune=commune.nom
            )


def _report_postal_code(row: Row, position: Position, communes: Communes, found: str, postal_code: str) -> None:
    """No commune has this postal code: it is the INSEE code of one, a CEDEX code, or a mistake."""
    insee, named = communes.of_insee(postal_code), communes.here(found)
    report = functools.partial(position.report_at, found=postal_code)
    place = (row.number, "code_postal", postal_code)
    hint = f" ({named[0].nom} : {_codes(named[1])})" if named else ""
    if insee:
        report(regles.CODE_POSTAL_INSEE, *place, commune=insee[0].nom, codes=_codes(insee[1]))
    elif "cedex" in fold(found) or (named and _same_departement(named[1], postal_code)):
        report(regles.CODE_POSTAL_CEDEX, *place, hint=hint)
    else:
        report(regles.CODE_POSTAL_INCONNU, *place, hint=hint)


def _same_departement(codes: Sequence[str], postal_code: str) -> bool:
    return not postal_code.endswith("000") and any(code[:2] == postal_code[:2] for code in codes)


def _arrondissement(name: str, postal_code: str) -> str:
    """The postal code of the arrondissement that ``name`` says, ``postal_code`` when it says none."""
    number = lire(name).arrondissement
    if number is None or (postal_code == "75116" and number == 16):
        return postal_code
    return f"{postal_code[:3]}{number:02}"


def _codes(codes: Sequence[str]) -> str:
    """« 44000, 44100 ou 44200 »."""
    return codes[0] if len(codes) == 1 else f"{', '.join(codes[:-1])} ou {codes[-1]}"


def _check_confidentiality(row: Row, position: Position, listes: Listes) -> None:
    if not row.has("specificites") or row["adresse_confidentielle"] is not False:
        return
    public = next((listes.confidentielles[code] for code in row["specificites"] if code in listes.confidentielles), "")
    if public:
        position.report_at(regles.ADRESSE_CONFIDENTIELLE, row.number, "adresse_confidentielle", "Non", public=public)
        row.values["adresse_confidentielle"] = FAILED


def _check_dates(row: Row, position: Position) -> None:
    if row.has("date_ouverture", "date_fermeture") and row["date_fermeture"] < row["date_ouverture"]:
        show = DISPOSITIFS.by_key["date_ouverture"].type.show
        position.report_at(
            regles.FERMETURE_AVANT_OUVERTURE,
            row.number,
            "date_fermeture",
            show(row["date_fermeture"]),
            fermeture=show(row["date_fermeture"]),
            ouverture=show(row["date_ouverture"]),
        )
        row.values["date_fermeture"] = FAILED


def _check_numbers(row: Row, position: Position) -> None:
    parts = ("places_urgence", "places_stabilisation", "places_insertion")
    if row.has("places", *parts):
        numbers = [row[part] for part in parts]
        if sum(numbers) != row["places"]:
            position.report_at(
                regles.SOMME_DES_PLACES,
                row.number,
                "places",
                row["places"],
                urgence=numbers[0],
                stabilisation=numbers[1],
                insertion=numbers[2],
                total=sum(numbers),
                places=row["places"],
            )
            row.values["places"] = FAILED
    if row.has("places", "places_pmr") and row["places_pmr"] > row["places"]:
        found, places = row["places_pmr"], row["places"]
        position.report_at(regles.PMR_TROP_GRAND, row.number, "places_pmr", found, found=found, places=places)
        row.values["places_pmr"] = FAILED
    if row.has("logements", "contingent_nombre") and row["contingent_nombre"] > row["logements"]:
        found, logements = row["contingent_nombre"], row["logements"]
        position.report_at(
            regles.CONTINGENT_TROP_GRAND, row.number, "contingent_nombre", found, found=found, logements=logements
        )
        row.values["contingent_nombre"] = FAILED
    if row.has("age_min", "age_max") and row["age_max"] < row["age_min"]:
        maximum, minimum = row["age_max"], row["age_min"]
        position.report_at(regles.AGES_INVERSES, row.number, "age_max", maximum, maximum=maximum, minimum=minimum)
        row.values["age_max"] = FAILED


# --- Financements -----------------------------------------------------------------------------------------------


def check_financement(row: Row, position: Position) -> None:
    if row.has("date_debut", "date_fin") and row["date_fin"] < row["date_debut"]:
        show = FINANCEMENTS.by_key["date_fin"].type.show
        position.report_at(
            regles.FIN_AVANT_DEBUT,
            row.number,
            "date_fin",
            show(row["date_fin"]),
            fin=show(row["date_fin"]),
            debut=show(row["date_debut"]),
        )
        row.values["date_fin"] = FAILED


def check_sums(dispositif: Row, financements: Sequence[Row], position: Position) -> None:
    """What is financed at any one time does not exceed the capacity; units are those of the category (warnings)."""
    if not dispositif.has("categorie"):
        return
    for row in financements:
        counted = CAPACITE.get(row["unite"])
        if counted is None:
            continue
        label = Unite(row["unite"]).label
        if not dispositif.has(counted) and dispositif[counted] is not FAILED:
            categorie = Categorie(dispositif["categorie"]).label
            position.report_at(regles.UNITE_INATTENDUE, row.number, "unite", label, unite=label, categorie=categorie)
    for unite, counted in CAPACITE.items():
        capacite = dispositif[counted]
        rows = [row for row in financements if row["unite"] == unite]
        if capacite is FAILED or capacite is None:
            continue
        # The sum only grows where a period begins.
        for start in sorted({row["date_debut"] for row in rows}):
            current = [row for row in rows if row["date_debut"] <= start and (row["date_fin"] or "9999") >= start]
            total = sum(row["quantite"] for row in current)
            if total > capacite:
                last = max(current, key=lambda row: (row["date_debut"], row.number))
                position.report_at(
                    regles.FINANCEMENT_AU_DELA,
                    last.number,
                    "quantite",
                    last["quantite"],
                    total=total,
                    unite=Unite(unite).label.lower(),
                    date=FINANCEMENTS.by_key["date_debut"].type.show(start),
                    capacite=capacite,
                )


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + ("…" if len(names) > 5 else "")
