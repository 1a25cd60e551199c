"""An OpenID Connect provider that speaks like ProConnect, on loopback, and lies on demand.

Authorization code flow with client secret, codes worth one use, id token and userinfo both signed (RS256). No library
of the registry signs its userinfo or can be made to lie; PyJWT, which the product already uses, signs here too.
"""

import base64
import json
import secrets
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT_ID, CLIENT_SECRET = "siao", "secret du client, assez long pour HS256"


def new_key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class Fournisseur:
    def __init__(self):
        self.key, self.codes, self.tokens = new_key(), {}, {}
        self.agent = {"sub": "agent-1", "email": "agent@test.example", "given_name": "Ada", "usual_name": "Agent"}
        self.amr = ["pwd"]
        self.asked: dict[str, str] = {}
        """Parameters of the last authorization request."""
        self.lie_in_id_token: Callable[[dict], str] = self.sign
        self.lie_in_userinfo: Callable[[dict], str] = self.sign
        self.userinfo_type = "application/jwt"
        self.failing = False

    def sign(self, claims: dict, key=None, algorithm: str = "RS256", **headers) -> str:
        return jwt.encode(claims, key or self.key, algorithm=algorithm, headers={"kid": "1", **headers})

    @property
    def public_pem(self) -> bytes:
        return self.key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    # --- The protocol

    def authorize(self, query: dict[str, str]) -> str:
        self.asked = query
        code = secrets.token_urlsafe(16)
        self.codes[code] = query
        return query["redirect_uri"] + "?" + urlencode({"code": code, "state": query["state"]})

    def token(self, form: dict[str, str]) -> tuple[int, dict]:
        asked = self.codes.pop(form.get("code"), None)
        known = (form.get("client_id"), form.get("client_secret")) == (CLIENT_ID, CLIENT_SECRET)
        if self.failing or not asked or not known or asked["redirect_uri"] != form.get("redirect_uri"):
            return 400, {"error": "invalid_grant"}
        access = secrets.token_urlsafe(16)
        self.tokens[access] = dict(self.agent)
        claims = self.claims({"sub": self.agent["sub"], "nonce": asked.get("nonce"), "amr": self.amr})
        return 200, {"access_token": access, "token_type": "Bearer", "id_token": self.lie_in_id_token(claims)}

    def claims(self, own: dict) -> dict:
        now = int(time.time())
        return {"iss": self.url, "aud": CLIENT_ID, "iat": now, "exp": now + 60, **own}

    def jwks(self) -> dict:
        numbers = self.key.public_key().public_numbers()
        return {
            "keys": [
                {"kty": "RSA", "kid": "1", "use": "sig", "alg": "RS256", "n": _b64(numbers.n), "e": _b64(numbers.e)}
            ]
        }

    @contextmanager
    def serving(self):
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield self
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


def _b64(number: int) -> str:
    return base64.urlsafe_b64encode(number.to_bytes((number.bit_length() + 7) // 8, "big")).rstrip(b"=").decode()


def _handler(provider: Fournisseur):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            address = urlsplit(self.path)
            query = {key: values[0] for key, values in parse_qs(address.query).items()}
            if address.path == "/authorize":
                self.send_response(302)
                self.send_header("Location", provider.authorize(query))
                self.end_headers()
            elif address.path == "/jwks":
                self._send(200, "application/json", json.dumps(provider.jwks()))
            elif address.path == "/userinfo":
                agent = provider.tokens.get(self.headers["Authorization"].removeprefix("Bearer "))
                self._send(200, provider.userinfo_type, provider.lie_in_userinfo(provider.claims(agent)))

        def do_POST(self):
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            status, body = provider.token({key: values[0] for key, values in form.items()})
            self._send(status, "application/json", json.dumps(body))

        def _send(self, status, kind, body):
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *arguments):
            pass

    return Handler
