"""Writing the journal of accesses, sealing it, checking its seals.

What makes an entry:

- a view declared with ``journal=`` shows a page: one entry, whatever the answer, written by ``siao.socle.http``;
- a view is refused (403, or a form opened by somebody else): one entry, on every page;
- an action does something: one entry, written inside the action, hence undone with it.

A trigger chains each entry when it is written: its fingerprint covers the entry before it in its chain. There is one
chain per transaction that writes at the same time, so that an insertion waits for nobody, and the ranks of a chain have
no gap but the entries that somebody took away. Each minute one seal covers the heads of all the chains, and its
fingerprint leaves by the logs.
"""

import datetime
import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import structlog
from django.apps import apps
from django.db import connection, transaction
from django.db.models import Exists, Func, Min, OuterRef, TextField
from django.utils import timezone
from django.utils.crypto import salted_hmac

from comptes.auteurs import Auteurs
from comptes.models import Chaine, EntreeJournal, Resultat, Sceau
from siao.socle.database import lock_names
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


LOCK_JOURNAL = 6
_SEALING, _PURGING = 1, 2
"""Space and numbers of the advisory locks: one process seals at a time, and nobody checks during a purge."""

_CONTENT = Func(
    template="jsonb_build_array(chaine, rang, id, extract(epoch FROM quand), utilisateur_id, habilitation_id, action, "
    "objet_type, objet_id, resultat, nombre, recherche, demande, ip)::text",
    output_field=TextField(),
)
"""What the fingerprint of an entry covers, after that of the entry before it: as the trigger ``comptes_enchainer``."""


def seal() -> int:
    """Seal the heads of the chains if they went on; return how many entries are new.

    The entries since the seal before are checked at once: raises ``BrokenChain`` when one of them is gone or changed.
    """
    with transaction.atomic():
        lock_names(LOCK_JOURNAL, [_SEALING])
        last, heads = Sceau.objects.order_by("-pk").first(), _heads()
        before = last.tetes if last else {}
        if heads == before:
            return 0
        sceau = Sceau(
            nombre=max(0, _total(heads) - _total(before)),
            tetes=heads,
            precedente=last.empreinte if last else "",
            scelle_le=timezone.now(),
        )
        sceau.empreinte = _fingerprint(sceau)
        sceau.save()
    # It leaves this machine: whoever rewrites the tables must rewrite what is already elsewhere.
    logger.warning("journal_scelle", entrees=sceau.nombre, sceau=sceau.pk, empreinte=sceau.empreinte)
    with transaction.atomic():
        lock_names(LOCK_JOURNAL, [_PURGING])
        _Chains(before).reach(heads, "la tête de la chaîne")
    return sceau.nombre


@dataclass
class Checked:
    """What was found right: how many entries, the last seal; how many entries since the seal that was asked for."""

    entries: int
    last: Sceau | None
    since: int | None = None


def check(depuis: str = "") -> Checked:
    """Check every seal and every entry, from the first to the last. Raises ``BrokenChain`` at the first difference.

    ``depuis``: the fingerprint of a seal, kept elsewhere; the seal must still be there.
    """
    with transaction.atomic():
        lock_names(LOCK_JOURNAL, [_PURGING])
        return _check(depuis)


def _check(depuis: str) -> Checked:
    # In this order: what is written meanwhile only goes further than what was read first.
    tail, heads = Chaine.objects.filter(pk=0).first(), _heads()
    last = Sceau.objects.filter(empreinte=tail.empreinte).first() if tail else None
    if (tail and not last) or Sceau.objects.exclude(Exists(Chaine.objects.filter(pk=0))).exists():
        raise BrokenChain("Le dernier sceau n'est pas celui qui a été compté.")
    chains, since, previous, count = _Chains({}), None, "", 0
    kept, over = _first_ranks(), timezone.now() - RETENTION
    for sceau in Sceau.objects.filter(pk__lte=last.pk if last else 0).order_by("pk").iterator():
        if sceau.precedente != previous:
            raise BrokenChain(f"Le sceau n° {sceau.pk} ne suit pas celui qui le précède : un sceau manque.")
        if sceau.empreinte != _fingerprint(sceau):
            raise BrokenChain(f"Le sceau n° {sceau.pk} n'est plus celui qui a été écrit.")
        if sceau.scelle_le <= over:
            chains.skip(sceau.tetes, kept)
        chains.reach(sceau.tetes, f"le sceau n° {sceau.pk}")
        if sceau.empreinte == depuis:
            since = chains.read
        previous, count = sceau.empreinte, count + 1
    if tail and count != tail.rang:
        raise BrokenChain(f"Il y a eu {tail.rang} sceaux, il en reste {count}.")
    if depuis and since is None:
        raise BrokenChain(f"Le sceau d'empreinte {depuis} n'est pas, ou plus, dans la chaîne.")
    chains.reach(heads, "la tête de la chaîne")
    known = Chaine.objects.filter(pk=OuterRef("chaine"), pk__gt=0, rang__gte=OuterRef("rang"))
    if stray := EntreeJournal.objects.exclude(Exists(known)).order_by("pk").first():
        raise BrokenChain(f"L'entrée n° {stray.pk} n'est dans aucune chaîne : l'application ne l'a pas écrite.")
    return Checked(chains.read, last, None if since is None else chains.read - since)


def purge() -> int:
    """Delete the entries whose retention is over, up to the heads of a seal; return how many. The seals stay."""
    with transaction.atomic():
        lock_names(LOCK_JOURNAL, [_PURGING])
        last = Sceau.objects.filter(scelle_le__lte=timezone.now() - RETENTION).order_by("-pk").first()
        heads = last.tetes.items() if last else ()
        return sum(EntreeJournal.objects.filter(chaine=key, rang__lte=rang).delete()[0] for key, (rang, _) in heads)


UNGUARDED = (
    "Le rôle qui ouvre la base peut modifier le journal : donnez à l'application celui de DATABASE_URL (README)."
)


def unguarded() -> bool:
    """Whether the role of this connection can pass the triggers of the journal: their owner, or a superuser."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_has_role(relowner, 'MEMBER') FROM pg_class WHERE oid = %s::regclass",
            [EntreeJournal._meta.db_table],
        )
        return cursor.fetchone()[0]


def _heads() -> dict[str, list]:
    """Rank and fingerprint of the last entry of each chain, as a seal keeps them."""
    heads = Chaine.objects.filter(pk__gt=0).order_by("pk").values_list("pk", "rang", "empreinte")
    return {str(key): [rang, empreinte] for key, rang, empreinte in heads}


def _total(heads: dict[str, list]) -> int:
    return sum(rang for rang, _ in heads.values())


def _first_ranks() -> dict[int, int]:
    """The first rank of each chain that is still there."""
    return dict(EntreeJournal.objects.order_by().values_list("chaine").annotate(Min("rang")))


def _fingerprint(sceau: Sceau) -> str:
    values = [sceau.precedente, sceau.nombre, sceau.scelle_le.astimezone(datetime.UTC).isoformat(), sceau.tetes]
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


class _Chains:
    """Reads the entries of all the chains, each in the order of its ranks, from the given heads on."""

    def __init__(self, start: dict[str, list]):
        self.at = {key: tuple(head) for key, head in start.items()}
        self.open: dict[str, Iterator] = {}
        self.read = 0

    def skip(self, heads: dict[str, list], kept: dict[int, int]) -> None:
        """Go to ``heads`` where all the entries before them were purged; ``kept``: the first rank that was not."""
        for key, (rang, empreinte) in heads.items():
            if kept.get(int(key), rang + 1) > rang:
                self.at[key] = (rang, empreinte)

    def reach(self, heads: dict[str, list], what: str) -> None:
        """Read up to ``heads``, that ``what`` holds: no entry is missing, none has changed."""
        for key in sorted({*self.at, *heads}, key=int):
            rang, empreinte = self.at.get(key, (0, ""))
            goal, expected = heads.get(key, (0, ""))
            while rang < goal:
                found, written, content = next(self._entries(key, rang), (None, None, None))
                if found != rang + 1:
                    raise BrokenChain(f"Chaîne {key} : l'entrée de rang {rang + 1} manque, que compte {what}.")
                empreinte = hashlib.sha256((empreinte + content).encode()).hexdigest()
                if empreinte != written:
                    raise BrokenChain(f"Chaîne {key} : l'entrée de rang {found} n'est plus celle qui a été écrite.")
                rang, self.read = found, self.read + 1
            if (rang, empreinte) != (goal, expected):
                raise BrokenChain(f"Chaîne {key} : {what} ne dit pas les mêmes entrées que le journal.")
            self.at[key] = (rang, empreinte)

    def _entries(self, key: str, after: int) -> Iterator[tuple[int, str, str]]:
        if key not in self.open:
            entries = EntreeJournal.objects.filter(chaine=int(key), rang__gt=after).order_by("rang")
            self.open[key] = iter(entries.values_list("rang", "empreinte", _CONTENT).iterator())
        return self.open[key]
