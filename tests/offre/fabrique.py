"""Rows of the offre for tests that are not about the offre: valid, and different each time."""

import datetime
import itertools

from stdnum import luhn

from comptes.models import CodePostal
from offre.models import Dispositif, Entite, Financement, Import, Rattachement
from offre.models.nomenclature import Statut

# SIREN that begin with 0009 are never given by the register.
_numbers = itertools.count(9_000)


def make_rattachement(departement: str, *, entite: Entite | None = None, **fields) -> Rattachement:
    """An entité in one département; the same ``entite`` may be in several."""
    number = next(_numbers)
    body = f"000{number:05d}"
    entite = entite or Entite.objects.create(siren=body + luhn.calc_check_digit(body))
    fields = {"nom": f"Association d'essai {number}", "statut": Statut.VALIDE, **fields}
    return Rattachement.objects.create(entite=entite, departement_id=departement, **fields)


def make_dispositif(rattachement: Rattachement, **fields) -> Dispositif:
    """A maraude of ``rattachement``, somewhere in its département."""
    place = CodePostal.objects.filter(commune__departement=rattachement.departement_id).order_by("pk").first()
    fields = {
        "nom": f"Maraude d'essai {next(_numbers)}",
        "categorie": "VEILLE_SOCIALE",
        "type_id": "MARAUDE",
        "date_ouverture": datetime.date(2015, 2, 1),
        "perennite": "PERENNE",
        "voie": "1 rue des Exemples",
        "code_postal": place.code,
        "commune_id": place.commune_id,
        "adresse_confidentielle": False,
        "orientation_siao": False,
        "prestations": ["REPAS"],
        "statut": Statut.VALIDE,
        **fields,
    }
    return Dispositif.objects.create(
        entite=rattachement.entite,
        departement_id=rattachement.departement_id,
        siren=rattachement.entite.siren,
        **fields,
    )


def make_financement(dispositif: Dispositif, **fields) -> Financement:
    fields = {
        "ligne_id": "177",
        "nature_acte": "CPOM",
        "reference_acte": f"Acte {next(_numbers)}",
        "date_debut": datetime.date(2024, 1, 1),
        "quantite": 1,
        "unite": "SERVICE",
        **fields,
    }
    return Financement.objects.create(dispositif=dispositif, **fields)


def make_import(departement: str, auteur, **fields) -> Import:
    fields = {
        "nom_fichier": "classeur.xlsx",
        "sha256": "0" * 64,
        "taille": 1,
        "etat": "REFUSE",
        "statut_vise": "VALIDE",
        **fields,
    }
    return Import.objects.create(departement_id=departement, depose_par=auteur, **fields)
