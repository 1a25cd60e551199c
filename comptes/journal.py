"""Writing the journal of accesses, sealing it, checking its seals.

What makes an entry:

- a view declared with ``journal=`` shows a page: one entry, whatever the answer, written by ``siao.socle.http``;
- a view is refused (403, or a form opened by somebody else): one entry, on every page;
- an action does something: one entry, written inside the action, hence undone with it.

Sealing is apart from writing, so that an insertion waits for nobody: each night the new entries are read in the order
of their keys and hashed in a chain of seals. A transaction may commit a key lower than one already sealed; hence one
seal per run of consecutive keys, and a late entry gets its own seal the night after.
"""

import datetime
import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator

import structlog
from django.apps import apps
from django.db import connection, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.crypto import salted_hmac

from comptes.auteurs import Auteurs
from comptes.models import EntreeJournal, Resultat, Sceau
from siao.socle.text import number_in

RETENTION = datetime.timedelta(days=365)
"""Twelve months (CNIL, journalisation). The trigger of the table refuses to delete anything younger."""

logger = structlog.get_logger(__name__)


def journalise(
    *,
    action: str,
    utilisateur=None,
    habilitation=None,
    objet=None,
    objet_type: str = "",
    objet_id: str = "",
    resultat: str = Resultat.PERMIS,
    nombre: int | None = None,
    recherche: str = "",
) -> None:
    """Write one entry: who (user and habilitation, both None for a job), did what (``action``), to which ``objet``.

    ``nombre``: how many rows were shown. ``recherche``: what was searched for, of which only a keyed hash is kept.
    The request id and the address come from the request being served.
    """
    context = structlog.contextvars.get_contextvars()
    if objet is not None:
        objet_type, objet_id = objet._meta.label_lower, str(objet.pk)
    EntreeJournal.objects.create(
        utilisateur=utilisateur,
        habilitation=habilitation,
        action=action,
        objet_type=objet_type,
        objet_id=objet_id.replace("\0", "")[:40],  # it may come from the address
        resultat=resultat,
        nombre=nombre,
        recherche=_print_of(recherche) if recherche else "",
        demande=context.get("request_id", ""),
        ip=context.get("ip"),
    )


def _print_of(searched: str) -> str:
    """The same for the same search. Only the key of the site, which no dump has, can compute it from a name."""
    return salted_hmac("comptes.journal.recherche", searched, algorithm="sha256").hexdigest()


def conceal(entries: Iterable[EntreeJournal], habilitation) -> None:
    """Take off the entries about what is hidden from the user the number of their object and who is ``anonyme``.

    The team that reads a protected dossier is where its persons live: of its entries, what and when stay. Models that
    hide rows answer ``entiers_pour(habilitation)``; a row that is gone is hidden from everybody.
    """
    concealed = []
    about = defaultdict(dict)
    for entry in entries:
        if entry.objet_type and (key := number_in(entry.objet_id)) is not None:
            about[entry.objet_type].setdefault(key, []).append(entry)
    for label, found in about.items():
        rows = apps.get_model(label)._default_manager.all()
        if hasattr(rows, "entiers_pour"):
            rows = rows.filter(pk__in=found).order_by()
            there, whole = (set(each.values_list("pk", flat=True)) for each in (rows, rows.entiers_pour(habilitation)))
            for pk in found.keys() - whole:
                # Nothing is told by who asked for what never was.
                concealed += [e for e in found[pk] if pk in there or e.resultat != Resultat.INTROUVABLE]
    auteurs = Auteurs(entry.utilisateur_id for entry in concealed)
    for entry in concealed:
        entry.objet_id = "(numéro protégé)"
        entry.anonyme = auteurs.tells_a_place(entry.utilisateur_id)


# --- Seals ------------------------------------------------------------------------------------------------------


class BrokenChain(Exception):
    """The journal is not what was sealed. The text says where."""


def seal() -> int:
    """Seal the entries that are not yet; return how many."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLE comptes_sceau IN SHARE ROW EXCLUSIVE MODE")  # one run at a time
        sealed = 0
        for run in _runs(_unsealed()):
            previous = Sceau.objects.order_by("-pk").values_list("empreinte", flat=True).first() or ""
            Sceau.objects.create(
                premiere=run[0].pk,
                derniere=run[-1].pk,
                nombre=len(run),
                precedente=previous,
                empreinte=_fingerprint(previous, run),
            )
            sealed += len(run)
    # The last link also goes to the logs: whoever rewrites the tables must rewrite what left this machine too.
    last = Sceau.objects.order_by("-pk").first()
    if sealed:
        logger.warning("journal_scelle", entrees=sealed, sceau=last.pk, empreinte=last.empreinte)
    return sealed


def check() -> int:
    """Check the whole chain; return how many entries it covers. Raises ``BrokenChain`` at the first difference."""
    checked, previous = 0, None
    for sceau in Sceau.objects.order_by("pk").iterator():
        if previous is not None and sceau.precedente != previous:
            raise BrokenChain(f"Le sceau n° {sceau.pk} ne suit pas celui qui le précède : un sceau manque.")
        previous = sceau.empreinte
        entries = list(_sealed_by(sceau))
        if not entries and sceau.scelle_le <= timezone.now() - RETENTION:
            continue  # purged; its fingerprint still links its neighbours
        if len(entries) != sceau.nombre or _fingerprint(sceau.precedente, entries) != sceau.empreinte:
            raise BrokenChain(
                f"Les entrées {sceau.premiere} à {sceau.derniere} ne sont plus celles du sceau n° {sceau.pk}."
            )
        checked += len(entries)
    return checked


def purge() -> int:
    """Delete the entries whose retention is over, whole seals at a time; return how many. The seals stay."""
    expired = Sceau.objects.filter(scelle_le__lte=timezone.now() - RETENTION)
    return sum(_sealed_by(sceau).delete()[0] for sceau in expired.filter(Exists(_entries_of_outer_seal())))


RUN = 10_000
"""Longest run of one seal: bounds the memory of sealing and checking."""


SLOWEST_TRANSACTION = datetime.timedelta(days=2)
"""No transaction lasts longer: an entry this much older than the last seal is not looked for again."""


def _sealed_by(sceau: Sceau):
    return EntreeJournal.objects.filter(pk__range=(sceau.premiere, sceau.derniere)).order_by("pk")


def _entries_of_outer_seal():
    return EntreeJournal.objects.filter(pk__gte=OuterRef("premiere"), pk__lte=OuterRef("derniere"))


def _unsealed():
    entries = EntreeJournal.objects.order_by("pk")
    last = Sceau.objects.order_by("-pk").first()
    if last:
        entries = entries.filter(quand__gt=last.scelle_le - SLOWEST_TRANSACTION)
    return entries.exclude(Exists(Sceau.objects.filter(premiere__lte=OuterRef("pk"), derniere__gte=OuterRef("pk"))))


def _runs(entries) -> Iterator[list[EntreeJournal]]:
    run: list[EntreeJournal] = []
    for entry in entries.iterator():
        if run and (entry.pk != run[-1].pk + 1 or len(run) == RUN):
            yield run
            run = []
        run.append(entry)
    if run:
        yield run


_FIELDS = (
    "id",
    "utilisateur_id",
    "habilitation_id",
    "action",
    "objet_type",
    "objet_id",
    "resultat",
    "nombre",
    "recherche",
    "demande",
    "ip",
)


def _fingerprint(previous: str, entries: list[EntreeJournal]) -> str:
    chain = hashlib.sha256(previous.encode())
    for entry in entries:
        values = [entry.quand.astimezone(datetime.UTC).isoformat(), *(getattr(entry, field) for field in _FIELDS)]
        chain.update(json.dumps(values, ensure_ascii=False).encode() + b"\n")
    return chain.hexdigest()
