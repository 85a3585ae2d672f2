"""The subscription through which a broker is served, and what it is told of zones."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from service.store.records import Subscription, SubscriptionKind
from service.store.schema import orders, subscriptions
from service.store.subscriptions import add_subscription, change_subscription

MQTT_SUBSCRIPTION = str(uuid.UUID("6d717474-0000-5000-8000-000000000001"))
"""There is one broker, so one subscription; its id never changes."""
NO_BROKER = "the service runs without --mqtt-url"


def subscribe_broker(connection: Connection, address: str, now: datetime) -> None:
    """Have everything that happens put in line for the broker; ``address`` without a password."""
    known = connection.execute(
        sa.select(subscriptions.c.subscription_id).where(
            subscriptions.c.subscription_id == MQTT_SUBSCRIPTION
        )
    ).first()
    if known is not None:
        change_subscription(
            connection,
            MQTT_SUBSCRIPTION,
            url=address,
            active=True,
            disabled_reason=None,
            disabled_at=None,
            failures_in_a_row=0,
            failing_since=None,
            paused_until=None,
        )
        return
    made = Subscription(
        subscription_id=MQTT_SUBSCRIPTION,
        url=address,
        description="MQTT",
        event_types=(),
        categories=(),
        department_ids=(),
        secret="",
        active=True,
        disabled_reason=None,
        failures_in_a_row=0,
        paused_until=None,
        created_at=now,
        kind=SubscriptionKind.MQTT,
    )
    add_subscription(connection, made)


def rest_broker(connection: Connection, now: datetime) -> None:
    """Put nothing more in line: the service was started without a broker."""
    connection.execute(
        sa.update(subscriptions)
        .where(subscriptions.c.subscription_id == MQTT_SUBSCRIPTION, subscriptions.c.active)
        .values(active=False, disabled_reason=NO_BROKER, disabled_at=now)
    )


def count_orders_in_zone(
    connection: Connection, camera_id: str, zone_id: str, over: Collection[str]
) -> int:
    """How many orders of a zone are not at one of these statuses."""
    query = sa.select(sa.func.count()).where(
        orders.c.camera_id == camera_id,
        orders.c.zone_id == zone_id,
        orders.c.status.not_in(list(over)),
    )
    return int(connection.execute(query).scalar_one())
