"""Several people, several clicks, several workers on one territory: real web server, real workers."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.urls import reverse
from django.utils import timezone

from offre.models import Dispositif, Import
from offre.models.imports import Etat
from tests.classeurs import DISPOSITIF, PENSION, classeur
from tests.comptes.fabrique import make_utilisateur
from tests.installation import DEADLINE, resume, somebody_waits_for_a_lock, wait_until
from tests.visite import Page, Visiteur

from .inventaire import classeur_invente

TEMPS1 = reverse("offre:temps1")


@pytest.fixture
def usager(base_reelle, site):
    """Makes people who may import the workbook of 44."""
    return lambda: Visiteur(site.url, make_utilisateur())


def deposit(visiteur: Visiteur, content: bytes, territoire: str = "departement-44") -> Page:
    return visiteur.post(TEMPS1, {"territoire": territoire}, fichier=content)


def ready(visiteur: Visiteur, site, content: bytes) -> Import:
    """Deposit a workbook and wait until it is read."""
    deposit(visiteur, content)
    site.wait_until_calm()
    return Import.objects.get(etat=Etat.PRET)


def url(name: str, travail: Import) -> str:
    return reverse(f"offre:{name}", args=[travail.pk])


def together(*actions) -> list:
    """What each of the actions gives, done at once in threads. They speak to the site, not to the database."""
    with ThreadPoolExecutor(len(actions)) as threads:
        return [future.result() for future in [threads.submit(action) for action in actions]]


def test_the_same_bytes_ten_times_at_once_are_one_import(usager, site):
    content = classeur()
    usagers = [usager() for _ in range(10)]
    pages = together(*(lambda usager=usager: deposit(usager, content) for usager in usagers))
    travail = Import.objects.get()
    assert {(page.status, page.url) for page in pages} == {(200, travail.get_absolute_url())}
    assert sum("identique à celui de l&#x27;import" in page.text for page in pages) == 9
    site.wait_until_calm()
    assert len(list((site.files / "temps1").iterdir())) == Import.objects.count()


def test_a_double_click_on_each_button_acts_once(usager, site):
    camille = usager()
    content = classeur()
    pages = together(*[lambda: deposit(camille, content)] * 2)
    travail = Import.objects.get()
    assert {page.url for page in pages} == {travail.get_absolute_url()}
    site.wait_until_calm()

    pages = together(*[lambda: camille.post(url("importer", travail))] * 2)
    assert [page.status for page in pages] == [200, 200]
    site.wait_until_calm()
    travail.refresh_from_db()
    assert travail.etat == Etat.IMPORTE
    assert Dispositif.objects.get().version == 1

    together(*[lambda: camille.post(url("annuler", travail))] * 2)
    site.wait_until_calm()
    travail.refresh_from_db()
    assert travail.etat == Etat.ANNULE
    assert not Dispositif.objects.exists()


def test_a_call_delivered_to_two_workers_applies_once(usager, site, request):
    """What happens to a job that lasts longer than the visibility timeout of the queue."""
    travail = ready(usager(), site, classeur())
    second = site.program("second", "celery", "--app", "siao", "worker", "--concurrency", "1", LOG_LEVEL="INFO")
    request.addfinalizer(second.stop)
    site.stop_at("P7", 2)
    Visiteur(site.url, travail.depose_par).post(url("importer", travail))
    first = site.stopped_at("P7")
    second.start()
    site.queue("apply_import", travail.pk)
    wait_until(lambda: "apply_import" in site.done_by(second), "the second worker ends the same call", logs=second.log)
    assert not Dispositif.objects.exists()
    resume(first)
    site.wait_until_calm()
    travail.refresh_from_db()
    assert travail.etat == Etat.IMPORTE
    assert Dispositif.objects.get().version == 1


def test_a_second_file_takes_the_place_of_the_first_while_it_is_read(usager, site):
    camille, dominique = usager(), usager()
    site.stop_at("P6")
    deposit(camille, classeur(dispositifs=[DISPOSITIF, PENSION]))
    first = Import.objects.get()
    reader = site.stopped_at("P6")
    page = deposit(dominique, classeur())
    assert page.status == 200
    resume(reader)
    site.wait_until_calm()
    second = Import.objects.exclude(pk=first.pk).get()
    first.refresh_from_db()
    assert (first.etat, first.remplace_par, second.etat) == (Etat.REMPLACE, second, Etat.PRET)

    camille.post(url("importer", first))
    dominique.post(url("importer", second))
    site.wait_until_calm()
    assert list(Dispositif.objects.values_list("nom", flat=True)) == [DISPOSITIF["nom"]]


def test_a_second_file_waits_for_the_end_of_the_first_when_it_is_being_written(usager, site):
    camille, dominique = usager(), usager()
    first = ready(camille, site, classeur())
    site.stop_at("P7")
    camille.post(url("importer", first))
    writer = site.stopped_at("P7")
    content = classeur(dispositifs=[DISPOSITIF, PENSION])
    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(deposit, dominique, content)
        wait_until(somebody_waits_for_a_lock, "the deposit waits for the import")
        resume(writer)
        page = waiting.result()
    assert page.url != first.get_absolute_url()
    site.wait_until_calm()
    second = Import.objects.get(etat=Etat.PRET)
    dominique.post(url("importer", second))
    site.wait_until_calm()
    first.refresh_from_db()
    assert (first.etat, first.remplace_par) == (Etat.REMPLACE, second)
    assert sorted(Dispositif.objects.values_list("nom", "version")) == [(DISPOSITIF["nom"], 1), (PENSION["nom"], 1)]


def test_a_deposit_does_not_wait_for_ever(usager, site):
    camille, dominique = usager(), usager()
    first = ready(camille, site, classeur())
    site.stop_at("P7")
    camille.post(url("importer", first))
    writer = site.stopped_at("P7")
    page = deposit(dominique, classeur(dispositifs=[DISPOSITIF, PENSION]))
    assert (page.status, page.url) == (200, TEMPS1)
    assert "est en train d&#x27;être enregistré : réessayez dans une minute" in page.text
    resume(writer)
    site.wait_until_calm()
    assert Import.objects.get().etat == Etat.IMPORTE


@pytest.mark.parametrize(("call", "point"), [(1, "P6"), (2, "P7")])
def test_the_command_waits_for_the_worker_that_took_its_work(base_reelle, site, tmp_path, request, call, point):
    """Each call of the command wakes the worker up too, which may be the first of the two to begin."""
    path, auteur = tmp_path / "classeur.xlsx", make_utilisateur()
    path.write_bytes(classeur())
    options = ["--departement", "44", "--utilisateur", auteur.courriel, "--appliquer", "--json"]
    command = site.program("command", "django", "importer_temps1", path, *options)
    request.addfinalizer(command.stop)
    site.stop_at("P3", call)
    site.stop_at(point)
    command.start()
    asking = site.stopped_at("P3")
    working = site.stopped_at(point)
    site.stop_at("P4", 2)
    resume(asking)
    assert site.stopped_at("P4") == asking  # it asks for the second time
    resume(working)
    site.wait_until_calm()
    resume(asking)
    assert command.process.wait(DEADLINE) == 0
    assert '"etat": "importe"' in command.log.read_text()
    assert Import.objects.get().etat == Etat.IMPORTE


def test_of_two_people_at_once_the_one_who_loses_is_told_by_whom_and_when(usager, site):
    camille, dominique = usager(), usager()
    files = classeur_invente(seed=1), classeur_invente(seed=2)
    pages = together(lambda: deposit(camille, files[0]), lambda: deposit(dominique, files[1]))
    assert [page.status for page in pages] == [200, 200]
    site.wait_until_calm()
    lost, won = Import.objects.order_by("pk")
    assert (lost.etat, lost.remplace_par, won.etat) == (Etat.REMPLACE, won, Etat.PRET)
    loser = camille if lost.depose_par == camille.utilisateur else dominique
    text = " ".join(loser.get(lost.get_absolute_url()).text.split())
    assert f"déposé par {won.depose_par} le {timezone.localtime(won.depose_le):%d/%m/%Y à %H:%M}" in text
    assert "rien de ce fichier n'est dans la base" in text
