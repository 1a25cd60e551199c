"""What nobody types in the searches and the addresses of the lists: read to the letter, never an error."""

from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from django.urls import reverse

from comptes.droits import Profil
from comptes.models import Utilisateur
from siao.middleware import LONGEST_ADDRESS
from tests.comptes.fabrique import client_of, make_utilisateur, words
from tests.offre.fabrique import make_dispositif, make_rattachement

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


@pytest.mark.parametrize(("typed", "found"), [("%", "100% solidaire"), ("_", "le_relais"), ("\\", "Port\\Rive")])
def test_w38_what_means_something_to_the_database_means_itself(typed, found):
    names = ("100% solidaire", "le_relais", "Port\\Rive", "Sans signe")
    for name in names:
        make_dispositif(make_rattachement("44", nom=name), nom=f"{name} de nuit")
        agent = make_utilisateur(Profil.ECOUTANT_115)
        Utilisateur.objects.filter(pk=agent.pk).update(nom=name)
    browser = client_of(make_utilisateur(Profil.ADMIN_SIAO))
    for page in ("offre:dispositifs", "offre:entites", "comptes"):
        shown = words(browser.get(reverse(page), {"q": typed}))
        assert [name for name in names if name in shown] == [found], page


def test_an_address_too_long_is_refused_in_french(caplog):
    browser = client_of(make_utilisateur(Profil.ADMIN_SIAO))
    address = reverse("offre:dispositifs")
    for query, status in ((LONGEST_ADDRESS - len(f"{address}?q="), 200), (LONGEST_ADDRESS, 414)):
        assert browser.get(address, {"q": "a" * query}).status_code == status
    refused = browser.get(address, {"q": "Rosa" + "é" * 10_000})
    assert refused.status_code == 414
    assert "Rosa" not in caplog.text  # what was searched for stays out of the logs
    assert "Cette adresse est trop longue" in words(refused)
    assert "Numéro de la demande" in refused.text


def test_the_web_server_leaves_the_refusal_to_the_page(site):
    with pytest.raises(HTTPError) as refused:
        urlopen(f"{site.url}{reverse('connexion')}?q={'a' * 50_000}")  # noqa: S310
    assert refused.value.code == 414
    page = refused.value.read().decode()
    assert "Cette adresse est trop longue" in page
    assert "Numéro de la demande" in page
