"""API keys and browser sessions; of both only hashes are stored.

A plain SHA-256 is enough for tokens that are random: there is nothing to guess. Passwords are
another matter: see ``service.store.passwords``.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from models.errors import NotFoundError
from service.store.records import ApiKey, User
from service.store.schema import api_keys, sessions, users
from service.store.users import user_of

TOKEN_BYTES = 32
KEY_PREFIX = "sw_"
"""Lets secret scanners, and people, recognise a key."""
USE_NOTED_EVERY = timedelta(minutes=5)
"""So often the use of a key is written down: a write for each request would cost too much."""
SIGHT_NOTED_EVERY = timedelta(minutes=1)
"""The same of sessions."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Session:
    """An open session and whose it is."""

    owner: ApiKey | User
    seen_at: datetime


def new_token() -> str:
    """A random API key, 256 bits."""
    return KEY_PREFIX + secrets.token_urlsafe(TOKEN_BYTES)


def save_key(
    connection: Connection,
    name: str,
    role: str,
    token: str,
    now: datetime,
    *,
    department_ids: Sequence[str] = (),
    expires_at: datetime | None = None,
) -> None:
    """Store a key under a name; another key of that name stops to work, with its sessions."""
    digest = _digest(token)
    wanted = {
        "name": name,
        "role": role,
        "department_ids": list(department_ids),
        "expires_at": expires_at,
    }
    same = connection.execute(
        sa.select(api_keys).where(api_keys.c.token_sha256 == digest, api_keys.c.name == name)
    ).one_or_none()
    if same is not None and all(same._mapping[key] == wanted[key] for key in wanted):
        return
    stale = (api_keys.c.name == name) | (api_keys.c.token_sha256 == digest)
    connection.execute(sa.delete(api_keys).where(stale))
    made = {"key_id": str(uuid.uuid4()), "token_sha256": digest, "created_at": now}
    connection.execute(sa.insert(api_keys).values(**wanted, **made))


def find_key(connection: Connection, token: str, now: datetime) -> ApiKey | None:
    """Whose key this is, or None; also if it has expired or was revoked."""
    digest = _digest(token)
    is_current = api_keys.c.token_sha256 == digest
    is_previous = (api_keys.c.previous_sha256 == digest) & (api_keys.c.previous_until > now)
    row = connection.execute(
        sa.select(api_keys).where(is_current | is_previous, *_valid(now))
    ).first()
    if row is None:
        return None
    stored = (row.token_sha256, row.previous_sha256 or "")
    if not any(hmac.compare_digest(each, digest) for each in stored):
        return None
    return _key(row)


def list_keys(connection: Connection) -> list[ApiKey]:
    """All keys by name, also those that expired or were revoked."""
    return [_key(row) for row in connection.execute(sa.select(api_keys).order_by(api_keys.c.name))]


def get_key(connection: Connection, name: str) -> ApiKey:
    """The key of a name; raises :class:`NotFoundError`."""
    row = connection.execute(sa.select(api_keys).where(api_keys.c.name == name)).one_or_none()
    if row is None:
        raise NotFoundError(f"there is no key {name}")
    return _key(row)


def rotate_key(
    connection: Connection,
    name: str,
    token: str,
    previous_until: datetime,
    expires_at: datetime | None,
) -> ApiKey:
    """Give a key a new token; the old one is valid until ``previous_until``.

    One from before the latest rotation stops to work. Raises :class:`NotFoundError`.
    """
    get_key(connection, name)
    connection.execute(
        sa.update(api_keys)
        .where(api_keys.c.name == name)
        .values(
            previous_sha256=api_keys.c.token_sha256,
            previous_until=previous_until,
            token_sha256=_digest(token),
            expires_at=expires_at,
        )
    )
    return get_key(connection, name)


def revoke_key(connection: Connection, name: str, now: datetime) -> ApiKey:
    """End a key, an older one of an unfinished rotation and their sessions.

    It stays listed. Raises :class:`NotFoundError`.
    """
    key = get_key(connection, name)
    if key.revoked_at is None:
        connection.execute(
            sa.update(api_keys)
            .where(api_keys.c.name == name)
            .values(revoked_at=now, previous_sha256=None, previous_until=None)
        )
        connection.execute(sa.delete(sessions).where(sessions.c.key_id == key.key_id))
    return get_key(connection, name)


def note_use(connection: Connection, key: ApiKey, now: datetime) -> None:
    """Write down that a key was used just now."""
    connection.execute(
        sa.update(api_keys).where(api_keys.c.key_id == key.key_id).values(last_used_at=now)
    )


def has_keys(connection: Connection) -> bool:
    """Whether anybody could sign in at all."""
    return connection.execute(sa.select(api_keys.c.key_id).limit(1)).first() is not None


def open_session(
    connection: Connection, owner: ApiKey | User, now: datetime, until: datetime
) -> str:
    """Begin a browser session of a key or a user; its token. Forgets those that have ended."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    connection.execute(sa.delete(sessions).where(sessions.c.expires_at <= now))
    connection.execute(
        sa.insert(sessions).values(
            token_sha256=_digest(token),
            key_id=owner.key_id if isinstance(owner, ApiKey) else None,
            user_id=owner.user_id if isinstance(owner, User) else None,
            created_at=now,
            seen_at=now,
            expires_at=until,
        )
    )
    return token


def find_session(
    connection: Connection, token: str, now: datetime, idle: timedelta
) -> Session | None:
    """An open session: not at its end, not left alone for ``idle``, its owner still valid."""
    digest = _digest(token)
    found = connection.execute(
        sa.select(sessions).where(
            sessions.c.token_sha256 == digest,
            sessions.c.expires_at > now,
            sessions.c.seen_at > now - idle,
        )
    ).one_or_none()
    if found is None or not hmac.compare_digest(found.token_sha256, digest):
        return None
    owner = _owner(connection, found, now)
    return None if owner is None else Session(owner=owner, seen_at=found.seen_at)


def _owner(
    connection: Connection, session: Row[tuple[object, ...]], now: datetime
) -> ApiKey | User | None:
    if session.user_id is not None:
        row = connection.execute(
            sa.select(users).where(
                users.c.user_id == session.user_id, users.c.disabled_at.is_(None)
            )
        ).one_or_none()
        return None if row is None else user_of(row)
    row = connection.execute(
        sa.select(api_keys).where(api_keys.c.key_id == session.key_id, *_valid(now))
    ).one_or_none()
    return None if row is None else _key(row)


def note_sight(connection: Connection, token: str, now: datetime) -> None:
    """Write down that a session was used just now."""
    connection.execute(
        sa.update(sessions).where(sessions.c.token_sha256 == _digest(token)).values(seen_at=now)
    )


def close_session(connection: Connection, token: str) -> None:
    """End a session; nothing happens if there is none."""
    connection.execute(sa.delete(sessions).where(sessions.c.token_sha256 == _digest(token)))


def _valid(now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        api_keys.c.revoked_at.is_(None),
        api_keys.c.expires_at.is_(None) | (api_keys.c.expires_at > now),
    )


def _key(row: Row[tuple[object, ...]]) -> ApiKey:
    hidden = {"token_sha256", "previous_sha256"}
    values = {key: value for key, value in row._mapping.items() if key not in hidden}
    values["department_ids"] = tuple(values["department_ids"])
    return ApiKey(**values)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
