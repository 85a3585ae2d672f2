"""Webhook subscriptions."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from models.errors import NotFoundError
from service.store.records import BodyFormat, Subscription, SubscriptionKind
from service.store.schema import subscriptions
from service.store.scope import Scope, scope_of

_LISTS = (
    "event_types",
    "categories",
    "department_ids",
    "zone_ids",
    "camera_ids",
    "statuses",
    "owner_department_ids",
)
SUCCESS_NOTED_EVERY = timedelta(seconds=10)
"""So often a success is written down: a write for each delivery would cost too much."""


def add_subscription(connection: Connection, subscription: Subscription) -> None:
    """Store a new subscription."""
    connection.execute(sa.insert(subscriptions).values(**asdict(subscription)))


def list_subscriptions(connection: Connection, *, only_active: bool = False) -> list[Subscription]:
    """All subscriptions, oldest first, as far as they are in the connection's scope.

    ``only_active``: those to be told of a change, whoever made it, so whatever the scope.
    """
    query = sa.select(subscriptions).order_by(
        subscriptions.c.created_at, subscriptions.c.subscription_id
    )
    if only_active:
        query = query.where(subscriptions.c.active)
    found = [_subscription(row) for row in connection.execute(query).mappings()]
    return found if only_active else [each for each in found if _is_within(connection, each)]


def get_subscription(connection: Connection, subscription_id: str) -> Subscription:
    """One subscription; raises :class:`NotFoundError` also if it is out of the scope."""
    row = (
        connection.execute(
            sa.select(subscriptions).where(subscriptions.c.subscription_id == subscription_id)
        )
        .mappings()
        .one_or_none()
    )
    subscription = None if row is None else _subscription(row)
    if subscription is None or not _is_within(connection, subscription):
        raise NotFoundError(f"there is no subscription {subscription_id}")
    return subscription


def change_subscription(connection: Connection, subscription_id: str, **values: object) -> None:
    """Set columns of a subscription; raises :class:`NotFoundError`."""
    get_subscription(connection, subscription_id)
    done = connection.execute(
        sa.update(subscriptions)
        .where(subscriptions.c.subscription_id == subscription_id)
        .values(**values)
    )
    if done.rowcount == 0:
        raise NotFoundError(f"there is no subscription {subscription_id}")


def remove_subscription(connection: Connection, subscription_id: str) -> None:
    """Delete a subscription with its deliveries; raises :class:`NotFoundError`."""
    get_subscription(connection, subscription_id)
    done = connection.execute(
        sa.delete(subscriptions).where(subscriptions.c.subscription_id == subscription_id)
    )
    if done.rowcount == 0:
        raise NotFoundError(f"there is no subscription {subscription_id}")


def note_success(connection: Connection, subscription_id: str, now: datetime) -> None:
    """The receiver works: forget earlier failures. Written only if there is something to say."""
    latest = subscriptions.c.last_success_at
    connection.execute(
        sa.update(subscriptions)
        .where(
            subscriptions.c.subscription_id == subscription_id,
            (subscriptions.c.failures_in_a_row > 0)
            | subscriptions.c.paused_until.is_not(None)
            | latest.is_(None)
            | (latest < now - SUCCESS_NOTED_EVERY),
        )
        .values(failures_in_a_row=0, paused_until=None, failing_since=None, last_success_at=now)
    )


def note_failure(
    connection: Connection, subscription_id: str, paused_until: datetime | None, now: datetime
) -> None:
    """Count a failure, and spare the receiver for a while where that is due."""
    since = subscriptions.c.failing_since
    values: dict[str, object] = {
        "failures_in_a_row": subscriptions.c.failures_in_a_row + 1,
        "failing_since": sa.func.coalesce(since, sa.bindparam("now", now, since.type)),
    }
    if paused_until is not None:
        values["paused_until"] = paused_until
    connection.execute(
        sa.update(subscriptions)
        .where(subscriptions.c.subscription_id == subscription_id)
        .values(**values)
    )


def limit_owner(connection: Connection, owner: str, department_ids: tuple[str, ...]) -> None:
    """Let an owner's subscriptions see what the owner may see from now on."""
    connection.execute(
        sa.update(subscriptions)
        .where(subscriptions.c.owner == owner)
        .values(owner_department_ids=list(department_ids))
    )


def rest_owner(connection: Connection, owner: str, reason: str, at: datetime) -> None:
    """Make inactive what belongs to somebody who may not read any more."""
    connection.execute(
        sa.update(subscriptions)
        .where(subscriptions.c.owner == owner, subscriptions.c.active)
        .values(active=False, disabled_reason=reason, disabled_at=at)
    )


def _is_within(connection: Connection, subscription: Subscription) -> bool:
    owners = Scope(department_ids=subscription.owner_department_ids)
    return scope_of(connection).includes(owners)


def _subscription(row: RowMapping) -> Subscription:
    values = dict(row) | {name: tuple(row[name]) for name in _LISTS}
    values["kind"] = SubscriptionKind(row["kind"])
    values["format"] = BodyFormat(row["format"])
    return Subscription(**values)
