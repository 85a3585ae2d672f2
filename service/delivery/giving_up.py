"""Ends a subscription whose receiver has been failing for days, and says so to the others."""

from __future__ import annotations

import json
import uuid
from datetime import datetime, timedelta

import structlog
from sqlalchemy.engine import Connection

from service.decisions.events import SPEC_VERSION, EventType
from service.decisions.retry import is_given_up
from service.store import deliveries, subscriptions
from service.store.claims import Claim
from service.store.deliveries import NewEvent
from service.store.records import Subscription

SOURCE = "/api/v1/subscriptions"

log = structlog.get_logger(__name__)


def give_up_if_due(
    connection: Connection,
    failed: Claim,
    now: datetime,
    after: timedelta,
    reason: str | None = None,
) -> bool:
    """Make a subscription inactive after a failed delivery, if it is time; whether it was.

    ``reason``: make it inactive whatever its past. What waits for it keeps waiting and is sent, in
    order, when it is made active again.
    """
    to = subscriptions.get_subscription(connection, failed.subscription_id)
    if not to.active:
        return False
    if reason is None:
        if not is_given_up(to.failing_since, to.failures_in_a_row, now, after):
            return False
        reason = (
            f"every attempt has failed for {after.total_seconds() / 86400:.3g} days"
            f" ({to.failures_in_a_row} in a row)"
        )
    subscriptions.change_subscription(
        connection, to.subscription_id, active=False, disabled_reason=reason, disabled_at=now
    )
    log.error("subscription disabled", subscription=to.subscription_id, url=to.url, reason=reason)
    _tell_others(connection, to, failed, reason, now)
    return True


def _tell_others(
    connection: Connection, disabled: Subscription, failed: Claim, reason: str, now: datetime
) -> None:
    """Put the notice in line for those who asked for it, in the line of the order that failed."""
    wanting = [
        each.subscription_id
        for each in subscriptions.list_subscriptions(connection, only_active=True)
        if EventType.SUBSCRIPTION_DISABLED in each.event_types
        and each.owner_department_ids in ((), disabled.owner_department_ids)
    ]
    if not wanting:
        return
    event_id = str(uuid.uuid4())
    notice = {
        "specversion": SPEC_VERSION,
        "id": event_id,
        "source": SOURCE,
        "type": EventType.SUBSCRIPTION_DISABLED,
        "subject": disabled.subscription_id,
        "time": now.isoformat(),
        "datacontenttype": "application/json",
        "data": {
            "subscription_id": disabled.subscription_id,
            "url": disabled.url,
            "description": disabled.description,
            "disabled_reason": reason,
            "disabled_at": now.isoformat(),
            "failing_since": None
            if disabled.failing_since is None
            else disabled.failing_since.isoformat(),
            "last_order_id": failed.order_id,
        },
    }
    body = json.dumps(notice, ensure_ascii=False, separators=(",", ":"))
    event = NewEvent(
        event_id=event_id,
        type=EventType.SUBSCRIPTION_DISABLED,
        order_id=failed.order_id,
        at=now,
        body=body,
        subscription_ids=tuple(wanting),
    )
    deliveries.add_events(connection, [event])
