"""Orders that arrive together are written in one transaction; each is answered after its commit.

While one transaction is under way, what arrives gathers for the next: the busier the service is,
the more orders share a commit, and none waits for the sake of waiting.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeAlias

import structlog
from sqlalchemy.engine import Connection
from starlette.concurrency import run_in_threadpool

from models.errors import StoreError
from models.work_order import WorkOrderRequest
from models.zone import Priority
from service.api import joining
from service.api.actions import first_entries, receive_order
from service.api.deps import ApiDeps
from service.api.sla import due_columns
from service.api.telling import News, tell_all
from service.decisions.closure import RECURRENCE, earlier_order
from service.decisions.events import EventType
from service.decisions.routing import Case, first_statuses, route
from service.decisions.same_thing import may_be_shared
from service.store import bulk, orders, sightings
from service.store.intake import new_order
from service.store.orders import Tick
from service.store.records import HistoryEntry, PastOrder, WorkOrder

TOGETHER = 100
"""Orders of one transaction: more would hold up whoever else wants to write."""

log = structlog.get_logger(__name__)

Received: TypeAlias = tuple[WorkOrder, bool]
"""The stored order of an incident, and whether it is new."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Arrival:
    """An incident that was reported."""

    deps: ApiDeps
    """Of whoever reported it: the database as they may see it."""
    request: WorkOrderRequest
    actor: str
    is_limited: bool = False
    """They see only some departments' orders."""
    traceparent: str | None = None
    """Of the request, where traces are on: the writing is in a task of its own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Made:
    order: WorkOrder
    entries: list[HistoryEntry]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Waiting:
    arrival: Arrival
    future: asyncio.Future[Received | Exception]

    def answer(self, result: Received | Exception) -> None:
        if not self.future.done():  # it is, if whoever waited was cancelled
            self.future.set_result(result)


class Intake:
    """Takes orders in for one event loop."""

    def __init__(self) -> None:
        self._waiting: list[_Waiting] = []
        self._writing: asyncio.Task[None] | None = None

    async def receive(self, arrivals: Sequence[Arrival]) -> list[Received | Exception]:
        """Store the orders of incidents, as :func:`receive_order` does; what came of each."""
        loop = asyncio.get_running_loop()
        new = [_Waiting(arrival=each, future=loop.create_future()) for each in arrivals]
        self._waiting += new
        if self._writing is None:
            self._writing = loop.create_task(self._write(), name="intake")
        return await asyncio.gather(*(each.future for each in new))

    async def _write(self) -> None:
        part: list[_Waiting] = []
        try:
            while self._waiting:
                part, self._waiting = self._waiting[:TOGETHER], self._waiting[TOGETHER:]
                found = await run_in_threadpool(receive_together, [each.arrival for each in part])
                for each, result in zip(part, found, strict=True):
                    each.answer(result)
        finally:
            self._writing = None
            for each in (*part, *self._waiting):  # if the service ends meanwhile
                each.future.cancel()


def receive_together(arrivals: Sequence[Arrival]) -> list[Received | Exception]:
    """Store the orders of incidents; of each the stored one, or why it could not be stored.

    One that cannot be stored spoils no other: then each gets a transaction of its own.
    """
    stored: dict[str, WorkOrder] = {}
    new = _storable_together(arrivals)
    if len(new) > 1:
        try:
            stored = _store(new)
        except StoreError as error:
            log.warning("orders are stored one by one", count=len(new), reason=str(error))
        except Exception:  # whatever it is, it is told to the one whose order it is of
            log.exception("orders are stored one by one, by a mistake of ours", count=len(new))
    return [_found(stored, each) or _alone(each) for each in arrivals]


def _storable_together(arrivals: Sequence[Arrival]) -> list[Arrival]:
    """The first of each incident and of each thing; what is left comes one by one, after them."""
    first: dict[str, Arrival] = {}
    shared: list[bulk.Surroundings] = []
    for each in arrivals:
        if each.is_limited or each.request.incident_id in first:
            continue
        if may_be_shared(each.request):
            around = joining.surroundings(each.request)
            if any(around.touch(other) for other in shared):
                continue
            shared.append(around)
        first[each.request.incident_id] = each
    return list(first.values())


def _on_their_own(
    connection: Connection, arrivals: Sequence[Arrival], since: datetime
) -> list[Arrival]:
    """Those near which there is no order that they could belong to, or be the return of."""
    shared = [each for each in arrivals if may_be_shared(each.request)]
    if not shared:
        return list(arrivals)
    around = [joining.surroundings(each.request) for each in shared]
    near = bulk.near_others(connection, around, since)
    others = {
        each.request.incident_id for each, is_near in zip(shared, near, strict=True) if is_near
    }
    return [each for each in arrivals if each.request.incident_id not in others]


def _found(stored: dict[str, WorkOrder], arrival: Arrival) -> Received | None:
    order = stored.pop(arrival.request.incident_id, None)
    return None if order is None else (order, True)


def _alone(arrival: Arrival) -> Received | Exception:
    try:
        with arrival.deps.tracer.span("store order", parent=arrival.traceparent):
            return receive_order(arrival.deps, arrival.request, arrival.actor)
    except Exception as error:  # noqa: BLE001 - raised again where it is answered
        return error


def _store(arrivals: Sequence[Arrival]) -> dict[str, WorkOrder]:
    """Orders by incident, of those that had none."""
    deps = arrivals[0].deps
    with deps.database.write() as connection:
        if any(may_be_shared(each.request) for each in arrivals):
            sightings.take_turns(connection)  # first, see there
        known = _known(connection, arrivals)
        new = [each for each in arrivals if each.request.incident_id not in known]
        new = _on_their_own(connection, new, deps.now() - RECURRENCE)
        if not new:
            return {}
        past = _recent(deps, connection, new)
        # What can be read before is: from here to the commit nobody else can change an order.
        ticks = orders.ticks(connection, deps.now(), len(new))
        if faster := _known(connection, new):  # in another process
            new = [each for each in new if each.request.incident_id not in faster]
            ticks = ticks[: len(new)]
        due = _DueTimes(deps=deps)
        made = [_make(each, at, past, due) for each, at in zip(new, ticks, strict=True)]
        stored = bulk.add_orders(connection, [each.order for each in made]) if made else []
        orders.add_histories(connection, {each.order.order_id: each.entries for each in made})
        traces = {each.request.incident_id: each.traceparent for each in new}
        news = [
            News(
                order=each,
                kind=EventType.CREATED,
                moved_to=each.status,
                traceparent=traces[each.incident_id],
            )
            for each in stored
        ]
        tell_all(deps, connection, news)
    for order in stored:
        deps.metrics.orders_received.labels(order.category).inc()
    deps.wake()
    return {order.incident_id: order for order in stored}


def _known(connection: Connection, arrivals: Sequence[Arrival]) -> set[str]:
    return bulk.known_incidents(connection, [each.request.incident_id for each in arrivals])


def _recent(
    deps: ApiDeps, connection: Connection, arrivals: Sequence[Arrival]
) -> dict[bulk.Place, list[PastOrder]]:
    places = list({bulk.place_of(each.request): None for each in arrivals})
    return bulk.recent_at_places(connection, places, deps.now() - RECURRENCE)


@dataclass(frozen=True, kw_only=True, slots=True)
class _DueTimes:
    """Due times of a transaction: orders of one kind that come at one time have the same."""

    deps: ApiDeps
    known: dict[tuple[str, Priority, datetime], Mapping[str, datetime | None]] = field(
        default_factory=dict
    )

    def of(self, request: WorkOrderRequest, at: datetime) -> Mapping[str, datetime | None]:
        key = (request.category, request.priority, at)
        if key not in self.known:
            self.known[key] = due_columns(self.deps, *key)
        return self.known[key]


def _make(
    arrival: Arrival, at: Tick, past: dict[bulk.Place, list[PastOrder]], due: _DueTimes
) -> _Made:
    deps, request = arrival.deps, arrival.request
    case = Case(
        category=request.category,
        camera_id=request.camera_id,
        zone_id=request.zone_id,
        at=request.opened_at,
    )
    department_id = route(case, request.department_id, deps.routing)
    routed = replace(request, department_id=department_id)
    statuses = first_statuses(department_id)
    earlier = earlier_order(request, past[bulk.place_of(request)])
    order = new_order(
        routed,
        str(uuid.uuid4()),
        statuses[-1],
        at,
        None if earlier is None else earlier.order_id,
        due.of(request, at.at),
    )
    entries = first_entries(statuses, at.at, arrival.actor, department_id)
    return _Made(order=order, entries=entries)
