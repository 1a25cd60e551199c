import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from comptes.droits import Profil
from offre.actions.imports import decide, deposit, request_import, request_undo
from offre.models import Import
from offre.temps1 import travaux
from tests.classeurs import classeur, departement
from tests.comptes.fabrique import client_of, habilitation_of, make_utilisateur


@pytest.fixture
def agent():
    """An Administrateur départemental of 44."""
    return make_utilisateur(Profil.ADMIN_DEPARTEMENTAL)


@pytest.fixture
def page(agent):
    """The browser of ``agent``."""
    return client_of(agent)


class Chain:
    """The steps of an import, worker included, in the test's own process; a worker of the site may be faster."""

    def __init__(self, agent):
        self.agent = agent

    def deposit(self, content: bytes | None = None, *, territoire=None, nom="classeur.xlsx", **options) -> Import:
        content = classeur() if content is None else content
        depot = deposit(
            auteur=habilitation_of(options.get("auteur", self.agent)),
            territoire=territoire or departement(),
            fichier=SimpleUploadedFile(nom, content),
            nom=nom,
        )
        return depot.travail

    def read(self, content: bytes | None = None, **options) -> Import:
        travail = self.deposit(content, **options)
        travaux.carry_out(travaux.read, travail.pk)
        travail.refresh_from_db()
        return travail

    def apply(self, content: bytes | None = None, *, tous: dict | None = None, **options) -> Import:
        travail = self.read(content, **options)
        assert travail.etat == "PRET", travail.motif or list(travail.anomalies.values_list("message", flat=True))
        auteur = habilitation_of(options.get("auteur", self.agent))
        decide(auteur=auteur, travail=travail, decisions={}, pour_tous=tous or {})
        request_import(auteur=auteur, travail=travail)
        travaux.carry_out(travaux.apply, travail.pk)
        travail.refresh_from_db()
        return travail

    def undo(self, travail: Import) -> Import:
        request_undo(auteur=habilitation_of(self.agent), travail=travail)
        travaux.carry_out(travaux.undo, travail.pk)
        travail.refresh_from_db()
        return travail


@pytest.fixture
def chain(agent):
    return Chain(agent)
