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
from offre.colonnes import regles
from offre.colonnes.controles import check_dispositif, check_entite, check_financement, check_sums, phone_region
from offre.colonnes.declaration import DISPOSITIFS, ENTITES, FINANCEMENTS, SHEETS
from offre.colonnes.listes import Communes, Listes, garde_of
from offre.models import Entite, Rattachement
from offre.models.nomenclature import Statut
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

from .structure import about, data_sheets, is_reduced

Territoire = Departement | Region


@dataclass
class Lecture:
    """What was read of a workbook."""

    sheets: list[str]
    """Names of the tabs that the workbook describes, in the order of the model."""
    format: str
    """"xlsx" or "ods"."""
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
    if is_reduced(workbook) and isinstance(territoire, Region):
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
        self.listes = Listes(garde_of(self.departements))
        region = phone_region(self.departements)
        self.readers = {sheet.name: SheetReader(sheet, self.listes, region=region) for sheet in SHEETS}
        self.lecture = Lecture(sheets=list(contents), format=workbook.format, problems=warnings)
        self.entites: dict[str, Row] = {}
        self.dispositifs: dict[str, Row] = {}

    def run(self) -> Lecture:
        for text in self.workbook.warnings:
            self.lecture.problems.append(about(regles.FICHIER, sentence=text))
        rows = {sheet.name: self._read(sheet) for sheet in SHEETS}
        if not any(rows.values()):
            self.lecture.problems.append(about(regles.CLASSEUR_VIDE))
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
            self.lecture.problems += sorted(self.readers[sheet.name].problems, key=_place)
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
        by_siren: dict[str, Row] = {}
        for row in rows:
            if row.has("nom"):
                check_entite(row, self.readers[ENTITES.name].position)
            if row.has("nom"):
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
                named = f" (« {other['nom']} »)" if key != "nom" and other.has("nom") else ""
                report(rule, here.number, key, here[key], other=f"en ligne {other.number}{named}")

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
        communes = Communes((row["code_postal"] for row in rows if row.has("code_postal")), self.territoire)
        described, numbers = {}, {}
        for row in rows:
            row.values["departement"] = None
            if row.has("nom"):
                self._unique(DISPOSITIFS, row, "nom", fold(row["nom"]), self.dispositifs, regles.NOM_EN_DOUBLE)
            self._resolve_entite(row)
            check_dispositif(row, self.readers[DISPOSITIFS.name].position, listes=self.listes, communes=communes)
            if not row.failed:
                key = f"{row['departement']}|{fold(row['nom'])}"
                described[key] = {name: value for name, value in row.values.items() if name not in _READING_ONLY}
                numbers[key] = row.number
        self.lecture.rows[DISPOSITIFS.name], self.lecture.numbers[DISPOSITIFS.name] = described, numbers

    def _resolve_entite(self, row: Row) -> None:
        row.values["siren"] = row.values["entite_cle"] = None
        if not row.has("entite"):
            return
        row.values["entite_cle"] = fold(row["entite"])
        entite = self.entites.get(row["entite_cle"])
        if entite is None:
            self._unknown(DISPOSITIFS, row, "entite", (other["nom"] for other in self.entites.values()))
            return
        row.values["siren"] = entite["siren"]

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
            check_financement(row, self.readers[FINANCEMENTS.name].position)
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
                        regles.FINANCEMENT_EN_DOUBLE,
                        here.number,
                        "dispositif",
                        here["dispositif"],
                        other=f"La ligne {other.number}",
                    )
                continue
            by_dispositif[identity[0]].append(row)
            if not dispositif.failed:
                key = "|".join((dispositif["departement"], *identity))
                values = {**row.values, "departement": dispositif["departement"]}
                values["dispositif"] = f"{dispositif['departement']}|{identity[0]}"
                described[key], numbers[key] = values, row.number
        for name, financements in by_dispositif.items():
            check_sums(self.dispositifs[name], financements, self.readers[FINANCEMENTS.name].position)
        self.lecture.rows[FINANCEMENTS.name], self.lecture.numbers[FINANCEMENTS.name] = described, numbers


def _place(problem: Problem) -> tuple[int, int, str]:
    """Row, then column: what is about a whole row comes before its cells, and B before AA."""
    letters = problem.cell.rstrip("0123456789")
    return problem.row or 0, len(letters), letters


_READING_ONLY = {"entite", "entite_cle"}
