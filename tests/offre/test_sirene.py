"""The register of legal persons: real answers served on loopback, an API on its bad days, the offline files."""

import datetime
import io
import json
import threading
import time

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from comptes.droits import Profil
from offre import sirene
from offre.models import Entite, FicheSirene
from offre.sirene import Absente, Entreprise, Indisponible, api, lookup, repertoire
from siao.socle.refusal import Refusal
from tests.comptes.fabrique import client_of, make_utilisateur, plain
from tests.offre.annuaire import REPONSES, Annuaire
from tests.offre.fabrique import make_rattachement

pytestmark = pytest.mark.django_db

RESTOS, POSTE, PRIVEE, FERMEE, VILLE = "400461356", "356000000", "300025764", "839517323", "217500016"


@pytest.fixture
def annuaire(settings, monkeypatch):
    server = Annuaire()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    settings.SIRENE_URL, settings.SIRENE_TIMEOUT = server.url, 30.0  # answers at once, when the machine is not busy
    monkeypatch.setattr(api, "BACK_OFF", 0.01)
    monkeypatch.setattr(api, "PER_SECOND", 200)
    yield server
    server.over.set()
    server.shutdown()
    server.server_close()
    thread.join()


# --- What the API says ------------------------------------------------------------------------------------------


def test_an_association_is_filled_from_the_register(annuaire):
    answer = lookup("400 461 356")
    assert isinstance(answer, Entreprise)
    fiche = FicheSirene.objects.get()
    assert answer.fiche == fiche
    assert (fiche.denomination, fiche.forme, fiche.naf, fiche.etat, fiche.diffusible) == (
        "LES RESTAURANTS DU COEUR",
        "Association déclarée",
        "88.99B",
        "ACTIVE",
        True,
    )
    assert fiche.code_postal == "49000"
    assert fiche.date_creation < datetime.date(2000, 1, 1)


@pytest.mark.parametrize("file", sorted(REPONSES.glob("*.json")), ids=lambda file: file.stem)
def test_every_real_answer_is_read(file):
    told = json.loads(file.read_text())["results"][0]
    fiche = api.read(file.stem, json.loads(file.read_text()))
    state = {"A": "ACTIVE", "C": "CESSEE", None: "ABSENTE"}[told["etat_administratif"]]
    assert (fiche.etat, fiche.siren) == (state, file.stem)
    if told["statut_diffusion"] == "O":
        assert fiche.denomination == told["nom_raison_sociale"]
        assert fiche.naf == told["activite_principale"]
        assert fiche.adresse == told["siege"]["adresse"]
        assert str(fiche.date_creation) == told["date_creation"]
    else:
        assert (fiche.denomination, fiche.adresse, fiche.naf) == ("", "", "")
    fiche.full_clean()


def test_closed_private_and_unknown_companies_are_said_so(annuaire):
    assert lookup(FERMEE).fermee
    private = lookup(PRIVEE)
    assert (private.fiche.diffusible, private.fiche.denomination) == (False, "")
    assert isinstance(lookup("000000000"), Absente)


@pytest.mark.parametrize("siren", ["", "12", "123456789", "4004613560", "40046135a", "<script>", "400461356' --"])
def test_what_cannot_be_a_siren_is_never_asked(annuaire, siren):
    with pytest.raises(Refusal, match="9 chiffres"):
        lookup(siren)
    assert annuaire.asked == []


def test_a_fresh_copy_is_not_asked_again(annuaire):
    lookup(RESTOS)
    lookup(RESTOS)
    assert len(annuaire.asked) == 1
    FicheSirene.objects.update(lue_le=timezone.now() - datetime.timedelta(hours=25))
    lookup(RESTOS)
    assert len(annuaire.asked) == 2


# --- Its bad days -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("days", [["500"], ["429 0"], ["503", "429"]])
def test_a_failure_that_comes_at_once_is_tried_again(annuaire, days):
    annuaire.days = list(days)
    assert isinstance(lookup(RESTOS), Entreprise)
    assert len(annuaire.asked) == len(days) + 1


@pytest.mark.parametrize(
    ("days", "requests"),
    [
        (["500"] * 3, 3),
        (["429 3600"], 1),
        (["301"], 1),
        (["302"], 1),
        (["404"], 1),
        (["silent"], 1),
        (["slow"], 1),
        (["cut"], 1),
        (["huge"], 1),
        (["deep"], 1),
        (["garbage"], 1),
        (["list"], 1),
    ],
)
def test_on_a_bad_day_nobody_waits_and_nothing_is_kept(annuaire, settings, days, requests):
    annuaire.days = list(days)
    if days in (["silent"], ["slow"]):
        settings.SIRENE_TIMEOUT = 0.4
    began = time.monotonic()
    assert lookup(RESTOS) == Indisponible(RESTOS)
    assert time.monotonic() - began < 4  # the silence lasts 10 s, the slow answer 5 s
    assert len(annuaire.asked) == requests
    assert not FicheSirene.objects.exists()


def test_an_old_copy_is_better_than_nothing(annuaire):
    lookup(RESTOS)
    old = timezone.now() - datetime.timedelta(days=30)
    FicheSirene.objects.update(lue_le=old)
    annuaire.days = ["500"] * 3
    assert lookup(RESTOS).fiche.lue_le == old


def test_no_server_at_all(settings, monkeypatch):
    monkeypatch.setattr(api, "BACK_OFF", 0.01)
    assert lookup(RESTOS) == Indisponible(RESTOS)


@pytest.mark.parametrize(
    "result",
    [
        {"siren": RESTOS, "etat_administratif": {"x": 1}, "nom_complet": 3},
        {
            "siren": RESTOS,
            "etat_administratif": "A",
            "statut_diffusion": "O",
            "siege": [],
            "date_creation": "31/12/1985",
        },
        {"siren": RESTOS, "etat_administratif": "A", "statut_diffusion": "O", "date_creation": "1985-13-45"},
        {"siren": RESTOS, "etat_administratif": "A", "statut_diffusion": "O", "nom_complet": "\x00<b>" + "é" * 9_000},
        {"siren": "356000000", "etat_administratif": "A"},
        None,
    ],
)
def test_an_answer_of_another_shape_never_breaks_the_table(result):
    fiche = api.read(RESTOS, {"results": [result]})
    fiche.full_clean()
    fiche.save()
    assert fiche.siren == RESTOS


def test_every_process_shares_the_same_pace(annuaire, monkeypatch):
    monkeypatch.setattr(api, "PER_SECOND", 20)
    threads = [threading.Thread(target=_ask, args=(siren,)) for siren in (RESTOS, POSTE, FERMEE, VILLE, PRIVEE, RESTOS)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    moments = sorted(moment for _, moment in annuaire.asked)
    assert len(moments) == 6
    # Each may be late, none may come before its turn.
    assert all(moment - began > rank * 0.05 * 0.9 for rank, moment in enumerate(moments))


def _ask(siren):
    from django.db import connection

    try:
        api.ask(siren, patience=30)
    finally:
        connection.close()


# --- Pages ------------------------------------------------------------------------------------------------------


@pytest.fixture
def page():
    return client_of(make_utilisateur(Profil.ADMIN_DEPARTEMENTAL))


URL = reverse("offre:chercher_siren")


@pytest.mark.parametrize(
    ("siren", "sentence"),
    [
        (RESTOS, "LES RESTAURANTS DU COEUR"),
        (FERMEE, "Cette entreprise est fermée au répertoire"),
        (PRIVEE, "a demandé que ses informations ne soient pas diffusées"),
        ("000000000", "ne connaît pas ce SIREN"),
        ("400461357", "sa clé de contrôle doit être la bonne"),
        ("", "Écrivez les 9 chiffres"),
    ],
)
def test_the_page_says_what_the_register_says(annuaire, page, siren, sentence):
    assert sentence in plain(page.post(URL, {"siren": siren}))


def test_a_register_that_is_down_stops_nobody(annuaire, page):
    annuaire.days = ["garbage"]
    answer = page.post(URL, {"siren": RESTOS})
    assert answer.status_code == 200
    assert "ne répond pas pour l'instant. Continuez votre saisie" in plain(answer)


def test_inside_another_form_the_result_comes_alone(annuaire, page):
    answer = page.post(URL, {"siren": RESTOS}, headers={"HX-Request": "true"})
    assert "LES RESTAURANTS DU COEUR" in answer.text
    assert "<html" not in answer.text


def test_what_the_register_says_is_text(annuaire, page):
    FicheSirene.objects.create(
        siren=RESTOS, etat="ACTIVE", denomination="<script>alert(1)</script>", lue_le=timezone.now()
    )
    answer = page.post(URL, {"siren": RESTOS})
    assert "<script>alert" not in answer.text
    assert "&lt;script&gt;alert" in answer.text


def test_the_entites_beside_the_register(annuaire, page, django_assert_num_queries):
    for siren, nom in ((RESTOS, "Ouverte"), (FERMEE, "Fermée"), (VILLE, "Inconnue")):
        make_rattachement("44", entite=Entite.objects.create(siren=siren), nom=nom)
    make_rattachement("35", entite=Entite.objects.create(siren=POSTE), nom="Ailleurs")
    lookup(RESTOS)
    lookup(FERMEE)
    url = reverse("offre:repertoire")
    page.get(url)
    with django_assert_num_queries(12):
        text = plain(page.get(url))
    assert "3 entités" in text
    assert "LES RESTAURANTS DU COEUR" in text
    assert "Pas encore lue" in text
    anomalies = plain(page.get(url, {"etat": "anomalie"}))
    assert "1 entité" in anomalies
    assert "RED NEEDLES" in anomalies
    assert "1 entité" in plain(page.get(url, {"etat": "inconnue"}))
    assert "1 entité fermée ou absente au répertoire SIRENE" in plain(page.get("/"))
    for _ in range(20):
        make_rattachement("44")
    with django_assert_num_queries(12):
        page.get(url)


# --- The night, and the files -----------------------------------------------------------------------------------


def test_each_night_the_copies_older_than_a_day_are_read_again(annuaire):
    for siren in (RESTOS, FERMEE):
        Entite.objects.create(siren=siren)
    assert sirene.refresh() == {"lues": 2, "manquees": 0}
    assert sirene.refresh() == {"lues": 0, "manquees": 0}
    FicheSirene.objects.filter(siren=FERMEE).update(lue_le=timezone.now() - datetime.timedelta(days=2), etat="ACTIVE")
    assert sirene.refresh() == {"lues": 1, "manquees": 0}
    assert FicheSirene.objects.get(siren=FERMEE).etat == "CESSEE"


def test_a_night_without_the_api_stops_early(annuaire, monkeypatch):
    for _ in range(4):
        make_rattachement("44")
    monkeypatch.setattr(repertoire, "PANNE", 2)
    annuaire.days = ["garbage"] * 4
    assert sirene.refresh() == {"lues": 0, "manquees": 2}


UNITES = (
    "siren,statutDiffusionUniteLegale,dateCreationUniteLegale,sigleUniteLegale,denominationUniteLegale,"
    "categorieJuridiqueUniteLegale,etatAdministratifUniteLegale,activitePrincipaleUniteLegale\n"
    "400461356,O,1985-10-01,,LES RESTAURANTS DU COEUR,9220,A,88.99B\n"
    "839517323,O,2018-05-01,,RED NEEDLES,5499,C,70.22Z\n"
    "300025764,P,,,[ND],1000,A,\n"
    "356000000,O,1991-01-01,,LA POSTE,5510,A,53.10Z\n"
)
SIEGES = (
    "siren,siret,etablissementSiege,numeroVoieEtablissement,typeVoieEtablissement,libelleVoieEtablissement,"
    "codePostalEtablissement,libelleCommuneEtablissement,codeCommuneEtablissement\n"
    "400461356,40046135600011,false,1,RUE,ANCIENNE,75001,PARIS,75101\n"
    "400461356,40046135600029,true,42,RUE,DES EXEMPLES,75009,PARIS 9,75109\n"
)


def run(path, *options) -> str:
    out = io.StringIO()
    call_command("charger_sirene", str(path), *options, stdout=out)
    return out.getvalue()


def test_the_stock_files_are_the_offline_way(tmp_path):
    for siren in (RESTOS, FERMEE, PRIVEE, VILLE):
        Entite.objects.create(siren=siren)
    unites, sieges = tmp_path / "StockUniteLegale.csv", tmp_path / "StockEtablissement.csv"
    unites.write_text(UNITES)
    sieges.write_text(SIEGES)
    assert "nouvelles : 3" in run(unites)
    assert not FicheSirene.objects.exists()
    told = run(unites, "--appliquer")
    assert "absentes du fichier : 1" in told
    assert "Répétition" not in told
    assert "modifiées : 1" in run(sieges, "--appliquer")
    assert "inchangées : 3" in run(unites, "--appliquer")
    assert not FicheSirene.objects.filter(siren=POSTE).exists()
    restos = FicheSirene.objects.get(siren=RESTOS)
    assert (restos.denomination, restos.adresse, restos.siret_siege) == (
        "LES RESTAURANTS DU COEUR",
        "42 RUE DES EXEMPLES 75009 PARIS 9",
        "40046135600029",
    )
    assert FicheSirene.objects.get(siren=FERMEE).etat == "CESSEE"
    assert FicheSirene.objects.get(siren=PRIVEE).denomination == ""


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"\xff\xfe\x00"])
def test_another_file_is_refused(tmp_path, content):
    path = tmp_path / "autre.csv"
    path.write_bytes(content)
    with pytest.raises(CommandError):
        run(path)
    with pytest.raises(CommandError):
        run(tmp_path / "absent.csv")
