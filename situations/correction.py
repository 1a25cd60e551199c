"""Correcting the past of a parcours, without a database: the whole chain as it should have been, and what that changes.

Source: a closed situation is corrected by deleting those that follow it, one after the other, then adding them again.
A correction is all of it at once; what it can lead to is what those steps can (tests/situations/oracle.py).
"""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from siao.socle.refusal import Refusal
from situations.models import SituationResidentielle
from situations.models.referentiel import NON_RENSEIGNEE
from situations.parcours import UN_JOUR, Choix, check_choix


def jeton_of(chain: Sequence[SituationResidentielle]) -> str:
    """What a page saw of a whole chain: posted back, it says whether somebody changed it since."""
    return "-".join(f"{situation.pk}.{situation.version}" for situation in chain)


def same(situation: SituationResidentielle) -> tuple:
    """What makes the situations of two persons the same."""
    return situation.sr2_id, situation.region_id, situation.date_debut


@dataclass(frozen=True)
class Ligne:
    """One situation of a corrected chain."""

    choix: Choix
    rang: int | None = None
    """Which situation of the chain it was, oldest first from 0; None for one that was missing."""


@dataclass(frozen=True)
class Etape:
    """A situation of the corrected chain, with its end: what a page shows, and what errance counts."""

    choix: Choix
    date_debut: datetime.date
    date_fin: datetime.date | None

    @property
    def sr2(self):
        return self.choix.sr2


@dataclass(frozen=True)
class Correction:
    """``avant``: the whole chain, oldest first; ``lignes``: the whole chain as it should be, in any order."""

    avant: Sequence[SituationResidentielle]
    lignes: Sequence[Ligne]
    aujourdhui: datetime.date
    naissance: datetime.date | None = None

    @cached_property
    def apres(self) -> list[Ligne]:
        return sorted(self.lignes, key=lambda ligne: ligne.choix.date_debut)

    @cached_property
    def etapes(self) -> list[Etape]:
        starts = [ligne.choix.date_debut for ligne in self.apres]
        ends = [start - UN_JOUR for start in starts[1:]] + [None]
        return [Etape(ligne.choix, *when) for ligne, *when in zip(self.apres, starts, ends, strict=True)]

    @property
    def supprimees(self) -> list[int]:
        """Ranks of the situations that are no more."""
        kept = {ligne.rang for ligne in self.lignes}
        return [rang for rang in range(len(self.avant)) if rang not in kept]

    @property
    def ajoutees(self) -> list[Ligne]:
        return [ligne for ligne in self.apres if ligne.rang is None]

    @property
    def modifiees(self) -> list[Ligne]:
        """Those whose situation, region or first day is another one."""
        return [ligne for ligne in self.apres if ligne.rang is not None and not self._same(ligne)]

    def _same(self, ligne: Ligne) -> bool:
        now = ligne.choix
        return same(self.avant[ligne.rang]) == (now.sr2.pk, now.region_id, now.date_debut)

    # --- What is refused ----------------------------------------------------------------------------------------

    @property
    def refus(self) -> list[str]:
        """Why it cannot be done, one sentence each; empty when it can."""
        return self._refus_premiere() or [
            *self._refus_lignes(),
            *self._refus_jours(),
            *([] if self.changes else ["Rien n'a changé : modifiez, ajoutez ou supprimez une ligne."]),
        ]

    @property
    def changes(self) -> bool:
        return bool(self.supprimees or self.ajoutees or self.modifiees)

    def _refus_premiere(self) -> list[str]:
        """The first situation of a person is never deleted, « Non renseignée » never; nothing comes before it."""
        ranks = [ligne.rang for ligne in self.lignes if ligne.rang is not None]
        if len(set(ranks)) < len(ranks) or any(rang >= len(self.avant) for rang in ranks):
            return ["Une ligne s'y trouve deux fois, ou n'y est plus : rouvrez la page."]
        said = []
        for rang in self.supprimees:
            was = self.avant[rang]
            if was.sr2_id == NON_RENSEIGNEE:
                said.append(
                    "« Non renseignée » ne se supprime pas : choisissez plutôt, sur sa ligne, la situation qui était "
                    "vraie."
                )
            elif rang == 0:
                instead = (
                    "donnez-lui la situation et la date de la suivante, puis supprimez la suivante"
                    if len(self.avant) > 1
                    else "modifiez-la"
                )
                said.append(f"« {was.libelle} » est sa première situation, elle ne se supprime pas : {instead}.")
        later = [ligne for ligne in self.apres[1:] if ligne.choix.sr2.pk == NON_RENSEIGNEE]
        if later and not said:
            said.append(
                "Rien ne précède « Non renseignée » : donnez-lui plutôt, sur sa ligne, la situation et la date la plus "
                "ancienne, puis supprimez la ligne en trop."
            )
        return said

    def _refus_lignes(self) -> list[str]:
        said = []
        for ligne in (*self.ajoutees, *self.modifiees):
            was = None if ligne.rang is None else self.avant[ligne.rang]
            kept = was is not None and was.sr2_id == ligne.choix.sr2.pk
            try:
                check_choix(ligne.choix, self.aujourdhui, gardee=kept)
            except Refusal as refusal:
                if not (kept and was.sr2_id == NON_RENSEIGNEE):
                    said.append(f"Ligne du {ligne.choix.date_debut:%d/%m/%Y} : {refusal}")
                elif ligne.choix.date_debut > self.aujourdhui:
                    said.append("« Non renseignée » ne commence pas plus tard qu'aujourd'hui : changez sa date.")
            if self.naissance and ligne.choix.date_debut < self.naissance:
                said.append(
                    f"« {ligne.choix.libelle} » : au plus tôt le {self.naissance:%d/%m/%Y}, jour de la naissance. Si "
                    "cette naissance est fausse, corrigez-la d'abord sur la fiche de la personne."
                )
        return said

    def _refus_jours(self) -> list[str]:
        starts = [ligne.choix.date_debut for ligne in self.apres]
        twice = sorted({start for start in starts if starts.count(start) > 1})
        return [
            f"Plusieurs lignes commencent le {start:%d/%m/%Y} : une situation dure un jour au moins. Changez une des "
            "dates, ou supprimez la ligne en trop."
            for start in twice
        ]

    # --- What it does -------------------------------------------------------------------------------------------

    @property
    def suite(self) -> list[str]:
        """What will happen, in words."""
        said = [
            f"« {self.avant[rang].libelle} », depuis le {self.avant[rang].date_debut:%d/%m/%Y}, est supprimée."
            for rang in self.supprimees
        ]
        for ligne in self.modifiees:
            was = self.avant[ligne.rang]
            said.append(
                f"« {was.libelle} » depuis le {was.date_debut:%d/%m/%Y} devient « {ligne.choix.libelle} » depuis le "
                f"{ligne.choix.date_debut:%d/%m/%Y}."
            )
        said += [
            f"« {ligne.choix.libelle} » depuis le {ligne.choix.date_debut:%d/%m/%Y} est ajoutée."
            for ligne in self.ajoutees
        ]
        for ligne, etape in zip(self.apres, self.etapes, strict=True):
            if ligne.rang is not None and self._same(ligne) and self.avant[ligne.rang].date_fin != etape.date_fin:
                end = f"finira le {etape.date_fin:%d/%m/%Y}" if etape.date_fin else "redevient la situation actuelle"
                said.append(f"« {ligne.choix.libelle} » depuis le {etape.date_debut:%d/%m/%Y} {end}.")
        return said
