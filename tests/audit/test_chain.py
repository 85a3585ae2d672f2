from __future__ import annotations

import threading
from datetime import datetime, timedelta, timezone

import pytest
import sqlalchemy as sa

from models.errors import StoreError
from service.store import audit
from service.store.audit import AuditFilter, Head
from service.store.database import Database
from tests.support.dispatch import START

_UNGUARDED = {
    "sqlite": [f"DROP TRIGGER audit_log_{name}" for name in ("no_update", "no_delete", "in_order")],
    "postgresql": ["ALTER TABLE audit_log DISABLE TRIGGER ALL"],
}


@pytest.fixture
def log(database: Database) -> Head:
    """Five entries; the head."""
    for number in range(1, 6):
        append(database, f"order:{number}", minutes=number)
    with database.read() as connection:
        return audit.head(connection)


def append(database: Database, subject: str, *, minutes: float = 0, actor: str = "key:a") -> None:
    with database.write() as connection:
        audit.append(
            connection,
            at=START + timedelta(minutes=minutes),
            actor=actor,
            action="order.rejected",
            subject=subject,
            detail={"reason": "误报", "count": 3, "old": None, "is_first": True, "of": ["a", "b"]},
        )


def tamper(database: Database, *statements: str) -> None:
    """What somebody with the database's own password can do."""
    with database.write() as connection:
        for statement in (*_UNGUARDED[connection.dialect.name], *statements):
            connection.execute(sa.text(statement))


def wrong(database: Database, kept: Head | None = None) -> list[str]:
    with database.read() as connection:
        return audit.verify(connection, kept)[1]


def test_an_untouched_log_holds_and_its_head_can_be_kept(database: Database, log: Head) -> None:
    append(database, "order:6")
    with database.read() as connection:
        end, faults = audit.verify(connection, log)

    assert faults == []
    assert (log.seq, end.seq) == (5, 6)
    assert Head.read(str(log)) == log


def test_an_empty_log_holds(database: Database) -> None:
    with database.read() as connection:
        assert audit.verify(connection) == (Head(seq=0, hash="0" * 64), [])


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_log SET actor = 'key:b' WHERE seq = 2",
        "UPDATE audit_log SET hash = hash",
        "DELETE FROM audit_log WHERE seq = 5",
        "DELETE FROM audit_log",
    ],
)
def test_the_database_refuses_to_change_or_delete(
    database: Database, log: Head, statement: str
) -> None:
    with (
        pytest.raises(StoreError, match="can only be added to"),
        database.write() as connection,
    ):
        connection.execute(sa.text(statement))

    assert wrong(database, log) == []


def test_neither_a_replacement_nor_emptying_passes(
    backend: str, database: Database, log: Head
) -> None:
    copy = "INTO audit_log SELECT seq, at, 'x', action, subject, detail, previous_hash, hash"
    statement = {
        "sqlite": f"INSERT OR REPLACE {copy} FROM audit_log WHERE seq = 5",
        "postgresql": "TRUNCATE audit_log",
    }[backend]
    with (
        pytest.raises(StoreError, match="can only be added to"),
        database.write() as connection,
    ):
        connection.execute(sa.text(statement))

    assert wrong(database, log) == []


@pytest.mark.parametrize("seq", [1, 3, 5], ids=["first", "middle", "last"])
@pytest.mark.parametrize(
    "change",
    [
        "actor = 'key:b'",
        "action = 'order.closed'",
        "subject = 'order:9'",
        "detail = '{}'",
        "at = '2026-11-24 07:00:00'",
        "previous_hash = hash",
        "hash = previous_hash",
    ],
    ids=lambda change: change.split()[0],
)
def test_a_changed_field_is_found_in_any_row(
    database: Database, log: Head, change: str, seq: int
) -> None:
    tamper(database, f"UPDATE audit_log SET {change} WHERE seq = {seq}")  # noqa: S608 - of this file

    assert any(fault.startswith(f"{seq}: ") for fault in wrong(database)), wrong(database)


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("DELETE FROM audit_log WHERE seq = 3", "3 to 3: removed"),
        ("DELETE FROM audit_log WHERE seq < 3", "1 to 2: removed"),
    ],
    ids=["middle", "beginning"],
)
def test_a_removed_row_is_found(database: Database, log: Head, statement: str, fault: str) -> None:
    tamper(database, statement)

    assert fault in wrong(database)


@pytest.mark.parametrize("last_kept", [4, 0], ids=["end", "all"])
def test_a_removed_end_is_found_by_the_head_that_was_kept(
    database: Database, log: Head, last_kept: int
) -> None:
    tamper(database, f"DELETE FROM audit_log WHERE seq > {last_kept}")  # noqa: S608 - of this file

    assert wrong(database) == []
    assert wrong(database, log) == ["5: is missing or not the entry it was when its hash was kept"]


def test_a_chain_made_anew_is_found_by_the_head_that_was_kept(
    database: Database, log: Head
) -> None:
    tamper(database, "DELETE FROM audit_log WHERE seq > 2")
    for number in range(3, 8):
        append(database, f"order:{number}", minutes=number, actor="key:b")

    assert wrong(database) == []
    assert len(wrong(database, log)) == 1


def test_an_entry_whose_transaction_fails_was_never_there(database: Database, log: Head) -> None:
    class Mistake(Exception):  # noqa: N818 - short
        pass

    def append_and_fail() -> None:
        with database.write() as connection:
            audit.append(connection, at=START, actor="a", action="order.rejected", subject="x")
            raise Mistake

    with pytest.raises(Mistake):
        append_and_fail()
    append(database, "order:6")

    assert wrong(database, log) == []


def test_many_writers_make_one_chain(database: Database) -> None:
    def write(name: str) -> None:
        for number in range(8):
            append(database, f"{name}{number}")

    threads = [threading.Thread(target=write, args=(name,)) for name in "abcdef"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with database.read() as connection:
        end, faults = audit.verify(connection)
    assert (end.seq, faults) == (48, [])


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (AuditFilter(), [1, 2, 3, 4, 5, 6]),
        (AuditFilter(since=START + timedelta(minutes=4)), [4, 5]),
        (AuditFilter(until=START + timedelta(minutes=2)), [1, 6]),
        (AuditFilter(actor="key:b"), [6]),
        (AuditFilter(action="order"), [1, 2, 3, 4, 5, 6]),
        (AuditFilter(action="ord"), []),
        (AuditFilter(action="order.rejected", subject="order:2"), [2]),
    ],
    ids=["all", "since", "until", "actor", "kind", "not-a-prefix", "subject"],
)
def test_entries_are_found(
    database: Database, log: Head, wanted: AuditFilter, found: list[int]
) -> None:
    append(database, "order:6", actor="key:b")
    with database.read() as connection:
        assert [entry.seq for entry in audit.entries(connection, wanted)] == found


def test_what_is_logged_does_not_depend_on_the_zone_of_its_time(database: Database) -> None:
    at = datetime(2026, 11, 24, 16, 0, 0, 5, tzinfo=timezone(timedelta(hours=8)))
    with database.write() as connection:
        audit.append(connection, at=at, actor="a" * 300, action="a.b", subject="x")
    assert wrong(database) == []


@pytest.mark.parametrize("action", ["", "order", "Order.rejected", "order.rejected\n", "a.b.c"])
def test_an_action_says_what_was_done_to_what(database: Database, action: str) -> None:
    with database.write() as connection, pytest.raises(ValueError, match="not an action"):
        audit.append(connection, at=START, actor="a", action=action, subject="x")


@pytest.mark.parametrize("text", ["", "5", "5:xyz", "x:" + "0" * 64, "-1:" + "0" * 64])
def test_what_is_no_head_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a head"):
        Head.read(text)
