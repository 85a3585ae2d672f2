"""An OpenID Connect provider: authorization code with PKCE, and what its ID token says.

The token's signature, issuer, audience, times and nonce are checked by PyJWT and here.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Mapping
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

import httpx

from models.city import SingleSignOn
from models.errors import SetupError, SignOnError

TIMEOUT_S = 10.0
LEEWAY_S = 30.0
"""By which the clocks of the two machines may differ."""
SIGNED_WITH = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"]
"""Signatures of a key pair: an ID token must not be signed by what a client could know."""
_NEEDED = ["exp", "iat", "iss", "aud", "sub", "nonce"]


def random_text() -> str:
    """256 random bits, for a state, a nonce or a verifier."""
    return secrets.token_urlsafe(32)


class IdentityProvider:
    """Where people sign in; one for a process, used by several threads."""

    def __init__(self, choice: SingleSignOn, secret: str | None) -> None:
        try:
            import jwt
        except ImportError as error:
            raise SetupError("oidc needs the extra: pip install 'streetwarden[oidc]'") from error
        self._jwt = jwt
        self._secret = secret
        self.choice = choice

    def address(self, redirect_uri: str, state: str, nonce: str, verifier: str) -> str:
        """Where a browser goes to sign in; raises :class:`SignOnError`."""
        digest = hashlib.sha256(verifier.encode()).digest()
        query = {
            "response_type": "code",
            "client_id": self.choice.client_id,
            "redirect_uri": redirect_uri,
            "scope": "openid profile email",
            "state": state,
            "nonce": nonce,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        endpoint = str(self._metadata["authorization_endpoint"])
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"

    def claims(self, code: str, redirect_uri: str, nonce: str, verifier: str) -> Mapping[str, Any]:
        """What the provider says of who signed in; raises :class:`SignOnError`."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "client_id": self.choice.client_id,
            "code_verifier": verifier,
        }
        if self._secret is not None:
            form["client_secret"] = self._secret
        token = self._ask("POST", str(self._metadata["token_endpoint"]), form).get("id_token")
        if not isinstance(token, str):
            raise SignOnError("the provider gave no ID token")
        return self._checked(token, nonce)

    def _checked(self, token: str, nonce: str) -> Mapping[str, Any]:
        try:
            claims: Mapping[str, Any] = self._jwt.decode(
                token,
                self._keys.get_signing_key_from_jwt(token),
                algorithms=SIGNED_WITH,
                audience=self.choice.client_id,
                issuer=self.choice.issuer,
                leeway=LEEWAY_S,
                options={"require": _NEEDED},
            )
        except self._jwt.PyJWTError as error:
            raise SignOnError(f"the ID token does not hold: {error}") from error
        if not secrets.compare_digest(str(claims["nonce"]), nonce):
            raise SignOnError("the ID token is of another sign-in")
        if claims.get("azp", self.choice.client_id) != self.choice.client_id:
            raise SignOnError("the ID token was made for another client")
        return claims

    @cached_property
    def _metadata(self) -> Mapping[str, Any]:
        url = f"{self.choice.issuer.rstrip('/')}/.well-known/openid-configuration"
        found = self._ask("GET", url)
        needed = {"issuer", "authorization_endpoint", "token_endpoint", "jwks_uri"}
        if not needed <= found.keys() or found["issuer"] != self.choice.issuer:
            raise SignOnError(f"{url} is not the description of {self.choice.issuer}")
        return found

    @cached_property
    def _keys(self) -> Any:
        return self._jwt.PyJWKClient(str(self._metadata["jwks_uri"]), timeout=TIMEOUT_S)

    def _ask(self, method: str, url: str, form: Mapping[str, str] | None = None) -> dict[str, Any]:
        try:
            answer = httpx.request(method, url, data=form, timeout=TIMEOUT_S)
            answer.raise_for_status()
            found = answer.json()
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            # Without the answer, which may hold a token.
            raise SignOnError(f"the provider gave no answer: {type(error).__name__}") from error
        if not isinstance(found, dict):
            raise SignOnError("the provider's answer is no object")
        return found
