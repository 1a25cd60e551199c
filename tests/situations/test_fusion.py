"""Merging two fiches: compared, told, done, undone for thirty days; nothing lost, no cycle, no double merge."""

import datetime
import re

import pytest
from django.apps import apps
from django.db import IntegrityError, transaction
from django.urls import reverse
from pghistory.models import Event

from comptes.actions import share
from comptes.droits import Profil
from comptes.models import Siao
from menages.actions.deplacement import move_personnes
from menages.actions.fusion import merge, undo_merge
from menages.actions.personnes import protect
from menages.models import AccesProtege, Appartenance, DemandeDAcces, Distinction, Fusion, Personne, Precision
from menages.relations import relations
from siao.socle.refusal import Refusal
from tests.comptes.fabrique import client_of, make_utilisateur, words
from tests.menages.fabrique import accompany, chain_of, jour, make_menage, make_operateur, make_personne
from tests.offre.fabrique import make_dispositif, make_rattachement
from tests.situations.saisie import ajouter

pytestmark = pytest.mark.django_db


@pytest.fixture
def rosa(db):
    return make_personne(make_menage(), "Rosa Exemple", depuis=90, parcours=[("VII.1", 90), ("III.1", 20)])


@pytest.fixture
def double(db):
    naissance = datetime.date(1986, 9, 17)
    return make_personne(
        make_menage(), "Rosa Exemples", depuis=60, parcours=[("I.4", 60)], date_naissance=naissance, sexe="F"
    )


@pytest.fixture
def auteur():
    return make_operateur()


@pytest.fixture
def operateur(auteur):
    return client_of(auteur.utilisateur)


def fusionner(client, maitre, absorbee, confirm=True, **choices):
    url = reverse("comparer", args=[maitre.pk, absorbee.pk])
    fields = {"nom": "maitre", "date_naissance": "absorbee", "sexe": "absorbee", **choices}
    answer = client.post(url, fields)
    lue = re.search(r'name="lue" value="(\w+)"', answer.text)
    return client.post(url, {**fields, "lue": lue[1]}) if lue and confirm else answer


def state() -> list:
    """Every row that belongs to persons, apart from versions and histories."""
    fields = ("id", "nom", "prenom", "date_naissance", "sexe", "protegee", "fusionnee_dans")
    rows = [list(Personne.objects.order_by("pk").values_list(*fields))]
    for relation in relations():
        if relation.model not in (Fusion, Personne):
            columns = (relation.model._meta.pk.name, relation.field.name)
            rows.append(list(relation.model._base_manager.order_by("pk").values_list(*columns)))
    return rows


def test_found_by_likeness_or_by_number(operateur, rosa, double):
    url = reverse("fusionner", args=[rosa.pk])
    assert double.numero in words(operateur.post(url, {"etape": "chercher"}))
    answer = operateur.post(url, {"etape": "numero", "numero": double.numero.lower()})
    assert answer.url == reverse("comparer", args=[rosa.pk, double.pk])
    for wrong in (rosa.numero, "P-999999", "44-000001", ""):
        assert operateur.post(url, {"etape": "numero", "numero": wrong}).status_code == 200


def test_not_a_duplicate_is_remembered_and_can_still_be_compared(operateur, rosa, double):
    url = reverse("comparer", args=[rosa.pk, double.pk])
    for _ in range(2):  # sent twice, written once
        assert operateur.post(url, {"etape": "distinguer"}).url == reverse("fusionner", args=[rosa.pk])
    assert Distinction.objects.count() == 1
    for one, other in ((rosa, double), (double, rosa)):
        answer = operateur.post(reverse("fusionner", args=[one.pk]), {"etape": "chercher"})
        assert answer.context["trouvees"] == []
        assert "1 fiche qui lui ressemble : déclarée différente." in words(answer)
        numbered = operateur.post(reverse("fusionner", args=[one.pk]), {"etape": "numero", "numero": other.numero})
        assert "Déclarées différentes le" in words(operateur.get(numbered.url))
    assert fusionner(operateur, rosa, double).status_code == 302  # a mistake is not for ever


def test_a_fusion_of_two_who_live_or_lived_together_says_so(operateur, auteur, rosa, double):
    url = reverse("comparer", args=[rosa.pk, double.pk])
    assert "ensemble" not in words(operateur.get(url))
    menage = rosa.appartenances.get().menage
    ailleurs = double.appartenances.get().menage
    Appartenance.objects.filter(personne=double).update(menage=menage)
    for page in (operateur.get(url), fusionner(operateur, rosa, double, confirm=False)):
        assert f"vivent ensemble, dans le dossier {menage.numero}" in words(page)
    move_personnes(auteur=auteur, origine=menage, personnes=[double.pk], destination=ailleurs, jour=jour(0))
    assert "ont vécu ensemble dans un même ménage" in words(operateur.get(url))


def test_a_presumed_year_that_is_kept_stays_presumed_and_its_undoing_too(operateur, auteur, rosa, double):
    Personne.objects.filter(pk=double.pk).update(
        date_naissance=datetime.date(1986, 1, 1), naissance_precision=Precision.ENVIRON
    )
    assert "vers 1986" in words(fusionner(operateur, rosa, double, confirm=False))
    fusionner(operateur, rosa, double)
    rosa.refresh_from_db()
    assert rosa.naissance == "vers 1986"
    Personne.objects.filter(pk=rosa.pk).update(naissance_precision=Precision.ANNEE)
    undo_merge(auteur=auteur, fusion=Fusion.objects.get())
    rosa.refresh_from_db()
    assert rosa.naissance == "1986"  # corrected since: it stays


def test_both_are_compared_then_what_will_happen_is_told(operateur, rosa, double):
    page = words(operateur.get(reverse("comparer", args=[rosa.pk, double.pk])))
    for shown in (
        f"Gardée, {rosa.numero}",
        f"Absorbée, {double.numero}",
        "Exemples",
        "17/09/1986",
        "III.1 CHRS",
        "I.4 Espace privé",
    ):
        assert shown in page
    before = state()
    said = words(fusionner(operateur, rosa, double, confirm=False))
    assert f"{double.numero} est absorbée" in said
    assert "date de naissance « 17/09/1986 »" in said
    assert state() == before


def test_w26_the_master_keeps_her_path_and_the_rest_moves(operateur, rosa, double, auteur):
    demande = DemandeDAcces.objects.create(
        personne=double, siao_id="44", siao_demandeur_id="35", motif="Suivi", demandee_par=auteur.utilisateur
    )
    said = words(fusionner(operateur, rosa, double, confirm=False))
    assert f"De {double.numero} passent à {rosa.numero} : demandes d'accès (1)." in said
    paths = chain_of(rosa), chain_of(double)
    answer = fusionner(operateur, rosa, double)
    menage = rosa.appartenances.get().menage
    assert answer.url == reverse("dossier", args=[menage.pk])
    assert (chain_of(rosa), chain_of(double)) == paths
    demande.refresh_from_db()
    assert demande.personne_id == rosa.pk
    kept = Personne.objects.get(pk=rosa.pk)
    assert (kept.nom, kept.date_naissance, kept.sexe) == ("Exemple", datetime.date(1986, 9, 17), "F")
    # Her path is archived, readable, greyed.
    page = operateur.get(answer.url)
    assert "ligne--archivee" in page.text
    assert f"(fiche absorbée {double.numero})" in words(page)
    assert double.appartenances.get().menage.archive_le == jour(0)


def test_the_absorbed_fiche_is_closed_to_writing(operateur, rosa, double, auteur):
    fusionner(operateur, rosa, double)
    menage = double.appartenances.get().menage
    assert ajouter(operateur, menage, [double], "I.1", jour(1)).status_code == 200
    assert operateur.get(reverse("modifier_personne", args=[double.pk])).status_code == 404
    for change in (
        lambda: double.situations.update(confirmee_le=jour(0)),
        lambda: Personne.objects.filter(pk=double.pk).update(nom="Autre"),
        lambda: double.situations.all().delete(),
    ):
        with pytest.raises(IntegrityError) as refused, transaction.atomic():
            change()
        assert refused.value.__cause__.diag.constraint_name == "personne_fermee"
    answer = operateur.get(reverse("personne", args=[double.pk]))
    assert answer.url.endswith(f"#personne-{rosa.pk}")


def test_the_number_of_the_absorbed_fiche_finds_the_kept_one(operateur, rosa, double):
    fusionner(operateur, rosa, double)
    menage = rosa.appartenances.get().menage
    url = reverse("recherche")
    assert operateur.post(url, {"numero": double.numero}).url == reverse("dossier", args=[menage.pk])
    found = operateur.post(url, {"numero": double.numero, "nom": "Exemple"}).context["trouvailles"]
    assert [trouvee.personne.pk for trouvee in found.ici] == [rosa.pk]
    # As for the kept one: her perimeter alone.
    ailleurs = client_of(make_operateur("35").utilisateur)
    assert "au moins deux critères" in words(ailleurs.post(url, {"numero": double.numero}))


def test_a_fiche_is_not_compared_with_herself(operateur, rosa, double):
    assert operateur.get(reverse("comparer", args=[rosa.pk, rosa.pk])).status_code == 404
    assert operateur.get(reverse("comparer", args=[rosa.pk, double.pk])).status_code == 200


def test_no_cycle_no_double_merge_no_chain(auteur, rosa, double):
    third = make_personne(make_menage(), "Rosa Tierce")
    merge(auteur=auteur, maitre=rosa, absorbee=double, identite={})
    for maitre, absorbee in ((double, rosa), (third, double), (double, third), (rosa, rosa)):
        with pytest.raises(Refusal):
            merge(auteur=auteur, maitre=maitre, absorbee=absorbee, identite={})
    with pytest.raises(IntegrityError), transaction.atomic():
        Personne.objects.filter(pk=third.pk).update(fusionnee_dans=double)
    with pytest.raises(IntegrityError), transaction.atomic():
        Personne.objects.filter(pk=rosa.pk).update(fusionnee_dans=third)  # somebody was absorbed in her
    # By the action, those whom she absorbed follow her.
    rosa.refresh_from_db()
    merge(auteur=auteur, maitre=third, absorbee=rosa, identite={})
    assert set(Personne.objects.filter(fusionnee_dans=third)) == {rosa, double}


def test_undone_everything_is_as_before(operateur, auteur, rosa, double):
    DemandeDAcces.objects.create(
        personne=double, siao_id="44", siao_demandeur_id="35", motif="Suivi", demandee_par=auteur.utilisateur
    )
    before = state()
    fusionner(operateur, rosa, double)
    assert state() != before
    fusion = Fusion.objects.get()
    url = reverse("defaire_fusion", args=[fusion.pk])
    assert "retrouve son dossier" in words(operateur.get(url))
    assert operateur.post(url).status_code == 302
    assert state() == before
    assert operateur.post(url).status_code == 404
    assert double.appartenances.get().menage.archive_le is None


def test_undone_what_was_written_since_stays(operateur, auteur, rosa, double):
    fusionner(operateur, rosa, double)
    Personne.objects.filter(pk=rosa.pk).update(prenom="Rosalie")
    ajouter(operateur, rosa.appartenances.get().menage, [rosa], "I.1", jour(1))
    undo_merge(auteur=auteur, fusion=Fusion.objects.get())
    rosa.refresh_from_db()
    assert rosa.prenom == "Rosalie"
    assert rosa.date_naissance is None
    assert chain_of(rosa)[-1] == ("I.1", jour(1), None)


def test_thirty_days_then_never(auteur, rosa, double, time_machine):
    from django.utils import timezone

    fusion = merge(auteur=auteur, maitre=rosa, absorbee=double, identite={})
    made = timezone.now()
    Fusion.objects.update(faite_le=made)
    time_machine.move_to(made + datetime.timedelta(days=30, seconds=1), tick=False)
    with pytest.raises(Refusal, match="il est trop tard"):
        undo_merge(auteur=auteur, fusion=fusion)
    time_machine.move_to(made + datetime.timedelta(days=29), tick=False)
    undo_merge(auteur=auteur, fusion=fusion)


def test_a_protected_double_protects_the_master(auteur, rosa, double):
    Personne.objects.filter(pk=double.pk).update(protegee=True)
    merge(auteur=auteur, maitre=rosa, absorbee=double, identite={})
    assert Personne.objects.get(pk=rosa.pk).protegee


def test_undone_the_protection_that_came_with_the_double_leaves_but_not_that_named_since(
    operateur, auteur, rosa, double
):
    Personne.objects.filter(pk=double.pk).update(protegee=True)
    theirs = AccesProtege.objects.create(personne=double, utilisateur=auteur.utilisateur)
    for named_since in (False, True):
        rosa.refresh_from_db()
        double.refresh_from_db()
        fusion = merge(auteur=auteur, maitre=rosa, absorbee=double, identite={})
        theirs.refresh_from_db()
        assert theirs.personne == rosa
        if named_since:
            agents = reverse("designer_agent", args=[rosa.pk])
            assert operateur.post(agents, {"utilisateur": make_operateur().utilisateur_id}).status_code == 302
        undo_merge(auteur=auteur, fusion=fusion)
        assert Personne.objects.get(pk=rosa.pk).protegee is named_since
        assert Personne.objects.get(pk=double.pk).protegee
        theirs.refresh_from_db()
        assert theirs.personne == double


def test_a_fusion_that_protects_ends_what_was_open_on_the_kept_dossier(operateur, auteur, rosa, double):
    """The team of the kept dossier read nothing of the refuge: nor do they after."""
    menage = rosa.appartenances.get().menage
    suivi = accompany(menage, make_dispositif(make_rattachement("44")))
    theirs = accompany(double.appartenances.get().menage, make_dispositif(make_rattachement("44")))
    Personne.objects.filter(pk=double.pk).update(protegee=True)
    AccesProtege.objects.create(personne=double, utilisateur=auteur.utilisateur)
    share(auteur=auteur, objet=menage, siao=Siao.objects.get(pk="35"), date_fin=jour(-30), motif="Départ")
    assert "prennent fin" in words(fusionner(operateur, rosa, double, confirm=False))
    assert fusionner(operateur, rosa, double).status_code == 302
    elsewhere = make_operateur("35").utilisateur
    teams = [make_utilisateur(Profil.TRAVAILLEUR_SOCIAL, objets=[each.dispositif]) for each in (suivi, theirs)]
    for each in (elsewhere, *teams):
        assert client_of(each).get(reverse("dossier", args=[menage.pk])).status_code == 404


def test_undone_who_was_protected_since_leaves_both_protected(operateur, auteur, rosa, double):
    """Nobody knows which of the two it was about: the team of the one that comes back does not read her."""
    menage = double.appartenances.get().menage
    suivi = accompany(menage, make_dispositif(make_rattachement("44")))
    fusionner(operateur, rosa, double)
    protect(auteur=auteur, personne=Personne.objects.get(pk=rosa.pk))
    url = reverse("defaire_fusion", args=[Fusion.objects.get().pk])
    assert "les deux fiches le sont" in words(operateur.get(url))
    assert operateur.post(url).status_code == 302
    for each in (rosa, double):
        assert Personne.objects.get(pk=each.pk).protegee
        assert AccesProtege.objects.get(personne=each).utilisateur == auteur.utilisateur
    team = client_of(make_utilisateur(Profil.TRAVAILLEUR_SOCIAL, objets=[suivi.dispositif]))
    assert team.get(reverse("dossier", args=[menage.pk])).status_code == 404
    assert "I.4" not in words(client_of(make_operateur().utilisateur).get(reverse("dossier", args=[menage.pk])))
    assert "I.4" in words(operateur.get(reverse("dossier", args=[menage.pk])))


def test_across_siao_is_not_found(operateur, rosa):
    ailleurs = make_personne(make_menage("35"), "Rosa Exemple")
    assert operateur.get(reverse("comparer", args=[rosa.pk, ailleurs.pk])).status_code == 404
    assert operateur.get(reverse("comparer", args=[ailleurs.pk, rosa.pk])).status_code == 404


def test_every_table_that_points_to_a_person_says_what_becomes_of_its_rows():
    """A table that is added later cannot be forgotten by a fusion, the export of data nor erasure."""
    undeclared = [relation.model._meta.label for relation in relations() if not relation.declared]
    assert undeclared == []
    found = {(relation.model._meta.label, relation.field.name) for relation in relations()}
    expected = {
        (model._meta.label, field.name)
        for model in apps.get_models()
        if not issubclass(model, Event)
        for field in model._meta.concrete_fields
        if field.is_relation and field.related_model is Personne
    }
    assert found == expected
