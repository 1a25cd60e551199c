"""The list of accounts, its search and its export; one account: rename, disable, call back, reset."""

import csv
import datetime
import io

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice

from comptes.droits import Profil
from comptes.models import EntreeJournal, Session, Utilisateur
from tests.comptes.fabrique import client_of, habilite, make_utilisateur, words
from tests.offre.fabrique import make_dispositif, make_rattachement

pytestmark = pytest.mark.django_db
URL = reverse("comptes")


@pytest.fixture
def admin():
    return make_utilisateur(Profil.ADMIN_SIAO)


@pytest.fixture
def page(admin):
    return client_of(admin)


@pytest.fixture
def ecoutant():
    return make_utilisateur(Profil.ECOUTANT_115)


def rename(utilisateur, prenom, nom):
    Utilisateur.objects.filter(pk=utilisateur.pk).update(prenom=prenom, nom=nom)


def test_shows_lower_ranks_of_the_perimeter_and_nobody_else(page, ecoutant):
    shown = [ecoutant, make_utilisateur(Profil.ANALYSTE)]
    hidden = [
        make_utilisateur(Profil.ADMIN_SIAO),  # same rank
        make_utilisateur(Profil.ADMIN_DEPARTEMENTAL),  # above
        make_utilisateur(Profil.ECOUTANT_115, departement_id="35"),  # elsewhere
        make_utilisateur(Profil.ANALYSTE, region_id="52"),  # wider than the département
        make_utilisateur(None),
    ]
    text = words(page.get(URL))
    assert all(utilisateur.courriel in text for utilisateur in shown)
    assert not any(utilisateur.courriel in text for utilisateur in hidden)


def test_the_state_sees_every_siao_of_its_departement_and_a_siao_only_itself(db):
    from django.contrib.auth.models import Group

    from comptes.models import Siao

    Siao.objects.create(
        code="44-B", nom="Second SIAO", departement_id="44", groupe=Group.objects.create(name="SIAO 44-B")
    )
    second = make_utilisateur(Profil.ECOUTANT_115, siao_id="44-B")
    assert second.courriel in words(client_of(make_utilisateur(Profil.ADMIN_DEPARTEMENTAL)).get(URL))
    assert second.courriel not in words(client_of(make_utilisateur(Profil.ADMIN_SIAO)).get(URL))


def test_searches_names_and_addresses_literally(page, ecoutant):
    rename(ecoutant, "Élodie", "Le_Goff 100%")
    other = make_utilisateur(Profil.OPERATEUR_SIAO)
    for words_typed in ("elodie", "LE_GOFF", "100%", "le_goff élodie", ecoutant.courriel[:8]):
        text = words(page.get(URL, {"q": words_typed}))
        assert ecoutant.courriel in text, words_typed
    for words_typed in ("%", "_", "elodie"):
        assert other.courriel not in words(page.get(URL, {"q": words_typed}))


@pytest.mark.parametrize("typed", ["\\", "'", "a\x00b", "x" * 5_000, "🙂", "(a+)+$", "'; DROP TABLE", "<script>"])
def test_any_search_is_harmless(page, ecoutant, typed):
    answer = page.get(URL, {"q": typed})
    assert answer.status_code == 200
    assert ecoutant.courriel not in words(answer)


def test_filters_by_profil_and_state(page, ecoutant):
    operateur = make_utilisateur(Profil.OPERATEUR_SIAO)
    Utilisateur.objects.filter(pk=operateur.pk).update(is_active=False, last_login=timezone.now())
    soon = make_utilisateur(Profil.OPERATEUR_SIAO, date_fin=timezone.localdate() + timezone.timedelta(days=5))
    expected = {
        "profil=ECOUTANT_115": {ecoutant},
        "etat=desactives": {operateur},
        "etat=invites": {ecoutant, soon},
        "etat=actifs": {ecoutant, soon},
        "etat=finissent": {soon},
        "profil=ADMIN_NATIONAL": set(),  # not one of the choices
    }
    for query, found in expected.items():
        text = words(page.get(f"{URL}?{query}"))
        assert {u for u in (ecoutant, operateur, soon) if u.courriel in text} == found, query


def test_as_many_queries_at_1_row_as_at_20(page):
    association = make_rattachement("44")

    def queries(rows: int) -> int:
        for _ in range(rows):
            agent = make_utilisateur(Profil.TRAVAILLEUR_SOCIAL, objets=[make_dispositif(association)])
            habilite(agent, Profil.ECOUTANT_115)
        with CaptureQueriesContext(connection) as context:
            assert page.get(URL).status_code == 200
        return len(context)

    page.get(URL)
    assert queries(1) == queries(19)


def test_pages_are_of_fifty_and_the_export_has_everybody(page):
    for _ in range(60):
        make_utilisateur(Profil.ECOUTANT_115)
    assert "60 comptes" in words(page.get(URL))
    assert words(page.get(URL)).count("@test.example") == 50
    assert words(page.get(f"{URL}?page=2")).count("@test.example") == 10
    assert page.get(f"{URL}?page=zzz").status_code == 200

    answer = page.get(reverse("exporter_comptes"))
    content = b"".join(answer.streaming_content).decode("utf-8-sig")
    lines = list(csv.reader(io.StringIO(content), delimiter=";"))
    assert lines[0] == ["Nom", "Prénom", "Adresse courriel", "Habilitations", "État", "Dernière connexion"]
    assert len(lines) == 61
    assert answer["Content-Disposition"].startswith("attachment")
    assert EntreeJournal.objects.order_by("-pk").values_list("action", "nombre").first() == ("exporter_comptes", 60)


def test_the_export_runs_no_formula_and_follows_the_search(page, ecoutant):
    rename(ecoutant, "@SUM(A1)", "=HYPERLINK(1)")
    make_utilisateur(Profil.OPERATEUR_SIAO)
    content = b"".join(page.get(reverse("exporter_comptes"), {"q": "hyperlink"}).streaming_content).decode("utf-8-sig")
    assert "'=HYPERLINK(1);'@SUM(A1);" in content
    assert len(content.strip().splitlines()) == 2


def test_one_account_and_its_rename(page, ecoutant, admin):
    address = reverse("modifier_compte", args=[ecoutant.pk])
    assert ecoutant.courriel in words(page.get(reverse("compte", args=[ecoutant.pk])))
    empty = page.post(address, {"prenom": "Louise", "nom": ""})
    assert empty.status_code == 200
    assert 'value="Louise"' in empty.text
    page.post(address, {"prenom": "Louise", "nom": "<script>alert(1)</script>", "is_superuser": "1"})
    ecoutant.refresh_from_db()
    assert (ecoutant.prenom, ecoutant.is_superuser) == ("Louise", False)
    assert "<script>alert" not in page.get(reverse("compte", args=[ecoutant.pk])).text
    assert "<script>alert" not in page.get(URL).text


def test_disabling_ends_every_session_at_once_and_can_be_undone(page, ecoutant):
    elsewhere = client_of(ecoutant)
    elsewhere.get(reverse("accueil"))
    assert Session.objects.filter(session_key=elsewhere.session.session_key).exists()
    address = reverse("desactiver_compte", args=[ecoutant.pk])
    assert "ne pourra plus se connecter" in words(page.get(address))
    assert Utilisateur.objects.get(pk=ecoutant.pk).is_active  # the page asks first
    page.post(address)
    assert not Utilisateur.objects.get(pk=ecoutant.pk).is_active
    assert not Session.objects.filter(utilisateur=ecoutant).exists()
    assert elsewhere.get(reverse("accueil")).status_code == 302

    assert "Désactivé" in words(page.get(reverse("compte", args=[ecoutant.pk])))
    page.post(reverse("reactiver_compte", args=[ecoutant.pk]))
    assert Utilisateur.objects.get(pk=ecoutant.pk).is_active


def test_a_reset_forgets_password_second_factor_and_sessions(page, ecoutant):
    ecoutant.set_password("une phrase assez longue")
    ecoutant.save()
    TOTPDevice.objects.create(user=ecoutant, name="Application", confirmed=True)
    elsewhere = client_of(ecoutant)
    page.post(reverse("reinitialiser_compte", args=[ecoutant.pk]))
    ecoutant.refresh_from_db()
    assert not ecoutant.has_usable_password()
    assert not TOTPDevice.objects.filter(user=ecoutant).exists()
    assert elsewhere.get(reverse("accueil")).status_code == 302


def test_nor_is_an_account_that_will_have_one(page, ecoutant):
    tomorrow = timezone.localdate() + datetime.timedelta(days=1)
    habilite(ecoutant, Profil.ADMIN_DEPARTEMENTAL, departement_id="35", date_debut=tomorrow)
    answer = page.post(reverse("reinitialiser_compte", args=[ecoutant.pk]))
    assert "que vous ne gérez pas" in words(answer)


def test_an_account_with_a_habilitation_of_others_is_not_theirs_to_close(page, ecoutant):
    habilite(ecoutant, Profil.ADMIN_DEPARTEMENTAL, departement_id="35")
    assert "que vous ne gérez pas" in words(page.get(reverse("compte", args=[ecoutant.pk])))
    for name in ("desactiver_compte", "reactiver_compte", "reinitialiser_compte"):
        answer = page.post(reverse(name, args=[ecoutant.pk]))
        assert "Rien n'a été modifié" in words(answer), name
    renamed = page.post(reverse("modifier_compte", args=[ecoutant.pk]), {"prenom": "X", "nom": "Y"})
    assert "que vous ne gérez pas" in words(renamed)
    ecoutant.refresh_from_db()
    assert (ecoutant.is_active, ecoutant.prenom) == (True, "Agent")


def test_accents_and_capitals_do_not_change_the_order(page, admin):
    for nom in ("Zoé", "écoutant", "Tardieu", "Édouard", "auban"):
        agent = make_utilisateur(Profil.ECOUTANT_115)
        Utilisateur.objects.filter(pk=agent.pk).update(nom=nom, prenom=nom[::-1])
    Utilisateur.objects.filter(pk=admin.pk).update(nom="Aa", prenom="Aa")

    def order(address: str, names) -> list[str]:
        text = client_text(page, address)
        return sorted(names, key=text.index)

    expected = ["auban", "écoutant", "Édouard", "Tardieu", "Zoé"]
    for address in (reverse("comptes"), reverse("comptes") + "?tri=nom", reverse("exporter_comptes")):
        assert order(address, expected) == expected
    assert order(reverse("comptes") + "?tri=-nom", expected) == expected[::-1]
    first_names = ["drauodÉ", "éoZ", "nabua", "tnatuocé", "ueidraT"]
    assert order(reverse("comptes") + "?tri=prenom", first_names) == first_names


def client_text(page, address: str) -> str:
    answer = page.get(address)
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return body.decode("utf-8-sig")
