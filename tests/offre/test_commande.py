"""``manage.py importer_temps1``: rehearses by default, answers in JSON, and by its exit code."""

import io
import json

import pytest
from django.core.management import CommandError, ManagementUtility, call_command

from comptes.droits import Profil
from comptes.models import EntreeJournal
from offre.models import Dispositif, Entite, Import
from tests.classeurs import AUTRE_SIREN, DISPOSITIF, ENTITE, PENSION, SIREN, classeur, with_cell
from tests.comptes.fabrique import make_utilisateur

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(tmp_path, agent):
    def run(content: bytes, *options, utilisateur=None, departement="44", nom="classeur.xlsx"):
        path = tmp_path / nom
        path.write_bytes(content)
        out = io.StringIO()
        with pytest.raises(SystemExit) as end:
            call_command(
                "importer_temps1",
                str(path),
                *options,
                departement=departement,
                utilisateur=utilisateur or agent.courriel,
                stdout=out,
            )
        return end.value.code, out.getvalue()

    return run


def test_a_rehearsal_says_what_would_be_done_and_keeps_nothing(run):
    code, out = run(classeur(dispositifs=[DISPOSITIF, PENSION]), "--json")
    result = json.loads(out)
    assert code == 0
    assert result == {
        "etat": "applicable",
        "entites": {"crees": 1, "modifies": 0, "proposes": 0, "inchanges": 0, "absents": 0},
        "dispositifs": {"crees": 2, "modifies": 0, "proposes": 0, "inchanges": 0, "absents": 0},
        "financements": {"crees": 1, "modifies": 0, "proposes": 0, "inchanges": 0, "absents": 0},
        "erreurs": [],
        "avertissements": [],
    }
    assert not Entite.objects.exists()
    assert not Import.objects.exists()


def test_errors_are_values(run):
    code, out = run(with_cell("Entités", "siren", "12345678", telephone="0000000000"), "--json")
    result = json.loads(out)
    assert code == 1
    assert result["etat"] == "a_corriger"
    [erreur] = result["erreurs"]
    assert {key: erreur[key] for key in ("feuille", "cellule", "colonne", "valeur", "code")} == {
        "feuille": "Entités",
        "cellule": "B9",
        "colonne": "Code SIREN",
        "valeur": "12345678",
        "code": "siren_longueur",
    }
    assert "Un SIREN a 9 chiffres, celui-ci en a 8" in erreur["message"]
    assert [found["code"] for found in result["avertissements"]] == ["telephone_fictif"]


def test_a_file_that_is_no_workbook_is_refused(run):
    code, out = run(b"", "--json")
    assert code == 2
    assert json.loads(out)["etat"] == "refuse"
    assert "vide" in json.loads(out)["message"]


def test_applying_is_asked_for_and_done_once(run):
    content = classeur(dispositifs=[DISPOSITIF, PENSION])
    code, out = run(content, "--appliquer", "--json")
    assert (code, json.loads(out)["etat"]) == (0, "importe")
    code, out = run(content, "--appliquer", "--json")
    assert (code, json.loads(out)["etat"]) == (0, "importe")
    assert Import.objects.get().etat == "IMPORTE"
    code, out = run(content, "--json")
    assert json.loads(out)["dispositifs"] == {"crees": 0, "modifies": 0, "proposes": 0, "inchanges": 2, "absents": 0}


def test_absent_fiches_are_kept_unless_asked(run):
    run(classeur(dispositifs=[DISPOSITIF, PENSION]), "--appliquer")
    run(classeur(), "--appliquer")
    assert set(Dispositif.objects.values_list("statut", flat=True)) == {"VALIDE"}
    run(classeur(financements=[]), "--appliquer", "--absents", "fermer")
    assert set(Dispositif.objects.values_list("statut", flat=True)) == {"VALIDE", "FERME"}


def test_errors_stop_an_application(run):
    code, out = run(with_cell("Entités", "siren", "12345678"), "--appliquer")
    assert code == 1
    assert "B9" in out
    assert not Entite.objects.exists()


@pytest.mark.parametrize(
    ("utilisateur", "departement", "words"),
    [
        ("inconnu@test.example", "44", "n'a pas le droit"),
        (None, "35", "n'a pas le droit"),
        (None, "20", "n'existe pas"),
    ],
)
def test_the_right_of_the_author_is_checked(run, utilisateur, departement, words):
    with pytest.raises(CommandError, match=words) as error:
        run(classeur(), utilisateur=utilisateur, departement=departement)
    assert error.value.returncode == 3


@pytest.mark.parametrize("arguments", [[], ["x.xlsx", "--departement", "44"], ["x.xlsx", "--absents", "brûler"]])
def test_a_wrong_call_is_no_refused_file(arguments, capsys):
    with pytest.raises(SystemExit) as end:
        ManagementUtility(["manage.py", "importer_temps1", *arguments]).execute()
    assert end.value.code == 3
    assert "usage:" in capsys.readouterr().err


def test_a_missing_file_is_no_refused_file(agent):
    with pytest.raises(CommandError, match="n'existe pas") as error:
        call_command("importer_temps1", "absent.xlsx", departement="44", utilisateur=agent.courriel)
    assert error.value.returncode == 3


@pytest.mark.parametrize("appliquer", [[], ["--appliquer"]], ids=["repetition", "application"])
def test_a_name_taken_by_an_absent_entite_is_an_error_said_in_french(run, appliquer):
    run(classeur(), "--appliquer")
    taken = classeur([{**ENTITE, "siren": AUTRE_SIREN}], [], [])
    code, out = run(taken, "--json", *appliquer)
    result = json.loads(out)
    assert (code, result["etat"]) == (1, "a_corriger")
    assert [found["code"] for found in result["erreurs"]] == ["import_impossible"]
    assert "nom" in result["erreurs"][0]["message"]
    assert Entite.objects.get().siren == SIREN


def test_the_rehearsal_decides_as_the_application_would(run):
    run(classeur(), "--appliquer")
    before = Import.objects.get().etat
    taken = classeur([{**ENTITE, "siren": AUTRE_SIREN}], [], [])
    options = ("--json", "--absents", "fermer")
    code, out = run(taken, *options)
    assert (code, json.loads(out)["etat"]) == (0, "applicable")
    assert (Import.objects.get().etat, Entite.objects.count(), EntreeJournal.objects.count()) == (before, 1, 3)
    code, out = run(taken, *options, "--appliquer")
    assert (code, json.loads(out)["etat"]) == (0, "importe")


def test_a_rehearsal_leaves_the_workbook_that_waits_as_it_was(run, chain):
    travail = chain.read(classeur(dispositifs=[DISPOSITIF, PENSION]))
    assert run(classeur())[0] == 0
    assert Import.objects.get().etat == travail.etat == "PRET"


def test_a_siao_prevalidates(run):
    siao = make_utilisateur(Profil.ADMIN_SIAO)
    run(classeur(), "--appliquer", utilisateur=siao.courriel)
    assert Dispositif.objects.get().statut == "PREVALIDE"
