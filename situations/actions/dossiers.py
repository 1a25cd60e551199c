"""Creating ménages and persons as users do it: each person begins with « Non renseignée », that day."""

import datetime
from collections.abc import Iterable

from django.db import transaction

from comptes.models import Habilitation, Siao
from menages.actions.distinctions import AUCUNE, Ecartees
from menages.actions.dossiers import create_personnes, open_menage
from menages.models import Menage, Personne
from offre.models import Dispositif
from situations.models import SituationResidentielle
from situations.models.referentiel import NON_RENSEIGNEE


@transaction.atomic
def create_dossier(
    *,
    auteur: Habilitation,
    siao: Siao,
    identites: list[dict],
    arrivee: datetime.date | None = None,
    dispositifs: Iterable[Dispositif] = (),
    ecartees: Ecartees = AUCUNE,
) -> Menage:
    """Open a dossier for the persons of ``identites``, who live together since ``arrivee`` (None: today)."""
    menage = open_menage(auteur=auteur, siao=siao, dispositifs=dispositifs)
    add_personnes(
        auteur=auteur,
        menage=menage,
        identites=identites,
        arrivee=arrivee or siao.departement.aujourdhui,
        ecartees=ecartees,
    )
    return menage


@transaction.atomic
def add_personnes(
    *,
    auteur: Habilitation,
    menage: Menage,
    identites: list[dict],
    arrivee: datetime.date,
    ecartees: Ecartees = AUCUNE,
) -> list[Personne]:
    """Create persons in an open dossier, where they arrived on ``arrivee``."""
    personnes = create_personnes(auteur=auteur, menage=menage, identites=identites, arrivee=arrivee, ecartees=ecartees)
    aujourdhui = menage.siao.departement.aujourdhui
    SituationResidentielle.objects.bulk_create(
        SituationResidentielle(
            personne=personne,
            sr2_id=NON_RENSEIGNEE,
            date_debut=aujourdhui,
            confirmee_le=aujourdhui,
            cree_par=auteur.utilisateur,
            modifie_par=auteur.utilisateur,
        )
        for personne in personnes
    )
    return personnes
