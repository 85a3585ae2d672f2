"""A small OpenID Connect provider on loopback: everybody who comes is signed in as its person."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.serving import running

CLIENT, SECRET = "streetwarden", "client-secret"
KEY = ec.generate_private_key(ec.SECP256R1())
OTHER_KEY = ec.generate_private_key(ec.SECP256R1())


class Provider(ThreadingHTTPServer):
    """What it says may be changed by a test."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.person: dict[str, Any] = {
            "sub": "person-1",
            "preferred_username": "Li Wei",
            "realm_access": {"roles": ["crews", "offline_access"]},
            "departments": ["traffic"],
        }
        self.claims: dict[str, Any] = {}
        """In place of the right ones of the ID token."""
        self.signing: dict[str, Any] = {"key": KEY, "algorithm": "ES256"}
        self.metadata: dict[str, Any] = {}
        self.asked: dict[str, dict[str, str]] = {}
        """Authorization requests by their code."""

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/realms/city"

    def token(self, nonce: str) -> str:
        now = int(time.time())
        right = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 60, "nonce": nonce}
        claims = {**right, **self.person, **self.claims}
        left = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(left, **self.signing, headers={"kid": "k1"})


class _Handler(BaseHTTPRequestHandler):
    server: Provider

    def do_GET(self) -> None:
        issuer = self.server.issuer
        url = urlsplit(self.path)
        if url.path.endswith("/.well-known/openid-configuration"):
            names = {
                "authorization_endpoint": "auth",
                "token_endpoint": "token",
                "jwks_uri": "jwks",
            }
            told = {name: f"{issuer}/{path}" for name, path in names.items()}
            self._answer({"issuer": issuer, **told, **self.server.metadata})
        elif url.path.endswith("/jwks"):
            public = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(KEY.public_key()))
            self._answer({"keys": [public | {"kid": "k1", "use": "sig", "alg": "ES256"}]})
        else:
            asked = dict(parse_qsl(url.query))
            code = f"code-{len(self.server.asked)}"
            self.server.asked[code] = asked
            back = urlencode({"code": code, "state": asked["state"]})
            self.send_response(302)
            self.send_header("Location", f"{asked['redirect_uri']}?{back}")
            self.end_headers()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = {name: values[0] for name, values in parse_qs(body).items()}
        asked = self.server.asked.pop(form["code"], None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        is_right = (
            asked is not None
            and asked["code_challenge_method"] == "S256"
            and asked["code_challenge"] == challenge
            and asked["redirect_uri"] == form["redirect_uri"]
            and (form["client_id"], form["client_secret"]) == (CLIENT, SECRET)
        )
        if asked is None or not is_right:
            self._answer({"error": "invalid_grant"}, 400)
        else:
            self._answer({"access_token": "a", "id_token": self.server.token(asked["nonce"])})

    def _answer(self, document: object, status: int = 200) -> None:
        content = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Keep the output of tests readable."""


@contextmanager
def providing() -> Iterator[Provider]:
    """A provider on a free port."""
    with running(Provider()) as server:
        yield server
