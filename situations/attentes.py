"""What waits for those who keep situations up to date, and for those who answer for the rights of persons."""

from comptes.droits import Droit
from siao.socle.attentes import Attente
from situations.views.confirmation import MOIS, months_ago, unconfirmed, unknown
from situations.views.droits import announced

ATTENTES = (
    Attente(
        libelle="situations résidentielles que personne n'a confirmées depuis trois mois",
        singulier="situation résidentielle que personne n'a confirmée depuis trois mois",
        droit=Droit.SITUATIONS_SAISIR,
        lignes=lambda request: unconfirmed(request.habilitation, months_ago(MOIS)),
        depuis="confirmee_le",
        page="a_confirmer",
    ),
    Attente(
        libelle="situations résidentielles non renseignées",
        singulier="situation résidentielle non renseignée",
        droit=Droit.SITUATIONS_SAISIR,
        lignes=lambda request: unknown(request.habilitation),
        depuis="date_debut",
        page="a_confirmer",
        parametres="liste=nr",
    ),
    Attente(
        libelle="personnes sans activité, bientôt oubliées",
        singulier="personne sans activité, bientôt oubliée",
        droit=Droit.PERSONNES_DROITS,
        lignes=announced,
        depuis="annonce_le",
        page="oublis",
    ),
)
