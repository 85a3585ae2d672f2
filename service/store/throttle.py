"""Failures of sign-in, kept in the database: a restart or a second process forgives none."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from service.store.schema import sign_in_failures

KEPT = timedelta(days=1)
"""Failures so old that they lock nobody are deleted."""


def failures_of(
    connection: Connection, subject: str
) -> tuple[int, datetime | None, datetime | None]:
    """Number of failures, the time of the latest, and the end of a lock."""
    row = connection.execute(
        sa.select(sign_in_failures).where(sign_in_failures.c.subject == subject).with_for_update()
    ).one_or_none()
    return (0, None, None) if row is None else (row.failures, row.last_at, row.locked_until)


def save_failures(
    connection: Connection,
    subject: str,
    failures: int,
    last_at: datetime,
    locked_until: datetime | None,
) -> None:
    """Replace what is known of a name or an address; forgets what is old."""
    old = sign_in_failures.c.last_at < last_at - KEPT
    connection.execute(sa.delete(sign_in_failures).where(old))
    values = {"failures": failures, "last_at": last_at, "locked_until": locked_until}
    is_postgresql = connection.dialect.name == "postgresql"
    insert = postgresql.insert if is_postgresql else sqlite.insert
    connection.execute(
        insert(sign_in_failures)
        .values(subject=subject, **values)
        .on_conflict_do_update(index_elements=["subject"], set_=values)
    )


def forgive(connection: Connection, subject: str) -> None:
    """Forget the failures of a name or an address."""
    connection.execute(sa.delete(sign_in_failures).where(sign_in_failures.c.subject == subject))
