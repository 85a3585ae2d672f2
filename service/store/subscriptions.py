"""Webhook subscriptions."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from models.errors import NotFoundError
from service.store.records import Subscription
from service.store.schema import subscriptions

_LISTS = ("event_types", "categories", "department_ids")


def add_subscription(connection: Connection, subscription: Subscription) -> None:
    """Store a new subscription."""
    connection.execute(sa.insert(subscriptions).values(**asdict(subscription)))


def list_subscriptions(connection: Connection, *, only_active: bool = False) -> list[Subscription]:
    """All subscriptions, oldest first."""
    query = sa.select(subscriptions).order_by(
        subscriptions.c.created_at, subscriptions.c.subscription_id
    )
    if only_active:
        query = query.where(subscriptions.c.active)
    return [_subscription(row) for row in connection.execute(query).mappings()]


def get_subscription(connection: Connection, subscription_id: str) -> Subscription:
    """One subscription; raises :class:`NotFoundError`."""
    row = (
        connection.execute(
            sa.select(subscriptions).where(subscriptions.c.subscription_id == subscription_id)
        )
        .mappings()
        .one_or_none()
    )
    if row is None:
        raise NotFoundError(f"there is no subscription {subscription_id}")
    return _subscription(row)


def change_subscription(connection: Connection, subscription_id: str, **values: object) -> None:
    """Set columns of a subscription; raises :class:`NotFoundError`."""
    done = connection.execute(
        sa.update(subscriptions)
        .where(subscriptions.c.subscription_id == subscription_id)
        .values(**values)
    )
    if done.rowcount == 0:
        raise NotFoundError(f"there is no subscription {subscription_id}")


def remove_subscription(connection: Connection, subscription_id: str) -> None:
    """Delete a subscription with its deliveries; raises :class:`NotFoundError`."""
    done = connection.execute(
        sa.delete(subscriptions).where(subscriptions.c.subscription_id == subscription_id)
    )
    if done.rowcount == 0:
        raise NotFoundError(f"there is no subscription {subscription_id}")


def note_success(connection: Connection, subscription_id: str) -> None:
    """The receiver works: forget earlier failures."""
    connection.execute(
        sa.update(subscriptions)
        .where(
            subscriptions.c.subscription_id == subscription_id,
            (subscriptions.c.failures_in_a_row > 0) | subscriptions.c.paused_until.is_not(None),
        )
        .values(failures_in_a_row=0, paused_until=None)
    )


def note_failure(
    connection: Connection, subscription_id: str, paused_until: datetime | None
) -> None:
    """Count a failure, and spare the receiver for a while where that is due."""
    values: dict[str, object] = {"failures_in_a_row": subscriptions.c.failures_in_a_row + 1}
    if paused_until is not None:
        values["paused_until"] = paused_until
    connection.execute(
        sa.update(subscriptions)
        .where(subscriptions.c.subscription_id == subscription_id)
        .values(**values)
    )


def _subscription(row: RowMapping) -> Subscription:
    values = dict(row) | {name: tuple(row[name]) for name in _LISTS}
    return Subscription(**values)
