"""What an import would change: the workbook against the database, and against the previous workbook."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils import timezone

from offre.colonnes.declaration import DISPOSITIFS, ENTITES, FINANCEMENTS
from offre.colonnes.fiches import TABLES, Fiche, fiches_of
from offre.colonnes.listes import Listes
from offre.models import Ecart
from offre.models.imports import Decision, Nature
from offre.models.nomenclature import Statut
from siao.socle.database import reserve_ids
from siao.socle.text import plain

from .propositions import waiting_on
from .renommages import Renommages, candidates, renamed

Rows = Mapping[str, Mapping[str, dict]]
"""Canonical rows by tab and key."""

NOMS = {name: table.nom for name, table in TABLES.items()}
"""Name of each tab in reports."""


COMPTES = ("crees", "modifies", "proposes", "inchanges", "absents")
"""What is counted of each tab."""


@dataclass
class Plan:
    ecarts: list[Ecart]
    """Unsaved; those that create already know the primary key that the new fiche will have."""
    bilan: dict[str, dict]
    """Counts by tab: crees, modifies, proposes, inchanges, absents; of a région, those of each département too."""

    def signature(self) -> set:
        return {signature(ecart) for ecart in self.ecarts}


def signature(ecart: Ecart) -> tuple:
    """What makes a plan the one that the user agreed to: two plans with the same signatures do the same."""
    return (
        ecart.feuille,
        ecart.cle,
        ecart.nature,
        ecart.propose,
        repr(sorted(ecart.avant.items())),
        repr(sorted(ecart.apres.items())),
    )


def compute_plan(
    rows: Rows,
    numbers: Mapping[str, Mapping[str, int]],
    departements: Sequence[str],
    *,
    statut: str,
    previous: Rows,
    since: Mapping[str, datetime.datetime] | None = None,
    renommages: Renommages = (),
) -> Plan:
    """Compare ``rows`` with the fiches of ``departements``.

    ``statut`` is the one that the importer's profil gives to what they import: unless it is « validé », a change to a
    validated fiche is proposed only, and such a fiche is not closed. ``previous`` are the rows of the previous workbook
    of these départements: what the database has changed since then is a conflict, shown with who and when.
    ``since`` is when the last workbook of each département was imported: what was created after it is said.
    ``renommages`` are the fiches that the user says the workbook names otherwise.
    Tabs that the workbook does not describe (reduced variant) are left alone.
    """
    listes = Listes()
    known = fiches_of(departements, listes, rows)
    known, former = renamed(known, rows, renommages)
    decided = {tuple(one) for one in renommages}
    labels = _Labels(listes, rows, known)
    waiting = waiting_on(departements, known) if statut != Statut.VALIDE else {}
    plan = Plan([], {})
    by_departement = {code: {} for code in departements}
    for sheet, fiches in known.items():
        described = rows[sheet]
        created = [key for key in described if key not in fiches]
        counts = {code: dict.fromkeys(COMPTES, 0) for code in departements}
        missing = {
            key: fiche.values for key, fiche in fiches.items() if key not in described and not _closed(sheet, fiche)
        }
        same = candidates(sheet, missing, {key: described[key] for key in created})
        for key, identifier in zip(created, reserve_ids(TABLES[sheet].model, len(created)), strict=True):
            counts[described[key]["departement"]]["crees"] += 1
            plan.ecarts.append(
                Ecart(
                    feuille=sheet,
                    cle=key,
                    nature=Nature.CREE,
                    libelle=labels.of(sheet, described[key]),
                    ligne=numbers[sheet].get(key),
                    objet=identifier,
                )
            )
        for key, fiche in fiches.items():
            counted = counts[key.partition("|")[0]]
            before = previous.get(sheet, {}).get(former.get((sheet, key), key))
            proposed = fiche.statut == Statut.VALIDE and statut != Statut.VALIDE
            if key in described:
                changes = _changes(sheet, fiche, described[key], statut)
                proposition = waiting.get((sheet, fiche.id)) if proposed else None
                if not changes or (proposition and proposition.same(changes)):
                    counted["inchanges"] += 1
                    continue
                counted["proposes" if proposed else "modifies"] += 1
                ecart = Ecart(
                    feuille=sheet,
                    cle=key,
                    nature=Nature.MODIFIE,
                    libelle=labels.of(sheet, described[key]),
                    ligne=numbers[sheet].get(key),
                    objet=fiche.id,
                    propose=proposed,
                    avant={field: old for field, (old, _) in changes.items()},
                    apres={field: new for field, (_, new) in changes.items()},
                )
                if (sheet, former.get((sheet, key)), key) in decided:
                    ecart.ancien = labels.of(sheet, fiche.values)
                ecart.champs = [
                    field for field, (old, _) in changes.items() if before and field in before and before[field] != old
                ]
                if ecart.champs:
                    ecart.conflit = f"Modifié depuis le dernier import par {_since(fiche)}"
                elif proposition and proposition.auteur:
                    ecart.conflit = f"Une proposition de {proposition.auteur} attend déjà : l'import prendrait sa place"
            elif not _closed(sheet, fiche):
                counted["absents"] += 1
                ecart = Ecart(
                    feuille=sheet,
                    cle=key,
                    nature=Nature.ABSENT,
                    libelle=labels.of(sheet, fiche.values),
                    objet=fiche.id,
                    propose=proposed,
                    decision=Decision.CONSERVER if proposed and key not in same else "",
                    candidats=[(other, labels.of(sheet, described[other])) for other in same.get(key, ())],
                )
                if (last := (since or {}).get(fiche.values["departement"])) and fiche.cree_le > last:
                    ecart.conflit = f"Créé depuis le dernier import par {fiche.cree_par}, le {_moment(fiche.cree_le)}"
            else:
                continue
            plan.ecarts.append(ecart)
        plan.bilan[NOMS[sheet]] = {kind: sum(counts[code][kind] for code in departements) for kind in COMPTES}
        for code in departements:
            by_departement[code][NOMS[sheet]] = counts[code]
    if len(departements) > 1:
        plan.bilan["departements"] = by_departement
    return plan


def _changes(sheet: str, fiche: Fiche, row: dict, statut: str) -> dict[str, tuple]:
    """Fields of which the database and the workbook differ: {key: (database, workbook)}."""
    changes = {key: (old, row[key]) for key, old in fiche.values.items() if key in row and not _same(row[key], old)}
    if sheet == FINANCEMENTS.name or (fiche.statut == Statut.VALIDE and statut != Statut.VALIDE):
        return changes
    confirmed_closed = fiche.fermee and sheet == DISPOSITIFS.name and "date_fermeture" not in changes
    if confirmed_closed:
        return changes
    # The departmental administrator validates what they import; what the SIAO changes goes to them.
    wanted = statut if changes or fiche.fermee or statut == Statut.VALIDE else fiche.statut
    if wanted != fiche.statut:
        changes["statut"] = (fiche.statut, wanted)
        if fiche.fermee and sheet == ENTITES.name:
            changes["date_fermeture"] = (fiche.values["date_fermeture"], None)
    return changes


def _same(new, old) -> bool:
    """Whether people would see no difference: what was written before ``plain`` may have some that nobody sees."""
    return new == old or (isinstance(new, str) and isinstance(old, str) and plain(new) == plain(old))


def _closed(sheet: str, fiche: Fiche) -> bool:
    """A fiche that already ended is not missing from the workbook."""
    if sheet == FINANCEMENTS.name:
        end = fiche.values["date_fin"]
        return end is not None and end < timezone.localdate().isoformat()
    return fiche.fermee


class _Labels:
    """What people call a fiche: a financement is named after its dispositif, ligne and start."""

    def __init__(self, listes: Listes, rows: Rows, known: Mapping[str, Mapping[str, Fiche]]):
        self.lignes = listes["lignes_financement"].labels
        self.noms = {key: fiche.values["nom"] for key, fiche in known.get(DISPOSITIFS.name, {}).items()}
        self.noms |= {key: row["nom"] for key, row in rows.get(DISPOSITIFS.name, {}).items()}

    def of(self, sheet: str, row: dict) -> str:
        if sheet != FINANCEMENTS.name:
            return row["nom"]
        ligne = self.lignes[row["ligne"]].partition(" – ")[0]
        start = FINANCEMENTS.by_key["date_debut"].type.show(row["date_debut"])
        return f"{self.noms[row['dispositif']]} – {ligne} – {start}"


def _since(fiche: Fiche) -> str:
    return f"{fiche.modifie_par}, le {_moment(fiche.modifie_le)}"


def _moment(moment: datetime.datetime) -> str:
    return f"{timezone.localtime(moment):%d/%m/%Y à %H:%M}"
