"""Naming who did something to a person or a dossier, on every page that says so.

Who works in a structure tells, by a name alone, where somebody lives. Who does not see the person whole reads
``UN_AGENT`` in its place (docs/decisions/0024-personnes-protegees.md).
"""

from collections.abc import Iterable

from comptes.models import Utilisateur

UN_AGENT = "un agent d'une structure"


class Auteurs:
    """The authors of what one page shows, read in one query."""

    def __init__(self, keys: Iterable[int | None]):
        """``keys``: those of their accounts; None for what a job did."""
        known = {key for key in keys if key}
        self._found = Utilisateur.objects.with_structure().in_bulk(known) if known else {}

    def tells_a_place(self, key: int | None) -> bool:
        """Whether a page that hides where somebody is hides this author too."""
        return key in self._found and self._found[key].de_structure

    def nom(self, key: int | None, *, entier: bool, personne: str = "le logiciel") -> str:
        """The author in words. ``entier``: the user sees whole whom this is about; ``personne``: when nobody did it."""
        if key not in self._found:
            return personne
        return UN_AGENT if self.tells_a_place(key) and not entier else str(self._found[key])
