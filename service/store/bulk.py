"""Many orders in few statements, for those that arrive together."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, fields, replace
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
_AROUND = {
    "sqlite": ("json_each(:around) AS a", "a.key"),
    "postgresql": (
        "json_array_elements(CAST(:around AS json)) WITH ORDINALITY AS a (value, n)",
        "a.n",
    ),
}
_IS_CURRENT = (
    "o.category = a.value ->> 'category' AND (o.cleared_at IS NULL OR o.created_at >= :since)"
)
# Each half by its own partial index: place, and latitude of what is on the ground.
_NEAR_OTHERS = {
    dialect: sa.text(f"""
        SELECT {number} AS n FROM {source}
        WHERE EXISTS (
            SELECT 1 FROM orders AS o WHERE o.place_id <> '' AND {_IS_CURRENT}
            AND o.place_id = a.value ->> 'place_id')
        OR EXISTS (
            SELECT 1 FROM orders AS o WHERE o.located_by = 'ground' AND {_IS_CURRENT}
            AND o.latitude BETWEEN CAST(a.value ->> 'south' AS DOUBLE PRECISION)
                AND CAST(a.value ->> 'north' AS DOUBLE PRECISION)
            AND o.longitude BETWEEN CAST(a.value ->> 'west' AS DOUBLE PRECISION)
                AND CAST(a.value ->> 'east' AS DOUBLE PRECISION))
        """).bindparams(_SINCE)  # noqa: S608 - the texts above
    for dialect, (source, number) in _AROUND.items()
}
_FIRST = {"sqlite": 0, "postgresql": 1}
"""What the databases begin to count with."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Surroundings:
    """Where orders may be about the same thing as an incident, whichever camera's they are."""

    category: str
    place_id: str
    """Empty: it has no name."""
    south: float | None = None
    """``None``: it was not located on the ground; degrees, like the others."""
    north: float | None = None
    west: float | None = None
    east: float | None = None

    def touch(self, other: Surroundings) -> bool:
        """Whether two incidents may be about the same thing."""
        if self.category != other.category:
            return False
        if self.place_id and self.place_id == other.place_id:
            return True
        return (
            _overlap(self.south, self.north, other.south, other.north)
            and _overlap(self.west, self.east, other.west, other.east)
        )  # fmt: skip


def _overlap(
    low: float | None, high: float | None, low2: float | None, high2: float | None
) -> bool:
    if low is None or high is None or low2 is None or high2 is None:
        return False
    return low <= high2 and low2 <= high


def near_others(
    connection: Connection, around: Sequence[Surroundings], since: datetime
) -> list[bool]:
    """Whether there are orders near each that are under way or were made since."""
    dialect = connection.dialect.name
    rows = connection.execute(
        _NEAR_OTHERS[dialect], {"around": json.dumps([asdict(a) for a in around]), "since": since}
    )
    found = {row.n - _FIRST[dialect] for row in rows}
    return [number in found for number in range(len(around))]


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
