"""Corriger le parcours: what the source does by deleting the end of a chain and adding it again, in one transaction.

What did not change keeps its author; what did has the one of the correction, and its reason, in the history.
"""

from collections.abc import Mapping, Sequence

import pghistory
from django.db import transaction

from comptes.models import Habilitation
from menages.models import Menage
from siao.socle.chains import moving_boundaries
from siao.socle.refusal import Refusal, Stale
from situations.actions.saisie import PERIME, drop_banner, lock_present, log
from situations.correction import Correction, Ligne, jeton_of, same
from situations.models import SituationResidentielle
from situations.models.situations import chains_of
from situations.parcours import RefusalOfSome


@transaction.atomic
def correct_parcours(
    *, auteur: Habilitation, menage: Menage, jetons: Mapping[int, str], lignes: Sequence[Ligne], motif: str
) -> None:
    """Make the whole chain of persons what ``lignes`` says. ``jetons``: persons (keys), with what the page saw of them.

    Several persons have the same chain, situation for situation. ``motif`` is kept with each change. Raises ``Stale``,
    ``Fusionnee``, ``Parties``, ``RefusalOfSome`` or ``Refusal``; nothing is then done for anybody.
    """
    personnes = lock_present(menage, jetons)
    chains = chains_of(personnes)
    if any(jeton_of(chain) != jetons[key] for key, chain in chains.items()):
        raise Stale(PERIME)
    aujourdhui = menage.siao.departement.aujourdhui
    corrections = {
        key: Correction(chain, lignes, aujourdhui, personnes[key].date_naissance) for key, chain in chains.items()
    }
    if len({tuple(map(same, chain)) for chain in chains.values()}) > 1:
        raise Refusal("Ces personnes n'ont pas eu les mêmes situations : corrigez le parcours de chacune.")
    if refused := list(dict.fromkeys(sentence for each in corrections.values() for sentence in each.refus)):
        raise RefusalOfSome(refused)
    with pghistory.context(motif=motif), moving_boundaries("situation"):
        for key, correction in corrections.items():
            _write(auteur, key, correction)
    if correction.ajoutees or correction.modifiees:
        drop_banner(menage)
    log(auteur, "situations.corriger", menage, chains)


def _write(auteur: Habilitation, personne: int, correction: Correction) -> None:
    avant, trace = correction.avant, SituationResidentielle.trace(auteur.utilisateur)
    replaced = [ligne.rang for ligne in correction.modifiees if ligne.rang]
    gone = [avant[rang].pk for rang in (*correction.supprimees, *replaced)]
    SituationResidentielle.objects.filter(pk__in=gone).delete()
    added = []
    for ligne, etape in zip(correction.apres, correction.etapes, strict=True):
        values = {
            "sr2_id": ligne.choix.sr2.pk,
            "region_id": ligne.choix.region_id,
            "date_debut": etape.date_debut,
            "date_fin": etape.date_fin,
        }
        if ligne.rang is None or ligne.rang in replaced:
            added.append(
                SituationResidentielle(
                    personne_id=personne,
                    confirmee_le=correction.aujourdhui,
                    cree_par=auteur.utilisateur,
                    modifie_par=auteur.utilisateur,
                    **values,
                )
            )
            continue
        was = avant[ligne.rang]
        if ligne in correction.modifiees or (etape.date_fin is None and was.date_fin):
            values["confirmee_le"] = correction.aujourdhui
        elif was.date_fin == etape.date_fin:
            continue
        SituationResidentielle.objects.filter(pk=was.pk).update(**values, **trace)
    SituationResidentielle.objects.bulk_create(added)
