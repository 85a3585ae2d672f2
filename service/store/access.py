"""API keys and browser sessions; of both only hashes are stored.

A plain SHA-256 is enough for tokens that are random: there is nothing to guess.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import uuid
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from service.store.records import ApiKey
from service.store.schema import api_keys, sessions

TOKEN_BYTES = 32
KEY_PREFIX = "sw_"
"""Lets secret scanners, and people, recognise a key."""


def new_token() -> str:
    """A random API key, 256 bits."""
    return KEY_PREFIX + secrets.token_urlsafe(TOKEN_BYTES)


def save_key(connection: Connection, name: str, role: str, token: str, now: datetime) -> None:
    """Store a key under a name; another key of that name stops to work, with its sessions."""
    digest = _digest(token)
    same = connection.execute(
        sa.select(api_keys.c.role).where(api_keys.c.name == name, api_keys.c.token_sha256 == digest)
    ).scalar_one_or_none()
    if same == role:
        return
    stale = (api_keys.c.name == name) | (api_keys.c.token_sha256 == digest)
    connection.execute(sa.delete(api_keys).where(stale))
    connection.execute(
        sa.insert(api_keys).values(
            key_id=str(uuid.uuid4()), name=name, role=role, token_sha256=digest, created_at=now
        )
    )


def find_key(connection: Connection, token: str) -> ApiKey | None:
    """Whose key this is, or None."""
    digest = _digest(token)
    row = connection.execute(
        sa.select(api_keys).where(api_keys.c.token_sha256 == digest)
    ).one_or_none()
    if row is None or not hmac.compare_digest(row.token_sha256, digest):
        return None
    return ApiKey(key_id=row.key_id, name=row.name, role=row.role, created_at=row.created_at)


def has_keys(connection: Connection) -> bool:
    """Whether anybody could sign in at all."""
    return connection.execute(sa.select(api_keys.c.key_id).limit(1)).first() is not None


def open_session(connection: Connection, key: ApiKey, now: datetime, until: datetime) -> str:
    """Begin a browser session for a key's owner; its token. Forgets those that have ended."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    connection.execute(sa.delete(sessions).where(sessions.c.expires_at <= now))
    connection.execute(
        sa.insert(sessions).values(
            token_sha256=_digest(token), key_id=key.key_id, created_at=now, expires_at=until
        )
    )
    return token


def find_session(connection: Connection, token: str, now: datetime) -> ApiKey | None:
    """Whose session this is, if it has not ended."""
    digest = _digest(token)
    row = connection.execute(
        sa.select(api_keys, sessions.c.token_sha256.label("session_sha256"))
        .join(sessions, sessions.c.key_id == api_keys.c.key_id)
        .where(sessions.c.token_sha256 == digest, sessions.c.expires_at > now)
    ).one_or_none()
    if row is None or not hmac.compare_digest(row.session_sha256, digest):
        return None
    return ApiKey(key_id=row.key_id, name=row.name, role=row.role, created_at=row.created_at)


def close_session(connection: Connection, token: str) -> None:
    """End a session; nothing happens if there is none."""
    connection.execute(sa.delete(sessions).where(sessions.c.token_sha256 == _digest(token)))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
