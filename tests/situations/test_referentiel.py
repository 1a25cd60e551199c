"""The grid: loaded from the files, read by everybody, administered by the national administrator, never lost."""

import csv
from pathlib import Path

import pytest
from django.core.management import call_command
from django.urls import reverse

from comptes.droits import Profil
from situations.actions.referentiel import edit_sr2
from situations.models import Ethos, EthosLight, Sr1, Sr2
from tests.comptes.fabrique import client_of, habilitation_of, make_utilisateur, words
from tests.menages.fabrique import jour
from tests.navigateur import Navigateur
from tests.situations.saisie import ajouter

pytestmark = pytest.mark.django_db
FIXTURES = Path(__file__).parents[2] / "fixtures"


def rows(name):
    with (FIXTURES / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def admin():
    return make_utilisateur(Profil.ADMIN_NATIONAL)


def modify(client, code, **fields):
    sr2 = Sr2.objects.get(pk=code)
    fields = {"libelle": sr2.libelle, "definition": sr2.definition, "version": sr2.version, **fields}
    return client.post(reverse("modifier_sr2", args=[code]), fields)


def test_8_types_52_situations_and_non_renseignee():
    assert Sr1.objects.count() == len(rows("sr1")) == 8
    assert Sr2.objects.exclude(pk="NR").count() == len(rows("sr2")) == 52
    assert str(Sr2.objects.get(pk="NR")) == "Non renseignée"
    assert (Ethos.objects.count(), EthosLight.objects.count()) == (len(rows("ethos")), len(rows("ethos_light")))
    assert Sr2.objects.get(pk="VI.2").remplacee_par_id == "VI.4"
    assert Sr2.objects.get(pk="III.7").region_obligatoire


def test_everybody_reads_the_whole_grid():
    page = Navigateur().get(reverse("grille"))
    text = words(page)
    for row in rows("sr2"):
        assert row["libelle"] in text
        assert row["definition"] in text
    # What the source says in acronyms or by a link is said: the DNA in full, two pages of the State, the two documents.
    for acronym in ("CADA", "HUDA", "PRAHDA", "CAES", "CPH", "DPAR"):
        assert f"({acronym}" in Sr2.objects.get(pk="IV.9").definition
    assert "psychiatrique" in Sr2.objects.get(pk="IV.3").libelle
    for code in ("VII.1", "VII.5"):
        assert f'href="{Sr2.objects.get(pk=code).lien}"' in page.text
        assert f"Plus d'informations ({code})" in text
    assert page.text.count('href="https://www.feantsa.org/download/') == 2
    for row in rows("ethos") + rows("ethos_light"):
        assert row["libelle"] in text


def test_loading_again_keeps_what_the_administrator_changed(admin):
    client = client_of(admin)
    assert modify(client, "I.3", libelle="Voiture ou van").status_code == 302
    Sr2.objects.filter(pk="I.4").update(libelle="Cassé")
    call_command("charger_referentiels", verbosity=0)
    assert Sr2.objects.get(pk="I.3").libelle == "Voiture ou van"
    assert Sr2.objects.get(pk="I.4").libelle == "Espace privé"


def test_a_value_is_retired_and_replaced(admin):
    client = client_of(admin)
    assert modify(client, "VI.2", retiree_le=f"{jour(0):%d/%m/%Y}", remplacee_par="VI.4").status_code == 302
    assert not Sr2.objects.get(pk="VI.2").is_offered(jour(0))
    assert Sr2.objects.get(pk="VI.2").is_offered(jour(1))
    assert Sr2.objects.get(pk="VI.2").version == 2
    assert "Retirée le" in words(Navigateur().get(reverse("grille")))
    # Nor is it replaced by one that is itself replaced, or by itself.
    assert "est elle-même remplacée" in words(modify(client, "VI.1", remplacee_par="VI.2"))
    assert modify(client, "VI.4", remplacee_par="VI.4").status_code == 200


def test_a_replacement_that_is_replaced_hands_over(admin, operateur, rosa, menage):
    client, retired = client_of(admin), f"{jour(0):%d/%m/%Y}"
    assert modify(client, "III.3", retiree_le=retired, remplacee_par="III.4").status_code == 302
    assert modify(client, "III.4", retiree_le=retired, remplacee_par="III.5").status_code == 302
    assert Sr2.objects.get(pk="III.3").remplacee_par_id == "III.5"
    assert "Choisissez plutôt « III.5" in words(ajouter(operateur, menage, [rosa], "III.3", jour(1)))
    # The form of the first one still goes through, its replacement unchanged.
    assert modify(client, "III.3", retiree_le=retired, remplacee_par="III.5", libelle="Autre").status_code == 302
    # What others lead to is not retired without a replacement, nor does a retired one replace.
    assert "dites par laquelle la remplacer" in words(modify(client, "III.5", retiree_le=retired))
    assert modify(client, "III.6", retiree_le=retired).status_code == 302
    assert "est elle-même retirée" in words(modify(client, "II.1", remplacee_par="III.6"))
    # A form opened before is stale.
    assert modify(client, "III.3", version=2, libelle="Autre").status_code == 409


def test_a_new_value_is_not_replaced_by_one_that_is_replaced(admin):
    client = client_of(admin)
    fields = {"sr1": "II", "libelle": "Bus de nuit", "remplacee_par": "VI.2"}
    assert "est elle-même remplacée" in words(client.post(reverse("nouvelle_sr2"), fields))
    assert not Sr2.objects.filter(libelle="Bus de nuit").exists()
    assert client.post(reverse("nouvelle_sr2"), {**fields, "remplacee_par": "VI.4"}).status_code == 302


def test_non_renseignee_is_not_chosen(operateur, rosa, menage):
    assert "« Non renseignée » ne se choisit pas" in words(ajouter(operateur, menage, [rosa], "NR", jour(1)))


def test_non_renseignee_is_never_retired(admin):
    client = client_of(admin)
    assert modify(client, "NR", retiree_le="01/01/2026").status_code == 302  # the field is not there: ignored
    assert Sr2.objects.get(pk="NR").retiree_le is None


def test_a_new_value_takes_the_next_code_of_its_type(admin):
    client = client_of(admin)
    assert client.post(reverse("nouvelle_sr2"), {"sr1": "II", "libelle": "Bus de nuit"}).status_code == 302
    added = Sr2.objects.get(libelle="Bus de nuit")
    assert added.pk == "II.4"
    orders = list(Sr2.objects.order_by("ordre").values_list("pk", flat=True))
    assert orders.index("II.4") == orders.index("II.3") + 1 == orders.index("III.1") - 1


def test_a_stale_edit_is_a_409(admin):
    client = client_of(admin)
    stale = Sr2.objects.get(pk="I.1")
    edit_sr2(auteur=habilitation_of(admin), sr2=stale, version=1, valeurs={"libelle": "Autre libellé"})
    answer = modify(client, "I.1", version=1, libelle="Le mien")
    assert answer.status_code == 409
    assert "Autre libellé" in words(answer)
    assert 'value="Le mien"' in answer.text
    assert Sr2.objects.get(pk="I.1").libelle == "Autre libellé"


@pytest.mark.parametrize("profil", [Profil.ADMIN_DEPARTEMENTAL, Profil.ADMIN_SIAO])
def test_nobody_else_administers_it(profil):
    client = client_of(make_utilisateur(profil))
    assert client.get(reverse("referentiel")).status_code == 403
    assert modify(client, "I.1", libelle="X").status_code == 403
