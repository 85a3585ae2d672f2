"""The outbox of webhooks: events, their deliveries, and each attempt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from models.errors import ConflictError, NotFoundError
from service.store.records import Attempt, Delivery, DeliveryState
from service.store.schema import attempts, deliveries, events, subscriptions

_PENDING = deliveries.c.state == DeliveryState.PENDING


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """A delivery that this process may attempt until its lease ends."""

    delivery_id: int
    lease_owner: str
    attempts: int
    """Attempts made before."""
    event_id: str
    body: str
    subscription_id: str
    url: str
    secret: str
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


def add_event(
    connection: Connection, event_id: str, event_type: str, order_id: str, at: datetime, body: str
) -> None:
    """Store an event in the transaction of the change that it tells of."""
    connection.execute(
        sa.insert(events).values(
            event_id=event_id, type=event_type, order_id=order_id, created_at=at, body=body
        )
    )


def add_deliveries(
    connection: Connection,
    event_id: str,
    order_id: str,
    subscription_ids: Sequence[str],
    at: datetime,
) -> None:
    """Put an event in line for each of these subscriptions."""
    common = {
        "event_id": event_id,
        "order_id": order_id,
        "state": DeliveryState.PENDING,
        "attempts": 0,
        "next_attempt_at": at,
        "created_at": at,
    }
    connection.execute(
        sa.insert(deliveries), [common | {"subscription_id": each} for each in subscription_ids]
    )


def due_subscriptions(connection: Connection, now: datetime) -> dict[str, int]:
    """Subscriptions with something due, and their failures in a row. Takes no lock."""
    waiting = sa.exists().where(
        deliveries.c.subscription_id == subscriptions.c.subscription_id, *_due(now)
    )
    rows = connection.execute(
        sa.select(subscriptions.c.subscription_id, subscriptions.c.failures_in_a_row).where(
            subscriptions.c.active,
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
    done = connection.execute(
        sa.update(deliveries)
        .where(
            deliveries.c.delivery_id == claimed.delivery_id,
            deliveries.c.lease_owner == claimed.lease_owner,
        )
        .values(**values)
    )
    if done.rowcount == 0:
        return False
    connection.execute(
        sa.insert(attempts).values(
            delivery_id=claimed.delivery_id,
            at=attempt.at,
            duration_s=attempt.duration_s,
            status_code=attempt.status_code,
            error=attempt.error,
            answer=attempt.answer,
        )
    )
    return True


def release(connection: Connection, owner: str) -> None:
    """Give back what this process claimed and did not attempt."""
    connection.execute(
        sa.update(deliveries)
        .where(deliveries.c.lease_owner == owner)
        .values(lease_owner=None, lease_until=None)
    )


def list_deliveries(
    connection: Connection,
    subscription_id: str,
    *,
    states: Sequence[str] = (),
    before_id: int | None = None,
    limit: int,
) -> list[Delivery]:
    """A subscription's deliveries, newest first."""
    query = _with_type().where(deliveries.c.subscription_id == subscription_id)
    if states:
        query = query.where(deliveries.c.state.in_(states))
    if before_id is not None:
        query = query.where(deliveries.c.delivery_id < before_id)
    rows = connection.execute(query.order_by(deliveries.c.delivery_id.desc()).limit(limit))
    return [_delivery(row) for row in rows.mappings()]


def get_delivery(connection: Connection, subscription_id: str, delivery_id: int) -> Delivery:
    """One delivery of a subscription; raises :class:`NotFoundError`."""
    row = (
        connection.execute(
            _with_type().where(
                deliveries.c.subscription_id == subscription_id,
                deliveries.c.delivery_id == delivery_id,
            )
        )
        .mappings()
        .one_or_none()
    )
    if row is None:
        raise NotFoundError(f"subscription {subscription_id} has no delivery {delivery_id}")
    return _delivery(row)


def attempts_of(connection: Connection, delivery_id: int) -> list[Attempt]:
    """The attempts of a delivery, oldest first."""
    rows = connection.execute(
        sa.select(attempts)
        .where(attempts.c.delivery_id == delivery_id)
        .order_by(attempts.c.attempt_id)
    )
    return [
        Attempt(
            at=row.at,
            duration_s=row.duration_s,
            status_code=row.status_code,
            error=row.error,
            answer=row.answer,
        )
        for row in rows
    ]


def send_again(
    connection: Connection, subscription_id: str, delivery_id: int, now: datetime
) -> Delivery:
    """Put a dead delivery back in line, with a new schedule and its old id."""
    done = connection.execute(
        sa.update(deliveries)
        .where(
            deliveries.c.subscription_id == subscription_id,
            deliveries.c.delivery_id == delivery_id,
            deliveries.c.state == DeliveryState.DEAD,
        )
        .values(state=DeliveryState.PENDING, attempts=0, next_attempt_at=now, finished_at=None)
    )
    delivery = get_delivery(connection, subscription_id, delivery_id)
    if done.rowcount == 0:
        raise ConflictError(f"delivery {delivery_id} is {delivery.state}, not dead")
    return delivery


def count_by_state(connection: Connection) -> dict[str, int]:
    """How many deliveries are in each state."""
    rows = connection.execute(
        sa.select(deliveries.c.state, sa.func.count().label("total")).group_by(deliveries.c.state)
    )
    return {row.state: int(row.total) for row in rows}


def oldest_pending(connection: Connection) -> datetime | None:
    """When the delivery that has waited longest for an active subscription was put in line."""
    oldest = (
        sa.select(sa.func.min(deliveries.c.created_at))
        .join(subscriptions, subscriptions.c.subscription_id == deliveries.c.subscription_id)
        .where(_PENDING, subscriptions.c.active)
    )
    found: datetime | None = connection.execute(oldest).scalar_one()
    return found


def _due(now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        _PENDING,
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
            deliveries.c.attempts,
            deliveries.c.event_id,
            events.c.body,
            deliveries.c.subscription_id,
            subscriptions.c.url,
            subscriptions.c.secret,
            subscriptions.c.failures_in_a_row,
        )
        .join(events, events.c.event_id == deliveries.c.event_id)
        .join(subscriptions, subscriptions.c.subscription_id == deliveries.c.subscription_id)
        .where(deliveries.c.delivery_id.in_(ids))
        .order_by(deliveries.c.delivery_id)
    ).mappings()
    return [Claim(**row) for row in rows]


def _with_type() -> sa.Select[Any]:
    return sa.select(deliveries, events.c.type.label("event_type")).join(
        events, events.c.event_id == deliveries.c.event_id
    )


def _delivery(row: RowMapping) -> Delivery:
    hidden = {"lease_owner", "lease_until"}
    values = {key: value for key, value in row.items() if key not in hidden}
    values["state"] = DeliveryState(values["state"])
    return Delivery(**values)
