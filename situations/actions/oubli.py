"""Forgetting persons: two years after their last activity, or at their request. Irreversible; statistics stay.

One person is one transaction, done from end to end or not at all: stopped anywhere, the night's work is taken up again
by the next one. The same function serves the purge, opposition and erasure.
"""

import datetime
import json
from collections.abc import Iterable, Iterator

import pghistory.models
import pgtrigger
import structlog
from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q
from pghistory.models import Event

from comptes.journal import journalise
from comptes.models import Habilitation, Partage
from menages.actions.dossiers import archive_if_empty
from menages.models import (
    Accompagnement,
    Appartenance,
    DemandeDAcces,
    Fusion,
    Menage,
    Personne,
    Recherche,
)
from menages.recherche import searches_about
from menages.relations import relations
from menages.verrous import lock_menages
from siao.socle.database import lock_in_order
from situations.models import Oubli, SituationResidentielle

logger = structlog.get_logger(__name__)

DELAI = 730
"""Days without activity after which a person is forgotten (two years)."""
EFFACEMENT = "personnes_oubliees"
"""Name of the line of the technical log that says who was forgotten, by number."""
PREAVIS = 30
"""Days between the announcement to the SIAO and the day itself."""

# --- Who is about to be forgotten -------------------------------------------------------------------------------


def _own(lookup: str):
    return lambda since: Q(**{f"{lookup}__date__gte": since})


def _rows(model, lookup: str, key: str = "personne", *, is_date: bool = False):
    suffix = "gte" if is_date else "date__gte"
    return lambda since: Exists(model.objects.order_by().filter(**{key: OuterRef("pk"), f"{lookup}__{suffix}": since}))


def _accompanied(since: datetime.date):
    stays = Appartenance.objects.order_by().filter(
        Q(menage__accompagnements__date_fin__isnull=True) | Q(menage__accompagnements__date_fin__gte=since),
        menage__accompagnements__isnull=False,
        personne=OuterRef("pk"),
        date_fin__isnull=True,
    )
    return Exists(stays)


ACTIVITES = {
    "la fiche est créée ou modifiée": _own("modifie_le"),
    "une situation est saisie, modifiée ou confirmée": _rows(SituationResidentielle, "modifie_le"),
    "une arrivée ou un déplacement est saisi": _rows(Appartenance, "saisie_le"),
    "un SIAO demande l'accès, ou reçoit sa réponse": _rows(DemandeDAcces, "demandee_le"),
    "une fiche est fusionnée dans celle-ci": _rows(Fusion, "faite_le", "maitre"),
    "une fusion est défaite": _rows(Fusion, "defaite_le", "maitre"),
    "un dispositif accompagne le ménage": _accompanied,
}
"""What counts as activity: each says whether a person (the outer row) had some since a day, that day included."""


def inactive_since(since: datetime.date):
    """The persons with no activity since ``since``, that day included. Frozen data wait for the end of the gel."""
    persons = Personne.objects.actives().filter(gelee_le__isnull=True)
    for activity in ACTIVITES.values():
        persons = persons.exclude(activity(since))
    return persons


def _day(today: datetime.date, ago: int) -> datetime.date:
    return today - datetime.timedelta(days=ago)


@transaction.atomic
def announce(*, today: datetime.date) -> dict[str, int]:
    """Tell the SIAO who will be forgotten in ``PREAVIS`` days; activity since takes a person off the list."""
    quiet = inactive_since(_day(today, DELAI - PREAVIS))
    back = Oubli.objects.exclude(personne__in=quiet.order_by().values("pk")).delete()[0]
    new = quiet.filter(oubli__isnull=True).order_by("pk").values_list("pk", flat=True)
    announced = Oubli.objects.bulk_create(
        Oubli(personne_id=pk, annonce_le=today, echeance=today + datetime.timedelta(days=PREAVIS)) for pk in new
    )
    return {"oublis_annules": back, "oublis_annonces": len(announced)}


def forget_due(*, today: datetime.date) -> int:
    """Forget those whose day has come and who are still inactive; return how many."""
    due = Oubli.objects.filter(echeance__lte=today).order_by("personne").values_list("personne", flat=True)
    forgotten = 0
    for pk in list(due):
        with transaction.atomic():
            if lock_in_order(inactive_since(_day(today, DELAI)).filter(pk=pk)):
                forget(pk)
                forgotten += 1
    return forgotten


# --- Forgetting -------------------------------------------------------------------------------------------------


@transaction.atomic
def erase(*, auteur: Habilitation, personne: Personne) -> None:
    """Forget a person now, at their request."""
    journalise(action="situations.oublier", utilisateur=auteur.utilisateur, habilitation=auteur, objet=personne)
    forget(personne.pk)


@transaction.atomic
def forget(pk: int) -> None:
    """Delete a person, the fiches that she absorbed, and every trace of them but counts that lead back to nobody."""
    keys = _family(pk)
    lock_in_order(Personne.objects.filter(pk__in=keys))
    _count(keys)
    stays = Appartenance.objects.filter(personne__in=keys)
    menages = sorted(set(stays.values_list("menage", flat=True)))
    searches = searches_about(keys)
    erased = _delete_rows(keys)
    erased |= _delete_empty(menages)
    archive_if_empty(menages)
    _delete_history(erased)
    Recherche.objects.filter(searches).delete()
    # Kept outside the base, so that a restored backup forgets them again (``replay``); only what was really erased.
    transaction.on_commit(lambda: logger.warning(EFFACEMENT, personnes=keys))


@transaction.atomic
def replay(lines: Iterable[str]) -> int:
    """Forget again, in a restored backup, whom the technical log (``lines``) says was forgotten; return how many.

    Who was created since the line was written has the number of somebody who is gone, and stays.
    """
    forgotten = 0
    for when, keys in _erasures(lines):
        # Those that the others were merged into first: they go together. The rest was absorbed by somebody else.
        back = Personne.objects.filter(pk__in=keys, cree_le__lt=when).order_by(
            F("fusionnee_dans").asc(nulls_first=True)
        )
        for pk in list(back.values_list("pk", flat=True)):
            if Personne.objects.filter(pk=pk).exists():
                forget(pk)
                forgotten += 1
    return forgotten


def _erasures(lines: Iterable[str]) -> Iterator[tuple[datetime.datetime, list[int]]]:
    for line in lines:
        if EFFACEMENT in line:
            entry = json.loads(line[line.index("{") :])
            if entry.get("event") == EFFACEMENT:
                yield datetime.datetime.fromisoformat(entry["timestamp"]), entry["personnes"]


def _family(pk: int) -> list[int]:
    """The person and the fiches merged into her: they go together."""
    return [pk, *Personne.objects.filter(fusionnee_dans=pk).order_by("pk").values_list("pk", flat=True)]


def _count(keys: list[int]) -> None:
    """Add the situations of the person to the anonymous counts; those of absorbed fiches never counted."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO situations_situationoubliee (annee, departement, tranche_age, sr1, mois, nombre)
            SELECT extract(year FROM s.date_debut), d.departement_id, t.tranche, coalesce(v.sr1_id, 'NR'), m.mois,
                   count(*)
            FROM situations_situationresidentielle s
            JOIN situations_sr2 v ON v.code = s.sr2_id
            JOIN menages_personne p ON p.id = s.personne_id AND p.active
            JOIN menages_appartenance a ON a.personne_id = p.id AND a.date_fin IS NULL
            JOIN menages_menage g ON g.id = a.menage_id
            JOIN comptes_siao d ON d.code = g.siao_id
            CROSS JOIN LATERAL (SELECT extract(year FROM age(s.date_debut, p.date_naissance)) AS ans) AS e
            CROSS JOIN LATERAL (SELECT CASE
                WHEN e.ans IS NULL THEN 'inconnu' WHEN e.ans < 3 THEN '0-2' WHEN e.ans < 18 THEN '3-17'
                WHEN e.ans < 25 THEN '18-24' WHEN e.ans < 60 THEN '25-59' ELSE '60+' END AS tranche) AS t
            CROSS JOIN LATERAL (
                SELECT greatest(0, (coalesce(s.date_fin, s.confirmee_le) - s.date_debut) / 30) AS mois) AS m
            WHERE s.personne_id = ANY(%s)
            GROUP BY 1, 2, 3, 4, 5
            ON CONFLICT (annee, departement, tranche_age, sr1, mois)
            DO UPDATE SET nombre = situations_situationoubliee.nombre + excluded.nombre
            """,
            [keys],
        )


def _delete_rows(keys: list[int]) -> dict[type, set]:
    """Delete what points to these persons, then the persons; return the keys of what is gone, by model."""
    # Absorbed and frozen fiches are closed to writing: they are opened first.
    Personne.objects.filter(pk__in=keys).update(fusionnee_dans=None, gelee_le=None, gel_motif="")
    gone: dict[type, set] = {Personne: set(keys)}
    for relation in relations():
        if relation.model is Personne:
            continue
        rows = relation.rows(keys).order_by()
        gone.setdefault(relation.model, set()).update(rows.values_list("pk", flat=True))
        rows._raw_delete(rows.db)
    persons = Personne.objects.filter(pk__in=keys)
    persons._raw_delete(persons.db)
    return gone


def _delete_empty(menages: Iterable[int]) -> dict[type, set]:
    """Delete the ménages where nobody was ever but the forgotten, with what is theirs."""
    lock_menages(menages)
    left = Appartenance.objects.filter(menage=OuterRef("pk"))
    empty = list(
        Menage.objects.filter(pk__in=menages).exclude(Exists(left)).order_by("pk").values_list("pk", flat=True)
    )
    accompagnements = Accompagnement.objects.filter(menage__in=empty)
    partages = Partage.objects.filter(
        content_type=ContentType.objects.get_for_model(Menage), object_pk__in=[str(pk) for pk in empty]
    )
    gone = {
        Accompagnement: set(accompagnements.values_list("pk", flat=True)),
        Partage: set(partages.values_list("pk", flat=True)),
        Menage: set(empty),
    }
    partages.delete()
    accompagnements.delete()
    Menage.objects.filter(pk__in=empty).delete()
    return gone


def _delete_history(gone: dict[type, set]) -> None:
    """Delete the history of what is gone, rows deleted long ago included, and the motives typed with it."""
    events = [model for model in apps.get_models() if issubclass(model, Event) and model is not Event]
    persons = gone[Personne]
    contexts = set()
    for model in events:
        tracked = model._meta.get_field("pgh_obj").related_model
        about = Q(pgh_obj__in=gone.get(tracked, ()))
        for field in model._meta.concrete_fields:
            if field.is_relation and field.name != "pgh_obj" and field.related_model is Personne:
                about |= Q(**{f"{field.attname}__in": persons})
        if tracked is not Personne and about == Q(pgh_obj__in=()):
            continue
        rows = model._base_manager.filter(about)
        contexts.update(rows.values_list("pgh_context", flat=True))
        with pgtrigger.ignore(f"{model._meta.label}:append_only"):
            rows._raw_delete(rows.db)
    motives = pghistory.models.Context.objects.filter(pk__in=contexts - {None}, metadata__has_key="motif")
    for context in motives.order_by("pk"):
        context.metadata.pop("motif")
        context.save(update_fields=["metadata"])
