"""Figures on orders, counted by the database: the same on SQLite and PostgreSQL.

Every query begins with :func:`_picked`, so filters and the connection's scope hold for all figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from models.work_order import RejectReason, Status
from service.store.orders import OrderFilter, condition_of
from service.store.records import HistoryKind
from service.store.schema import history, orders

PEOPLE_CONFIRM = (Status.RESOLVED, Status.VERIFIED, Status.CLOSED)
"""Whoever moves an order there by hand has seen that it was right; a camera's own sight is another
kind of entry and says nothing of it."""

Shifts = Sequence[tuple[datetime, timedelta]]
"""From when on local time is ahead of UTC by how much, in order."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Quantiles:
    """Times in seconds, by nearest rank; ``None`` where there are none."""

    count: int
    median_s: float | None
    p90_s: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdicts:
    """What people said of the orders of a rule."""

    camera_id: str
    zone_id: str
    rule_id: str
    category: str
    confirmed: int
    false_alarms: int


@dataclass(frozen=True, kw_only=True, slots=True)
class HourCount:
    """Orders of a zone in an hour of the day."""

    camera_id: str
    zone_id: str
    hour: int
    count: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Load:
    """What a department has to do."""

    department_id: str | None
    open: int
    overdue: int


def counts_by(connection: Connection, wanted: OrderFilter, field: str) -> dict[str | None, int]:
    """How many orders there are by a column, such as ``status``."""
    column = orders.c[field]
    rows = connection.execute(
        sa.select(column, sa.func.count()).where(_picked(connection, wanted)).group_by(column)
    )
    return {row[0]: int(row[1]) for row in rows}


def counts_by_day(connection: Connection, wanted: OrderFilter, shifts: Shifts) -> dict[str, int]:
    """How many orders were made on each local day, ``2026-11-24``."""
    local = _local_text(connection, orders.c.created_at, shifts, "%Y-%m-%d", "YYYY-MM-DD")
    day = local.label("day")
    rows = connection.execute(
        sa.select(day, sa.func.count()).where(_picked(connection, wanted)).group_by(day)
    )
    return dict(sorted((str(row[0]), int(row[1])) for row in rows))


def counts_by_hour(connection: Connection, wanted: OrderFilter, shifts: Shifts) -> list[HourCount]:
    """How many orders each zone had in each local hour of the day."""
    hour = _local_text(connection, orders.c.created_at, shifts, "%H", "HH24").label("hour")
    by = (orders.c.camera_id, orders.c.zone_id, hour)
    rows = connection.execute(
        sa.select(*by, sa.func.count()).where(_picked(connection, wanted)).group_by(*by)
    )
    found = (
        HourCount(camera_id=row[0], zone_id=row[1], hour=int(row[2]), count=int(row[3]))
        for row in rows
    )
    return sorted(found, key=lambda each: (each.camera_id, each.zone_id, each.hour))


def time_until(connection: Connection, wanted: OrderFilter, status: Status) -> Quantiles:
    """From an order's creation until it first came to a status."""
    first = (
        sa.select(history.c.order_id, sa.func.min(history.c.at).label("at"))
        .where(history.c.to_status == status)
        .group_by(history.c.order_id)
        .subquery()
    )
    took = _seconds(connection, first.c.at, orders.c.created_at)
    query = sa.select(took.label("took")).join(first, first.c.order_id == orders.c.order_id)
    return _quantiles(connection, query.where(_picked(connection, wanted)))


def time_to_clear(connection: Connection, wanted: OrderFilter) -> Quantiles:
    """From the end of the dwell until the camera saw the place free."""
    took = _seconds(connection, orders.c.cleared_at, orders.c.opened_at)
    is_cleared = orders.c.cleared_at.is_not(None)
    query = sa.select(took.label("took")).where(is_cleared, _picked(connection, wanted))
    return _quantiles(connection, query)


def verdicts(connection: Connection, wanted: OrderFilter, not_of_kind: str) -> list[Verdicts]:
    """What people said, for each rule that they said anything of."""
    by_hand = sa.exists().where(
        history.c.order_id == orders.c.order_id,
        history.c.kind == HistoryKind.STATUS,
        history.c.to_status.in_(PEOPLE_CONFIRM),
    )
    is_false = sa.and_(
        orders.c.status == Status.REJECTED, orders.c.reason_code == RejectReason.FALSE_ALARM
    )
    is_right = sa.and_(orders.c.status != Status.REJECTED, by_hand)
    by = (orders.c.camera_id, orders.c.zone_id, orders.c.rule_id, orders.c.category)
    rows = connection.execute(
        sa.select(*by, _sum(is_right), _sum(is_false))
        .where(_picked(connection, wanted), orders.c.rule_kind != not_of_kind)
        .group_by(*by)
        .having(_sum(sa.or_(is_right, is_false)) > 0)
        .order_by(*by)
    )
    return [
        Verdicts(
            camera_id=row[0],
            zone_id=row[1],
            rule_id=row[2],
            category=row[3],
            confirmed=int(row[4]),
            false_alarms=int(row[5]),
        )
        for row in rows
    ]


def load(
    connection: Connection, wanted: OrderFilter, running: Sequence[str], now: datetime
) -> list[Load]:
    """What each department has to do; overdue is what has passed the time to resolve it."""
    rows = connection.execute(
        sa.select(orders.c.department_id, sa.func.count(), _sum(orders.c.due_at < now))
        .where(_picked(connection, wanted), orders.c.status.in_(running))
        .group_by(orders.c.department_id)
    )
    found = [Load(department_id=row[0], open=int(row[1]), overdue=int(row[2])) for row in rows]
    return sorted(found, key=lambda each: each.department_id or "")


def _picked(connection: Connection, wanted: OrderFilter) -> sa.ColumnElement[bool]:
    return condition_of(connection, wanted)


def _sum(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.func.coalesce(sa.func.sum(sa.case((condition, 1), else_=0)), 0)


def _quantiles(connection: Connection, query: sa.Select[tuple[float]]) -> Quantiles:
    times = query.subquery()
    ranked = sa.select(
        times.c.took,
        sa.func.row_number().over(order_by=times.c.took).label("place"),
        sa.func.count().over().label("total"),
    ).subquery()

    def at(percent: int) -> sa.ColumnElement[float | None]:
        rank = sa.func.floor((ranked.c.total * percent + 99) / sa.literal(100.0))
        return sa.func.max(sa.case((ranked.c.place == rank, ranked.c.took)))

    row = connection.execute(sa.select(sa.func.count(ranked.c.took), at(50), at(90))).one()
    return Quantiles(count=int(row[0]), median_s=_rounded(row[1]), p90_s=_rounded(row[2]))


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(max(0.0, float(seconds)), 3)


def _seconds(
    connection: Connection, later: sa.ColumnElement[datetime], earlier: sa.ColumnElement[datetime]
) -> sa.ColumnElement[float]:
    if connection.dialect.name == "sqlite":
        days = sa.func.julianday(later) - sa.func.julianday(earlier)
        return days * 86400.0
    return sa.cast(sa.extract("epoch", later - earlier), sa.Float)


def _local_text(
    connection: Connection,
    column: sa.ColumnElement[datetime],
    shifts: Shifts,
    sqlite_form: str,
    postgresql_form: str,
) -> sa.ColumnElement[str]:
    """A time as local text, where the offset from UTC may change in between."""
    ahead_s = [int(shift.total_seconds()) for _, shift in shifts]
    later: list[tuple[sa.ColumnElement[bool], sa.ColumnElement[int]]] = [
        (column >= begin, sa.literal_column(str(seconds)))
        for (begin, _), seconds in reversed(list(zip(shifts[1:], ahead_s[1:], strict=True)))
    ]
    first: sa.ColumnElement[int] = sa.literal_column(str(ahead_s[0]))
    shift: sa.ColumnElement[int] = sa.case(*later, else_=first) if later else first
    if connection.dialect.name == "sqlite":
        moved = sa.cast(shift, sa.String).concat(sa.literal_column("' seconds'"))
        return sa.func.strftime(sa.literal_column(f"'{sqlite_form}'"), column, moved)
    in_utc = sa.func.timezone(sa.literal_column("'UTC'"), column)
    moved_at = in_utc + shift * sa.literal_column("interval '1 second'")
    return sa.func.to_char(moved_at, sa.literal_column(f"'{postgresql_form}'"))
