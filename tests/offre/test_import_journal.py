"""Each step of an import leaves its line in the journal, under the habilitation of who did it."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from comptes.models import EntreeJournal
from offre.models import Import
from offre.temps1 import travaux
from tests.classeurs import DISPOSITIF, PENSION, classeur, with_cell
from tests.comptes.fabrique import habilitation_of

pytestmark = pytest.mark.django_db


def lines() -> list[tuple]:
    """What the journal says of imports, the oldest first."""
    about = EntreeJournal.objects.filter(objet_type="offre.import").order_by("pk")
    return list(about.values_list("action", "habilitation", "objet_id", "resultat"))


def send(page, name: str, travail: Import, data: dict | None = None):
    return page.post(reverse(f"offre:{name}", args=[travail.pk]), data or {})


def deposit(page, content: bytes) -> Import:
    page.post(
        reverse("offre:temps1"),
        {"territoire": "departement-44", "fichier": SimpleUploadedFile("classeur.xlsx", content)},
    )
    travail = Import.objects.order_by("pk").last()
    travaux.read(travail.pk)
    return travail


def download(page, name: str, travail: Import) -> None:
    answer = page.get(reverse(f"offre:{name}", args=[travail.pk]))
    assert answer.status_code == 200
    assert b"".join(answer.streaming_content)


def test_each_step_leaves_one_line(page, chain, agent):
    chain.apply(classeur(dispositifs=[DISPOSITIF, PENSION]))
    habilitation = habilitation_of(agent).pk
    known = len(lines())

    def left() -> list[str]:
        nonlocal known
        new, known = lines()[known:], known + len(lines()[known:])
        assert {line[1:] for line in new} <= {(habilitation, str(travail.pk), "PERMIS")}
        return [line[0] for line in new]

    travail = deposit(page, classeur())
    assert left() == ["offre.deposer_classeur"]
    send(page, "decisions", travail, {"tous_ABSENT": "CONSERVER"})
    assert left() == ["offre.decider_ecarts"]
    send(page, "importer", travail)
    assert left() == ["offre.importer_classeur"]
    travaux.apply(travail.pk)
    send(page, "annuler", travail)
    assert left() == ["offre.annuler_import"]
    download(page, "original", travail)
    assert left() == ["offre:original"]


def test_the_annotated_workbook_leaves_one_line(page, chain):
    travail = chain.read(with_cell("Entités", "siren", "12345678"))
    travaux.annotate(travail.pk)
    before = len(lines())
    download(page, "annote", travail)
    assert [line[0] for line in lines()[before:]] == ["offre:annote"]


def test_what_is_refused_or_done_already_leaves_none(page, chain):
    content = classeur(dispositifs=[DISPOSITIF, PENSION])
    travail = chain.apply(content)
    smaller = classeur()
    absent = deposit(page, smaller)
    before = lines()
    send(page, "importer", absent)  # a decision is missing
    send(page, "importer", travail)  # imported already
    send(page, "decisions", travail, {"tous_ABSENT": "FERMER"})
    send(page, "annuler", absent)
    deposit(page, smaller)  # the same bytes
    assert lines() == before
