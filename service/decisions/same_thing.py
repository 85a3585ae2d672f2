"""Whether what two cameras report is one and the same thing, which gets one order. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from models.ground import distance_m
from models.work_order import Status, WorkOrderRequest
from service.decisions.closure import is_over
from service.store.records import Sighting, WorkOrder
from zones.labels import FAMILIES

ON_GROUND = "ground"
"""Value of ``located_by`` of what a calibrated camera located."""
SAME_SPOT_M = 5.0
"""Two calibrated cameras put one thing no farther apart: each sees the side that is turned to it,
half a car from its middle, and calibrations are right to a metre or two."""
OPENED_WITHIN = timedelta(minutes=10)
"""Two cameras confirm one thing within this time: their rules may ask for different dwells."""

UNDER_WAY = frozenset(
    {
        Status.RECEIVED,
        Status.DISPATCHED,
        Status.ACCEPTED,
        Status.IN_PROGRESS,
        Status.RESOLVED,
        Status.REOPENED,
    }
)
"""Orders that another camera's incident may still belong to."""

_GROUPS = (*FAMILIES, frozenset({"litter", "garbage_pile"}))
_GROUP_OF = {label: min(group) for group in _GROUPS for label in group}


def may_be_shared(request: WorkOrderRequest) -> bool:
    """Whether another camera could have told of the same thing."""
    return bool(request.place_id) or _spot(request) is not None


def same_thing(request: WorkOrderRequest, orders: Iterable[WorkOrder]) -> WorkOrder | None:
    """The order under way that an incident belongs to: the nearest, then the one like it in time.

    Each camera tells its things apart by itself, so two that it sees at once are two.
    """
    fitting = [order for order in orders if is_same_thing(request, order)]
    return min(fitting, key=lambda order: _difference(request, order), default=None)


def is_same_thing(request: WorkOrderRequest, order: WorkOrder) -> bool:
    """Whether an incident belongs to an order of another camera."""
    return (
        order.status in UNDER_WAY
        and order.cleared_at is None
        and _is_alike(request, order)
        and not _is_seen_by(request.camera_id, order)
        and _is_of_its_time(request, order)
    )


def returned_from(request: WorkOrderRequest, orders: Iterable[WorkOrder]) -> WorkOrder | None:
    """The ended order of other cameras that a new incident is the return of, newest first.

    In a place that is only named, such as a bus bay, the next thing is another one: there it must
    have begun before the order had long been over.
    """
    for order in orders:
        is_ended = is_over(order) and order.status is not Status.REJECTED
        if not is_ended or not _is_alike(request, order):
            continue
        ended_at = order.cleared_at or order.updated_at
        if _distance_m(request, order) is not None or request.started_at <= (
            ended_at + OPENED_WITHIN
        ):
            return order
    return None


def _is_alike(request: WorkOrderRequest, order: WorkOrder) -> bool:
    return (
        request.category == order.category
        and _group(request.label) == _group(order.label)
        and _is_there(request, order)
    )


def _is_there(request: WorkOrderRequest, order: WorkOrder) -> bool:
    distance = _distance_m(request, order)
    if distance is not None:  # it says more than the name of a place, in which several may stand
        return distance <= SAME_SPOT_M
    return bool(request.place_id) and request.place_id == order.place_id


def _is_seen_by(camera_id: str, order: WorkOrder) -> bool:
    if not order.sightings:
        return order.camera_id == camera_id
    return any(
        seen.report.camera_id == camera_id and seen.cleared_at is None for seen in order.sightings
    )


def _is_of_its_time(request: WorkOrderRequest, order: WorkOrder) -> bool:
    """Confirmed at about the time of another sight, or by a camera that lost it from sight."""
    return any(
        report.camera_id == request.camera_id
        or abs(request.opened_at - report.opened_at) <= OPENED_WITHIN
        for report in _reports(order)
    )


def _reports(order: WorkOrder) -> Iterable[WorkOrderRequest]:
    return (seen.report for seen in order.sightings) if order.sightings else (order,)


def _difference(request: WorkOrderRequest, order: WorkOrder) -> tuple[float, float, int]:
    distance = _distance_m(request, order)
    apart = abs(request.started_at - order.started_at)
    return (SAME_SPOT_M if distance is None else distance, apart.total_seconds(), order.number)


def _distance_m(one: WorkOrderRequest, other: WorkOrderRequest) -> float | None:
    """Metres between two things; ``None`` unless both were located on the ground."""
    here, there = _spot(one), _spot(other)
    return None if here is None or there is None else distance_m(here, there)


def _spot(request: WorkOrderRequest) -> tuple[float, float] | None:
    if request.located_by != ON_GROUND or request.latitude is None or request.longitude is None:
        return None
    return request.latitude, request.longitude


def _group(label: str) -> str:
    return _GROUP_OF.get(label, label)


def others_see(order: WorkOrder, incident_id: str) -> list[Sighting]:
    """Sightings of an order by other incidents that have not ended."""
    return [
        seen
        for seen in order.sightings
        if seen.cleared_at is None and seen.report.incident_id != incident_id
    ]
