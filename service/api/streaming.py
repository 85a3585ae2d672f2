"""``/api/v1/events``: everything that happens to orders, as Server-Sent Events."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from models.errors import NotFoundError, StoreError
from models.work_order import Status
from service.api.actions import EVENT_SOURCE
from service.api.deps import ApiDeps, CanRead, Deps
from service.api.forms import Ident
from service.api.notifier import Notifier
from service.api.problems import ProblemError, field_problem, problem_responses
from service.api.sla_job import BREACH_NOTES
from service.api.views import order_out
from service.decisions.cursor import Cursor, Listing, fingerprint, read_cursor, write_cursor
from service.decisions.events import EventType, Happening, cloud_event, event_id_of, wants
from service.store import orders, timeline
from service.store.records import HistoryKind, WorkOrder
from service.store.timeline import Step

HEARTBEAT_S = 15.0
LONGEST_S = 900.0
"""Then a stream ends and its client comes back by itself, with a key that must still be good."""
STEPS_AT_ONCE = 100
RETRY_MS = 3000
_TYPES = {
    HistoryKind.RECEIVED: EventType.CREATED,
    HistoryKind.EVIDENCE: EventType.EVIDENCE_ADDED,
    HistoryKind.CLEARED: EventType.CLEARED,
}

router = APIRouter(prefix="/api/v1/events", tags=["events"])


class EventQuery(BaseModel):
    """Which events are wanted; a filter may be given several times."""

    model_config = ConfigDict(extra="forbid")

    cursor: Annotated[str, Field(max_length=200)] | None = Field(
        None, description="The last `id` that was received. Left out: only what happens from now."
    )
    event_type: list[EventType] = []
    category: list[Ident] = []
    department_id: list[Ident] = []
    camera_id: list[Ident] = []
    zone_id: list[Ident] = []
    status: list[Status] = Field([], description="Only what moved an order into one of these.")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Wanted:
    event_types: list[EventType]
    categories: list[str]
    department_ids: list[str]
    camera_ids: list[str]
    zone_ids: list[str]
    statuses: list[Status]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Reading:
    """What a stream reads, and in which words it answers."""

    deps: ApiDeps
    """With the database as whoever asks may see it: departments are kept apart there."""
    wanted: _Wanted
    filters: str

    def since(self, entry_id: int) -> tuple[list[str], int]:
        """Messages of what happened after an entry, and the entry up to which they tell."""
        with self.deps.database.read() as connection:
            steps = timeline.steps_after(connection, entry_id, STEPS_AT_ONCE)
            told = []
            for step in steps:
                try:
                    order = orders.get_order(connection, step.order_id)
                except NotFoundError:
                    continue  # of a department that is not to be seen
                message = self._message(step, order)
                if message is not None:
                    told.append(message)
        return told, steps[-1].entry_id if steps else entry_id

    def _message(self, step: Step, order: WorkOrder) -> str | None:
        kind = _type_of(step)
        happening = Happening(
            event_id=event_id_of(step.order_id, step.version, kind),
            type=kind,
            order_id=step.order_id,
            at=step.at,
            category=order.category,
            department_id=order.department_id,
            camera_id=order.camera_id,
            zone_id=order.zone_id,
            moved_to=step.moved_to,
        )
        if not wants(happening, self.wanted):
            return None
        base_url = self.deps.settings.public_url.rstrip("/")
        data = order_out(order, self.deps, base_url).model_dump(mode="json")
        body = cloud_event(happening, base_url + EVENT_SOURCE, data)
        return f"id: {self.cursor(step.entry_id)}\nevent: {kind}\ndata: {body}\n\n"

    def cursor(self, entry_id: int) -> str:
        """Where to go on, as clients see it."""
        return write_cursor(Cursor(listing=Listing.EVENTS, position=entry_id, filters=self.filters))

    def start(self, cursor: str | None) -> int:
        """The entry after which a stream begins."""
        if cursor is None:
            with self.deps.database.read() as connection:
                return timeline.latest_entry(connection)
        try:
            found = read_cursor(cursor)
        except ValueError as error:
            raise field_problem("query.cursor", "not a cursor of this service") from error
        if found.listing is not Listing.EVENTS or found.filters != self.filters:
            raise field_problem("query.cursor", "belongs to other filters: repeat those it had")
        return found.position


def _type_of(step: Step) -> EventType:
    """The type under which webhooks told of it."""
    if step.kind is HistoryKind.SLA:
        return EventType.SLA_BREACHED if step.note in BREACH_NOTES else EventType.SLA_WARNING
    return _TYPES.get(step.kind, EventType.UPDATED)


@router.get(
    "",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}}, **problem_responses(503)},
)
async def stream_events(
    query: Annotated[EventQuery, Query()],
    _who: CanRead,
    deps: Deps,
    request: Request,
    last_event_id: Annotated[
        str | None, Header(description="Browsers send it when they come back.")
    ] = None,
) -> StreamingResponse:
    """Follow everything that happens to orders, as it happens.

    Each message holds the CloudEvent that webhooks get, under the same `id`; its `data` is the
    order as it is when sent. Nothing is lost between two connections if the second gives the last
    `id` of the first, by `Last-Event-ID` or `cursor`. A stream ends after a quarter of an hour.
    """
    wanted = _Wanted(
        event_types=query.event_type,
        categories=query.category,
        department_ids=query.department_id,
        camera_ids=query.camera_id,
        zone_ids=query.zone_id,
        statuses=query.status,
    )
    filters = fingerprint({name: sorted(getattr(wanted, name)) for name in wanted.__slots__})
    reading = _Reading(deps=deps, wanted=wanted, filters=filters)
    position = await run_in_threadpool(reading.start, last_event_id or query.cursor)
    notifier: Notifier = request.app.state.notifier
    if notifier.is_full:
        raise ProblemError(
            503, "unavailable", "too many clients wait already", headers={"Retry-After": "10"}
        )
    return StreamingResponse(
        _stream(reading, notifier, position),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _stream(
    reading: _Reading,
    notifier: Notifier,
    position: int,
    clock: Callable[[], float] = time.monotonic,
) -> AsyncIterator[str]:
    end_s = clock() + LONGEST_S
    # The cursor at once: who is cut off before the first event misses nothing either.
    yield f"retry: {RETRY_MS}\nid: {reading.cursor(position)}\n\n"
    seen = -1
    with notifier.place() as has_place:
        while has_place and not notifier.is_stopping and clock() < end_s:
            try:
                told, reached = await run_in_threadpool(reading.since, position)
            except StoreError:
                return  # the client comes back by itself, and begins where this one stopped
            for message in told:
                yield message
            if reached != position:
                position = reached
                continue
            change = await notifier.wait_beyond(seen, HEARTBEAT_S)
            if change is not None:
                seen = change
            elif not notifier.is_stopping:
                yield f": nothing new\nid: {reading.cursor(position)}\n\n"
