"""Whose workbook a user may deposit."""

from collections.abc import Sequence

from comptes.droits import Droit, Profil
from comptes.models import Departement, Habilitation, Region, Utilisateur
from comptes.perimetres import Perimetre
from offre.models.nomenclature import Statut


def may_import(utilisateur: Utilisateur, territoire: Departement | Region, statut: str = Statut.PREVALIDE) -> bool:
    """Whether one of the user's habilitations lets them import the whole of ``territoire``, now, as ``statut``."""
    given = {statut_given(habilitation) for habilitation in _opening(utilisateur, territoire)}
    return utilisateur.is_active and (Statut.VALIDE in given or statut in given)


def _opening(utilisateur: Utilisateur, territoire: Departement | Region) -> list[Habilitation]:
    codes = set(territoire.codes_departements)
    return [
        habilitation
        for habilitation in Habilitation.objects.of(utilisateur)
        if Droit.OFFRE_IMPORTER in habilitation.droits and codes <= habilitation.perimetre.departements
    ]


def depositable(perimetre: Perimetre) -> Sequence[Departement | Region]:
    """The départements of the perimeter, and the régions that it holds whole."""
    departements = list(Departement.objects.filter(code__in=perimetre.departements))
    regions = Region.objects.filter(code__in={departement.region_id for departement in departements})
    whole = [region for region in regions if set(region.codes_departements) <= perimetre.departements]
    several = [region for region in whole if len(region.codes_departements) > 1]
    return [*departements, *several]


def statut_given(habilitation: Habilitation) -> Statut:
    """The statut of what this habilitation imports: the Administrateur départemental validates, the SIAO prévalide."""
    return Statut.VALIDE if habilitation.profil == Profil.ADMIN_DEPARTEMENTAL else Statut.PREVALIDE


def habilitation_for(utilisateur: Utilisateur, territoire: Departement | Region) -> Habilitation | None:
    """The user's habilitation that lets them import ``territoire``, one that validates first (command line)."""
    opening = _opening(utilisateur, territoire)
    return min(opening, key=lambda habilitation: statut_given(habilitation) != Statut.VALIDE, default=None)
