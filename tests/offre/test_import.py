"""The page of an import, from its errors to its report."""

import io
import zipfile

import openpyxl
import pytest
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from comptes.droits import Profil
from offre.models import Dispositif, Ecart, Entite, Financement, Import, Rattachement, Transition
from offre.temps1 import travaux
from offre.temps1.annotation import annotated_file
from siao.socle.workbook.sandbox import read_workbook
from tests.classeurs import (
    AUTRE_SIREN,
    DISPOSITIF,
    ENTITE,
    FINANCEMENT,
    PENSION,
    SIREN,
    classeur,
    departement,
    with_cell,
    with_part,
)
from tests.comptes.fabrique import client_of, make_utilisateur, words
from tests.offre.fabrique import make_proposition

pytestmark = pytest.mark.django_db


def url(name, travail):
    return reverse(f"offre:{name}", args=[travail.pk])


def counts():
    return Entite.objects.count(), Rattachement.objects.count(), Dispositif.objects.count(), Financement.objects.count()


def test_errors_are_listed_filtered_and_annotated(page, chain):
    travail = chain.read(classeur([{**ENTITE, "siren": "1", "courriel": "?"}], [{**DISPOSITIF, "places": "x"}]))
    assert travail.etat == "A_CORRIGER"
    text = words(page.get(travail.get_absolute_url()))
    assert "3 erreurs" in text
    assert "Rien n'a été enregistré" in text
    assert "<td>B9</td>" in text
    assert "Un SIREN a 9 chiffres, celui-ci en a 1" in text
    only = words(page.get(travail.get_absolute_url(), {"onglet": "Dispositifs"}))
    assert "<td>B9</td>" not in only
    assert "<td>Z9</td>" in only
    only = words(page.get(travail.get_absolute_url(), {"regle": "courriel"}))
    assert "<td>Z9</td>" not in only
    assert counts() == (0, 0, 0, 0)

    travaux.annotate(travail.pk)
    answer = page.get(url("annote", travail))
    assert answer["Content-Disposition"].startswith("attachment")
    book = openpyxl.load_workbook(io.BytesIO(b"".join(answer)))
    assert book.sheetnames[:2] == ["Erreurs", "Entités"]
    cell = book["Entités"]["B9"]
    assert cell.value == "1"
    assert cell.fill.fgColor.rgb == "FFFFC7CE"
    assert "a 9 chiffres" in cell.comment.text
    errors = book["Erreurs"]
    assert [cell.value for cell in errors[2]][:3] == ["Erreur", "Entités", "B9"]
    assert errors["C2"].hyperlink.location == "'Entités'!B9"
    assert book["Entités"].data_validations.dataValidation
    assert book["Entités"]["D9"].comment


@pytest.mark.parametrize("query", ["onglet=%00", "regle=%00", "onglet=X&regle=y", "nature=%00", "page=%00"])
def test_filters_that_choose_nothing_show_everything(page, chain, query):
    travail = chain.read(classeur([{**ENTITE, "siren": "1"}]))
    assert "Code SIREN" in words(page.get(f"{travail.get_absolute_url()}?{query}"))


def rules_of(tab, cell: str) -> list[tuple[str, str]]:
    """(formula, colour) of the conditional colours of a cell, in the order of precedence."""
    rules = [rule for ranges in tab.conditional_formatting if cell in ranges.cells for rule in ranges.rules]
    return [(rule.formula[0], rule.dxf.fill.bgColor.rgb[2:]) for rule in sorted(rules, key=lambda rule: rule.priority)]


def test_a_mark_comes_first_and_goes_when_the_cell_changes(chain, tmp_path):
    autre = {**ENTITE, "nom": "Autre", "siren": '12 "345', "convention": "Autre"}
    wrong = {**DISPOSITIF, "nom": "n" * 300, "places": 31, "implantation": None, "date_ouverture": 2019}
    path = tmp_path / "classeur"
    for kind in ("xlsx", "ods complet"):
        path.write_bytes(classeur([ENTITE, autre], [wrong], [], kind=kind))
        travail = chain.read(path.read_bytes(), nom=f"c.{kind[:4].strip()}")
        content = annotated_file(read_workbook(path), travail.anomalies.all())
        if kind == "xlsx":
            book = openpyxl.load_workbook(io.BytesIO(content))
        else:
            assert b'AND(ISTEXT([.$B10]);EXACT([.$B10];"12 ""345"))' in (
                zipfile.ZipFile(io.BytesIO(content)).read("content.xml")
            )
    entites, dispositifs = book["Entités"], book["Dispositifs"]
    assert rules_of(entites, "B10") == [
        ('AND(ISTEXT($B10),EXACT($B10,"12 ""345"))', "FFC7CE"),
        ('AND($B9="",COUNTA($A9:$F9)>0)', "FFF2CC"),
        ("TRUE()", "FFFFFF"),
    ]
    empty, yellow, white, grey = rules_of(entites, "F10")
    assert empty == ('$F10=""', "FFC7CE")
    assert (yellow[1], white[1], grey) == ("FFF2CC", "FFFFFF", ("TRUE()", "D9D9D9"))
    assert rules_of(dispositifs, "Z9")[0] == ("AND(ISNUMBER($Z9),$Z9=31)", "FFC7CE")
    assert rules_of(dispositifs, "B9")[0][0].startswith("AND(LEN($B9)=300,EXACT(LEFT($B9,250),")
    # White when open still works beside the marks.
    assert ('OR($C9="Hébergement")', "FFFFFF") in rules_of(dispositifs, "AA10")
    legend = [book["Erreurs"].cell(row, 9).value for row in range(1, 7)]
    assert legend[0] == "Les couleurs des cellules"
    assert [text.split(" ")[0] for text in legend[1:]] == ["Rouge", "Orange", "Jaune", "Blanche", "Grise"]


def test_the_annotated_ods_has_the_tabs_and_the_rows_that_were_deposited(page, chain):
    travail = chain.read(classeur([{**ENTITE, "siren": "440016"}], kind="ods complet"), nom="c.ods")
    assert travail.etat == "A_CORRIGER"
    travaux.annotate(travail.pk)
    content = b"".join(page.get(url("annote", travail)))
    corrected = chain.read(with_part(content, "content.xml", "<text:p>440016</text:p>", f"<text:p>{SIREN}</text:p>"))
    assert corrected.etat == "PRET", list(corrected.anomalies.values_list("message", flat=True))
    assert "CHRS le Phare" in corrected.ecarts.values_list("libelle", flat=True)


def test_the_annotated_workbook_corrected_is_accepted(page, chain):
    travail = chain.read(with_cell("Entités", "siren", "440016"))
    travaux.annotate(travail.pk)
    book = openpyxl.load_workbook(io.BytesIO(b"".join(page.get(url("annote", travail)))))
    book["Entités"]["B9"] = SIREN
    stream = io.BytesIO()
    book.save(stream)
    assert chain.read(stream.getvalue()).etat == "PRET"


def test_a_ready_workbook_is_previewed_then_imported_then_listed(page, chain, agent):
    travail = chain.read(classeur(dispositifs=[DISPOSITIF, PENSION]))
    assert travail.etat == "PRET"
    text = words(page.get(travail.get_absolute_url()))
    assert "CHRS le Phare" in text
    assert "rien n'est encore enregistré" in text
    assert counts() == (0, 0, 0, 0)

    page.post(url("importer", travail))
    travail.refresh_from_db()
    assert (travail.etat, travail.applique_par) == ("A_APPLIQUER", agent)
    travaux.apply(travail.pk)
    travail.refresh_from_db()
    assert travail.etat == "IMPORTE"
    assert counts() == (1, 1, 2, 1)
    assert "Importé le" in words(page.get(travail.get_absolute_url()))
    assert ENTITE["nom"] in words(page.get(reverse("offre:entites")))
    assert "CHRS le Phare" in words(page.get(reverse("offre:dispositifs")))
    assert "250\u202f000,50 €" in words(page.get(reverse("offre:financements")))
    dispositif = Dispositif.objects.get(nom="CHRS le Phare")
    assert dispositif.statut == "VALIDE"
    assert sorted(dispositif.publics.values_list("code", flat=True)) == ["10", "20"]
    assert dispositif.cree_par == agent

    travaux.tell(travail.pk)
    travaux.tell(travail.pk)
    [message] = mail.outbox
    assert message.to == [agent.courriel]
    assert travail.get_absolute_url() in message.body


def test_a_refused_file_says_why(page, chain):
    travail = chain.read(b"<html></html>")
    assert travail.etat == "REFUSE"
    text = words(page.get(travail.get_absolute_url()))
    assert "pas un classeur .xlsx" in text
    assert counts() == (0, 0, 0, 0)


def test_a_renamed_column_refuses_the_file_with_what_was_expected_and_found(page, chain):
    book = openpyxl.load_workbook(io.BytesIO(classeur()))
    book["Entités"]["B7"] = "Numéro"
    stream = io.BytesIO()
    book.save(stream)
    travail = chain.read(stream.getvalue())
    assert travail.etat == "REFUSE"
    assert "« Code SIREN* » attendu, « Numéro » trouvé" in travail.motif


def test_an_import_of_others_does_not_exist(chain):
    travail = chain.read()
    other = client_of(make_utilisateur(Profil.ADMIN_DEPARTEMENTAL, departement_id="35"))
    unknown = Import(pk=travail.pk + 1000)
    for name in ("import", "annuler", "original", "annote"):
        assert other.get(url(name, travail)).status_code == other.get(url(name, unknown)).status_code == 404
    for name in ("importer", "decisions", "annuler"):
        assert other.post(url(name, travail)).status_code == 404
    operateur = client_of(make_utilisateur(Profil.OPERATEUR_SIAO))
    assert operateur.get(url("import", travail)).status_code == 403
    travail.refresh_from_db()
    assert travail.etat == "PRET"


def test_a_get_writes_nothing_and_a_wrong_method_is_refused(page, chain):
    travail = chain.read()
    assert page.get(url("importer", travail)).status_code == 405
    assert page.get(url("decisions", travail)).status_code == 405
    assert page.put(url("import", travail)).status_code == 405
    assert page.get("/offre/temps1/99999999999999999999/").status_code == 404


def test_absent_fiches_are_decided_before_importing(page, chain):
    chain.apply(classeur(dispositifs=[DISPOSITIF, PENSION]))
    travail = chain.read(classeur())
    assert travail.bilan["dispositifs"] == {"crees": 0, "modifies": 0, "proposes": 0, "inchanges": 1, "absents": 1}
    page.post(url("importer", travail))
    travail.refresh_from_db()
    assert travail.etat == "PRET"
    assert "Il reste 1 décision à prendre" in words(page.get(travail.get_absolute_url()))

    [absent] = Ecart.objects.filter(travail=travail, nature="ABSENT")
    page.post(url("decisions", travail), {f"decision_{absent.pk}": "FERMER", "nature": "ABSENT"})
    page.post(url("importer", travail))
    travaux.apply(travail.pk)
    closed = Dispositif.objects.get(nom=PENSION["nom"])
    assert closed.statut == "FERME"
    assert closed.date_fermeture is not None
    assert Dispositif.objects.get(nom=DISPOSITIF["nom"]).statut == "VALIDE"


def test_an_absent_fiche_can_be_kept(page, chain):
    chain.apply(classeur(dispositifs=[DISPOSITIF, PENSION]))
    travail = chain.read(classeur())
    page.post(url("decisions", travail), {"tous_ABSENT": "CONSERVER"})
    page.post(url("importer", travail))
    travaux.apply(travail.pk)
    assert Dispositif.objects.get(nom=PENSION["nom"]).statut == "VALIDE"


def test_forged_decisions_are_ignored(page, chain):
    chain.apply(classeur(dispositifs=[DISPOSITIF, PENSION]))
    travail = chain.read(classeur())
    [absent] = Ecart.objects.filter(travail=travail, nature="ABSENT")
    for data in (
        {f"decision_{absent.pk}": "BASE"},
        {f"decision_{absent.pk}": "DETRUIRE"},
        {"decision_": "FERMER", "decision_x": "FERMER", "decision_²": "FERMER"},
        {"tous_ABSENT": "FICHIER", "tous_CREE": "FERMER"},
    ):
        page.post(url("decisions", travail), data)
    absent.refresh_from_db()
    assert absent.decision == ""


def test_an_entite_is_not_closed_while_a_dispositif_stays(page, chain):
    other = {"nom": "Fondation le Pont", "siren": AUTRE_SIREN}
    chain.apply(classeur([ENTITE, other], [DISPOSITIF, {**PENSION, "entite": other["nom"]}]))
    travail = chain.read(classeur())
    entite = Ecart.objects.get(travail=travail, nature="ABSENT", feuille="Entités")
    dispositif = Ecart.objects.get(travail=travail, nature="ABSENT", feuille="Dispositifs")
    page.post(url("decisions", travail), {f"decision_{entite.pk}": "FERMER", f"decision_{dispositif.pk}": "CONSERVER"})
    page.post(url("importer", travail))
    assert "fermez aussi « Pension de famille la Source »" in words(page.get(travail.get_absolute_url()))
    page.post(url("decisions", travail), {f"decision_{dispositif.pk}": "FERMER"})
    page.post(url("importer", travail))
    travaux.apply(travail.pk)
    assert Rattachement.objects.get(nom=other["nom"]).statut == "FERME"


def test_a_change_is_shown_before_and_after(page, chain):
    chain.apply()
    travail = chain.read(with_cell("Dispositifs", "voie", "2 rue des Exemples"))
    [ecart] = travail.ecarts.all()
    assert (ecart.nature, ecart.avant, ecart.apres) == (
        "MODIFIE",
        {"voie": "1 rue des Exemples"},
        {"voie": "2 rue des Exemples"},
    )
    text = words(page.get(travail.get_absolute_url()))
    assert "1 rue des Exemples" in text
    assert "2 rue des Exemples" in text


def test_a_value_edited_since_the_last_import_is_a_conflict_to_decide(page, chain, agent):
    chain.apply()
    Dispositif.objects.update(voie="3 rue des Exemples", **Dispositif.trace(agent))
    travail = chain.read(with_cell("Dispositifs", "commentaire", "Nouveau"))
    [ecart] = travail.ecarts.all()
    assert str(agent) in ecart.conflit
    page.post(url("importer", travail))
    travail.refresh_from_db()
    assert travail.etat == "PRET"
    page.post(url("decisions", travail), {f"decision_{ecart.pk}": "BASE"})
    page.post(url("importer", travail))
    travaux.apply(travail.pk)
    assert Dispositif.objects.get().voie == "3 rue des Exemples"


def test_the_base_changed_between_the_preview_and_the_import(page, chain, agent):
    chain.apply()
    travail = chain.read(with_cell("Dispositifs", "voie", "2 rue des Exemples"))
    page.post(url("importer", travail))
    Dispositif.objects.update(voie="3 rue des Exemples", **Dispositif.trace(agent))
    travaux.apply(travail.pk)
    travail.refresh_from_db()
    assert travail.etat == "PRET"
    assert "La base a changé depuis votre vérification" in travail.motif
    assert Dispositif.objects.get().voie == "3 rue des Exemples"


def test_the_siao_prevalidates_what_it_imports(chain):
    siao = make_utilisateur(Profil.ADMIN_SIAO)
    page = client_of(siao)
    travail = chain.read(auteur=siao)
    agent = client_of(chain.agent)
    agent.post(url("importer", travail))
    assert "déposé sous un autre profil" in words(agent.get(travail.get_absolute_url()))
    page.post(url("importer", travail))
    travaux.apply(travail.pk)
    assert set(Dispositif.objects.values_list("statut", flat=True)) == {"PREVALIDE"}
    chain.apply(classeur(financements=[]), tous={"ABSENT": "CONSERVER"})
    assert set(Dispositif.objects.values_list("statut", flat=True)) == {"VALIDE"}


def test_two_entites_can_exchange_their_names(chain):
    a, b = {"nom": "A", "siren": SIREN}, {"nom": "B", "siren": AUTRE_SIREN}
    chain.apply(classeur([a, b], [], []))
    chain.apply(classeur([{**a, "nom": "B"}, {**b, "nom": "A"}], [], []))
    assert dict(Rattachement.objects.values_list("entite__siren", "nom")) == {SIREN: "B", AUTRE_SIREN: "A"}


def test_a_second_departement_is_attached_to_the_known_entite(chain):
    chain.apply()
    other = make_utilisateur(Profil.ADMIN_DEPARTEMENTAL, departement_id="35")
    rennes = {**DISPOSITIF, "code_postal": "35000", "commune": "Rennes"}
    content = classeur([{**ENTITE, "nom": "L'Ancre 35"}], [{**rennes, "entite": "L'Ancre 35"}])
    chain.apply(content, territoire=departement("35"), auteur=other)
    assert Entite.objects.count() == 1
    assert Rattachement.objects.count() == 2
    text = words(client_of(other).get(reverse("offre:entites")))
    assert "L'Ancre 35" in text
    assert "Association" not in text


def test_a_withdrawn_right_stops_the_import(chain, page):
    travail = chain.read()
    page.post(url("importer", travail))
    chain.agent.habilitations.update(retiree_le=timezone.now())
    travaux.apply(travail.pk)
    travail.refresh_from_db()
    assert travail.etat == "PRET"
    assert counts() == (0, 0, 0, 0)


class TestUndo:
    def test_takes_back_what_was_created(self, page, chain):
        travail = chain.apply(classeur(dispositifs=[DISPOSITIF, PENSION]))
        assert "Ne rien changer" in words(page.get(url("annuler", travail)))
        page.post(url("annuler", travail))
        travaux.undo(travail.pk)
        travail.refresh_from_db()
        assert travail.etat == "ANNULE"
        assert counts() == (0, 0, 0, 0)
        assert "5 changements annulés" not in words(page.get(travail.get_absolute_url()))
        assert "4 changements annulés" in words(page.get(travail.get_absolute_url()))

    def test_puts_back_what_was_changed_and_closed(self, chain):
        first = chain.apply(classeur(dispositifs=[DISPOSITIF, PENSION]))
        before = list(Dispositif.objects.order_by("pk").values())
        changed = {**DISPOSITIF, "voie": "9 rue des Exemples", "specificites": "Femmes victimes de violences"}
        changed["adresse_confidentielle"] = "Oui"
        second = chain.apply(classeur(dispositifs=[changed]), tous={"ABSENT": "FERMER"})
        chain.undo(second)
        after = list(Dispositif.objects.order_by("pk").values())
        for row in (*before, *after):
            del row["version"], row["modifie_le"], row["statut_depuis"]
        assert after == before
        assert not Dispositif.objects.filter(specificites__isnull=False).exists()
        first.refresh_from_db()
        assert first.etat == "IMPORTE"
        chain.undo(first)
        assert counts() == (0, 0, 0, 0)

    def test_keeps_what_was_edited_since(self, page, chain, agent):
        travail = chain.apply(classeur(dispositifs=[DISPOSITIF, PENSION]))
        Dispositif.objects.filter(nom=PENSION["nom"]).update(logements=99, **Dispositif.trace(agent))
        chain.undo(travail)
        assert counts() == (1, 1, 1, 0)
        kept = set(travail.ecarts.filter(resultat="CONSERVE").values_list("libelle", flat=True))
        assert kept == {PENSION["nom"], ENTITE["nom"]}
        text = words(page.get(travail.get_absolute_url()))
        assert "2 changements annulés" in text
        assert "Dispositifs : Pension de famille la Source" in text

    def test_is_for_the_last_import_alone(self, page, chain):
        first = chain.apply()
        second = chain.apply(classeur(financements=[]), tous={"ABSENT": "CONSERVER"})
        page.post(url("annuler", first))
        first.refresh_from_db()
        assert first.etat == "REMPLACE"
        assert "Seul le dernier import" in words(page.get(url("annuler", first)))
        page.post(url("annuler", second))
        page.post(url("annuler", second))
        second.refresh_from_db()
        assert second.etat == "A_ANNULER"


def test_the_preview_costs_the_same_for_one_or_many(
    page, chain, django_assert_max_num_queries, django_assert_num_queries
):
    one = chain.read()
    with django_assert_max_num_queries(15) as few:
        page.get(one.get_absolute_url())
    many = chain.read(
        classeur([{"nom": f"Entité {n}", "siren": s} for n, s in enumerate((SIREN, AUTRE_SIREN))], [], [])
    )
    with django_assert_num_queries(len(few.captured_queries)):
        page.get(many.get_absolute_url())


def test_financements_follow_their_dispositif(chain):
    chain.apply(classeur(financements=[FINANCEMENT, {**FINANCEMENT, "ligne": "Autre", "precision": "Fondation"}]))
    assert set(Financement.objects.values_list("ligne", "precision")) == {("177", ""), ("AUTRE", "Fondation")}


def test_each_fiche_keeps_the_step_of_its_import_and_of_its_undo(chain):
    first = chain.apply()
    second = chain.apply(classeur(dispositifs=[{**DISPOSITIF, "horaires": None, "animaux": "Oui"}]))
    chain.undo(second)
    steps = Transition.objects.filter(dispositif__isnull=False).order_by("pk")
    assert list(steps.values_list("de", "vers", "travail")) == [
        ("", "VALIDE", first.pk),
        ("VALIDE", "VALIDE", second.pk),
        ("VALIDE", "VALIDE", second.pk),
    ]
    assert [step.changements for step in steps][1:] == [{"animaux": [None, True]}, {"animaux": [True, None]}]
    # A fiche on which somebody has proposed a change is not deleted by the undo of what created it.
    make_proposition(Dispositif.objects.get(), chain.agent)
    chain.undo(first)
    assert Dispositif.objects.count() == 1
