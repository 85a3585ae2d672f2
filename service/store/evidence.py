"""Which pictures belong to which order."""

from __future__ import annotations

from dataclasses import asdict

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from models.errors import NotFoundError
from service.store import schema
from service.store.records import Evidence
from service.store.scope import within


def add_evidence(connection: Connection, picture: Evidence) -> None:
    """Attach a picture to an order that is held locked and has none of that name."""
    connection.execute(sa.insert(schema.evidence).values(**asdict(picture)))


def get_evidence(connection: Connection, incident_id: str, name: str) -> Evidence:
    """One picture of an incident; raises :class:`NotFoundError`."""
    row = (
        connection.execute(
            sa.select(schema.evidence)
            .join(schema.orders, schema.orders.c.order_id == schema.evidence.c.order_id)
            .where(
                schema.evidence.c.incident_id == incident_id,
                schema.evidence.c.name == name,
                within(connection, schema.orders.c.department_id),
            )
        )
        .mappings()
        .one_or_none()
    )
    if row is None:
        raise NotFoundError(f"incident {incident_id} has no evidence {name}")
    return Evidence(**row)
