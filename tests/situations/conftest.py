import pytest

from tests.requetes import strict_queries


@pytest.fixture(autouse=True)
def _strict_queries():
    with strict_queries():
        yield
