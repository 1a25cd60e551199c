"""A workbook of the SIAO over validated fiches: what it changes is proposed, until the département validates it."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from comptes.droits import Profil
from offre.actions.imports import decide, request_undo
from offre.models import Dispositif, Ecart, Import, Proposition, Rattachement, Transition
from offre.temps1 import travaux
from siao.socle.refusal import Refusal
from tests.classeurs import AUTRE_SIREN, DISPOSITIF, ENTITE, FINANCEMENT, PENSION, SIREN, classeur
from tests.comptes.fabrique import client_of, habilitation_of, make_utilisateur, plain
from tests.offre.fabrique import make_proposition

pytestmark = pytest.mark.django_db

CHANGE = {**DISPOSITIF, "voie": "9 rue des Exemples", "animaux": "Oui"}


@pytest.fixture
def siao(chain):
    """An Administrateur SIAO, once the Administrateur départemental has imported two dispositifs."""
    chain.apply(classeur(dispositifs=[DISPOSITIF, PENSION]))
    return make_utilisateur(Profil.ADMIN_SIAO)


@pytest.fixture
def imports(chain, siao):
    """Import a workbook of these dispositifs as the Administrateur SIAO."""

    def apply(*dispositifs, tous=None, **options) -> Import:
        content = classeur(dispositifs=list(dispositifs), **options)
        return chain.apply(content, auteur=siao, tous=tous)

    return apply


def undo(travail: Import, auteur) -> Import:
    request_undo(auteur=habilitation_of(auteur), travail=travail)
    travaux.undo(travail.pk)
    travail.refresh_from_db()
    return travail


def chrs() -> Dispositif:
    return Dispositif.objects.get(nom=DISPOSITIF["nom"])


def validate(agent, proposition: Proposition):
    address = reverse("offre:passer_proposition", args=[proposition.pk, "valider"])
    return client_of(agent).post(address, {"version": proposition.revision}, follow=True)


def test_it_is_proposed_shown_then_validated(chain, siao, imports):
    travail = chain.read(classeur(dispositifs=[CHANGE, PENSION]), auteur=siao)
    preview = plain(client_of(siao).get(travail.get_absolute_url(), {"nature": "MODIFIE"}))
    assert "Proposé : sera appliqué quand l'administrateur départemental l'aura validé" in preview
    assert "1 fiche validée : ce que le classeur y change est proposé" in preview
    assert "1 proposé, 3 inchangés" in travail.resume

    before = Dispositif.objects.filter(nom=DISPOSITIF["nom"]).values().get()
    travail = imports(CHANGE, PENSION)
    assert Dispositif.objects.filter(nom=DISPOSITIF["nom"]).values().get() == before
    proposition = Proposition.objects.get()
    assert (proposition.statut, proposition.fiche, proposition.auteur) == ("PREVALIDE", chrs(), siao)
    assert proposition.avant == {"voie": "1 rue des Exemples", "animaux": None}
    assert proposition.apres == {"voie": "9 rue des Exemples", "animaux": True}
    step = proposition.transitions.get()
    assert (step.de, step.vers, step.travail, step.dispositif) == ("", "PREVALIDE", travail, chrs())

    queue = plain(client_of(chain.agent).get(reverse("offre:a_valider")))
    assert "9 rue des Exemples" in queue
    assert "C'est validé" in plain(validate(chain.agent, proposition))
    assert (chrs().voie, chrs().animaux, chrs().statut) == ("9 rue des Exemples", True, "VALIDE")


def test_what_the_departement_imports_is_validated_at_once(chain, siao):
    chain.apply(classeur(dispositifs=[CHANGE, PENSION]))
    assert (chrs().voie, chrs().statut) == ("9 rue des Exemples", "VALIDE")
    assert not Proposition.objects.exists()


def test_what_is_not_validated_changes_at_once(imports):
    Dispositif.objects.update(statut="SOUMIS")
    imports(CHANGE, PENSION)
    assert (chrs().voie, chrs().statut) == ("9 rue des Exemples", "PREVALIDE")
    assert not Proposition.objects.exists()


def test_an_entite_a_creation_and_a_financement_go_together(imports):
    new = {**PENSION, "nom": "Pension neuve"}
    paid = {**FINANCEMENT, "quantite": 28}
    imports(CHANGE, PENSION, new, entites=[{**ENTITE, "telephone": "02 61 91 00 12"}], financements=[paid])
    assert set(Proposition.objects.values_list("rattachement__nom", "dispositif__nom")) == {
        (ENTITE["nom"], None),
        (None, DISPOSITIF["nom"]),
    }
    assert Dispositif.objects.get(nom="Pension neuve").statut == "PREVALIDE"
    # A financement has no statut: those who type the offre enter it.
    assert chrs().financements.get().quantite == 28


def test_the_same_workbook_again_asks_for_nothing_more(chain, siao, imports):
    imports(CHANGE, PENSION)
    again = {**CHANGE, "commentaire": " "}  # another file, of the same values
    travail = chain.read(classeur(dispositifs=[PENSION, again]), auteur=siao)
    assert travail.bilan["dispositifs"]["inchanges"] == 2
    assert not travail.ecarts.exists()


def test_the_next_workbook_takes_the_place_of_what_the_previous_one_proposed(imports):
    imports(CHANGE, PENSION)
    imports({**CHANGE, "voie": "11 rue des Exemples"}, PENSION)
    old, new = Proposition.objects.order_by("pk")
    assert (old.statut, new.statut, new.apres["voie"]) == ("REFUSE", "PREVALIDE", "11 rue des Exemples")
    assert old.transitions.order_by("pk").last().motif == "Remplacée par un classeur importé."


@pytest.mark.parametrize(("decision", "waiting"), [("FICHIER", "voie"), ("BASE", "animaux")])
def test_a_proposition_that_somebody_typed_is_a_conflict(chain, siao, imports, decision, waiting):
    typed = make_proposition(chrs(), chain.agent, statut="SOUMIS", avant={"animaux": None}, apres={"animaux": False})
    content = classeur(dispositifs=[{**DISPOSITIF, "voie": "9 rue des Exemples"}, PENSION])
    travail = chain.read(content, auteur=siao)
    page = client_of(siao)
    assert "attend déjà : l'import prendrait sa place" in plain(page.get(travail.get_absolute_url()))
    refused = page.post(reverse("offre:importer", args=[travail.pk]), follow=True)
    assert "Il reste 1 décision à prendre" in plain(refused)
    decide(auteur=habilitation_of(siao), travail=travail, decisions={}, pour_tous={"MODIFIE": decision})
    page.post(reverse("offre:importer", args=[travail.pk]))
    travaux.apply(travail.pk)
    assert list(Proposition.objects.en_attente().get().apres) == [waiting]
    typed.refresh_from_db()
    assert typed.statut == ("REFUSE" if decision == "FICHIER" else "SOUMIS")
    # Who typed it is told that it was replaced.
    told = Transition.objects.filter(a_prevenir=True, proposition=typed, vers="REFUSE").exists()
    assert told == (decision == "FICHIER")


def test_a_validated_fiche_missing_from_the_workbook_stays_open(chain, siao, imports):
    new = {**PENSION, "nom": "Pension neuve"}
    imports(DISPOSITIF, PENSION, new)
    travail = chain.read(classeur(dispositifs=[DISPOSITIF]), auteur=siao)
    kept, left_open = travail.ecarts.get(libelle=PENSION["nom"]), travail.ecarts.get(libelle="Pension neuve")
    page = plain(client_of(siao).get(travail.get_absolute_url()))
    assert "Reste ouverte : seul l'administrateur départemental ferme une fiche validée" in page
    forged = {f"decision_{kept.pk}": "FERMER", f"decision_{left_open.pk}": "FERMER", "tous_ABSENT": "FERMER"}
    client_of(siao).post(reverse("offre:decisions", args=[travail.pk]), forged)
    client_of(siao).post(reverse("offre:importer", args=[travail.pk]))
    travaux.apply(travail.pk)
    statuts = dict(Dispositif.objects.values_list("nom", "statut"))
    assert statuts == {DISPOSITIF["nom"]: "VALIDE", PENSION["nom"]: "VALIDE", "Pension neuve": "FERME"}


def test_a_fiche_validated_since_the_preview_is_looked_at_again(chain, siao):
    Dispositif.objects.update(statut="PREVALIDE")
    travail = chain.read(classeur(dispositifs=[CHANGE, PENSION]), auteur=siao)
    page = client_of(siao)
    page.post(reverse("offre:importer", args=[travail.pk]))
    Dispositif.objects.update(statut="VALIDE")
    travaux.apply(travail.pk)
    travail.refresh_from_db()
    assert travail.etat == "PRET"
    assert "relisez les différences" in travail.motif
    assert chrs().voie == "1 rue des Exemples"


def test_a_dispositif_that_changes_entite_follows_its_proposition(chain, imports):
    other = {"nom": "Association B", "siren": AUTRE_SIREN}
    moved = {**DISPOSITIF, "entite": "Association B"}
    imports(moved, PENSION, entites=[ENTITE, other])
    proposition = Proposition.objects.get()
    assert proposition.apres == {"siren": AUTRE_SIREN}
    assert chrs().siren == SIREN
    assert AUTRE_SIREN in plain(client_of(chain.agent).get(reverse("offre:proposition", args=[proposition.pk])))
    assert "C'est validé" in plain(validate(chain.agent, proposition))
    assert chrs().entite.siren == AUTRE_SIREN


def test_an_entite_that_is_gone_receives_nothing(chain, imports):
    other = {"nom": "Association B", "siren": AUTRE_SIREN}
    imports({**DISPOSITIF, "entite": "Association B"}, PENSION, entites=[ENTITE, other])
    Transition.objects.filter(rattachement__nom="Association B").delete()
    Rattachement.objects.filter(nom="Association B").delete()
    answer = validate(chain.agent, Proposition.objects.get())
    assert f"L'entité de SIREN {AUTRE_SIREN} n'est plus dans ce département" in plain(answer)
    assert chrs().siren == SIREN


# --- Undoing ----------------------------------------------------------------------------------------------------


def test_the_undo_withdraws_it_and_gives_back_what_it_had_replaced(chain, siao, imports):
    typed = make_proposition(chrs(), chain.agent, statut="SOUMIS", avant={"animaux": None}, apres={"animaux": False})
    travail = imports(CHANGE, PENSION, tous={"MODIFIE": "FICHIER"})
    undo(travail, siao)
    typed.refresh_from_db()
    assert Proposition.objects.en_attente().get() == typed
    assert typed.statut == "SOUMIS"
    assert set(travail.ecarts.values_list("resultat", flat=True)) == {"ANNULE"}
    last = typed.transitions.order_by("pk").last()
    assert (last.de, last.vers, last.motif) == ("REFUSE", "SOUMIS", "Annulation de l'import")


def test_the_undo_leaves_what_was_validated_since(chain, siao, imports):
    new = {**PENSION, "nom": "Pension neuve"}
    travail = imports(CHANGE, PENSION, new)
    validate(chain.agent, Proposition.objects.get())
    Dispositif.objects.filter(nom="Pension neuve").update(statut="VALIDE")
    undo(travail, siao)
    assert (chrs().voie, chrs().statut) == ("9 rue des Exemples", "VALIDE")
    assert Dispositif.objects.filter(nom="Pension neuve").exists()
    assert set(Ecart.objects.filter(travail=travail).values_list("resultat", flat=True)) == {"CONSERVE"}


def test_the_siao_does_not_undo_what_the_departement_imported(chain, siao):
    travail = Import.objects.get()
    page = client_of(siao)
    assert "c'est à l'administrateur départemental de l'annuler" in plain(
        page.get(reverse("offre:annuler", args=[travail.pk]))
    )
    with pytest.raises(Refusal, match="c'est à l'administrateur départemental de l'annuler"):
        request_undo(auteur=habilitation_of(siao), travail=travail)
    assert undo(travail, chain.agent).etat == "ANNULE"


def test_as_many_queries_for_one_proposition_or_twenty(chain, siao, imports):
    many = [{**PENSION, "nom": f"Pension {number}"} for number in range(20)]
    chain.apply(classeur(dispositifs=[DISPOSITIF, PENSION, *many]))

    def queries(*dispositifs):
        travail = chain.read(classeur(dispositifs=list(dispositifs)), auteur=siao)
        client_of(siao).post(reverse("offre:importer", args=[travail.pk]))
        with CaptureQueriesContext(connection) as captured:
            travaux.apply(travail.pk)
        return len(captured)

    first = queries(CHANGE, PENSION, *many)
    twenty = queries(DISPOSITIF, PENSION, *({**row, "animaux": "Oui"} for row in many))
    assert Proposition.objects.en_attente().count() == 21
    assert twenty == first
