"""Reads a workbook and checks it: every error and warning at once, and the rows in their canonical form.

It reads the lists and what the database already knows, and writes nothing. Values of the canonical rows are those of
``siao.socle.columns.types``; a row knows its département, and names its parents by their keys, not by their ids:

- an entité by ``département|SIREN``, a dispositif by ``département|folded name``,
- a financement by its dispositif, ligne, précision, référence and date de début.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from comptes.models import Departement, Region
from offre.models import Entite, Rattachement
from offre.models.nomenclature import Categorie, Statut, Unite
from siao.socle.columns import Problem, Row, Severity, Sheet, SheetReader
from siao.socle.columns.rules import MERGED, OUTSIDE, UNKNOWN_REFERENCE
from siao.socle.columns.sheets import letter, sentence
from siao.socle.columns.types import FAILED, hint
from siao.socle.killpoints import kill_point
from siao.socle.refusal import Refusal
from siao.socle.text import fold
from siao.socle.workbook.cells import Sheet as SheetContent
from siao.socle.workbook.cells import Stray, Workbook
from siao.socle.workbook.sandbox import read_workbook

from . import regles
from .declaration import DISPOSITIFS, ENTITES, EXEMPLE_NOM, FINANCEMENTS, SHEETS
from .listes import Communes, Listes, departement_names
from .structure import data_sheets
from .types import fold_commune

Territoire = Departement | Region

# Numbering plan of the overseas territories, for numbers typed without international prefix.
_PHONE_REGIONS = {
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

CAPACITE = {Unite.PLACES: "places", Unite.LOGEMENTS: "logements", Unite.MESURES: "mesures"}
"""The column of the capacity that each unit of financement counts."""


@dataclass
class Lecture:
    """What was read of a workbook."""

    sheets: list[str]
    """Names of the tabs that the workbook describes, in the order of the model."""
    format: str
    """"xlsx", or "ods" for the reduced variant."""
    problems: list[Problem] = field(default_factory=list)
    rows: dict[str, dict[str, dict]] = field(default_factory=dict)
    """Canonical rows by described tab and key; complete only when there is no error."""
    numbers: dict[str, dict[str, int]] = field(default_factory=dict)
    """Row number in its tab, by tab and key."""

    @property
    def errors(self) -> list[Problem]:
        return [problem for problem in self.problems if problem.rule.severity == Severity.ERROR]

    @property
    def warnings(self) -> list[Problem]:
        return [problem for problem in self.problems if problem.rule.severity == Severity.WARNING]


def read_file(
    path: Path, territoire: Territoire, progress: Callable[[str, int, int], None] = lambda *_: None
) -> Lecture:
    """Read and check the workbook at ``path``. Raises ``Refusal`` when the file as a whole cannot be used.

    ``progress(phase, done, total)`` is told how far the reading is.
    """
    progress("Ouverture du classeur", 0, 0)
    workbook = read_workbook(path, [sheet.name for sheet in SHEETS])
    if workbook.format == "ods" and isinstance(territoire, Region):
        raise Refusal(
            "La variante réduite (.ods) ne dit pas le département de chaque entité : déposez-la département par "
            "département, ou déposez le classeur complet de la région."
        )
    contents, warnings = data_sheets(workbook)
    return _Checker(workbook, contents, warnings, territoire, progress).run()


class _Checker:
    """The reading of one workbook: rows of the three tabs, and what each rule needs to know of the others."""

    def __init__(self, workbook, contents, warnings, territoire, progress):
        self.workbook: Workbook = workbook
        self.contents: dict[str, SheetContent] = contents
        self.territoire = territoire
        self.departements = set(territoire.codes_departements)
        self.regional = isinstance(territoire, Region)
        self.progress = progress
        self.listes = Listes()
        region = _PHONE_REGIONS.get(next(iter(self.departements)), "FR") if len(self.departements) == 1 else "FR"
        self.readers = {sheet.name: SheetReader(sheet, self.listes, region=region) for sheet in SHEETS}
        self.lecture = Lecture(sheets=list(contents), format=workbook.format, problems=warnings)
        self.entites: dict[str, Row] = {}
        self.dispositifs: dict[str, Row] = {}

    def run(self) -> Lecture:
        for text in self.workbook.warnings:
            self.lecture.problems.append(file_problem(regles.FICHIER, sentence=text))
        rows = {sheet.name: self._read(sheet) for sheet in SHEETS}
        self.progress("Contrôle des entités", 0, len(rows[ENTITES.name]))
        self._check_entites(rows[ENTITES.name])
        kill_point("P6")
        self.progress("Contrôle des dispositifs", 0, len(rows[DISPOSITIFS.name]))
        self._check_dispositifs(rows[DISPOSITIFS.name])
        self.progress("Contrôle des financements", 0, len(rows[FINANCEMENTS.name]))
        self._check_financements(rows[FINANCEMENTS.name])
        self._check_known_entites(rows[ENTITES.name])
        self.lecture.rows = {name: self.lecture.rows[name] for name in self.contents}
        for sheet in SHEETS:
            self.lecture.problems += sorted(self.readers[sheet.name].problems, key=lambda problem: problem.row or 0)
        return self.lecture

    def _read(self, sheet: Sheet) -> list[Row]:
        content = self.contents.get(sheet.name)
        if content is None:
            return []
        self.progress(f"Lecture de l'onglet {sheet.name}", 0, len(content.rows))
        reader = self.readers[sheet.name]
        width = len(sheet.columns)
        lines = [(number, cells) for number, cells in content.rows if number not in content.totals]
        for number, cells in lines:
            if number >= sheet.first_row and len(cells) > width:
                for index in range(width, len(cells)):
                    if cells[index] is not None:
                        self._report_stray(sheet, Stray("hors_tableau", number, f"{letter(index)}{number}"))
        for stray in content.strays:
            self._report_stray(sheet, stray)
        for number, merge in content.merges_by_row().items():
            if number >= sheet.first_row and merge.first_column <= width:
                reader.position.report_at(MERGED, number, sheet.columns[merge.first_column - 1])
        return list(reader.read(lines))

    def _report_stray(self, sheet: Sheet, stray: Stray) -> None:
        self.readers[sheet.name].problems.append(
            Problem(
                OUTSIDE,
                sheet.name,
                stray.row,
                stray.address,
                "",
                "",
                OUTSIDE.message.format(sentence=sentence(stray)),
            )
        )

    # --- Entités ------------------------------------------------------------------------------------------------

    def _check_entites(self, rows: list[Row]) -> None:
        report = self.readers[ENTITES.name].position.report_at
        by_siren: dict[str, Row] = {}
        for row in rows:
            if row.has("nom"):
                if fold(row["nom"]) == fold(EXEMPLE_NOM):
                    report(regles.LIGNE_EXEMPLE, row.number, "nom", row["nom"])
                    row.values["nom"] = FAILED
                    continue
                self._unique(ENTITES, row, "nom", fold(row["nom"]), self.entites, regles.NOM_EN_DOUBLE)
            if row.has("siren"):
                self._unique(ENTITES, row, "siren", row["siren"], by_siren, regles.SIREN_EN_DOUBLE)
        self.by_siren = by_siren

    def _unique(self, sheet: Sheet, row: Row, key: str, value, seen: dict, rule) -> None:
        """Both rows are named: the one that comes second, and the one that it repeats."""
        first = seen.setdefault(value, row)
        if first is not row:
            report = self.readers[sheet.name].position.report_at
            for here, other in ((row, first), (first, row)):
                name = other.values.get("nom") or ""
                report(rule, here.number, key, here[key], other=other.number, name=name)

    def _check_known_entites(self, rows: list[Row]) -> None:
        """What the database says of the names and SIREN of the file, once each row knows its départements."""
        report = self.readers[ENTITES.name].position.report_at
        departements_of = defaultdict(set)
        if self.regional:
            for dispositif in self.dispositifs.values():
                if dispositif.values.get("departement") and dispositif.values.get("siren"):
                    departements_of[dispositif["siren"]].add(dispositif["departement"])
        rows = [row for row in rows if row.has("nom", "siren")]
        known = set(Entite.objects.filter(siren__in=[row["siren"] for row in rows]).values_list("siren", flat=True))
        fiches = Rattachement.objects.filter(departement__in=self.departements).values_list(
            "departement_id", "nom_cle", "entite__siren", "statut"
        )
        holders = {(dep, nom_cle): siren for dep, nom_cle, siren, statut in fiches if statut != Statut.FERME}
        attached = {(departement, siren) for departement, _, siren, _ in fiches}
        names = {row["siren"]: fold(row["nom"]) for row in rows}
        described, numbers = {}, {}
        for row in rows:
            departements = departements_of[row["siren"]] if self.regional else self.departements
            if not departements and not self.dispositif_failed(row):
                report(regles.ENTITE_SANS_DISPOSITIF, row.number, "nom", row["nom"])
            if row["siren"] in known and not any((d, row["siren"]) in attached for d in departements):
                report(regles.SIREN_CONNU_AILLEURS, row.number, "siren", row["siren"], found=row["siren"])
            for departement in sorted(departements):
                holder = holders.get((departement, fold(row["nom"])), row["siren"])
                if holder != row["siren"] and holder not in names:
                    report(regles.NOM_REPRIS, row.number, "nom", row["nom"], siren=holder)
                if not row.failed:
                    key = f"{departement}|{row['siren']}"
                    described[key] = {**row.values, "departement": departement}
                    numbers[key] = row.number
        self.lecture.rows[ENTITES.name], self.lecture.numbers[ENTITES.name] = described, numbers

    def dispositif_failed(self, entite: Row) -> bool:
        """Whether a dispositif of the entité has errors: its département may be the one that is missing."""
        return any(
            row.failed and row.values.get("entite_cle") == fold(entite["nom"]) for row in self.dispositifs.values()
        )

    # --- Dispositifs --------------------------------------------------------------------------------------------

    def _check_dispositifs(self, rows: list[Row]) -> None:
        self.communes = Communes(row["code_postal"] for row in rows if row.has("code_postal"))
        self.departement_names = departement_names()
        described, numbers = {}, {}
        for row in rows:
            row.values["departement"] = None
            if row.has("nom"):
                self._unique(DISPOSITIFS, row, "nom", fold(row["nom"]), self.dispositifs, regles.NOM_EN_DOUBLE)
            self._resolve_entite(row)
            self._check_type(row)
            self._check_address(row)
            self._check_numbers(row)
            if not row.failed:
                key = f"{row['departement']}|{fold(row['nom'])}"
                described[key] = {name: value for name, value in row.values.items() if name not in _READING_ONLY}
                numbers[key] = row.number
        self.lecture.rows[DISPOSITIFS.name], self.lecture.numbers[DISPOSITIFS.name] = described, numbers

    def _resolve_entite(self, row: Row) -> None:
        report = self.readers[DISPOSITIFS.name].position.report_at
        row.values["siren"] = row.values["entite_cle"] = None
        if not row.has("entite"):
            return
        row.values["entite_cle"] = fold(row["entite"])
        entite = self.entites.get(row["entite_cle"])
        if entite is None:
            self._unknown(DISPOSITIFS, row, "entite", (other["nom"] for other in self.entites.values()))
            return
        siren = entite["siren"]
        row.values["siren"] = siren
        if siren is not FAILED and row.has("siret") and not row["siret"].startswith(siren):
            report(regles.SIRET_AUTRE_SIREN, row.number, "siret", row["siret"], found=row["siret"][:9], siren=siren)
            row.values["siret"] = FAILED

    def _unknown(self, sheet: Sheet, row: Row, key: str, names: Iterator[str]) -> None:
        kind = sheet.by_key[key].type
        report = self.readers[sheet.name].position.report_at
        text = row[key]
        report(
            UNKNOWN_REFERENCE,
            row.number,
            key,
            text,
            found=text[:60],
            sheet=kind.sheet,
            create=kind.create,
            hint=hint(text, names),
        )
        row.values[key] = FAILED

    def _check_type(self, row: Row) -> None:
        if not row.has("categorie", "type"):
            return
        if row["type"] not in self.listes.types_of[row["categorie"]]:
            self.readers[DISPOSITIFS.name].position.report_at(
                regles.TYPE_HORS_CATEGORIE,
                row.number,
                "type",
                self.listes["types"].labels[row["type"]],
                type=self.listes["types"].labels[row["type"]],
                categorie=Categorie(row["categorie"]).label,
            )
            row.values["type"] = FAILED

    def _check_address(self, row: Row) -> None:
        report = self.readers[DISPOSITIFS.name].position.report_at
        if row.has("code_postal", "commune"):
            found, postal_code = row["commune"], row["code_postal"]
            row.values["commune"] = FAILED
            communes = self.communes.at(postal_code)
            commune = communes.get(fold_commune(found))
            if not communes:
                report(regles.CODE_POSTAL_INCONNU, row.number, "code_postal", postal_code, found=postal_code)
            elif commune is None:
                report(
                    regles.COMMUNE_HORS_CODE_POSTAL,
                    row.number,
                    "commune",
                    found,
                    found=found[:60],
                    code=postal_code,
                    communes=_some(sorted(commune.nom for commune in communes.values())),
                )
            elif commune.departement not in self.departements:
                report(
                    regles.COMMUNE_HORS_DEPARTEMENT,
                    row.number,
                    "commune",
                    found,
                    found=commune.nom,
                    departement=f"{self.departement_names[commune.departement]}, {commune.departement}",
                    territoire=self.territoire.designation,
                )
            else:
                row.values["commune"], row.values["departement"] = commune.code, commune.departement
        if row.has("specificites") and row["adresse_confidentielle"] is False:
            for specificite in row["specificites"]:
                if specificite in self.listes.confidentielles:
                    public = self.listes.confidentielles[specificite]
                    report(regles.ADRESSE_CONFIDENTIELLE, row.number, "adresse_confidentielle", "Non", public=public)
                    row.values["adresse_confidentielle"] = FAILED
                    break

    def _check_numbers(self, row: Row) -> None:
        report = self.readers[DISPOSITIFS.name].position.report_at
        if row.has("date_ouverture", "date_fermeture") and row["date_fermeture"] < row["date_ouverture"]:
            date = DISPOSITIFS.by_key["date_ouverture"].type.show
            report(
                regles.FERMETURE_AVANT_OUVERTURE,
                row.number,
                "date_fermeture",
                date(row["date_fermeture"]),
                fermeture=date(row["date_fermeture"]),
                ouverture=date(row["date_ouverture"]),
            )
            row.values["date_fermeture"] = FAILED
        parts = ("places_urgence", "places_stabilisation", "places_insertion")
        if row.has("places", *parts):
            numbers = [row[part] for part in parts]
            if sum(numbers) != row["places"]:
                report(
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
            report(
                regles.PMR_TROP_GRAND,
                row.number,
                "places_pmr",
                row["places_pmr"],
                found=row["places_pmr"],
                places=row["places"],
            )
            row.values["places_pmr"] = FAILED
        if row.has("logements", "contingent_nombre") and row["contingent_nombre"] > row["logements"]:
            report(
                regles.CONTINGENT_TROP_GRAND,
                row.number,
                "contingent_nombre",
                row["contingent_nombre"],
                found=row["contingent_nombre"],
                logements=row["logements"],
            )
            row.values["contingent_nombre"] = FAILED
        if row.has("age_min", "age_max") and row["age_max"] < row["age_min"]:
            report(
                regles.AGES_INVERSES,
                row.number,
                "age_max",
                row["age_max"],
                maximum=row["age_max"],
                minimum=row["age_min"],
            )
            row.values["age_max"] = FAILED

    # --- Financements -------------------------------------------------------------------------------------------

    def _check_financements(self, rows: list[Row]) -> None:
        report = self.readers[FINANCEMENTS.name].position.report_at
        described, numbers = {}, {}
        seen: dict[tuple, Row] = {}
        by_dispositif = defaultdict(list)
        for row in rows:
            dispositif = self.dispositifs.get(fold(row["dispositif"])) if row.has("dispositif") else None
            if row.has("dispositif") and dispositif is None:
                self._unknown(FINANCEMENTS, row, "dispositif", (other["nom"] for other in self.dispositifs.values()))
            if row.has("date_debut", "date_fin") and row["date_fin"] < row["date_debut"]:
                date = FINANCEMENTS.by_key["date_fin"].type.show
                report(
                    regles.FIN_AVANT_DEBUT,
                    row.number,
                    "date_fin",
                    date(row["date_fin"]),
                    fin=date(row["date_fin"]),
                    debut=date(row["date_debut"]),
                )
                row.values["date_fin"] = FAILED
            if row.failed or dispositif is None:
                continue
            identity = (
                fold(row["dispositif"]),
                row["ligne"],
                fold(row["precision"]),
                fold(row["reference_acte"]),
                row["date_debut"],
            )
            first = seen.setdefault(identity, row)
            if first is not row:
                for here, other in ((row, first), (first, row)):
                    report(
                        regles.FINANCEMENT_EN_DOUBLE, here.number, "dispositif", here["dispositif"], other=other.number
                    )
                continue
            by_dispositif[identity[0]].append(row)
            if not dispositif.failed:
                key = "|".join((dispositif["departement"], *identity))
                values = {**row.values, "departement": dispositif["departement"]}
                values["dispositif"] = f"{dispositif['departement']}|{identity[0]}"
                described[key], numbers[key] = values, row.number
        for name, financements in by_dispositif.items():
            self._check_sums(self.dispositifs[name], financements)
        self.lecture.rows[FINANCEMENTS.name], self.lecture.numbers[FINANCEMENTS.name] = described, numbers

    def _check_sums(self, dispositif: Row, financements: list[Row]) -> None:
        """What is financed at any one time does not exceed the capacity; units are those of the category."""
        report = self.readers[FINANCEMENTS.name].position.report_at
        if not dispositif.has("categorie"):
            return
        for row in financements:
            counted = CAPACITE.get(row["unite"])
            if counted is None:
                continue
            label = Unite(row["unite"]).label
            if not dispositif.has(counted) and dispositif[counted] is not FAILED:
                categorie = Categorie(dispositif["categorie"]).label
                report(regles.UNITE_INATTENDUE, row.number, "unite", label, unite=label, categorie=categorie)
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
                    report(
                        regles.FINANCEMENT_AU_DELA,
                        last.number,
                        "quantite",
                        last["quantite"],
                        total=total,
                        unite=Unite(unite).label.lower(),
                        date=FINANCEMENTS.by_key["date_debut"].type.show(start),
                        capacite=capacite,
                    )


def file_problem(rule, sheet: str = "", **details) -> Problem:
    """A problem of the file or of a tab as a whole."""
    return Problem(rule, sheet, None, "", "", "", rule.message.format(**details))


_READING_ONLY = {"entite", "entite_cle"}


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + ("…" if len(names) > 5 else "")
