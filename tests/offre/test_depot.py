"""The page where a workbook is deposited."""

import datetime

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from comptes.droits import Profil
from offre.models import Dispositif, Import
from offre.temps1 import travaux
from offre.temps1.lecture import read_file
from tests.classeurs import DISPOSITIF, ENTITE, PENSION, classeur
from tests.comptes.fabrique import client_of, make_utilisateur, plain, words

pytestmark = pytest.mark.django_db
URL = reverse("offre:temps1")


def post(client, content=b"PK", name="classeur.xlsx", territoire="departement-44"):
    return client.post(URL, {"territoire": territoire, "fichier": SimpleUploadedFile(name, content)})


def test_a_deposit_is_kept_and_waits_for_its_reading(page, agent):
    answer = post(page, classeur())
    travail = Import.objects.get()
    assert answer.url == travail.get_absolute_url()
    assert (travail.etat, travail.depose_par, travail.departement_id) == ("DEPOSE", agent, "44")
    assert travail.nom_fichier == "classeur.xlsx"
    assert "classeur" not in travail.fichier.name
    assert "Vous pouvez quitter cette page" in words(page.get(answer.url))


@pytest.mark.parametrize("profil", [Profil.ADMIN_NATIONAL, Profil.OPERATEUR_SIAO, Profil.ANALYSTE, None])
def test_only_those_who_may_import_see_the_page(profil):
    client = client_of(make_utilisateur(profil))
    assert client.get(URL).status_code == 403
    assert post(client).status_code == 403
    assert not Import.objects.exists()


def test_a_territory_of_others_is_not_a_choice(page):
    for territoire in ("departement-35", "region-52", "region-53", "", "x"):
        answer = post(page, territoire=territoire)
        assert answer.status_code == 200
        assert "à corriger, rien n'a été enregistré" in words(answer)
    assert not Import.objects.exists()


def test_a_region_is_offered_to_those_who_hold_it_whole():
    client = client_of(make_utilisateur(Profil.ADMIN_DEPARTEMENTAL, region_id="52"))
    assert "Pays de la Loire" in words(client.get(URL))
    post(client, classeur(), territoire="region-52")
    assert Import.objects.get().region_id == "52"


def test_a_missing_file_and_a_huge_one_are_refused(page):
    answer = page.post(URL, {"territoire": "departement-44"})
    assert "Choisissez le fichier à déposer." in words(answer)
    answer = post(page, b"x" * 10_000_001)
    assert "dépasse 10 Mo" in words(answer)
    answer = post(page, b"x" * 25_000_001)
    assert "dépasse 10 Mo" in words(answer)
    assert not Import.objects.exists()


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../x.xlsx", "x.xlsx"),
        ("a" * 300 + ".xlsx", "a" * 114 + "….xlsx"),
        ("a" * 300, "a" * 119 + "…"),
        ("a." + "b" * 300, "a." + "b" * 117 + "…"),
        ("tableau\r\nX-Y: 1.xlsx", "tableau X-Y: 1.xlsx"),
        ("😀 offre.xlsx", "😀 offre.xlsx"),
        ("tab\u202exslx.xlsx", "tabxslx.xlsx"),
        ("C:\\temp\\CON.xlsx", "CON.xlsx"),
        ("classeur.xlsx.exe", "classeur.xlsx.exe"),
        ("<img src=x onerror=alert(1)>.xlsx", "<img src=x onerror=alert(1)>.xlsx"),
    ],
)
def test_the_name_of_the_file_is_only_shown(page, name, shown):
    from offre.actions.imports import display_name

    assert display_name(name) == shown
    post(page, classeur(), name=name)
    travail = Import.objects.get()
    assert "<img src=x" not in page.get(travail.get_absolute_url()).text
    download = page.get(reverse("offre:original", args=[travail.pk]))
    assert download["Content-Disposition"].startswith("attachment")
    assert "\n" not in download["Content-Disposition"]
    download.close()


def test_the_same_bytes_are_one_import(page):
    content = classeur()
    first = post(page, content)
    again = post(page, content, name="autre nom.xlsx")
    assert again.url == first.url
    assert Import.objects.count() == 1
    assert f"identique à celui de l'import n° {Import.objects.get().pk}" in words(page.get(again.url))


@pytest.mark.parametrize("read", [False, True], ids=["depose", "pret"])
@pytest.mark.parametrize(
    ("first", "second", "statut"),
    [
        (Profil.ADMIN_DEPARTEMENTAL, Profil.ADMIN_SIAO, "PREVALIDE"),
        (Profil.ADMIN_SIAO, Profil.ADMIN_DEPARTEMENTAL, "VALIDE"),
    ],
)
def test_the_same_bytes_under_the_other_profil_are_read_again(first, second, statut, read):
    content = classeur()
    post(client_of(make_utilisateur(first)), content)
    before = Import.objects.get()
    if read:
        travaux.read(before.pk)
    other = client_of(make_utilisateur(second))
    answer = post(other, content)
    travail = Import.objects.exclude(pk=before.pk).get()
    assert (travail.etat, travail.statut_vise) == ("DEPOSE", statut)
    assert "il est relu sous votre profil" in words(other.get(answer.url))
    assert post(other, content).url == travail.get_absolute_url()
    before.refresh_from_db()
    assert before.etat == ("PRET" if read else "DEPOSE")
    travaux.read(travail.pk)
    before.refresh_from_db()
    assert (before.etat, before.remplace_par) == ("REMPLACE", travail)
    other.post(reverse("offre:importer", args=[travail.pk]))
    travaux.apply(travail.pk)
    travail.refresh_from_db()
    assert travail.etat == "IMPORTE"
    assert Dispositif.objects.get().statut == statut


def test_what_was_decided_under_the_other_profil_is_asked_again(page, chain):
    chain.apply(classeur(dispositifs=[DISPOSITIF, PENSION]))
    content = classeur()
    siao = make_utilisateur(Profil.ADMIN_SIAO)
    # Who does not validate keeps what is missing, without being asked.
    assert chain.read(content, auteur=siao).ecarts.get(nature="ABSENT").decision == "CONSERVER"
    assert chain.read(content).ecarts.get(nature="ABSENT").decision == ""


def test_of_two_readings_at_once_the_last_deposit_is_the_one_that_is_ready(chain, monkeypatch):
    chain.apply()
    content, siao = classeur([{**ENTITE, "telephone": "02 61 91 00 12"}]), make_utilisateur(Profil.ADMIN_SIAO)
    travail = chain.deposit(content)
    others = []

    def deposited_and_read_meanwhile(*arguments):
        if not others:
            others.append(None)
            others[0] = chain.read(content, auteur=siao)
        return read_file(*arguments)

    monkeypatch.setattr(travaux, "read_file", deposited_and_read_meanwhile)
    travaux.read(travail.pk)
    travail.refresh_from_db()
    (last,) = others
    assert (travail.etat, travail.remplace_par, travail.ecarts.count()) == ("REMPLACE", last, 0)
    last.refresh_from_db()
    assert (last.etat, last.statut_vise) == ("PRET", "PREVALIDE")
    assert last.ecarts.get(nature="MODIFIE").propose


def test_the_size_of_a_small_file_is_said_in_octets(page):
    post(page, b"PK")
    travail = Import.objects.get()
    assert "– 2 octets, le" in words(page.get(travail.get_absolute_url()))


@pytest.mark.parametrize(("etat", "step"), [("IMPORTE", "Étape 5 sur 5"), ("REMPLACE", ""), ("ECHEC", "")])
def test_an_import_that_stopped_on_the_way_is_at_no_step(page, chain, etat, step):
    travail = chain.apply()
    Import.objects.update(etat=etat)
    text = words(page.get(travail.get_absolute_url()))
    assert ("Étape" in text) is bool(step)
    assert step in text


def test_the_same_bytes_the_day_after_lead_to_the_import_that_was_made_of_them(page, chain):
    content = classeur()
    travail = chain.apply(content)
    # Late in the evening by Greenwich: already the next day in France.
    yesterday = (timezone.now() - datetime.timedelta(days=2)).replace(hour=23, minute=30)
    Import.objects.update(depose_le=yesterday, change_le=yesterday, applique_le=yesterday)
    answer = post(page, content)
    assert answer.url == travail.get_absolute_url()
    text = words(page.get(answer.url))
    assert f"identique à celui de l'import n° {travail.pk}, déposé le {timezone.localtime(yesterday):%d/%m/%Y}" in text
    assert Import.objects.get().etat == "IMPORTE"


def test_a_new_file_takes_the_place_of_the_one_that_waits_once_it_is_read(page, agent, chain):
    first = chain.read()
    other = client_of(make_utilisateur(Profil.ADMIN_SIAO))
    answer = post(other, classeur(financements=[]))
    second = Import.objects.exclude(pk=first.pk).get()
    first.refresh_from_db()
    assert (first.etat, second.etat) == ("PRET", "DEPOSE")
    stays = f"L'import n° {first.pk}, déposé par {agent}, reste prêt à importer"
    assert f"{stays} : ce dépôt ne prendra sa place que s'il est lu sans erreur" in words(other.get(answer.url))
    travaux.read(second.pk)
    first.refresh_from_db()
    assert (first.etat, first.remplace_par) == ("REMPLACE", second)
    assert f"l'import n° {first.pk}</a>, déposé par {agent}" in plain(other.get(answer.url))
    text = words(page.get(first.get_absolute_url()))
    assert f"l'import n° {second.pk}" in text
    assert str(second.depose_par) in text


@pytest.mark.parametrize(
    ("bad", "etat"),
    [
        (b"\xff\xd8\xff\xe0 a photo", "REFUSE"),
        (b"", "REFUSE"),
        (None, "A_CORRIGER"),
    ],
)
def test_a_file_that_cannot_be_imported_takes_nobody_s_place(page, chain, bad, etat):
    chain.apply(classeur(dispositifs=[DISPOSITIF, PENSION]))
    ready = chain.read()
    page.post(reverse("offre:decisions", args=[ready.pk]), {"tous_ABSENT": "FERMER"})
    bad = classeur([{**ENTITE, "siren": "1"}]) if bad is None else bad
    colleague = make_utilisateur(Profil.ADMIN_DEPARTEMENTAL)
    refused = chain.read(bad, auteur=colleague)
    assert refused.etat == etat
    text = words(client_of(colleague).get(refused.get_absolute_url()))
    assert f"L'import n° {ready.pk}</a>, déposé par {chain.agent}" in text
    assert "reste prêt à importer" in text
    ready.refresh_from_db()
    assert ready.etat == "PRET"
    assert ready.ecarts.get(nature="ABSENT").decision == "FERMER"
    page.post(reverse("offre:importer", args=[ready.pk]))
    travaux.apply(ready.pk)
    assert Dispositif.objects.get(nom=PENSION["nom"]).statut == "FERME"


def test_a_file_corrected_since_is_the_last_deposit_even_when_its_number_is_older(chain):
    bad = classeur([{**ENTITE, "siren": "1"}])
    first = chain.read(bad)
    second = chain.read()
    first.refresh_from_db()
    assert (first.etat, first.remplace_par) == ("REMPLACE", second)
    again = chain.read(bad)
    assert (again.etat, Import.objects.get(pk=second.pk).etat) == ("A_CORRIGER", "PRET")


def test_an_import_that_is_being_written_keeps_its_place_and_the_next_is_compared_again(page, chain):
    first = chain.read()
    page.post(reverse("offre:importer", args=[first.pk]))
    second = chain.read(classeur(dispositifs=[DISPOSITIF, PENSION]))
    first.refresh_from_db()
    assert (first.etat, second.etat) == ("A_APPLIQUER", "PRET")
    answer = page.post(reverse("offre:importer", args=[second.pk]), follow=True)
    assert f"L'import n° {first.pk} est en train d'être enregistré" in words(answer)
    travaux.apply(first.pk)
    page.post(reverse("offre:importer", args=[second.pk]))
    travaux.apply(second.pk)
    second.refresh_from_db()
    assert second.etat == "PRET"
    assert "La base a changé depuis votre vérification" in second.motif
    assert second.bilan["dispositifs"]["crees"] == 1
    page.post(reverse("offre:importer", args=[second.pk]))
    travaux.apply(second.pk)
    assert Dispositif.objects.count() == 2


def test_an_import_that_cannot_be_written_leaves_the_place_to_the_one_that_is_ready(page, chain):
    first = chain.read()
    page.post(reverse("offre:importer", args=[first.pk]))
    second = chain.read(classeur(financements=[]))
    chain.agent.habilitations.update(retiree_le=timezone.now())
    travaux.apply(first.pk)
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.etat, first.remplace_par, second.etat) == ("REMPLACE", second, "PRET")


def test_a_decision_on_an_import_replaced_since_changes_nothing_and_says_so(page, chain):
    chain.apply(classeur(dispositifs=[DISPOSITIF, PENSION]))
    first = chain.read()
    second = chain.read(classeur(financements=[]))
    for name, data in (("decisions", {"tous_ABSENT": "FERMER"}), ("importer", {})):
        answer = page.post(reverse(f"offre:{name}", args=[first.pk]), data, follow=True)
        assert "rechargez la page" in words(answer)
        assert f"l'import n° {second.pk}" in words(answer)
    assert not second.ecarts.exclude(decision="").exists()
    assert not first.ecarts.exclude(decision="").exists()


def test_the_history_shows_the_territory_alone_in_a_constant_number_of_queries(
    page, chain, django_assert_max_num_queries, django_assert_num_queries
):
    chain.deposit()
    other = make_utilisateur(Profil.ADMIN_DEPARTEMENTAL, departement_id="35")
    from tests.classeurs import departement

    outside = chain.deposit(territoire=departement("35"), auteur=other)
    with django_assert_max_num_queries(15) as few:
        text = words(page.get(URL))
    assert f"Import n° {outside.pk}<" not in text
    for number in range(20):
        chain.deposit(classeur(entites=[{"nom": f"Entité {number}", "siren": "000440016"}]))
    with django_assert_num_queries(len(few.captured_queries)):
        page.get(URL)
