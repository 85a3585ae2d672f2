"""The daemon's own disk: state and requests are written together, sent in order, lost never."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from models.errors import StoreError
from service.daemon.edge import _NEXT_DUE, EdgeStore, OutboxRequest
from service.daemon.lock import exclusive


def request(incident_id: str, name: str) -> OutboxRequest:
    return OutboxRequest(
        incident_id=incident_id,
        method="PUT",
        path=f"/{name}",
        content_type="image/jpeg",
        body=name.encode(),
    )


def drain(store: EdgeStore) -> list[str]:
    names = []
    while (entry := store.next_due(0.0)) is not None:
        names.append(entry.request.path)
        store.sent(entry.seq)
    return names


def test_state_and_requests_survive_closing(tmp_path: Path) -> None:
    with EdgeStore(tmp_path / "edge.sqlite3") as store:
        store.commit("gate", "first", [request("a", "1")])
        store.commit("gate", "second", [request("a", "2")])
    with EdgeStore(tmp_path / "edge.sqlite3") as store:
        assert store.load_state("gate") == "second"
        assert store.load_state("other") is None
        assert drain(store) == ["/1", "/2"]


def test_a_new_order_passes_the_pictures_of_others_but_not_what_came_before_it(
    tmp_path: Path,
) -> None:
    def order(incident_id: str, name: str) -> OutboxRequest:
        return replace(request(incident_id, name), method="POST", content_type="application/json")

    with EdgeStore(tmp_path / "edge.sqlite3") as store:
        first = [order("a", "a-order"), request("a", "a-picture"), request("a", "a-film")]
        again = [request("b", "b-cleared"), order("b", "b-again")]
        store.commit("gate", "", [*first, *again, order("c", "c-order"), request("c", "c-film")])

        assert drain(store) == [
            "/a-order",
            "/c-order",
            "/a-picture",
            "/a-film",
            "/b-cleared",
            "/b-again",
            "/c-film",
        ]


def test_the_next_order_is_found_by_its_index_however_much_waits(tmp_path: Path) -> None:
    path = tmp_path / "edge.sqlite3"
    EdgeStore(path).close()
    with closing(sqlite3.connect(path)) as connection:
        plan = connection.execute(f"EXPLAIN QUERY PLAN {_NEXT_DUE[0]}", (0.0,)).fetchall()

    assert any("outbox_orders" in str(step) for step in plan)
    assert not any("TEMP B-TREE" in str(step) for step in plan)


def test_a_postponed_request_holds_back_only_its_own_incident(tmp_path: Path) -> None:
    with EdgeStore(tmp_path / "edge.sqlite3") as store:
        store.commit("gate", "", [request("a", "a1"), request("a", "a2"), request("b", "b1")])
        first = store.next_due(0.0)
        assert first is not None
        store.postpone(first.seq, not_before_s=100.0)
        assert drain(store) == ["/b1"]
        due = store.next_due(100.0)
        assert due is not None
        assert (due.request.path, due.attempts) == ("/a1", 1)


def test_a_refused_request_is_kept_and_lets_the_next_pass(tmp_path: Path) -> None:
    with EdgeStore(tmp_path / "edge.sqlite3") as store:
        store.commit("gate", "", [request("a", "a1"), request("a", "a2")])
        first = store.next_due(0.0)
        assert first is not None
        store.reject(first.seq, "422: label: unknown")
        assert drain(store) == ["/a2"]
        assert (store.counts().waiting, store.counts().rejected) == (0, 1)
        assert store.retry_rejected() == 1
        assert drain(store) == ["/a1"]


def test_a_file_of_another_version_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "edge.sqlite3"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StoreError, match=r"edge\.sqlite3: made by a later version \(schema 99\)"):
        EdgeStore(path)


def test_a_folder_that_cannot_hold_a_database_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "edge.sqlite3").mkdir()
    with pytest.raises(StoreError, match="cannot be used as the daemon's store"):
        EdgeStore(tmp_path / "edge.sqlite3")


WRITER = """
import sys
from pathlib import Path
from service.daemon.edge import EdgeStore, OutboxRequest
store = EdgeStore(Path(sys.argv[1]))
for number in range(100_000):
    name = str(number)
    store.commit("gate", name, [OutboxRequest(
        incident_id=name, method="POST", path="/" + name, content_type="x/y", body=b"")])
    print(name, flush=True)
"""


def test_killed_at_any_moment_state_and_outbox_agree_and_nothing_told_is_lost(
    tmp_path: Path,
) -> None:
    path = tmp_path / "edge.sqlite3"
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        told = [writer.stdout.readline() for _ in range(40)][-1]
        os.kill(writer.pid, signal.SIGKILL)
    with EdgeStore(path) as store:
        names = [int(path.lstrip("/")) for path in drain(store)]
        assert names == list(range(len(names)))
        assert len(names) > int(told)
        assert store.load_state("gate") == str(names[-1])


def test_two_daemons_cannot_share_a_state_folder(tmp_path: Path) -> None:
    with (
        exclusive(tmp_path),
        pytest.raises(StoreError, match="another daemon"),
        exclusive(tmp_path),
    ):
        pytest.fail("both hold the folder")
    with exclusive(tmp_path):
        assert (tmp_path / "daemon.lock").exists()


def noted(incident_id: str, note: str) -> OutboxRequest:
    return OutboxRequest(
        incident_id=incident_id,
        method="PUT",
        path="/x",
        content_type="image/jpeg",
        body=b"picture",
        note=note,
    )


def test_what_is_noted_of_evidence_outlives_its_delivery_and_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "edge.sqlite3"
    with EdgeStore(path) as store:
        store.commit("gate", "{}", [noted("a", "first"), noted("b", "other"), noted("a", "second")])
        while (entry := store.next_due(0.0)) is not None:
            store.sent(entry.seq)
    with EdgeStore(path) as store:
        assert store.ledger_of("a") == ("first", "second")
        assert store.ledger_of("c") == ()


def test_refused_pictures_and_old_notes_are_deleted_and_what_waits_is_not(tmp_path: Path) -> None:
    with EdgeStore(tmp_path / "edge.sqlite3") as store:
        store.commit("gate", "{}", [noted("a", "refused"), noted("b", "waits")])
        entry = store.next_due(0.0)
        assert entry is not None
        store.reject(entry.seq, "413: too large")
        assert store.forget_before(time.time() - 60.0) == 0
        assert store.forget_before(time.time() + 60.0) == 3
        assert store.ledger_of("a") == ()
        assert (store.counts().waiting, store.counts().rejected) == (1, 0)


def test_a_file_of_the_version_before_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "edge.sqlite3"
    with EdgeStore(path) as store:
        store.commit("gate", '{"kept": 1}')
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "DROP INDEX outbox_orders; DROP TABLE evidence_ledger;"
            "ALTER TABLE outbox DROP COLUMN rejected_at;"
            "INSERT INTO outbox (incident_id, method, path, content_type, body, rejected)"
            " VALUES ('a', 'PUT', '/x', 'image/jpeg', x'00', '413'); PRAGMA user_version = 1;"
        )
    with EdgeStore(path) as store:
        assert store.load_state("gate") == '{"kept": 1}'
        assert store.forget_before(time.time() - 60.0) == 0, "refused today, as far as is known"
        store.commit("gate", "{}", [noted("a", "first")])
        assert store.ledger_of("a") == ("first",)
