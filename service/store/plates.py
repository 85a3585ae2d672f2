"""Licence plates of incidents, as a city's own reader read them: personal data, kept apart."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from models.errors import ConflictError, NotFoundError
from service.store import schema
from service.store.retention import is_held
from service.store.scope import within


@dataclass(frozen=True, kw_only=True, slots=True)
class Plate:
    """What a reader made of one incident's vehicle."""

    incident_id: str
    order_id: str
    plate: str
    confidence: float
    created_at: datetime


def add_plate(connection: Connection, plate: Plate) -> bool:
    """Store a plate of an order that is held locked; False if it is there already.

    Another one than is there is a :class:`ConflictError`, which does not name either.
    """
    try:
        known = get_plate(connection, plate.incident_id)
    except NotFoundError:
        connection.execute(sa.insert(schema.plates).values(**asdict(plate)))
        return True
    if (known.plate, known.confidence) != (plate.plate, plate.confidence):
        raise ConflictError("the incident has another plate already")
    return False


def get_plate(connection: Connection, incident_id: str) -> Plate:
    """The plate of an incident in the connection's scope; raises :class:`NotFoundError`."""
    row = (
        connection.execute(
            sa.select(schema.plates)
            .join(schema.orders, schema.orders.c.order_id == schema.plates.c.order_id)
            .where(
                schema.plates.c.incident_id == incident_id,
                within(connection, schema.orders.c.department_id),
            )
        )
        .mappings()
        .one_or_none()
    )
    if row is None:
        raise NotFoundError(f"incident {incident_id} has no plate")
    return Plate(**row)


def expired_plates(connection: Connection, before: datetime, limit: int) -> list[Plate]:
    """Plates that came before a time, except those under a legal hold."""
    plates = schema.plates.c
    query = (
        sa.select(schema.plates)
        .where(
            plates.created_at < before,
            ~sa.exists().where(schema.legal_holds.c.order_id == plates.order_id),
        )
        .order_by(plates.created_at)
        .limit(limit)
    )
    return [Plate(**row) for row in connection.execute(query).mappings()]


def forget_plate(connection: Connection, plate: Plate) -> bool:
    """Delete one plate; False if it is gone or held by now."""
    if is_held(connection, plate.order_id):
        return False
    done = connection.execute(
        sa.delete(schema.plates).where(schema.plates.c.incident_id == plate.incident_id)
    )
    return done.rowcount > 0
