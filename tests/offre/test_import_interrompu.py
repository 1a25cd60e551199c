"""An import survives the death of any of its processes, anywhere: ten kill points × who dies there.

One run of each of the forty cells here; ``make crash`` makes ten of each and prints the table. Each run starts from an
offre that the workbook partly changes, partly closes, partly completes, and ends in one of two bases: as before, or
as after the whole import. Passes and variants are drawn; the seed is that of pytest-randomly, printed at the start.
"""

import concurrent.futures
import http.client
import os
import random
import signal
import time

import pytest
from django.db import transaction
from django.urls import reverse

from offre.models import Import
from offre.models.imports import Decision, Etat, Nature
from offre.models.nomenclature import Statut
from offre.temps1.application import apply_plan
from offre.temps1.lecture import read_file
from offre.temps1.plan import compute_plan
from offre.temps1.travaux import save_plan
from tests.classeurs import departement
from tests.comptes.fabrique import make_utilisateur
from tests.installation import Installation, children, resume, wait_until
from tests.visite import Visiteur

from .inventaire import classeur_invente, inventaire

PASSES = {"P1": 1, "P2": 2, "P3": 2, "P4": 2, "P5": 2, "P6": 2, "P7": 80, "P8": 1, "P9": 2, "P10": 1}
"""How many times one import passes each point, at least."""

KINDS = ("processus", "travailleur", "postgresql", "redis")
"""Who dies: the process that is at the point, the worker that is its parent, PostgreSQL, Redis with all it held."""

SMALL = {"entites": 10, "dispositifs": 30, "financements": 60}
BIG = {"entites": 30, "dispositifs": 120, "financements": 250}
"""What the sandbox says of it does not hold in a pipe: it is alive when it is struck."""

WEB = ("P1", "P2", "P3")

NETWORK = (OSError, http.client.HTTPException)
PRET, IMPORTE, EN_MACHINE = "Importer</button>", "Annuler cet import", "Vous pouvez quitter cette page"
"""What the page of an import says when it is ready, imported, in the hands of the worker."""


class Interrupted(Exception):
    """The site did not answer to an action."""


def strike(site: Installation, point: str, pid: int, qui: str, variant: bool) -> None:
    """Kill ``qui`` while the process ``pid`` is stopped at ``point``; let it go on if it is not the one."""
    if qui == "processus" and point == "P5" and variant:
        (sandbox,) = children(pid)
        os.kill(sandbox, signal.SIGKILL)
    elif qui == "processus":
        os.kill(pid, signal.SIGKILL)
    elif qui == "travailleur":
        site.worker.kill()
        if variant:
            # The one that worked for it goes on by itself, beside the worker that takes its place.
            site.repair()
        elif point not in WEB:
            os.kill(pid, signal.SIGKILL)
    elif qui == "postgresql":
        site.postgresql.stop_at_once()
        if variant:
            site.repair()
    else:
        site.redis.kill_and_empty()
        if variant:
            site.repair()
    resume(pid)


def pytest_generate_tests(metafunc):
    if "essai" in metafunc.fixturenames:
        metafunc.parametrize("essai", range(metafunc.config.getoption("interruptions")))


@pytest.mark.parametrize("qui", KINDS)
@pytest.mark.parametrize("point", PASSES)
def test_all_or_nothing(base_reelle, site_isole, tmp_path, request, record_property, point, qui, essai):
    record_property("point", point)
    record_property("qui", qui)
    rng = random.Random(f"{random.random()} {request.node.nodeid}")
    passes, variant = rng.randint(1, PASSES[point]), rng.random() < 0.5
    request.node.add_report_section("call", "drawn", f"{point}:{passes} {qui}{' (variant)' if variant else ''}")
    sizes = BIG if point == "P5" else SMALL
    nothing, everything = _before_and_after(tmp_path, sizes)
    usager = Usager(Visiteur(site_isole.url, make_utilisateur()), sizes)
    site_isole.stop_at(point, passes)
    with concurrent.futures.ThreadPoolExecutor(1) as thread:
        visit = thread.submit(usager.import_all)
        pid = site_isole.stopped_at(point)
        start = time.monotonic()
        strike(site_isole, point, pid, qui, variant)
        site_isole.repair()
        visit.result()
    site_isole.wait_until_calm()
    record_property("seconds", time.monotonic() - start)

    # The failure alone: one base or the other, and nothing that waits for nobody.
    found = inventaire()
    assert found == (everything if _imported() else nothing)
    assert not Import.objects.filter(etat=Etat.ECHEC).exists()

    # Then the user comes back, and ends what the failure may have interrupted.
    assert usager.import_all()
    site_isole.wait_until_calm()
    travail = _imported()
    assert inventaire() == everything
    with travail.fichier.open() as kept:
        assert kept.read() == usager.classeur
    assert travail.annote.size
    assert 1 <= _mails_about(site_isole, travail) <= 2


@pytest.mark.parametrize("qui", ["processus", "postgresql"])
def test_an_undo_is_all_or_nothing_too(base_reelle, site_isole, tmp_path, qui):
    _, everything = _before_and_after(tmp_path, SMALL)
    before = inventaire(versions=False)
    usager = Usager(Visiteur(site_isole.url, make_utilisateur()), SMALL)
    assert usager.import_all()
    travail = _imported()
    site_isole.stop_at("P7", 3)
    usager.visiteur.post(reverse("offre:annuler", args=[travail.pk]))
    pid = site_isole.stopped_at("P7")
    assert inventaire() == everything
    strike(site_isole, "P7", pid, qui, variant=False)
    site_isole.repair()
    site_isole.wait_until_calm()
    travail.refresh_from_db()
    assert travail.etat == Etat.ANNULE
    assert inventaire(versions=False) == before


def _before_and_after(tmp_path, sizes: dict) -> tuple[dict, dict]:
    """Write an offre; return it, and what the import of ``classeur_invente(seed=1)`` must make of it."""
    _apply(tmp_path, 0, sizes)
    nothing = inventaire()
    with transaction.atomic():
        _apply(tmp_path, 1, sizes)
        everything = inventaire()
        transaction.set_rollback(True)
    return nothing, everything


_LECTURES = {}


def _apply(tmp_path, seed: int, sizes: dict) -> None:
    """What an import of the workbook does, without workbook: its rows are read once."""
    territoire, auteur = departement(), make_utilisateur()
    key = (seed, *sizes.values())
    if key not in _LECTURES:
        path = tmp_path / "classeur"
        path.write_bytes(classeur_invente(seed=seed, **sizes))
        _LECTURES[key] = read_file(path, territoire)
    lecture = _LECTURES[key]
    plan = compute_plan(lecture.rows, lecture.numbers, ["44"], statut=Statut.VALIDE, previous={})
    travail = Import.objects.create(departement=territoire, taille=0, statut_vise=Statut.VALIDE, depose_par=auteur)
    save_plan(travail, plan, warnings=0)
    travail.ecarts.filter(nature=Nature.ABSENT).update(decision=Decision.FERMER)
    ecarts = list(travail.ecarts.all())
    apply_plan(ecarts, lecture.rows, auteur=auteur, statut=Statut.VALIDE, aujourdhui=territoire.aujourdhui)
    travail.delete()


def _imported() -> Import | None:
    return Import.objects.filter(etat=Etat.IMPORTE).first()


def _mails_about(site: Installation, travail: Import) -> int:
    return sum(mail.read_text().count(travail.get_absolute_url()) for mail in site.mails.iterdir())


class Usager:
    """Imports a workbook, page by page. When an action fails, they give up; they reload a page that does not come."""

    def __init__(self, visiteur: Visiteur, sizes: dict):
        self.visiteur, self.classeur = visiteur, classeur_invente(seed=1, **sizes)

    def import_all(self) -> bool:
        """Deposit, decide, import, read the report. Returns whether the report came."""
        try:
            page = self._done(reverse("offre:temps1"), {"territoire": "departement-44"}, fichier=self.classeur)
            page = self._until_it_waits_for_me(page)
            if PRET in page.text:
                decisions = {f"tous_{Nature.ABSENT}": Decision.FERMER}
                self._done(f"{page.url}decisions/", decisions)
                page = self._until_it_waits_for_me(self._done(f"{page.url}importer/"))
        except Interrupted:
            return False
        return IMPORTE in page.text

    def _done(self, path: str, fields: dict | None = None, **files):
        try:
            page = self.visiteur.post(path, fields, **files)
        except NETWORK as error:
            raise Interrupted from error
        if page.status != 200:
            assert page.status == 503
            raise Interrupted
        return page

    def _until_it_waits_for_me(self, page):
        def reloaded():
            try:
                found = self.visiteur.get(page.url)
            except NETWORK:
                return None
            return found if found.status == 200 and EN_MACHINE not in found.text else None

        return wait_until(reloaded, f"{page.url} waits for its user")
