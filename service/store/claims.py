"""Who attempts a delivery: leases that end by themselves, in order for each order."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from service.store.records import Attempt, BodyFormat, DeliveryState, SubscriptionKind
from service.store.schema import attempts, deliveries, events, subscriptions

_INSERT_ATTEMPT = sa.insert(attempts)
_ATTEMPT_FIELDS = [field.name for field in fields(Attempt)]


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """A delivery that this process may attempt until its lease ends."""

    delivery_id: int
    lease_owner: str
    lease_until: datetime
    attempts: int
    """Attempts made before."""
    event_id: str
    body: str
    subscription_id: str
    url: str
    secret: str
    previous_secret: str | None
    previous_secret_until: datetime | None
    kind: SubscriptionKind
    format: BodyFormat
    order_id: str
    failures_in_a_row: int

    def __repr__(self) -> str:
        """Without the secret, which must not reach a log."""
        return f"Claim({self.delivery_id}, {self.event_id}, {self.url})"


@dataclass(frozen=True, kw_only=True, slots=True)
class Lease:
    """For whom and until when deliveries are claimed."""

    owner: str
    now: datetime
    until: datetime


def due_subscriptions(
    connection: Connection,
    now: datetime,
    kinds: Collection[SubscriptionKind] = (SubscriptionKind.WEBHOOK,),
) -> dict[str, int]:
    """Subscriptions with something due, and their failures in a row. Takes no lock.

    ``kinds``: those that can be served now; what is due to others waits without an attempt.
    """
    waiting = sa.exists().where(
        deliveries.c.subscription_id == subscriptions.c.subscription_id, *_due(now)
    )
    rows = connection.execute(
        sa.select(subscriptions.c.subscription_id, subscriptions.c.failures_in_a_row).where(
            subscriptions.c.active,
            subscriptions.c.kind.in_(list(kinds)),
            subscriptions.c.paused_until.is_(None) | (subscriptions.c.paused_until <= now),
            waiting,
        )
    )
    return {row.subscription_id: row.failures_in_a_row for row in rows}


def claim(connection: Connection, lease: Lease, room: Mapping[str, int]) -> list[Claim]:
    """Lease due deliveries, for each subscription no more than it has room for.

    Of one order only the oldest pending delivery can be claimed, so a receiver gets an order's
    events in their order. On PostgreSQL rows that another process is claiming are passed over.
    """
    claimed: list[Claim] = []
    for subscription_id, limit in room.items():
        ids = connection.scalars(_first_in_line(subscription_id, lease.now, limit)).all()
        if ids:
            connection.execute(
                sa.update(deliveries)
                .where(deliveries.c.delivery_id.in_(ids))
                .values(lease_owner=lease.owner, lease_until=lease.until)
            )
            claimed += _claims(connection, ids)
    return claimed


def finish(
    connection: Connection,
    claimed: Claim,
    attempt: Attempt,
    *,
    state: DeliveryState,
    next_attempt_at: datetime | None = None,
) -> bool:
    """Record an attempt and what follows from it; False if the lease was lost meanwhile."""
    values: dict[str, Any] = {
        "state": state,
        "attempts": deliveries.c.attempts + 1,
        "lease_owner": None,
        "lease_until": None,
        "last_status_code": attempt.status_code,
        "last_error": attempt.error,
    }
    if state is DeliveryState.PENDING:
        values["next_attempt_at"] = next_attempt_at
    else:
        values["finished_at"] = attempt.at
    is_ours = (deliveries.c.delivery_id == claimed.delivery_id) & (
        deliveries.c.lease_owner == claimed.lease_owner
    )
    done = connection.execute(sa.update(deliveries).where(is_ours).values(**values))
    if done.rowcount == 0:
        return False
    connection.execute(_INSERT_ATTEMPT, _attempt_row(claimed, attempt))
    return True


def finish_delivered(
    connection: Connection, owner: str, delivered: Sequence[tuple[Claim, Attempt]]
) -> None:
    """Record attempts that succeeded, together; those whose lease was lost meanwhile are left."""
    is_ours: set[int] = set()
    for status_code in {attempt.status_code for _claimed, attempt in delivered}:
        alike = [each for each in delivered if each[1].status_code == status_code]
        ids = [claimed.delivery_id for claimed, _attempt in alike]
        is_mine = deliveries.c.delivery_id.in_(ids) & (deliveries.c.lease_owner == owner)
        values: dict[str, Any] = {
            "state": DeliveryState.DELIVERED,
            "attempts": deliveries.c.attempts + 1,
            "lease_owner": None,
            "lease_until": None,
            "last_status_code": status_code,
            "last_error": None,
            "finished_at": max(attempt.at for _claimed, attempt in alike),
        }
        done = sa.update(deliveries).where(is_mine).values(**values)
        is_ours |= set(connection.scalars(done.returning(deliveries.c.delivery_id)))
    rows = [
        _attempt_row(claimed, attempt)
        for claimed, attempt in delivered
        if claimed.delivery_id in is_ours
    ]
    if rows:
        connection.execute(_INSERT_ATTEMPT, rows)


def _attempt_row(claimed: Claim, attempt: Attempt) -> dict[str, object]:
    return {name: getattr(attempt, name) for name in _ATTEMPT_FIELDS} | {
        "delivery_id": claimed.delivery_id
    }


def release(
    connection: Connection, owner: str, delivery_ids: Collection[int] | None = None
) -> None:
    """Give back what this process claimed and did not attempt: these, or all."""
    query = sa.update(deliveries).where(deliveries.c.lease_owner == owner)
    if delivery_ids is not None:
        query = query.where(deliveries.c.delivery_id.in_(list(delivery_ids)))
    connection.execute(query.values(lease_owner=None, lease_until=None))


def _due(now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        deliveries.c.state == DeliveryState.PENDING,
        deliveries.c.next_attempt_at <= now,
        deliveries.c.lease_until.is_(None) | (deliveries.c.lease_until < now),
    )


def _first_in_line(subscription_id: str, now: datetime, limit: int) -> sa.Select[tuple[int]]:
    earlier = deliveries.alias("earlier")
    blocked = sa.exists().where(
        earlier.c.subscription_id == deliveries.c.subscription_id,
        earlier.c.order_id == deliveries.c.order_id,
        earlier.c.state == DeliveryState.PENDING,
        earlier.c.delivery_id < deliveries.c.delivery_id,
    )
    return (
        sa.select(deliveries.c.delivery_id)
        .where(deliveries.c.subscription_id == subscription_id, *_due(now), ~blocked)
        .order_by(deliveries.c.next_attempt_at, deliveries.c.delivery_id)
        .limit(limit)
        .with_for_update(of=deliveries, skip_locked=True)
    )


def _claims(connection: Connection, ids: Sequence[int]) -> list[Claim]:
    rows = connection.execute(
        sa.select(
            deliveries.c.delivery_id,
            deliveries.c.lease_owner,
            deliveries.c.lease_until,
            deliveries.c.attempts,
            deliveries.c.event_id,
            events.c.body,
            deliveries.c.subscription_id,
            subscriptions.c.url,
            deliveries.c.order_id,
            subscriptions.c.secret,
            subscriptions.c.previous_secret,
            subscriptions.c.previous_secret_until,
            subscriptions.c.kind,
            subscriptions.c.format,
            subscriptions.c.failures_in_a_row,
        )
        .join(events, events.c.event_id == deliveries.c.event_id)
        .join(subscriptions, subscriptions.c.subscription_id == deliveries.c.subscription_id)
        .where(deliveries.c.delivery_id.in_(ids))
        .order_by(deliveries.c.delivery_id)
    ).mappings()
    return [_claim(row) for row in rows]


def _claim(row: RowMapping) -> Claim:
    values = dict(row)
    values["kind"] = SubscriptionKind(row["kind"])
    values["format"] = BodyFormat(row["format"])
    return Claim(**values)
