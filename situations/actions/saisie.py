"""Ajouter, modifier, supprimer, confirmer: for one or several persons of a ménage at once, all or nothing.

Persons are locked first, in the order of their keys; what the page saw of each chain (``jetons``) must still be true;
the rules of ``situations.parcours`` decide; then the boundaries move together, and PostgreSQL checks the chains before
the function returns.
"""

from collections.abc import Mapping, Sized

from django.db import transaction

from comptes.journal import journalise
from comptes.models import Habilitation
from menages.models import Menage, Personne
from menages.verrous import check_present, lock_personnes
from siao.socle.chains import moving_boundaries
from siao.socle.refusal import Refusal, Stale
from situations.actions import journal  # noqa: F401
from situations.models import SituationResidentielle
from situations.models.situations import chains_of
from situations.parcours import UN_JOUR, Choix, Parcours, check_all, check_choix, refus_de

MAXIMUM = 50
"""Persons at once: the largest ménage known has fewer, a forged form has more."""
PERIME = "Quelqu'un a modifié ce parcours pendant que vous remplissiez la page."
TROP = f"Pas plus de {MAXIMUM} personnes à la fois : enregistrez les unes, puis les autres."


def parcours_of(menage: Menage, personnes) -> list[Parcours]:
    """The end of the chain of each of ``personnes`` (objects, by key), in their order. One query."""
    aujourdhui = menage.siao.departement.aujourdhui
    return [
        Parcours(personnes[key], chain[-1], chain[-2] if len(chain) > 1 else None, aujourdhui)
        for key, chain in chains_of(personnes).items()
        if chain
    ]


@transaction.atomic
def add_situation(*, auteur: Habilitation, menage: Menage, jetons: Mapping[int, str], choix: Choix) -> None:
    """Give persons a new current situation; the one before ends the day before.

    ``jetons``: the persons (keys), each with what the page saw of their chain. Raises ``Stale``, ``Fusionnee``,
    ``Parties``, ``RefusalOfSome`` or ``Refusal``; nothing is then done for anybody.
    """
    chains = _locked(menage, jetons)
    check_all(refus_de(chains, lambda each: each.refus_ajout(choix)))
    check_choix(choix, chains[0].aujourdhui)
    trace = SituationResidentielle.trace(auteur.utilisateur)
    with moving_boundaries("situation"):
        SituationResidentielle.objects.filter(pk__in=[each.courante.pk for each in chains]).update(
            date_fin=choix.date_debut - UN_JOUR, **trace
        )
        SituationResidentielle.objects.bulk_create(
            SituationResidentielle(
                personne=each.personne,
                sr2=choix.sr2,
                region_id=choix.region_id,
                date_debut=choix.date_debut,
                confirmee_le=each.aujourdhui,
                cree_par=auteur.utilisateur,
                modifie_par=auteur.utilisateur,
            )
            for each in chains
        )
    drop_banner(menage)
    log(auteur, "situations.ajouter", menage, chains)


@transaction.atomic
def modify_situation(*, auteur: Habilitation, menage: Menage, jetons: Mapping[int, str], choix: Choix) -> None:
    """Correct the current situation of persons, and the end of the one before. ``jetons`` as in ``add_situation``."""
    chains = _locked(menage, jetons)
    kept = all(each.courante.sr2_id == choix.sr2.pk for each in chains)
    check_all(refus_de(chains, lambda each: each.refus_modification(choix)))
    check_choix(choix, chains[0].aujourdhui, gardee=kept)
    trace = SituationResidentielle.trace(auteur.utilisateur)
    values = {"sr2": choix.sr2, "region": choix.region_id, "confirmee_le": chains[0].aujourdhui, **trace}
    if choix.date_debut:
        values["date_debut"] = choix.date_debut
    moved = [
        each.precedente.pk
        for each in chains
        if each.precedente and each.precedente.date_fin != each.debut_modifie(choix) - UN_JOUR
    ]
    with moving_boundaries("situation"):
        SituationResidentielle.objects.filter(pk__in=[each.courante.pk for each in chains]).update(**values)
        if moved:
            SituationResidentielle.objects.filter(pk__in=moved).update(date_fin=choix.date_debut - UN_JOUR, **trace)
    drop_banner(menage)
    log(auteur, "situations.modifier", menage, chains)


@transaction.atomic
def delete_situation(*, auteur: Habilitation, menage: Menage, jetons: Mapping[int, str]) -> None:
    """Delete the current situation of persons; the one before is open again. ``jetons`` as in ``add_situation``."""
    chains = _locked(menage, jetons)
    check_all(refus_de(chains, lambda each: each.refus_suppression))
    with moving_boundaries("situation"):
        SituationResidentielle.objects.filter(pk__in=[each.courante.pk for each in chains]).delete()
        SituationResidentielle.objects.filter(pk__in=[each.precedente.pk for each in chains]).update(
            date_fin=None,
            confirmee_le=chains[0].aujourdhui,
            **SituationResidentielle.trace(auteur.utilisateur),
        )
    log(auteur, "situations.supprimer", menage, chains)


@transaction.atomic
def confirm_situation(*, auteur: Habilitation, menage: Menage, jetons: Mapping[int, str]) -> None:
    """Say that the current situations are still true today. ``jetons`` as in ``add_situation``."""
    chains = _locked(menage, jetons)
    check_all(
        [
            f"{each.nom} : sa situation n'est pas renseignée, il n'y a rien à confirmer. Dites-la avec le crayon."
            for each in chains
            if each.a_renseigner
        ]
    )
    SituationResidentielle.objects.filter(pk__in=[each.courante.pk for each in chains]).update(
        confirmee_le=chains[0].aujourdhui, **SituationResidentielle.trace(auteur.utilisateur)
    )
    log(auteur, "situations.confirmer", menage, chains)


def _locked(menage: Menage, jetons: Mapping[int, str]) -> list[Parcours]:
    """The chains of the persons of ``jetons``, locked, as they were seen; the persons are in ``menage``."""
    chains = parcours_of(menage, lock_present(menage, jetons))
    if any(each.jeton != jetons[each.personne.pk] for each in chains):
        raise Stale(PERIME)
    return chains


def lock_present(menage: Menage, jetons: Mapping[int, str]) -> dict[int, Personne]:
    """The persons of ``jetons``, by key, locked; they are in ``menage``."""
    if not jetons:
        raise Refusal("Cochez au moins une personne.")
    if len(jetons) > MAXIMUM:
        raise Refusal(TROP)
    personnes = lock_personnes(jetons)
    check_present(menage, personnes.values())
    return personnes


def drop_banner(menage: Menage) -> None:
    """The first update by a user takes away what the old system said of an expulsion (source)."""
    if menage.bandeau_expulsion:
        Menage.objects.filter(pk=menage.pk).update(bandeau_expulsion=False)


def log(auteur: Habilitation, action: str, menage: Menage, chains: Sized) -> None:
    journalise(action=action, utilisateur=auteur.utilisateur, habilitation=auteur, objet=menage, nombre=len(chains))
