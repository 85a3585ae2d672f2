"""Makes a work order of a citizen's report."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from models.ground import metres_per_degree
from models.work_order import WorkOrderRequest
from service.api import actions
from service.api.deps import ApiDeps
from service.api.open311.records import CLOSED, OPEN
from service.api.open311.submission import Submission
from service.store import orders, reports, schema
from service.store.records import HistoryEntry, HistoryKind, WorkOrder

RULE_KIND = "citizen_report"
SOURCE = "open311"
"""Stands where detectors name their camera."""
SOURCE_NAME = "Citizen · 市民"
PHOTO_NAME = "report"
"""Name of the citizen's picture among the order's evidence."""
MOST_NEAR = 200
CONTACT_KEPT = timedelta(days=90)
"""After the end of an order, for questions about it; then nobody needs to know who reported it."""


def submit(deps: ApiDeps, said: Submission, source: str) -> tuple[WorkOrder, WorkOrder | None]:
    """Store a report as an order; also an open order close by that may be about the same thing."""
    now = deps.now()
    request = _request(said, source, now)
    near: list[WorkOrder] = []

    def keep(connection: Connection, order: WorkOrder) -> None:
        near.extend(_near(connection, said, deps.categories.duplicate_radius_m, order))
        _keep(connection, order, said, source, near)

    order, is_new = actions.receive_order(deps, request, f"{SOURCE}:{source}", keep)
    if said.photo is not None:
        photo = actions.EvidenceFile(
            name=PHOTO_NAME,
            content=said.photo.content,
            width_px=said.photo.width_px,
            height_px=said.photo.height_px,
        )
        actions.attach(deps, order.incident_id, photo, f"{SOURCE}:{source}")
    if not is_new:
        near = _known_near(deps, order)
    return order, (near[0] if near else None)


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
        rule_kind=RULE_KIND,
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


def _near(
    connection: Connection, said: Submission, radius_m: float, order: WorkOrder
) -> list[WorkOrder]:
    """Open orders of the category within the radius, the nearest first."""
    if said.latitude is None or said.longitude is None or radius_m <= 0:
        return []
    to_east_m, to_north_m = metres_per_degree(said.latitude)
    here = (said.latitude, said.longitude)
    table = schema.orders.c
    around = sa.and_(
        table.category == said.category.key,
        table.status.in_(OPEN),
        table.order_id != order.order_id,
        table.latitude.between(here[0] - radius_m / to_north_m, here[0] + radius_m / to_north_m),
        table.longitude.between(
            here[1] - radius_m / max(to_east_m, 1.0), here[1] + radius_m / max(to_east_m, 1.0)
        ),
    )

    def away_m(other: WorkOrder) -> float:
        north_m = ((other.latitude or 0.0) - here[0]) * to_north_m
        return math.hypot(north_m, ((other.longitude or 0.0) - here[1]) * to_east_m)

    found = orders.find_orders(connection, around, MOST_NEAR)
    return sorted((each for each in found if away_m(each) <= radius_m), key=away_m)


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
