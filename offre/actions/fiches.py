"""Creating and changing fiches in the browser, through the same writing as an import.

``auteur`` is the habilitation under which the author acts. ``values`` and ``changements`` come from a form that read
them (``offre.forms``); the constraints of the database have the last word.
"""

from collections.abc import Callable
from typing import Any

from django.db import transaction

from comptes.journal import journalise
from comptes.models import Habilitation
from offre.actions.transitions import record
from offre.circuit import EN_ATTENTE, peut_modifier, peut_proposer, statut_de_creation, statut_de_soumission
from offre.colonnes.ecriture import CHANGE, insert_dispositifs, insert_entites, insert_financements
from offre.colonnes.fiches import TABLE_DISPOSITIFS, TABLE_ENTITES, TABLE_FINANCEMENTS, TABLES, Table
from offre.models import Dispositif, Financement, Proposition, Rattachement
from offre.models.nomenclature import Statut
from siao.socle.database import refusing, reserve_ids
from siao.socle.refusal import Refusal

Fiche = Rattachement | Dispositif | Financement
Changements = dict[str, list]
"""{key: [before, after]}, canonical values."""


class Conflit(Refusal):
    """The fiche is no longer the one that its form was opened on: nothing was written."""


PAS_MODIFIABLE = "Cette fiche ne se modifie pas dans son statut actuel : rechargez la page pour voir ce qui l'attend."


# --- New fiches -------------------------------------------------------------------------------------------------


@transaction.atomic
def create_entite(*, auteur: Habilitation, values: dict[str, Any]) -> Rattachement:
    """Attach an entité to the département of ``values``; the legal person is created if France does not know it."""
    statut = statut_de_creation(auteur.droits)
    return _create(
        TABLE_ENTITES, auteur, values, lambda rows: insert_entites(rows, statut=statut, auteur=auteur.utilisateur)
    )


@transaction.atomic
def create_dispositif(*, auteur: Habilitation, values: dict[str, Any]) -> Dispositif:
    statut = statut_de_creation(auteur.droits)
    return _create(
        TABLE_DISPOSITIFS,
        auteur,
        values,
        lambda rows: insert_dispositifs(rows, statut=statut, auteur=auteur.utilisateur),
    )


@transaction.atomic
def create_financement(*, auteur: Habilitation, dispositif: Dispositif, values: dict[str, Any]) -> Financement:
    """A financement has no statut of its own: it counts as soon as it is typed (docs/decisions/0031)."""
    values = {**values, "departement": dispositif.departement_id}
    values["dispositif"] = f"{dispositif.departement_id}|{dispositif.nom_cle}"
    return _create(
        TABLE_FINANCEMENTS, auteur, values, lambda rows: insert_financements(rows, auteur=auteur.utilisateur)
    )


def _create(table: Table, auteur: Habilitation, values: dict, insert: Callable) -> Any:
    [identifier] = reserve_ids(table.model, 1)
    with refusing():
        insert([(identifier, values)])
    fiche = table.model.objects.get(pk=identifier)
    if table is not TABLE_FINANCEMENTS:
        record(fiche, auteur=auteur, de="", vers=fiche.statut)
    journalise(action="offre.creer", utilisateur=auteur.utilisateur, habilitation=auteur, objet=fiche)
    return fiche


# --- Changes ----------------------------------------------------------------------------------------------------


def _locked(fiche: Fiche, version: int) -> Fiche:
    """The fiche as it is now, until the end of the transaction; refused when it is not at ``version``."""
    current = type(fiche).objects.select_for_update(of=("self",), no_key=True).get(pk=fiche.pk)
    if current.version != version:
        raise Conflit(
            "Cette fiche a été modifiée pendant que vous la remplissiez : rien n'a été enregistré, et votre saisie "
            "est ci-dessous."
        )
    return current


def write_changes(fiche: Fiche, changements: Changements, auteur: Habilitation) -> None:
    """Give a fiche the values after, as an import would."""
    table = next(table for table in TABLES.values() if table.model is type(fiche))
    with refusing():
        after = {key: new for key, (_, new) in changements.items()}
        CHANGE[table.sheet.name]([(fiche.pk, after)], auteur.utilisateur)


@transaction.atomic
def change_fiche(*, auteur: Habilitation, fiche: Fiche, version: int, changements: Changements) -> None:
    """Change a fiche in place. A correction of remarked fields goes back into the circuit."""
    fiche = _locked(fiche, version)
    if isinstance(fiche, Financement):
        if changements:
            write_changes(fiche, changements, auteur)
            _journal("offre.modifier", auteur, fiche)
        return
    if not peut_modifier(fiche.statut, auteur.droits):
        raise Refusal(PAS_MODIFIABLE)
    vers = fiche.statut
    if fiche.statut == Statut.A_CORRIGER:
        if not set(changements) <= set(remarques_of(fiche)):
            raise Refusal("Seuls les champs qui portent une remarque peuvent être corrigés.")
        vers = statut_de_soumission(auteur.droits)
    if not changements and vers == fiche.statut:
        return
    if changements:
        write_changes(fiche, changements, auteur)
    type(fiche).objects.filter(pk=fiche.pk).exclude(statut=vers).update(statut=vers)
    record(fiche, auteur=auteur, de=fiche.statut, vers=vers, changements=changements)
    _journal("offre.modifier", auteur, fiche)


def remarques_of(objet: Rattachement | Dispositif | Proposition) -> dict[str, str]:
    """The open remarks, by field: those of the last time it was sent back. Empty unless it is « à corriger »."""
    if objet.statut != Statut.A_CORRIGER:
        return {}
    sent_back = objet.transitions.filter(vers=Statut.A_CORRIGER)
    if not isinstance(objet, Proposition):
        sent_back = sent_back.filter(proposition__isnull=True)
    last = sent_back.order_by("-pk").first()
    return dict(last.remarques.values_list("champ", "texte")) if last else {}


@transaction.atomic
def propose(
    *, auteur: Habilitation, fiche: Rattachement | Dispositif, version: int, revision: int, changements: Changements
) -> Proposition | None:
    """Propose a change to a validated fiche, or complete the proposition that waits; without change left, withdraw it.

    ``revision``: of the proposition that the form was opened on, 0 when there was none.
    """
    fiche = _locked(fiche, version)
    if not peut_proposer(fiche.statut, auteur.droits):
        raise Refusal(PAS_MODIFIABLE)
    waiting = fiche.propositions.en_attente().select_for_update(of=("self",)).first()
    if (waiting.revision if waiting else 0) != revision:
        raise Conflit(
            "Une proposition sur cette fiche a été déposée ou traitée entre-temps : rien n'a été enregistré, et votre "
            "saisie est ci-dessous."
        )
    if waiting is None and not changements:
        return None
    vers = statut_de_soumission(auteur.droits) if changements else Statut.REFUSE
    de = waiting.statut if waiting else ""
    if waiting and waiting.statut == Statut.A_CORRIGER and changements:
        touched = {key for key in {*changements, *waiting.apres} if _after(changements, key) != _old(waiting, key)}
        if not touched <= set(remarques_of(waiting)):
            raise Refusal("Seuls les champs qui portent une remarque peuvent être corrigés.")
    before = {key: old for key, (old, _) in changements.items()}
    after = {key: new for key, (_, new) in changements.items()}
    fields = {"avant": before, "apres": after, "version": fiche.version, "statut": vers}
    if waiting:
        proposition = waiting
        proposition.revision += 1
        for name, value in fields.items():
            setattr(proposition, name, value)
        proposition.save()
    else:
        names = {fiche._meta.model_name: fiche}
        proposition = Proposition.objects.create(auteur=auteur.utilisateur, **names, **fields)
    motif = "" if changements else "Retirée : plus rien à changer."
    record(fiche, auteur=auteur, de=de, vers=vers, proposition=proposition, changements=changements, motif=motif)
    _journal("offre.proposer", auteur, fiche)
    return proposition if changements else None


def _after(changements: Changements, key: str):
    return changements[key][1] if key in changements else None


def _old(proposition: Proposition, key: str):
    return proposition.apres.get(key)


def _journal(action: str, auteur: Habilitation, fiche: Fiche) -> None:
    journalise(action=action, utilisateur=auteur.utilisateur, habilitation=auteur, objet=fiche)


def proposition_en_attente(fiche: Rattachement | Dispositif) -> Proposition | None:
    return fiche.propositions.filter(statut__in=EN_ATTENTE).select_related("auteur").first()
