"""The change history of business tables: who changed what, when, in which request.

``@historise(droit=…)`` above a model is all there is to declare: PostgreSQL triggers (django-pghistory) copy every
insertion, change and deletion of a row into an append-only table, whatever wrote it (form, job, bulk update, psql).
``acting`` tells the triggers on whose behalf; the page « Historique » of each object reads the result.
"""

from collections import defaultdict
from contextlib import contextmanager

import pghistory
import pgtrigger
import structlog
from django.apps import apps
from django.db import models
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from pghistory.models import Events

MODELES: dict[str, str] = {}
"""Label of each model with a history → right that its « Historique » asks for, besides ``journal.voir``."""

PARTIES: dict[type[models.Model], str] = {}
"""Models whose history is shown with that of an object they are a part of → the field that names this object."""


def historise(*, droit: str, exclude: tuple[str, ...] = (), dans: str = ""):
    """Keep the history of a model. ``droit``: the right to see its rows; ``exclude``: fields that are not copied.

    ``dans``: the field that names the object which its rows are a part of, whose « Historique » shows theirs too.
    Generated fields are left out by themselves. The triggers run once per statement, so that a bulk write costs
    one more bulk write.
    """

    def decorate(model):
        generated = [field.name for field in model._meta.local_concrete_fields if field.generated]
        pghistory.track(
            pghistory.InsertEvent(),
            pghistory.UpdateEvent(),
            pghistory.DeleteEvent(),
            exclude=[*generated, *exclude],
            append_only=True,
            level=pgtrigger.Statement,
        )(model)
        MODELES[model._meta.label_lower] = droit
        if dans:
            PARTIES[model] = dans
        return model

    return decorate


@contextmanager
def acting(*, utilisateur, habilitation=None, travail: str = ""):
    """Sign what is written inside with its author: the user and habilitation (objects or None), and the request.

    The middleware does it for each request; a job does it around its writes, naming itself (``travail``).
    """
    signature = {
        "utilisateur": utilisateur.pk if utilisateur else None,
        "habilitation": habilitation.pk if habilitation else None,
        "demande": structlog.contextvars.get_contextvars().get("request_id", ""),
    }
    if travail:
        signature["travail"] = travail
    with pghistory.context(**signature):
        yield


def changes_of(objet):
    """The history of ``objet``, latest first: ``pgh_label``, ``pgh_created_at``, ``pgh_diff``, ``pgh_context``."""
    parts = [part for part, field in PARTIES.items() if part._meta.get_field(field).related_model is type(objet)]
    if parts:
        events = Events.objects.across(*(model.pgh_event_model for model in (type(objet), *parts))).references(objet)
    else:
        events = Events.objects.tracks(objet)
    return events.order_by("-pgh_created_at", "-pgh_id")


def readable(events) -> list[dict]:
    """Each of ``events`` as people read it: when, who (user or job), and field by field before and after."""
    from comptes.models import Utilisateur

    contexts = [event.pgh_context or {} for event in events]
    authors = Utilisateur.objects.in_bulk(
        {context["utilisateur"] for context in contexts if context.get("utilisateur")}
    )
    changes = [_changes(event) for event in events]
    names = _names({(field, value) for change in changes for field, *values in change for value in values})
    return [
        {
            "quand": event.pgh_created_at,
            "auteur": authors.get(context.get("utilisateur")) or context.get("travail") or "le logiciel",
            "demande": context.get("demande", ""),
            "nature": _NATURES[event.pgh_label],
            "partie": _part_of(event)[0],
            "champs": [
                (str(field.verbose_name), _shown(field, before, names), _shown(field, after, names))
                for field, before, after in change
            ],
        }
        for event, context, change in zip(events, contexts, changes, strict=True)
    ]


_NATURES = {"insert": "Création", "update": "Modification", "delete": "Suppression"}


def _part_of(event) -> tuple[str, str]:
    """What ``event`` changed (« public accueilli ») and the field that names its whole; empty for the object itself."""
    model = apps.get_model(event.pgh_obj_model)
    return (str(model._meta.verbose_name), PARTIES[model]) if model in PARTIES else ("", "")


def _changes(event) -> list[tuple]:
    """Fields, each with its values before and after; a creation gives all that it filled in, as does a part removed."""
    diff, (part, whole) = event.pgh_diff or {}, _part_of(event)
    filled = {key: value for key, value in event.pgh_data.items() if key != whole and value not in (None, "", [])}
    if event.pgh_label == "insert":
        diff = {key: (None, value) for key, value in filled.items()}
    elif event.pgh_label == "delete" and part:
        diff = {key: (value, None) for key, value in filled.items()}
    model = apps.get_model(event.pgh_obj_model)
    fields = ((model._meta.get_field(key), *values) for key, values in diff.items())
    return [
        (field, *(tuple(value) if isinstance(value, list) else value for value in values))
        for field, *values in fields
        if not field.primary_key
    ]


def _names(values: set[tuple]) -> dict[tuple, str]:
    """How people call the agents, territories and values of lists that ``values`` (field, key) point to.

    One query for each model. Other objects keep their number: their own pages say to whom they show their name.
    """
    keys = defaultdict(set)
    for field, value in values:
        if field.is_relation and _is_for_all(field.related_model) and value is not None:
            keys[field.related_model].add(value)
    return {
        (model, key): str(found)
        for model, wanted in keys.items()
        for key, found in model._default_manager.in_bulk(wanted).items()
    }


def _is_for_all(model) -> bool:
    """A list has codes for keys, and everybody reads it."""
    return model._meta.app_label == "comptes" or isinstance(model._meta.pk, models.CharField)


def _shown(field, value, names: dict[tuple, str]) -> str:
    if value is None or value in ("", ()):
        return "—"
    if isinstance(value, bool):
        return "oui" if value else "non"
    if field.is_relation:
        return names.get((field.related_model, value), str(value))
    if isinstance(field, models.DateTimeField):
        return f"{timezone.localtime(parse_datetime(value)):%d/%m/%Y %H:%M}"
    if isinstance(field, models.DateField):
        return f"{parse_date(value):%d/%m/%Y}"
    choices = dict(getattr(field, "base_field", field).flatchoices)
    return ", ".join(str(choices.get(one, one)) for one in (value if isinstance(value, tuple) else (value,)))
