"""One thing that several cameras see is one order: their incidents are its sightings.

The first camera's report makes the order; each later one is kept whole as a sighting, with its own
evidence, and noted in the history. The order is cleared when the last of them sees the place free.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from models.ground import metres_per_degree
from models.work_order import Status, WorkOrderRequest
from service.api.deps import ApiDeps
from service.api.telling import tell
from service.decisions.closure import RECURRENCE
from service.decisions.events import EventType
from service.decisions.evidence_kinds import PICTURE, kind_of_name
from service.decisions.same_thing import (
    ON_GROUND,
    SAME_SPOT_M,
    UNDER_WAY,
    is_same_thing,
    may_be_shared,
    returned_from,
    same_thing,
)
from service.store import orders, sightings
from service.store.bulk import Surroundings
from service.store.database import Database
from service.store.records import HistoryEntry, HistoryKind, Sighting, WorkOrder
from service.store.schema import orders as table


def join(
    connection: Connection, request: WorkOrderRequest, actor: str, now: Callable[[], datetime]
) -> WorkOrder | None:
    """Add an incident to the order of the same thing; ``None``: it needs an order of its own.

    Must come first in its transaction: until that ends, no other incident is joined.
    """
    if not may_be_shared(request):
        return None
    sightings.take_turns(connection)
    known = orders.find_by_incident(connection, request.incident_id)
    if known is not None:  # posted twice at the same moment
        return known
    found = same_thing(request, orders.find_orders(connection, _under_way_near(request)))
    if found is None:
        return None
    order = orders.get_order(connection, found.order_id, lock=True)
    if not is_same_thing(request, order):  # somebody ended it meanwhile
        return None
    return _added(connection, order, request, actor, now())


def earlier_elsewhere(
    connection: Connection, request: WorkOrderRequest, now: datetime
) -> WorkOrder | None:
    """The ended order, of whichever camera, that a new incident is the return of."""
    if not may_be_shared(request):
        return None
    # The newest first: what is too old comes last, and its age needs no index.
    found = orders.find_orders(connection, _near(request))
    return returned_from(request, [each for each in found if each.created_at >= now - RECURRENCE])


def _added(
    connection: Connection, order: WorkOrder, request: WorkOrderRequest, actor: str, now: datetime
) -> WorkOrder:
    new = Sighting(order_id=order.order_id, report=request, last_seen_at=request.opened_at)
    first = () if order.sightings else (_own_sighting(order),)
    sightings.add(connection, [*first, new])
    at = orders.tick(connection, now)
    last_seen_at = max(order.last_seen_at, request.opened_at)
    changed = orders.change_order(connection, order, at, last_seen_at=last_seen_at)
    note = f"also seen by {request.camera_name}, {request.zone_name}: {request.description}"
    orders.add_history(connection, order.order_id, [sighting_entry(changed, actor, note)])
    return replace(changed, sightings=(*order.sightings, *first, new))


def _own_sighting(order: WorkOrder) -> Sighting:
    values = {field.name: getattr(order, field.name) for field in fields(WorkOrderRequest)}
    return Sighting(
        order_id=order.order_id,
        report=WorkOrderRequest(**values),
        last_seen_at=order.last_seen_at,
        cleared_at=order.cleared_at,
        evidence=order.evidence,
    )


def sight_of(order: WorkOrder, incident_id: str) -> Sighting:
    """What the camera of an incident has told of it so far."""
    own = (seen for seen in order.sightings if seen.report.incident_id == incident_id)
    return next(own, None) or _own_sighting(order)


def note_sight(
    connection: Connection,
    order: WorkOrder,
    incident_id: str,
    last_seen_at: datetime,
    cleared_at: datetime | None,
) -> WorkOrder:
    """Keep what one of several cameras saw; the order with it."""
    if not order.sightings:
        return order
    sightings.note(connection, incident_id, last_seen_at, cleared_at)
    after = [
        replace(seen, last_seen_at=last_seen_at, cleared_at=cleared_at)
        if seen.report.incident_id == incident_id
        else seen
        for seen in order.sightings
    ]
    return replace(order, sightings=tuple(after))


def log_free_for_one(
    connection: Connection, order: WorkOrder, incident_id: str, actor: str, now: datetime
) -> WorkOrder:
    """One camera sees the place free while others still see the thing: told, and no more."""
    at = orders.tick(connection, now)
    changed = orders.change_order(connection, order, at)
    own = sight_of(order, incident_id).report
    still = [s.report.camera_name for s in order.sightings if s.cleared_at is None]
    note = f"gone from the sight of {own.camera_name}; still seen by {', '.join(still)}"
    orders.add_history(connection, order.order_id, [sighting_entry(changed, actor, note)])
    return changed


def seen_again(
    deps: ApiDeps, connection: Connection, order: WorkOrder, incident_id: str, actor: str
) -> WorkOrder | None:
    """Reopen an order that was cleared without a camera which still sees the thing.

    ``None``: it was not, or people have closed it since.
    """
    own = sight_of(order, incident_id)
    is_overruled = (
        order.cleared_at is not None
        and order.status is Status.VERIFIED
        and own.cleared_at is None
        and own.last_seen_at > order.cleared_at
    )
    if not is_overruled:
        return None
    at = orders.tick(connection, deps.now())
    after = orders.change_order(connection, order, at, cleared_at=None, status=Status.REOPENED)
    note = f"still seen by {own.report.camera_name}, which has come back · 恢复在线的摄像机仍能看到"
    entry = sighting_entry(after, actor, note, order.status)
    orders.add_history(connection, order.order_id, [entry])
    tell(deps, connection, after, EventType.UPDATED, moved_to=after.status)
    return after


def wants_picture(database: Database, order: WorkOrder, incident_id: str) -> bool:
    """Whether an order was reopened and an incident of it has had no picture since.

    It is asked for with each sight until it comes, whatever became of an earlier answer.
    """
    if order.status is not Status.REOPENED:
        return False
    with database.read() as connection:
        since = orders.last_became(connection, order.order_id, Status.REOPENED)
    pictures = [
        file
        for file in order.files
        if file.incident_id == incident_id and kind_of_name(file.name) is PICTURE
    ]
    return since is not None and all(file.created_at < since for file in pictures)


def sighting_entry(
    changed: WorkOrder, actor: str, note: str, before: Status | None = None
) -> HistoryEntry:
    """Something that one of several cameras tells; ``before``: the status that it moves on."""
    return HistoryEntry(
        version=changed.version,
        at=changed.updated_at,
        actor=actor,
        kind=HistoryKind.SIGHTING,
        from_status=before,
        to_status=None if before is None else changed.status,
        note=note,
    )


def _under_way_near(request: WorkOrderRequest) -> sa.ColumnElement[bool]:
    under_way = [status.value for status in UNDER_WAY]
    is_under_way = orders.unindexed(table.c.status).in_(under_way)
    return sa.and_(_near(request), table.c.cleared_at.is_(None), is_under_way)


def _near(request: WorkOrderRequest) -> sa.ColumnElement[bool]:
    """Orders of the same category that may be at the same place; decisions look closer."""
    where: list[sa.ColumnElement[bool]] = []
    if request.place_id:
        where.append(sa.and_(table.c.place_id != "", table.c.place_id == request.place_id))
    if request.located_by == ON_GROUND and request.latitude is not None:
        where.append(_around(request.latitude, request.longitude or 0.0))
    return sa.and_(table.c.category == request.category, sa.or_(*where))


def surroundings(request: WorkOrderRequest) -> Surroundings:
    """Where another camera's order of the same thing would be."""
    spot: dict[str, float] = {}
    if request.located_by == ON_GROUND and request.latitude is not None:
        longitude = request.longitude or 0.0
        high, wide = _reach(request.latitude)
        spot = {
            "south": request.latitude - high,
            "north": request.latitude + high,
            "west": longitude - wide,
            "east": longitude + wide,
        }
    return Surroundings(category=request.category, place_id=request.place_id, **spot)


def _reach(latitude: float) -> tuple[float, float]:
    """Degrees to the north and to the east within which things may be the same."""
    per_east, per_north = metres_per_degree(latitude)
    return SAME_SPOT_M / per_north, SAME_SPOT_M / max(per_east, 1.0)


def _around(latitude: float, longitude: float) -> sa.ColumnElement[bool]:
    high, wide = _reach(latitude)
    return sa.and_(
        # As text, as in the index: a bound value would not be recognised.
        sa.text("located_by = 'ground'"),
        table.c.latitude.between(latitude - high, latitude + high),
        table.c.longitude.between(longitude - wide, longitude + wide),
    )
