"""The page of an import, from its errors to its report."""

import datetime
import io
import zipfile
from contextlib import contextmanager

import openpyxl
import pytest
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from comptes.droits import Profil
from offre.models import Avancement, Dispositif, Ecart, Entite, Financement, Import, Rattachement, Transition
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
from tests.comptes.fabrique import client_of, make_utilisateur, plain, words
from tests.offre.fabrique import make_groupe, make_proposition

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


@pytest.mark.parametrize(
    ("base", "file"),
    [
        ("1 rue des Exemples", "1\u00a0rue  des\u202fExemples\u200b"),
        ("1\u00a0rue des Essais", "1 rue des Essais"),
        ("Allée du Haut-Bois", "Alle\u0301e du Haut\u2011Bois"),
    ],
)
def test_a_difference_that_nobody_sees_is_no_change(chain, base, file):
    chain.apply()
    Dispositif.objects.update(voie=base)
    travail = chain.read(with_cell("Dispositifs", "voie", file))
    assert travail.bilan["dispositifs"]["inchanges"] == 1
    assert travail.bilan["dispositifs"]["modifies"] == 0


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


def test_a_conflict_is_decided_by_value(page, chain, agent):
    chain.apply()
    Dispositif.objects.update(voie="3 rue des Exemples", animaux=True, **Dispositif.trace(agent))
    content = with_cell("Dispositifs", "commentaire", "Nouveau", animaux="Non")
    travail = chain.read(content)
    ecart = travail.ecarts.get()
    assert sorted(ecart.champs) == ["animaux", "voie"]
    assert f'name="champ-{ecart.pk}-voie"' in words(page.get(travail.get_absolute_url()))
    for incomplete in ({"voie": "BASE"}, {"voie": "BASE", "animaux": "X"}, {"commentaire": "BASE"}):
        page.post(url("decisions", travail), {f"champ-{ecart.pk}-{key}": value for key, value in incomplete.items()})
        ecart.refresh_from_db()
        assert ecart.decision == ""
    page.post(url("decisions", travail), {f"champ-{ecart.pk}-voie": "BASE", f"champ-{ecart.pk}-animaux": "FICHIER"})
    assert 'value="BASE" selected>' in words(page.get(travail.get_absolute_url()))
    page.post(url("importer", travail))
    travaux.apply(travail.pk)
    now = Dispositif.objects.values_list("voie", "animaux", "commentaire")
    assert now.get() == ("3 rue des Exemples", False, "Nouveau")
    # What was kept is known: the same file, rewritten, asks again only for what the base says otherwise.
    again = chain.read(with_cell("Dispositifs", "commentaire", "Autre", animaux="Non"))
    assert again.ecarts.get().champs == []
    travail.refresh_from_db()
    chain.undo(travail)
    assert now.get() == ("3 rue des Exemples", True, "")


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

    def test_says_before_what_it_will_leave_and_does_it(self, page, chain, agent):
        chain.apply()
        second = chain.apply(with_cell("Dispositifs", "voie", "2 rue des Exemples"))
        text = plain(page.get(url("annuler", second)))
        assert "Ce qui a été écrit ailleurs dans une fiche, sur d'autres valeurs, ne se perd pas" in text
        assert "dont l'une des valeurs qu'il avait données a encore changé depuis" in text
        Dispositif.objects.update(animaux=True, **Dispositif.trace(agent))
        chain.undo(second)
        assert Dispositif.objects.values_list("voie", "animaux").get() == ("1 rue des Exemples", True)
        assert second.ecarts.get().resultat == "ANNULE"

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


def test_the_workbook_of_a_region_is_previewed_and_decided_by_departement(page, chain):
    region, of_region = departement("44").region, make_utilisateur(Profil.ADMIN_DEPARTEMENTAL, region_id="52")
    angers = {"code_postal": "49000", "commune": "Angers"}
    everywhere = [DISPOSITIF, PENSION, {**DISPOSITIF, **angers}, {**PENSION, **angers}]
    options = {"territoire": region, "auteur": of_region}
    chain.apply(classeur(dispositifs=everywhere, financements=[]), **options)
    travail = chain.read(classeur(dispositifs=[DISPOSITIF, {**DISPOSITIF, **angers}], financements=[]), **options)
    assert travail.bilan["dispositifs"]["absents"] == 2
    assert travail.bilan["departements"]["49"]["dispositifs"]["absents"] == 1
    assert travail.resume == "4 inchangés, 2 absents"
    page = client_of(of_region)
    text = plain(page.get(travail.get_absolute_url(), {"departement": "49"}))
    nantes, there = travail.ecarts.order_by("cle")
    assert f'name="decision_{there.pk}"' in text
    assert f'name="decision_{nantes.pk}"' not in text
    assert "Tout fermer (1 absent)" in text
    assert "<td>49</td>" in text
    page.post(url("decisions", travail), {"tous_ABSENT": "FERMER", "departement": "49", "nature": "ABSENT"})
    assert [e.decision for e in travail.ecarts.order_by("cle")] == ["", "FERMER"]
    # A département that the workbook has not is no filter.
    page.post(url("decisions", travail), {"tous_ABSENT": "CONSERVER", "departement": "35"})
    assert [e.decision for e in travail.ecarts.order_by("cle")] == ["CONSERVER", "CONSERVER"]
    assert "Rien ne change dans ce département" in words(page.get(travail.get_absolute_url(), {"departement": "72"}))
    assert "departement=" not in words(page.get(chain.read().get_absolute_url()))


NEUVE = {**PENSION, "nom": "Pension de famille la Nouvelle Source"}
PAYE = {**FINANCEMENT, "dispositif": PENSION["nom"], "unite": "Logements", "quantite": 24, "date_fin": None}


class TestRenaming:
    """A dispositif that the workbook names otherwise: proposed, decided by the user, undone as the rest."""

    @pytest.fixture
    def travail(self, chain):
        chain.apply(classeur(dispositifs=[DISPOSITIF, PENSION], financements=[FINANCEMENT, PAYE]))
        return chain.read(self.content())

    def content(self, **changes):
        paid = {**PAYE, "dispositif": NEUVE["nom"]}
        return classeur(dispositifs=[DISPOSITIF, {**NEUVE, **changes}], financements=[FINANCEMENT, paid])

    def choose(self, page, travail, value, **filters):
        ecart = travail.ecarts.get(feuille="Dispositifs", **filters)
        return page.post(url("decisions", travail), {f"decision_{ecart.pk}": value}, follow=True)

    def test_is_proposed_and_must_be_decided(self, page, travail):
        text = plain(page.get(travail.get_absolute_url(), {"nature": "ABSENT"}))
        assert f"Renommé ? Le classeur crée « {NEUVE['nom']} »" in text
        assert "même entité, même type et même adresse" in text
        assert "à prendre" in words(page.post(url("importer", travail), follow=True))

    def test_keeps_the_fiche_and_what_hangs_on_it(self, page, travail, chain):
        before = Dispositif.objects.get(nom=PENSION["nom"])
        paid = before.financements.get()
        self.choose(page, travail, "RENOMMER0", nature="ABSENT")
        travail.refresh_from_db()
        assert travail.bilan["dispositifs"] == {"crees": 0, "modifies": 1, "proposes": 0, "inchanges": 1, "absents": 0}
        assert travail.bilan["financements"] == {"crees": 0, "modifies": 0, "proposes": 0, "inchanges": 2, "absents": 0}
        text = plain(page.get(travail.get_absolute_url()))
        assert f"Renommé : c'était « {PENSION['nom']} »" in text
        assert not travail.a_prevenir
        page.post(url("importer", travail))
        travaux.apply(travail.pk)
        after = Dispositif.objects.get(nom=NEUVE["nom"])
        assert (after.pk, after.statut, after.financements.get().pk) == (before.pk, "VALIDE", paid.pk)
        assert Dispositif.objects.count() == 2
        # The next workbook knows it under its new name.
        again = chain.read(self.content(animaux="Oui"))
        assert list(again.ecarts.values_list("nature", "apres", "conflit")) == [("MODIFIE", {"animaux": True}, "")]
        travail.refresh_from_db()
        assert chain.undo(travail).etat == "ANNULE"
        assert Dispositif.objects.get(pk=before.pk).nom == PENSION["nom"]

    def test_can_be_taken_back(self, page, travail):
        self.choose(page, travail, "RENOMMER0", nature="ABSENT")
        self.choose(page, travail, "SEPARER", nature="MODIFIE")
        travail.refresh_from_db()
        assert (travail.renommages, travail.bilan["dispositifs"]["absents"]) == ([], 1)

    @pytest.mark.parametrize(("decision", "statut"), [("CONSERVER", "VALIDE"), ("FERMER", "FERME")])
    def test_is_the_user_s_to_decide(self, page, travail, decision, statut):
        page.post(url("decisions", travail), {"tous_ABSENT": decision})
        page.post(url("importer", travail))
        travaux.apply(travail.pk)
        assert Dispositif.objects.get(nom=PENSION["nom"]).statut == statut
        assert Dispositif.objects.get(nom=NEUVE["nom"]).statut == "VALIDE"

    def test_is_not_proposed_of_another_place_type_or_entite(self, chain, travail):
        for changes in ({"voie": "2 rue des Exemples"}, {"type": "Résidence d'accueil"}):
            read = chain.read(self.content(**changes))
            assert read.etat == "PRET", list(read.anomalies.values_list("message", flat=True))
            assert read.ecarts.get(feuille="Dispositifs", nature="ABSENT").candidats == []

    @pytest.mark.parametrize("forged", ["RENOMMER1", "RENOMMER", "RENOMMER-1", "RENOMMER²", "SEPARER"])
    def test_forged_choices_change_nothing(self, page, travail, forged):
        self.choose(page, travail, forged, nature="ABSENT")
        travail.refresh_from_db()
        assert travail.renommages == []
        assert travail.ecarts.filter(nature="ABSENT", feuille="Dispositifs").get().decision == ""

    def test_two_do_not_become_one(self, page, chain):
        twin = {**PENSION, "nom": "Pension jumelle"}
        chain.apply(classeur(dispositifs=[DISPOSITIF, PENSION, twin]))
        travail = chain.read(classeur(dispositifs=[DISPOSITIF, NEUVE]))
        data = {f"decision_{ecart.pk}": "RENOMMER0" for ecart in travail.ecarts.filter(nature="ABSENT")}
        answer = page.post(url("decisions", travail), data, follow=True)
        assert f"Deux fiches ne deviennent pas « {NEUVE['nom']} »" in words(answer)
        travail.refresh_from_db()
        assert travail.renommages == []

    def test_what_the_base_became_meanwhile_is_read_again(self, page, travail, chain):
        self.choose(page, travail, "RENOMMER0", nature="ABSENT")
        page.post(url("importer", travail))
        Dispositif.objects.filter(nom=PENSION["nom"]).update(nom="Autre nom", **Dispositif.trace(chain.agent))
        travaux.apply(travail.pk)
        travail.refresh_from_db()
        assert travail.etat == "PRET"
        assert "La base a changé" in travail.motif
        assert not Dispositif.objects.filter(nom=NEUVE["nom"]).exists()

    def test_of_the_siao_is_proposed_and_its_new_financements_find_it(self, chain):
        chain.apply(classeur(dispositifs=[DISPOSITIF, PENSION]))
        siao = make_utilisateur(Profil.ADMIN_SIAO)
        page = client_of(siao)
        paid = {**PAYE, "dispositif": NEUVE["nom"]}
        content = classeur(dispositifs=[DISPOSITIF, NEUVE], financements=[FINANCEMENT, paid])
        travail = chain.read(content, auteur=siao)
        self.choose(page, travail, "FERMER", nature="ABSENT")
        assert "à prendre" in words(page.get(travail.get_absolute_url()))
        self.choose(page, travail, "RENOMMER0", nature="ABSENT")
        page.post(url("importer", travail))
        travaux.apply(travail.pk)
        pension = Dispositif.objects.get(nom=PENSION["nom"])
        assert pension.propositions.get().apres == {"nom": NEUVE["nom"]}
        assert pension.financements.count() == 1
        assert Dispositif.objects.count() == 2

    def test_a_financement_written_otherwise_is_proposed_as_the_same(self, page, chain):
        chain.apply(classeur(dispositifs=[DISPOSITIF, PENSION], financements=[PAYE]))
        rewritten = {**PAYE, "reference_acte": "2024-0001 bis"}
        travail = chain.read(classeur(dispositifs=[DISPOSITIF, PENSION], financements=[rewritten]))
        ecart = travail.ecarts.get(nature="ABSENT")
        assert len(ecart.candidats) == 1
        assert "Réécrit ?" in words(page.get(travail.get_absolute_url()))
        page.post(url("decisions", travail), {f"decision_{ecart.pk}": "RENOMMER0"})
        page.post(url("importer", travail))
        travaux.apply(travail.pk)
        assert Financement.objects.get().reference_acte == "2024-0001 bis"

    def test_an_entite_is_known_by_its_siren(self, chain):
        chain.apply()
        renamed = {**ENTITE, "nom": "L'Ancre nouvelle"}
        travail = chain.read(classeur([renamed], [{**DISPOSITIF, "entite": renamed["nom"]}]))
        assert list(travail.ecarts.values_list("nature", "apres")) == [("MODIFIE", {"nom": renamed["nom"]})]


def test_what_was_kept_is_remembered_at_the_next_deposit(page, chain):
    chain.apply(classeur(dispositifs=[DISPOSITIF, PENSION]))
    kept = chain.apply(classeur(), tous={"ABSENT": "CONSERVER"})
    travail = chain.read(with_cell("Dispositifs", "animaux", "Oui"))
    absent = travail.ecarts.get(nature="ABSENT")
    assert (absent.decision, absent.conserve_par) == ("CONSERVER", kept.pk)
    text = plain(page.get(travail.get_absolute_url(), {"nature": "ABSENT"}))
    assert f"n° {kept.pk}</a> : la décision est reprise, vous pouvez la changer" in text
    assert "à prendre" not in text
    # It is remembered from one workbook to the next, and can be changed.
    page.post(url("importer", travail))
    travaux.apply(travail.pk)
    third = chain.read(classeur(financements=[]))
    assert third.ecarts.get(nature="ABSENT").conserve_par == travail.pk
    chain.apply(classeur(financements=[]), tous={"ABSENT": "FERMER"})
    assert Dispositif.objects.get(nom=PENSION["nom"]).statut == "FERME"


def test_what_the_siao_could_not_close_is_asked_of_who_can(chain):
    chain.apply(classeur(dispositifs=[DISPOSITIF, PENSION]))
    chain.apply(classeur(), auteur=make_utilisateur(Profil.ADMIN_SIAO))
    travail = chain.read(classeur(financements=[]))
    absent = travail.ecarts.get(nature="ABSENT")
    assert (absent.decision, absent.conserve_par) == ("", None)


def test_what_closing_does_is_said_before_and_done(page, chain):
    other = {"nom": "Fondation le Pont", "siren": AUTRE_SIREN}
    chain.apply(classeur([ENTITE, other], [DISPOSITIF, {**PENSION, "entite": other["nom"]}], [{**PAYE}]))
    pension = Dispositif.objects.get(nom=PENSION["nom"])
    make_groupe(pension, etats=["LIBRE", "LIBRE", ""])
    travail = chain.read(classeur(financements=[]))
    text = plain(page.get(travail.get_absolute_url()))
    assert "la fiche est fermée à la date du jour, quitte l'offre et reste lisible" in text
    assert "Fermer : 3 places de moins dans l'offre." in text
    assert "n'a plus de dispositif ouvert (1 dispositif ouvert)" in text
    assert "Fermer : il s'arrête le jour de l'import." in text
    page.post(url("decisions", travail), {"tous_ABSENT": "FERMER"})
    page.post(url("importer", travail))
    travaux.apply(travail.pk)
    pension.refresh_from_db()
    assert (pension.statut, pension.date_fermeture) == ("FERME", timezone.localdate())
    assert Financement.objects.get().date_fin == timezone.localdate()
    assert page.get(reverse("offre:fiche", args=["dispositifs", pension.pk])).status_code == 200
    chain.undo(travail)
    pension.refresh_from_db()
    assert pension.statut == "VALIDE"


def test_the_report_leads_to_the_fiches(page, chain, agent):
    travail = chain.apply(classeur(dispositifs=[DISPOSITIF, PENSION]))
    pension = Dispositif.objects.get(nom=PENSION["nom"])
    there = reverse("offre:fiche", args=["dispositifs", pension.pk])
    assert f'href="{there}"' in words(page.get(travail.get_absolute_url()))
    assert page.get(there).status_code == 200
    changed = chain.read(classeur(dispositifs=[DISPOSITIF, {**PENSION, "animaux": "Oui"}, {**PENSION, "nom": "Autre"}]))
    assert f'href="{there}"' in words(page.get(changed.get_absolute_url(), {"nature": "MODIFIE"}))
    # What is not created yet, or not there any more, has no page.
    new = changed.ecarts.get(nature="CREE")
    assert f"/{new.objet}/" not in words(page.get(changed.get_absolute_url(), {"nature": "CREE"}))
    Dispositif.objects.filter(pk=pension.pk).update(logements=25, **Dispositif.trace(agent))
    chain.undo(travail)
    text = words(page.get(travail.get_absolute_url(), {"nature": "CREE"}))
    assert f'href="{there}"' in text
    gone = travail.ecarts.get(libelle=DISPOSITIF["nom"])
    assert f"/dispositifs/{gone.objet}/" not in text


def test_what_was_there_before_the_last_import_was_not_created_since(page, chain):
    chain.apply(classeur(dispositifs=[DISPOSITIF, PENSION]))
    chain.apply(classeur(), tous={"ABSENT": "CONSERVER"})
    travail = chain.read(classeur(financements=[]))
    assert set(travail.ecarts.values_list("nature", "conflit")) == {("ABSENT", "")}
    author, last = make_utilisateur(), Import.objects.get(etat="IMPORTE").applique_le
    created = {"cree_par": author, "cree_le": last + datetime.timedelta(days=1)}
    Dispositif.objects.filter(nom=PENSION["nom"]).update(**created, modifie_par=chain.agent)
    travail = chain.read(classeur(financements=[], dispositifs=[{**DISPOSITIF, "animaux": "Oui"}]))
    said = travail.ecarts.get(libelle=PENSION["nom"]).conflit
    assert said.startswith(f"Créé depuis le dernier import par {author}, le ")


def test_the_page_opens_where_something_is_to_decide(page, chain, agent):
    chain.apply(classeur(dispositifs=[DISPOSITIF, PENSION]))
    Dispositif.objects.filter(nom=DISPOSITIF["nom"]).update(voie="3 rue des Exemples", **Dispositif.trace(agent))
    travail = chain.read(with_cell("Dispositifs", "commentaire", "Nouveau"))
    page.post(url("decisions", travail), {"tous_ABSENT": "CONSERVER"})
    text = plain(page.get(travail.get_absolute_url()))
    assert '1 décision à prendre avant d\'importer : <a href="?nature=MODIFIE#ecarts">1 dans « Modifiés »</a>' in text
    [ecart] = travail.ecarts.filter(nature="MODIFIE")
    assert f'name="champ-{ecart.pk}-voie"' in text
    page.post(url("decisions", travail), {"tous_MODIFIE": "BASE"})
    assert "à prendre" not in plain(page.get(travail.get_absolute_url()))


def test_what_is_not_decided_comes_first_whatever_its_page(page, chain, monkeypatch):
    monkeypatch.setattr("offre.views.temps1.PAR_PAGE", 2)
    chain.apply(classeur(dispositifs=[DISPOSITIF, *({**PENSION, "nom": f"Pension {n}"} for n in range(4))]))
    travail = chain.read(classeur())
    *decided, last = travail.ecarts.filter(nature="ABSENT").order_by("pk")
    page.post(url("decisions", travail), {f"decision_{ecart.pk}": "CONSERVER" for ecart in decided})
    text = words(page.get(travail.get_absolute_url()))
    assert f'name="decision_{last.pk}"' in text
    assert f'name="decision_{decided[-1].pk}"' not in text


def test_the_bar_moves_line_by_line_and_counts_what_is_written(chain, monkeypatch):
    told = []

    @contextmanager
    def heard(*_):
        yield lambda *step: told.append(step)

    monkeypatch.setattr(travaux, "progress_in", heard)
    chain.apply(classeur(dispositifs=[DISPOSITIF, PENSION]))
    reading = "Lecture de l'onglet Dispositifs"
    assert [step[1:] for step in told if step[0] == reading] == [(0, 2), (1, 2), (2, 2)]
    assert [step[1:] for step in told if step[0] == "Enregistrement des dispositifs"] == [(0, 2), (1, 2), (2, 2)]
    told.clear()
    # One is kept although the workbook no longer names it: it is not a line to write.
    chain.apply(classeur(dispositifs=[{**DISPOSITIF, "animaux": "Oui"}]), tous={"ABSENT": "CONSERVER"})
    assert [step[1:] for step in told if step[0] == "Enregistrement des dispositifs"] == [(1, 1)]


def test_the_progress_is_said_in_words_and_drawn(page, chain):
    travail = chain.deposit()
    Avancement.objects.filter(travail=travail).update(phase="Contrôle des dispositifs", fait=1204, total=5050)
    text = plain(page.get(travail.get_absolute_url()))
    assert "Contrôle des dispositifs : 1 204 sur 5 050 lignes" in text
    assert 'value="1204" max="5050"' in text


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


def test_the_preview_shows_what_each_new_fiche_will_hold(page, chain):
    """A date that a spreadsheet changed is seen before it is stored, not only counted."""
    travail = chain.read(classeur([{**ENTITE, "telephone": "02 61 91 00 12"}], [DISPOSITIF, PENSION]))
    text = words(page.get(travail.get_absolute_url(), {"nature": "CREE"}))
    for said in (
        f"Code SIREN : {SIREN}",
        "Téléphone : 02 61 91 00 12",
        f"Entité (SIREN) : {SIREN}",
        "Date d'ouverture : 01/02/2015",
        "Commune : Nantes",
        "Nombre de places : 30",
        "Date de début : 01/01/2024",
        "Montant annuel (€) : 250\u202f000,50 €",
    ):
        assert said in text
    assert "Date de fermeture prévue" not in text


def test_the_preview_of_many_new_fiches_costs_as_many_queries_as_of_one(page, chain):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def queries(count):
        rows = [{**DISPOSITIF, "nom": f"CHRS {number}"} for number in range(count)]
        travail = chain.read(classeur(dispositifs=rows, financements=[]))
        with CaptureQueriesContext(connection) as found:
            page.get(travail.get_absolute_url(), {"nature": "CREE"})
        return len(found)

    queries(1)
    assert queries(1) == queries(20)
