"""What the import refuses, the form refuses in the same words: the cells of its tests are typed in a form."""

import pytest
from django.utils import timezone

from offre.colonnes import regles
from offre.colonnes.declaration import BY_NAME, DISPOSITIFS, ENTITES, FINANCEMENTS
from offre.forms import DispositifForm, EntiteForm, FinancementForm
from offre.models import Dispositif, FicheSirene, Rattachement
from offre.temps1.lecture import read_file
from siao.socle.columns import Choice, Decimal, Integer, MultiChoice, Reference, YesNo, rules
from tests.classeurs import DISPOSITIF, ENTITE, FINANCEMENT, PENSION, SIREN, classeur, departement, with_cell
from tests.offre.fabrique import make_dispositif, make_rattachement
from tests.offre.formulaires import champs
from tests.offre.test_lecture import ERRORS, NORMALISED

pytestmark = pytest.mark.django_db

VALID = {ENTITES.name: ENTITE, DISPOSITIFS.name: DISPOSITIF, FINANCEMENTS.name: FINANCEMENT}

TYPED = {
    column.key
    for sheet in BY_NAME.values()
    for column in sheet.columns
    if not isinstance(column.type, Choice | MultiChoice | YesNo | Reference)
}
"""Columns whose cell is typed by hand in a form too."""

OF_THE_FILE = {
    "erreur_tableur",
    "formule_non_calculee",
    "cellule_illisible",
    "cellules_fusionnees",
    "hors_tableau",
    "type_de_cellule",  # what is typed in a form is a text
    "nombre_lu_en_texte",
    "nombre_affiche_en_date",
    "montant_arrondi",
    "ligne_vide",
    "au_dessus_du_tableau",
    "ligne_du_modele",
    "ligne_de_total",
    "feuille_ignoree",
    "onglet_masque",
    "lignes_masquees",
    "classeur_vide",
    "fichier",
    "nom_de_plusieurs",  # in the workbook of a région
    "nom_repris",  # between two lines of one file
    "entite_sans_departement",  # regional workbooks: a form knows its département
    "reference_inconnue",  # a form is opened on its parent
}
"""Rules about files and their lines, that no form can break."""

OTHERS = [
    ("Entités", "convention", "Autre", "obligatoire_ici", {}),
    ("Entités", "idcc", "9990", "idcc_inconnu", {"convention": "Autre"}),
    ("Entités", "idcc", "0054", "idcc_plus_en_vigueur", {"convention": "Autre"}),
    ("Entités", "telephone", "00 00 00 00 00", "telephone_fictif", {}),
    ("Entités", "courriel", "néant", "a_laisser_vide", {}),
    ("Entités", "nom", "Association\u200b l'Ancre", "caracteres_invisibles", {}),
    ("Dispositifs", "contingent_nombre", 25, "contingent_trop_grand", PENSION),
    ("Dispositifs", "age_max", 17, "ages_inverses", {"age_min": 18}),
    ("Dispositifs", "specificites", "Femmes victimes de violences", "adresse_confidentielle", {}),
    ("Dispositifs", "commune", "Rennes", "commune_hors_departement", {"code_postal": "35000"}),
    ("Dispositifs", "commune", "Varades", "commune_ancienne", {"code_postal": "44370"}),
    ("Dispositifs", "date_ouverture", "01/02/2015 14:30", "heure_ignoree", {}),
    ("Dispositifs", "date_ouverture", "01/07/1930", "date_peu_plausible", {}),
    ("Financement", "quantite", 2024, "nombre_peu_plausible", {}),
    ("Financement", "montant_annuel", "60 000 000", "montant_peu_plausible", {}),
    ("Financement", "quantite", 31, "financement_au_dela", {}),
    ("Financement", "unite", "Logements", "unite_inattendue", {}),
]


def typed(sheet: str, row: dict):
    """The form of a new fiche, filled with ``row``, whose entité or dispositif is the valid one."""
    data = champs(sheet, row)
    if sheet == ENTITES.name:
        return EntiteForm(data, departement=departement())
    entite = Rattachement.objects.filter(entite__siren=SIREN).first()
    if entite is None:
        from offre.models import Entite

        entite = make_rattachement("44", entite=Entite.objects.create(siren=SIREN), nom=ENTITE["nom"])
    if sheet == DISPOSITIFS.name:
        return DispositifForm(data, rattachement=entite, categorie=data["categorie"])
    dispositif = Dispositif.objects.filter(nom=DISPOSITIF["nom"]).first() or make_dispositif(
        entite,
        nom=DISPOSITIF["nom"],
        categorie="HEBERGEMENT",
        type_id="CHRS",
        implantation="REGROUPE",
        prestations=[],
        places=30,
        places_urgence=10,
        places_stabilisation=5,
        places_insertion=15,
    )
    return FinancementForm(data, dispositif=dispositif)


def said_by_the_import(tmp_path, content: bytes) -> set[tuple[str, str]]:
    path = tmp_path / "classeur"
    path.write_bytes(content)
    return {(problem.rule.code, problem.message) for problem in read_file(path, departement()).problems}


def said_by_the_form(form) -> set[tuple[str, str]]:
    form.is_valid()
    errors = {
        (error.code, error.message if field != "__all__" else error.message.split(" : ", 1)[1])
        for field, found in form.errors.as_data().items()
        for error in found
    }
    return errors | {(problem.rule.code, problem.message) for problem in form.warnings}


def typable(sheet: str, key: str, cell) -> bool:
    """A form receives texts: what only a number cell can hold is not for it, nor what spreadsheets rewrite."""
    if isinstance(cell, int):
        return isinstance(BY_NAME[sheet].by_key[key].type, Integer | Decimal)
    return cell is None or (isinstance(cell, str) and "\r" not in cell)


CASES = [
    (sheet, key, cell, code, {})
    for sheet, key, cell, code in ERRORS
    if typable(sheet, key, cell) and code not in OF_THE_FILE and key != "categorie"
] + OTHERS


@pytest.mark.parametrize(
    ("sheet", "key", "cell", "code", "others"), CASES, ids=[f"{c[1]}-{c[3]}-{i}" for i, c in enumerate(CASES)]
)
def test_the_same_code_and_the_same_words(tmp_path, sheet, key, cell, code, others):
    row = {**(others if others is PENSION else VALID[sheet]), **others, key: None if cell is None else str(cell)}
    form = typed(sheet, row)
    said = said_by_the_import(tmp_path, workbook(sheet, key, cell, others))
    wanted = {(found, message) for found, message in said if found == code}
    assert wanted, "le classeur ne dit rien : ce cas ne prouve rien"
    assert wanted <= said_by_the_form(form)
    is_warning = next(rule for rule in regles.RULES if rule.code == code).severity == rules.Severity.WARNING
    assert form.is_valid() == is_warning


@pytest.mark.parametrize(
    ("sheet", "key", "cell"),
    [(sheet, key, cell) for sheet, key, cell, _ in NORMALISED if isinstance(cell, str) and key in TYPED],
)
def test_the_same_value_is_kept_by_both(tmp_path, sheet, key, cell):
    path = tmp_path / "classeur"
    path.write_bytes(with_cell(sheet, key, cell))
    [row] = read_file(path, departement()).rows[sheet].values()
    form = typed(sheet, {**VALID[sheet], key: cell})
    assert form.is_valid(), form.errors
    assert form.canonical[key] == row[key]


def workbook(sheet, key, cell, others) -> bytes:
    if others is PENSION:
        return classeur(dispositifs=[DISPOSITIF, {**PENSION, key: cell}])
    return with_cell(sheet, key, cell, **others)


def test_doubles_are_refused_with_the_code_of_the_workbook():
    entite = typed(ENTITES.name, ENTITE)
    typed(DISPOSITIFS.name, DISPOSITIF)  # makes the valid entité
    dispositif = typed(FINANCEMENTS.name, FINANCEMENT).dispositif
    same = FinancementForm(champs("Financement", FINANCEMENT), dispositif=dispositif)
    assert same.is_valid(), same.errors
    from tests.offre.fabrique import make_financement

    make_financement(dispositif, reference_acte="2024-001")
    codes = {
        "siren": said_by_the_form(EntiteForm(champs("Entités", ENTITE), departement=departement())),
        "nom": said_by_the_form(typed(DISPOSITIFS.name, DISPOSITIF)),
        "financement": said_by_the_form(FinancementForm(champs("Financement", FINANCEMENT), dispositif=dispositif)),
    }
    assert {code for code, _ in codes["siren"]} == {"siren_en_double", "nom_en_double"}
    assert {code for code, _ in codes["nom"]} == {"nom_en_double"}
    assert {code for code, _ in codes["financement"]} >= {"financement_en_double"}
    assert entite.sheet is ENTITES


def test_a_siren_known_elsewhere_warns_and_attaches():
    from offre.models import Entite

    make_rattachement("35", entite=Entite.objects.create(siren=SIREN))
    form = EntiteForm(champs("Entités", ENTITE), departement=departement())
    assert form.is_valid()
    assert [problem.rule.code for problem in form.warnings] == ["siren_connu_ailleurs"]


def test_an_entite_closed_in_the_register_warns():
    FicheSirene.objects.create(siren=SIREN, etat="CESSEE", lue_le=timezone.now())
    form = EntiteForm(champs("Entités", ENTITE), departement=departement())
    assert form.is_valid()
    assert [problem.rule.code for problem in form.warnings] == ["siren_au_repertoire"]


def test_every_rule_of_the_workbook_is_tried_or_belongs_to_files():
    tried = {code for _, _, _, code, _ in CASES} | {
        "siren_en_double",
        "nom_en_double",
        "financement_en_double",
        "siren_connu_ailleurs",
        "siren_au_repertoire",
    }
    assert {rule.code for rule in regles.RULES} == tried | OF_THE_FILE
    assert not tried & OF_THE_FILE


def test_every_column_has_a_field_or_is_the_parent():
    for sheet, row in VALID.items():
        form = typed(sheet, row)
        closed = {key for key in BY_NAME[sheet].by_key if key not in form.fields}
        assert {type(BY_NAME[sheet].by_key[key].type).__name__ for key in closed - form.unreadable} <= {"Reference"}
