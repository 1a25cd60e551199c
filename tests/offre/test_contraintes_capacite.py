"""What PostgreSQL holds of places, mesures, prestations, the register and the tokens, whoever writes."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from comptes.droits import Profil
from offre.models import (
    CadenceSirene,
    FicheSirene,
    GroupeMesures,
    Indisponibilite,
    JetonOuverture,
    PrestationProposee,
)
from siao.socle.database import sentence_of
from tests.comptes.fabrique import habilitation_of, make_utilisateur
from tests.offre.fabrique import (
    make_accompagnement,
    make_dispositif,
    make_groupe,
    make_hebergement,
    make_rattachement,
)

# (constraint, row of the world, column = value): refused by the database itself.
REFUSED = [
    ("groupe_libelle_unique_par_dispositif", "groupe", "libelle = 'AUTRE  groupe'"),
    ("groupe_libelle_rempli", "groupe", "libelle = ' '"),
    ("groupe_categorie_de_son_dispositif", "groupe", "categorie_dispositif = 'LOGEMENT_RS'"),
    ("groupe_hebergement_ou_logement", "groupe", "categorie_dispositif = 'PREMIER_ACCUEIL'"),
    ("groupe_couchages", "groupe", "couchages = 0"),
    ("configuration_unique", "configuration", "composition_id = '40'"),
    ("configuration_tailles_dans_l_ordre", "configuration", "taille_min = 5"),
    ("configuration_tailles_dans_l_ordre", "configuration", "taille_min = 0"),
    ("configuration_dans_les_couchages", "configuration", "taille_max = 5"),
    ("configuration_couchages_de_son_groupe", "configuration", "couchages = 6"),
    ("capacite_financee_une_par_jour", "financee", "depuis = '2025-01-01'"),
    ("place_nom_unique_par_groupe", "place", "nom = 'CHAMBRE 02'"),
    ("place_nom_rempli", "place", "nom = ''"),
    ("place_ferme_apres_ouverture", "place", "fermee_le = '2019-12-31'"),
    ("place_etat_connu", "place", "etat = 'X'"),
    ("place_declaree_par_quelqu_un", "place", "declare_par_id = NULL"),
    ("place_declaree_par_quelqu_un", "place", "etat = ''"),
    ("place_declaree_par_quelqu_un", "place", "declare_le = etat_depuis - interval '1 s'"),
    ("indisponibilite_sans_chevauchement", "indisponibilite", "date_fin = '2026-02-01'"),
    ("indisponibilite_sans_chevauchement", "indisponibilite", "date_fin = NULL"),
    ("indisponibilite_finit_apres_son_debut", "indisponibilite", "date_fin = '2025-12-31'"),
    ("indisponibilite_motif_connu", "indisponibilite", "motif = 'X'"),
    ("indisponibilite_autre_precisee", "indisponibilite", "motif = 'AUTRE'"),
    ("mesures_libelle_unique_par_dispositif", "mesures", "libelle = 'autres'"),
    ("mesures_libelle_rempli", "mesures", "libelle = ''"),
    ("mesures_categorie_de_son_dispositif", "mesures", "dispositif_id = {chrs}"),
    ("mesures_d_un_accompagnement", "mesures", "categorie_dispositif = 'HEBERGEMENT'"),
    ("mesures_ferme_apres_ouverture", "mesures", "ferme_le = '2023-12-31'"),
    ("mesures_declarees_par_quelqu_un", "mesures", "utilisees = 1"),
    ("prestation_unique_par_dispositif", "prestation", "nature = 'HYGIENE'"),
    ("prestation_categorie_de_son_dispositif", "prestation", "dispositif_id = {chrs}"),
    ("prestation_de_la_veille_sociale", "prestation", "categorie_dispositif = 'HEBERGEMENT'"),
    ("prestation_nature_connue", "prestation", "nature = 'X'"),
    ("creneau_jour_de_la_semaine", "creneau", "jour = 8"),
    ("creneau_sans_chevauchement", "creneau", "heure_fin = '15:00'"),
    ("fiche_sirene_etat_connu", "fiche", "etat = 'X'"),
    ("cadence_sirene_unique", "cadence", "id = 2"),
    ("jeton_un_par_structure", "jeton", "structure = 'Métropole'"),
    ("jeton_structure_nommee", "jeton", "structure = ''"),
]
INSERTED = {"declaration_place_etat_connu"}
"""Held on tables that nobody may update."""


@pytest.fixture
def monde(db):
    rattachement = make_rattachement("44")
    chrs, avdl = make_hebergement(rattachement), make_accompagnement(rattachement)
    accueil = make_dispositif(rattachement, prestations=["REPAS", "HYGIENE"])
    make_groupe(chrs, libelle="Autre groupe", etats=[])
    groupe = make_groupe(chrs, accueils={"100": (3, 4), "40": (2, 4)}, etats=["LIBRE", ""])
    place = groupe.places.first()
    financees = [groupe.financees_depuis.create(depuis=f"{year}-01-01", nombre=4) for year in (2024, 2025)]
    works = [
        Indisponibilite.objects.create(
            place=place, motif="TRAVAUX", date_debut=f"2026-0{month}-01", date_fin=f"2026-0{month}-10"
        )
        for month in (1, 2)
    ]
    mesures = [
        GroupeMesures.objects.create(dispositif=avdl, libelle=name, nombre=3, ouvert_le="2024-01-01")
        for name in ("AVDL", "Autres")
    ]
    prestations = [PrestationProposee.objects.create(dispositif=accueil, nature=one) for one in accueil.prestations]
    creneaux = [
        prestations[0].creneaux.create(jour=1, heure_debut=begins, heure_fin=ends)
        for begins, ends in (("09:00", "12:00"), ("14:00", "17:00"))
    ]
    auteur = make_utilisateur(Profil.ASSISTANT, objets=[rattachement])
    jetons = [
        JetonOuverture.objects.create(structure=name, courriel="a@b.example", empreinte=name, cree_par=auteur)
        for name in ("Ville", "Métropole")
    ]
    return {
        "chrs": chrs,
        "groupe": groupe,
        "configuration": groupe.configurations.get(composition="100"),
        "financee": financees[0],
        "place": place,
        "indisponibilite": works[0],
        "mesures": mesures[0],
        "prestation": prestations[0],
        "creneau": creneaux[0],
        "fiche": FicheSirene.objects.create(siren="400461356", etat="ACTIVE", lue_le=timezone.now()),
        "cadence": CadenceSirene.objects.get_or_create(pk=1, defaults={"prochaine": timezone.now()})[0],
        "jeton": jetons[0],
        "auteur": auteur,
    }


@pytest.mark.parametrize(("name", "row", "change"), REFUSED)
def test_the_database_refuses_and_says_why(monde, name, row, change):
    target = monde[row]
    update = f"UPDATE {target._meta.db_table} SET {change} WHERE {target._meta.pk.column} = %s"  # noqa: S608
    update = update.format(chrs=monde["chrs"].pk)
    with pytest.raises(IntegrityError) as caught, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(update, [target.pk])
    assert caught.value.__cause__.diag.constraint_name == name
    assert sentence_of(caught.value)


def test_a_declaration_says_free_or_taken(monde):
    values = {"etat": "X", "auteur": monde["auteur"], "habilitation": habilitation_of(monde["auteur"])}
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        monde["place"].declarations.create(**values)
    assert {caught.value.__cause__.diag.constraint_name} == INSERTED


def test_a_dispositif_with_places_stays_a_place_to_live(monde):
    """Its category may change to another that has places, and its groups follow; never to one that has none."""
    with pytest.raises(IntegrityError) as caught, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE offre_dispositif SET categorie = 'VEILLE_SOCIALE', type_id = 'MARAUDE', implantation = '', "
            "places = NULL, places_urgence = NULL, places_stabilisation = NULL, places_insertion = NULL, "
            "prestations = '{REPAS}' WHERE id = %s",
            [monde["chrs"].pk],
        )
    assert sentence_of(caught.value) == "Seuls les hébergements et les logements ont des places."
