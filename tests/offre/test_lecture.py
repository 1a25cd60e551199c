"""Reading a workbook: every error and warning, each with its cell, and what is corrected in passing."""

import datetime

import pytest
from django.utils import timezone

from comptes.models import Departement
from offre.colonnes.declaration import BY_NAME
from offre.models import Entite, FicheSirene, Rattachement
from offre.temps1.lecture import read_file
from siao.socle.refusal import Refusal
from tests.classeurs import (
    AUTRE_SIREN,
    DISPOSITIF,
    ENTITE,
    FINANCEMENT,
    PENSION,
    SIREN,
    address,
    classeur,
    departement,
    with_cell,
    with_part,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def lire(tmp_path):
    def read(content: bytes, territoire=None):
        path = tmp_path / "classeur"
        path.write_bytes(content)
        return read_file(path, territoire or departement())

    return read


def found(lecture):
    """{(code, cell)} of every problem."""
    return {(problem.rule.code, problem.cell) for problem in lecture.problems}


def test_a_valid_workbook_has_no_problem(lire):
    lecture = lire(classeur(dispositifs=[DISPOSITIF, PENSION]))
    assert lecture.problems == []
    assert list(lecture.rows["Entités"]) == [f"44|{SIREN}"]
    row = lecture.rows["Dispositifs"]["44|chrs le phare"]
    assert row["commune"] == "44109"
    assert row["publics"] == ["10", "20"]
    assert row["date_ouverture"] == "2015-02-01"
    assert row["orientation_siao"] is True
    assert row["contingent_prefectoral"] is None
    [financement] = lecture.rows["Financement"].values()
    assert (financement["ligne"], financement["montant_annuel"]) == ("177", "250000.50")


# (tab, column, cell, rule): an error at that cell, and nothing else of the file is applied.
ERRORS = [
    ("Entités", "nom", None, "obligatoire"),
    ("Entités", "nom", "   ", "obligatoire"),
    ("Entités", "nom", "x" * 256, "trop_long"),
    ("Entités", "nom", "Association Sportive du FC", "ligne_exemple"),
    ("Entités", "siren", "123456789", "ligne_exemple"),
    ("Entités", "siren", None, "obligatoire"),
    ("Entités", "siren", 440016, "siren_longueur"),
    ("Entités", "siren", "12345678", "siren_longueur"),
    ("Entités", "siren", "000440017", "siren_cle"),
    ("Entités", "siren", "ABC440016", "siren_caracteres"),
    ("Entités", "siren", 123456789.5, "siren_caracteres"),
    ("Entités", "siren", "٠٠٠٤٤٠٠١٦", "siren_caracteres"),
    *(("Entités", "siren", code, "code_factice") for code in ("000000000", 0, "000 000 000", "111111111", "987654321")),
    *(("Entités", "siren", code, "code_factice") for code in ("999999999", "012345678", "00000000")),
    *(("Dispositifs", "siret", code, "code_factice") for code in ("0" * 14, "0", "1" * 14, "12345678901234")),
    *(("Dispositifs", "siret", code, "code_factice") for code in ("00000000000018", "12345678900012")),
    *(
        ("Dispositifs", "finess", code, "code_factice")
        for code in ("0" * 9, 0, "999999999", "123456789", "1-1111-1111")
    ),
    ("Entités", "telephone", 612345678, "telephone"),
    ("Entités", "telephone", "02 61 91", "telephone"),
    ("Entités", "telephone", "appelez-nous", "telephone"),
    ("Entités", "telephone", "261910012", "telephone"),
    ("Entités", "telephone", "02 61 91 00 12 poste 12", "telephone_poste"),
    ("Dispositifs", "telephone", "02 61 91 00 12 / 06 12 34 56 78", "telephones_multiples"),
    ("Entités", "courriel", "contact exemple.fr", "courriel"),
    ("Entités", "courriel", "a@b.fr ; c@d.fr", "courriel"),
    ("Entités", "courriel", "a@b.fr\r\nBcc: c@d.fr", "courriel"),
    ("Entités", "convention", "CCN 67", "hors_liste"),
    ("Entités", "idcc", "0413", "cellule_grisee"),
    ("Dispositifs", "entite", "Inconnue", "reference_inconnue"),
    ("Dispositifs", "categorie", "Autre chose", "hors_liste"),
    ("Dispositifs", "type", "Maraude", "type_hors_categorie"),
    ("Dispositifs", "precision", "Une précision", "cellule_grisee"),
    ("Dispositifs", "siret", "0004400160001", "siret_longueur"),
    ("Dispositifs", "siret", "00044001600010", "siret_cle"),
    ("Dispositifs", "siret", "00044002400016", "siret_autre_siren"),
    ("Dispositifs", "finess", "44000", "finess"),
    ("Dispositifs", "date_ouverture", "31/02/2024", "date"),
    ("Dispositifs", "date_ouverture", "03/14/2024", "date"),
    ("Dispositifs", "date_ouverture", "1er mars 2024", "date"),
    ("Dispositifs", "date_ouverture", "01/01/1066", "date_hors_bornes"),
    ("Dispositifs", "date_ouverture", "2015", "date"),
    ("Dispositifs", "date_fermeture", "31/12/2014", "fermeture_avant_ouverture"),
    ("Dispositifs", "perennite", "Permanent", "hors_liste"),
    ("Dispositifs", "code_postal", "4400", "code_postal_format"),
    ("Dispositifs", "code_postal", "99999", "code_postal_inconnu"),
    ("Dispositifs", "code_postal", "44042", "code_postal_cedex"),
    ("Dispositifs", "code_postal", "44109", "code_postal_insee"),
    ("Dispositifs", "commune", "Rennes", "commune_hors_code_postal"),
    ("Dispositifs", "commune", "Nantse", "commune_hors_code_postal"),
    ("Dispositifs", "adresse_confidentielle", "peut-être", "oui_non"),
    ("Dispositifs", "implantation", None, "obligatoire_ici"),
    ("Dispositifs", "orientation_siao", None, "obligatoire_ici"),
    ("Dispositifs", "contingent_prefectoral", "Oui", "cellule_grisee"),
    ("Dispositifs", "contingent_nombre", 3, "cellule_grisee"),
    ("Dispositifs", "publics", "Homme seul ; Martien", "hors_liste"),
    ("Dispositifs", "age_min", 121, "entier_hors_bornes"),
    ("Dispositifs", "places", 31, "somme_des_places"),
    ("Dispositifs", "places", -5, "entier_hors_bornes"),
    ("Dispositifs", "places", 2.5, "entier"),
    ("Dispositifs", "places", "2,5", "entier"),
    ("Dispositifs", "places", "9" * 5000, "entier"),
    ("Dispositifs", "places_pmr", 31, "pmr_trop_grand"),
    ("Dispositifs", "logements", 12, "cellule_grisee"),
    ("Dispositifs", "prestations", "Repas", "cellule_grisee"),
    ("Dispositifs", "horaires", "9 h – 17 h", "cellule_grisee"),
    ("Dispositifs", "animaux", "parfois", "oui_non"),
    ("Dispositifs", "participation", "Gratuit", "hors_liste"),
    ("Dispositifs", "commentaire", "x" * 1001, "trop_long"),
    ("Financement", "dispositif", "Inconnu", "reference_inconnue"),
    ("Financement", "ligne", "Programme 999", "hors_liste"),
    ("Financement", "precision", "Fondation", "cellule_grisee"),
    ("Financement", "nature_acte", "Poignée de main", "hors_liste"),
    ("Financement", "date_fin", "31/12/2023", "fin_avant_debut"),
    ("Financement", "quantite", 0, "entier_hors_bornes"),
    ("Financement", "quantite", "trente", "entier"),
    ("Financement", "unite", "Lits", "hors_liste"),
    ("Financement", "montant_annuel", -1, "montant_hors_bornes"),
    ("Financement", "montant_annuel", "100000000000", "montant_hors_bornes"),
    ("Financement", "montant_annuel", "1e999", "montant"),
    ("Financement", "montant_annuel", "12,345", "montant"),
]


@pytest.mark.parametrize(
    ("sheet", "key", "cell", "code"), ERRORS, ids=[f"{e[1]}-{e[3]}-{i}" for i, e in enumerate(ERRORS)]
)
def test_an_error_names_its_cell_and_says_what_to_do(lire, sheet, key, cell, code):
    lecture = lire(with_cell(sheet, key, cell))
    assert (code, address(sheet, key)) in found(lecture)
    assert lecture.errors
    for problem in lecture.problems:
        assert problem.message.endswith((".", "?"))
        assert problem.column == BY_NAME[problem.sheet].by_key[key].label or problem.rule.code != code
        assert "{" not in problem.message


# (tab, column, cell, canonical value): accepted, and put in its canonical form.
NORMALISED = [
    ("Entités", "siren", "000 440 016", SIREN),
    ("Entités", "siren", "000\u00a0440\u202f016", SIREN),
    ("Entités", "siren", "000.440.016", SIREN),
    ("Entités", "telephone", "02.61.91.00.12", "+33261910012"),
    ("Entités", "telephone", "+33 2 61 91 00 12", "+33261910012"),
    ("Entités", "telephone", "02\u00a061\u202f91\u201100\u201112", "+33261910012"),
    ("Entités", "telephone", "\u200b0262 20 00 00", "+262262200000"),
    ("Entités", "telephone", "\u200b\u00a0", ""),
    ("Entités", "telephone", 115, "115"),
    ("Dispositifs", "telephone", "39\u00a049", "3949"),
    ("Entités", "nom", "Association\u00a0 l'Ancre", "Association l'Ancre"),
    ("Dispositifs", "voie", "1 rue  des Associe\u0301s", "1 rue des Associés"),
    ("Dispositifs", "commentaire", "Un\r\ndeux\u2028trois ", "Un\ndeux\ntrois"),
    ("Dispositifs", "date_ouverture", "01\u00a0/02\u202f/ 2015", "2015-02-01"),
    ("Dispositifs", "date_ouverture", "01\u201102\u20112015", "2015-02-01"),
    ("Dispositifs", "perennite", "Pérenne\u200b", "PERENNE"),
    ("Dispositifs", "animaux", "\ufeffOui", True),
    ("Dispositifs", "publics", "Homme\u00a0seul\u200b ; Femme seule", ["10", "20"]),
    ("Entités", "courriel", " Contact@Exemple.FR ", "contact@exemple.fr"),
    ("Entités", "convention", "ccn 66 - fehap", None),
    ("Dispositifs", "categorie", "HEBERGEMENT", "HEBERGEMENT"),
    ("Dispositifs", "date_ouverture", datetime.date(2015, 2, 1), "2015-02-01"),
    ("Dispositifs", "date_ouverture", "2015-02-01", "2015-02-01"),
    ("Dispositifs", "date_ouverture", "1/2/2015", "2015-02-01"),
    ("Dispositifs", "commune", "NANTES", "44109"),
    ("Dispositifs", "publics", "Femme seule;Homme seul;Homme seul;", ["10", "20"]),
    ("Dispositifs", "publics", "Homme seul, Femme seule", ["10", "20"]),
    ("Dispositifs", "publics", "Homme seul\nFemme seule", ["10", "20"]),
    ("Dispositifs", "specificites", "Addictions", ["ADDICTIONS"]),
    ("Dispositifs", "animaux", "oui", True),
    ("Dispositifs", "code_postal", 44000, "44000"),
    ("Financement", "quantite", "30", 30),
    ("Financement", "montant_annuel", "1 234,56 €", "1234.56"),
    ("Financement", "montant_annuel", 1234.1, "1234.10"),
    ("Financement", "montant_annuel", 0.1 + 0.2, "0.30"),
    ("Financement", "date_fin", None, None),
]


@pytest.mark.parametrize(("sheet", "key", "cell", "value"), [n for n in NORMALISED if n[3] is not None or n[2] is None])
def test_what_is_understood_is_put_in_its_canonical_form(lire, sheet, key, cell, value):
    lecture = lire(with_cell(sheet, key, cell))
    assert lecture.errors == []
    [row] = lecture.rows[sheet].values()
    assert row[key] == value


@pytest.mark.parametrize(
    ("commune", "code_postal", "departement_", "found"),
    [
        ("St Herblain", "44800", "44", "44162"),
        ("saint-herblain", "44800", "44", "44162"),
        ("SAINTHERBLAIN", "44800", "44", "44162"),
        ("Nantes Cedex 1", "44000", "44", "44109"),
        ("NANTES CEDEX", "44 000", "44", "44109"),
        ("44000 Nantes", "F-44000", "44", "44109"),
        ("Nantes (44)", "44000", "44", "44109"),
        ("44109", "44000", "44", "44109"),
        ("St Sébastien s/Loire", "44230", "44", "44190"),
        ("St Sébastien s/ Loire", "44230", "44", "44190"),
        ("Saint\u2013Sébastien\u2014sur\u2011Loire", "44230", "44", "44190"),
        ("Turballe (La)", "44420", "44", "44211"),
        ("L\u2019Île d\u2019Yeu", "85350", "85", "85113"),
        ("L'Ile-d`Yeu", "85350", "85", "85113"),
        ("Paris 15e", "75015", "75", "75056"),
        ("PARIS XVe arrondissement", "75015", "75", "75056"),
        ("Paris Cedex 15", "75015", "75", "75056"),
        ("Paris 16", "75116", "75", "75056"),
        ("Lyon 3ème", "69003", "69", "69123"),
        ("Marseille 1er Arrdt", "13001", "13", "13055"),
        ("Hay-les-Roses (L')", "94240", "94", "94038"),
        ("Val de Louyre et Caudeau", "24380", "24", "24362"),
    ],
)
def test_a_commune_is_read_as_people_write_it(lire, commune, code_postal, departement_, found):
    content = with_cell("Dispositifs", "commune", commune, code_postal=code_postal)
    lecture = lire(content, Departement.objects.get(code=departement_))
    assert lecture.problems == []
    [row] = lecture.rows["Dispositifs"].values()
    assert row["commune"] == found


@pytest.mark.parametrize(
    ("commune", "code_postal", "code", "said"),
    [
        (
            "NANTES CEDEX 1",
            "44042",
            "code_postal_cedex",
            "probablement un code CEDEX : écrivez le code postal",
        ),
        ("Nantes", "44042", "code_postal_cedex", "(Nantes : 44000, 44100, 44200 ou 44300)"),
        ("Rennes Cedex", "35042", "code_postal_cedex", "« Complément d'adresse »"),
        ("Nantes", "44109", "code_postal_insee", "le code INSEE de Nantes, et non son code postal : écrivez 44000"),
        ("St-Sébastien-sur-Loire", "44190", "code_postal_insee", "écrivez 44230."),
        ("Nantse", "44000", "commune_hors_code_postal", "peut-être « Nantes », qui a ce code"),
        ("Clisson", "44000", "commune_hors_code_postal", "ce code est celui de Nantes ; Clisson a 44190"),
        ("Nantes", "44999", "code_postal_cedex", "Nantes : 44000"),
        ("Nulle part", "44999", "code_postal_inconnu", "vérifiez-le."),
        ("Nantes", "4400", "code_postal_format", "le zéro initial a pu être perdu : peut-être 04400)"),
        ("Varades", "44370", "commune_ancienne", "fait maintenant partie de Loireauxence"),
    ],
)
def test_a_wrong_address_says_what_to_write(lire, commune, code_postal, code, said):
    lecture = lire(with_cell("Dispositifs", "commune", commune, code_postal=code_postal))
    [message] = [problem.message for problem in lecture.problems if problem.rule.code == code]
    assert said in message
    assert bool(lecture.errors) == (code != "commune_ancienne")


@pytest.mark.parametrize(
    ("commune", "said"), [("Paris 15", "écrivez 75015, ou « Paris »"), ("Paris 21", "peut-être « Paris »")]
)
def test_the_arrondissement_typed_is_that_of_the_postal_code(lire, commune, said):
    paris = Departement.objects.get(code="75")
    [problem] = lire(with_cell("Dispositifs", "commune", commune, code_postal="75014"), paris).errors
    assert said in problem.message
    [problem] = lire(with_cell("Dispositifs", "commune", "Paris", code_postal="75000"), paris).errors
    assert "Aucune commune n'a le code postal 75000" in problem.message
    assert "75001, 75002" in problem.message


def test_a_former_commune_keeps_the_commune_of_today(lire):
    lecture = lire(with_cell("Dispositifs", "commune", "Belligné", code_postal="44370"))
    [row] = lecture.rows["Dispositifs"].values()
    assert row["commune"] == "44213"
    assert [problem.rule.code for problem in lecture.warnings] == ["commune_ancienne"]


def test_invisible_characters_never_hide_a_reference(lire):
    assert lire(with_cell("Dispositifs", "entite", "Association\u00a0l\u2019Ancre\u200b")).errors == []


WARNINGS = [
    ("Entités", "telephone", "0000000000", "telephone_fictif"),
    ("Entités", "nom", "Association\u202e l'Ancre", "caracteres_invisibles"),
    ("Financement", "quantite", 31, "financement_au_dela"),
    ("Financement", "unite", "Mesures", "unite_inattendue"),
]


@pytest.mark.parametrize(("sheet", "key", "cell", "code"), WARNINGS)
def test_a_warning_does_not_stop(lire, sheet, key, cell, code):
    lecture = lire(with_cell(sheet, key, cell))
    assert (code, address(sheet, key)) in found(lecture)
    assert lecture.errors == []


def test_a_number_that_lost_its_zero_is_not_padded_but_suggested(lire):
    [problem] = lire(with_cell("Entités", "siren", int(SIREN))).errors[:1]
    assert f"peut-être {SIREN}" in problem.message
    [problem] = lire(with_cell("Entités", "telephone", 261910012)).errors
    assert "02 61 91 00 12" in problem.message


def test_a_number_zero_is_no_siren_that_lost_its_zeros(lire):
    [problem] = lire(with_cell("Entités", "siren", 0)).errors[:1]
    assert "peut-être" not in problem.message
    assert "document officiel" in problem.message


def test_an_idcc_is_asked_for_another_convention_and_must_exist(lire):
    assert found(lire(with_cell("Entités", "idcc", None, convention="Autre"))) == {("obligatoire_ici", "F9")}
    assert found(lire(with_cell("Entités", "idcc", "0001", convention="Autre"))) == {("idcc_inconnu", "F9")}
    assert found(lire(with_cell("Entités", "idcc", "0023", convention="Autre"))) == {("idcc_plus_en_vigueur", "F9")}
    assert found(lire(with_cell("Entités", "idcc", 413, convention="Autre"))) == set()


def test_duplicates_name_both_rows(lire):
    twin = {**ENTITE, "nom": "Association L'ANCRE", "siren": AUTRE_SIREN}
    assert found(lire(classeur([ENTITE, twin]))) == {("nom_en_double", "A9"), ("nom_en_double", "A10")}
    twin = {**ENTITE, "nom": "Fondation le Pont"}
    lecture = lire(classeur([ENTITE, twin]))
    assert found(lecture) == {("siren_en_double", "B9"), ("siren_en_double", "B10")}
    assert "ligne 10 (« Fondation le Pont »)" in lecture.errors[0].message
    lecture = lire(classeur(dispositifs=[DISPOSITIF, DISPOSITIF]))
    assert found(lecture) == {("nom_en_double", "B9"), ("nom_en_double", "B10")}
    lecture = lire(classeur(financements=[FINANCEMENT, FINANCEMENT]))
    assert found(lecture) == {("financement_en_double", "A9"), ("financement_en_double", "A10")}


def test_a_wrong_cell_does_not_raise_other_errors(lire):
    """One mistake, one error: rules that need the faulty value keep silent."""
    assert found(lire(with_cell("Dispositifs", "categorie", "Hebergemant"))) == {("hors_liste", "C9")}
    assert found(lire(with_cell("Entités", "siren", "12345678"))) == {("siren_longueur", "B9")}
    lecture = lire(with_cell("Dispositifs", "commune", "Rennes"))
    assert found(lecture) == {("commune_hors_code_postal", "N9")}


def test_a_public_to_protect_makes_the_address_confidential(lire):
    content = with_cell("Dispositifs", "specificites", "Femmes victimes de violences")
    assert found(lire(content)) == {("adresse_confidentielle", address("Dispositifs", "adresse_confidentielle"))}
    content = with_cell("Dispositifs", "specificites", "Femmes victimes de violences", adresse_confidentielle="Oui")
    assert found(lire(content)) == set()


def test_suggestions_for_what_looks_like_a_value_of_the_list(lire):
    [problem] = lire(with_cell("Dispositifs", "categorie", "Hebergemant")).errors
    assert "peut-être « Hébergement »" in problem.message


def test_a_commune_of_another_departement_is_refused(lire):
    lecture = lire(with_cell("Dispositifs", "commune", "Rennes", code_postal="35000"))
    assert found(lecture) == {("commune_hors_departement", "N9")}
    assert "Ille-et-Vilaine, 35" in lecture.errors[0].message


def test_a_blank_row_is_a_warning_and_the_next_rows_are_read(lire):
    lecture = lire(classeur([ENTITE, None, {"nom": "Fondation le Pont", "siren": AUTRE_SIREN}]))
    assert [(problem.rule.code, problem.row) for problem in lecture.problems] == [("ligne_vide", 10)]
    assert len(lecture.rows["Entités"]) == 2


def test_all_the_errors_of_all_the_tabs_are_given_at_once(lire):
    lecture = lire(
        classeur(
            [{**ENTITE, "siren": "1"}],
            [{**DISPOSITIF, "categorie": "?", "code_postal": "x"}],
            [{**FINANCEMENT, "quantite": "?", "unite": "?"}],
        )
    )
    assert {problem.sheet for problem in lecture.errors} == {"Entités", "Dispositifs", "Financement"}
    assert len(lecture.errors) == 5


def test_a_siren_known_elsewhere_is_attached_and_nothing_of_the_other_fiche_is_said(lire):
    entite = Entite.objects.create(siren=SIREN)
    Rattachement.objects.create(entite=entite, departement_id="35", nom="Nom secret d'ailleurs", statut="VALIDE")
    lecture = lire(classeur())
    assert found(lecture) == {("siren_connu_ailleurs", "B9")}
    assert not any("secret" in problem.message or "Ille-et-Vilaine" in problem.message for problem in lecture.problems)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"etat": "CESSEE", "date_fermeture": "2024-03-12"}, "est fermée au répertoire SIRENE depuis le 12/03/2024 :"),
        ({"etat": "CESSEE"}, "est fermée au répertoire SIRENE :"),
        ({"etat": "ABSENTE"}, "est absente du répertoire SIRENE :"),
    ],
)
def test_an_entite_closed_in_the_register_is_said_before_it_is_imported(lire, fields, words):
    fiche = FicheSirene.objects.create(siren=SIREN, lue_le=timezone.now(), **fields)
    lecture = lire(classeur())
    assert found(lecture) == {("siren_au_repertoire", "B9")}
    assert words in lecture.warnings[0].message
    fiche.etat = "ACTIVE"
    fiche.save()
    assert lire(classeur()).problems == []


def test_the_name_of_an_entite_that_the_file_forgets_is_announced(lire):
    entite = Entite.objects.create(siren=AUTRE_SIREN)
    Rattachement.objects.create(entite=entite, departement_id="44", nom=ENTITE["nom"], statut="VALIDE")
    lecture = lire(classeur())
    assert found(lecture) == {("nom_repris", "A9")}
    Rattachement.objects.update(statut="FERME", date_fermeture="2024-01-01")
    assert lire(classeur()).problems == []


def test_hostile_texts_are_texts(lire):
    for text in ("<script>alert(1)</script>", "{{7*7}}", "'); DROP TABLE x; --", "${jndi:ldap://x}", "=1+1", "+33"):
        lecture = lire(classeur([{**ENTITE, "nom": text}], [{**DISPOSITIF, "entite": text}]))
        assert lecture.errors == []
        [row] = lecture.rows["Entités"].values()
        assert row["nom"] == text


def test_the_region_gives_each_row_the_departement_of_its_commune(lire):
    region = departement("44").region
    angers = {**DISPOSITIF, "nom": "CHRS d'Angers", "code_postal": "49000", "commune": "Angers"}
    lecture = lire(classeur(dispositifs=[DISPOSITIF, angers]), region)
    assert lecture.errors == []
    assert set(lecture.rows["Entités"]) == {f"44|{SIREN}", f"49|{SIREN}"}
    alone = {"nom": "Fondation le Pont", "siren": AUTRE_SIREN}
    assert found(lire(classeur([ENTITE, alone]), region)) == {("entite_sans_departement", "A10")}
    rennes = {**DISPOSITIF, "code_postal": "35000", "commune": "Rennes"}
    assert ("commune_hors_departement", "N9") in found(lire(classeur(dispositifs=[rennes]), region))


ANGERS = {"code_postal": "49000", "commune": "Angers"}


def test_two_departements_of_a_region_may_have_dispositifs_of_one_name(lire):
    region = departement("44").region
    both = [DISPOSITIF, {**DISPOSITIF, **ANGERS}]
    lecture = lire(classeur(dispositifs=both, financements=[]), region)
    assert lecture.errors == []
    assert set(lecture.rows["Dispositifs"]) == {"44|chrs le phare", "49|chrs le phare"}
    lecture = lire(classeur(dispositifs=both), region)
    [problem] = lecture.errors
    assert (problem.rule.code, problem.cell) == ("nom_de_plusieurs", "A9")
    assert "écrivez « CHRS le Phare (44) » ou « CHRS le Phare (49) »" in problem.message
    for text, code in (("CHRS le Phare (49)", "49"), ("CHRS LE PHARE  (44)", "44")):
        lecture = lire(classeur(dispositifs=both, financements=[{**FINANCEMENT, "dispositif": text}]), region)
        assert lecture.errors == []
        [financement] = lecture.rows["Financement"].values()
        assert financement["dispositif"] == f"{code}|chrs le phare"
    elsewhere = [{**FINANCEMENT, "dispositif": "CHRS le Phare (35)"}]
    assert found(lire(classeur(dispositifs=both, financements=elsewhere), region)) == {("reference_inconnue", "A9")}
    # In one département they still are two fiches of one name.
    twice = classeur(dispositifs=[DISPOSITIF, DISPOSITIF], financements=[])
    assert found(lire(twice, region)) == found(lire(twice)) == {("nom_en_double", "B9"), ("nom_en_double", "B10")}


def test_a_name_that_ends_in_brackets_is_a_name(lire):
    named = {**DISPOSITIF, "nom": "CHRS le Phare (44)"}
    financements = [{**FINANCEMENT, "dispositif": "CHRS le Phare (44)"}]
    content = classeur(dispositifs=[named, {**DISPOSITIF, **ANGERS}], financements=financements)
    lecture = lire(content, departement("44").region)
    assert lecture.errors == []
    [financement] = lecture.rows["Financement"].values()
    assert financement["dispositif"] == "44|chrs le phare (44)"


def test_two_departements_of_a_region_may_have_entites_of_one_name_or_name_one_otherwise(lire):
    region = departement("44").region
    twin = {**ENTITE, "siren": AUTRE_SIREN}
    lecture = lire(classeur([ENTITE, twin], [DISPOSITIF]), region)
    assert found(lecture) == {("nom_de_plusieurs", "A9")}
    assert f"« {ENTITE['nom']} ({AUTRE_SIREN}) »" in lecture.errors[0].message
    nantes = {**DISPOSITIF, "entite": f"{ENTITE['nom']} ({SIREN})"}
    angers = {**DISPOSITIF, **ANGERS, "nom": "CHRS d'Angers", "entite": f"{ENTITE['nom']} ({AUTRE_SIREN})"}
    lecture = lire(classeur([ENTITE, twin], [nantes, angers]), region)
    assert lecture.errors == []
    assert set(lecture.rows["Entités"]) == {f"44|{SIREN}", f"49|{AUTRE_SIREN}"}
    # Both in one département: two fiches of one name.
    lecture = lire(classeur([ENTITE, twin], [nantes, {**angers, "code_postal": "44000", "commune": "Nantes"}]), region)
    assert found(lecture) == {("nom_en_double", "A9"), ("nom_en_double", "A10")}
    # One SIREN, called otherwise in Angers.
    other = {**ENTITE, "nom": "L'Ancre d'Angers"}
    lecture = lire(classeur([ENTITE, other], [DISPOSITIF, {**angers, "entite": other["nom"]}]), region)
    assert lecture.errors == []
    assert {key: row["nom"] for key, row in lecture.rows["Entités"].items()} == {
        f"44|{SIREN}": ENTITE["nom"],
        f"49|{SIREN}": other["nom"],
    }
    lecture = lire(classeur([ENTITE, other], [DISPOSITIF, {**PENSION, "entite": other["nom"]}]), region)
    assert found(lecture) == {("siren_en_double", "B9"), ("siren_en_double", "B10")}


def test_the_reduced_variant_has_the_entites_alone(lire):
    lecture = lire(classeur(kind="ods"))
    assert lecture.problems == []
    assert lecture.sheets == ["Entités"]
    lecture = lire(classeur([{**ENTITE, "siren": "12"}], kind="ods"))
    assert found(lecture) == {("siren_longueur", "B9")}
    with pytest.raises(Refusal, match="département par département"):
        lire(classeur(kind="ods"), departement("44").region)


def test_a_complete_ods_is_read_with_the_rules_of_the_xlsx(lire):
    dated = {**DISPOSITIF, "date_ouverture": datetime.date(2015, 2, 1), "places": 30.0}
    as_text, as_values = lire(classeur()), lire(classeur(dispositifs=[dated], kind="ods complet"))
    assert as_values.problems == []
    assert as_values.sheets == as_text.sheets == ["Entités", "Dispositifs", "Financement"]
    assert as_values.rows == as_text.rows
    wrong = {**DISPOSITIF, "date_ouverture": "32/01/2020", "places": 31}
    assert found(lire(classeur(dispositifs=[wrong], kind="ods complet"))) == {
        ("date", "H9"),
        ("somme_des_places", "Z9"),
    }
    assert lire(classeur(kind="ods complet"), departement("44").region).errors == []


@pytest.mark.parametrize("renamed", ["Dispositif", "Mes dispositifs", "FINANCEMENTS 2026"])
def test_no_ods_with_something_of_a_complete_workbook_passes_for_the_reduced_variant(lire, renamed):
    sheet = "Financement" if renamed.startswith("FIN") else "Dispositifs"
    content = with_part(classeur(kind="ods complet"), "content.xml", f'table:name="{sheet}"', f'table:name="{renamed}"')
    with pytest.raises(Refusal, match=f"l'onglet « {sheet} » est absent"):
        lire(content)


def test_a_tab_that_is_not_of_the_model_says_that_nothing_of_it_is_imported(lire):
    content = with_part(classeur(kind="ods"), "content.xml", 'table:name="Listes"', 'table:name="Notes"')
    messages = [problem.message for problem in lire(content).problems]
    assert messages == ["L'onglet « Notes » n'est pas du modèle : rien de ce qu'il contient ne sera importé."]


@pytest.mark.parametrize(
    ("sheet", "key", "cell", "words"),
    [
        ("Financement", "montant_annuel", -1, "un montant n'est pas négatif"),
        (
            "Financement",
            "quantite",
            2_000_000,
            "2\u202f000\u202f000 est hors bornes : le nombre va de 1 à 1\u202f000\u202f000",
        ),
        ("Dispositifs", "date_ouverture", "01/01/0800", "La date 01/01/0800 est hors bornes"),
    ],
)
def test_bounds_are_written_as_people_read_them(lire, sheet, key, cell, words):
    [problem] = [found for found in lire(with_cell(sheet, key, cell)).errors if found.key == key]
    assert words in problem.message


def test_a_double_names_the_other_entite_only_when_it_has_a_name(lire):
    lecture = lire(classeur([ENTITE, {"nom": None, "siren": SIREN}]))
    messages = {problem.cell: problem.message for problem in lecture.errors if problem.key == "siren"}
    assert messages["B9"] == "Ce SIREN est aussi en ligne 10 : une entité n'est décrite qu'une fois."
    assert f"aussi en ligne 9 (« {ENTITE['nom']} ») :" in messages["B10"]


def test_errors_follow_the_rows_then_the_columns(lire):
    row = {**DISPOSITIF, "entite": "Inconnue", "places_urgence": -1, "animaux": "parfois", "categorie": "Rien"}
    lecture = lire(classeur([{"nom": None, "siren": "12"}], [row, {**row, "nom": "Autre"}]))
    cells = [problem.cell for problem in lecture.errors if problem.sheet == "Dispositifs"]
    assert cells == sorted(cells, key=lambda cell: (cell[-1] == "0", len(cell.rstrip("0123456789")), cell))
    assert len(cells) > 4
    assert [problem.cell for problem in lecture.errors if problem.sheet == "Entités"] == ["A9", "B9"]
