from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from typer.testing import CliRunner

from service.api import exporting
from service.cli.app import app
from service.decisions.table import harmless_cell
from tests.support.dispatch import Service


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        pytest.param("=HYPERLINK(1)", "'=HYPERLINK(1)", id="formula"),
        pytest.param("+1", "'+1", id="plus"),
        pytest.param("@SUM(1)", "'@SUM(1)", id="at"),
        pytest.param("\t=1", "'\t=1", id="hidden behind a tab"),
        pytest.param("a=1", "a=1", id="text"),
        pytest.param(-31.5, -31.5, id="number"),
        pytest.param(None, None, id="nothing"),
    ],
)
def test_no_cell_is_taken_for_a_formula(value: object, cell: object) -> None:
    assert harmless_cell(value) == cell


def test_orders_are_exported_in_pieces_with_the_filters_of_the_list(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "AT_ONCE", 2)
    made = [service.post_order(category="litter", description='=1+1,"你好"') for _ in range(4)]
    service.post_order(category="illegal_parking")

    answer = service.client.get("/api/v1/export/work-orders.csv", params={"category": "litter"})

    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["order_id"] for row in rows] == [each["order_id"] for each in reversed(made)]
    assert rows[0]["description"] == '\'=1+1,"你好"'
    assert rows[0]["category_zh"] == "道路不洁"
    assert service.anonymous.get("/api/v1/export/work-orders.csv").status_code == 401


def test_the_command_writes_what_the_interface_answers(service: Service, tmp_path: Path) -> None:
    service.post_order()
    url = service.deps.database.engine.url.render_as_string(hide_password=False)
    out = tmp_path / "orders.csv"

    done = CliRunner().invoke(app, ["export", str(out), "--database-url", url])

    assert done.exit_code == 0, done.output
    answer = service.client.get("/api/v1/export/work-orders.csv")
    assert out.read_bytes() == answer.content
