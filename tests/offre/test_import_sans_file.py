"""The queue is only a wake-up call: lost, emptied, or full of a file that kills, every import ends."""

import os
import signal
import time

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from comptes.droits import Profil
from comptes.models import Habilitation
from offre.actions.imports import deposit
from offre.models import Dispositif, Financement, Import
from offre.models.imports import Etat
from offre.temps1.travaux import ATTEMPTS, LOCK_TRAVAIL
from siao.socle.database import held
from tests.classeurs import classeur, departement
from tests.comptes.fabrique import make_utilisateur
from tests.installation import resume, wait_until
from tests.visite import Visiteur

from .inventaire import classeur_invente

TEMPS1 = reverse("offre:temps1")
TERRITOIRES = [f"{number:02d}" for number in range(40, 60)]

DELAYS = {"short": {}, "product": {"RECONCILE_EVERY": "30", "FORGOTTEN_AFTER": "10"}}


def pytest_generate_tests(metafunc):
    if "delays" in metafunc.fixturenames:
        every = metafunc.config.getoption("interruptions") > 1
        metafunc.parametrize("delays", DELAYS if every else ["short"])


def test_twenty_imports_end_when_redis_is_emptied(base_reelle, site_isole, delays, record_property, request):
    """Within a minute, of a machine that does nothing else: that of ``make crash``."""
    alone = request.config.getoption("interruptions") > 1
    site = site_isole
    site.worker.stop()
    site.redis.client.flushall()
    auteur = make_utilisateur(None)
    for code in TERRITOIRES:
        Habilitation.objects.create(utilisateur=auteur, profil=Profil.ADMIN_DEPARTEMENTAL, departement_id=code)
        _deposit(auteur, code, classeur_invente(code))
        site.queue("read_import", Import.objects.get(departement=code).pk)
    assert site.redis.client.llen("celery") == len(TERRITOIRES)
    site.redis.client.flushall()
    with site.worker.restarted_with(**DELAYS[delays]):
        start = time.monotonic()
        wait_until(
            lambda: Import.objects.filter(etat=Etat.PRET).count() == len(TERRITOIRES),
            "all are read",
            60 if alone else 600,
        )
        figure = f"{len(TERRITOIRES)} imports, queue emptied, {delays} delays: {time.monotonic() - start:.1f} s"
    record_property("figure", figure)


def _deposit(auteur, code: str, content: bytes) -> Import:
    file = SimpleUploadedFile("classeur.xlsx", content)
    habilitation = Habilitation.objects.get(utilisateur=auteur, departement=code)
    return deposit(auteur=habilitation, territoire=departement(code), fichier=file, nom=file.name).travail


def test_a_file_that_kills_its_worker_is_given_up_and_the_others_are_served(base_reelle, site):
    site.stop_at("P6")  # before the worker may begin: each of its passes counts
    poison = _deposit(make_utilisateur(), "44", classeur())
    others = [_deposit(make_utilisateur(departement_id=code), code, classeur_invente(code)) for code in ("35", "49")]
    deaths = 0
    while deaths < ATTEMPTS:
        pid = site.stopped_at("P6")
        poisoned = held(LOCK_TRAVAIL) == {poison.pk}
        deaths += poisoned
        if deaths < ATTEMPTS:
            site.stop_at("P6")
        os.kill(pid, signal.SIGKILL if poisoned else signal.SIGCONT)
    site.wait_until_calm()
    poison.refresh_from_db()
    assert (poison.etat, poison.tentatives) == (Etat.ECHEC, ATTEMPTS)
    assert set(Import.objects.filter(pk__in=[other.pk for other in others]).values_list("etat", flat=True)) == {"PRET"}
    page = Visiteur(site.url, poison.depose_par).get(poison.get_absolute_url())
    assert "Échec technique" in page.text
    assert "Rien n&#x27;a été modifié" in page.text


def test_a_failed_import_can_be_tried_again_with_the_same_file(base_reelle, site):
    content = classeur()
    failed = _deposit(make_utilisateur(), "44", content)
    site.wait_until_calm()
    Import.objects.filter(pk=failed.pk).update(etat=Etat.ECHEC, tentatives=ATTEMPTS)
    (site.files / failed.fichier.name).unlink()
    Visiteur(site.url, failed.depose_par).post(TEMPS1, {"territoire": "departement-44"}, fichier=content)
    site.wait_until_calm()
    again = Import.objects.get()
    assert (again.pk, again.etat) == (failed.pk, Etat.PRET)
    assert (site.files / again.fichier.name).read_bytes() == content


def test_postgresql_restarts_in_the_middle_of_a_big_import(base_reelle, site_isole):
    """I95: at row 2 500 of 2 800."""
    site = site_isole
    usager = Visiteur(site.url, make_utilisateur())
    content = classeur_invente(entites=200, dispositifs=1000, financements=1600)
    page = usager.post(TEMPS1, {"territoire": "departement-44"}, fichier=content)
    site.wait_until_calm()
    site.stop_at("P7", 2500)
    usager.post(f"{page.url}importer/")
    writer = site.stopped_at("P7")
    site.postgresql.stop_at_once()
    site.repair()
    assert not Dispositif.objects.exists()
    resume(writer)
    site.wait_until_calm()
    assert Import.objects.get().etat == Etat.IMPORTE
    assert (Dispositif.objects.count(), Financement.objects.count()) == (1000, 1600)


# --- Redis away ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["dead", "frozen", "full"])
def test_without_redis_pages_and_deposits_work_and_the_import_ends_when_it_is_back(base_reelle, site_isole, how):
    site = site_isole
    usager = Visiteur(site.url, make_utilisateur())
    usager.get("/")
    if how == "dead":
        site.redis.kill()
    elif how == "frozen":
        os.kill(site.redis.pid, signal.SIGSTOP)
    else:
        site.redis.client.config_set("maxmemory", 1)
    start = time.monotonic()
    page = usager.post(TEMPS1, {"territoire": "departement-44"}, fichier=classeur())
    assert time.monotonic() - start < 5
    assert (page.status, page.url) == (200, Import.objects.get().get_absolute_url())
    for path in ("/", TEMPS1, reverse("offre:dispositifs"), page.url):
        assert usager.get(path).status == 200
    assert Import.objects.get().etat == Etat.DEPOSE
    resume(site.redis.pid)
    if not site.redis.alive:
        site.redis.start()
    site.redis.client.config_set("maxmemory", 0)

    def read() -> bool:
        site.repair()  # Celery ends when a full Redis refuses a message that it has just taken; it is started again
        return Import.objects.get().etat == Etat.PRET

    wait_until(read, "the import is read", logs=site.worker.log)


def test_a_worker_that_ends_its_work_while_redis_is_frozen_takes_the_next(base_reelle, site_isole):
    site = site_isole
    usager = Visiteur(site.url, make_utilisateur())
    site.stop_at("P6")  # where only the reading of this file passes: a call left by another test stops before
    usager.post(TEMPS1, {"territoire": "departement-44"}, fichier=classeur())
    reader = site.stopped_at("P6")
    os.kill(site.redis.pid, signal.SIGSTOP)
    resume(reader)
    first = Import.objects.get()
    wait_until(lambda: Import.objects.get().etat == Etat.PRET, "the first import is read", logs=site.worker.log)
    # This deposit gives up calling the worker after 2 s; by then so would the worker, of its acknowledgement.
    neighbour = Visiteur(site.url, make_utilisateur(departement_id="35"))
    neighbour.post(TEMPS1, {"territoire": "departement-35"}, fichier=classeur())
    assert Import.objects.exclude(pk=first.pk).get().etat == Etat.DEPOSE
    resume(site.redis.pid)
    read = Import.objects.exclude(pk=first.pk, etat=Etat.DEPOSE)
    wait_until(read.exists, "the second import is read", logs=site.worker.log)


def test_a_deposit_right_after_a_restart_of_redis_is_called_at_once(base_reelle, site_isole):
    """The web server does not keep a dead connection for its next call."""
    site = site_isole
    usager = Visiteur(site.url, make_utilisateur())
    usager.post(TEMPS1, {"territoire": "departement-44"}, fichier=classeur())
    site.wait_until_calm()
    site.redis.kill_and_empty()
    site.repair()
    site.worker.stop()
    before = site.redis.client.llen("celery")
    usager.post(TEMPS1, {"territoire": "departement-44"}, fichier=classeur(financements=[]))
    assert site.redis.client.llen("celery") == before + 1
