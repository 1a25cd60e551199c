"""The API *Recherche d'entreprises* over HTTP. Its answers are hostile bytes until proved otherwise.

One request at a time leaves the installation, at most ``PER_SECOND`` (the API refuses more than 7 per second and
address): the next free moment is a row of the database, taken outside of any transaction.
"""

import datetime
import json
import re
import time
from typing import Any

import urllib3
from django.conf import settings
from django.utils import timezone
from django.utils.dateparse import parse_date

from offre.models import CadenceSirene, FicheSirene
from offre.models.sirene import EtatSirene
from siao.socle.database import outside_transaction
from siao.socle.text import visible

PER_SECOND = 5
TRIES = 3
MAXIMUM = 500_000
"""Bytes of an answer; a real one has some 4 000."""
BACK_OFF = 0.3
"""Seconds before the second try, then three times as long."""

_RETRIED = frozenset({429, 500, 502, 503, 504})
_CONTROL = re.compile("[\x00-\x1f\x7f]")


class Down(Exception):
    """The API cannot answer now. The text is for the logs."""


class _Retry(Exception):
    """Failed at once, in a way that a second try may mend; ``after``: what the API asks us to wait, in seconds."""

    def __init__(self, why: str, after: float = 0):
        super().__init__(why)
        self.after = after


_pool = urllib3.PoolManager(num_pools=2, maxsize=4, headers={"User-Agent": "SI-SIAO", "Accept": "application/json"})


def ask(siren: str, *, patience: float) -> FicheSirene:
    """What the API says of ``siren`` now, as a row that is not saved. ``Down`` within ``patience`` seconds or so.

    A failure that comes at once is tried again; a server that lets us wait is not.
    """
    deadline = time.monotonic() + patience
    pause = BACK_OFF
    for number in range(1, TRIES + 1):
        _wait_for_our_turn(deadline)
        try:
            return read(siren, _get(siren, deadline))
        except _Retry as failure:
            pause = max(pause, failure.after)
            if number == TRIES or time.monotonic() + pause > deadline:
                raise Down(str(failure)) from failure
            time.sleep(pause)
            pause *= 3
    raise Down("no try left")


def _wait_for_our_turn(deadline: float) -> None:
    """Take the next free moment and sleep until it comes; ``Down`` when it is later than ``deadline``."""
    step = datetime.timedelta(seconds=1 / PER_SECOND)
    table = CadenceSirene._meta.db_table
    left = datetime.timedelta(seconds=max(0, deadline - time.monotonic()))
    with outside_transaction() as cursor:
        cursor.execute(
            f"INSERT INTO {table} AS c (id, prochaine) VALUES (1, clock_timestamp() + %(step)s) "  # noqa: S608
            "ON CONFLICT (id) DO UPDATE SET prochaine = greatest(c.prochaine, clock_timestamp()) + %(step)s "
            "WHERE c.prochaine <= clock_timestamp() + %(left)s "
            "RETURNING extract(epoch FROM prochaine - %(step)s - clock_timestamp())",
            {"step": step, "left": left},
        )
        turn = cursor.fetchone()
    if turn is None:
        raise Down("too many requests of ours are waiting")
    time.sleep(max(0.0, float(turn[0])))


def _get(siren: str, deadline: float) -> Any:
    timeout = min(settings.SIRENE_TIMEOUT, max(0.05, deadline - time.monotonic()))
    ends = time.monotonic() + timeout
    url = f"{settings.SIRENE_URL}/search?q={siren}&page=1&per_page=1"
    try:
        response = _pool.request(
            "GET", url, timeout=urllib3.Timeout(total=timeout), retries=False, redirect=False, preload_content=False
        )
    except urllib3.exceptions.TimeoutError as error:
        raise Down(f"no answer in {timeout} s") from error
    except urllib3.exceptions.HTTPError as error:
        raise _Retry(f"no connection: {error}") from error
    try:
        if response.status in _RETRIED:
            raise _Retry(f"status {response.status}", _seconds(response.headers.get("Retry-After")))
        if response.status != 200:
            raise Down(f"status {response.status}")
        return json.loads(_body(response, ends))
    except (urllib3.exceptions.HTTPError, ValueError, RecursionError) as error:
        raise Down(f"unreadable answer: {error}") from error
    finally:
        response.close()


def _body(response: urllib3.BaseHTTPResponse, ends: float) -> bytes:
    """The bytes of the answer, as long as they are few and come in time."""
    body = b""
    while chunk := response.read1(16_384):
        body += chunk
        if len(body) > MAXIMUM:
            raise Down("answer too long")
        if time.monotonic() > ends:
            raise Down("answer too slow")
    return body


def _seconds(header: str | None) -> float:
    try:
        return max(0.0, float(header or 0))
    except ValueError:
        return 0.0


# --- Reading the answer -----------------------------------------------------------------------------------------


def read(siren: str, answer: Any) -> FicheSirene:
    """The row that ``answer`` makes of ``siren``. Nothing in it is believed: types, lengths and dates are checked."""
    fiche = FicheSirene(siren=siren, etat=EtatSirene.ABSENTE, lue_le=timezone.now())
    if not isinstance(answer, dict) or not isinstance(answer.get("results"), list):
        raise Down("answer without results")
    found = next((one for one in answer["results"] if isinstance(one, dict) and one.get("siren") == siren), None)
    state = found and {"A": EtatSirene.ACTIVE, "C": EtatSirene.CESSEE}.get(_text(found, "etat_administratif", 1))
    if not state:
        # The API also has lines made of other registers, without a state: they are no legal person of SIRENE.
        return fiche
    fiche.etat = state
    fiche.date_fermeture = _date(found, "date_fermeture")
    fiche.diffusible = _text(found, "statut_diffusion", 1) == "O"
    if not fiche.diffusible:
        return fiche
    siege = found.get("siege") if isinstance(found.get("siege"), dict) else {}
    fiche.denomination = _text(found, "nom_raison_sociale", 255) or _text(found, "nom_complet", 255)
    fiche.sigle = _text(found, "sigle", 50)
    fiche.categorie_juridique = _text(found, "nature_juridique", 4)
    fiche.naf = _text(found, "activite_principale", 6)
    fiche.date_creation = _date(found, "date_creation")
    fiche.siret_siege = _text(siege, "siret", 14)
    fiche.adresse = _text(siege, "adresse", 255)
    fiche.code_postal = _text(siege, "code_postal", 5)
    fiche.commune = _text(siege, "commune", 5)
    return fiche


def _text(values: dict, key: str, length: int) -> str:
    value = values.get(key)
    return _CONTROL.sub(" ", visible(value)).strip()[:length] if isinstance(value, str) else ""


def _date(values: dict, key: str) -> datetime.date | None:
    try:
        return parse_date(_text(values, key, 10))
    except ValueError:
        return None
