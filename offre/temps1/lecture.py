"""Reads a workbook and checks it: every error and warning at once, and the rows in their canonical form.

It reads the lists and what the database already knows, and writes nothing. Values of the canonical rows are those of
``siao.socle.columns.types``; a row knows its département, and names its parents by their keys, not by their ids:

- an entité by ``département|SIREN``, a dispositif by ``département|folded name``,
- a financement by its dispositif, ligne, précision, référence and date de début.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from comptes.models import Departement, Region
from offre.colonnes import regles
from offre.colonnes.communes import Communes
from offre.colonnes.controles import check_dispositif, check_entite, check_financement, check_sums, phone_region
from offre.colonnes.declaration import DISPOSITIFS, ENTITES, FINANCEMENTS, SHEETS
from offre.colonnes.listes import Listes, garde_of
from offre.models import Entite, FicheSirene, Rattachement
from offre.models.nomenclature import Statut
from siao.socle.columns import Problem, Row, Severity, Sheet, SheetReader
from siao.socle.columns.rules import BLANK_ROW, BLANK_ROWS, MERGED, OUTSIDE, REQUIRED, UNKNOWN_REFERENCE
from siao.socle.columns.sheets import filled, letter, sentence
from siao.socle.columns.types import FAILED, hint, shown
from siao.socle.jobs import tracked
from siao.socle.killpoints import kill_point
from siao.socle.refusal import Refusal
from siao.socle.text import fold, visible
from siao.socle.workbook.cells import Sheet as SheetContent
from siao.socle.workbook.cells import Stray, Workbook
from siao.socle.workbook.limits import LIMITS
from siao.socle.workbook.sandbox import read_workbook

from . import entete
from .regroupement import FEW, grouped
from .renvois import Nommees
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
        self.told: set[tuple] = set()
        self.entites = Nommees("siren")
        self.dispositifs = Nommees("departement")
        self.doubtful: set[int] = set()

    def run(self) -> Lecture:
        for text in self.workbook.warnings:
            self.lecture.problems.append(about(regles.FICHIER, sentence=text))
        rows = {sheet.name: self._read(sheet) for sheet in SHEETS}
        if not any(rows.values()):
            self.lecture.problems.append(about(regles.CLASSEUR_VIDE))
        self._check_entites(rows[ENTITES.name])
        kill_point("P6")
        self._check_dispositifs(rows[DISPOSITIFS.name])
        self._check_financements(rows[FINANCEMENTS.name])
        self._check_known_entites(rows[ENTITES.name])
        self.lecture.rows = {name: self.lecture.rows[name] for name in self.contents}
        for sheet in SHEETS:
            self.lecture.problems += grouped(sorted(self.readers[sheet.name].problems, key=_place))
        return self.lecture

    def _read(self, sheet: Sheet) -> list[Row]:
        content = self.contents.get(sheet.name)
        if content is None:
            return []
        reader = self.readers[sheet.name]
        self._report_head(sheet, content)
        lines = self._lines(sheet, content)
        self._report_strays(sheet, content, lines)
        rows = [
            row
            for number, cells in tracked(f"Lecture de l'onglet {sheet.name}", lines, self.progress)
            if not self._is_total(sheet, row := reader.read_row(number, cells), cells)
        ]
        self._report_merges(sheet, content, {number for number, _ in lines})
        return rows

    def _lines(self, sheet: Sheet, content: SheetContent) -> list[tuple[int, list]]:
        """The rows to read: what a table totals and what repeats the template is left aside, gaps are told."""
        report = self.readers[sheet.name].position.report_at
        lines, expected = [], sheet.first_row
        for number, cells in entete.data_rows(sheet, content):
            if not any(filled(cell) for cell in cells):
                continue
            if expected == number - 1:
                report(BLANK_ROW, expected, None, row=expected)
            elif expected < number:
                report(BLANK_ROWS, expected, None, first=expected, last=number - 1)
            expected = number + 1
            if entete.repeats_the_template(sheet, cells):
                report(regles.LIGNE_DU_MODELE, number, None, row=number)
            elif number not in content.totals or not _may_be_a_total(cells):
                lines.append((number, cells))
        return lines

    def _report_head(self, sheet: Sheet, content: SheetContent) -> None:
        for number, cells in entete.foreign_cells(sheet, content):
            position, cell = next(iter(cells.items()))
            quoted = ", ".join(f"« {shown(value)} »" for value in list(cells.values())[:3])
            column = sheet.columns[position].label if position < len(sheet.columns) else ""
            message = regles.AU_DESSUS_DU_TABLEAU.message.format(found=quoted, first=sheet.first_row)
            address = f"{letter(position)}{number}"
            self.readers[sheet.name].problems.append(
                Problem(regles.AU_DESSUS_DU_TABLEAU, sheet.name, number, address, column, shown(cell), message)
            )

    def _report_strays(self, sheet: Sheet, content: SheetContent, lines: list[tuple[int, list]]) -> None:
        strays = [
            Stray("hors_tableau", number, f"{letter(index)}{number}")
            for number, cells in lines
            for index in range(len(sheet.columns), len(cells))
            if filled(cells[index])
        ]
        strays += content.strays
        if len(strays) > FEW:
            least = "Au moins " if len(content.strays) >= LIMITS.strays else ""
            text = f"{least}{len(strays)} valeurs hors du tableau, de {strays[0].address} à {strays[-1].address}"
            told = [(strays[0], f"{text} : supprimez-les ou replacez-les dans le tableau")]
        else:
            told = [(stray, sentence(stray)) for stray in strays]
        self.readers[sheet.name].problems.extend(
            Problem(OUTSIDE, sheet.name, stray.row, stray.address, "", "", OUTSIDE.message.format(sentence=text))
            for stray, text in told
        )

    def _report_merges(self, sheet: Sheet, content: SheetContent, numbers: set[int]) -> None:
        """The merged rows; what the merge hides is not missing as well."""
        reader = self.readers[sheet.name]
        for number, merge in content.merges_by_row().items():
            if number in numbers and merge.first_column <= len(sheet.columns):
                column = sheet.columns[merge.first_column - 1]
                hidden = {each.key for each in sheet.columns[merge.first_column - 1 : merge.last_column]}
                reader.problems[:] = [
                    problem
                    for problem in reader.problems
                    if problem.rule is not REQUIRED or problem.row != number or problem.key not in hidden
                ]
                reader.position.report_at(MERGED, number, column)

    def _is_total(self, sheet: Sheet, row: Row, cells: list) -> bool:
        """Whether a row that makes no fiche is a total that somebody typed: one error says it all."""
        found = _total_of(cells)
        if not found or not row.failed:
            return False
        reader = self.readers[sheet.name]
        reader.problems[:] = [problem for problem in reader.problems if problem.row != row.number]
        position = next(index for index, cell in enumerate(cells) if filled(cell))
        column = reader.sheet.columns[position] if position < len(reader.sheet.columns) else None
        reader.position.report_at(regles.LIGNE_DE_TOTAL, row.number, column, found, row=row.number, found=found)
        return True

    # --- Entités ------------------------------------------------------------------------------------------------

    def _check_entites(self, rows: list[Row]) -> None:
        by_siren: dict = {}
        by_name: dict = {}
        for row in tracked("Contrôle des entités", rows, self.progress):
            if row.has("nom"):
                check_entite(row, self.readers[ENTITES.name].position)
            if row.has("nom"):
                self.entites.add(row)
            if self.regional:
                continue  # two départements may share a name, or call one entité differently: see _check_known_entites
            if row.has("nom"):
                self._unique(ENTITES, row, "nom", fold(row["nom"]), by_name, regles.NOM_EN_DOUBLE)
            if row.has("siren"):
                self._unique(ENTITES, row, "siren", row["siren"], by_siren, regles.SIREN_EN_DOUBLE)

    def _unique(self, sheet: Sheet, row: Row, key: str, value, seen: dict, rule) -> None:
        """Both rows are named: the one that comes second, and the one that it repeats (once, if there are others)."""
        first = seen.setdefault(value, row)
        if first is not row:
            report = self.readers[sheet.name].position.report_at
            for here, other in self._pairs((sheet.name, key), first, row):
                named = f" (« {other['nom']} »)" if key != "nom" and other.has("nom") else ""
                report(rule, here.number, key, here[key], other=f"en ligne {other.number}{named}")

    def _pairs(self, what: object, first: Row, row: Row) -> list[tuple[Row, Row]]:
        """(where to report, the other row) of a row that repeats the first: this one is told once."""
        told = (what, first.number) in self.told
        self.told.add((what, first.number))
        return [(row, first)] if told else [(row, first), (first, row)]

    def _check_known_entites(self, rows: list[Row]) -> None:
        """What the database says of the names and SIREN of the file, once each row knows its départements."""
        report = self.readers[ENTITES.name].position.report_at
        rows = [row for row in rows if row.has("nom", "siren")]
        known = set(Entite.objects.filter(siren__in=[row["siren"] for row in rows]).values_list("siren", flat=True))
        anomalies = FicheSirene.objects.anomalies([row["siren"] for row in rows])
        fiches = Rattachement.objects.filter(departement__in=self.departements).values_list(
            "departement_id", "nom_cle", "entite__siren", "statut"
        )
        holders = {(dep, nom_cle): siren for dep, nom_cle, siren, statut in fiches if statut != Statut.FERME}
        attached = {(departement, siren) for departement, _, siren, _ in fiches}
        departements_of = self._departements(rows, holders)
        by_siren: dict = {}
        by_name: dict = {}
        names = {row["siren"]: fold(row["nom"]) for row in rows}
        described, numbers = {}, {}
        for row in rows:
            departements = departements_of[row.number] if self.regional else self.departements
            for departement in departements if self.regional else ():
                by_place = (departement, row["siren"]), (departement, fold(row["nom"]))
                self._unique(ENTITES, row, "siren", by_place[0], by_siren, regles.SIREN_EN_DOUBLE)
                self._unique(ENTITES, row, "nom", by_place[1], by_name, regles.NOM_EN_DOUBLE)
            if not departements and not self.dispositif_failed(row):
                report(regles.ENTITE_SANS_DISPOSITIF, row.number, "nom", row["nom"])
            if row["siren"] in known and not any((d, row["siren"]) in attached for d in departements):
                report(regles.SIREN_CONNU_AILLEURS, row.number, "siren", row["siren"], found=row["siren"])
            if anomalie := anomalies.get(row["siren"]):
                report(
                    regles.SIREN_AU_REPERTOIRE, row.number, "siren", row["siren"], found=row["siren"], anomalie=anomalie
                )
            for departement in sorted(departements):
                holder = holders.get((departement, fold(row["nom"])), row["siren"])
                if holder != row["siren"] and holder not in names:
                    report(regles.NOM_REPRIS, row.number, "nom", row["nom"], siren=holder)
                if not row.failed:
                    key = f"{departement}|{row['siren']}"
                    described[key] = {**row.values, "departement": departement}
                    numbers[key] = row.number
        self.lecture.rows[ENTITES.name], self.lecture.numbers[ENTITES.name] = described, numbers

    def _departements(self, rows: list[Row], holders: dict[tuple[str, str], str]) -> dict[int, set[str]]:
        """In the workbook of a région, by row: the départements of its dispositifs, and those where it already is.

        An entité that has two names in the base has a row for each, found by its name; one that has a single row may
        change its name.
        """
        found = defaultdict(set)
        for dispositif in self.dispositifs:
            if dispositif.values.get("departement"):
                found[dispositif["entite_ligne"]].add(dispositif["departement"])
        alone = {siren for siren, number in Counter(row["siren"] for row in rows).items() if number == 1}
        for row in rows:
            for (departement, nom), siren in holders.items():
                if siren == row["siren"] and (siren in alone or nom == fold(row["nom"])):
                    found[row.number].add(departement)
        return found

    def dispositif_failed(self, entite: Row) -> bool:
        """Whether a dispositif of the entité has errors: its département may be the one that is missing."""
        if entite.number in self.doubtful:
            return True
        return any(row.failed and row["entite_ligne"] == entite.number for row in self.dispositifs)

    # --- Dispositifs --------------------------------------------------------------------------------------------

    def _check_dispositifs(self, rows: list[Row]) -> None:
        by_name: dict = {}
        communes = Communes((row["code_postal"] for row in rows if row.has("code_postal")), self.territoire)
        described, numbers = {}, {}
        for row in tracked("Contrôle des dispositifs", rows, self.progress):
            row.values["departement"] = None
            self._resolve_entite(row)
            check_dispositif(row, self.readers[DISPOSITIFS.name].position, listes=self.listes, communes=communes)
            if row.has("nom"):
                self.dispositifs.add(row)
                place = row["departement"] if self.regional else self.territoire.code
                if place:
                    self._unique(DISPOSITIFS, row, "nom", (place, fold(row["nom"])), by_name, regles.NOM_EN_DOUBLE)
            if not row.failed:
                key = f"{row['departement']}|{fold(row['nom'])}"
                described[key] = {name: value for name, value in row.values.items() if name not in _READING_ONLY}
                numbers[key] = row.number
        self.lecture.rows[DISPOSITIFS.name], self.lecture.numbers[DISPOSITIFS.name] = described, numbers

    def _resolve_entite(self, row: Row) -> None:
        row.values["siren"] = row.values["entite_ligne"] = None
        if row.has("entite") and (entite := self._named(DISPOSITIFS, row, "entite", self.entites)):
            row.values["siren"], row.values["entite_ligne"] = entite["siren"], entite.number

    def _named(self, sheet: Sheet, row: Row, key: str, rows: Nommees) -> Row | None:
        """The row that the cell names, None when there is none, or several: it is reported."""
        found = rows.called(row[key])
        if len(found) == 1 or (found and not self.regional):
            return found[0]
        kind = sheet.by_key[key].type
        report = self.readers[sheet.name].position.report_at
        text = row[key]
        if found:
            choices = " ou ".join(f"« {rows.precise(other)} »" for other in found[:3])
            report(regles.NOM_DE_PLUSIEURS, row.number, key, text, found=text[:60], sheet=kind.sheet, choices=choices)
            row.values[key] = FAILED
            self.doubtful |= {other.number for other in found if rows is self.entites}
            return None
        names = (other["nom"] for other in rows)
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
        return None

    # --- Financements -------------------------------------------------------------------------------------------

    def _check_financements(self, rows: list[Row]) -> None:
        report = self.readers[FINANCEMENTS.name].position.report_at
        described, numbers = {}, {}
        seen: dict[tuple, Row] = {}
        by_dispositif = defaultdict(list)
        for row in tracked("Contrôle des financements", rows, self.progress):
            dispositif = None
            if row.has("dispositif"):
                dispositif = self._named(FINANCEMENTS, row, "dispositif", self.dispositifs)
            check_financement(row, self.readers[FINANCEMENTS.name].position)
            if row.failed or dispositif is None:
                continue
            identity = (
                fold(dispositif["nom"]),
                row["ligne"],
                fold(row["precision"]),
                fold(row["reference_acte"]),
                row["date_debut"],
            )
            first = seen.setdefault((dispositif.number, *identity), row)
            if first is not row:
                for here, other in self._pairs("financement", first, row):
                    report(
                        regles.FINANCEMENT_EN_DOUBLE,
                        here.number,
                        "dispositif",
                        here["dispositif"],
                        other=f"La ligne {other.number}",
                    )
                continue
            by_dispositif[dispositif.number].append((dispositif, row))
            if not dispositif.failed:
                key = "|".join((dispositif["departement"], *identity))
                values = {**row.values, "departement": dispositif["departement"]}
                values["dispositif"] = f"{dispositif['departement']}|{identity[0]}"
                described[key], numbers[key] = values, row.number
        for pairs in by_dispositif.values():
            check_sums(pairs[0][0], [row for _, row in pairs], self.readers[FINANCEMENTS.name].position)
        self.lecture.rows[FINANCEMENTS.name], self.lecture.numbers[FINANCEMENTS.name] = described, numbers


_TOTAL = re.compile(
    r"(?:sous[ -]?)?tota(?:l|ux)(?:[ :=-]+(?:general|generaux|des?|du|par|places?|lits?|entites?|dispositifs?|"
    r"financements?|logements?|mesures?|montants?|capacites?|euros?|departement|[0-9]+))*[ :=]*"
)


def _total_of(cells: Sequence) -> str:
    """« Total », « TOTAL général : », « Sous-total places »: how a row that sums others begins; else nothing."""
    first = next((cell for cell in cells if filled(cell)), None)
    return shown(first) if first.__class__ is str and _TOTAL.fullmatch(fold(visible(first))) else ""


def _may_be_a_total(cells: Sequence) -> bool:
    """Whether the last row of a table is its total, and not a fiche that the table happens to end with."""
    return bool(_total_of(cells)) or not any(cell.__class__ is str for cell in cells)


def _place(problem: Problem) -> tuple[int, int, str]:
    """Row, then column: what is about a whole row comes before its cells, and B before AA."""
    letters = problem.cell.rstrip("0123456789")
    return problem.row or 0, len(letters), letters


_READING_ONLY = {"entite", "entite_ligne"}
