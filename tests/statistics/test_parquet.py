from __future__ import annotations

import csv
import io
import sys
from datetime import timedelta
from pathlib import Path

import pyarrow as arrow
import pyarrow.parquet as parquet
import pytest
from typer.testing import CliRunner

from service.api import exporting
from service.api import parquet as exporting_parquet
from service.cli.app import app
from service.decisions.table import COLUMNS
from service.store.orders import OrderFilter
from tests.support.dispatch import Service

PATH = "/api/v1/export/work-orders.parquet"
TEXT = arrow.dictionary(arrow.int32(), arrow.string())


def read(content: bytes) -> arrow.Table:
    return parquet.read_table(io.BytesIO(content))


def test_the_columns_are_those_of_csv_with_their_types(sqlite_service: Service) -> None:
    sqlite_service.post_order(category="litter", description="=1+1")

    answer = sqlite_service.client.get(PATH)

    assert answer.headers["content-type"] == "application/vnd.apache.parquet"
    table = read(answer.content)
    assert table.column_names == list(COLUMNS)
    types = {name: table.schema.field(name).type for name in COLUMNS}
    assert {types[n] for n in COLUMNS if n.endswith("_at")} == {arrow.timestamp("us", tz="UTC")}
    assert types["status"] == types["priority"] == types["category_zh"] == TEXT
    assert types["order_id"] == arrow.string()
    assert types["number"] == types["object_count"] == arrow.int64()
    assert types["latitude"] == types["confidence"] == arrow.float64()
    (row,) = table.to_pylist()
    told = (row["status"], row["category_zh"], row["description"])
    assert told == ("dispatched", "道路不洁", "=1+1")
    assert row["created_at"] == sqlite_service.clock()
    assert row["created_at"].utcoffset() == timedelta(0)
    assert row["cleared_at"] is None


def test_a_file_of_several_groups_says_what_csv_says(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "AT_ONCE", 2)
    monkeypatch.setattr(exporting_parquet, "ROWS_IN_GROUP", 2)
    for category in ("litter", "illegal_parking", "litter", "litter", "litter", "litter"):
        service.post_order(category=category)
    wanted = {"category": "litter"}

    content = service.client.get(PATH, params=wanted).content

    assert parquet.ParquetFile(io.BytesIO(content)).num_row_groups == 3
    text = service.client.get("/api/v1/export/work-orders.csv", params=wanted).text
    rows = list(csv.DictReader(io.StringIO(text)))
    told = read(content).to_pylist()
    assert [str(each["number"]) for each in told] == [each["number"] for each in rows]
    assert [each["created_at"].isoformat() for each in told] == [e["created_at"] for e in rows]
    assert service.anonymous.get(PATH).status_code == 401


def test_a_group_is_sent_before_the_next_is_read(
    sqlite_service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is in memory is one group, however many there are."""
    monkeypatch.setattr(exporting, "AT_ONCE", 1)
    monkeypatch.setattr(exporting_parquet, "ROWS_IN_GROUP", 1)
    for _ in range(3):
        sqlite_service.post_order()
    read_pages = []

    def pages(*arguments: object) -> object:
        for page in exporting.order_pages(*arguments):  # type: ignore[arg-type]
            read_pages.append(page)
            yield page

    monkeypatch.setattr(exporting_parquet, "order_pages", pages)
    pieces = exporting_parquet.parquet_pieces(
        sqlite_service.deps.database, OrderFilter(), sqlite_service.deps.category
    )
    assert next(pieces)
    assert len(read_pages) == 1
    assert len(b"".join(pieces)) > 0
    assert len(read_pages) == 3


def test_no_orders_are_a_file_without_rows(sqlite_service: Service, tmp_path: Path) -> None:
    out = tmp_path / "orders.parquet"
    url = sqlite_service.deps.database.engine.url.render_as_string(hide_password=False)

    done = CliRunner().invoke(app, ["export", str(out), "--database-url", url])

    assert done.exit_code == 0, done.output
    table = parquet.read_table(out)
    assert (table.num_rows, table.column_names) == (0, list(COLUMNS))
    assert out.read_bytes() == sqlite_service.client.get(PATH).content


def test_without_the_extra_the_answer_says_what_to_install(
    sqlite_service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    answer = sqlite_service.client.get(PATH)
    assert answer.status_code == 501
    assert "streetwarden[parquet]" in answer.json()["detail"]
