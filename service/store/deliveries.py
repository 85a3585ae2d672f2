"""The outbox of webhooks: events, and what becomes of their deliveries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from models.errors import ConflictError, NotFoundError
from service.store.records import Attempt, Delivery, DeliveryState
from service.store.schema import attempts, deliveries, events, subscriptions
from service.store.subscriptions import get_subscription

_PENDING = deliveries.c.state == DeliveryState.PENDING
_INSERT_EVENT = sa.insert(events)
_INSERT_DELIVERY = sa.insert(deliveries)


@dataclass(frozen=True, kw_only=True, slots=True)
class NewEvent:
    """An event and those who are to be told of it."""

    event_id: str
    type: str
    order_id: str
    at: datetime
    body: str
    subscription_ids: tuple[str, ...]


def add_events(connection: Connection, new: Sequence[NewEvent]) -> None:
    """Store events in the transaction of their changes, and put them in line, in this order."""
    if not new:
        return
    told = [
        {
            "event_id": each.event_id,
            "type": each.type,
            "order_id": each.order_id,
            "created_at": each.at,
            "body": each.body,
        }
        for each in new
    ]
    rows = [_in_line(each, to) for each in new for to in each.subscription_ids]
    connection.execute(_INSERT_EVENT, told)
    connection.execute(_INSERT_DELIVERY, rows)


def _in_line(event: NewEvent, subscription_id: str) -> dict[str, object]:
    return {
        "event_id": event.event_id,
        "subscription_id": subscription_id,
        "order_id": event.order_id,
        "state": DeliveryState.PENDING,
        "attempts": 0,
        "next_attempt_at": event.at,
        "created_at": event.at,
    }


def list_deliveries(
    connection: Connection,
    subscription_id: str,
    *,
    states: Sequence[str] = (),
    before_id: int | None = None,
    limit: int,
) -> list[Delivery]:
    """A subscription's deliveries, newest first."""
    get_subscription(connection, subscription_id)
    query = _with_type().where(deliveries.c.subscription_id == subscription_id)
    if states:
        query = query.where(deliveries.c.state.in_(states))
    if before_id is not None:
        query = query.where(deliveries.c.delivery_id < before_id)
    rows = connection.execute(query.order_by(deliveries.c.delivery_id.desc()).limit(limit))
    return [_delivery(row) for row in rows.mappings()]


def get_delivery(connection: Connection, subscription_id: str, delivery_id: int) -> Delivery:
    """One delivery of a subscription; raises :class:`NotFoundError`."""
    get_subscription(connection, subscription_id)
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
    get_subscription(connection, subscription_id)
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


def _with_type() -> sa.Select[Any]:
    return sa.select(deliveries, events.c.type.label("event_type")).join(
        events, events.c.event_id == deliveries.c.event_id
    )


def _delivery(row: RowMapping) -> Delivery:
    hidden = {"lease_owner", "lease_until"}
    values = {key: value for key, value in row.items() if key not in hidden}
    values["state"] = DeliveryState(values["state"])
    return Delivery(**values)
