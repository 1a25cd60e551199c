"""Two entités entered twice, a dispositif of another entité: all that follows is shown, then done."""

import pghistory.models
import pytest
from django.apps import apps
from django.urls import reverse

from comptes.droits import Profil
from comptes.models import EntreeJournal, Octroi
from offre.models import Dispositif, Entite, Rattachement, Transition
from tests.comptes.fabrique import client_of, habilite, make_utilisateur, plain, words
from tests.offre.fabrique import make_financement, make_import, make_proposition, make_rattachement
from tests.offre.test_fiches import make_chrs

pytestmark = pytest.mark.django_db


@pytest.fixture
def double():
    """(the one that stays, the one entered twice, its dispositif, its manager)."""
    garde = make_rattachement("44", nom="Association l'Ancre")
    absorbe = make_rattachement("44", nom="Assoc. Ancre", telephone="+33261910012")
    chrs = make_chrs(absorbe, nom="CHRS le Phare")
    body = absorbe.entite.siren
    from stdnum import luhn

    siret = f"{body}0001"
    Dispositif.objects.filter(pk=chrs.pk).update(siret=siret + luhn.calc_check_digit(siret))
    make_financement(chrs)
    manager = make_utilisateur(Profil.GESTIONNAIRE_ENTITE, objets=[absorbe])
    return garde, absorbe, chrs, manager


def merge(page, garde, absorbe, **others):
    url = reverse("offre:fusionner", args=[garde.pk]) + f"?entite={absorbe.pk}"
    versions = {"version": garde.version, "version_absorbee": absorbe.version}
    return page.post(url, {**versions, **others})


def test_the_preview_says_all_and_the_merge_does_it(page, double):
    garde, absorbe, chrs, manager = double
    url = reverse("offre:fusionner", args=[garde.pk])
    assert "Assoc. Ancre" in words(page.get(url))
    answer = page.get(url, {"entite": absorbe.pk})
    shown = plain(answer)
    for said in (
        "1 dispositif change d'entité",
        "1 financement les suit",
        "1 SIRET effacé",
        f"{manager} (Gestionnaire d'entité) gérera l'entité qui reste",
    ):
        assert said in shown
    # Both values, and what will be left of them.
    assert [line[1:] for line in answer.context["differences"]] == [
        ("Association l'Ancre", "Assoc. Ancre", "Association l'Ancre"),
        ("", "02 61 91 00 12", "02 61 91 00 12"),
    ]
    assert Rattachement.objects.get(pk=absorbe.pk).statut == "VALIDE"
    assert merge(page, garde, absorbe).status_code == 302
    chrs.refresh_from_db()
    assert (chrs.entite_id, chrs.siren, chrs.siret) == (garde.entite_id, garde.entite.siren, "")
    absorbe.refresh_from_db()
    assert (absorbe.statut, absorbe.fusionne_dans_id) == ("FERME", garde.pk)
    garde.refresh_from_db()
    assert garde.telephone == "+33261910012"
    assert client_of(manager).get(reverse("offre:fiche", args=["entites", garde.pk])).status_code == 200
    assert client_of(manager).get(reverse("offre:fiche", args=["entites", absorbe.pk])).status_code == 404
    assert "a été fusionnée dans" in words(page.get(reverse("offre:fiche", args=["entites", absorbe.pk])))
    assert {step.motif for step in Transition.objects.all()} == {
        f"Fusion de l'entité {absorbe.entite.siren}",
        f"Fusionnée dans {garde.entite.siren}",
        "Fusion",
    }
    # It leads elsewhere for good.
    refused = page.post(
        reverse("offre:passer", args=["entites", absorbe.pk, "rouvrir"]), {"version": absorbe.version, "motif": "Non"}
    )
    assert "a été fusionnée dans une autre" in words(refused)


DATES = {
    "the one on the entité that stays is enough": ({}, {}, {"garde"}),
    "the one on the absorbed entité lasts longer": ({"date_fin": "2100-01-01"}, {}, {"absorbe"}),
    "one ends before, the other begins later": (
        {"date_fin": "2100-01-01"},
        {"date_debut": "2099-01-01", "date_fin": "2101-01-01"},
        {"garde", "absorbe"},
    ),
}


@pytest.mark.parametrize("case", DATES)
def test_who_manages_both_keeps_one_habilitation_and_loses_no_day(page, double, case):
    garde, absorbe, _, manager = double
    of_garde, of_absorbe, left = DATES[case]
    both = make_utilisateur(Profil.GESTIONNAIRE_ENTITE, objets=[garde])
    habilite(both, Profil.GESTIONNAIRE_ENTITE, objets=[absorbe])
    first, second = both.habilitations.order_by("pk")
    for habilitation, dates in ((first, of_garde), (second, of_absorbe)):
        type(habilitation).objects.filter(pk=habilitation.pk).update(**dates)
    named = {"garde": first, "absorbe": second}
    withdrawn = [named[name] for name in named.keys() - left]
    preview = " ".join(words(page.get(reverse("offre:fusionner", args=[garde.pk]), {"entite": absorbe.pk})).split())
    assert ("une seule de ses deux habilitations reste" in preview) == bool(withdrawn)
    assert merge(page, garde, absorbe).status_code == 302
    kept = both.habilitations.filter(retiree_le=None)
    assert set(kept) == {named[name] for name in left}
    assert set(Octroi.objects.filter(habilitation__in=kept).values_list("object_pk", flat=True)) == {str(garde.pk)}
    assert client_of(both).get(reverse("offre:fiche", args=["entites", garde.pk])).status_code == 200
    told = EntreeJournal.objects.filter(action="comptes.retirer").values_list("objet_id", flat=True)
    assert set(told) == {str(habilitation.pk) for habilitation in withdrawn}
    # Who held the absorbed one alone holds the one that stays.
    assert manager.habilitations.get().retiree_le is None
    assert client_of(manager).get(reverse("offre:fiche", args=["entites", garde.pk])).status_code == 200


def test_another_profil_and_another_departement_are_kept(page, double):
    garde, absorbe, _, _ = double
    there = make_rattachement("35", entite=absorbe.entite)
    both = make_utilisateur(Profil.GESTIONNAIRE_ENTITE, objets=[garde])
    habilite(both, Profil.ASSISTANT, objets=[absorbe])
    habilite(both, Profil.GESTIONNAIRE_ENTITE, objets=[absorbe, there])
    assert merge(page, garde, absorbe).status_code == 302
    held = {
        (habilitation.profil, octroi.object_pk)
        for habilitation in both.habilitations.filter(retiree_le=None)
        for octroi in habilitation.octrois.all()
    }
    assert held == {
        ("GESTIONNAIRE_ENTITE", str(garde.pk)),
        ("ASSISTANT", str(garde.pk)),
        ("GESTIONNAIRE_ENTITE", str(there.pk)),
    }


@pytest.mark.parametrize("because", ["stale", "itself", "elsewhere", "closed", "proposed", "importing"])
def test_nothing_moves_when_it_cannot(page, double, agent, because):
    garde, absorbe, chrs, manager = double
    others = {}
    match because:
        case "stale":
            others = {"version_absorbee": 7}
        case "itself":
            absorbe = garde
        case "elsewhere":
            absorbe = make_rattachement("35")
        case "closed":
            Rattachement.objects.filter(pk=absorbe.pk).update(statut="FERME", date_fermeture="2025-01-01")
        case "proposed":
            make_proposition(absorbe, manager)
        case "importing":
            make_import("44", agent, etat="PRET")
    assert merge(page, garde, absorbe, **others).status_code == 200
    chrs.refresh_from_db()
    assert chrs.siren != garde.entite.siren
    assert not Transition.objects.exists()


def test_the_siao_does_not_merge(double):
    garde, absorbe, _, _ = double
    assert merge(client_of(make_utilisateur(Profil.ADMIN_SIAO)), garde, absorbe).status_code == 403


def test_all_that_points_to_an_entite_is_dealt_with():
    """A new key to an entité must be thought of in the merge: then it is added here."""
    found = {
        f"{model._meta.model_name}.{field.name}"
        for model in apps.get_models()
        for field in model._meta.local_fields
        if field.is_relation and field.related_model in (Entite, Rattachement)
        if not issubclass(model, pghistory.models.Event)  # the past of a fiche stays hers
    }
    assert found == {
        "rattachement.entite",
        "rattachement.fusionne_dans",
        "dispositif.entite",
        "proposition.rattachement",
        "transition.rattachement",
    }


def test_a_dispositif_moves_with_all_that_it_has(page, double):
    garde, absorbe, chrs, manager = double
    make_proposition(chrs, manager)
    url = reverse("offre:deplacer", args=[chrs.pk])
    assert [key for key, _ in page.get(url).context["form"].fields["entite"].choices] == ["", garde.pk]
    shown = " ".join(words(page.get(url, {"entite": garde.pk})).split())
    assert "1 financement les suit" in shown
    assert "1 changement proposé en attente" in shown
    stale = page.post(f"{url}?entite={garde.pk}", {"version": 7})
    assert "a changé depuis l'aperçu" in words(stale)
    foreign = make_rattachement("35")
    page.post(f"{url}?entite={foreign.pk}", {"version": chrs.version})
    chrs.refresh_from_db()
    assert chrs.entite_id == absorbe.entite_id
    assert page.post(f"{url}?entite={garde.pk}", {"version": chrs.version}).status_code == 302
    chrs.refresh_from_db()
    assert (chrs.entite_id, chrs.siret) == (garde.entite_id, "")
    assert client_of(manager).get(reverse("offre:fiche", args=["dispositifs", chrs.pk])).status_code == 404
    assert Transition.objects.get().changements["siren"] == [absorbe.entite.siren, garde.entite.siren]
