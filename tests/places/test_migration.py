"""Evidence that was there before belongs to its order's incident, and is there after going back."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from service.store.database import open_database
from service.store.migrate import downgrade, upgrade
from tests.support.dispatch import BACKENDS, START, database_url

ORDER = {
    "order_id": "order-1",
    "incident_id": "incident-1",
    "version": 1,
    "change_seq": 1,
    "confidence": 0.9,
    "box_xyxy": "[1, 2, 3, 4]",
    "width_px": 640,
    "height_px": 360,
    "observed_s": 60,
    "dwell_s": 60,
    "object_count": 1,
    **dict.fromkeys(
        ("camera_id", "camera_name", "zone_id", "zone_name", "rule_id", "rule_kind"), "x"
    ),
    **dict.fromkeys(("category", "label", "priority", "address", "description"), "x"),
    "status": "received",
}
TIMES = ("started_at", "opened_at", "created_at", "updated_at", "last_seen_at")
PICTURE = {
    "order_id": "order-1",
    "name": "opened-wide",
    "sha256": "0" * 64,
    "size_bytes": 10,
    "width_px": 640,
    "height_px": 360,
}


@pytest.mark.parametrize("backend", BACKENDS)
def test_evidence_keeps_its_order_and_gets_its_incident(backend: str, tmp_path: Path) -> None:
    with database_url(backend, tmp_path) as url, open_database(url) as database:
        upgrade(database, "0005")
        at = START.replace(tzinfo=None) if backend == "sqlite" else START
        order = ORDER | dict.fromkeys(TIMES, at)
        with database.write() as connection:
            _insert(connection, "orders", order)
            _insert(connection, "evidence", PICTURE | {"created_at": at})

        upgrade(database, "0006")
        with database.read() as connection:
            rows = connection.execute(sa.text("SELECT incident_id, name FROM evidence")).all()
        assert [tuple(row) for row in rows] == [("incident-1", "opened-wide")]

        with database.write() as connection:
            other = PICTURE | {"created_at": at, "incident_id": "of-another-camera"}
            _insert(connection, "evidence", other)
        downgrade(database, "0005")
        with database.read() as connection:
            rows = connection.execute(sa.text("SELECT order_id, name FROM evidence")).all()
        assert [tuple(row) for row in rows] == [("order-1", "opened-wide")]


def _insert(connection: sa.Connection, table: str, values: dict[str, object]) -> None:
    columns: list[sa.ColumnClause[object]] = [sa.column(name) for name in values]
    connection.execute(sa.table(table, *columns).insert().values(**values))
