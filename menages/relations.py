"""What points to a person, found from the models themselves: a table that is added later cannot be forgotten.

A fusion moves it, the export of a person's data shows it, forgetting a person deletes it. ``@concerne`` above a model
says what is particular to it; a test fails for a model that points to a person and says nothing.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.db import models
from pghistory.models import Event


@dataclass(frozen=True)
class _Choix:
    suit: bool
    exporte: tuple[str, ...]


_CHOIX: dict[str, _Choix] = {}


def concerne(*, suit: bool, exporte: tuple[str, ...] = ()) -> Callable:
    """Declare a model with a key to ``Personne``.

    ``suit``: its rows go to the kept person in a fusion; otherwise they stay with the absorbed one, and are its past.
    ``exporte``: the fields that the person receives when they ask for their data (their label is what they read).
    """

    def decorate(model):
        _CHOIX[model._meta.label_lower] = _Choix(suit, exporte)
        return model

    return decorate


@dataclass(frozen=True)
class Relation:
    """One foreign key to a person."""

    field: models.ForeignKey

    @property
    def model(self) -> type[models.Model]:
        return self.field.model

    @property
    def declared(self) -> bool:
        return self.model._meta.label_lower in _CHOIX

    @property
    def suit(self) -> bool:
        """Undeclared rows follow: losing them would be worse than moving them."""
        return _CHOIX[self.model._meta.label_lower].suit if self.declared else True

    @property
    def exporte(self) -> tuple[str, ...]:
        if self.declared:
            return _CHOIX[self.model._meta.label_lower].exporte
        return tuple(field.name for field in self.model._meta.concrete_fields)

    def rows(self, personnes):
        """Rows that point to ``personnes`` (keys), in a stable order."""
        return self.model._base_manager.filter(**{f"{self.field.name}__in": personnes}).order_by("pk")


def relations() -> Iterator[Relation]:
    """Every foreign key to ``Personne``, of every application; its history is not a relation but a trace."""
    from menages.models import Personne

    for reverse in Personne._meta.get_fields(include_hidden=True):
        if not (reverse.auto_created and not reverse.concrete and (reverse.one_to_many or reverse.one_to_one)):
            continue
        if not issubclass(reverse.related_model, Event):
            yield Relation(reverse.field)
