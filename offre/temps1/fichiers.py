"""The files of the imports: how long each is kept, and that the storage holds those that the rows name, no more.

A file is written before the row that names it and deleted after: a crash in between leaves a file that nobody names,
never a row without its file. The nightly check takes these away.
"""

import datetime
from dataclasses import dataclass

import structlog
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone

from offre.models import Contenu, Import
from offre.models.imports import FOLDER
from siao.socle.database import lock_in_order
from siao.socle.xlsx import forget_scratch

log = structlog.get_logger(__name__)

BEING_WRITTEN = datetime.timedelta(hours=1)
"""A file that no row names may still be that of a deposit in progress while it is younger than this."""


@dataclass(frozen=True)
class Verification:
    """What the check found; the names are those of the storage."""

    perimes: list[str]
    """Files of imports whose time is over."""
    orphelins: list[str]
    """Files that no import names."""
    perdus: list[Import]
    """Imports one of whose files is no longer in the storage: nothing can be done here, except restore it."""
    contenus: int
    """Contents of workbooks that can neither be imported nor be undone any more."""


def verify(*, apply: bool) -> Verification:
    """Compare storage and rows, and delete (``apply``) what has no reason to be there. Can be killed and run again."""
    now = timezone.now()
    # The storage first: a file that is there was perhaps named a moment later, a name was never given before its file.
    stored = _stored()
    with transaction.atomic():
        outdated = lock_in_order(Import.objects.perimes(now))
        perimes = [name for travail in outdated for name in travail.noms_fichiers]
        contents = Contenu.objects.filter(travail__in=Import.objects.sans_suite(now))
        contenus = contents.count()
        if apply:
            contents.delete()
            Import.objects.filter(pk__in=[travail.pk for travail in outdated]).update(fichier="", annote="")
    named = set(perimes)
    perdus = []
    for travail in Import.objects.exclude(fichier="", annote="").defer("bilan").iterator():
        named.update(travail.noms_fichiers)
        if any(name not in stored and not default_storage.exists(name) for name in travail.noms_fichiers):
            perdus.append(travail)
            log.error("file_lost", travail=travail.pk)
    orphelins = sorted(name for name in stored - named if now - default_storage.get_modified_time(name) > BEING_WRITTEN)
    if apply:
        for name in (*perimes, *orphelins):
            default_storage.delete(name)
        forget_scratch(BEING_WRITTEN.total_seconds())
    return Verification(perimes, orphelins, perdus, contenus)


def _stored() -> set[str]:
    try:
        return {f"{FOLDER}/{name}" for name in default_storage.listdir(FOLDER)[1]}
    except FileNotFoundError:
        return set()
