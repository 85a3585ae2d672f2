"""What the dispatch service refused can be seen and sent again, beside a running daemon."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from models.errors import SetupError
from service.cli.app import app
from service.daemon.edge import EdgeStore, OutboxRequest


def refuse_one(store: EdgeStore) -> None:
    store.commit(
        "gate",
        "",
        [
            OutboxRequest(
                incident_id="inc-1",
                method="POST",
                path="/api/v1/work-orders",
                content_type="application/json",
                body=b"{}",
            )
        ],
    )
    entry = store.next_due(0.0)
    assert entry is not None
    store.reject(entry.seq, "422: category: unknown")


def test_a_refused_request_is_shown_with_its_reason_and_sent_again(tmp_path: Path) -> None:
    arguments = ["--state-dir", str(tmp_path)]
    with EdgeStore(tmp_path / "edge.sqlite3") as running:
        refuse_one(running)
        shown = CliRunner().invoke(app, ["outbox", "show", *arguments])
        assert "0 waiting, 1 refused" in shown.output
        assert "incident inc-1  POST /api/v1/work-orders" in shown.output
        assert "422: category: unknown" in shown.output
        retried = CliRunner().invoke(app, ["outbox", "retry", *arguments])
        assert retried.output.startswith("1 requests are sent again")
        entry = running.next_due(0.0)
        assert entry is not None
        assert entry.request.incident_id == "inc-1"


def test_a_folder_without_a_daemons_state_is_named_and_left_empty(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["outbox", "show", "--state-dir", str(tmp_path)])
    assert isinstance(result.exception, SetupError)
    assert str(tmp_path / "edge.sqlite3") in str(result.exception)
    assert not list(tmp_path.iterdir())
