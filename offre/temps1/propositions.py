"""What an import proposes: changes to validated fiches, by somebody who does not validate them (docs/decisions/0034).

They are the propositions of the browser, by whole sets: the same queue, the same before and after, the same validation.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from comptes.models import Utilisateur
from offre.colonnes.fiches import TABLES
from offre.models import Ecart, Import, Proposition, Transition
from offre.models.nomenclature import Statut
from siao.socle.database import copy_rows, reserve_ids

from .etapes import KEYS

_REMPLACEE = "Remplacée par un classeur importé."
_ANNULEE = "Annulation de l'import"


@dataclass(frozen=True)
class PropositionEnAttente:
    """A proposition that waits on a fiche."""

    apres: dict
    statut: str
    auteur: str
    """Who typed it; empty when the previous workbook did, whose place the next one takes."""

    def same(self, changes: Mapping[str, tuple]) -> bool:
        """Whether it already asks for these changes, and for nothing else, of who validates."""
        return self.statut == Statut.PREVALIDE and self.apres == {key: new for key, (_, new) in changes.items()}


def waiting_on(departements: Sequence[str], sheets: Iterable[str]) -> dict[tuple[str, int], PropositionEnAttente]:
    """The propositions that wait in these départements, by tab and fiche."""
    imported = Transition.objects.filter(proposition=OuterRef("pk"), travail__isnull=False, de="")
    where = Q(rattachement__departement__in=departements) | Q(dispositif__departement__in=departements)
    rows = Proposition.objects.en_attente().filter(where).select_related("auteur")
    found = {}
    for row in rows.annotate(importee=Exists(imported)):
        untouched = row.importee and row.revision == 1
        proposition = PropositionEnAttente(row.apres, row.statut, "" if untouched else str(row.auteur))
        found |= {
            (sheet, getattr(row, f"{key}_id")): proposition
            for sheet, key in KEYS.items()
            if sheet in sheets and getattr(row, f"{key}_id")
        }
    return found


def propose(ecarts: Iterable[Ecart], *, auteur: Utilisateur, statut: str, travail: Import | None) -> None:
    """One proposition per fiche of ``ecarts``, at ``statut``, in place of the one that waited."""
    for sheet, key in KEYS.items():
        concerned = {ecart.objet: ecart for ecart in ecarts if ecart.feuille == sheet}
        if not concerned:
            continue
        waiting = Proposition.objects.en_attente().filter(**{f"{key}__in": concerned})
        _end(waiting, key, motif=_REMPLACEE, auteur=auteur, travail=travail, tell=True)
        versions = dict(TABLES[sheet].model.objects.filter(pk__in=concerned).values_list("pk", "version"))
        numbered = list(zip(reserve_ids(Proposition, len(concerned)), concerned.values(), strict=True))
        copy_rows(
            Proposition,
            ["id", key, "avant", "apres", "version", "revision", "statut", "auteur"],
            (
                (
                    number,
                    ecart.objet,
                    json.dumps(ecart.avant),
                    json.dumps(ecart.apres),
                    versions[ecart.objet],
                    1,
                    statut,
                    auteur.pk,
                )
                for number, ecart in numbered
            ),
        )
        changes = ((number, ecart.objet, "", statut, _changes(ecart)) for number, ecart in numbered)
        _record(key, changes, auteur=auteur, travail=travail)


def take_back(ecarts: Iterable[Ecart], *, auteur: Utilisateur, travail: Import) -> list[Ecart]:
    """Withdraw what ``travail`` proposed and that nobody touched since; what it had replaced waits again.

    Returns those of ``ecarts`` that were taken back: the others were validated, refused, sent back or completed.
    """
    taken = []
    for sheet, key in KEYS.items():
        concerned = {ecart.objet: ecart for ecart in ecarts if ecart.feuille == sheet}
        made = Proposition.objects.en_attente().filter(
            **{f"{key}__in": concerned}, revision=1, transitions__travail=travail, transitions__de=""
        )
        fiches = _end(made, key, motif=_ANNULEE, auteur=auteur, travail=travail, tell=False)
        replaced = Transition.objects.filter(
            **{f"{key}__in": fiches}, travail=travail, motif=_REMPLACEE, proposition__statut=Statut.REFUSE
        )
        back = list(replaced.values_list("proposition", key, "de"))
        for de in {de for *_, de in back}:
            _move(Proposition.objects.filter(pk__in=[number for number, _, was in back if was == de]), de)
        steps = ((number, fiche, Statut.REFUSE.value, de, "{}") for number, fiche, de in back)
        _record(key, steps, motif=_ANNULEE, auteur=auteur, travail=travail)
        taken += [concerned[fiche] for fiche in fiches]
    return taken


def _changes(ecart: Ecart) -> str:
    return json.dumps({key: [ecart.avant.get(key), new] for key, new in ecart.apres.items()})


def _end(waiting: QuerySet[Proposition], key: str, *, motif: str, auteur, travail, tell: bool) -> list[int]:
    """Withdraw these propositions; the keys of their fiches. ``tell``: those who typed them read why."""
    ended = list(waiting.select_for_update(of=("self",)).order_by("pk").values_list("pk", key, "statut"))
    _move(Proposition.objects.filter(pk__in=[number for number, *_ in ended]), Statut.REFUSE)
    steps = ((number, fiche, de, Statut.REFUSE.value, "{}") for number, fiche, de in ended)
    _record(key, steps, motif=motif, auteur=auteur, travail=travail, tell=tell)
    return [fiche for _, fiche, _ in ended]


def _move(propositions: QuerySet[Proposition], statut: str) -> None:
    propositions.update(statut=statut, statut_depuis=Now(), revision=F("revision") + 1)


def _record(key: str, steps: Iterable[tuple], *, auteur, travail, motif: str = "", tell: bool = False) -> None:
    """Keep (proposition, fiche, from, to, changes). Neither a rehearsal nor the demonstration is a step."""
    if travail is None:
        return
    copy_rows(
        Transition,
        ["proposition", key, "de", "vers", "changements", "motif", "auteur", "travail", "a_prevenir"],
        ((*step, motif, auteur.pk, travail.pk, tell) for step in steps),
    )
