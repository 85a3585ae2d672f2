"""What is done with citizens' photos: wait for a detector, take what it saw, go on without it.

The photo as it came is kept apart from evidence and goes to detectors only. What people get to see
is the blurred picture that a detector sends; where none could be made, there is no picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

import structlog
from sqlalchemy.engine import Connection

from models.errors import ConflictError, NotFoundError
from models.evidence import Retention
from models.work_order import Status
from service.api import actions
from service.api.deps import ApiDeps, Principal
from service.api.nearby import find_near
from service.api.suggestions import department_of, entry_of
from service.decisions.events import EventType
from service.decisions.photos import Photo
from service.decisions.suggestion import Found, share_of, suggest
from service.store import audit, inspections, orders
from service.store.audit import Action
from service.store.inspections import Inspection, InspectionState, NearOrder, Seen
from service.store.records import HistoryEntry, HistoryKind, WorkOrder

PHOTO_NAME: Final = "report"
"""Name of the citizen's picture among the order's evidence."""
WITHHELD_SUFFIX: Final = ".withheld.jpg"
"""Of photos as they came: no evidence has it, so no path of evidence leads to one."""
AT_ONCE = 200
MOST_NEAR: Final = 10
"""Shown of each order."""
ACTOR: Final = "inspection"
ROUTING: Final = "routing"
NOT_IN_TIME: Final = "no detector looked at the photo in time · 照片未经识别,超时转办"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Findings:
    """What a detector tells of a photo."""

    model: str
    detections: Sequence[Seen] = ()
    failure: str = ""
    """Why it could not look at it, or not blur it; empty: it could."""


def withhold(deps: ApiDeps, photo: Photo) -> str:
    """Keep a photo where only detectors get it; its SHA-256."""
    return deps.files.save_evidence(photo.content, WITHHELD_SUFFIX)


def await_inspection(connection: Connection, order: WorkOrder, digest: str, wait_s: float) -> None:
    """Let a new order wait for its photo to be looked at, in the transaction of the order."""
    inspections.add_inspection(
        connection,
        Inspection(
            order_id=order.order_id,
            state=InspectionState.WAITING,
            photo_sha256=digest,
            created_at=order.created_at,
            wait_until=order.created_at + timedelta(seconds=wait_s),
        ),
    )


def drop_unneeded(deps: ApiDeps, digest: str) -> None:
    """Delete a photo that was kept for a report which turned out to be stored already."""
    with deps.database.write() as connection:
        _delete_photo(deps, connection, digest)


def read_photo(deps: ApiDeps, who: Principal, order_id: str) -> bytes:
    """A photo as it came, for a detector; the audit log has it before it does."""
    with deps.database.write() as connection:
        order = orders.get_order(connection, order_id)
        digest = inspections.get_inspection(connection, order.order_id).photo_sha256
        if digest is None:
            raise NotFoundError(f"the photo of order {order_id} is not there any more")
        content = deps.files.load_evidence(digest, WITHHELD_SUFFIX)
        _log(deps, connection, Action.PHOTO_READ, order_id, who.actor, digest)
    return content


def take_findings(deps: ApiDeps, order_id: str, said: Findings, actor: str) -> Inspection:
    """Store what a detector saw and let the order go on; the first to tell is heard.

    Raises :class:`ConflictError` for findings without the blurred picture.
    """
    with deps.database.write() as connection:
        order = orders.get_order(connection, order_id, lock=True)
        before = inspections.get_inspection(connection, order_id, lock=True)
        if before.state not in inspections.TO_INSPECT:
            return before
        after = (
            _failed(before, said) if said.failure else _seen(deps, connection, order, before, said)
        )
        after = replace(after, done_at=deps.now(), model=said.model)
        inspections.save_inspection(connection, after)
        _go_on(deps, connection, order, _note(after), actor)
        if before.photo_sha256 is not None and after.photo_sha256 is None:
            _delete_photo(deps, connection, before.photo_sha256)
    deps.wake()
    return after


def _failed(before: Inspection, said: Findings) -> Inspection:
    # The photo stays where nobody sees it, until its retention is over.
    return replace(before, state=InspectionState.FAILED, reason=said.failure)


def _seen(
    deps: ApiDeps, connection: Connection, order: WorkOrder, before: Inspection, said: Findings
) -> Inspection:
    shown = next((file for file in order.files if file.name == PHOTO_NAME), None)
    if shown is None:
        path = f"/api/v1/incidents/{order.incident_id}/evidence/{PHOTO_NAME}"
        raise ConflictError(f"the blurred picture is not there yet: PUT {path} first")
    found = [
        Found(
            label=each.label,
            confidence=each.confidence,
            share=share_of(each.box_xyxy, shown.width_px, shown.height_px),
        )
        for each in said.detections
    ]
    suggested = suggest(order.category, found, deps.categories.categories)
    categories = {order.category} | ({suggested.category} if suggested else set())
    near = [each for key in categories for each in find_near(deps, connection, order, key)]
    near.sort(key=lambda each: each.distance_m)
    return replace(
        before,
        state=InspectionState.INSPECTED,
        photo_sha256=None,
        detections=tuple(said.detections),
        category=None if suggested is None else suggested.category,
        confidence=None if suggested is None else suggested.confidence,
        near=tuple(
            NearOrder(order_id=each.order.order_id, distance_m=round(each.distance_m, 1))
            for each in near[:MOST_NEAR]
        ),
    )


def _note(after: Inspection) -> str:
    if after.state is InspectionState.FAILED:
        return f"the photo could not be inspected · 照片无法识别: {after.reason}"
    if after.category is None or after.confidence is None:
        return "the photo was inspected: nothing found · 照片已识别: 未发现目标"
    return f"the photo was inspected: {after.category} {after.confidence:.2f} · 照片已识别"


def release_overdue(deps: ApiDeps) -> int:
    """Let orders go on that have waited for their photos long enough; how many there were."""
    with deps.database.read() as connection:
        found = inspections.overdue(connection, deps.now(), AT_ONCE)
    for order_id in found:
        with deps.database.write() as connection:
            order = orders.get_order(connection, order_id, lock=True)
            before = inspections.get_inspection(connection, order_id, lock=True)
            if before.state is not InspectionState.WAITING:
                continue  # since the look for it
            after = replace(before, state=InspectionState.OVERDUE)
            inspections.save_inspection(connection, after)
            _go_on(deps, connection, order, NOT_IN_TIME, ACTOR)
        log.warning("a report went on without a look at its photo", order=order.number)
    if found:
        deps.wake()
    return len(found)


def _go_on(deps: ApiDeps, connection: Connection, order: WorkOrder, note: str, actor: str) -> None:
    """Route an order that is still nobody's; tell what came of its photo in any case."""
    status, department_id = order.status, order.department_id
    if status is Status.RECEIVED and department_id is None:
        department_id = department_of(deps, order, order.category)
        status = status if department_id is None else Status.DISPATCHED
    at = orders.tick(connection, deps.now())
    after = orders.change_order(connection, order, at, status=status, department_id=department_id)
    entries = [
        HistoryEntry(version=after.version, at=at.at, actor=actor, kind=HistoryKind.NOTE, note=note)
    ]
    if after.status is not order.status:
        entries.append(entry_of(order, after, ROUTING))
    orders.add_history(connection, order.order_id, entries)
    moved_to = after.status if after.status is not order.status else None
    actions.tell(deps, connection, after, EventType.UPDATED, moved_to=moved_to)


def delete_withheld(deps: ApiDeps, limit: int) -> int:
    """Delete photos that nobody blurred and are as old as originals may be; how many were due."""
    days = (Retention() if deps.city is None else deps.city.retention).originals_days
    with deps.database.read() as connection:
        due = inspections.expired_photos(connection, deps.now() - timedelta(days=days), limit)
    for each in due:
        with deps.database.write() as connection:
            orders.get_order(connection, each.order_id, lock=True)  # a hold: before or after
            if each.photo_sha256 is None or not inspections.forget_photo(connection, each):
                continue
            _delete_photo(deps, connection, each.photo_sha256)
            _log(
                deps,
                connection,
                Action.PHOTO_EXPIRED,
                each.order_id,
                "retention",
                each.photo_sha256,
            )
    return len(due)


def _delete_photo(deps: ApiDeps, connection: Connection, digest: str) -> None:
    """Delete the file, unless another report has the same photo."""
    if not inspections.is_photo_needed(connection, digest):
        deps.files.delete_evidence(digest, WITHHELD_SUFFIX)


def _log(
    deps: ApiDeps, connection: Connection, action: Action, order_id: str, actor: str, digest: str
) -> None:
    audit.append(
        connection,
        at=deps.now(),
        actor=actor,
        action=action,
        subject=f"order:{order_id}",
        detail={"sha256": digest},
    )
