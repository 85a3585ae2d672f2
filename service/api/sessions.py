"""``/api/v1/session``: sign-in of the browser page with an API key."""

from __future__ import annotations

from datetime import timedelta

from fastapi import APIRouter, Request, Response

from service.api.deps import (
    SESSION_COOKIE,
    CanRead,
    Deps,
    check_origin,
    unauthorized,
)
from service.api.forms import SessionIn
from service.api.problems import ProblemError, problem_responses
from service.api.views import SessionOut
from service.decisions.access import Permission, Role, may
from service.store import access

router = APIRouter(prefix="/api/v1/session", tags=["session"])


@router.post("", status_code=201, responses=problem_responses())
def sign_in(body: SessionIn, request: Request, response: Response, deps: Deps) -> SessionOut:
    """Exchange an API key for a session cookie that scripts cannot read."""
    check_origin(request)
    now = deps.now()
    until = now + timedelta(seconds=deps.settings.session_s)
    with deps.database.read() as connection:
        key = access.find_key(connection, body.api_key)
    if key is None:
        raise unauthorized("the API key is not known")
    if not may(Role(key.role), Permission.READ):
        raise ProblemError(403, "forbidden", f"role {key.role} may not read")
    with deps.database.write() as connection:
        token = access.open_session(connection, key, now, until)
    response.set_cookie(
        SESSION_COOKIE,
        token,
        max_age=int(deps.settings.session_s),
        httponly=True,
        samesite="strict",
        secure=deps.settings.is_https,
    )
    return SessionOut(name=key.name, role=key.role, expires_at=until)


@router.get("", responses=problem_responses())
def who_am_i(who: CanRead, deps: Deps) -> dict[str, str]:
    """Say who is signed in."""
    return {"name": who.name, "role": who.role, "service": deps.settings.public_url}


@router.delete("", status_code=204, response_class=Response, responses=problem_responses())
def sign_out(request: Request, deps: Deps) -> Response:
    """End the session; nothing happens if there is none."""
    check_origin(request)
    token = request.cookies.get(SESSION_COOKIE)
    if token is not None:
        with deps.database.write() as connection:
            access.close_session(connection, token)
    response = Response(status_code=204)
    response.delete_cookie(
        SESSION_COOKIE, httponly=True, samesite="strict", secure=deps.settings.is_https
    )
    return response
