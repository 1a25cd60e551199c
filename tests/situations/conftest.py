import pytest

from tests.comptes.fabrique import client_of
from tests.menages.fabrique import make_menage, make_operateur, make_personne


@pytest.fixture
def menage():
    return make_menage()


@pytest.fixture
def rosa(menage):
    return make_personne(menage, "Rosa Exemple", depuis=100, parcours=[("VII.1", 100), ("I.3", 20)])


@pytest.fixture
def operateur(menage):
    return client_of(make_operateur().utilisateur)
