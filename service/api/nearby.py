"""Open orders close to a citizen's report, looked up for the decision about them."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from models.ground import metres_per_degree
from service.api.deps import ApiDeps
from service.decisions.near import Near, near_duplicates
from service.decisions.sla import RUNS
from service.store import orders
from service.store.records import WorkOrder
from service.store.schema import orders as table

MOST_NEAR = 200
"""Looked at; the newest ones."""


def find_near(
    deps: ApiDeps, connection: Connection, report: WorkOrder, category: str
) -> list[Near]:
    """Open orders of a category that may be about the same thing as a report, nearest first."""
    radius_m = deps.categories.duplicate_radius_m
    since = report.created_at - timedelta(days=deps.categories.duplicate_days)
    if report.latitude is None or report.longitude is None or radius_m <= 0:
        return []
    to_east_m, to_north_m = metres_per_degree(report.latitude)
    high, wide = radius_m / to_north_m, radius_m / max(to_east_m, 1.0)
    around = sa.and_(
        table.c.category == category,
        table.c.status.in_(tuple(RUNS)),
        table.c.created_at >= since,
        table.c.latitude.between(report.latitude - high, report.latitude + high),
        table.c.longitude.between(report.longitude - wide, report.longitude + wide),
    )
    found = orders.find_orders(connection, around, MOST_NEAR)
    return near_duplicates(report, category, found, radius_m=radius_m, since=since)
