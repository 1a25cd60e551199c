"""What happens around the forms of situations: sessions that end, monsters, other methods (W18, W32, W35, W57)."""

import datetime

import pytest
from django.urls import reverse

from tests.comptes.fabrique import PASSWORD, client_of, words
from tests.menages.fabrique import chain_of, jour, make_menage, make_operateur, make_personne
from tests.situations.saisie import submit, typed

pytestmark = pytest.mark.django_db


@pytest.fixture
def menage():
    return make_menage()


@pytest.fixture
def rosa(menage):
    return make_personne(menage, "Rosa Exemple", depuis=100, parcours=[("VII.1", 100), ("I.3", 20)])


def url(menage) -> str:
    return reverse("ajouter_situation", args=[menage.pk])


def test_w32_after_forty_minutes_what_was_typed_comes_back_after_login(menage, rosa, time_machine):
    from django.utils import timezone

    agent = make_operateur().utilisateur
    agent.set_password(PASSWORD)
    agent.save()
    now = timezone.localtime().replace(hour=12)  # forty minutes later, it is still today
    time_machine.move_to(now, tick=False)
    client = client_of(agent)
    fields = typed([rosa], "III.1", jour(3), ouvert_par=client.stamp())
    time_machine.move_to(now + datetime.timedelta(minutes=40), tick=False)
    assert client.post(url(menage), fields).url.startswith(reverse("connexion"))
    answer = client.post(reverse("connexion"), {"username": agent.courriel, "password": PASSWORD})
    kept = client.get(answer.url).text
    for value in ("III.1", f"{jour(3):%d/%m/%Y}", f'name="jeton-{rosa.pk}"'):
        assert value in kept
    fields.pop("ouvert_par")
    assert submit(client, url(menage), fields).status_code == 302
    assert chain_of(rosa)[-1] == ("III.1", jour(3), None)


def test_w18_a_huge_field_or_ten_thousand_of_them_is_a_400_in_french(menage, rosa):
    client = client_of(make_operateur().utilisateur)
    client.raise_request_exception = False
    monsters = ({"note": "x" * 2_000_000}, {f"champ{n}": "x" for n in range(10_000)})
    for monster in monsters:
        body = {**typed([rosa], "III.1", jour(3)), **monster}
        from urllib.parse import urlencode

        answer = client.generic(
            "POST", url(menage), urlencode(body, doseq=True), content_type="application/x-www-form-urlencoded"
        )
        assert answer.status_code == 400
        assert '<html lang="fr"' in words(answer)
    assert len(chain_of(rosa)) == 2


def test_w35_other_methods_change_nothing(menage, rosa):
    client = client_of(make_operateur().utilisateur)
    for method in ("PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"):
        assert client.generic(method, url(menage)).status_code == 405
    overridden = client.get(url(menage), typed([rosa], "III.1", jour(3)), headers={"X-HTTP-Method-Override": "POST"})
    assert overridden.status_code == 200
    assert client.head(url(menage)).content == b""
    assert len(chain_of(rosa)) == 2


@pytest.mark.parametrize("pk", ["99999999999999999999", "-1", "1e3", "１２", "0"])
def test_w71_numbers_that_name_nothing(pk):
    client = client_of(make_operateur().utilisateur)
    for path in (f"/dossiers/{pk}/", f"/dossiers/{pk}/ajouter/", f"/personnes/{pk}/", f"/situations/{pk}/modifier/"):
        assert client.get(path).status_code == 404
