"""Incidents of several cameras that are one and the same thing, with one order.

An order that one camera saw has no rows here: its own columns say it all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from models.work_order import WorkOrderRequest
from models.zone import Priority
from service.store.records import Evidence, Sighting
from service.store.schema import sightings

JOINING_LOCK = 0x5357_4A4E
"""PostgreSQL advisory lock, see :func:`take_turns`."""
_TIMES = ("started_at", "opened_at")


def take_turns(connection: Connection) -> None:
    """Wait until nobody else is looking for the order that an incident belongs to.

    Two cameras that post at the same moment would else both find none. SQLite has one writer
    anyway. Taken before any row is locked, so that nobody waits in a circle.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": JOINING_LOCK})


def add(connection: Connection, seen: Sequence[Sighting]) -> None:
    """Store sightings of incidents that have none."""
    connection.execute(sa.insert(sightings), [_row(each) for each in seen])


def note(
    connection: Connection, incident_id: str, last_seen_at: datetime, cleared_at: datetime | None
) -> None:
    """What a camera saw later of its incident."""
    connection.execute(
        sa.update(sightings)
        .where(sightings.c.incident_id == incident_id)
        .values(last_seen_at=last_seen_at, cleared_at=cleared_at)
    )


def of_orders(
    connection: Connection,
    order_ids: Collection[str],
    files: Mapping[str, Sequence[Evidence]],
) -> defaultdict[str, list[Sighting]]:
    """Sightings by order, oldest first, each with its own of the orders' files."""
    found: defaultdict[str, list[Sighting]] = defaultdict(list)
    rows = connection.execute(
        sa.select(sightings)
        .where(sightings.c.order_id.in_(list(order_ids)))
        .order_by(sightings.c.opened_at, sightings.c.incident_id)
    ).mappings()
    for row in rows:
        own = [each for each in files[row["order_id"]] if each.incident_id == row["incident_id"]]
        found[row["order_id"]].append(_sighting(row, own))
    return found


def _row(seen: Sighting) -> dict[str, object]:
    report = {field.name: getattr(seen.report, field.name) for field in fields(WorkOrderRequest)}
    for name in _TIMES:
        report[name] = report[name].isoformat()
    return {
        "incident_id": seen.report.incident_id,
        "order_id": seen.order_id,
        "camera_id": seen.report.camera_id,
        "zone_id": seen.report.zone_id,
        "opened_at": seen.report.opened_at,
        "last_seen_at": seen.last_seen_at,
        "cleared_at": seen.cleared_at,
        "report": report,
    }


def _sighting(row: RowMapping, files: Sequence[Evidence]) -> Sighting:
    values = dict(row["report"])
    values |= {name: datetime.fromisoformat(values[name]) for name in _TIMES}
    values["box_xyxy"] = tuple(values["box_xyxy"])
    values["priority"] = Priority(values["priority"])
    return Sighting(
        order_id=row["order_id"],
        report=WorkOrderRequest(**values),
        last_seen_at=row["last_seen_at"],
        cleared_at=row["cleared_at"],
        evidence=tuple(files),
    )
