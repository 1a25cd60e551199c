"""What nobody types in the searches and the addresses of the lists: read to the letter, never an error."""

import pytest
from django.urls import reverse

from comptes.droits import Profil
from tests.comptes.fabrique import client_of, make_utilisateur

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("query", ["page=2&page=1", "q[]=a", "q=a&q=b", "tri=nom&tri=-nom"])
def test_w70_parameters_given_twice_or_as_lists_open_the_page(query):
    browser = client_of(make_utilisateur(Profil.ADMIN_SIAO))
    for name in ("comptes", "offre:dispositifs", "offre:entites", "offre:places"):
        assert browser.get(f"{reverse(name)}?{query}").status_code == 200, name


@pytest.mark.parametrize("typed", ["%", "_", "\\", "'", "\x00", "a" * 10_000, "🏠", "(a+)+$"])
def test_w38_a_search_is_read_to_the_letter(typed):
    browser = client_of(make_utilisateur(Profil.ADMIN_SIAO))
    for name in ("offre:dispositifs", "offre:entites", "offre:places", "comptes"):
        assert browser.get(reverse(name), {"q": typed}).status_code == 200, name
