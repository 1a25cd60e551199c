"""Invented workbooks, without error, of any size: for the demonstration, the tests and the measures.

SIREN begin with 000, which the register has never given; names are made of things, never of people; telephone
numbers are in the range that the regulator keeps for fiction.
"""

import datetime
import random
from collections.abc import Sequence
from typing import Any

from stdnum import luhn

from comptes.models import CodePostal, Departement
from offre.colonnes.declaration import DISPOSITIFS, ENTITES, FINANCEMENTS
from offre.colonnes.listes import Listes
from offre.models.nomenclature import (
    LOGEMENTS,
    Categorie,
    Implantation,
    NatureActe,
    Participation,
    Perennite,
    Prestation,
)

from .presentation import Rows

_KINDS = ("Association", "Fondation", "Union", "Entraide", "Coopérative", "Fédération")
_THINGS = (
    "l'Ancre",
    "la Boussole",
    "la Lanterne",
    "le Phare",
    "le Pont",
    "la Passerelle",
    "l'Escale",
    "le Tournesol",
    "la Clairière",
    "le Moulin",
    "la Source",
    "l'Horizon",
    "la Canopée",
    "le Sillage",
    "la Marée",
    "le Jardin",
)
_STREETS = ("rue des Exemples", "place du Modèle", "avenue de l'Essai", "chemin de la Démonstration")
_TODAY = datetime.date(2026, 1, 1)


def invented_rows(
    departement: Departement, listes: Listes, *, entites: int, dispositifs: int, financements: int, seed: int = 0
) -> Rows:
    """Rows of a complete workbook of ``departement``; the same arguments always give the same rows."""
    return _Inventor(departement, listes, seed).rows(entites, dispositifs, financements)


class _Inventor:
    def __init__(self, departement: Departement, listes: Listes, seed: int):
        self.random = random.Random(f"{departement.code} {seed}")  # noqa: S311 (not a secret)
        self.departement, self.listes = departement, listes
        self.addresses = list(
            CodePostal.objects.filter(commune__departement=departement)
            .order_by("code", "commune")
            .values_list("code", "commune__nom")
        )

    def rows(self, entites: int, dispositifs: int, financements: int) -> Rows:
        known_entites = [self.entite(number) for number in range(1, entites + 1)]
        known_dispositifs = [self.dispositif(number, known_entites) for number in range(1, dispositifs + 1)]
        lines = [self.financement(number, known_dispositifs[number % dispositifs]) for number in range(financements)]
        found = ((ENTITES, known_entites), (DISPOSITIFS, known_dispositifs), (FINANCEMENTS, lines))
        return {
            sheet.name: [
                (number, [row.get(column.key) for column in sheet.columns])
                for number, row in enumerate(rows, start=sheet.first_row)
            ]
            for sheet, rows in found
        }

    def entite(self, number: int) -> dict[str, Any]:
        choice = self.random.choice
        body = f"000{self.departement.code.rjust(3, '0').replace('A', '1').replace('B', '2')[-2:]}{number % 1000:03d}"
        convention = choice(list(self.listes["conventions_collectives"].labels))
        return {
            "nom": f"{choice(_KINDS)} {choice(_THINGS)} {number}",
            "siren": body + luhn.calc_check_digit(body),
            "telephone": choice([None, f"02 61 91 {self.random.randrange(100):02d} {self.random.randrange(100):02d}"]),
            "courriel": choice([None, f"contact{number}@entite.example"]),
            "convention": self.listes["conventions_collectives"].labels[convention],
            "idcc": "0413" if convention == "AUTRE" else None,
        }

    def dispositif(self, number: int, entites: Sequence[dict]) -> dict[str, Any]:
        choice, integer = self.random.choice, self.random.randint
        categorie = Categorie(choice(Categorie.values))
        code, libelle = choice(list(self.listes.types_of[categorie].items()))
        postal_code, commune = choice(self.addresses)
        specificites = self._some("specificites_public", 0, 2)
        confidential = any(libelle in self.listes.confidentielles.values() for libelle in specificites.split(" ; "))
        entite = choice(entites)
        row = {
            "entite": entite["nom"],
            "nom": f"{libelle.partition(' (')[0]} {choice(_THINGS)} {number}",
            "categorie": categorie.label,
            "type": libelle,
            "precision": "Dispositif local" if code.startswith("AUTRE") else None,
            "siret": choice([None, _siret(entite["siren"], number)]),
            "date_ouverture": _TODAY - datetime.timedelta(days=integer(100, 9000)),
            "perennite": choice(Perennite.labels),
            "voie": f"{integer(1, 200)} {choice(_STREETS)}",
            "code_postal": postal_code,
            "commune": commune,
            "adresse_confidentielle": "Oui" if confidential else "Non",
            "telephone": choice([None, f"02 61 91 {integer(0, 99):02d} {integer(0, 99):02d}"]),
            "courriel": choice([None, f"accueil{number}@dispositif.example"]),
            "orientation_siao": None if categorie == Categorie.PREMIER_ACCUEIL else choice(["Oui", "Non"]),
            "publics": self._some("compositions", 1, 3),
            "specificites": specificites or None,
            "age_min": choice([None, 18]),
            "age_max": choice([None, 99]),
            "animaux": choice([None, "Oui", "Non"]),
            "participation": choice([None, *Participation.labels]),
        }
        if categorie in (Categorie.HEBERGEMENT, *LOGEMENTS):
            row["implantation"] = choice(Implantation.labels)
        if categorie == Categorie.HEBERGEMENT:
            parts = [integer(0, 30) for _ in range(3)]
            row |= {
                "places": sum(parts),
                "places_urgence": parts[0],
                "places_stabilisation": parts[1],
                "places_insertion": parts[2],
                "places_pmr": integer(0, sum(parts)),
                "finess": choice([None, f"{self.departement.code[:2]}{number % 10_000_000:07d}"]),
            }
        elif categorie in LOGEMENTS:
            logements = integer(5, 120)
            contingent = choice([True, False])
            row |= {
                "logements": logements,
                "contingent_prefectoral": "Oui" if contingent else "Non",
                "contingent_nombre": integer(1, logements) if contingent else None,
            }
        elif categorie == Categorie.MESURES:
            row["mesures"] = integer(5, 100)
        elif categorie == Categorie.VEILLE_SOCIALE:
            row["prestations"] = " ; ".join(sorted(self.random.sample(Prestation.labels, integer(1, 3))))
            row["horaires"] = choice([None, "9 h – 17 h"])
        return row

    def financement(self, number: int, dispositif: dict) -> dict[str, Any]:
        choice = self.random.choice
        ligne = choice(list(self.listes["lignes_financement"].labels))
        counted = {"places": "Places", "logements": "Logements", "mesures": "Mesures"}
        capacity, unite = next(
            ((dispositif[key], label) for key, label in counted.items() if dispositif.get(key)), (1, "Service")
        )
        year = 2000 + number % 25
        return {
            "dispositif": dispositif["nom"],
            "ligne": self.listes["lignes_financement"].labels[ligne],
            "precision": "Fondation locale" if ligne == "AUTRE" else None,
            "nature_acte": choice(NatureActe.labels),
            "reference_acte": f"{year}-{number:05d}",
            "date_debut": datetime.date(year, 1, 1),
            "date_fin": datetime.date(year, 12, 31),
            "quantite": capacity,
            "unite": unite,
            "montant_annuel": choice([None, round(self.random.uniform(1_000, 500_000), 2)]),
        }

    def _some(self, name: str, least: int, most: int) -> str:
        labels = list(self.listes[name].labels.values())
        chosen = self.random.sample(range(len(labels)), self.random.randint(least, most))
        return " ; ".join(labels[position] for position in sorted(chosen))


def _siret(siren: str, number: int) -> str:
    body = f"{siren}{number % 10_000:04d}"
    return body + luhn.calc_check_digit(body)
