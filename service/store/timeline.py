"""What happened to all orders, in the order of commit: the source of the stream of events.

Steps are rows of the history. Their ids are given while the clock row is locked, as numbers of
changes are, so they become visible in their order and nothing is missed behind a later one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from service.store.records import HistoryKind
from service.store.schema import clock, history


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One change of an order: all that its history says of one version."""

    entry_id: int
    """The last of its entries: where to go on."""
    order_id: str
    version: int
    at: datetime
    kind: HistoryKind
    moved_to: str | None
    note: str


def latest_change(connection: Connection) -> int:
    """Number of the latest change of any order."""
    return int(connection.execute(sa.select(clock.c.change_seq)).scalar_one())


def latest_entry(connection: Connection) -> int:
    """The last entry of the history; 0 if there is none."""
    return int(connection.execute(sa.select(sa.func.max(history.c.entry_id))).scalar_one() or 0)


def steps_after(connection: Connection, entry_id: int, limit: int) -> list[Step]:
    """Steps after an entry, oldest first; ``limit`` counts entries, of which a step has a few."""
    query = _entries().where(history.c.entry_id > entry_id)
    rows = list(connection.execute(query.order_by(history.c.entry_id).limit(limit)).all())
    if len(rows) == limit:
        last = rows[-1]
        rest = _entries().where(
            history.c.order_id == last.order_id,
            history.c.version == last.version,
            history.c.entry_id > last.entry_id,
        )
        rows += connection.execute(rest.order_by(history.c.entry_id)).all()
    grouped = groupby(rows, key=lambda row: (row.order_id, row.version))
    return [_step(list(group)) for _, group in grouped]


def _entries() -> sa.Select[tuple[int, str, int, datetime, str, str | None, str]]:
    return sa.select(
        history.c.entry_id,
        history.c.order_id,
        history.c.version,
        history.c.at,
        history.c.kind,
        history.c.to_status,
        history.c.note,
    )


def _step(rows: list[Row[tuple[int, str, int, datetime, str, str | None, str]]]) -> Step:
    moves = [row.to_status for row in rows if row.to_status is not None]
    return Step(
        entry_id=rows[-1].entry_id,
        order_id=rows[0].order_id,
        version=rows[0].version,
        at=rows[0].at,
        kind=HistoryKind(rows[0].kind),
        moved_to=moves[-1] if moves else None,
        note=rows[0].note,
    )
