"""The jobs of an import: read, apply, undo, annotate, tell. Each can be killed anywhere and called again."""

import datetime
import json
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.mail import send_mail
from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from comptes.historique import acting
from comptes.models import Departement
from offre.models import Anomalie, Avancement, Contenu, Ecart, Import
from offre.models.imports import EN_ATTENTE_DE_MACHINE, EN_VIGUEUR, Decision, Etat, Gravite, Nature
from siao.socle.columns import Problem
from siao.socle.database import copy_rows, held, lock_names, only_one, sentence_of
from siao.socle.jobs import progress_in
from siao.socle.killpoints import kill_point
from siao.socle.refusal import Refusal
from siao.socle.workbook.sandbox import read_workbook

from .annotation import annotated_file
from .annulation import undo_changes
from .application import apply_plan
from .lecture import Lecture, read_file
from .plan import Plan, Rows, compute_plan, signature
from .territoires import may_import

log = structlog.get_logger(__name__)

ATTEMPTS = 3
"""Times that a job is tried before its import is given up as « Échec technique »: a file that kills its worker
would otherwise kill them all, for ever."""

LOCK_TERRITOIRE, LOCK_TRAVAIL, LOCK_ANNOTATION, LOCK_COURRIEL = 1, 2, 3, 4
"""Spaces of the advisory locks. Reports and e-mails have their own: an import is applied without waiting for them."""

_LONG = 60
"""Seconds after which the depositor has probably left the page, and is told by e-mail."""


def lock_territoire(territoire) -> None:
    """Until the end of the transaction, nobody else deposits or applies a workbook of these départements."""
    lock_names(LOCK_TERRITOIRE, (int(code, 36) for code in territoire.codes_departements))


@contextmanager
def _attempt(travail_id: int, etat: Etat) -> Iterator[Import | None]:
    """The import, if it is in this state and this process alone works on it; None otherwise.

    The attempt is counted and committed before the work starts; an exception leaves the state as it is, and the
    reconciler calls again, until the attempts are used up.
    """
    kill_point("P4")
    with only_one(LOCK_TRAVAIL, travail_id) as alone:
        travail = Import.objects.filter(pk=travail_id, etat=etat).first() if alone else None
        if travail is None:
            yield None
            return
        if travail.tentatives >= ATTEMPTS:
            give_up(travail)
            yield None
            return
        Import.objects.filter(pk=travail_id).update(tentatives=F("tentatives") + 1)
        yield travail


def carry_out(job: Callable[[int], None], travail_id: int) -> Import:
    """Do a job in this process, or wait for the worker that took it first; the import, once the job has ended."""
    while True:
        job(travail_id)
        travail = Import.objects.get(pk=travail_id)
        if travail.etat not in EN_ATTENTE_DE_MACHINE:
            return travail
        time.sleep(0.2)


def give_up(travail: Import) -> None:
    Import.objects.filter(pk=travail.pk, etat=travail.etat).update(
        etat=Etat.ECHEC if travail.etat != Etat.A_ANNULER else Etat.IMPORTE,
        change_le=Now(),
        a_prevenir=True,
        motif="Le traitement s'est interrompu plusieurs fois. Rien n'a été modifié ; transmettez le numéro de cet "
        "import à votre référent.",
    )


def _finish(travail: Import, **fields) -> None:
    """Set the end state of a job, in the caller's transaction, if nothing took its place meanwhile."""
    Import.objects.filter(pk=travail.pk).update(tentatives=0, change_le=Now(), **fields)


def _ready(travail: Import, **fields) -> None:
    """It waits for its user, in the place of what was deposited before it and is not imported yet.

    What is deposited takes nobody's place before it is read without error (docs/decisions/0005); the last deposit
    counts, whichever is read first. Called under the lock of the territory.
    """
    others = Import.objects.covering(travail.territoire.codes_departements).exclude(pk=travail.pk)
    later = others.deposited_after(travail)
    if newer := later.filter(etat__in=(Etat.PRET, Etat.A_APPLIQUER)).first():
        _finish(travail, etat=Etat.REMPLACE, remplace_par=newer, **fields)
        return
    # One that somebody asked for is being written: it stays, and this one is compared again with what it leaves.
    waiting = others.filter(etat__in=(Etat.DEPOSE, Etat.A_CORRIGER, Etat.PRET)).exclude(pk__in=later.values("pk"))
    waiting.update(etat=Etat.REMPLACE, remplace_par=travail, change_le=Now())
    _finish(travail, etat=Etat.PRET, **fields)


def _locked(travail: Import) -> Import | None:
    """The import, locked, if its state is still the one that the job started from: the fence against late jobs."""
    return Import.objects.select_for_update(no_key=True).filter(pk=travail.pk, etat=travail.etat).first()


# --- Reading ----------------------------------------------------------------------------------------------------


def read(travail_id: int) -> None:
    """Read and check a deposited workbook; its import becomes refused, to correct, or ready."""
    with _attempt(travail_id, Etat.DEPOSE) as travail:
        if travail is None:
            return
        with progress_in(Avancement, travail_id) as progress:
            try:
                lecture = read_file(travail.fichier.path, travail.territoire, progress)
            except Refusal as refusal:
                with transaction.atomic():
                    if _locked(travail):
                        _finish(travail, etat=Etat.REFUSE, motif=str(refusal), **_told(travail))
                return
            progress("Comparaison avec la base", 0, 0)
            with transaction.atomic():
                lock_territoire(travail.territoire)
                if travail := _locked(travail):  # else a newer workbook took its place
                    _save_lecture(travail, lecture)


def _save_lecture(travail: Import, lecture: Lecture) -> None:
    Anomalie.objects.filter(travail=travail).delete()
    save_anomalies(travail, lecture.problems)
    Import.objects.filter(pk=travail.pk).update(format=lecture.format)
    kill_point("P6")
    if lecture.errors:
        bilan = {"erreurs": len(lecture.errors), "avertissements": len(lecture.warnings)}
        _finish(travail, etat=Etat.A_CORRIGER, bilan=bilan, motif="", **_told(travail))
        return
    Contenu.objects.update_or_create(travail=travail, defaults={"lignes": pack(lecture.rows, lecture.numbers)})
    plan = plan_of(travail, lecture.rows, lecture.numbers)
    save_plan(travail, plan, warnings=len(lecture.warnings))


def _told(travail: Import) -> dict:
    """Whether to send an e-mail: only to somebody who has probably left the page."""
    return {"a_prevenir": (timezone.now() - travail.change_le).total_seconds() > _LONG}


def save_anomalies(travail: Import, problems: list[Problem]) -> None:
    copy_rows(
        Anomalie,
        ["travail", "gravite", "feuille", "ligne", "cellule", "colonne", "valeur", "code", "message", "plages"],
        (
            (
                travail.pk,
                Gravite(problem.rule.severity).value,
                problem.sheet[:40],
                problem.row,
                problem.cell[:10],
                problem.column[:100],
                problem.value[:200],
                problem.rule.code,
                problem.message,
                json.dumps(problem.ranges),
            )
            for problem in problems
        ),
    )


def plan_of(travail: Import, rows: Rows, numbers) -> Plan:
    departements = travail.territoire.codes_departements
    return compute_plan(
        rows,
        numbers,
        departements,
        statut=travail.statut_vise,
        previous=previous_rows(departements, before=travail),
        since=last_imports(departements),
        renommages=travail.renommages,
    )


_ECART_FIELDS = (
    "travail",
    "feuille",
    "ligne",
    "nature",
    "cle",
    "libelle",
    "objet",
    "avant",
    "apres",
    "propose",
    "candidats",
    "ancien",
    "conflit",
    "champs",
    "gardes",
    "conserve_par",
    "decision",
    "resultat",
)


def save_plan(travail: Import, plan: Plan, *, warnings: int, motif: str = "", tell: bool = True) -> None:
    """Keep the differences for the preview; decisions already taken on the same differences stay.

    ``tell``: whether the user may have left the page meanwhile.
    """
    taken = {signature(ecart): ecart for ecart in Ecart.objects.filter(travail=travail).exclude(decision="")}
    kept = _kept(travail)
    for ecart in plan.ecarts:
        if not ecart.decision and (before := taken.get(signature(ecart))):
            ecart.decision, ecart.gardes = before.decision, before.gardes
        earlier = kept.get((ecart.feuille, ecart.objet))
        if ecart.nature == Nature.ABSENT and not ecart.decision and not ecart.candidats and earlier:
            ecart.decision, ecart.conserve_par = Decision.CONSERVER, earlier
    Ecart.objects.filter(travail=travail).delete()
    copy_rows(
        Ecart,
        _ECART_FIELDS,
        (
            (
                travail.pk,
                ecart.feuille,
                ecart.ligne,
                ecart.nature,
                ecart.cle,
                ecart.libelle,
                ecart.objet,
                json.dumps(ecart.avant),
                json.dumps(ecart.apres),
                ecart.propose,
                json.dumps(ecart.candidats),
                ecart.ancien,
                ecart.conflit,
                json.dumps(ecart.champs),
                json.dumps(ecart.gardes),
                ecart.conserve_par,
                ecart.decision,
                "",
            )
            for ecart in plan.ecarts
        ),
    )
    bilan = {**plan.bilan, "erreurs": 0, "avertissements": warnings}
    _ready(travail, bilan=bilan, motif=motif, **(_told(travail) if tell else {}))


def _kept(travail: Import) -> dict[tuple[str, int], int]:
    """The fiches that the import in force left open although its workbook did not name them: (tab, id) to its number.

    Only what somebody decided: what stays because its importer could not close it is asked again of who can.
    """
    in_force = Import.objects.covering(travail.territoire.codes_departements).filter(etat__in=EN_VIGUEUR)
    decided = Ecart.objects.filter(
        travail__in=in_force, nature=Nature.ABSENT, decision=Decision.CONSERVER, propose=False
    ).order_by("travail__applique_le")
    return {(sheet, objet): pk for sheet, objet, pk in decided.values_list("feuille", "objet", "travail")}


def pack(rows: Rows, numbers) -> bytes:
    return zlib.compress(json.dumps({"rows": rows, "numbers": numbers}).encode(), level=1)


def unpack(contenu: Contenu) -> tuple[Rows, dict]:
    content = json.loads(zlib.decompress(contenu.lignes))
    return content["rows"], content["numbers"]


def last_imports(departements: list[str]) -> dict[str, datetime.datetime]:
    """When the workbook in force of each département was imported."""
    found = {}
    for applied in Import.objects.covering(departements).filter(etat__in=EN_VIGUEUR).order_by("applique_le"):
        found |= dict.fromkeys(applied.territoire.codes_departements, applied.applique_le)
    return found


def previous_rows(departements: list[str], *, before: Import | None = None) -> Rows:
    """The rows of the last workbook applied to these départements, still in force, as it left them in the database."""
    applied = Import.objects.covering(departements).filter(etat__in=EN_VIGUEUR, contenu__isnull=False)
    if before:
        applied = applied.exclude(pk=before.pk)
    rows: dict[str, dict] = {}
    for previous in applied.select_related("contenu").order_by("applique_le"):
        for sheet, described in unpack(previous.contenu)[0].items():
            kept = {key: row for key, row in described.items() if row["departement"] in departements}
            rows.setdefault(sheet, {}).update(kept)
    # What was proposed only, or left as it was, did not reach the database.
    left = Q(propose=True) | Q(decision=Decision.BASE) | ~Q(gardes={})
    for ecart in Ecart.objects.filter(left, travail__in=applied, nature=Nature.MODIFIE):
        if row := rows.get(ecart.feuille, {}).get(ecart.cle):
            row.update(ecart.gardes or ecart.avant)
    return rows


# --- Applying ---------------------------------------------------------------------------------------------------


def apply(travail_id: int) -> None:
    """Write an import that its user asked for: all of it, or nothing."""
    with _attempt(travail_id, Etat.A_APPLIQUER) as travail:
        if travail is None:
            return
        with progress_in(Avancement, travail_id) as progress:
            try:
                with acting(utilisateur=travail.applique_par, travail="import"), transaction.atomic():
                    _apply(travail, progress)
            except IntegrityError as error:
                sentence = sentence_of(error)
                if sentence is None:
                    raise
                with transaction.atomic():
                    lock_territoire(travail.territoire)
                    if _locked(travail):
                        motif = f"Import impossible, rien n'a été modifié. {sentence} Corrigez le classeur ou la base."
                        _ready(travail, motif=motif)
    kill_point("P8")


def _apply(travail: Import, progress) -> None:
    progress("Vérification du plan", 0, 0)
    lock_territoire(travail.territoire)
    if _locked(travail) is None:
        return
    if not may_import(travail.applique_par, travail.territoire, travail.statut_vise):
        _ready(travail, motif="La personne qui a demandé cet import n'en a plus le droit.")
        return
    rows, numbers = unpack(travail.contenu)
    ecarts = list(Ecart.objects.filter(travail=travail))
    plan = plan_of(travail, rows, numbers)
    if plan.signature() != Plan(ecarts, {}).signature():
        motif = "La base a changé depuis votre vérification : relisez les différences, puis importez de nouveau."
        save_plan(travail, plan, warnings=travail.bilan.get("avertissements", 0), motif=motif)
        return
    apply_plan(
        ecarts,
        rows,
        auteur=travail.applique_par,
        statut=travail.statut_vise,
        aujourdhui=aujourdhui(travail),
        travail=travail,
        progress=progress,
        renommages=travail.renommages,
    )
    in_force = Import.objects.filter(etat__in=EN_VIGUEUR, departement=travail.departement_id, region=travail.region_id)
    if travail.region_id:
        in_force |= Import.objects.filter(etat__in=EN_VIGUEUR, departement__region=travail.region_id)
    in_force.update(etat=Etat.REMPLACE, remplace_par=travail, change_le=Now())
    _finish(travail, etat=Etat.IMPORTE, applique_le=Now(), motif="", a_prevenir=True)


def aujourdhui(travail: Import):
    departements = Departement.objects.filter(code__in=travail.territoire.codes_departements)
    return min(departement.aujourdhui for departement in departements)


# --- Undoing ----------------------------------------------------------------------------------------------------


def undo(travail_id: int) -> None:
    """Undo an applied import; the one that it had replaced is in force again."""
    with _attempt(travail_id, Etat.A_ANNULER) as travail:
        if travail is None:
            return
        with progress_in(Avancement, travail_id) as progress, transaction.atomic():
            progress("Annulation", 0, 0)
            lock_territoire(travail.territoire)
            if _locked(travail) is None:
                return
            if not may_import(travail.annule_par, travail.territoire, travail.statut_vise):
                motif = "La personne qui a demandé cette annulation n'en a plus le droit."
                _finish(travail, etat=Etat.IMPORTE, motif=motif)
                return
            rows, _ = unpack(travail.contenu)
            ecarts = list(Ecart.objects.filter(travail=travail))
            departements = travail.territoire.codes_departements
            with acting(utilisateur=travail.annule_par, travail="annulation d'un import"):
                undo_changes(ecarts, rows, departements, auteur=travail.annule_par, travail=travail)
            _finish(travail, etat=Etat.ANNULE, annule_le=Now(), a_prevenir=True)
            travail.remplaces.filter(etat=Etat.REMPLACE, applique_le__isnull=False).update(
                etat=Etat.IMPORTE, remplace_par=None, change_le=Now()
            )
    kill_point("P8")


# --- Report and e-mail ------------------------------------------------------------------------------------------


def annotate(travail_id: int) -> None:
    """Write the annotated workbook of an import that has errors or warnings, once."""
    with only_one(LOCK_ANNOTATION, travail_id) as alone:
        travail = Import.objects.a_annoter().filter(pk=travail_id).first() if alone else None
        if travail is None:
            return
        Import.objects.filter(pk=travail_id).update(annotations=F("annotations") + 1)
        workbook, regional = read_workbook(travail.fichier.path), travail.region_id is not None
        content = annotated_file(workbook, travail.anomalies.all(), regional=regional)
        kill_point("P10")
        travail.annote.save("annote", ContentFile(content), save=False)
        # Deposited again meanwhile, it has another file, and these were the errors of the former reading.
        Import.objects.filter(pk=travail_id, fichier=travail.fichier.name).update(annote=travail.annote.name)


def tell(travail_id: int) -> None:
    """Send the e-mail of an import's end, if one is due. Killed in between, it may be sent twice, never lost."""
    kill_point("P9")
    # No lock on the row: a mail server can be slow, and deposits must not wait for it.
    with only_one(LOCK_COURRIEL, travail_id) as alone:
        travail = Import.objects.filter(pk=travail_id, a_prevenir=True).first() if alone else None
        if travail is None:
            return
        reader = travail.annule_par or travail.applique_par or travail.depose_par
        context = {"travail": travail, "url": settings.SITE_URL + reverse("offre:import", args=[travail.pk])}
        send_mail(
            subject=f"SI SIAO – Classeur Temps 1, {travail.territoire} : {travail.get_etat_display().lower()}",
            message=render_to_string("offre/temps1/courriel.txt", context),
            from_email=None,
            recipient_list=[reader.courriel],
        )
        Import.objects.filter(pk=travail_id, change_le=travail.change_le).update(a_prevenir=False)


def forgotten() -> Iterator[tuple[str, int]]:
    """What waits for a worker since more than a moment, and that none has begun: (name of the task, import)."""
    names = {Etat.DEPOSE: "read", Etat.A_APPLIQUER: "apply", Etat.A_ANNULER: "undo"}
    begun = held(LOCK_TRAVAIL)
    for travail_id, etat in Import.objects.oublies().exclude(pk__in=begun).values_list("pk", "etat"):
        # Reports and e-mails are the last steps of every task, the first of which does nothing when it is done.
        yield names.get(etat, "read"), travail_id
