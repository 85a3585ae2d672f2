"""Lays aside orders that nobody touched and no camera saw for as long as is configured."""

from __future__ import annotations

from datetime import datetime, timedelta

from models.work_order import EXPIRES, Status
from service.api.actions import tell
from service.api.deps import ApiDeps
from service.decisions.events import EventType
from service.store import orders
from service.store.records import HistoryEntry, HistoryKind, WorkOrder
from service.store.schema import orders as table

ACTOR = "retention"
AT_ONCE = 200


def expire_untouched(deps: ApiDeps) -> int:
    """Give status ``expired`` to orders left alone for too long; how many were looked at."""
    days = deps.settings.expire_after_days
    if days is None:
        return 0
    before = deps.now() - timedelta(days=days)
    left_alone = (
        table.c.status.in_(EXPIRES)
        & (table.c.updated_at < before)
        & (table.c.last_seen_at < before)
    )
    with deps.database.read() as connection:
        found = orders.find_orders(connection, left_alone, AT_ONCE)
    for order in found:
        _expire(deps, order.order_id, before)
    if found:
        deps.wake()
    return len(found)


def _expire(deps: ApiDeps, order_id: str, before: datetime) -> None:
    with deps.database.write() as connection:
        order = orders.get_order(connection, order_id, lock=True)
        if not _is_left_alone(order, before):
            return  # somebody was faster
        at = orders.tick(connection, deps.now())
        expired = orders.change_order(connection, order, at, status=Status.EXPIRED)
        entry = HistoryEntry(
            version=expired.version,
            at=at.at,
            actor=ACTOR,
            kind=HistoryKind.STATUS,
            from_status=order.status,
            to_status=Status.EXPIRED,
        )
        orders.add_history(connection, order_id, [entry])
        tell(deps, connection, expired, EventType.UPDATED, moved_to=Status.EXPIRED)


def _is_left_alone(order: WorkOrder, before: datetime) -> bool:
    return order.status in EXPIRES and max(order.updated_at, order.last_seen_at) < before
