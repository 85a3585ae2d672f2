"""What the taking in of an order asks of the store, by statements that are compiled once.

Cities report in bursts: building and compiling these anew for each order cost more than the
database itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from models.work_order import Status, WorkOrderRequest
from service.store.orders import Tick
from service.store.records import PastOrder, WorkOrder
from service.store.schema import orders, sightings
from service.store.scope import within

_COLUMNS = [column for column in orders.c if column is not orders.c.number]
_NAMES = [column.name for column in _COLUMNS]
_FIELDS = [field.name for field in fields(WorkOrderRequest)]
_PAST_FIELDS = [field.name for field in fields(PastOrder)]
_THIS_INCIDENT = orders.c.incident_id == sa.bindparam("incident_id", type_=sa.String)

# Not ON CONFLICT: SQLAlchemy compiles that at each execution.
_INSERT = (
    sa.insert(orders)
    .from_select(
        _NAMES,
        sa.select(*(sa.bindparam(column.name, type_=column.type) for column in _COLUMNS)).where(
            ~sa.exists(sa.select(orders.c.number).where(_THIS_INCIDENT).correlate(None))
        ),
        include_defaults=False,
    )
    .returning(orders.c.number)
)
_KNOWN = sa.union_all(
    sa.select(orders.c.incident_id).where(_THIS_INCIDENT),
    sa.select(sightings.c.incident_id).where(
        sightings.c.incident_id == sa.bindparam("incident_id", type_=sa.String)
    ),
)
_RECENT = (
    sa.select(*(orders.c[name] for name in _PAST_FIELDS))
    .where(
        orders.c.camera_id == sa.bindparam("camera_id"),
        orders.c.zone_id == sa.bindparam("zone_id"),
        orders.c.category == sa.bindparam("category"),
        orders.c.created_at >= sa.bindparam("since"),
    )
    # As the index has them: however many there are, only the last ones are read.
    .order_by(orders.c.created_at.desc(), orders.c.number.desc())
    .limit(50)
)


def knows(connection: Connection, incident_id: str) -> bool:
    """Whether an incident was taken in before, in whoever's scope."""
    return connection.execute(_KNOWN, {"incident_id": incident_id}).first() is not None


def add_order(
    connection: Connection,
    request: WorkOrderRequest,
    order_id: str,
    status: Status,
    at: Tick,
    previous_order_id: str | None = None,
    due: Mapping[str, datetime | None] | None = None,
) -> WorkOrder | None:
    """Insert an order at version 1, with its due times; None if its incident already has one.

    Whoever has a tick holds the clock, so that nobody else inserts between the look and the insert.
    """
    order = new_order(request, order_id, status, at, previous_order_id, due)
    row = {name: getattr(order, name) for name in _NAMES}
    number = connection.execute(_INSERT, row).scalar_one_or_none()
    return None if number is None else replace(as_stored(order), number=number)


def new_order(
    request: WorkOrderRequest,
    order_id: str,
    status: Status,
    at: Tick,
    previous_order_id: str | None = None,
    due: Mapping[str, datetime | None] | None = None,
) -> WorkOrder:
    """An order at version 1, as it is to be stored; its number comes from the database."""
    values: dict[str, Any] = {name: getattr(request, name) for name in _FIELDS} | {
        "number": 0,
        "order_id": order_id,
        "status": status,
        "version": 1,
        "change_seq": at.change_seq,
        "created_at": at.at,
        "updated_at": at.at,
        "last_seen_at": request.opened_at,
        "cleared_at": None,
        "previous_order_id": previous_order_id,
        **(due or {}),
    }
    return WorkOrder(**values)


def recent_at_place(
    connection: Connection, request: WorkOrderRequest, since: datetime
) -> list[PastOrder]:
    """The last 50 orders of the same zone and category made since, newest first."""
    place = {
        "camera_id": request.camera_id,
        "zone_id": request.zone_id,
        "category": request.category,
        "since": since,
    }
    query = _RECENT.where(within(connection, orders.c.department_id))
    return [past_order(row) for row in connection.execute(query, place)]


def as_stored(order: WorkOrder) -> WorkOrder:
    """With its times as the store gives them back."""
    started_at, opened_at = order.started_at.astimezone(UTC), order.opened_at.astimezone(UTC)
    return replace(order, started_at=started_at, opened_at=opened_at, last_seen_at=opened_at)


def past_order(values: Sequence[Any]) -> PastOrder:
    """An order of the past, by its columns in the order of the fields."""
    by_name = dict(zip(_PAST_FIELDS, values, strict=True))
    by_name["box_xyxy"] = tuple(by_name["box_xyxy"])
    by_name["status"] = Status(by_name["status"])
    return PastOrder(**by_name)
