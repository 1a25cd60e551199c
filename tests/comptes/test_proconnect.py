"""ProConnect: the agents' login, against a real provider on loopback that also lies in every way it can."""

import json
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
import requests
from django.urls import reverse
from django_otp.plugins.otp_totp.models import TOTPDevice

from comptes.droits import Profil
from comptes.models import EntreeJournal, Utilisateur
from tests.comptes.fabrique import make_utilisateur, words
from tests.comptes.fournisseur import CLIENT_ID, CLIENT_SECRET, Fournisseur, new_key
from tests.navigateur import Navigateur

pytestmark = pytest.mark.django_db
DEPART, RETOUR, ACCUEIL = reverse("proconnect_depart"), reverse("proconnect_retour"), reverse("accueil")


@pytest.fixture
def provider(settings):
    with Fournisseur().serving() as provider:
        settings.OIDC_RP_CLIENT_ID, settings.OIDC_RP_CLIENT_SECRET = CLIENT_ID, CLIENT_SECRET
        settings.OIDC_OP_ISSUER = provider.url
        settings.OIDC_OP_AUTHORIZATION_ENDPOINT = f"{provider.url}/authorize"
        settings.OIDC_OP_TOKEN_ENDPOINT = f"{provider.url}/token"
        settings.OIDC_OP_USER_ENDPOINT = f"{provider.url}/userinfo"
        settings.OIDC_OP_JWKS_ENDPOINT = f"{provider.url}/jwks"
        settings.OIDC_OP_LOGOUT_ENDPOINT = f"{provider.url}/session/end"
        yield provider


@pytest.fixture
def agent():
    agent = make_utilisateur(Profil.ADMIN_DEPARTEMENTAL)
    agent.courriel = "agent@test.example"
    agent.save()
    return agent


def go(browser, suite="") -> str:
    """Leave for the provider and come back to the address that it sends to (not yet asked for)."""
    away = browser.get(DEPART, {"next": suite} if suite else {}).url
    back = requests.get(away, allow_redirects=False, timeout=60).headers["Location"]
    assert back.startswith(f"http://testserver{RETOUR}?")
    return back.removeprefix("http://testserver")


def test_off_until_its_settings_are_there(client):
    assert client.get(DEPART).status_code == 404
    assert client.get(RETOUR).status_code == 404
    assert "ProConnect" not in client.get(reverse("connexion")).text


def test_an_invited_agent_logs_in_and_is_known_by_their_sub_afterwards(client, provider, agent):
    assert "S'identifier avec ProConnect" in words(client.get(reverse("connexion")))
    answer = client.get(go(client, suite=reverse("mon_compte")))
    assert answer.url == reverse("mon_compte")
    assert client.get(ACCUEIL).status_code == 200
    agent.refresh_from_db()
    assert agent.sub_proconnect == "agent-1"
    assert len(provider.asked["state"]) >= 32
    assert len(provider.asked["nonce"]) >= 32
    assert json.loads(provider.asked["claims"]) == {"id_token": {"amr": {"essential": True}}}

    provider.agent["email"] = "nouveau.nom@test.example"  # married since: the sub is what counts
    again = Navigateur()
    assert again.get(go(again)).url == ACCUEIL


def test_a_second_factor_given_there_counts_here(client, provider, agent, settings):
    settings.SECOND_FACTOR_REQUIRED = True
    client.get(go(client))
    assert client.get(reverse("comptes")).status_code == 302
    provider.amr = ["pwd", "mfa"]
    strong = Navigateur()
    strong.get(go(strong))
    assert strong.get(reverse("comptes")).status_code == 200


def test_the_application_of_the_account_is_asked_when_proconnect_asked_no_second_factor(client, provider, agent):
    TOTPDevice.objects.create(user=agent, name="Application", confirmed=True)
    assert client.get(go(client)).url == reverse("connexion_code")
    assert client.get(ACCUEIL).status_code == 302


def test_logging_out_ends_the_session_there_too_and_the_next_login_asks_for_a_click(client, provider, agent):
    client.get(go(client))
    away = urlsplit(client.post(reverse("deconnexion")).url)
    query = parse_qs(away.query)
    assert f"{away.scheme}://{away.netloc}{away.path}" == f"{provider.url}/session/end"
    assert jwt.decode(query["id_token_hint"][0], options={"verify_signature": False})["sub"] == "agent-1"
    assert query["post_logout_redirect_uri"] == ["http://testserver" + reverse("connexion")]
    assert client.get(reverse("connexion")).status_code == 200  # a page, not a new departure


def test_never_leaves_the_site_afterwards(client, provider, agent):
    assert client.get(go(client, suite="//evil.example")).url == ACCUEIL


# --- Forged callbacks -------------------------------------------------------------------------------------------


def with_claims(**changed):
    def forge(provider):
        provider.lie_in_id_token = lambda claims: provider.sign({**claims, **changed})

    return forge


def without(claim):
    def forge(provider):
        provider.lie_in_id_token = lambda claims: provider.sign({k: v for k, v in claims.items() if k != claim})

    return forge


def alg_none(provider):
    provider.lie_in_id_token = lambda claims: jwt.encode(claims, None, algorithm="none", headers={"kid": "1"})


def hs256_with_the_public_key(provider):
    import base64
    import hashlib
    import hmac

    def forge(claims):
        def part(data):
            return base64.urlsafe_b64encode(json.dumps(data).encode()).rstrip(b"=").decode()

        body = f"{part({'alg': 'HS256', 'typ': 'JWT', 'kid': '1'})}.{part(claims)}"
        signature = hmac.new(provider.public_pem, body.encode(), hashlib.sha256).digest()
        return f"{body}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"

    provider.lie_in_id_token = forge


def another_key(provider):
    stranger = new_key()
    provider.lie_in_id_token = lambda claims: provider.sign(claims, key=stranger)


def unknown_kid(provider):
    provider.lie_in_id_token = lambda claims: provider.sign(claims, kid="2")


def not_a_token(provider):
    provider.lie_in_id_token = lambda claims: "pas.un.jeton"


def unsigned_userinfo(provider):
    provider.userinfo_type = "application/json"
    provider.lie_in_userinfo = json.dumps


def userinfo_signed_by_another_key(provider):
    stranger = new_key()
    provider.lie_in_userinfo = lambda claims: provider.sign(claims, key=stranger)


def userinfo_of_somebody_else(provider):
    provider.lie_in_userinfo = lambda claims: provider.sign({**claims, "sub": "agent-2"})


def userinfo_for_another_client(provider):
    provider.lie_in_userinfo = lambda claims: provider.sign({**claims, "aud": "autre"})


def broken_provider(provider):
    provider.failing = True


FORGED = {
    "nonce": with_claims(nonce="x" * 32),
    "no nonce": without("nonce"),
    "audience": with_claims(aud="un-autre-client"),
    "no audience": without("aud"),
    "issuer": with_claims(iss="https://evil.example"),
    "no issuer": without("iss"),
    "expired": with_claims(exp=1_000_000_000),
    "no expiry": without("exp"),
    "not yet valid": with_claims(nbf=4_000_000_000),
    "no sub": without("sub"),
    "alg=none": alg_none,
    "HS256 with the public key": hs256_with_the_public_key,
    "signed by another key": another_key,
    "unknown key id": unknown_kid,
    "not a token": not_a_token,
    "unsigned userinfo": unsigned_userinfo,
    "userinfo signed by another key": userinfo_signed_by_another_key,
    "userinfo of somebody else": userinfo_of_somebody_else,
    "userinfo for another client": userinfo_for_another_client,
    "token refused": broken_provider,
}


def assert_not_logged_in(browser, answer):
    assert answer.status_code == 403
    assert "ProConnect n'ouvre aucun compte ici" in words(answer)
    assert "Numéro de la demande" in answer.text
    assert browser.get(ACCUEIL).status_code == 302
    last = EntreeJournal.objects.order_by("-pk").first()
    assert (last.action, last.resultat) == ("connexion_proconnect", "REFUSE")


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED)
def test_a_forged_answer_logs_nobody_in(client, provider, agent, forge, record_property):
    forge(provider)
    assert_not_logged_in(client, client.get(go(client)))
    assert Utilisateur.objects.get(pk=agent.pk).sub_proconnect is None
    record_property("retours forgés refusés", 1)


def test_a_state_of_ours_is_needed_and_is_worth_one_try(client, provider, agent):
    back = go(client)
    for forged in (back.replace("state=", "state=x"), RETOUR, f"{RETOUR}?code=x", f"{RETOUR}?error=access_denied"):
        assert_not_logged_in(client, client.get(forged))
    victim = Navigateur()
    assert_not_logged_in(victim, victim.get(back))  # the state of another browser

    assert client.get(back).url == ACCUEIL
    replayed = Navigateur()
    replayed.cookies = client.cookies
    client.post(reverse("deconnexion"))
    assert_not_logged_in(replayed, replayed.get(back))  # same code, same state


def test_a_code_played_again_under_a_new_state_is_refused(client, provider, agent):
    back = go(client)
    code = parse_qs(urlsplit(back).query)["code"][0]
    client.get(back)
    attacker = Navigateur()
    fresh = go(attacker)
    state = parse_qs(urlsplit(fresh).query)["state"][0]
    assert_not_logged_in(attacker, attacker.get(RETOUR, {"code": code, "state": state}))


def test_the_same_address_under_another_sub_is_somebody_else(client, provider, agent):
    client.get(go(client))
    provider.agent["sub"] = "agent-2"
    thief = Navigateur()
    assert_not_logged_in(thief, thief.get(go(thief)))
    agent.refresh_from_db()
    assert agent.sub_proconnect == "agent-1"


@pytest.mark.parametrize("courriel", ["inconnue@test.example", "", "AGENT@test.example.evil.example"])
def test_nobody_is_created(client, provider, agent, courriel):
    provider.agent["email"] = courriel
    before = Utilisateur.objects.count()
    assert_not_logged_in(client, client.get(go(client)))
    assert Utilisateur.objects.count() == before


def test_a_disabled_account_stays_closed(client, provider, agent):
    Utilisateur.objects.filter(pk=agent.pk).update(is_active=False, sub_proconnect="agent-1")
    assert_not_logged_in(client, client.get(go(client)))


def test_what_the_provider_says_of_a_name_is_not_taken(client, provider, agent):
    provider.agent["given_name"] = "<script>alert(1)</script>"
    client.get(go(client))
    assert "<script>alert" not in client.get(ACCUEIL).text
    agent.refresh_from_db()
    assert agent.prenom == "Agent"
