"""The copy of the register in our database: looked up before the API, refreshed each night."""

import datetime
import time
from dataclasses import dataclass

import structlog
from django.utils import timezone
from stdnum.fr import siren as numbers

from offre.models import FicheSirene
from offre.models.sirene import EtatSirene
from siao.socle.refusal import Refusal

from . import api

log = structlog.get_logger(__name__)

FRAICHEUR = datetime.timedelta(days=1)
"""A copy younger than that is as good as the API."""
PATIENCE = 6.0
"""Seconds that a person waits at most: two tries of an API that does not answer."""
PATIENCE_DE_NUIT = 30.0
DUREE_DE_NUIT = 540.0
"""Seconds of one refresh: it ends before the worker stops it, and the next night begins with what is left."""
PANNE = 10
"""Failures in a row after which the API counts as down for the night."""


@dataclass(frozen=True)
class Entreprise:
    """A legal person of the register, open or closed, public or not."""

    fiche: FicheSirene

    @property
    def fermee(self) -> bool:
        return self.fiche.etat == EtatSirene.CESSEE


@dataclass(frozen=True)
class Absente:
    """The register does not know this SIREN."""

    siren: str


@dataclass(frozen=True)
class Indisponible:
    """The register does not answer now. Nobody has to wait for it: it is asked again at night."""

    siren: str


def lookup(siren: str) -> Entreprise | Absente | Indisponible:
    """What the register says of ``siren``: our copy when it is fresh, else the API, else our copy however old.

    Saves what it learns, so it belongs in a view or a job that writes. A number that cannot be a SIREN is refused.
    """
    siren = numbers.compact(siren)
    if not numbers.is_valid(siren):
        raise Refusal("Un SIREN a 9 chiffres, et sa clé de contrôle doit être la bonne : vérifiez la copie.")
    known = FicheSirene.objects.filter(siren=siren).first()
    if known and known.lue_le > timezone.now() - FRAICHEUR:
        return _answer(known)
    try:
        fresh = api.ask(siren, patience=PATIENCE)
    except api.Down as down:
        log.warning("sirene_indisponible", siren=siren, raison=str(down))
        return _answer(known) if known else Indisponible(siren)
    save([fresh])
    return _answer(fresh)


def _answer(fiche: FicheSirene) -> Entreprise | Absente:
    return Absente(fiche.siren) if fiche.etat == EtatSirene.ABSENTE else Entreprise(fiche)


FIELDS = [field.name for field in FicheSirene._meta.concrete_fields if not field.primary_key]


def save(fiches: list[FicheSirene]) -> None:
    FicheSirene.objects.bulk_create(
        fiches, update_conflicts=True, unique_fields=["siren"], update_fields=FIELDS, batch_size=1_000
    )


def refresh() -> dict[str, int]:
    """Ask the API again about every entité whose copy is older than a day, the oldest first. Safe to repeat.

    Returns how many were read and how many failed; stops early when the API is down or the time is over.
    """
    ends = time.monotonic() + DUREE_DE_NUIT
    done, failed, in_a_row = 0, 0, 0
    for siren in list(FicheSirene.objects.to_refresh(timezone.now() - FRAICHEUR)):
        if time.monotonic() > ends or in_a_row == PANNE:
            break
        try:
            save([api.ask(siren, patience=PATIENCE_DE_NUIT)])
        except api.Down as down:
            log.warning("sirene_indisponible", siren=siren, raison=str(down))
            failed, in_a_row = failed + 1, in_a_row + 1
        else:
            done, in_a_row = done + 1, 0
    log.info("sirene_rafraichi", lues=done, manquees=failed)
    return {"lues": done, "manquees": failed}
