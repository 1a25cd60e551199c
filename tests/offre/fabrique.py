"""Rows of the offre for tests that are not about the offre: valid, and different each time."""

import datetime
import itertools

from django.utils import timezone
from stdnum import luhn

from comptes.models import CodePostal, Utilisateur
from offre.models import Dispositif, Entite, Financement, GroupePlaces, Import, Place, Proposition, Rattachement
from offre.models.nomenclature import Statut

# Of one width, as in tests/comptes/fabrique.py. SIREN that begin with 000 are never given by the register.
_numbers = itertools.count(10_001)


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


def make_hebergement(rattachement: Rattachement, **fields) -> Dispositif:
    """A CHRS to which the SIAO orients."""
    counted = dict.fromkeys(("places", "places_urgence", "places_stabilisation", "places_insertion"), 0)
    fields = {
        "nom": f"CHRS d'essai {next(_numbers)}",
        "categorie": "HEBERGEMENT",
        "type_id": "CHRS",
        "implantation": "REGROUPE",
        "orientation_siao": True,
        "prestations": [],
        **counted,
        **fields,
    }
    return make_dispositif(rattachement, **fields)


def make_groupe(dispositif: Dispositif, *, accueils: dict | None = None, etats=("",), **fields) -> GroupePlaces:
    """A group of family rooms for four, one per state of ``etats`` ("" is a place that nobody declared).

    ``accueils``: code of the composition → smallest and biggest ménage.
    """
    fields = {
        "libelle": f"Chambres familiales {next(_numbers)}",
        "type_id": "30",
        "categorie_id": "60",
        "pmr": False,
        "couchages": 4,
        **fields,
    }
    groupe = GroupePlaces.objects.create(dispositif=dispositif, categorie_dispositif=dispositif.categorie, **fields)
    for code, (smallest, biggest) in (accueils or {"100": (3, 4)}).items():
        groupe.configurations.create(
            composition_id=code, couchages=groupe.couchages, taille_min=smallest, taille_max=biggest
        )
    for number, etat in enumerate(etats, start=1):
        make_place(groupe, nom=f"Chambre {number:02}", etat=etat)
    return groupe


def make_place(groupe: GroupePlaces, *, etat: str = "", il_y_a=datetime.timedelta(0), **fields) -> Place:
    """A place open for years, last declared so long ago (``il_y_a``)."""
    fields = {"nom": f"Chambre {next(_numbers)}", "ouverte_le": datetime.date(2020, 1, 1), **fields}
    if etat:
        moment = timezone.now() - il_y_a
        auteur = Utilisateur.objects.order_by("pk").first() or Utilisateur.objects.create_user("premier@test.example")
        fields |= {"etat": etat, "etat_depuis": moment, "declare_le": moment, "declare_par": auteur}
    return Place.objects.create(groupe=groupe, **fields)


def make_accompagnement(rattachement: Rattachement, **fields) -> Dispositif:
    """An AVDL of twenty mesures."""
    fields = {
        "nom": f"AVDL d'essai {next(_numbers)}",
        "categorie": "MESURES",
        "type_id": "AVDL",
        "orientation_siao": True,
        "prestations": [],
        "mesures": 20,
        **fields,
    }
    return make_dispositif(rattachement, **fields)


def make_proposition(fiche: Rattachement | Dispositif, auteur, **fields) -> Proposition:
    """A change of name, waiting for the SIAO."""
    nom = f"Nom proposé {next(_numbers)}"
    fields = {
        "avant": {"nom": fiche.nom},
        "apres": {"nom": nom},
        "version": fiche.version,
        "statut": Statut.SOUMIS,
        **fields,
    }
    return Proposition.objects.create(auteur=auteur, **{fiche._meta.model_name: fiche}, **fields)
