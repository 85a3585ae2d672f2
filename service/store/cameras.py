"""What daemons last said of their cameras."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from models.errors import NotFoundError
from service.store import schema
from service.store.records import CameraReport
from service.store.scope import scope_of, within


def save_camera(connection: Connection, report: CameraReport) -> None:
    """Replace what is known of a camera, keeping when its snapshot was taken."""
    values = asdict(report)
    del values["snapshot_at"]
    is_postgresql = connection.dialect.name == "postgresql"
    insert = postgresql.insert if is_postgresql else sqlite.insert
    connection.execute(
        insert(schema.cameras)
        .values(**values)
        .on_conflict_do_update(index_elements=["camera_id"], set_=values)
    )


def list_cameras(connection: Connection) -> list[CameraReport]:
    """All cameras ever heard of, by id, as far as they are in the connection's scope."""
    rows = connection.execute(
        sa.select(schema.cameras).where(_within(connection)).order_by(schema.cameras.c.camera_id)
    ).mappings()
    return [CameraReport(**row) for row in rows]


def get_camera(connection: Connection, camera_id: str) -> CameraReport:
    """One camera; raises :class:`NotFoundError` also if it is out of the scope."""
    row = (
        connection.execute(
            sa.select(schema.cameras).where(
                schema.cameras.c.camera_id == camera_id, _within(connection)
            )
        )
        .mappings()
        .one_or_none()
    )
    if row is None:
        raise NotFoundError(f"no daemon has reported a camera {camera_id}")
    return CameraReport(**row)


def note_snapshot(connection: Connection, camera_id: str, at: datetime) -> None:
    """Remember when a camera's snapshot came; raises :class:`NotFoundError`."""
    done = connection.execute(
        sa.update(schema.cameras)
        .where(schema.cameras.c.camera_id == camera_id)
        .values(snapshot_at=at)
    )
    if done.rowcount == 0:
        raise NotFoundError(f"no daemon has reported a camera {camera_id}")


def _within(connection: Connection) -> sa.ColumnElement[bool]:
    """A camera is in sight of the departments that ever had an order from it."""
    if scope_of(connection).is_whole_city:
        return sa.true()
    return sa.exists().where(
        schema.orders.c.camera_id == schema.cameras.c.camera_id,
        within(connection, schema.orders.c.department_id),
    )
