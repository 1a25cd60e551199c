"""The public stock files of the register (StockUniteLegale, StockEtablissement), for who has no network."""

import csv
from collections.abc import Iterator
from pathlib import Path

from django.utils import timezone
from django.utils.dateparse import parse_date

from offre.models import Entite, FicheSirene
from offre.models.sirene import EtatSirene

from .repertoire import save

UNITES = ("siren", "statutDiffusionUniteLegale", "etatAdministratifUniteLegale", "denominationUniteLegale")
ETABLISSEMENTS = ("siren", "siret", "etablissementSiege", "codePostalEtablissement", "libelleVoieEtablissement")
"""Columns that tell one file from the other."""


class UnknownFile(Exception):
    """Neither of the two stock files. The text says what is missing."""


def load(path: Path) -> dict[str, int]:
    """Copy what the file says of the entités that we know; return how many were new, changed, unchanged, unknown."""
    sirens = set(Entite.objects.values_list("siren", flat=True))
    known = FicheSirene.objects.in_bulk(sirens)
    read, now = {}, timezone.now()
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = csv.DictReader(file)
        reader = _reader(lines.fieldnames or ())
        for line in lines:
            siren = line["siren"]
            if siren in sirens and (changes := reader(line)):
                read[siren] = changes
    new, changed = [], []
    for siren, changes in read.items():
        fiche = known.get(siren) or FicheSirene(siren=siren, etat=EtatSirene.ACTIVE)
        before = {field: getattr(fiche, field) for field in changes}
        for field, value in changes.items():
            setattr(fiche, field, value)
        if siren not in known:
            new.append(fiche)
        elif before != changes:
            changed.append(fiche)
    for fiche in (*new, *changed):
        fiche.lue_le = now
    save([*new, *changed])
    return {
        "nouvelles": len(new),
        "modifiées": len(changed),
        "inchangées": len(read) - len(new) - len(changed),
        "absentes du fichier": len(sirens) - len(read),
    }


def _reader(columns):
    for needed, reader in ((UNITES, _unite), (ETABLISSEMENTS, _siege)):
        if set(needed) <= set(columns):
            return reader
    raise UnknownFile(
        f"Ce fichier n'est ni StockUniteLegale (colonnes {', '.join(UNITES)}…) "
        f"ni StockEtablissement (colonnes {', '.join(ETABLISSEMENTS)}…)."
    )


def _unite(line: dict[str, str]) -> dict:
    diffusible = line["statutDiffusionUniteLegale"] == "O"
    closed = line["etatAdministratifUniteLegale"] == "C"
    changes = {
        "etat": EtatSirene.CESSEE if closed else EtatSirene.ACTIVE,
        "diffusible": diffusible,
        "denomination": "",
        "sigle": "",
        "categorie_juridique": "",
        "naf": "",
        "date_creation": None,
    }
    if diffusible:
        person = " ".join(filter(None, (line.get("prenomUsuelUniteLegale"), line.get("nomUniteLegale"))))
        changes |= {
            "denomination": (line["denominationUniteLegale"] or person)[:255],
            "sigle": line.get("sigleUniteLegale", "")[:50],
            "categorie_juridique": line.get("categorieJuridiqueUniteLegale", "")[:4],
            "naf": line.get("activitePrincipaleUniteLegale", "")[:6],
            "date_creation": parse_date(line.get("dateCreationUniteLegale", "")),
        }
    return changes


def _siege(line: dict[str, str]) -> dict | None:
    if line["etablissementSiege"].lower() != "true":
        return None
    return {
        "siret_siege": line["siret"][:14],
        "adresse": " ".join(_address(line))[:255],
        "code_postal": line["codePostalEtablissement"][:5],
        "commune": line.get("codeCommuneEtablissement", "")[:5],
    }


def _address(line: dict[str, str]) -> Iterator[str]:
    for column in (
        "complementAdresseEtablissement",
        "numeroVoieEtablissement",
        "indiceRepetitionEtablissement",
        "typeVoieEtablissement",
        "libelleVoieEtablissement",
        "codePostalEtablissement",
        "libelleCommuneEtablissement",
    ):
        # « [ND] » stands for what the person did not want to be public.
        if (value := line.get(column, "")) and value != "[ND]":
            yield value
