"""Which rows a user sees, as one value that every ``visible_to`` understands."""

from dataclasses import dataclass

from django.db.models import Q

_ALL = ~Q(pk__in=())
"""Every row. Not ``Q()``: combined with another condition, an empty ``Q`` would disappear instead of winning."""


@dataclass(frozen=True)
class Perimetre:
    """What the active habilitation opens. Empty by default: an empty perimeter sees nothing.

    Each field is a set of primary keys; a row is visible when one of them says so (``rows``).
    """

    national: bool = False
    """The whole country: every row of every territory."""
    departements: frozenset[str] = frozenset()
    """Codes of the départements whose offre is seen whole."""
    siaos: frozenset[str] = frozenset()
    """Codes of the SIAO whose dossiers are seen. Empty for the State: its profils never see a nominative dossier."""
    rattachements: frozenset[int] = frozenset()
    """Entités, each in one département: « its entité in 1 to n départements »."""
    dispositifs: frozenset[int] = frozenset()
    """Dispositifs seen one by one."""

    def contains(self, departement: str) -> bool:
        """Whether the whole of ``departement`` is seen."""
        return self.national or departement in self.departements

    def rows(
        self,
        *,
        departement: str | None = None,
        siao: str | None = None,
        rattachement: str | None = None,
        dispositif: str | None = None,
    ) -> Q:
        """Condition on the rows of a model: each argument is the lookup that leads to that key.

        ``Q(pk__in=())`` at least: what no argument leads to stays hidden.
        """
        if self.national:
            return _ALL
        seen = Q(pk__in=())
        for lookup, keys in (
            (departement, self.departements),
            (siao, self.siaos),
            (rattachement, self.rattachements),
            (dispositif, self.dispositifs),
        ):
            if lookup and keys:
                seen |= Q(**{f"{lookup}__in": keys})
        return seen


VIDE = Perimetre()
