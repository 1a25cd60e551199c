"""Depositing, deciding, importing, undoing a Temps 1 workbook."""

import hashlib
from dataclasses import dataclass
from pathlib import PurePath

import structlog
from django.core.files.base import ContentFile, File
from django.db import OperationalError, transaction
from django.db.models import Q
from django.db.models.functions import Now
from psycopg.errors import LockNotAvailable

from comptes.journal import journalise
from comptes.models import Departement, Habilitation, Region
from comptes.models.journal import ACTIONS
from offre import tasks
from offre.colonnes.declaration import DISPOSITIFS, ENTITES
from offre.models import Avancement, Dispositif, Ecart, Import
from offre.models.imports import EN_COURS, EN_VIGUEUR, Decision, Etat, Nature
from offre.models.nomenclature import Statut
from offre.temps1.corrections import Saisies, correctable, corrected_file
from offre.temps1.plan import Plan
from offre.temps1.territoires import statut_given
from offre.temps1.travaux import lock_territoire, plan_of, save_plan, unpack
from siao.socle.jobs import wake
from siao.socle.killpoints import kill_point
from siao.socle.refusal import Refusal
from siao.socle.text import counted, number_in, visible
from siao.socle.workbook.limits import LIMITS
from siao.socle.workbook.refusals import Refused

ACTIONS.update(
    {
        "offre.deposer_classeur": "Classeur Temps 1 déposé",
        "offre.decider_ecarts": "Décisions avant un import Temps 1",
        "offre.importer_classeur": "Import Temps 1 demandé",
        "offre.annuler_import": "Annulation d'un import Temps 1 demandée",
        "offre:original": "Téléchargement d'un classeur déposé",
        "offre:annote": "Téléchargement d'un classeur annoté",
    }
)

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Depot:
    """What became of a deposit."""

    travail: Import
    nouveau: bool
    """False when the same file was already there: nothing was created."""
    relu: bool
    """The same file was already there, and is read again."""
    identique: Import | None = None
    """The import of the same bytes, when there was one."""
    pret: Import | None = None
    """The import of the same départements that is ready, and stays so unless this file is read without error."""


@transaction.atomic
def deposit(*, auteur: Habilitation, territoire: Departement | Region, fichier: File, nom: str) -> Depot:
    """Keep a workbook and have it read: it takes the place of the others when it is read without error, not before.

    The same bytes twice are one import, read again after errors; under a profil that gives the fiches another statut
    they are an import of their own.
    """
    if fichier.size > LIMITS.file_bytes:
        raise too_big()
    sha256 = _sha256(fichier)
    _lock(territoire)
    statut = statut_given(auteur)
    existing = _same_file(territoire, sha256, statut)
    if existing and (existing.etat not in _READ_AGAIN and not _of_the_other_profil(existing, statut)):
        return Depot(existing, nouveau=False, relu=False, identique=existing)
    again = existing if existing and existing.etat in _READ_AGAIN else None
    travail = again or Import(**_owner(territoire), nom_fichier=display_name(nom), sha256=sha256, taille=fichier.size)
    _store(travail, fichier)
    kill_point("P1")
    travail.statut_vise, travail.depose_par = statut, auteur.utilisateur
    if again:
        # The base or the rules may have changed since: the same import is read again, as the last deposit.
        anew = {"etat": Etat.DEPOSE, "motif": "", "tentatives": 0, "annotations": 0, "annote": ""}
        anew |= {"fichier": travail.fichier.name, "statut_vise": statut, "depose_par": auteur.utilisateur}
        Import.objects.filter(pk=again.pk).update(**anew, depose_le=Now(), change_le=Now())
    else:
        travail.save()
        Avancement.objects.create(travail=travail)
    _journalise("deposer_classeur", auteur, travail)
    wake(tasks.read_import, travail.pk)
    return Depot(
        travail,
        nouveau=existing is None,
        relu=existing is not None,
        identique=existing,
        pret=Import.objects.ready_beside(travail).first(),
    )


@transaction.atomic
def correct(*, auteur: Habilitation, travail: Import, saisies: Saisies) -> Depot:
    """Deposit the next version of a workbook, with these cells; the version that it corrects gives it its place."""
    _lock(travail.territoire)
    current = _current(travail)
    if current.etat == Etat.REMPLACE and current.remplace_par_id:
        raise Refusal(
            f"Ce classeur a été remplacé entre-temps par l'import n° {current.remplace_par_id} : votre saisie est "
            "encore ci-dessous, reportez-la sur celui-là."
        )
    if not correctable(current):
        raise Refusal("Cet import n'attend plus de correction dans la page : rechargez la page de l'import.")
    content = ContentFile(corrected_file(current, saisies))
    depot = deposit(auteur=auteur, territoire=current.territoire, fichier=content, nom=current.nom_fichier)
    Import.objects.filter(pk=current.pk).exclude(pk=depot.travail.pk).update(
        etat=Etat.REMPLACE, remplace_par=depot.travail, change_le=Now()
    )
    return depot


_READ_AGAIN = (Etat.A_CORRIGER, Etat.REFUSE, Etat.ECHEC)
"""The same bytes, deposited again, may be read otherwise."""


def _of_the_other_profil(travail: Import, statut: Statut) -> bool:
    """Whether it waits under a profil that gives another statut: it stays, with what was decided on it."""
    return travail.etat in (Etat.DEPOSE, Etat.PRET) and travail.statut_vise != statut


def hold(*, auteur: Habilitation, territoire: Departement | Region, plan: Plan) -> Import:
    """A ready import of ``plan``, without file, for the caller's rehearsal: it is then decided and asked for as any."""
    _lock(territoire)
    travail = Import.objects.create(
        **_owner(territoire),
        nom_fichier="répétition",
        taille=0,
        statut_vise=statut_given(auteur),
        depose_par=auteur.utilisateur,
    )
    save_plan(travail, plan, warnings=0)
    return travail


def _store(travail: Import, fichier: File) -> None:
    """Keep the bytes under a new name. Those of the first deposit may be lost, or past their time."""
    try:
        travail.fichier.save("classeur", fichier, save=False)
    except OSError as error:
        log.exception("storage_refused")
        raise Refusal(
            "Le fichier n'a pas pu être conservé : l'espace de stockage est plein ou injoignable. Rien n'a changé, "
            "réessayez dans quelques minutes ou prévenez votre référent."
        ) from error


def too_big() -> Refused:
    """What to answer to a file over the limit."""
    return Refused("trop_gros", limit=LIMITS.file_bytes // 1_000_000)


def display_name(name: str) -> str:
    """The user's name for the file, fit to be shown: no path, no invisible character, at most 120 characters.

    A name too long is cut before its extension, without which the file that is downloaded would not open.
    """
    name = " ".join(visible(PurePath(name.replace("\\", "/")).name).split())
    if len(name) > 120:
        extension = PurePath(name).suffix
        extension = extension if len(extension) <= 10 else ""
        name = f"{name[: 119 - len(extension)]}…{extension}"
    return name or "classeur sans nom"


def _sha256(fichier: File) -> str:
    digest = hashlib.sha256()
    for chunk in fichier.chunks():
        digest.update(chunk)
    fichier.seek(0)
    return digest.hexdigest()


def _lock(territoire) -> None:
    try:
        lock_territoire(territoire)
    except OperationalError as error:
        if not isinstance(error.__cause__, LockNotAvailable):
            raise
        raise Refusal(
            f"Un import concernant {territoire.designation} est en train d'être enregistré : réessayez dans une minute."
        ) from error


def _same_file(territoire, sha256: str, statut: Statut) -> Import | None:
    """The import of the same bytes for the same territory, if it still counts; one of this ``statut`` first."""
    same = Import.objects.filter(sha256=sha256, **_owner(territoire)).select_related("depose_par")
    counting = (*EN_COURS, *EN_VIGUEUR, Etat.REFUSE, Etat.ECHEC)
    found = list(same.filter(etat__in=counting).order_by("-pk"))
    return next((travail for travail in found if not _of_the_other_profil(travail, statut)), next(iter(found), None))


def _owner(territoire) -> dict:
    if isinstance(territoire, Region):
        return {"region": territoire, "departement": None}
    return {"departement": territoire, "region": None}


@transaction.atomic
def decide(
    *,
    auteur: Habilitation,
    travail: Import,
    decisions: dict[int, str],
    pour_tous: dict[str, str] | None = None,
    departement: str = "",
    champs: dict[int, dict[str, str]] | None = None,
) -> None:
    """Record decisions on differences: {id of the difference: decision}; ``pour_tous`` maps a nature to a decision.

    ``champs``: of a conflict, by value: {id: {key: fichier or base}}; it is decided once each of them is.
    ``departement``: what is decided for all concerns the fiches of this one alone.

    ``ABSENT`` takes conserver, fermer, or ``RENOMMER`` and the rank of a candidate (« RENOMMER0 »); ``MODIFIE`` takes
    fichier or base when it is in conflict, ``SEPARER`` when it was renamed. Renaming computes the differences again.
    """
    renames = any(value.startswith(RENOMMER) or value == SEPARER for value in decisions.values())
    if renames:
        _lock(travail.territoire)
    current = _current(travail)
    if current.etat != Etat.PRET:
        raise Refusal("Cet import n'attend plus de décision : rechargez la page.")
    to_decide = travail.ecarts.a_decider()
    concerned = to_decide.of_departement(departement) if departement else to_decide
    for nature, decision in (pour_tous or {}).items():
        concerned.filter(nature=nature).update(decision=decision, gardes={})
    # Who cannot validate does not close a validated fiche, whatever is decided for all.
    concerned.filter(nature=Nature.ABSENT, propose=True, decision=Decision.FERMER).update(decision=Decision.CONSERVER)
    for decision in Decision.values:
        chosen = [pk for pk, value in decisions.items() if value == decision]
        concerned = to_decide.filter(pk__in=chosen)
        if decision == Decision.CONSERVER:
            concerned = concerned.filter(nature=Nature.ABSENT)
        elif decision == Decision.FERMER:
            concerned = concerned.filter(nature=Nature.ABSENT, propose=False)
        else:
            concerned = concerned.filter(nature=Nature.MODIFIE)
        concerned.update(decision=decision, gardes={})
    for ecart in to_decide.filter(pk__in=champs or (), nature=Nature.MODIFIE):
        _decide_values(ecart, (champs or {})[ecart.pk])
    if renames:
        _rename(current, decisions)
    _journalise("decider_ecarts", auteur, travail)


def _decide_values(ecart: Ecart, chosen: dict[str, str]) -> None:
    """Take the file for some values of a conflict, keep the base for the others."""
    if not ecart.champs or any(chosen.get(key) not in (Decision.FICHIER, Decision.BASE) for key in ecart.champs):
        return
    kept = {key: ecart.avant[key] for key in ecart.champs if chosen[key] == Decision.BASE}
    whole = len(kept) == len(ecart.apres)
    ecart.decision, ecart.gardes = (Decision.BASE, {}) if whole else (Decision.FICHIER, kept)
    ecart.save(update_fields=["decision", "gardes"])


RENOMMER, SEPARER = "RENOMMER", "SEPARER"
"""Decisions that are not kept on a difference: they make other differences."""


def _rename(travail: Import, decisions: dict[int, str]) -> None:
    """Take these fiches for those that the workbook names otherwise, or no more, and compare again."""
    ecarts = {ecart.pk: ecart for ecart in travail.ecarts.filter(pk__in=decisions)}
    taken = {(sheet, new): old for sheet, old, new in travail.renommages}
    for pk, value in decisions.items():
        ecart = ecarts.get(pk)
        if ecart is None:
            continue
        rank = number_in(value.removeprefix(RENOMMER)) if value.startswith(RENOMMER) else None
        if value == SEPARER and ecart.ancien:
            taken.pop((ecart.feuille, ecart.cle), None)
        elif rank is not None and rank < len(ecart.candidats):
            new, label = ecart.candidats[rank]
            if taken.setdefault((ecart.feuille, new), ecart.cle) != ecart.cle:
                raise Refusal(f"Deux fiches ne deviennent pas « {label} » : choisissez laquelle est renommée.")
    travail.renommages = [[sheet, old, new] for (sheet, new), old in taken.items()]
    Import.objects.filter(pk=travail.pk).update(renommages=travail.renommages)
    rows, numbers = unpack(travail.contenu)
    plan = plan_of(travail, rows, numbers)
    save_plan(travail, plan, warnings=travail.bilan.get("avertissements", 0), motif=travail.motif, tell=False)


@transaction.atomic
def request_import(*, auteur: Habilitation, travail: Import) -> None:
    """Have a ready import applied by the worker. Refused while a decision is missing."""
    current = _current(travail)
    if current.etat in (Etat.A_APPLIQUER, Etat.IMPORTE):
        return  # second click
    if current.etat != Etat.PRET:
        raise Refusal("Cet import n'est plus prêt : rechargez la page pour voir où il en est.")
    written = Import.objects.covering(current.territoire.codes_departements).filter(etat=Etat.A_APPLIQUER)
    if other := written.first():
        raise Refusal(
            f"L'import n° {other.pk} est en train d'être enregistré : attendez sa fin, puis importez celui-ci."
        )
    if statut_given(auteur) != current.statut_vise:
        raise Refusal(
            "Ce classeur a été déposé sous un autre profil, qui ne donne pas le même statut aux fiches : déposez-le de "
            "nouveau sous le vôtre."
        )
    missing = current.ecarts.a_decider().filter(decision="").count()
    if missing:
        raise Refusal(f"Il reste {counted(missing, 'décision')} à prendre ci-dessous avant d'importer.")
    _refuse_orphans(current)
    Import.objects.filter(pk=current.pk).update(
        etat=Etat.A_APPLIQUER, applique_par=auteur.utilisateur, tentatives=0, motif="", change_le=Now()
    )
    wake(tasks.apply_import, current.pk)
    _journalise("importer_classeur", auteur, current)


def _refuse_orphans(travail: Import) -> None:
    """An entité cannot be closed while one of its dispositifs stays open."""
    closed = travail.ecarts.filter(feuille=ENTITES.name, decision=Decision.FERMER)
    if not closed.exists():
        return
    sirens = [key.partition("|")[2] for key in closed.values_list("cle", flat=True)]
    leaving = travail.ecarts.filter(
        Q(decision=Decision.FERMER) | Q(apres__has_key="siren", propose=False),
        feuille=DISPOSITIFS.name,
        objet__isnull=False,
    )
    staying = (
        Dispositif.objects.filter(departement__in=travail.territoire.codes_departements, siren__in=sirens)
        .exclude(statut=Statut.FERME)
        .exclude(pk__in=leaving.values("objet"))
    )
    if names := list(staying.values_list("nom", flat=True)[:5]):
        raise Refusal(
            "Une entité ne se ferme pas tant qu'un de ses dispositifs reste ouvert : fermez aussi "
            + ", ".join(f"« {name} »" for name in names)
            + ", ou conservez l'entité."
        )


@transaction.atomic
def request_undo(*, auteur: Habilitation, travail: Import) -> None:
    """Have the last import of a territory undone by the worker."""
    current = _current(travail)
    if current.etat in (Etat.A_ANNULER, Etat.ANNULE):
        return  # second click
    if not is_last(current):
        raise Refusal("Seul le dernier import d'un territoire peut être annulé.")
    if not may_undo(current, auteur):
        raise Refusal("Cet import a validé des fiches : c'est à l'administrateur départemental de l'annuler.")
    Import.objects.filter(pk=current.pk).update(
        etat=Etat.A_ANNULER, annule_par=auteur.utilisateur, tentatives=0, motif="", change_le=Now()
    )
    wake(tasks.undo_import, current.pk)
    _journalise("annuler_import", auteur, current)


def is_last(travail: Import) -> bool:
    """Whether nothing was imported over it since: it can be undone."""
    if travail.etat != Etat.IMPORTE:
        return False
    later = Import.objects.covering(travail.territoire.codes_departements).filter(
        etat__in=EN_VIGUEUR, applique_le__gt=travail.applique_le
    )
    return not later.exists()


def may_undo(travail: Import, habilitation: Habilitation) -> bool:
    """Whether it can be undone under this habilitation: an import that validated fiches is undone by who validates."""
    return is_last(travail) and statut_given(habilitation) in (Statut.VALIDE, travail.statut_vise)


def _current(travail: Import) -> Import:
    """The import as it is now, locked until the end of the transaction."""
    return Import.objects.select_for_update(of=("self",), no_key=True).get(pk=travail.pk)


def _journalise(action: str, auteur: Habilitation, travail: Import) -> None:
    journalise(action=f"offre.{action}", utilisateur=auteur.utilisateur, habilitation=auteur, objet=travail)
