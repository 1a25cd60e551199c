"""The two-step validation, as data: who moves a fiche or a proposition from which statut to which.

The Administrateur SIAO pré-valide, the Administrateur départemental validates (source); the statuts are our decision.
The constraint ``transition_du_circuit`` of the database is written from this table.
"""

from dataclasses import dataclass

from comptes.droits import Droit
from offre.models.nomenclature import Statut


@dataclass(frozen=True)
class Passage:
    """One line of the table: an action, what it needs, where it leads."""

    action: str
    libelle: str
    """On the button."""
    depuis: tuple[str, ...]
    vers: str
    droits: tuple[str, ...]
    """Any of them."""
    consequence: str
    """What the user reads before doing it."""
    fait: str
    """What they read after."""
    motif: bool = False
    """A motive is compulsory."""
    remarques: bool = False
    """At least one remark on a field is compulsory; only the remarked fields open again."""
    propositions: bool = True
    """Also moves a proposition."""
    fiches: bool = True

    def open_to(self, statut: str, droits) -> bool:
        return statut in self.depuis and any(droit in droits for droit in self.droits)


_QUI_SAISIT = (Droit.OFFRE_SAISIR, Droit.OFFRE_PROPOSER)

PASSAGES = (
    Passage(
        "valider",
        "Valider",
        (Statut.SOUMIS, Statut.PREVALIDE),
        Statut.VALIDE,
        (Droit.OFFRE_VALIDER,),
        "La fiche devient la référence de l'offre du département. Une proposition remplace les valeurs de sa fiche.",
        "C'est validé.",
    ),
    Passage(
        "prevalider",
        "Pré-valider",
        (Statut.BROUILLON, Statut.SOUMIS),
        Statut.PREVALIDE,
        (Droit.OFFRE_PREVALIDER,),
        "L'administrateur départemental est prévenu : il valide, ou renvoie avec ses remarques.",
        "C'est pré-validé : l'administrateur départemental est prévenu.",
    ),
    Passage(
        "renvoyer",
        "Renvoyer avec remarques",
        (Statut.SOUMIS,),
        Statut.A_CORRIGER,
        (Droit.OFFRE_PREVALIDER, Droit.OFFRE_VALIDER),
        "Seuls les champs qui portent une remarque pourront être corrigés.",
        "C'est renvoyé : la personne qui doit corriger est prévenue.",
        remarques=True,
    ),
    Passage(
        "renvoyer",
        "Renvoyer avec remarques",
        (Statut.PREVALIDE,),
        Statut.A_CORRIGER,
        (Droit.OFFRE_VALIDER,),
        "Seuls les champs qui portent une remarque pourront être corrigés.",
        "C'est renvoyé : la personne qui doit corriger est prévenue.",
        remarques=True,
    ),
    Passage(
        "soumettre",
        "Soumettre",
        (Statut.BROUILLON, Statut.A_CORRIGER),
        Statut.SOUMIS,
        _QUI_SAISIT,
        "L'administrateur SIAO est prévenu : il pré-valide, ou renvoie avec ses remarques.",
        "C'est soumis : l'administrateur SIAO est prévenu.",
    ),
    Passage(
        "refuser",
        "Refuser",
        (Statut.SOUMIS, Statut.PREVALIDE, Statut.A_CORRIGER),
        Statut.REFUSE,
        (Droit.OFFRE_VALIDER,),
        "La personne qui l'a saisie est prévenue, avec votre motif. Rien d'autre ne change.",
        "C'est refusé : la personne qui l'a saisie est prévenue.",
        motif=True,
    ),
    Passage(
        "reprendre",
        "Reprendre",
        (Statut.REFUSE,),
        Statut.BROUILLON,
        (Droit.OFFRE_SAISIR,),
        "La fiche redevient un brouillon, à corriger et à soumettre de nouveau.",
        "La fiche est de nouveau un brouillon.",
        propositions=False,
    ),
    Passage(
        "retirer",
        "Retirer la proposition",
        (Statut.SOUMIS, Statut.PREVALIDE, Statut.A_CORRIGER),
        Statut.REFUSE,
        _QUI_SAISIT,
        "La proposition est abandonnée, la fiche reste comme elle est.",
        "La proposition est retirée.",
        fiches=False,
    ),
    Passage(
        "fermer",
        "Fermer",
        (Statut.VALIDE,),
        Statut.FERME,
        (Droit.OFFRE_VALIDER,),
        "La fiche sort de l'offre tout de suite ; elle reste lisible, et peut être rouverte. Un changement proposé qui "
        "l'attendrait est refusé, avec votre motif.",
        "La fiche est fermée.",
        motif=True,
        propositions=False,
    ),
    Passage(
        "rouvrir",
        "Rouvrir",
        (Statut.FERME,),
        Statut.VALIDE,
        (Droit.OFFRE_VALIDER,),
        "La fiche revient dans l'offre, sans date de fermeture.",
        "La fiche est rouverte.",
        motif=True,
        propositions=False,
    ),
)

ACTIONS = tuple(dict.fromkeys(passage.action for passage in PASSAGES))
"""Names of the actions, for addresses."""

DROITS = tuple(dict.fromkeys(droit for passage in PASSAGES for droit in passage.droits))
"""Rights of those who have something to do in the circuit."""

CREATIONS = (Statut.BROUILLON, Statut.SOUMIS, Statut.PREVALIDE, Statut.VALIDE)
"""A fiche or a proposition begins in one of these: what an Administrateur départemental creates is validated."""

MODIFIABLES = (Statut.BROUILLON, Statut.SOUMIS, Statut.PREVALIDE, Statut.A_CORRIGER, Statut.VALIDE)
"""A change that leaves the statut as it was."""

COUPLES = frozenset(
    {("", statut.value) for statut in CREATIONS}
    | {(statut.value, statut.value) for statut in MODIFIABLES}
    | {(de.value, passage.vers.value) for passage in PASSAGES for de in passage.depuis}
    # A merge closes the absorbed entité and moves its dispositifs, whatever their statut.
    | {(statut.value, Statut.FERME.value) for statut in Statut}
    | {(Statut.REFUSE.value, Statut.REFUSE.value)}
    # A correction or an amended proposition goes back to where its author's rights put it.
    | {(Statut.A_CORRIGER.value, Statut.PREVALIDE.value), (Statut.PREVALIDE.value, Statut.SOUMIS.value)}
)
"""(from, to) of every transition that a person may make; an import has its own."""

EN_ATTENTE = (Statut.SOUMIS, Statut.PREVALIDE, Statut.A_CORRIGER)
"""A proposition that still waits for somebody."""


def statut_de_creation(droits) -> Statut:
    """Statut of a new fiche: « crée et / ou valide » for the Administrateur départemental, a draft for the others."""
    return Statut.VALIDE if Droit.OFFRE_VALIDER in droits else Statut.BROUILLON


def statut_de_soumission(droits) -> Statut:
    """Where what somebody corrects or proposes goes: to the first who has not looked at it yet."""
    return Statut.PREVALIDE if Droit.OFFRE_PREVALIDER in droits else Statut.SOUMIS


def peut_modifier(statut: str, droits) -> bool:
    """Whether values may change in place: in the hands of whoever holds the fiche at that statut."""
    match statut:
        case Statut.BROUILLON | Statut.A_CORRIGER:
            return any(droit in droits for droit in _QUI_SAISIT)
        case Statut.SOUMIS:
            return Droit.OFFRE_PREVALIDER in droits or Droit.OFFRE_VALIDER in droits
        case Statut.PREVALIDE | Statut.VALIDE:
            return Droit.OFFRE_VALIDER in droits
    return False


def peut_proposer(statut: str, droits) -> bool:
    """Whether a change to a validated fiche is a proposition, for somebody who cannot validate it."""
    return (
        statut == Statut.VALIDE and Droit.OFFRE_VALIDER not in droits and any(droit in droits for droit in _QUI_SAISIT)
    )


def passages(statut: str, droits, *, proposition: bool = False) -> list[Passage]:
    """What may be done next, in the order of the buttons."""
    return [
        passage
        for passage in PASSAGES
        if passage.open_to(statut, droits) and (passage.propositions if proposition else passage.fiches)
    ]


ENSUITE = {
    Statut.BROUILLON: "Brouillon : à compléter, puis à soumettre ou à pré-valider.",
    Statut.SOUMIS: "L'administrateur SIAO doit pré-valider, ou renvoyer avec ses remarques.",
    Statut.PREVALIDE: "L'administrateur départemental doit valider, ou renvoyer avec ses remarques.",
    Statut.A_CORRIGER: "À corriger : seuls les champs qui portent une remarque sont ouverts.",
    Statut.VALIDE: "Fiche de référence. Un changement par qui ne valide pas devient une proposition.",
    Statut.REFUSE: "Refusée : elle peut être reprise comme brouillon.",
    Statut.FERME: "Fermée : elle ne reçoit plus personne, et reste lisible.",
}
"""What happens next, as the top of a fiche says it."""
