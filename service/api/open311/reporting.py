"""Makes a work order of a citizen's report."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.engine import Connection

from models.work_order import WorkOrderRequest
from service.api import actions, inspecting
from service.api.deps import ApiDeps
from service.api.nearby import find_near
from service.api.open311.records import CLOSED
from service.api.open311.submission import Submission
from service.decisions.photos import Photo
from service.store import orders, reports, schema
from service.store.records import HistoryEntry, HistoryKind, WorkOrder

SOURCE = "open311"
"""Stands where detectors name their camera."""
SOURCE_NAME = "Citizen · 市民"
CONTACT_KEPT = timedelta(days=90)
"""After the end of an order, for questions about it; then nobody needs to know who reported it."""


def submit(deps: ApiDeps, said: Submission, source: str) -> tuple[WorkOrder, WorkOrder | None]:
    """Store a report as an order; also an open order close by that may be about the same thing.

    With a photo it waits for a detector to look at it, where the service is told to wait.
    """
    actor, now = f"{SOURCE}:{source}", deps.now()
    request = _request(said, source, now)
    wait_s = None if said.photo is None else deps.settings.inspect_wait_s
    # The file first: a row must never point to a file that is not there.
    digest = None if said.photo is None or wait_s is None else inspecting.withhold(deps, said.photo)
    near: list[WorkOrder] = []

    def keep(connection: Connection, order: WorkOrder) -> None:
        found = find_near(deps, connection, order, order.category)
        near.extend(each.order for each in found)
        _keep(connection, order, said, source, near)
        if digest is not None and wait_s is not None:
            inspecting.await_inspection(connection, order, digest, wait_s)

    order, is_new = actions.receive_order(deps, request, actor, keep, is_held=digest is not None)
    if not is_new:
        near = _known_near(deps, order)
        if digest is not None:
            inspecting.drop_unneeded(deps, digest)
    if said.photo is not None and digest is None:
        actions.attach(deps, order.incident_id, _evidence(said.photo), actor)
    return order, (near[0] if near else None)


def _evidence(photo: Photo) -> actions.EvidenceFile:
    return actions.EvidenceFile(
        name=inspecting.PHOTO_NAME,
        content=photo.content,
        width_px=photo.width_px,
        height_px=photo.height_px,
    )


def forget_contacts(deps: ApiDeps) -> int:
    """Delete who reported what is long over; how many reports that were."""
    before = deps.now() - CONTACT_KEPT
    with deps.database.write() as connection:
        return reports.forget_contacts(connection, CLOSED, before)


def _request(said: Submission, source: str, now: datetime) -> WorkOrderRequest:
    return WorkOrderRequest(
        incident_id=said.incident_id(source, now.strftime("%Y-%m-%dT%H")),
        camera_id=SOURCE,
        camera_name=SOURCE_NAME,
        zone_id=SOURCE,
        zone_name=SOURCE_NAME,
        rule_id=SOURCE,
        rule_kind=reports.RULE_KIND,
        category=said.category.key,
        label=said.category.key,
        confidence=1.0,
        # No picture of a camera: an empty box is nowhere, so it is no other order's place.
        box_xyxy=(0.0, 0.0, 0.0, 0.0),
        width_px=1,
        height_px=1,
        started_at=now,
        opened_at=now,
        observed_s=0.0,
        dwell_s=0.0,
        priority=said.category.priority,
        latitude=said.latitude,
        longitude=said.longitude,
        located_by="citizen",
        address=said.address,
        description=said.description,
    )


def _keep(
    connection: Connection,
    order: WorkOrder,
    said: Submission,
    source: str,
    near: list[WorkOrder],
) -> None:
    report = reports.Report(
        order_id=order.order_id,
        source=source,
        service_code=said.category.service_code,
        media_url=said.media_url,
        contact=said.contact,
        near_order_id=near[0].order_id if near else None,
        created_at=order.created_at,
    )
    reports.add_report(connection, report)
    if near:
        note = f"may be about the same thing as order {near[0].number} · 可能与工单重复"
        entry = HistoryEntry(
            version=order.version,
            at=order.created_at,
            actor=SOURCE,
            kind=HistoryKind.NOTE,
            note=note,
        )
        orders.add_history(connection, order.order_id, [entry])


def _known_near(deps: ApiDeps, order: WorkOrder) -> list[WorkOrder]:
    with deps.database.read() as connection:
        report = reports.find_report(connection, order.order_id)
        if report is None or report.near_order_id is None:
            return []
        return orders.find_orders(connection, schema.orders.c.order_id == report.near_order_id)
