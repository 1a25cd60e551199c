"""Who may know where a confidential dispositif is: those who orient there, its own team, those who keep its fiche.

The perimeter has already said which dispositifs somebody sees; this says whether they also see their address. Lists,
extractions and open data never locate them, whoever asks: a list is copied and sent, a fiche is read.
"""

from comptes.droits import Droit, Famille
from comptes.models import Habilitation
from offre.models import Dispositif

_DROITS = frozenset({Droit.DEMANDES_ORIENTER, Droit.OFFRE_SAISIR})


def voit_adresse(habilitation: Habilitation, dispositif: Dispositif) -> bool:
    """Whether ``habilitation``, in whose perimeter ``dispositif`` is, may read its address."""
    if not dispositif.adresse_confidentielle:
        return True
    return habilitation.famille == Famille.ENTITE or bool(habilitation.droits & _DROITS)
