"""What waits for each subscription, and what of it was given up or is long done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from service.store.records import DeliveryState
from service.store.schema import deliveries, events

WALK = 2_000
"""Deliveries looked at in one step of the retention."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Backlog:
    """What has not reached a subscriber."""

    pending: int = 0
    dead: int = 0
    oldest_pending_at: datetime | None = None


def backlogs(connection: Connection) -> dict[str, Backlog]:
    """Subscription id → backlog, of those that have one; reads only partial indexes."""
    pending, dead = _by_subscription(DeliveryState.PENDING), _by_subscription(DeliveryState.DEAD)
    waiting = {row.id: row for row in connection.execute(pending)}
    given_up = {row.id: row.total for row in connection.execute(dead)}
    return {
        each: Backlog(
            pending=waiting[each].total if each in waiting else 0,
            dead=given_up.get(each, 0),
            oldest_pending_at=waiting[each].oldest if each in waiting else None,
        )
        for each in waiting.keys() | given_up.keys()
    }


def _by_subscription(state: DeliveryState) -> sa.Select[tuple[str, int, datetime]]:
    return (
        sa.select(
            deliveries.c.subscription_id.label("id"),
            sa.func.count().label("total"),
            sa.func.min(deliveries.c.created_at).label("oldest"),
        )
        # The state as text in the statement: only then SQLite sees that its partial index fits.
        .where(deliveries.c.state == sa.literal_column(f"'{state}'"))
        .group_by(deliveries.c.subscription_id)
    )


def send_dead_again(
    connection: Connection, subscription_id: str, now: datetime, since: datetime | None
) -> int:
    """Put all dead deliveries of a subscription back in line, old ids, new schedule; how many.

    ``since``: only those of events that happened then or later.
    """
    query = sa.update(deliveries).where(
        deliveries.c.subscription_id == subscription_id,
        deliveries.c.state == sa.literal_column(f"'{DeliveryState.DEAD}'"),
    )
    if since is not None:
        query = query.where(deliveries.c.created_at >= since)
    done = connection.execute(
        query.values(state=DeliveryState.PENDING, attempts=0, next_attempt_at=now, finished_at=None)
    )
    return done.rowcount


def forget_delivered(connection: Connection, before: datetime, after_id: int) -> int | None:
    """Delete what was delivered before a time, with its attempts, among the next few deliveries.

    They are looked at by age, oldest first, from ``after_id`` on. Returns where to go on, or
    ``None`` when everything that old has been looked at.
    """
    rows = connection.execute(
        sa.select(deliveries.c.delivery_id, deliveries.c.state, deliveries.c.finished_at)
        .where(deliveries.c.delivery_id > after_id, deliveries.c.created_at < before)
        .order_by(deliveries.c.delivery_id)
        .limit(WALK)
    ).all()
    old = [
        row.delivery_id
        for row in rows
        if row.state == DeliveryState.DELIVERED and row.finished_at < before
    ]
    for start in range(0, len(old), 500):
        part = deliveries.c.delivery_id.in_(old[start : start + 500])
        told = connection.scalars(sa.select(deliveries.c.event_id).where(part)).all()
        connection.execute(sa.delete(deliveries).where(part))
        needed = sa.exists().where(deliveries.c.event_id == events.c.event_id)
        connection.execute(sa.delete(events).where(events.c.event_id.in_(told), ~needed))
    return rows[-1].delivery_id if len(rows) == WALK else None
