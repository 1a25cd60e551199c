"""Asking another SIAO about persons that it knows, and answering."""

import datetime

from django.db import transaction
from django.utils import timezone

from comptes.actions import share
from comptes.models import Habilitation, Siao
from menages.actions.journal import log
from menages.models import Appartenance, DemandeDAcces, EtatDemande, Personne
from menages.verrous import lock_menages, lock_personnes
from siao.socle.refusal import Refusal


@transaction.atomic
def ask_access(*, auteur: Habilitation, siao: Siao, personnes: list[Personne], motif: str) -> None:
    """Ask, for ``siao``, the SIAO that follow ``personnes``. A demande that already waits is not written twice.

    Nobody asks about a protected or frozen person, nor about who lives with a protected one: nothing is written, and
    nothing tells so.
    """
    open_ = Personne.objects.actives().filter(pk__in=[personne.pk for personne in personnes])
    open_ = open_.filter(protegee=False, gelee_le__isnull=True).entiers_pour(auteur)
    followed = (
        Appartenance.objects.current().filter(personne__in=open_.order_by().values("pk")).select_related("menage")
    )
    demandes = [
        DemandeDAcces(
            personne_id=appartenance.personne_id,
            siao_id=appartenance.menage.siao_id,
            siao_demandeur=siao,
            motif=motif,
            demandee_par=auteur.utilisateur,
        )
        for appartenance in followed.order_by("personne")
    ]
    DemandeDAcces.objects.bulk_create(demandes, ignore_conflicts=True)
    for demande in demandes:
        log(auteur, "menages.demander_acces", demande.personne)


@transaction.atomic
def answer_access(
    *,
    auteur: Habilitation,
    demande: DemandeDAcces,
    acceptee: bool,
    reponse: str,
    jusqu_au: datetime.date | None = None,
) -> None:
    """Accept (the dossier where the person is now is shared until ``jusqu_au``), or refuse.

    Only who sees the whole of the dossier accepts, now: somebody may have been protected since the demande.
    """
    if acceptee:  # before the demande, as a fusion does: and whoever protects waits, or was there first
        lock_personnes([demande.personne_id])
        here = Appartenance.objects.current().filter(personne=demande.personne_id)
        lock_menages(here.values_list("menage", flat=True))
    demande = DemandeDAcces.objects.select_for_update(of=("self",)).get(pk=demande.pk)
    if demande.etat != EtatDemande.EN_ATTENTE:
        raise Refusal("Quelqu'un a déjà répondu à cette demande.")
    if acceptee:
        appartenance = Appartenance.objects.current().select_related("menage").get(personne=demande.personne_id)
        share(
            auteur=auteur,
            objet=appartenance.menage,
            siao=demande.siao_demandeur,
            date_fin=jusqu_au,
            motif=demande.motif,
        )
    DemandeDAcces.objects.filter(pk=demande.pk).update(
        etat=EtatDemande.ACCEPTEE if acceptee else EtatDemande.REFUSEE,
        reponse=reponse,
        repondue_le=timezone.now(),
        repondue_par=auteur.utilisateur,
    )
    log(auteur, "menages.repondre_acces", demande)
