"""The two calculators of overcrowding. Advice: neither decides of a situation."""

from dataclasses import dataclass

SURFACES = (9, 16, 25, 34, 43, 52, 61, 70)
"""Square metres for one person, two… eight and more (source, VII.6)."""


@dataclass(frozen=True)
class Occupants:
    """Everybody who lives in the dwelling, those who are put up included."""

    couples: int = 0
    adultes: int = 0
    """19 and over, not living there as a couple."""
    garcons: int = 0
    """7 to 18."""
    filles: int = 0
    petits_garcons: int = 0
    """Under 7."""
    petites_filles: int = 0

    @property
    def nombre(self) -> int:
        children = self.garcons + self.filles + self.petits_garcons + self.petites_filles
        return 2 * self.couples + self.adultes + children


def rooms_needed(occupants: Occupants) -> int:
    """Rooms that the Insee's standard asks for (source, VI.1), children paired as well as they can be."""
    return 1 + occupants.couples + occupants.adultes + _children_rooms(occupants)


def _children_rooms(occupants: Occupants) -> int:
    """Two share a room when of the same sex, or both under 7."""
    boys, girls = occupants.petits_garcons, occupants.petites_filles
    # An older child left alone takes a small one of the same sex; the small ones then pair as they like.
    alone = 0
    if occupants.garcons % 2:
        alone, boys = alone + 1, max(boys - 1, 0)
    if occupants.filles % 2:
        alone, girls = alone + 1, max(girls - 1, 0)
    return occupants.garcons // 2 + occupants.filles // 2 + alone + (boys + girls + 1) // 2


def surface_needed(personnes: int) -> int:
    """Least surface of a dwelling for so many persons, in square metres."""
    return SURFACES[min(max(personnes, 1), len(SURFACES)) - 1]
