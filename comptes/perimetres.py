"""Which rows a user sees, as one value that every ``visible_to`` understands."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Perimetre:
    """The territories that the active habilitation opens. Empty by default: an empty perimeter sees nothing."""

    departements: frozenset[str] = frozenset()
    """Codes of the départements seen whole."""

    def contains(self, departement: str) -> bool:
        return departement in self.departements


VIDE = Perimetre()
