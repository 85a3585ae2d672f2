"""What a detector saw in the photos of citizens' reports, and the photos until they are blurred."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from models.errors import NotFoundError
from service.store import schema
from service.store.retention import is_held
from service.store.schema import inspections


class InspectionState(StrEnum):
    """How far a photo is."""

    WAITING = "waiting"
    """The order waits for it."""
    OVERDUE = "overdue"
    """The order went on without it; the photo may still be looked at."""
    INSPECTED = "inspected"
    FAILED = "failed"
    """It could not be looked at, or not be blurred: nobody gets to see it."""


TO_INSPECT = (InspectionState.WAITING, InspectionState.OVERDUE)
"""States of photos that a detector should still look at."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """A box in a photo."""

    label: str
    confidence: float
    box_xyxy: tuple[float, float, float, float]
    """Pixels of the photo."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NearOrder:
    """An open order close by that may be about the same thing."""

    order_id: str
    distance_m: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Inspection:
    """A citizen's photo, and what was seen in it."""

    order_id: str
    state: InspectionState
    photo_sha256: str | None
    """Of the photo as it came; ``None``: it was deleted."""
    created_at: datetime
    wait_until: datetime
    """Then the order goes on without it."""
    done_at: datetime | None = None
    model: str = ""
    reason: str = ""
    """Why it could not be looked at."""
    detections: tuple[Seen, ...] = ()
    category: str | None = None
    """The one that is suggested."""
    confidence: float | None = None
    near: tuple[NearOrder, ...] = ()


def add_inspection(connection: Connection, inspection: Inspection) -> None:
    """Store a photo that is to be looked at, in the transaction of its order."""
    connection.execute(sa.insert(inspections).values(**_columns(inspection)))


def find_inspection(
    connection: Connection, order_id: str, *, lock: bool = False
) -> Inspection | None:
    """The inspection of an order that the caller may see, or None."""
    query = sa.select(inspections).where(inspections.c.order_id == order_id)
    row = connection.execute(query.with_for_update() if lock else query).mappings().one_or_none()
    return None if row is None else _inspection(row)


def get_inspection(connection: Connection, order_id: str, *, lock: bool = False) -> Inspection:
    """The inspection of an order that the caller may see; raises :class:`NotFoundError`."""
    found = find_inspection(connection, order_id, lock=lock)
    if found is None:
        raise NotFoundError(f"order {order_id} has no photo to inspect")
    return found


def save_inspection(connection: Connection, inspection: Inspection) -> None:
    """Replace an inspection that is held locked."""
    connection.execute(
        sa.update(inspections)
        .where(inspections.c.order_id == inspection.order_id)
        .values(**_columns(inspection))
    )


def uninspected(connection: Connection, limit: int) -> list[Inspection]:
    """Photos to look at: first those that an order waits for, then the oldest."""
    is_waiting = sa.case((inspections.c.state == InspectionState.WAITING, 0), else_=1)
    rows = connection.execute(
        sa.select(inspections)
        # As text, as in the index: a bound value would not be recognised.
        .where(sa.text("photo_sha256 IS NOT NULL"), inspections.c.state.in_(TO_INSPECT))
        .order_by(is_waiting, inspections.c.created_at)
        .limit(limit)
    ).mappings()
    return [_inspection(row) for row in rows]


def overdue(connection: Connection, now: datetime, limit: int) -> list[str]:
    """Ids of orders that have waited for their photos long enough."""
    rows = connection.execute(
        sa.select(inspections.c.order_id)
        .where(sa.text("state = 'waiting'"), inspections.c.wait_until <= now)
        .order_by(inspections.c.wait_until)
        .limit(limit)
    )
    return [str(row[0]) for row in rows]


def expired_photos(connection: Connection, before: datetime, limit: int) -> list[Inspection]:
    """Photos as they came before a time and nobody has blurred, except those under a legal hold."""
    rows = connection.execute(
        sa.select(inspections)
        .where(
            sa.text("photo_sha256 IS NOT NULL"),
            inspections.c.created_at < before,
            inspections.c.state != InspectionState.WAITING,
            ~sa.exists().where(schema.legal_holds.c.order_id == inspections.c.order_id),
        )
        .order_by(inspections.c.created_at)
        .limit(limit)
    ).mappings()
    return [_inspection(row) for row in rows]


def forget_photo(connection: Connection, inspection: Inspection) -> bool:
    """Note that a photo is deleted; False if it is gone or held by now."""
    if is_held(connection, inspection.order_id):
        return False
    done = connection.execute(
        sa.update(inspections)
        .where(
            inspections.c.order_id == inspection.order_id, inspections.c.photo_sha256.is_not(None)
        )
        .values(photo_sha256=None)
    )
    return done.rowcount > 0


def is_photo_needed(connection: Connection, digest: str) -> bool:
    """Whether a report still has this photo as it came: the same file may belong to several."""
    found = connection.execute(
        sa.select(inspections.c.order_id).where(inspections.c.photo_sha256 == digest).limit(1)
    )
    return found.first() is not None


def _columns(inspection: Inspection) -> dict[str, object]:
    values = asdict(inspection)
    values["detections"] = list(values["detections"])
    values["near"] = list(values["near"])
    return values


def _inspection(row: RowMapping) -> Inspection:
    values = dict(row)
    values["state"] = InspectionState(values["state"])
    values["detections"] = tuple(_seen(each) for each in values["detections"])
    values["near"] = tuple(NearOrder(**each) for each in values["near"])
    return Inspection(**values)


def _seen(stored: dict[str, Any]) -> Seen:
    x1, y1, x2, y2 = stored["box_xyxy"]
    return Seen(label=stored["label"], confidence=stored["confidence"], box_xyxy=(x1, y1, x2, y2))
