"""Everything that is known of one person, as they receive it (RGPD, article 15): JSON and a page, same content.

The tables are found from the models (``menages.relations``); each says which of its fields the person receives. Nothing
of another person of the ménage, nobody's opinion of a third party.
"""

import datetime
from collections.abc import Iterator
from typing import Any

from django.db import models

from menages.models import Personne, Precision, Regard
from menages.relations import Relation, relations
from situations.models import SituationResidentielle

FICHE = ("nom", "nom_usage", "prenom", "date_naissance", "sexe", "protegee", "gelee_le", "gel_motif", "cree_le")


def data_of(personne: Personne) -> dict[str, Any]:
    """The fiche of ``personne`` (with ``regard``), then each table that points to her or to a fiche she absorbed."""
    keys = [personne.pk, *personne.absorbees.order_by("pk").values_list("pk", flat=True)]
    tables: dict[str, list] = {}
    for relation in relations():
        if not relation.exporte:
            continue
        label = str(relation.model._meta.verbose_name_plural)
        if relation.model is SituationResidentielle and personne.regard == Regard.PROTEGE:
            tables[label] = [{"situation": "protégée : demandez-la à un agent désigné"}]
            continue
        tables.setdefault(label, []).extend(_lines(relation, keys))
    return {
        "numero": personne.numero,
        "fiche": {_label(Personne, name): _readable(personne, name) for name in FICHE},
        "tables": {label: lines for label, lines in tables.items() if lines},
    }


def _lines(relation: Relation, keys: list[int]) -> Iterator[dict[str, Any]]:
    related = [name for name in relation.exporte if relation.model._meta.get_field(name).is_relation]
    for row in relation.rows(keys).select_related(*related):
        yield {_label(relation.model, name): _readable(row, name) for name in relation.exporte}


def _label(model: type[models.Model], name: str) -> str:
    return str(model._meta.get_field(name).verbose_name)


def _readable(row: models.Model, name: str) -> str | bool | None:
    if name == "date_naissance" and row.naissance_precision != Precision.JOUR:
        return row.naissance
    value = getattr(row, name)
    if isinstance(value, datetime.datetime | datetime.date):
        return value.isoformat()
    if isinstance(value, bool) or value is None:
        return value
    display = getattr(row, f"get_{name}_display", None)
    return str(display() if display else value)
