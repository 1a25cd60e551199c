"""The files of imports: a storage that fails, how long they are kept, and what the nightly check takes away."""

import datetime
import errno
import io
import os
import resource
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from offre.models import Contenu, Dispositif, Import
from offre.models.imports import ANNOTATIONS, Etat
from offre.temps1 import travaux
from offre.temps1.fichiers import verify
from tests.classeurs import ENTITE, PENSION, classeur, with_cell
from tests.comptes.fabrique import words

pytestmark = pytest.mark.django_db
WRONG = ("Entités", "siren", "1")


@contextmanager
def disk_full():
    """Let no file grow past 1 000 bytes: the kernel itself refuses the rest (EFBIG)."""
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, usual[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)


def age(hours: int = 2) -> None:
    """Make the stored files older."""
    for path in stored():
        old = path.stat().st_mtime - hours * 3600
        os.utime(path, (old, old))


def stored() -> list[Path]:
    return list(Path(default_storage.path("temps1")).iterdir())


def names() -> set[str]:
    return {f"temps1/{path.name}" for path in stored()}


def ago(**delta) -> datetime.datetime:
    return timezone.now() - datetime.timedelta(**delta)


# --- A storage that fails -----------------------------------------------------------------------------------------


def test_a_full_disk_refuses_the_deposit_in_french_and_leaves_nothing(page, chain):
    waiting = chain.read()
    file = SimpleUploadedFile("classeur.xlsx", classeur(dispositifs=[PENSION], financements=[]))
    with disk_full():
        answer = page.post(reverse("offre:temps1"), {"territoire": "departement-44", "fichier": file})
    assert answer.status_code == 200
    assert "l'espace de stockage est plein ou injoignable. Rien n'a changé" in words(answer)
    waiting.refresh_from_db()
    assert waiting.etat == Etat.PRET
    age()
    verify(apply=True)
    assert names() == {Import.objects.get().fichier.name}


def test_a_file_that_cannot_be_read_any_more_is_given_up_then_deposited_again(page, chain):
    content = classeur()
    travail = chain.deposit(content)
    default_storage.delete(travail.fichier.name)
    for _ in range(travaux.ATTEMPTS):
        with pytest.raises(FileNotFoundError):
            travaux.read(travail.pk)
    travaux.read(travail.pk)
    travail.refresh_from_db()
    assert travail.etat == Etat.ECHEC
    assert "Le traitement s'est interrompu plusieurs fois. Rien n'a été modifié" in words(
        page.get(travail.get_absolute_url())
    )
    assert page.get(reverse("offre:original", args=[travail.pk])).status_code == 404
    assert chain.read(content).pk == travail.pk
    assert Import.objects.get().etat == Etat.PRET


def test_a_full_disk_costs_the_annotated_workbook_and_nothing_else(page, chain, monkeypatch):
    travail = chain.read(with_cell(*WRONG))
    with monkeypatch.context() as patch:
        patch.setattr(default_storage, "_save", _no_space)
        for _ in range(ANNOTATIONS):
            with pytest.raises(OSError, match="No space left"):
                travaux.annotate(travail.pk)
    travaux.annotate(travail.pk)
    travail.refresh_from_db()
    assert (travail.etat, travail.annote) == (Etat.A_CORRIGER, "")
    assert not Import.objects.waiting().exists()
    text = words(page.get(travail.get_absolute_url()))
    assert "1 erreur" in text
    assert "classeur annoté se prépare" not in text
    age()
    verify(apply=True)
    assert names() == {travail.fichier.name}


def _no_space(name, content):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


# --- The nightly check ----------------------------------------------------------------------------------------------


def test_a_file_that_no_import_names_goes_once_it_cannot_be_a_deposit_in_progress(chain):
    travail = chain.read(with_cell(*WRONG))
    travaux.annotate(travail.pk)
    travail.refresh_from_db()
    orphan = default_storage.save("temps1/orphelin", ContentFile(b"x"))
    assert verify(apply=True).orphelins == []
    age()
    assert verify(apply=False).orphelins == [orphan]
    assert orphan in names()
    assert verify(apply=True).orphelins == [orphan]
    assert names() == {travail.fichier.name, travail.annote.name}


def test_a_lost_file_is_reported_and_its_import_left_as_it_is(chain):
    travail = chain.deposit()
    default_storage.delete(travail.fichier.name)
    assert verify(apply=True).perdus == [travail]
    travail.refresh_from_db()
    assert travail.fichier


def test_what_a_process_killed_while_it_wrote_a_workbook_leaves_goes_too(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    killed, writing, other = (tmp_path / name for name in ("siao-classeur-a", "siao-classeur-b", "autre"))
    for folder in (killed, writing, other):
        folder.mkdir()
        (folder / "lignes").write_text("Camille Exemple")
    for folder in (killed, other):
        os.utime(folder, (0, 0))
    verify(apply=True)
    assert [killed.exists(), writing.exists(), other.exists()] == [False, True, True]


@pytest.mark.parametrize(
    ("etat", "applied", "kept", "gone"),
    [
        (Etat.IMPORTE, True, 89, 91),
        (Etat.REMPLACE, True, 89, 91),
        (Etat.ANNULE, True, 89, 91),
        (Etat.REFUSE, False, 29, 31),
        (Etat.A_CORRIGER, False, 29, 31),
        (Etat.PRET, False, 29, 31),
        (Etat.ECHEC, False, 29, 31),
        (Etat.REMPLACE, False, 29, 31),
        (Etat.DEPOSE, False, 400, None),
        (Etat.A_APPLIQUER, False, 400, None),
        (Etat.A_ANNULER, True, 400, None),
    ],
)
def test_files_are_kept_90_days_after_the_import_and_30_without(page, chain, agent, etat, applied, kept, gone):
    travail = chain.deposit()
    rows = Import.objects.filter(pk=travail.pk)

    def check_on_day(day: int) -> None:
        when = {"change_le": ago(days=day), "applique_le": ago(days=day) if applied else None}
        bilan = {"erreurs": 1} if etat == Etat.A_CORRIGER else {}
        rows.update(etat=etat, bilan=bilan, applique_par=agent if applied else None, **when)
        verify(apply=True)

    check_on_day(kept)
    assert names() == {travail.fichier.name}
    if gone:
        check_on_day(gone)
        assert names() == set()
        assert not rows.get().fichier
        text = words(page.get(travail.get_absolute_url()))
        assert "effacé depuis" in text
        assert page.get(reverse("offre:original", args=[travail.pk])).status_code == 404


def test_what_an_undo_needs_is_kept_as_long_as_it_is_possible(chain):
    first = chain.apply()
    second = chain.apply(classeur([ENTITE], [PENSION], []), tous={"ABSENT": "CONSERVER"})
    Import.objects.update(applique_le=ago(days=800), change_le=ago(days=800))
    Import.objects.filter(pk=second.pk).update(applique_le=ago(days=799))
    verify(apply=True)
    assert names() == set()
    second.refresh_from_db()
    assert chain.undo(second).etat == Etat.ANNULE
    first.refresh_from_db()
    assert chain.undo(first).etat == Etat.ANNULE
    assert not Dispositif.objects.exists()
    assert verify(apply=True).contenus == 0
    Import.objects.update(change_le=ago(days=31))
    assert verify(apply=True).contenus == 2
    assert not Contenu.objects.exists()


def test_the_same_bytes_are_stored_again_after_their_time(chain):
    content = with_cell(*WRONG)
    travail = chain.read(content)
    Import.objects.update(change_le=ago(days=31))
    verify(apply=True)
    again = chain.read(content)
    assert (again.pk, again.etat) == (travail.pk, Etat.A_CORRIGER)
    with again.fichier.open() as file:
        assert file.read() == content


def test_a_check_that_is_interrupted_is_ended_by_the_next_one(chain, monkeypatch):
    chain.deposit()
    Import.objects.update(etat=Etat.REFUSE, change_le=ago(days=31))
    with monkeypatch.context() as patch:
        patch.setattr(default_storage, "delete", lambda name: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            verify(apply=True)
    assert stored()
    age()
    verify(apply=True)
    assert not stored()


def test_the_command_rehearses_by_default_and_tells_of_lost_files(chain):
    default_storage.save("temps1/orphelin", ContentFile(b"x"))
    age()
    assert _run() == (0, 1)
    assert _run() == (0, 1)
    assert _run("--appliquer") == (0, 1)
    assert _run() == (0, 0)
    travail = chain.deposit()
    default_storage.delete(travail.fichier.name)
    assert _run() == (1, 0)


def _run(*options) -> tuple[int, int]:
    """Exit code, and number of files that no import names."""
    out = io.StringIO()
    with pytest.raises(SystemExit) as end:
        call_command("verifier_fichiers", *options, stdout=out)
    line = next(line for line in out.getvalue().splitlines() if line.startswith("fichiers qu'aucun"))
    return end.value.code, int(line.rpartition(" ")[2])
