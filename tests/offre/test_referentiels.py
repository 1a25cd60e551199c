"""The administered lists: changed in the browser, exported, imported with a preview; a used value is retired."""

import csv
import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from comptes.droits import Profil
from offre.administration import LISTES
from offre.colonnes.listes import Listes
from offre.models import Composition, Dispositif, LigneFinancement, TypeDispositif
from offre.referentiels import load_listes
from offre.temps1.lecture import read_file
from tests.classeurs import DISPOSITIF, classeur, departement
from tests.comptes.fabrique import client_of, make_utilisateur, words
from tests.offre.fabrique import make_rattachement
from tests.offre.formulaires import champs
from tests.offre.test_fiches import make_chrs, opened

pytestmark = pytest.mark.django_db


@pytest.fixture
def national():
    return client_of(make_utilisateur(Profil.ADMIN_NATIONAL))


def url(nom, *args):
    return reverse(f"offre:{nom}", args=args)


def gesture(client, liste, code, geste):
    return client.post(url("retirer_valeur", liste, code), {"geste": geste}, follow=True)


def upload(client, liste, text, **others):
    content = text if isinstance(text, bytes) else text.encode("utf-8-sig")
    return client.post(url("importer_referentiel", liste), {"fichier": SimpleUploadedFile("l.csv", content), **others})


def test_a_value_is_created_then_changed_and_its_code_stays(national):
    data = {"code": "TINY", "libelle": "Petites maisons", "categorie": "HEBERGEMENT"}
    assert national.post(url("nouvelle_valeur", "types"), data).status_code == 302
    value = TypeDispositif.objects.get(code="TINY")
    assert value.ordre == max(TypeDispositif.objects.values_list("ordre", flat=True))
    again = national.post(url("nouvelle_valeur", "types"), data)
    assert "existe déjà" in words(again)
    national.post(
        url("valeur", "types", "TINY"),
        {"code": "AUTRE_NOM", "libelle": "Maisons", "categorie": "HEBERGEMENT", "ordre": "3"},
    )
    assert TypeDispositif.objects.get(code="TINY").libelle == "Maisons"
    assert not TypeDispositif.objects.filter(code="AUTRE_NOM").exists()
    bad = national.post(url("nouvelle_valeur", "types"), {**data, "code": "tiny house"})
    assert "Un code est fait de majuscules" in words(bad)


def test_a_used_value_is_retired_and_stays_on_its_fiches(national, page, tmp_path):
    chrs = make_chrs(make_rattachement("44", nom=DISPOSITIF["entite"]))
    shown = words(national.get(url("valeur", "types", "CHRS")))
    assert "utilisée par 1 fiche" in shown
    assert "Effacer" not in shown
    assert "se retire, elle ne s'efface pas" in words(gesture(national, "types", "CHRS", "effacer"))
    gesture(national, "types", "CHRS", "retirer")
    # No new dispositif may have it, by the form or by the workbook of a département that has none.
    new = page.get(url("creer_dispositif", make_rattachement("44").pk), {"categorie": "HEBERGEMENT"})
    assert '<option value="CHRS"' not in new.text
    refused = page.post(url("creer_dispositif", chrs.entite.rattachements.get().pk), champs("Dispositifs", DISPOSITIF))
    assert "cette valeur en a été retirée" in words(refused)
    # Those that have it keep it, in their form and in the workbook of their département.
    address = url("modifier", "dispositifs", chrs.pk)
    assert page.post(address, opened(page, address) | {"nom": "Autre nom"}).status_code == 302
    chrs.refresh_from_db()
    assert (chrs.type_id, chrs.nom) == ("CHRS", "Autre nom")
    path = tmp_path / "classeur"
    path.write_bytes(classeur())
    assert "hors_liste" not in {problem.rule.code for problem in read_file(path, departement("44")).problems}
    Dispositif.objects.update(type_id="RHVS")
    assert "hors_liste" in {problem.rule.code for problem in read_file(path, departement("44")).problems}
    assert "CHRS" not in Listes()["types"].offered
    gesture(national, "types", "CHRS", "proposer")
    assert TypeDispositif.objects.get(code="CHRS").retire_le is None


def test_deleting_never_takes_anything_with_it(national, monkeypatch):
    chrs = make_chrs(make_rattachement("44"))
    gesture(national, "compositions", "10", "effacer")
    assert chrs.publics.count() == 2
    # Even if the count were wrong, the keys of the database refuse.
    monkeypatch.setattr(type(LISTES["compositions"]), "is_used", lambda self, code: False)
    assert "se retire" in words(gesture(national, "compositions", "10", "effacer"))
    assert Composition.objects.filter(code="10").exists()
    assert chrs.publics.count() == 2
    unused = LigneFinancement.objects.create(code="ESSAI", libelle="Essai", ordre=99, financeur="État")
    gesture(national, "lignes", unused.code, "effacer")
    assert not LigneFinancement.objects.filter(code="ESSAI").exists()


def test_what_was_changed_here_survives_the_delivered_file(national):
    national.post(url("valeur", "lignes", "FSL"), {"libelle": "FSL local", "financeur": "Département", "ordre": "5"})
    load_listes()
    assert LigneFinancement.objects.get(code="FSL").libelle == "FSL local"
    assert LigneFinancement.objects.get(code="177").programme_177


def test_the_export_comes_back_unchanged_and_runs_nothing(national):
    LigneFinancement.objects.filter(code="CAF").update(libelle="=1+1")
    answer = national.get(url("exporter_referentiel", "lignes"))
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text), delimiter=";"))
    assert rows[0]["code"] == "177"
    assert (rows[0]["programme_177"], rows[1]["programme_177"]) == ("oui", "non")
    assert not any(value.startswith("=") for row in rows for value in row.values())
    LigneFinancement.objects.filter(code="CAF").update(libelle="1+1")
    assert "Le fichier ne change rien" in words(upload(national, "lignes", text))


FILE = "code;libelle;financeur;programme_177;ordre\n"


def test_a_preview_then_all_or_nothing(national):
    text = FILE + "FSL;FSL nouveau;Métropole;non;11\nNOUVEAU;Nouvelle ligne;Région;oui;30\n"
    shown = upload(national, "lignes", text)
    assert "<del>Fonds de solidarité pour le logement</del>" in words(shown)
    assert "Nouvelle valeur" in words(shown)
    assert not LigneFinancement.objects.filter(code="NOUVEAU").exists()
    confirmed = national.post(url("importer_referentiel", "lignes"), {"contenu": shown.context["contenu"]}, follow=True)
    assert "2 valeurs enregistrées" in words(confirmed)
    assert LigneFinancement.objects.get(code="NOUVEAU").programme_177
    assert LigneFinancement.objects.get(code="FSL").financeur == "Métropole"
    assert LigneFinancement.objects.filter(code="CAF").exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (FILE + "nouveau;x;y;oui;1\n", "majuscules"),
        (FILE + "FSL;;y;oui;1\n", "ligne"),
        (FILE + "FSL;x;y;peut-être;1\n", "oui"),
        (FILE + "FSL;x;y;oui;beaucoup\n", ""),
        ("code;libelle\nFSL;x\n", "Il manque des colonnes"),
        ("", "Il manque des colonnes"),
        (b"\xff\xfe\x00", "UTF-8"),
        ("x" * 500_001, "trop gros"),
        (FILE + "FSL;x\n", "Écrivez « oui »"),
    ],
)
def test_a_bad_file_changes_nothing(national, content, said):
    before = list(LigneFinancement.objects.values())
    shown = upload(national, "lignes", content)
    assert shown.status_code == 200
    assert said in words(shown)
    assert "Enregistrer ces changements" not in words(shown)
    if shown.context.get("contenu"):
        national.post(url("importer_referentiel", "lignes"), {"contenu": shown.context["contenu"]})
    assert list(LigneFinancement.objects.values()) == before


def test_a_forged_or_misplaced_confirmation_changes_nothing(national):
    shown = upload(national, "lignes", FILE + "FSL;FSL nouveau;Métropole;non;11\n")
    forged = national.post(url("importer_referentiel", "lignes"), {"contenu": shown.context["contenu"] + "x"})
    assert forged.status_code == 404
    national.post(url("importer_referentiel", "conventions"), {"contenu": shown.context["contenu"]})
    assert LigneFinancement.objects.get(code="FSL").libelle != "FSL nouveau"
    assert national.get(url("referentiel", "comptes")).status_code == 404
