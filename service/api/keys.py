"""``/api/v1/keys``: API keys, for administrators. A key itself is shown once, when it is made."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Annotated, Self

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.engine import Connection

from models.errors import ConflictError, NotFoundError
from service.api.deps import CanManage, Deps
from service.api.forms import NO_NUL, Ident
from service.api.problems import field_problem, problem_responses
from service.decisions.access import Role, scope_problem
from service.store import access, audit, subscriptions
from service.store.audit import Action
from service.store.records import ApiKey

router = APIRouter(prefix="/api/v1/keys", tags=["keys"])

ENVIRONMENT_KEYS = {
    "STREETWARDEN_API_KEY": Role.ADMIN,
    "STREETWARDEN_DETECTOR_KEY": Role.DETECTOR,
}
"""Keys that the service takes from its environment at each start, by their names."""
LONGEST_LIFE_S = 10 * 366 * 86_400
LONGEST_GRACE_S = 30 * 86_400

KeyName = Annotated[str, Path(min_length=1, max_length=200, pattern=NO_NUL)]
Life = Annotated[int | None, Field(ge=60, le=LONGEST_LIFE_S)]


class KeyIn(BaseModel):
    """A key to be made."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {"name": "crew app", "role": "crew", "department_ids": ["traffic"]}
        },
    )

    name: Ident
    role: Role
    department_ids: Annotated[list[Ident], Field(max_length=200)] = Field(
        [], description="It sees and changes only these departments' orders. Empty: the whole city."
    )
    expires_in_s: Life = Field(None, description="It ends so long from now. Left out: never.")


class KeyRotationIn(BaseModel):
    """How to change a key without an interruption."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"grace_s": 86400}})

    grace_s: Annotated[int | None, Field(ge=0, le=LONGEST_GRACE_S)] = Field(
        None, description="How long the old one is valid too. Left out: a day."
    )
    expires_in_s: Life = Field(None, description="Left out: the new one ends when the old would.")


class KeyOut(BaseModel):
    """A key, without itself."""

    key_id: str
    name: str
    role: Role
    department_ids: list[str]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None = Field(description="Within five minutes.")
    revoked_at: datetime | None
    previous_until: datetime | None = Field(
        description="Until then the key from before the latest rotation is valid too."
    )

    @classmethod
    def of(cls, key: ApiKey) -> Self:
        """From the stored form."""
        return cls.model_validate(asdict(key))


class KeyMade(KeyOut):
    """A new key, for the only time."""

    key: str


class KeyList(BaseModel):
    """All keys."""

    items: list[KeyOut]


@router.get("", responses=problem_responses())
def list_keys(_who: CanManage, deps: Deps) -> KeyList:
    """List all keys, also those that expired or were revoked."""
    with deps.database.read() as connection:
        found = access.list_keys(connection)
    return KeyList(items=[KeyOut.of(key) for key in found])


@router.post("", status_code=201, responses=problem_responses(409))
def create_key(body: KeyIn, who: CanManage, deps: Deps) -> KeyMade:
    """Make a key. The answer holds it; it is not shown again."""
    problem = scope_problem(body.role, body.department_ids)
    if problem is not None:
        raise field_problem("body.department_ids", problem)
    _check_not_of_environment(body.name)
    token, now = access.new_token(), deps.now()
    with deps.database.write() as connection:
        if _is_taken(connection, body.name):
            raise ConflictError(f"there is a key {body.name} already: rotate or revoke it")
        access.save_key(
            connection,
            body.name,
            body.role,
            token,
            now,
            department_ids=body.department_ids,
            expires_at=_end(now, body.expires_in_s),
        )
        note_key(connection, who.actor, Action.KEY_CREATED, body.name, now)
        made = access.get_key(connection, body.name)
    deps.known_keys.forget()
    return KeyMade(**KeyOut.of(made).model_dump(), key=token)


@router.post("/{name}/rotate", responses=problem_responses(404, 409))
def rotate_key(name: KeyName, body: KeyRotationIn, who: CanManage, deps: Deps) -> KeyMade:
    """Replace a key; the old one stays valid for `grace_s`. The answer holds the new one."""
    _check_not_of_environment(name)
    grace_s = deps.settings.key_grace_s if body.grace_s is None else body.grace_s
    token, now = access.new_token(), deps.now()
    with deps.database.write() as connection:
        expires_at = _end(now, body.expires_in_s)
        rotated = rotate(connection, name, token, now, timedelta(seconds=grace_s), expires_at)
        note_key(connection, who.actor, Action.KEY_ROTATED, name, now)
    deps.known_keys.forget()
    return KeyMade(**KeyOut.of(rotated).model_dump(), key=token)


@router.delete("/{name}", responses=problem_responses(404, 409))
def revoke_key(name: KeyName, who: CanManage, deps: Deps) -> KeyOut:
    """End a key, its sessions and its webhooks at once. It stays in the list."""
    _check_not_of_environment(name)
    with deps.database.write() as connection:
        revoked = revoke(connection, name, deps.now())
        note_key(connection, who.actor, Action.KEY_REVOKED, name, deps.now())
    deps.known_keys.forget()
    return KeyOut.of(revoked)


def rotate(
    connection: Connection,
    name: str,
    token: str,
    now: datetime,
    grace: timedelta,
    expires_at: datetime | None,
) -> ApiKey:
    """Give a valid key a new token; a :class:`ConflictError` for one that has ended."""
    old = access.get_key(connection, name)
    if old.revoked_at is not None or (old.expires_at is not None and old.expires_at <= now):
        raise ConflictError(f"key {name} has ended: make a new one")
    return access.rotate_key(connection, name, token, now + grace, expires_at or old.expires_at)


def revoke(connection: Connection, name: str, now: datetime) -> ApiKey:
    """End a key, and rest its webhooks."""
    revoked = access.revoke_key(connection, name, now)
    subscriptions.rest_owner(connection, f"key:{name}", "its owner's key was revoked", now)
    return revoked


def note_key(connection: Connection, actor: str, action: Action, name: str, now: datetime) -> None:
    """Log what was done to a key, to be called last in the transaction."""
    key = access.get_key(connection, name)
    detail: audit.Detail = {"role": key.role, "department_ids": list(key.department_ids)}
    audit.append(
        connection, at=now, actor=actor, action=action, subject=f"key:{name}", detail=detail
    )


def _check_not_of_environment(name: str, names: Collection[str] = ENVIRONMENT_KEYS) -> None:
    if name in names:
        raise ConflictError(f"key {name} comes from the service's environment: change it there")


def _is_taken(connection: Connection, name: str) -> bool:
    try:
        return access.get_key(connection, name).revoked_at is None
    except NotFoundError:
        return False


def _end(now: datetime, life_s: int | None) -> datetime | None:
    return None if life_s is None else now + timedelta(seconds=life_s)
