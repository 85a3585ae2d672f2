"""Many orders in few statements, for those that arrive together."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import fields, replace
from datetime import datetime
from typing import TypeAlias

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from models.work_order import WorkOrderRequest
from service.store.intake import as_stored, past_order
from service.store.records import PastOrder, WorkOrder
from service.store.schema import UtcDateTime, orders, sightings

Place: TypeAlias = tuple[str, str, str]
"""Camera, zone and category."""

MOST_RECENT = 50
"""Orders of one place that are looked at."""

_PAST = [orders.c[field.name] for field in fields(PastOrder)]
_PAST_NAMES = ", ".join(f"recent.{column.name}" for column in _PAST)
_COLUMNS = [column.name for column in orders.c if column is not orders.c.number]
_NAMES = ", ".join(_COLUMNS)
_INSERT = sa.insert(orders).returning(orders.c.incident_id, orders.c.number)
# One parameter for all of them: a statement with one for each value would be another one for each
# number of orders, and reading it took the driver and the server longer than the rest.
_INSERT_RECORDS = sa.text(f"""
    INSERT INTO orders ({_NAMES})
    SELECT {_NAMES} FROM json_populate_recordset(CAST(NULL AS orders), CAST(:rows AS json))
    ORDER BY change_seq RETURNING incident_id, number""")  # noqa: S608 - names of columns
_SINCE = sa.bindparam("since", type_=UtcDateTime())
_RECENT_TEXTS = {
    # For each place the last few rows of the index, and no others, however many there are.
    "sqlite": sa.text(f"""
        SELECT place.key AS n, {_PAST_NAMES}
        FROM json_each(:places) AS place
        JOIN orders AS recent ON recent.number IN (
            SELECT number FROM orders
            WHERE camera_id = place.value ->> 0 AND zone_id = place.value ->> 1
            AND category = place.value ->> 2 AND created_at >= :since
            ORDER BY created_at DESC, number DESC LIMIT {MOST_RECENT})
        ORDER BY recent.number DESC"""),  # noqa: S608 - names of columns and a number
    "postgresql": sa.text(f"""
        SELECT place.n, {_PAST_NAMES}
        FROM json_array_elements(CAST(:places AS json)) WITH ORDINALITY AS place (value, n)
        CROSS JOIN LATERAL (
            SELECT * FROM orders
            WHERE camera_id = place.value ->> 0 AND zone_id = place.value ->> 1
            AND category = place.value ->> 2 AND created_at >= :since
            ORDER BY created_at DESC, number DESC LIMIT {MOST_RECENT}) AS recent
        ORDER BY recent.number DESC"""),  # noqa: S608 - names of columns and a number
}
_RECENT_OF_PLACES = {
    dialect: text.bindparams(_SINCE).columns(sa.column("n"), *_PAST)
    for dialect, text in _RECENT_TEXTS.items()
}
_FIRST = {"sqlite": 0, "postgresql": 1}
"""What the databases begin to count with."""


def place_of(request: WorkOrderRequest) -> Place:
    """Where an incident is: orders of one place may be returns of each other."""
    return request.camera_id, request.zone_id, request.category


def known_incidents(connection: Connection, incident_ids: Collection[str]) -> set[str]:
    """Those that were taken in before, in whoever's scope."""
    wanted = list(incident_ids)
    query = sa.union_all(
        sa.select(orders.c.incident_id).where(orders.c.incident_id.in_(wanted)),
        sa.select(sightings.c.incident_id).where(sightings.c.incident_id.in_(wanted)),
    )
    return set(connection.scalars(query))


def recent_at_places(
    connection: Connection, places: Sequence[Place], since: datetime
) -> dict[Place, list[PastOrder]]:
    """The last 50 orders of each place made since, newest first, of the whole city."""
    dialect = connection.dialect.name
    values = {"places": json.dumps(places), "since": since}
    found: dict[Place, list[PastOrder]] = {place: [] for place in places}
    for row in connection.execute(_RECENT_OF_PLACES[dialect], values):
        number, *past = row
        found[places[number - _FIRST[dialect]]].append(past_order(past))
    return found


def add_orders(connection: Connection, new: Sequence[WorkOrder]) -> list[WorkOrder]:
    """Insert orders of incidents that have none, and give them their numbers.

    Whoever has a tick holds the clock, so that nobody else inserts between a look and this.
    """
    rows = [{name: getattr(order, name) for name in _COLUMNS} for order in new]
    if connection.dialect.name == "postgresql":
        records = json.dumps(rows, default=_as_json)
        found = connection.execute(_INSERT_RECORDS, {"rows": records})
    else:
        found = connection.execute(_INSERT, rows)
    numbers = {row.incident_id: row.number for row in found}
    return [replace(as_stored(order), number=numbers[order.incident_id]) for order in new]


def _as_json(value: object) -> str:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.isoformat()
    raise TypeError(f"not a value of an order: {value!r}")
