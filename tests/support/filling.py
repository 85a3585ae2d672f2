"""A table of very many work orders, made by the database itself within seconds."""

from __future__ import annotations

import sqlalchemy as sa

from service.store.database import Database
from service.store.schema import clock, orders

CAMERAS = 500
DEPARTMENTS = 12
SECONDS_BETWEEN = 60
"""One order a minute: a million of them are two years of a city."""
FIRST_S = 1_730_000_000
"""When the first order came, seconds since the epoch: October 2024."""

_COLUMNS = (
    "number, order_id, incident_id, camera_id, camera_name, zone_id, zone_name, rule_id, rule_kind,"
    " category, label, confidence, box_xyxy, width_px, height_px, started_at, opened_at,"
    " observed_s, dwell_s, object_count, department_id, priority, latitude, longitude, address,"
    " description, status, version, change_seq, created_at, updated_at, last_seen_at, cleared_at,"
    " located_by, place_id"
)
# One order of forty is still to be done; those are the newest ones, as in a city that works.
_VALUES = """
    n, {order_id}, {incident_id}, 'camera-' || (n % {cameras}), 'Camera', 'zone-' || (n % 2),
    'Zone', 'parking', 'illegal_parking',
    CASE n % 3 WHEN 0 THEN 'litter' ELSE 'illegal_parking' END, 'car', 0.9,
    '[412, 233.5, 598, 342]', 960, 540, {at}, {at}, 300, 300, 1,
    'department-' || (n % {departments}), 'normal', 31.2 + (n % 997) * 0.0001,
    121.4 + (n % 991) * 0.0001, 'Main Street', 'A car',
    CASE WHEN n > {all} - {all} / 40 THEN 'dispatched' ELSE 'closed' END, 1, n, {at}, {at}, {at},
    CASE WHEN n > {all} - {all} / 40 THEN NULL ELSE {at} END,
    CASE n % 10 WHEN 0 THEN 'ground' ELSE '' END,
    CASE n % 50 WHEN 0 THEN 'bay-' || (n % 700) ELSE '' END
"""
_SQLITE = {
    "numbers": "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers"
    " WHERE n < {all})",
    "order_id": "'00000000-0000-4000-8000-' || printf('%012d', n)",
    "incident_id": "'00000000-0000-4000-9000-' || printf('%012d', n)",
    "at": "strftime('%Y-%m-%d %H:%M:%S', {first} + n * {between}, 'unixepoch') || '.000000'",
}
_POSTGRESQL = {
    "numbers": "WITH numbers AS (SELECT generate_series(1, {all}) AS n)",
    "order_id": "'00000000-0000-4000-8000-' || lpad(n::text, 12, '0')",
    "incident_id": "'00000000-0000-4000-9000-' || lpad(n::text, 12, '0')",
    "at": "to_timestamp({first} + n * {between})",
}


def fill_orders(database: Database, count: int) -> None:
    """Put so many orders into an empty, migrated database, and let it learn what is in them."""
    parts = _SQLITE if database.engine.dialect.name == "sqlite" else _POSTGRESQL
    at = parts["at"].format(first=FIRST_S, between=SECONDS_BETWEEN)
    values = _VALUES.format(
        order_id=parts["order_id"],
        incident_id=parts["incident_id"],
        at=at,
        all=count,
        cameras=CAMERAS,
        departments=DEPARTMENTS,
    )
    with database.write() as connection:
        numbers = parts["numbers"].format(all=count)
        rows = f"SELECT {values} FROM numbers"  # noqa: S608 - the texts above and numbers
        _do(connection, f"{numbers} INSERT INTO orders ({_COLUMNS}) {rows}")
        _do(
            connection,
            "INSERT INTO history (order_id, version, at, actor, kind, to_status, note)"
            " SELECT order_id, 1, created_at, 'benchmark', 'received', status, '' FROM orders"
            " ORDER BY number",
        )
        latest = sa.select(sa.func.max(orders.c.created_at)).scalar_subquery()
        connection.execute(sa.update(clock).values(change_seq=count, at=latest))
        if database.engine.dialect.name == "postgresql":
            _do(connection, f"SELECT setval(pg_get_serial_sequence('orders', 'number'), {count})")
            _do(connection, "ANALYZE")


def _do(connection: sa.Connection, statement: str) -> None:
    connection.execute(sa.text(statement.replace(":", "\\:")))
