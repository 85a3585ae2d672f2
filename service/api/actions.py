"""What is done with orders: each function is one transaction, with its history and its webhooks.

An order, its history and the deliveries that tell of it are written together or not at all.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.engine import Connection

from models.errors import ConflictError
from models.work_order import RejectReason, Status, WorkOrderRequest, check_transition
from service.api import joining
from service.api.deps import ApiDeps
from service.api.sla import due_columns
from service.api.telling import EVENT_SOURCE as EVENT_SOURCE
from service.api.telling import tell as tell
from service.decisions.closure import (
    RECURRENCE,
    earlier_order,
    status_when_cleared,
    status_when_present,
)
from service.decisions.events import EventType
from service.decisions.evidence_kinds import kind_of_name
from service.decisions.routing import Case, first_statuses, route
from service.decisions.same_thing import others_see
from service.store import audit, evidence, intake, orders
from service.store.audit import Action
from service.store.records import Evidence, HistoryEntry, HistoryKind, WorkOrder


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderChange:
    """What somebody wants of an order."""

    actor: str
    status: Status | None
    department_id: str | None
    reason: str
    note: str
    if_version: int | None
    """Only if the order is still at this version."""
    reason_code: RejectReason | None = None
    """Why it is rejected."""
    logged_as: str = ""
    """Who, as the audit log names them."""
    duplicate_of: UUID | None = None
    """Which order it repeats."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Observation:
    """What a detector saw of an incident later on; ``cleared_at`` None: still there."""

    last_seen_at: datetime
    observed_s: float
    inferred_s: float | None
    """``None``: the detector does not tell; what it told before holds."""
    cleared_at: datetime | None


class VersionError(ConflictError):
    """The order has changed since the client read it."""

    def __init__(self, current: int) -> None:
        super().__init__(f"the order is at version {current} by now")
        self.current = current


def receive_order(
    deps: ApiDeps,
    request: WorkOrderRequest,
    actor: str,
    also: Callable[[Connection, WorkOrder], None] = lambda _connection, _order: None,
    *,
    is_held: bool = False,
) -> tuple[WorkOrder, bool]:
    """Store the order of an incident; the stored one, and whether it is new.

    Whatever is posted for an incident again, the first order stands. What another camera's order is
    about already becomes a sighting of that order. ``also`` is called in the transaction of a new
    order, for what is stored beside it. ``is_held``: it is nobody's until somebody routes it.
    """
    with deps.database.read() as connection:
        is_known = intake.knows(connection, request.incident_id)
        known = orders.find_by_incident(connection, request.incident_id) if is_known else None
    if known is not None:
        return known, False
    with deps.database.write() as connection:
        joined = joining.join(connection, request, actor, deps.now)
        if joined is not None:
            tell(deps, connection, joined, EventType.UPDATED)
            joined = _still_there(deps, connection, joined, actor)
        else:
            order = _insert(deps, connection, request, actor, is_held=is_held)
            if order is not None:
                also(connection, order)
    if joined is not None:
        deps.wake()
        return joined, False
    if order is None:
        # Somebody else was faster: the unique index let only one of us through.
        with deps.database.read() as connection:
            return orders.get_by_incident(connection, request.incident_id), False
    deps.metrics.orders_received.labels(order.category).inc()
    deps.wake()
    return order, True


def _insert(
    deps: ApiDeps, connection: Connection, request: WorkOrderRequest, actor: str, *, is_held: bool
) -> WorkOrder | None:
    case = Case(
        category=request.category,
        camera_id=request.camera_id,
        zone_id=request.zone_id,
        at=request.opened_at,
    )
    department_id = None if is_held else route(case, request.department_id, deps.routing)
    routed = replace(request, department_id=department_id)
    statuses = first_statuses(department_id)
    earlier_id = _returned_from(connection, request, deps.now())
    # What can be read before is: from here to the commit nobody else can change an order.
    at = orders.tick(connection, deps.now())
    order_id = str(uuid.uuid4())
    due = due_columns(deps, routed.category, routed.priority, at.at)
    order = intake.add_order(connection, routed, order_id, statuses[-1], at, earlier_id, due)
    if order is None:
        return None
    orders.add_history(connection, order_id, first_entries(statuses, at.at, actor, department_id))
    tell(deps, connection, order, EventType.CREATED, moved_to=order.status)
    return order


def _returned_from(connection: Connection, request: WorkOrderRequest, now: datetime) -> str | None:
    """The id of the ended order that a new incident is the return of."""
    recent = intake.recent_at_place(connection, request, now - RECURRENCE)
    earlier = earlier_order(request, recent)
    if earlier is not None:
        return earlier.order_id
    elsewhere = joining.earlier_elsewhere(connection, request, now)
    return None if elsewhere is None else elsewhere.order_id


def first_entries(
    statuses: tuple[Status, ...], at: datetime, actor: str, department_id: str | None
) -> list[HistoryEntry]:
    """What the history of a new order begins with."""
    received, *later = statuses
    entries = [
        HistoryEntry(version=1, at=at, actor=actor, kind=HistoryKind.RECEIVED, to_status=received)
    ]
    previous = received
    for status in later:
        entries.append(
            HistoryEntry(
                version=1,
                at=at,
                actor="routing",
                kind=HistoryKind.STATUS,
                from_status=previous,
                to_status=status,
                department_id=department_id,
            )
        )
        previous = status
    return entries


def change(deps: ApiDeps, order_id: str, wanted: OrderChange) -> WorkOrder:
    """Change status or department of an order, or add a note to its history.

    Raises :class:`TransitionError`, :class:`VersionError` or :class:`NotFoundError`.
    """
    with deps.database.write() as connection:
        order = orders.get_order(connection, order_id, lock=True)
        if wanted.if_version is not None and wanted.if_version != order.version:
            raise VersionError(order.version)
        status = _status_wanted(order, wanted)
        if status is not None:
            check_transition(order.status, status, wanted.reason or wanted.reason_code or "")
        duplicate_of = _original(connection, order, wanted.duplicate_of)
        at = orders.tick(connection, deps.now())
        values = {
            "status": status or order.status,
            "department_id": wanted.department_id or order.department_id,
            "reason_code": wanted.reason_code or order.reason_code,
            "duplicate_of": duplicate_of,
        }
        changed = orders.change_order(connection, order, at, **values)
        orders.add_history(connection, order_id, [_change_entry(order, changed, wanted)])
        moved_to = changed.status if changed.status is not order.status else None
        tell(deps, connection, changed, EventType.UPDATED, moved_to=moved_to)
        if status is Status.REJECTED:
            audit.append(
                connection,
                at=at.at,
                actor=wanted.logged_as or wanted.actor,
                action=Action.ORDER_REJECTED,
                subject=f"order:{order_id}",
                detail={"reason_code": wanted.reason_code},
            )
    deps.wake()
    return changed


def _original(connection: Connection, order: WorkOrder, wanted: UUID | None) -> str | None:
    """The order that one repeats; a :class:`ConflictError` if it cannot repeat the wanted one."""
    if wanted is None:
        return order.duplicate_of
    original = orders.get_order(connection, str(wanted))
    if original.order_id == order.order_id:
        raise ConflictError("an order cannot be a duplicate of itself")
    if original.duplicate_of is not None:
        raise ConflictError(f"that order is a duplicate itself, of {original.duplicate_of}")
    return original.order_id


def _status_wanted(order: WorkOrder, wanted: OrderChange) -> Status | None:
    if wanted.status is None and wanted.department_id and order.status is Status.RECEIVED:
        return Status.DISPATCHED  # an order that has a department has been dispatched to it
    return wanted.status


def _change_entry(before: WorkOrder, after: WorkOrder, wanted: OrderChange) -> HistoryEntry:
    has_moved = after.status is not before.status
    is_reassigned = after.department_id != before.department_id
    kind = HistoryKind.DEPARTMENT if is_reassigned else HistoryKind.NOTE
    return HistoryEntry(
        version=after.version,
        at=after.updated_at,
        actor=wanted.actor,
        kind=HistoryKind.STATUS if has_moved else kind,
        from_status=before.status if has_moved else None,
        to_status=after.status if has_moved else None,
        department_id=after.department_id if is_reassigned else None,
        note=" — ".join(text.strip() for text in (wanted.reason, wanted.note) if text.strip()),
    )


def observe(deps: ApiDeps, incident_id: str, seen: Observation, actor: str) -> WorkOrder:
    """Take in what a detector saw later; an observation older than the last one changes nothing."""
    with deps.database.write() as connection:
        order = orders.get_by_incident(connection, incident_id, lock=True)
        own = joining.sight_of(order, incident_id)
        if own.cleared_at is not None or seen.last_seen_at < own.last_seen_at:
            return order
        order = _noted(connection, order, incident_id, seen)
        if seen.cleared_at is not None and others_see(order, incident_id):
            after = joining.log_free_for_one(connection, order, incident_id, actor, deps.now())
            tell(deps, connection, after, EventType.UPDATED)
        elif seen.cleared_at is not None:
            after = cleared(deps, connection, order, seen.cleared_at, actor)
        else:
            after = joining.seen_again(deps, connection, order, incident_id, actor) or (
                _still_there(deps, connection, order, actor)
            )
    deps.wake()
    return after


def _noted(
    connection: Connection, order: WorkOrder, incident_id: str, seen: Observation
) -> WorkOrder:
    """The order with what was seen; of several cameras, the longest watch says how long."""
    inferred_s = order.inferred_s if seen.inferred_s is None else seen.inferred_s
    last_seen_at, observed_s = seen.last_seen_at, seen.observed_s
    if order.sightings:
        order = joining.note_sight(connection, order, incident_id, last_seen_at, seen.cleared_at)
        last_seen_at = max(last_seen_at, order.last_seen_at)
        if observed_s < order.observed_s:
            observed_s, inferred_s = order.observed_s, order.inferred_s
    orders.note_observation(connection, order, last_seen_at, observed_s, inferred_s)
    return replace(order, last_seen_at=last_seen_at, observed_s=observed_s, inferred_s=inferred_s)


def cleared(
    deps: ApiDeps, connection: Connection, order: WorkOrder, cleared_at: datetime, actor: str
) -> WorkOrder:
    """The place is free: an order that was still to be done is verified by that sight."""
    status = status_when_cleared(order.status)
    at = orders.tick(connection, deps.now())
    after = orders.change_order(connection, order, at, cleared_at=cleared_at, status=status)
    _log_sight(connection, order, after, HistoryKind.CLEARED, actor)
    moved_to = status if status is not order.status else None
    tell(deps, connection, after, EventType.CLEARED, moved_to=moved_to)
    return after


def _still_there(deps: ApiDeps, connection: Connection, order: WorkOrder, actor: str) -> WorkOrder:
    """It is there as before: an order that was said to be resolved needs a crew again."""
    if order.status is not Status.RESOLVED:
        return order
    resolved_at = orders.last_became(connection, order.order_id, Status.RESOLVED)
    status = status_when_present(order.status, resolved_at, order.last_seen_at)
    if status is order.status:
        return order
    at = orders.tick(connection, deps.now())
    after = orders.change_order(connection, order, at, status=status)
    _log_sight(connection, order, after, HistoryKind.STATUS, actor)
    tell(deps, connection, after, EventType.UPDATED, moved_to=status)
    return after


def _log_sight(
    connection: Connection, before: WorkOrder, after: WorkOrder, kind: HistoryKind, actor: str
) -> None:
    has_moved = after.status is not before.status
    entry = HistoryEntry(
        version=after.version,
        at=after.updated_at,
        actor=actor,
        kind=kind,
        from_status=before.status if has_moved else None,
        to_status=after.status if has_moved else None,
    )
    orders.add_history(connection, before.order_id, [entry])


@dataclass(frozen=True, kw_only=True, slots=True)
class EvidenceFile:
    """A file that was checked to be what its name says."""

    name: str
    content: bytes
    width_px: int
    height_px: int


def attach(deps: ApiDeps, incident_id: str, file: EvidenceFile, actor: str) -> bool:
    """Add evidence to an incident's order; False if it has it already.

    Evidence is never overwritten: other content under the same name is a :class:`ConflictError`.
    """
    with deps.database.read() as connection:
        orders.get_by_incident(connection, incident_id)
    # The file first: a row must never point to a file that is not there.
    kind = kind_of_name(file.name)
    digest = deps.files.save_evidence(file.content, kind.suffix)
    with deps.database.write() as connection:
        order = orders.get_by_incident(connection, incident_id, lock=True)
        known = [each for each in order.files if each.incident_id == incident_id]
        same_name = [each for each in known if each.name == file.name]
        if same_name and same_name[0].sha256 == digest:
            return False
        if same_name:
            raise ConflictError(f"evidence {file.name} is there with other content")
        at = orders.tick(connection, deps.now())
        row = Evidence(
            order_id=order.order_id,
            incident_id=incident_id,
            name=file.name,
            sha256=digest,
            size_bytes=len(file.content),
            width_px=file.width_px,
            height_px=file.height_px,
            created_at=at.at,
        )
        evidence.add_evidence(connection, row)
        if kind.is_told:
            _note_evidence(deps, connection, order, row, actor, at)
    deps.wake()
    return True


def _note_evidence(
    deps: ApiDeps,
    connection: Connection,
    order: WorkOrder,
    row: Evidence,
    actor: str,
    at: orders.Tick,
) -> None:
    changed = orders.change_order(connection, order, at)
    entry = HistoryEntry(
        version=changed.version,
        at=at.at,
        actor=actor,
        kind=HistoryKind.EVIDENCE,
        note=row.name,
    )
    orders.add_history(connection, order.order_id, [entry])
    tell(deps, connection, changed.with_file(row), EventType.EVIDENCE_ADDED)
