"""The rules of the parcours résidentiel, without a database: what may be done to the end of a person's chain, and what
it will do, in words.

Source: « Modalités de renseignement de la situation résidentielle ». Adding closes the current situation the day
before; only the current one changes or goes; what goes opens the previous one again.
"""

import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from menages.models import Personne
from siao.socle.refusal import Refusal
from situations.models import SituationResidentielle, Sr2
from situations.models.referentiel import NON_RENSEIGNEE
from situations.models.situations import PREMIER_JOUR

UN_JOUR = datetime.timedelta(days=1)


_PROTEGE_AVANT = "Ce qu'elle a vécu avant est protégé : demandez à un agent désigné."


class RefusalOfSome(Refusal):
    """Nothing is done for anybody: some persons cannot. One sentence each."""

    def __init__(self, sentences: list[str]):
        self.sentences = sentences
        super().__init__(" ".join(sentences))


def sentences_of(refusal: Refusal) -> list[str]:
    return refusal.sentences if isinstance(refusal, RefusalOfSome) else [str(refusal)]


@dataclass(frozen=True)
class Choix:
    """The situation that a form proposes, and the day it begins (None: each keeps its own)."""

    sr2: Sr2
    date_debut: datetime.date | None
    region_id: str | None = None

    @property
    def libelle(self) -> str:
        return str(self.sr2)


@dataclass(frozen=True)
class Parcours:
    """The end of one person's chain: the current situation, and the one before."""

    personne: Personne
    courante: SituationResidentielle
    precedente: SituationResidentielle | None
    aujourdhui: datetime.date
    """The day it is where the person is followed."""
    cachee: bool = False
    """There is one before, that this user does not read: nothing that depends on it is done."""

    @property
    def nom(self) -> str:
        return self.personne.designation

    @property
    def jeton(self) -> str:
        """What a page saw of this chain: posted back, it says whether somebody changed it since."""
        return f"{self.courante.pk}.{self.courante.version}"

    @property
    def a_renseigner(self) -> bool:
        """Nothing is known yet: the current situation is the « Non renseignée » of the creation."""
        return self.courante.sr2_id == NON_RENSEIGNEE

    def _avant_naissance(self, debut: datetime.date) -> str:
        """Why a situation cannot begin on ``debut``, before the birth; empty when it can, or when nobody knows."""
        naissance = self.personne.date_naissance
        if naissance is None or debut >= naissance:
            return ""
        return (
            f"{self.nom} : au plus tôt le {_jour(naissance)}, jour de sa naissance. Si cette naissance est fausse, "
            "corrigez-la d'abord sur sa fiche."
        )

    def _depuis_sa_naissance(self, jour: datetime.date) -> datetime.date:
        """``jour``, or the birth when it came later: nothing begins before."""
        return max(jour, self.personne.date_naissance or jour)

    # --- Ajouter ------------------------------------------------------------------------------------------------

    @property
    def ajout_au_plus_tot(self) -> datetime.date:
        return self._depuis_sa_naissance(self.courante.date_debut + UN_JOUR)

    @property
    def peut_ajouter(self) -> bool:
        return self.ajout_au_plus_tot <= self.aujourdhui

    @property
    def borne_ajout(self) -> str:
        """The earliest date of a new situation, and why."""
        since = f"« {self.courante.libelle} » depuis le {_jour(self.courante.date_debut)}"
        if self.peut_ajouter:
            return f"{since}, au plus tôt le {_jour(self.ajout_au_plus_tot)}"
        return f"{since} : une nouvelle situation ne peut pas commencer avant demain"

    def refus_ajout(self, choix: Choix) -> str:
        """Why ``choix`` cannot be added, empty when it can."""
        if not self.peut_ajouter and self.a_renseigner:
            return f"{self.nom} : {self.borne_ajout}. Pour corriger la situation actuelle, modifiez-la avec le crayon."
        if not self.peut_ajouter:
            return (
                f"{self.nom} : {self.borne_ajout}. Si « {self.courante.libelle} » est vraie, ajoutez la suivante "
                "demain ; si elle est fausse, modifiez-la avec le crayon."
            )
        if choix.date_debut > self.courante.date_debut:
            return self._avant_naissance(choix.date_debut)
        first = (
            f"{self.nom} : au plus tôt le {_jour(self.ajout_au_plus_tot)}, lendemain du début de "
            f"« {self.courante.libelle} »."
        )
        if self.a_renseigner:
            return f"{first} Pour une date plus ancienne, renseignez plutôt cette situation avec le crayon."
        if choix.date_debut == self.courante.date_debut:
            return f"{first} Si « {self.courante.libelle} » est fausse, modifiez-la avec le crayon."
        if self.cachee:
            return f"{first} {_PROTEGE_AVANT}"
        return f"{first} Pour une date plus ancienne, corrigez son parcours : rien n'a besoin d'être supprimé."

    def suite_ajout(self, choix: Choix) -> str:
        closed = _jour(choix.date_debut - UN_JOUR)
        return f"{self.nom} : cela clôturera « {self.courante.libelle} » au {closed}."

    # --- Modifier -----------------------------------------------------------------------------------------------

    @property
    def modification_au_plus_tot(self) -> datetime.date:
        if self.cachee:
            return self.courante.date_debut
        return self._depuis_sa_naissance(self.precedente.date_debut + UN_JOUR if self.precedente else PREMIER_JOUR)

    @property
    def borne_modification(self) -> str:
        naissance = self.personne.date_naissance
        if self.precedente is None and not self.cachee:
            when = f"dès sa naissance, le {_jour(naissance)}" if naissance else "n'importe quand"
            return f"« {self.courante.libelle} », sa première situation : elle peut commencer {when}"
        return (
            f"« {self.courante.libelle} » depuis le {_jour(self.courante.date_debut)}, "
            f"au plus tôt le {_jour(self.modification_au_plus_tot)}"
        )

    def debut_modifie(self, choix: Choix) -> datetime.date:
        return choix.date_debut or self.courante.date_debut

    def refus_modification(self, choix: Choix) -> str:
        if self.cachee and self.debut_modifie(choix) < self.courante.date_debut:
            return f"{self.nom} : au plus tôt le {_jour(self.courante.date_debut)}. {_PROTEGE_AVANT}"
        if self.precedente and self.debut_modifie(choix) <= self.precedente.date_debut:
            return (
                f"{self.nom} : au plus tôt le {_jour(self.modification_au_plus_tot)}, lendemain du début de "
                f"« {self.precedente.libelle} », sa situation précédente. Si celle-ci est fausse aussi, corrigez son "
                "parcours."
            )
        return self._avant_naissance(self.debut_modifie(choix))

    def suite_modification(self, choix: Choix) -> str:
        debut = self.debut_modifie(choix)
        said = (
            f"{self.nom} : « {self.courante.libelle} » depuis le {_jour(self.courante.date_debut)} devient "
            f"« {choix.libelle} » depuis le {_jour(debut)}"
        )
        if self.precedente and self.precedente.date_fin != debut - UN_JOUR:
            said += f", et « {self.precedente.libelle} » finira le {_jour(debut - UN_JOUR)}"
        return f"{said}."

    # --- Supprimer ----------------------------------------------------------------------------------------------

    @property
    def refus_suppression(self) -> str:
        if self.courante.sr2_id == NON_RENSEIGNEE:
            return f"{self.nom} : « Non renseignée » ne se supprime pas. Renseignez la situation avec le crayon."
        if self.cachee:
            return f"{self.nom} : « {self.courante.libelle} » se modifie, elle ne se supprime pas. {_PROTEGE_AVANT}"
        if self.precedente is None:
            return (
                f"{self.nom} : « {self.courante.libelle} » est sa première situation, rien ne la précède. "
                "Elle se modifie, elle ne se supprime pas."
            )
        return ""

    @property
    def suite_suppression(self) -> str:
        return (
            f"{self.nom} : « {self.courante.libelle} », commencée le {_jour(self.courante.date_debut)}, sera "
            f"supprimée ; « {self.precedente.libelle} », commencée le {_jour(self.precedente.date_debut)}, "
            "redeviendra la situation actuelle."
        )


def check_choix(choix: Choix, aujourdhui: datetime.date, *, gardee: bool = False) -> None:
    """Refuse a choice that nobody could be given: a retired value, the future, the region of a SAS forgotten.

    ``gardee``: everybody already has this situation; retired since, it may stay while its date is corrected.
    """
    refused = choix.sr2.refusal_on(aujourdhui)
    if refused and not (gardee and choix.sr2.pk != NON_RENSEIGNEE):
        raise Refusal(refused)
    if choix.sr2.region_obligatoire != bool(choix.region_id):
        raise Refusal("Précisez la région d'orientation pour un SAS, et pour lui seul.")
    if choix.date_debut and choix.date_debut > aujourdhui:
        raise Refusal(
            f"Une situation ne s'enregistre pas d'avance : choisissez une date passée, ou aujourd'hui "
            f"({_jour(aujourdhui)})."
        )
    if choix.date_debut and choix.date_debut < PREMIER_JOUR:
        raise Refusal("Une situation ne commence pas avant le 01/01/1900 : vérifiez l'année.")


def refus_de(chains: Sequence[Parcours], refus: Callable[[Parcours], str]) -> list[str]:
    """Why something cannot be done for some of ``chains``, and how to do it for the others; empty when it can."""
    refused = {each.nom: sentence for each in chains if (sentence := refus(each))}
    sentences = list(refused.values())
    if 0 < len(sentences) < len(chains):
        sentences.append(f"Pour les autres personnes, décochez {', '.join(refused)}, puis recommencez.")
    return sentences


def check_all(sentences: list[str]) -> None:
    """All or nothing: refuse when any of ``sentences`` is not empty."""
    refused = [sentence for sentence in sentences if sentence]
    if refused:
        raise RefusalOfSome(refused)


def _jour(date: datetime.date) -> str:
    return f"{date:%d/%m/%Y}"
