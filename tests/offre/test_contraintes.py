"""What PostgreSQL holds by itself: every invariant, each with the sentence that the user reads."""

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction
from django.db.models import UniqueConstraint

from offre.models import (
    Dispositif,
    DispositifSpecificite,
    Entite,
    Financement,
    Import,
    Rattachement,
    SpecificitePublic,
)
from siao.socle.database import sentence_of
from tests.classeurs import DISPOSITIF, PENSION, classeur
from tests.offre import test_contraintes_capacite, test_contraintes_validation

pytestmark = pytest.mark.django_db

VEILLE = {
    **{key: PENSION[key] for key in ("entite", "date_ouverture", "perennite", "voie", "code_postal", "commune")},
    "nom": "Maraude du Pont",
    "categorie": "Veille sociale",
    "type": "Maraude",
    "adresse_confidentielle": "Non",
    "orientation_siao": "Non",
    "publics": "Homme seul",
    "prestations": "Repas",
}
ACCUEIL = {**VEILLE, "nom": "Accueil du Moulin", "categorie": "Premier accueil", "type": "SPIP"}
ACCUEIL |= {"orientation_siao": None, "prestations": None}

CHRS, PENSION_NOM = DISPOSITIF["nom"], PENSION["nom"]

# (constraint, row by name, column = value): refused by the database itself.
REFUSED = [
    ("dispositif_nom_rempli", CHRS, "nom = '  '"),
    ("dispositif_nom_unique_par_departement", CHRS, f"nom = '{PENSION_NOM.upper()}'"),
    (
        "dispositif_entite_rattachee_au_departement",
        CHRS,
        "departement_id = '35', commune_id='35238', code_postal='35000'",
    ),
    ("dispositif_siren_de_son_entite", CHRS, "siren = '000440024'"),
    ("dispositif_type_dans_sa_categorie", CHRS, "type_id = 'PENSION'"),
    ("dispositif_commune_du_departement", CHRS, "commune_id = '35238', code_postal='35000'"),
    ("dispositif_code_postal_de_la_commune", CHRS, "code_postal = '44800'"),
    ("dispositif_siret_commence_par_le_siren", CHRS, "siret = '00044002400016'"),
    ("dispositif_siret_cle", CHRS, "siret = '00044001600010'"),
    ("dispositif_finess", CHRS, "finess = '44'"),
    ("dispositif_finess", "Maraude du Pont", "finess = '440000123'"),
    ("dispositif_precision_si_autre_type", CHRS, "precision = 'x'"),
    ("dispositif_perennite_dans_la_liste", CHRS, "perennite = 'X'"),
    ("dispositif_implantation_dans_la_liste", CHRS, "implantation = 'X'"),
    ("dispositif_participation_dans_la_liste", CHRS, "participation = 'X'"),
    ("dispositif_statut_dans_la_liste", CHRS, "statut = 'X'"),
    ("dispositif_prestations_dans_la_liste", "Maraude du Pont", "prestations = '{X}'"),
    ("dispositif_implantation_selon_categorie", CHRS, "implantation = ''"),
    ("dispositif_implantation_selon_categorie", "Maraude du Pont", "implantation = 'MIXTE'"),
    ("dispositif_orientation_sauf_premier_accueil", CHRS, "orientation_siao = NULL"),
    ("dispositif_orientation_sauf_premier_accueil", "Accueil du Moulin", "orientation_siao = true"),
    ("dispositif_contingent_pour_les_logements", CHRS, "contingent_prefectoral = false"),
    (
        "dispositif_contingent_pour_les_logements",
        PENSION_NOM,
        "contingent_prefectoral = NULL, contingent_nombre = NULL",
    ),
    ("dispositif_contingent_nombre", PENSION_NOM, "contingent_nombre = NULL"),
    ("dispositif_contingent_nombre", PENSION_NOM, "contingent_prefectoral = false"),
    ("dispositif_contingent_dans_les_logements", PENSION_NOM, "contingent_nombre = 25"),
    ("dispositif_places_pour_l_hebergement", CHRS, "places = NULL"),
    ("dispositif_places_pour_l_hebergement", PENSION_NOM, "places_pmr = 1"),
    ("dispositif_somme_des_places", CHRS, "places = 31"),
    ("dispositif_places_pmr_dans_les_places", CHRS, "places_pmr = 31"),
    ("dispositif_logements_selon_categorie", PENSION_NOM, "logements = NULL"),
    ("dispositif_logements_selon_categorie", CHRS, "logements = 1"),
    ("dispositif_mesures_selon_categorie", CHRS, "mesures = 1"),
    ("dispositif_prestations_de_la_veille_sociale", "Maraude du Pont", "prestations = '{}'"),
    ("dispositif_prestations_de_la_veille_sociale", CHRS, "horaires = 'matin'"),
    ("dispositif_ferme_apres_ouverture", CHRS, "date_fermeture = '2000-01-01'"),
    ("dispositif_ferme_a_une_date", CHRS, "statut = 'FERME'"),
    ("dispositif_ages", CHRS, "age_min = 40, age_max = 30"),
    ("dispositif_ages", CHRS, "age_max = 121"),
    ("rattachement_nom_rempli", None, "nom = ''"),
    ("rattachement_idcc_si_autre_convention", None, "convention_id = 'AUTRE'"),
    ("rattachement_idcc_si_autre_convention", None, "idcc_id = '0413'"),
    ("rattachement_statut_connu", None, "statut = 'X'"),
    ("rattachement_ferme_a_une_date", None, "statut = 'FERME'"),
    ("entite_siren_chiffres", None, "siren = '12345678X'"),
    ("entite_siren_cle", None, "siren = '123456789'"),
    ("financement_precision_si_autre_ligne", None, "precision = 'x'"),
    ("financement_precision_si_autre_ligne", None, "ligne_id = 'AUTRE'"),
    ("financement_nature_acte_dans_la_liste", None, "nature_acte = 'X'"),
    ("financement_unite_dans_la_liste", None, "unite = 'X'"),
    ("financement_finit_apres_son_debut", None, "date_fin = '2000-01-01'"),
    ("financement_quantite_positive", None, "quantite = 0"),
    ("financement_montant_positif", None, "montant_annuel = -1"),
    ("import_etat_connu", None, "etat = 'X'"),
    ("import_un_seul_territoire", None, "region_id = '52'"),
    ("import_statut_vise", None, "statut_vise = 'FERME'"),
    ("import_en_vigueur_a_un_auteur", None, "applique_le = NULL"),
]
TABLES = {
    model.__name__.lower(): model._meta.db_table for model in (Dispositif, Rattachement, Entite, Financement, Import)
}


@pytest.fixture
def offre(chain):
    chain.apply(classeur(dispositifs=[DISPOSITIF, PENSION, VEILLE, ACCUEIL]))


@pytest.mark.parametrize(("name", "row", "change"), REFUSED, ids=[f"{r[0]}-{i}" for i, r in enumerate(REFUSED)])
def test_the_database_refuses_and_says_why(offre, name, row, change):
    table = TABLES[name.partition("_")[0]]
    where = "WHERE nom = %s" if row else ""
    with pytest.raises(IntegrityError) as caught, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET {change} {where}", [row] if row else [])  # noqa: S608
    assert caught.value.__cause__.diag.constraint_name == name
    assert sentence_of(caught.value).endswith(".")


def test_duplicates_are_refused(offre):
    rattachement, financement = Rattachement.objects.get(), Financement.objects.get()
    other = Entite.objects.create(siren="000440024")
    for name, twin in (
        ("rattachement_unique", Rattachement(entite=rattachement.entite, departement_id="44", nom="Autre nom")),
        (
            "rattachement_nom_unique_par_departement",
            Rattachement(entite=other, departement_id="44", nom=rattachement.nom.upper()),
        ),
        ("financement_unique", Financement(**{f.name: getattr(financement, f.name) for f in _plain(Financement)})),
    ):
        with pytest.raises(IntegrityError) as caught, transaction.atomic():
            twin.save()
        assert caught.value.__cause__.diag.constraint_name == name


def _plain(model):
    return [field for field in model._meta.concrete_fields if not field.primary_key and not field.generated]


def test_a_public_to_protect_and_an_open_address_cannot_meet(offre):
    chrs = Dispositif.objects.get(nom=CHRS)
    protege = SpecificitePublic.objects.get(adresse_confidentielle=True)
    with pytest.raises(IntegrityError), transaction.atomic():
        DispositifSpecificite.objects.create(dispositif=chrs, specificite=protege)
    Dispositif.objects.filter(pk=chrs.pk).update(adresse_confidentielle=True)
    DispositifSpecificite.objects.create(dispositif=chrs, specificite=protege)
    with pytest.raises(IntegrityError), transaction.atomic():
        Dispositif.objects.filter(pk=chrs.pk).update(adresse_confidentielle=False)


def test_every_constraint_of_the_offre_has_its_sentence_and_its_test():
    refused = (*REFUSED, *test_contraintes_capacite.REFUSED, *test_contraintes_validation.REFUSED)
    tested = {name for name, _, _ in refused} | {
        *test_contraintes_capacite.INSERTED,
        *test_contraintes_validation.TWINS,
        "rattachement_unique",
        "rattachement_nom_unique_par_departement",
        "financement_unique",
        # Held by the tests of concurrent deposits.
        "import_un_seul_en_cours_par_territoire",
        "import_un_seul_pret_par_territoire",
        "import_un_seul_en_ecriture_par_territoire",
        "import_un_seul_en_vigueur_par_territoire",
        "ecart_unique",
        "ecart_decision_selon_nature",
        "dispositif_specificite_unique",
        "type_dispositif_categorie_connue",
    }
    for model in apps.get_app_config("offre").get_models():
        for constraint in model._meta.constraints:
            target_only = isinstance(constraint, UniqueConstraint) and set(constraint.fields) & {"code", "id"}
            if not target_only:
                assert constraint.name in tested, constraint.name
