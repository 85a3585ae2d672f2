"""Orders and their history. Each function works in the caller's transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from models.errors import NotFoundError
from models.work_order import RejectReason, Status
from models.zone import Priority
from service.store.records import Evidence, HistoryEntry, HistoryKind, Sighting, WorkOrder
from service.store.schema import clock, evidence, history, orders, sightings
from service.store.scope import within
from service.store.sightings import of_orders


@dataclass(frozen=True, kw_only=True, slots=True)
class Tick:
    """A change's place among all changes, and its time; both only go up."""

    change_seq: int
    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderFilter:
    """Which orders are wanted; an empty tuple is no condition."""

    statuses: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    camera_ids: tuple[str, ...] = ()
    zone_ids: tuple[str, ...] = ()
    department_ids: tuple[str, ...] = ()
    priorities: tuple[str, ...] = ()
    created_since: datetime | None = None
    created_until: datetime | None = None
    seen_by: tuple[str, ...] = ()
    """Cameras of which any has told of it, first or later."""


_NOW = sa.bindparam("now", type_=clock.c.at.type)
_TICK = (
    sa.update(clock)
    .values(
        change_seq=clock.c.change_seq + sa.bindparam("changes", type_=sa.BigInteger),
        at=sa.case((clock.c.at < _NOW, _NOW), else_=clock.c.at),
    )
    .returning(clock.c.change_seq, clock.c.at)
)
_INSERT_HISTORY = sa.insert(history)
_ENTRY_FIELDS = [field.name for field in fields(HistoryEntry)]


def tick(connection: Connection, now: datetime) -> Tick:
    """Number the change that this transaction makes.

    The row stays locked until the commit, so numbers become visible in their order and whoever
    polls by them misses nothing. The time never goes back, even if the machine's clock does.
    """
    return ticks(connection, now, 1)[0]


def ticks(connection: Connection, now: datetime, count: int) -> list[Tick]:
    """Number several changes of this transaction; all have one time."""
    row = connection.execute(_TICK, {"now": now, "changes": count}).one()
    first = row.change_seq - count + 1
    return [Tick(change_seq=first + each, at=row.at) for each in range(count)]


def find_by_incident(
    connection: Connection, incident_id: str, *, lock: bool = False
) -> WorkOrder | None:
    """The order of an incident, whichever camera's it is, or None."""
    found = _one(connection, orders.c.incident_id == incident_id, lock=lock)
    if found is not None:
        return found
    seen = sa.select(sightings.c.order_id).where(sightings.c.incident_id == incident_id)
    return _one(connection, orders.c.order_id == seen.scalar_subquery(), lock=lock)


def get_by_incident(connection: Connection, incident_id: str, *, lock: bool = False) -> WorkOrder:
    """The order of an incident; raises :class:`NotFoundError`."""
    order = find_by_incident(connection, incident_id, lock=lock)
    if order is None:
        raise NotFoundError(f"there is no work order of incident {incident_id}")
    return order


def get_order(connection: Connection, order_id: str, *, lock: bool = False) -> WorkOrder:
    """One order, locked until the commit if asked; raises :class:`NotFoundError`."""
    order = _one(connection, orders.c.order_id == order_id, lock=lock)
    if order is None:
        raise NotFoundError(f"there is no work order {order_id}")
    return order


def find_orders(
    connection: Connection,
    condition: sa.ColumnElement[bool],
    limit: int = 50,
    *,
    offset: int = 0,
) -> list[WorkOrder]:
    """Orders that meet a condition, the newest first."""
    query = sa.select(orders).where(condition).order_by(orders.c.number.desc())
    return _many(connection, query.limit(limit).offset(offset))


def last_became(connection: Connection, order_id: str, status: Status) -> datetime | None:
    """When an order last came to a status; for ``resolved``: when somebody said so."""
    found: datetime | None = connection.execute(
        sa.select(history.c.at)
        .where(history.c.order_id == order_id, history.c.to_status == status)
        .order_by(history.c.entry_id.desc())
        .limit(1)
    ).scalar_one_or_none()
    return found


def change_order(connection: Connection, order: WorkOrder, at: Tick, **values: object) -> WorkOrder:
    """Set columns of an order that is held locked, and count its version up."""
    stamp = {"version": order.version + 1, "change_seq": at.change_seq, "updated_at": at.at}
    changed: dict[str, Any] = {**values, **stamp}
    connection.execute(
        sa.update(orders).where(orders.c.order_id == order.order_id).values(**changed)
    )
    return replace(order, **changed)


def note_observation(
    connection: Connection,
    order: WorkOrder,
    last_seen_at: datetime,
    observed_s: float,
    inferred_s: float,
) -> None:
    """Remember that the object is still there: no change of the order's life, so no new version."""
    connection.execute(
        sa.update(orders)
        .where(orders.c.order_id == order.order_id)
        .values(last_seen_at=last_seen_at, observed_s=observed_s, inferred_s=inferred_s)
    )


def newest_orders(
    connection: Connection, wanted: OrderFilter, *, before_number: int | None, limit: int
) -> list[WorkOrder]:
    """Orders from the newest back; ``before_number`` goes on where the last page ended."""
    query = _filtered(connection, wanted).order_by(orders.c.number.desc()).limit(limit)
    if before_number is not None:
        query = query.where(orders.c.number < before_number)
    return _many(connection, query)


def changed_orders(
    connection: Connection, wanted: OrderFilter, *, after_change: int, limit: int
) -> list[WorkOrder]:
    """Orders by their latest change, oldest change first, after a given one."""
    condition = condition_of(connection, wanted, column=unindexed)
    query = sa.select(orders).where(condition, orders.c.change_seq > after_change)
    in_order = query.order_by(orders.c.change_seq).limit(limit)
    return _many(connection, in_order, column=unindexed)


def change_before(connection: Connection, since: datetime) -> int:
    """The change after which everything changed at or after ``since`` lies."""
    first = connection.execute(
        sa.select(orders.c.change_seq)
        .where(orders.c.updated_at >= since)
        .order_by(orders.c.updated_at, orders.c.change_seq)
        .limit(1)
    ).scalar_one_or_none()
    if first is not None:
        return int(first) - 1
    return int(connection.execute(sa.select(clock.c.change_seq)).scalar_one())


def count_by_status(connection: Connection) -> dict[str, int]:
    """How many orders stand at each status."""
    rows = connection.execute(
        sa.select(orders.c.status, sa.func.count().label("total"))
        .where(within(connection, orders.c.department_id))
        .group_by(orders.c.status)
    )
    return {row.status: int(row.total) for row in rows}


def add_history(connection: Connection, order_id: str, entries: Sequence[HistoryEntry]) -> None:
    """Append to an order's history."""
    add_histories(connection, {order_id: entries})


def add_histories(connection: Connection, of_orders: Mapping[str, Sequence[HistoryEntry]]) -> None:
    """Append to the histories of several orders, in this order."""
    rows = [
        {name: getattr(entry, name) for name in _ENTRY_FIELDS} | {"order_id": order_id}
        for order_id, entries in of_orders.items()
        for entry in entries
    ]
    if rows:
        connection.execute(_INSERT_HISTORY, rows)


def history_of(connection: Connection, order_id: str) -> list[HistoryEntry]:
    """An order's history, oldest first."""
    rows = connection.execute(
        sa.select(history).where(history.c.order_id == order_id).order_by(history.c.entry_id)
    ).mappings()
    return [_entry(row) for row in rows]


def _one(
    connection: Connection, condition: sa.ColumnElement[bool], *, lock: bool
) -> WorkOrder | None:
    query = sa.select(orders).where(condition)
    found = _many(connection, query.with_for_update() if lock else query)
    return found[0] if found else None


Text = sa.ColumnElement[Any]
"""A column of text, or what stands for it."""


def unindexed(column: Text) -> Text:
    """A column of text that no index is used for.

    SQLite knows of no frequencies and takes an index of equal values before one of a range: to find
    the few latest changes among a department's orders it would read all of that department's.
    """
    return column.concat(sa.literal_column("''"))


def _as_it_is(column: Text) -> Text:
    return column


def condition_of(
    connection: Connection, wanted: OrderFilter, column: Callable[[Text], Text] = _as_it_is
) -> sa.ColumnElement[bool]:
    """The condition on an order that a filter stands for, in the connection's scope."""
    one_of = {
        orders.c.status: wanted.statuses,
        orders.c.category: wanted.categories,
        orders.c.camera_id: wanted.camera_ids,
        orders.c.zone_id: wanted.zone_ids,
        orders.c.department_id: wanted.department_ids,
        orders.c.priority: wanted.priorities,
    }
    conditions: list[sa.ColumnElement[bool]] = [
        column(each).in_(values) for each, values in one_of.items() if values
    ]
    if wanted.seen_by:
        also = sa.select(sightings.c.order_id).where(sightings.c.camera_id.in_(wanted.seen_by))
        first = orders.c.camera_id.in_(wanted.seen_by)
        conditions.append(sa.or_(first, orders.c.order_id.in_(also)))
    if wanted.created_since is not None:
        conditions.append(orders.c.created_at >= wanted.created_since)
    if wanted.created_until is not None:
        conditions.append(orders.c.created_at < wanted.created_until)
    return sa.and_(within(connection, column(orders.c.department_id)), *conditions)


def _filtered(connection: Connection, wanted: OrderFilter) -> sa.Select[Any]:
    return sa.select(orders).where(condition_of(connection, wanted))


def _many(
    connection: Connection, query: sa.Select[Any], column: Callable[[Text], Text] = _as_it_is
) -> list[WorkOrder]:
    # Every query for orders comes by here: nothing out of the connection's scope is ever read.
    in_scope = query.where(within(connection, column(orders.c.department_id)))
    rows = connection.execute(in_scope).mappings().all()
    if not rows:
        return []
    order_ids = [row["order_id"] for row in rows]
    pictures = _evidence_of(connection, order_ids)
    seen = of_orders(connection, order_ids, pictures)
    return [_order(row, pictures[row["order_id"]], seen[row["order_id"]]) for row in rows]


def _evidence_of(
    connection: Connection, order_ids: Iterable[str]
) -> defaultdict[str, list[Evidence]]:
    found: defaultdict[str, list[Evidence]] = defaultdict(list)
    rows = connection.execute(
        sa.select(evidence)
        .where(evidence.c.order_id.in_(list(order_ids)))
        .order_by(evidence.c.created_at, evidence.c.name)
    ).mappings()
    for row in rows:
        found[row["order_id"]].append(Evidence(**row))
    return found


def _order(row: RowMapping, pictures: Sequence[Evidence], seen: Sequence[Sighting]) -> WorkOrder:
    values = dict(row)
    own = tuple(each for each in pictures if each.incident_id == row["incident_id"])
    values["box_xyxy"] = tuple(values["box_xyxy"])
    values["status"] = Status(values["status"])
    values["priority"] = Priority(values["priority"])
    code = values["reason_code"]
    values["reason_code"] = None if code is None else RejectReason(code)
    return WorkOrder(**values, evidence=own, sightings=tuple(seen))


def _entry(row: RowMapping) -> HistoryEntry:
    values = {key: value for key, value in row.items() if key not in {"entry_id", "order_id"}}
    for key in ("from_status", "to_status"):
        values[key] = None if values[key] is None else Status(values[key])
    values["kind"] = HistoryKind(values["kind"])
    return HistoryEntry(**values)
