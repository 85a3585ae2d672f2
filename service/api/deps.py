"""What the routes work with, and who is asking."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.concurrency import run_in_threadpool

from models.category import Category, CategoryTable
from models.city import City
from models.errors import StoreError
from models.zone import Department
from service.api.guards import Denials, forbidden
from service.api.identity import IdentityProvider
from service.api.known_keys import KnownKeys
from service.api.metrics import ApiMetrics
from service.api.problems import ProblemError
from service.config.categories import load_categories
from service.decisions.access import Permission, Role, is_same_origin, may, roles_with
from service.decisions.routing import Routing
from service.store import access
from service.store.database import Database
from service.store.files import FileStore
from service.store.records import ApiKey, Attempt, Subscription, User
from service.store.scope import Scope
from service.store.secrets import SecretBox
from service.tracing import NO_TRACES, Tracer

SESSION_COOKIE = "streetwarden_session"
BEARER = "bearer "
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiSettings:
    """What an administrator may set."""

    public_url: str = "http://127.0.0.1:8080"
    """Address under which others reach the service; links in webhooks begin with it."""
    max_json_bytes: int = 1_000_000
    max_picture_bytes: int = 8_000_000
    max_film_bytes: int = 24_000_000
    open311: bool = False
    """Whether everybody may read, and apps with a key may report, by Open311 GeoReport v2."""
    inspect_wait_s: float | None = None
    """So long a citizen's report with a photo waits for a detector to look at it. ``None``: none
    looks, and photos are shown as they came."""
    session_s: float = 12 * 3600.0
    """A session ends so long after sign-in, whatever happens."""
    session_idle_s: float = 2 * 3600.0
    """A session that nothing was asked with for so long has ended."""
    expire_after_days: int | None = None
    """Orders that nobody touched for so long expire; ``None``: they wait for ever."""
    key_grace_s: float = 24 * 3600.0
    """A rotated key stays valid for so long, unless another time is asked for."""

    @property
    def is_https(self) -> bool:
        """Whether browsers reach the service only over TLS."""
        return self.public_url.startswith("https://")


def utc_now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


def _nobody_sends(_subscription: Subscription) -> Attempt:
    raise StoreError("this process sends no webhooks")


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiDeps:
    """Everything the routes need, put together by whoever makes the application."""

    database: Database
    files: FileStore
    settings: ApiSettings = ApiSettings()
    city: City | None = None
    categories: CategoryTable = field(default_factory=load_categories)
    metrics: ApiMetrics = field(default_factory=ApiMetrics)
    wake: Callable[[], None] = lambda: None
    """Called after a change was committed: there may be webhooks to send."""
    ping: Callable[[Subscription], Attempt] = _nobody_sends
    """Sends a test event to a subscription's receiver and tells what came of it."""
    secrets: SecretBox = field(default_factory=SecretBox)
    """Seals the secrets of subscriptions."""
    now: Callable[[], datetime] = utc_now
    denials: Denials = field(default_factory=Denials)
    """Denied attempts that the audit log has."""
    known_keys: KnownKeys = field(default_factory=KnownKeys)
    """Keys that were looked up just now."""
    tracer: Tracer = NO_TRACES
    identity: IdentityProvider | None = None
    """Where people sign in besides here."""
    checks: Mapping[str, Callable[[], None]] = field(default_factory=dict)
    """Further conditions of readiness by name; each raises :class:`StoreError` if not met."""

    @property
    def routing(self) -> Routing:
        """Category → department id, or routes."""
        return {} if self.city is None else self.city.routing

    def department(self, department_id: str | None) -> Department | None:
        """A department by its id, as far as the service was told of it."""
        departments = () if self.city is None else self.city.departments
        return next((d for d in departments if d.department_id == department_id), None)

    def category(self, key: str) -> Category | None:
        """A category by its key, as far as the table has it."""
        return self.categories.get(key)


@dataclass(frozen=True, kw_only=True, slots=True)
class Principal:
    """Who is asking, and what they may do."""

    name: str
    role: Role
    scope: Scope
    owner: ApiKey | User

    @property
    def actor(self) -> str:
        """Who it is, as the audit log names them."""
        return f"{'user' if isinstance(self.owner, User) else 'key'}:{self.name}"


async def get_deps(request: Request) -> ApiDeps:
    """The application's own dependencies."""
    # Async, like all here that does not wait for the database: the others each take a thread.
    deps: ApiDeps = request.app.state.deps
    return deps


PublicDeps = Annotated[ApiDeps, Depends(get_deps)]
"""For routes that everybody may use; the database is that of the whole city."""

_bearer = HTTPBearer(
    auto_error=False, scheme_name="apiKey", description="An API key, or X-API-Key: KEY."
)


async def authenticate(
    request: Request,
    deps: PublicDeps,
    _described: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> Principal:
    """Who is asking, by ``Authorization: Bearer``, ``X-API-Key`` or the session cookie."""
    token = _token(request)
    if token is not None:
        key = deps.known_keys.find(token, deps.now())
        if key is None:
            key = await run_in_threadpool(_key, deps, token)
        return _principal(request, key, "the API key is not known or has ended")
    cookie = request.cookies.get(SESSION_COOKIE)
    if cookie is None:
        raise unauthorized("an API key is needed: Authorization: Bearer KEY")
    check_origin(request)
    owner = await run_in_threadpool(_signed_in, deps, cookie)
    return _principal(request, owner, "the session has ended")


async def scoped_deps(
    deps: PublicDeps, principal: Annotated[Principal, Depends(authenticate)]
) -> ApiDeps:
    """The dependencies as somebody of this scope has them."""
    return replace(deps, database=deps.database.scoped(principal.scope))


Deps = Annotated[ApiDeps, Depends(scoped_deps)]
"""For all other routes: needs a key or a session, and sees only what its departments may see.

This is the one place where a request gets its database, so every route is limited by it.
"""


def _key(deps: ApiDeps, token: str) -> ApiKey | None:
    now = deps.now()
    with deps.database.read() as connection:
        key = access.find_key(connection, token, now)
    if key is not None and _is_due(key.last_used_at, now, access.USE_NOTED_EVERY):
        with deps.database.write() as connection:
            access.note_use(connection, key, now)
    if key is not None:
        deps.known_keys.note(token, key, now)
    return key


def _signed_in(deps: ApiDeps, cookie: str) -> ApiKey | User | None:
    now = deps.now()
    idle = timedelta(seconds=deps.settings.session_idle_s)
    with deps.database.read() as connection:
        session = access.find_session(connection, cookie, now, idle)
    if session is None:
        return None
    if _is_due(session.seen_at, now, access.SIGHT_NOTED_EVERY):
        with deps.database.write() as connection:
            access.note_sight(connection, cookie, now)
    return session.owner


def _is_due(last: datetime | None, now: datetime, every: timedelta) -> bool:
    return last is None or now - last >= every


def check_origin(request: Request) -> None:
    """Refuse a change that a browser sends by cookie for another site's page."""
    if request.method in _SAFE_METHODS:
        return
    headers = request.headers
    host = headers.get("host", "")
    if not is_same_origin(host, headers.get("origin"), headers.get("sec-fetch-site")):
        raise ProblemError(403, "forbidden", "the request does not come from the service's page")


class Require:
    """Dependency that lets only those pass who have a permission."""

    def __init__(self, permission: Permission) -> None:
        self._permission = permission

    async def __call__(
        self, deps: PublicDeps, principal: Annotated[Principal, Depends(authenticate)]
    ) -> Principal:
        """The principal, if it may."""
        if not may(principal.role, self._permission):
            roles = roles_with(self._permission)
            raise await run_in_threadpool(forbidden, deps, principal, str(self._permission), roles)
        return principal


CanReport = Annotated[Principal, Depends(Require(Permission.REPORT))]
CanInspect = Annotated[Principal, Depends(Require(Permission.INSPECT))]
CanRead = Annotated[Principal, Depends(Require(Permission.READ))]
CanWork = Annotated[Principal, Depends(Require(Permission.WORK))]
CanHold = Annotated[Principal, Depends(Require(Permission.HOLD))]
CanManage = Annotated[Principal, Depends(Require(Permission.MANAGE))]
CanSubscribe = Annotated[Principal, Depends(Require(Permission.SUBSCRIBE))]


def unauthorized(detail: str) -> ProblemError:
    """401, with the header that says how to do it right."""
    return ProblemError(401, "unauthorized", detail, headers={"WWW-Authenticate": "Bearer"})


def _token(request: Request) -> str | None:
    header = request.headers.get("authorization", "")
    if header.lower().startswith(BEARER):
        return header[len(BEARER) :].strip()
    return request.headers.get("x-api-key")


def principal_of(owner: ApiKey | User) -> Principal:
    """Who is asking, of a key or a user."""
    return Principal(
        name=owner.name,
        role=Role(owner.role),
        scope=Scope(department_ids=owner.department_ids),
        owner=owner,
    )


def _principal(request: Request, owner: ApiKey | User | None, otherwise: str) -> Principal:
    if owner is None:
        raise unauthorized(otherwise)
    request.state.who = owner.name  # for the log line
    return principal_of(owner)
