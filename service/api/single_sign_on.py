"""``/api/v1/session/oidc``: sign-in with the city's identity provider (OpenID Connect)."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

import structlog
from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.engine import Connection

from models.errors import SignOnError
from service.api.deps import ApiDeps, PublicDeps
from service.api.identity import IdentityProvider, random_text
from service.api.problems import ProblemError, problem_responses
from service.api.sessions import begin_session
from service.decisions.single_sign_on import Grant, grant_of, name_of
from service.store import audit, subscriptions, users
from service.store.audit import Action
from service.store.records import User

PATH = "/api/v1/session/oidc"
COOKIE = "streetwarden_oidc"
"""Binds the way back to the browser that began: state, nonce and verifier."""
COOKIE_S = 600
BY_PROVIDER = "oidc:"
"""Begins what stands for the password's hash of who signs in elsewhere: no password fits it."""

log = structlog.get_logger(__name__)
router = APIRouter(prefix=PATH, tags=["session"])


class WaysOut(BaseModel):
    """How people sign in at the page, besides by name and password or a key."""

    model_config = ConfigDict(json_schema_extra={"example": {"label": "City login"}})

    label: str | None = Field(description="Of the button; null: there is no other way.")


@router.get("/ways")
def ways(deps: PublicDeps) -> WaysOut:
    """Say whether there is single sign-on, and what its button says."""
    return WaysOut(label=None if deps.identity is None else deps.identity.choice.label)


@router.get(
    "", status_code=303, response_class=RedirectResponse, responses=problem_responses(404, 502)
)
def begin(deps: PublicDeps) -> RedirectResponse:
    """Send the browser to the identity provider."""
    state, nonce, verifier = random_text(), random_text(), random_text()
    try:
        address = _provider(deps).address(_way_back(deps), state, nonce, verifier)
    except SignOnError as error:
        raise _failed(error) from error
    answer = RedirectResponse(address, status_code=303)
    answer.set_cookie(
        COOKIE,
        f"{state}.{nonce}.{verifier}",
        max_age=COOKIE_S,
        path=PATH,
        httponly=True,
        samesite="lax",
        secure=deps.settings.is_https,
    )
    return answer


@router.get(
    "/callback",
    status_code=303,
    response_class=RedirectResponse,
    responses=problem_responses(404, 502),
)
def end(
    request: Request,
    deps: PublicDeps,
    state: Annotated[str, Query(max_length=200)] = "",
    code: Annotated[str, Query(max_length=4000)] = "",
) -> RedirectResponse:
    """Take the browser back from the identity provider, and begin a session."""
    provider = _provider(deps)
    parts = request.cookies.get(COOKIE, "").split(".")
    if len(parts) != 3 or not hmac.compare_digest(parts[0].encode(), state.encode()):
        raise ProblemError(
            403, "forbidden", "this sign-in was not begun in this browser: try again"
        )
    if not code:
        raise ProblemError(403, "forbidden", "the identity provider did not let you in")
    try:
        claims = provider.claims(code, _way_back(deps), nonce=parts[1], verifier=parts[2])
    except SignOnError as error:
        raise _failed(error) from error
    granted = grant_of(claims, provider.choice)
    if isinstance(granted, str):
        raise _refused(deps, claims, granted)
    answer = RedirectResponse("/", status_code=303)
    begin_session(deps, _user(deps, claims, granted), answer)
    answer.delete_cookie(COOKIE, path=PATH)
    return answer


def _provider(deps: ApiDeps) -> IdentityProvider:
    if deps.identity is None:
        raise ProblemError(404, "not-found", "there is no single sign-on here")
    return deps.identity


def _way_back(deps: ApiDeps) -> str:
    return f"{deps.settings.public_url}{PATH}/callback"


def _user(deps: ApiDeps, claims: Mapping[str, object], granted: Grant) -> User:
    """Who signed in, with the role and departments of today; made at the first time."""
    name, now = name_of(claims), deps.now()
    told = f"{claims['iss']}\n{claims['sub']}"
    mark = BY_PROVIDER + hashlib.sha256(told.encode()).hexdigest()
    with deps.database.write() as connection:
        found = users.password_of(connection, name)
        if found is None:
            made = users.add_user(connection, name, granted.role, granted.department_ids, mark, now)
            _note(connection, Action.USER_CREATED, made, now)
            found = made, mark
        user, stored = found
        if stored == mark and user.disabled_at is None:
            if (user.role, user.department_ids) != (granted.role, granted.department_ids):
                users.set_role(connection, user, granted.role, granted.department_ids)
                subscriptions.limit_owner(connection, f"user:{user.name}", granted.department_ids)
                _note(connection, Action.USER_CHANGED, users.get_user(connection, name), now)
            users.note_sign_in(connection, user, now)
            return users.get_user(connection, name)
    why = "is disabled" if stored == mark else "is the name of somebody else here"
    raise _refused(deps, claims, f"{name} {why}")


def _note(connection: Connection, action: Action, about: User, now: datetime) -> None:
    audit.append(
        connection,
        at=now,
        actor=f"user:{about.name}",
        action=action,
        subject=f"user:{about.name}",
        detail={"role": about.role, "department_ids": list(about.department_ids)},
    )


def _refused(deps: ApiDeps, claims: Mapping[str, object], why: str) -> ProblemError:
    """403, written to the audit log."""
    who = f"user:{name_of(claims)}"
    with deps.database.write() as connection:
        audit.append(
            connection,
            at=deps.now(),
            actor=who,
            action=Action.SIGN_IN_FAILED,
            subject=who,
            detail={},
        )
    return ProblemError(403, "forbidden", why)


def _failed(error: SignOnError) -> ProblemError:
    log.warning("single sign-on failed", reason=str(error))
    return ProblemError(502, "identity-provider", str(error))
