"""What a camera's own later sight makes of an order: verified by itself, or opened again."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from models.geometry import Box
from models.work_order import Status, WorkOrderRequest
from service.store.records import PastOrder, WorkOrder

VERIFIED_BY_SIGHT = frozenset(
    {
        Status.RECEIVED,
        Status.DISPATCHED,
        Status.ACCEPTED,
        Status.IN_PROGRESS,
        Status.RESOLVED,
        Status.REOPENED,
    }
)
"""Orders that are done once their camera sees the place free, whoever freed it."""

STILL_THERE_AFTER = timedelta(seconds=60)
"""A sight later than this after a crew said resolved counts against them: clocks of cameras and
of this service may differ, and a crew may say it while it is packing up."""

RECURRENCE = timedelta(days=30)
"""A new incident at the place of an order that ended no longer ago is told to be its return."""

SAME_PLACE_IOU = 0.3
"""From this overlap on two boxes of one camera are the same place."""


def status_when_cleared(status: Status) -> Status:
    """Status of an order once its camera has seen the place free; others stay as they are."""
    return Status.VERIFIED if status in VERIFIED_BY_SIGHT else status


def status_when_present(
    status: Status, resolved_at: datetime | None, last_seen_at: datetime
) -> Status:
    """Status of an order whose object was seen at ``last_seen_at``.

    An order that a crew resolved at ``resolved_at`` is reopened if the object is still there.
    """
    if status is not Status.RESOLVED or resolved_at is None:
        return status
    is_later = last_seen_at > resolved_at + STILL_THERE_AFTER
    return Status.REOPENED if is_later else status


def is_over(order: WorkOrder | PastOrder) -> bool:
    """Whether nothing is to be done about an order any more."""
    return order.cleared_at is not None or order.status in {Status.VERIFIED, Status.CLOSED}


def earlier_order(request: WorkOrderRequest, recent: Iterable[PastOrder]) -> PastOrder | None:
    """The ended order that a new incident is the return of: same place, newest first.

    A rejected order is none: what it told of was no case; nor a duplicate: there is the other.
    """
    box = _place(request)
    for order in recent:
        if is_over(order) and order.status not in {Status.REJECTED, Status.DUPLICATE}:
            scale = (request.width_px / order.width_px, request.height_px / order.height_px)
            if box.iou(_place(order).scaled(*scale)) >= SAME_PLACE_IOU:
                return order
    return None


def _place(order: WorkOrderRequest | PastOrder) -> Box:
    return Box(*order.box_xyxy)
