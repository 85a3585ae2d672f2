"""How long evidence is kept: what has had its time is deleted, unless it is held for a court."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from models.work_order import FINAL
from service.store import schema
from service.store.records import Evidence


def hold(connection: Connection, order_id: str, reason: str, actor: str, at: datetime) -> bool:
    """Keep an order's evidence until it is released; False if it was held already."""
    if is_held(connection, order_id):
        return False
    values = {"order_id": order_id, "reason": reason, "actor": actor, "at": at}
    connection.execute(sa.insert(schema.legal_holds).values(**values))
    return True


def release(connection: Connection, order_id: str) -> bool:
    """Let retention go on; False if it was not held."""
    done = connection.execute(
        sa.delete(schema.legal_holds).where(schema.legal_holds.c.order_id == order_id)
    )
    return done.rowcount > 0


def is_held(connection: Connection, order_id: str) -> bool:
    """Whether an order's evidence must be kept."""
    found = connection.execute(
        sa.select(schema.legal_holds.c.order_id).where(schema.legal_holds.c.order_id == order_id)
    )
    return found.first() is not None


def expired(
    connection: Connection, before: Mapping[str, datetime], otherwise: datetime | None, limit: int
) -> list[str]:
    """Ids of orders that are over since before their category's time, and still have evidence.

    ``before``: category → time; ``otherwise``: that of all others, ``None``: they are kept.
    """
    orders = schema.orders.c
    times = [
        sa.and_(orders.category == category, orders.updated_at < time)
        for category, time in before.items()
    ]
    if otherwise is not None:
        times.append(sa.and_(orders.category.not_in(list(before)), orders.updated_at < otherwise))
    query = (
        sa.select(orders.order_id)
        .where(
            orders.status.in_(FINAL),
            sa.or_(sa.false(), *times),
            sa.or_(
                sa.exists().where(schema.evidence.c.order_id == orders.order_id),
                sa.exists().where(schema.plates.c.order_id == orders.order_id),
            ),
            ~sa.exists().where(schema.legal_holds.c.order_id == orders.order_id),
        )
        .order_by(orders.number)
        .limit(limit)
    )
    return [str(row[0]) for row in connection.execute(query)]


def expired_originals(
    connection: Connection, name: str, before: datetime, limit: int
) -> list[Evidence]:
    """Unblurred originals that came before a time, except those under a legal hold."""
    evidence = schema.evidence.c
    query = (
        sa.select(schema.evidence)
        .where(
            evidence.name == name,
            evidence.created_at < before,
            ~sa.exists().where(schema.legal_holds.c.order_id == evidence.order_id),
        )
        .order_by(evidence.created_at)
        .limit(limit)
    )
    return [Evidence(**row) for row in connection.execute(query).mappings()]


def forget_original(connection: Connection, file: Evidence) -> bool:
    """Delete the row of one original; False if it is gone or held by now."""
    if is_held(connection, file.order_id):
        return False
    evidence = schema.evidence.c
    done = connection.execute(
        sa.delete(schema.evidence).where(
            evidence.incident_id == file.incident_id, evidence.name == file.name
        )
    )
    return done.rowcount > 0


def forget_evidence(connection: Connection, order_id: str) -> list[tuple[str, str]]:
    """Delete the rows of an order's evidence, and its plates.

    Names and SHA-256 of the files that nothing else needs.
    """
    evidence = schema.evidence.c
    other = schema.evidence.alias()
    needed = sa.exists().where(
        other.c.sha256 == evidence.sha256, other.c.order_id != evidence.order_id
    )
    rows = connection.execute(
        sa.select(evidence.name, evidence.sha256).where(evidence.order_id == order_id, ~needed)
    ).all()
    connection.execute(sa.delete(schema.evidence).where(evidence.order_id == order_id))
    connection.execute(sa.delete(schema.plates).where(schema.plates.c.order_id == order_id))
    return [(str(name), str(digest)) for name, digest in rows]
