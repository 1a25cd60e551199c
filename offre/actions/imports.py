"""Depositing, deciding, importing, undoing a Temps 1 workbook."""

import hashlib
from dataclasses import dataclass
from pathlib import PurePath

import structlog
from django.core.files.base import File
from django.db import OperationalError, transaction
from django.db.models import Q
from django.db.models.functions import Now
from psycopg.errors import LockNotAvailable

from comptes.journal import journalise
from comptes.models import Departement, Habilitation, Region
from comptes.models.journal import ACTIONS
from offre import tasks
from offre.colonnes.declaration import DISPOSITIFS, ENTITES
from offre.models import Avancement, Dispositif, Import
from offre.models.imports import EN_COURS, EN_VIGUEUR, Decision, Etat, Nature
from offre.models.nomenclature import Statut
from offre.temps1.plan import Plan
from offre.temps1.territoires import statut_given
from offre.temps1.travaux import lock_territoire, save_plan
from siao.socle.jobs import wake
from siao.socle.killpoints import kill_point
from siao.socle.refusal import Refusal
from siao.socle.text import counted, visible
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
    remplaces: list[Import]
    """Imports of the same territory that it takes the place of."""


@transaction.atomic
def deposit(*, auteur: Habilitation, territoire: Departement | Region, fichier: File, nom: str) -> Depot:
    """Keep a workbook and have it read. The same bytes twice are one import; a new file replaces the previous one.

    The same bytes are read again when that may change their reading: after errors, or under a profil that gives the
    fiches another statut.
    """
    if fichier.size > LIMITS.file_bytes:
        raise too_big()
    sha256 = _sha256(fichier)
    _lock(territoire)
    existing = _same_file(territoire, sha256)
    statut = statut_given(auteur)
    if existing and not _reads_anew(existing, statut):
        return Depot(existing, nouveau=False, relu=False, remplaces=[])
    remplaces = _replace_current(territoire, keep=existing)
    travail = existing or Import(
        **_owner(territoire),
        nom_fichier=display_name(nom),
        sha256=sha256,
        taille=fichier.size,
        depose_par=auteur.utilisateur,
    )
    _store(travail, fichier)
    kill_point("P1")
    if existing and existing.statut_vise != statut:
        existing.ecarts.all().delete()  # what was decided on them was the other profil's to decide
    travail.statut_vise = statut
    if existing:
        # The base or the rules may have changed since: the same import is read again.
        anew = {"etat": Etat.DEPOSE, "motif": "", "tentatives": 0, "annotations": 0, "annote": "", "change_le": Now()}
        Import.objects.filter(pk=existing.pk).update(fichier=travail.fichier.name, statut_vise=statut, **anew)
    else:
        travail.save()
        Avancement.objects.create(travail=travail)
    Import.objects.filter(pk__in=[replaced.pk for replaced in remplaces]).update(remplace_par=travail)
    _journalise("deposer_classeur", auteur, travail)
    wake(tasks.read_import, travail.pk)
    return Depot(travail, nouveau=existing is None, relu=existing is not None, remplaces=remplaces)


def _reads_anew(travail: Import, statut: Statut) -> bool:
    """Whether the same bytes, deposited by somebody who gives this ``statut``, may be read otherwise."""
    if travail.etat in (Etat.DEPOSE, Etat.PRET):
        return travail.statut_vise != statut
    return travail.etat in (Etat.A_CORRIGER, Etat.REFUSE, Etat.ECHEC)


def hold(*, auteur: Habilitation, territoire: Departement | Region, plan: Plan) -> Import:
    """A ready import of ``plan``, without file, for the caller's rehearsal: it is then decided and asked for as any."""
    _lock(territoire)
    _replace_current(territoire)
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


def _same_file(territoire, sha256: str) -> Import | None:
    """The import of the same bytes for the same territory, if it still counts."""
    same = Import.objects.filter(sha256=sha256, **_owner(territoire))
    counting = (*EN_COURS, *EN_VIGUEUR, Etat.REFUSE, Etat.ECHEC)
    return same.filter(etat__in=counting).order_by("-pk").first()


def _owner(territoire) -> dict:
    if isinstance(territoire, Region):
        return {"region": territoire, "departement": None}
    return {"departement": territoire, "region": None}


def _replace_current(territoire, keep: Import | None = None) -> list[Import]:
    """Take the place of the imports of these départements that are not applied yet."""
    current = Import.objects.covering(territoire.codes_departements).filter(etat__in=EN_COURS)
    if keep:
        current = current.exclude(pk=keep.pk)
    replaced = list(current.select_related("depose_par"))
    current.update(etat=Etat.REMPLACE, remplace_par=keep, change_le=Now())
    return replaced


@transaction.atomic
def decide(
    *, auteur: Habilitation, travail: Import, decisions: dict[int, str], pour_tous: dict[str, str] | None = None
) -> None:
    """Record decisions on differences: {id of the difference: decision}; ``pour_tous`` maps a nature to a decision.

    ``ABSENT`` takes conserver or fermer; ``MODIFIE`` (in conflict) takes fichier or base.
    """
    if _current(travail).etat != Etat.PRET:
        raise Refusal("Cet import n'attend plus de décision : rechargez la page.")
    to_decide = travail.ecarts.a_decider()
    for nature, decision in (pour_tous or {}).items():
        to_decide.filter(nature=nature).update(decision=decision)
    for decision in Decision.values:
        chosen = [pk for pk, value in decisions.items() if value == decision]
        natures = [Nature.ABSENT] if decision in (Decision.CONSERVER, Decision.FERMER) else [Nature.MODIFIE]
        to_decide.filter(pk__in=chosen, nature__in=natures).update(decision=decision)
    _journalise("decider_ecarts", auteur, travail)


@transaction.atomic
def request_import(*, auteur: Habilitation, travail: Import) -> None:
    """Have a ready import applied by the worker. Refused while a decision is missing."""
    current = _current(travail)
    if current.etat in (Etat.A_APPLIQUER, Etat.IMPORTE):
        return  # second click
    if current.etat != Etat.PRET:
        raise Refusal("Cet import n'est plus prêt : rechargez la page pour voir où il en est.")
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
