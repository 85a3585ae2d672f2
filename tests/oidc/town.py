"""A dispatch service with an identity provider."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from models.city import SingleSignOn
from service.api.app import create_app
from service.api.deps import ApiDeps
from service.api.identity import IdentityProvider
from service.store import audit
from tests.oidc.provider import CLIENT, SECRET, Provider, providing
from tests.support.dispatch import Service, migrated, running_service, tls

SESSION = "/api/v1/session"
BEGIN = f"{SESSION}/oidc"
ROLES = {"crews": "crew", "leaders": "dispatcher", "it": "admin"}
Browser = httpx.Client


@dataclass(frozen=True, kw_only=True)
class Town:
    """A service with an identity provider."""

    provider: Provider
    service: Service

    @contextmanager
    def browser(self) -> Iterator[Browser]:
        with Browser(base_url=self.service.url, verify=tls(), follow_redirects=True) as browser:
            yield browser

    def actions(self) -> list[str]:
        with self.service.deps.database.read() as connection:
            return [each.action for each in audit.entries(connection)]


def rules(issuer: str = "http://127.0.0.1", **changes: Any) -> SingleSignOn:
    choice = SingleSignOn(
        issuer=issuer,
        client_id=CLIENT,
        roles=ROLES,
        role_claim="realm_access.roles",
        department_claim="departments",
        label="City login",
    )
    return replace(choice, **changes)


@contextmanager
def running_town(folder: Path) -> Iterator[Town]:
    """Both on loopback, on an empty database."""
    with providing() as provider, migrated("sqlite", folder) as database:
        identity = IdentityProvider(rules(provider.issuer), SECRET)

        def make(deps: ApiDeps) -> FastAPI:
            return create_app(replace(deps, identity=identity))

        with running_service(database, folder, make) as service:
            yield Town(provider=provider, service=service)
