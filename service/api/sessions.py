"""``/api/v1/session``: sign-in of the browser page, by name and password or with an API key."""

from __future__ import annotations

from datetime import datetime, timedelta

from fastapi import APIRouter, Request, Response

from service.api import sign_in as signing_in
from service.api.deps import (
    SESSION_COOKIE,
    ApiDeps,
    CanRead,
    Deps,
    PublicDeps,
    check_origin,
    principal_of,
    unauthorized,
)
from service.api.forms import SessionIn
from service.api.guards import forbidden
from service.api.problems import problem_responses
from service.api.session_views import SessionOut, WhoOut, session_out, who_out
from service.decisions.access import Permission, Role, may, roles_with
from service.store import access, audit
from service.store.audit import Action
from service.store.records import ApiKey, User

router = APIRouter(prefix="/api/v1/session", tags=["session"])


@router.post("", status_code=201, responses=problem_responses(429))
def sign_in(body: SessionIn, request: Request, response: Response, deps: PublicDeps) -> SessionOut:
    """Exchange a name and password, or an API key, for a cookie that scripts cannot read.

    After some failures of a name or from an address further attempts are refused for a while (429).
    """
    check_origin(request)
    address = request.client.host if request.client is not None else "unknown"
    owner = _owner(deps, body, address)
    return session_out(owner, begin_session(deps, owner, response))


def begin_session(deps: ApiDeps, owner: ApiKey | User, response: Response) -> datetime:
    """Give a browser the cookie of a new session; when it ends. A 403 for who may not read."""
    _check_may_read(deps, owner)
    now = deps.now()
    until = now + timedelta(seconds=deps.settings.session_s)
    with deps.database.write() as connection:
        token = access.open_session(connection, owner, now, until)
        audit.append(
            connection,
            at=now,
            actor=_actor(owner),
            action=Action.SIGNED_IN,
            subject=_actor(owner),
        )
    response.set_cookie(
        SESSION_COOKIE,
        token,
        max_age=int(deps.settings.session_s),
        httponly=True,
        samesite="lax",
        secure=deps.settings.is_https,
    )
    return until


def _owner(deps: ApiDeps, body: SessionIn, address: str) -> ApiKey | User:
    if body.api_key is not None:
        key = signing_in.by_key(deps, body.api_key, address)
        if key is None:
            raise unauthorized("the API key is not known or has ended")
        return key
    user = signing_in.by_password(deps, body.name or "", body.password or "", address)
    if user is None:
        raise unauthorized("name or password is wrong")
    return user


def _check_may_read(deps: ApiDeps, owner: ApiKey | User) -> None:
    if not may(Role(owner.role), Permission.READ):
        who = principal_of(owner)
        raise forbidden(deps, who, str(Permission.READ), roles_with(Permission.READ))


@router.get("", responses=problem_responses())
def who_am_i(who: CanRead, deps: Deps) -> WhoOut:
    """Say who is signed in and what they may do."""
    return who_out(who.owner, deps.settings.public_url)


@router.delete("", status_code=204, response_class=Response, responses=problem_responses())
def sign_out(request: Request, deps: PublicDeps) -> Response:
    """End the session; nothing happens if there is none."""
    check_origin(request)
    token = request.cookies.get(SESSION_COOKIE)
    if token is not None:
        _end(deps, token)
    response = Response(status_code=204)
    response.delete_cookie(
        SESSION_COOKIE, httponly=True, samesite="lax", secure=deps.settings.is_https
    )
    return response


def _end(deps: ApiDeps, token: str) -> None:
    now = deps.now()
    idle = timedelta(seconds=deps.settings.session_idle_s)
    with deps.database.write() as connection:
        session = access.find_session(connection, token, now, idle)
        access.close_session(connection, token)
        if session is not None:
            actor = _actor(session.owner)
            audit.append(connection, at=now, actor=actor, action=Action.SIGNED_OUT, subject=actor)


def _actor(owner: ApiKey | User) -> str:
    return principal_of(owner).actor
