"""The change history of business tables: who changed what, when, in which request.

``@historise(droit=…)`` above a model is all there is to declare: PostgreSQL triggers (django-pghistory) copy every
insertion, change and deletion of a row into an append-only table, whatever wrote it (form, job, bulk update, psql).
``acting`` tells the triggers on whose behalf; the page « Historique » of each object reads the result.
"""

from contextlib import contextmanager

import pghistory
import pgtrigger
import structlog
from pghistory.models import Events

MODELES: dict[str, str] = {}
"""Label of each model with a history → right that its « Historique » asks for, besides ``journal.voir``."""


def historise(*, droit: str, exclude: tuple[str, ...] = ()):
    """Keep the history of a model. ``droit``: the right to see its rows; ``exclude``: fields that are not copied.

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
    return Events.objects.tracks(objet).order_by("-pgh_created_at", "-pgh_id")


def readable(events, objet) -> list[dict]:
    """Each of ``events`` as people read it: when, who (user or job), what, and field by field before and after."""
    from comptes.models import Utilisateur

    contexts = [event.pgh_context or {} for event in events]
    authors = Utilisateur.objects.in_bulk(
        {context["utilisateur"] for context in contexts if context.get("utilisateur")}
    )
    return [
        {
            "quand": event.pgh_created_at,
            "auteur": authors.get(context.get("utilisateur")) or context.get("travail") or "le logiciel",
            "demande": context.get("demande", ""),
            "nature": _NATURES[event.pgh_label],
            "champs": [
                (_label(objet, field), _shown(objet, field, before), _shown(objet, field, after))
                for field, (before, after) in (event.pgh_diff or {}).items()
            ],
        }
        for event, context in zip(events, contexts, strict=True)
    ]


_NATURES = {"insert": "Création", "update": "Modification", "delete": "Suppression"}


def _label(objet, field: str) -> str:
    return str(objet._meta.get_field(field.removesuffix("_id")).verbose_name)


def _shown(objet, field: str, value) -> str:
    if value is None or value == "":
        return "—"
    if isinstance(value, bool):
        return "oui" if value else "non"
    choices = dict(getattr(objet._meta.get_field(field.removesuffix("_id")), "flatchoices", ()))
    return str(choices.get(value, value))
