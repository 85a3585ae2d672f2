"""Clears orders that several cameras saw, where those that have not seen them cleared are dead."""

from __future__ import annotations

import sqlalchemy as sa
import structlog
from sqlalchemy.engine import Connection

from service.api import actions, joining
from service.api.deps import ApiDeps
from service.decisions.closure import VERIFIED_BY_SIGHT
from service.decisions.dead_cameras import cleared_without, note_without
from service.store import cameras, orders
from service.store.records import CameraReport, WorkOrder
from service.store.schema import orders as table
from service.store.schema import sightings

ACTOR = "cameras"
AT_ONCE = 200
"""Orders of one round, so that a backlog does not hold up others."""

log = structlog.get_logger(__name__)


def clear_without_the_dead(deps: ApiDeps) -> int:
    """Look at the orders that wait for a camera; how many were cleared without one."""
    with deps.database.read() as connection:
        waiting = connection.scalars(_waiting()).all()
        reports = {each.camera_id: each for each in cameras.list_cameras(connection)}
    cleared = sum(_clear(deps, order_id, reports) for order_id in waiting) if waiting else 0
    if cleared:
        deps.wake()
    return cleared


def _waiting() -> sa.Select[tuple[str]]:
    """Orders under way of which some cameras have seen the place free, and others have not."""
    free, other = sightings.alias(), sightings.alias()
    return (
        sa.select(table.c.order_id)
        .where(
            table.c.cleared_at.is_(None),
            table.c.status.in_([status.value for status in VERIFIED_BY_SIGHT]),
            sa.exists().where(free.c.order_id == table.c.order_id, free.c.cleared_at.is_not(None)),
            sa.exists().where(other.c.order_id == table.c.order_id, other.c.cleared_at.is_(None)),
        )
        .order_by(table.c.order_id)
        .limit(AT_ONCE)
    )


def _clear(deps: ApiDeps, order_id: str, reports: dict[str, CameraReport]) -> bool:
    with deps.database.write() as connection:
        order = orders.get_order(connection, order_id, lock=True)
        # Read again under the lock: a camera may have told of it meanwhile.
        found = cleared_without(order, reports, deps.now())
        if found is None:
            return False
        order = _noted(connection, deps, order, note_without(found.dead, reports))
        actions.cleared(deps, connection, order, found.cleared_at, ACTOR)
    log.info("cleared without a dead camera", order=order.number, cameras=len(found.dead))
    return True


def _noted(connection: Connection, deps: ApiDeps, order: WorkOrder, note: str) -> WorkOrder:
    after = orders.change_order(connection, order, orders.tick(connection, deps.now()))
    orders.add_history(connection, order.order_id, [joining.sighting_entry(after, ACTOR, note)])
    return after
