"""People who sign in by name and password."""

from __future__ import annotations

import unicodedata
import uuid
from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from models.errors import ConflictError, NotFoundError
from service.store.records import User
from service.store.schema import sessions, users


def name_key(name: str) -> str:
    """What is compared of a name: case, width and composition of characters do not matter."""
    return unicodedata.normalize("NFKC", name).strip().casefold()


def add_user(
    connection: Connection,
    name: str,
    role: str,
    department_ids: Sequence[str],
    password_hash: str,
    now: datetime,
) -> User:
    """Store a new user; raises :class:`ConflictError` if the name is taken."""
    if _row(connection, name) is not None:
        raise ConflictError(f"there is a user {name} already")
    connection.execute(
        sa.insert(users).values(
            user_id=str(uuid.uuid4()),
            name=unicodedata.normalize("NFC", name).strip(),
            name_key=name_key(name),
            role=role,
            department_ids=list(department_ids),
            password_hash=password_hash,
            created_at=now,
            password_set_at=now,
        )
    )
    return get_user(connection, name)


def get_user(connection: Connection, name: str) -> User:
    """The user of a name; raises :class:`NotFoundError`."""
    row = _row(connection, name)
    if row is None:
        raise NotFoundError(f"there is no user {name}")
    return user_of(row)


def get_user_by_id(connection: Connection, user_id: str) -> User:
    """The user of an id; raises :class:`NotFoundError`."""
    row = connection.execute(sa.select(users).where(users.c.user_id == user_id)).one_or_none()
    if row is None:
        raise NotFoundError(f"there is no user {user_id}")
    return user_of(row)


def password_of(connection: Connection, name: str) -> tuple[User, str] | None:
    """A user and the hash of their password, or None; also of one who is disabled."""
    row = _row(connection, name)
    return None if row is None else (user_of(row), str(row.password_hash))


def list_users(connection: Connection) -> list[User]:
    """All users by name, also those who are disabled."""
    rows = connection.execute(sa.select(users).order_by(users.c.name_key))
    return [user_of(row) for row in rows]


def set_password(connection: Connection, user: User, password_hash: str, now: datetime) -> None:
    """Replace a password and end every session of its user."""
    _change(connection, user, password_hash=password_hash, password_set_at=now)
    _end_sessions(connection, user)


def rehash_password(connection: Connection, user: User, password_hash: str) -> None:
    """Store the same password hashed by newer parameters."""
    _change(connection, user, password_hash=password_hash)


def set_role(connection: Connection, user: User, role: str, department_ids: Sequence[str]) -> None:
    """Give a user another role; sessions go on with it."""
    _change(connection, user, role=role, department_ids=list(department_ids))


def disable_user(connection: Connection, user: User, now: datetime) -> None:
    """Let a user not sign in any more, and end every session of theirs."""
    _change(connection, user, disabled_at=now)
    _end_sessions(connection, user)


def enable_user(connection: Connection, user: User) -> None:
    """Let a disabled user sign in again."""
    _change(connection, user, disabled_at=None)


def note_sign_in(connection: Connection, user: User, now: datetime) -> None:
    """Write down that a user signed in."""
    _change(connection, user, last_sign_in_at=now)


def user_of(row: Row[tuple[object, ...]]) -> User:
    """A user from a row of the table."""
    hidden = {"name_key", "password_hash"}
    values = {key: value for key, value in row._mapping.items() if key not in hidden}
    values["department_ids"] = tuple(values["department_ids"])
    return User(**values)


def _row(connection: Connection, name: str) -> Row[tuple[object, ...]] | None:
    return connection.execute(
        sa.select(users).where(users.c.name_key == name_key(name))
    ).one_or_none()


def _change(connection: Connection, user: User, **values: object) -> None:
    connection.execute(sa.update(users).where(users.c.user_id == user.user_id).values(**values))


def _end_sessions(connection: Connection, user: User) -> None:
    connection.execute(sa.delete(sessions).where(sessions.c.user_id == user.user_id))
