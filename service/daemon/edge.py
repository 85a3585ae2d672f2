"""The daemon's own disk: what each camera's rules know, and what is still to be posted.

Both live in one SQLite file, so that an incident and the requests that report it are written in one
transaction: killed at any moment, the daemon neither repeats an incident nor forgets one.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from models.errors import StoreError

SCHEMA_VERSION = 3
BUSY_TIMEOUT_S = 10.0

_SCHEMA = """
CREATE TABLE engine_state (
    camera_id TEXT PRIMARY KEY,
    state TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE outbox (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    incident_id TEXT NOT NULL,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    content_type TEXT NOT NULL,
    body BLOB NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    not_before REAL NOT NULL DEFAULT 0,
    rejected TEXT
);
CREATE INDEX outbox_waiting ON outbox (incident_id, seq) WHERE rejected IS NULL;
CREATE INDEX outbox_due ON outbox (not_before, seq) WHERE rejected IS NULL;
"""
_LEDGER = """
CREATE TABLE evidence_ledger (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    incident_id TEXT NOT NULL,
    note TEXT NOT NULL,
    at REAL NOT NULL
);
CREATE INDEX evidence_ledger_incident ON evidence_ledger (incident_id, seq);
ALTER TABLE outbox ADD COLUMN rejected_at REAL NOT NULL DEFAULT 0;
UPDATE outbox SET rejected_at = strftime('%s', 'now') WHERE rejected IS NOT NULL;
"""
_ORDERS_FIRST = """
CREATE INDEX outbox_orders ON outbox (seq) WHERE rejected IS NULL AND method = 'POST';
"""
_STEPS = (_SCHEMA, _LEDGER, _ORDERS_FIRST)
"""What each version of the file added."""

# Requests of one incident go out in the order they were made: an entry waits for those before it.
_DUE = """
SELECT seq, incident_id, method, path, content_type, body, attempts FROM outbox AS entry {index}
WHERE rejected IS NULL {kind} AND not_before <= ? AND NOT EXISTS (
    SELECT 1 FROM outbox AS earlier WHERE earlier.rejected IS NULL
    AND earlier.incident_id = entry.incident_id AND earlier.seq < entry.seq)
ORDER BY seq LIMIT 1
"""
# New orders first: the pictures and films of others take seconds over a slow line.
_NEXT_DUE = (
    _DUE.format(index="INDEXED BY outbox_orders", kind="AND method = 'POST'"),
    _DUE.format(index="", kind=""),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class OutboxRequest:
    """One HTTP request to the dispatch service, idempotent by its path and body."""

    incident_id: str
    method: str
    path: str
    """Path below the service's address, such as ``/api/v1/work-orders``."""
    content_type: str
    body: bytes
    note: str = ""
    """Of a piece of evidence: what the ledger keeps of it, as text; empty: it is none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OutboxEntry:
    """A request that waits in the outbox."""

    seq: int
    attempts: int
    request: OutboxRequest


@dataclass(frozen=True, kw_only=True, slots=True)
class OutboxCounts:
    """How many requests wait, and how many the service refused for good."""

    waiting: int
    rejected: int


@dataclass(frozen=True, kw_only=True, slots=True)
class RefusedRequest:
    """A request that the dispatch service will not take as it is."""

    seq: int
    incident_id: str
    method: str
    path: str
    reason: str
    """The service's answer, such as ``422: label: unknown``."""
    refused_at_s: float
    """Seconds since the epoch."""


class EdgeStore:
    """Durable state of one daemon. Thread-safe; each call is one transaction."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._lock = threading.Lock()
        try:
            self._connection = _connect(path)
        except sqlite3.Error as error:
            raise StoreError(f"{path}: cannot be used as the daemon's store: {error}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; further calls raise :class:`StoreError`."""
        with self._lock:
            self._connection.close()

    def load_state(self, camera_id: str) -> str | None:
        """State of a camera's rules as last committed, as JSON text."""
        with self._transaction() as connection:
            row = connection.execute(
                "SELECT state FROM engine_state WHERE camera_id = ?", (camera_id,)
            ).fetchone()
        return None if row is None else str(row[0])

    def commit(self, camera_id: str, state: str, requests: Sequence[OutboxRequest] = ()) -> None:
        """Save a camera's state together with the requests that follow from it: both or neither."""
        with self._transaction() as connection:
            connection.execute(
                "INSERT INTO engine_state (camera_id, state) VALUES (?, ?)"
                " ON CONFLICT (camera_id) DO UPDATE SET state = excluded.state",
                (camera_id, state),
            )
            connection.executemany(
                "INSERT INTO outbox (incident_id, method, path, content_type, body)"
                " VALUES (?, ?, ?, ?, ?)",
                [(r.incident_id, r.method, r.path, r.content_type, r.body) for r in requests],
            )
            connection.executemany(
                "INSERT INTO evidence_ledger (incident_id, note, at) VALUES (?, ?, ?)",
                [(r.incident_id, r.note, time.time()) for r in requests if r.note],
            )

    def ledger_of(self, incident_id: str) -> tuple[str, ...]:
        """What was noted of an incident's evidence, in order."""
        with self._transaction() as connection:
            rows = connection.execute(
                "SELECT note FROM evidence_ledger WHERE incident_id = ? ORDER BY seq",
                (incident_id,),
            ).fetchall()
        return tuple(str(row[0]) for row in rows)

    def forget_before(self, before_s: float) -> int:
        """Delete refused requests and notes of incidents that are older; how many there were.

        ``before_s``: seconds since the epoch. Requests that still wait are never deleted.
        """
        with self._transaction() as connection:
            refused = connection.execute(
                "DELETE FROM outbox WHERE rejected IS NOT NULL AND rejected_at < ?", (before_s,)
            )
            noted = connection.execute(
                "DELETE FROM evidence_ledger WHERE incident_id IN (SELECT incident_id"
                " FROM evidence_ledger GROUP BY incident_id HAVING max(at) < ?)",
                (before_s,),
            )
        return refused.rowcount + noted.rowcount

    def next_due(self, now_s: float) -> OutboxEntry | None:
        """The request to be sent at ``now_s`` (seconds since the epoch): orders first, by age."""
        with self._transaction() as connection:
            rows = (connection.execute(query, (now_s,)).fetchone() for query in _NEXT_DUE)
            row = next((row for row in rows if row is not None), None)
        return None if row is None else _entry(row)

    def due_orders(self, now_s: float, limit: int) -> list[OutboxEntry]:
        """The oldest new orders that may be sent at ``now_s``, each of another incident."""
        query = _NEXT_DUE[0].replace("LIMIT 1", "LIMIT ?")
        with self._transaction() as connection:
            rows = connection.execute(query, (now_s, limit)).fetchall()
        return [_entry(row) for row in rows]

    def sent(self, *seqs: int) -> None:
        """Forget requests that the service has taken."""
        with self._transaction() as connection:
            connection.executemany("DELETE FROM outbox WHERE seq = ?", [(seq,) for seq in seqs])

    def postpone(self, seq: int, not_before_s: float) -> None:
        """Try a request again, not before that time (seconds since the epoch)."""
        with self._transaction() as connection:
            connection.execute(
                "UPDATE outbox SET attempts = attempts + 1, not_before = ? WHERE seq = ?",
                (not_before_s, seq),
            )

    def reject(self, seq: int, reason: str) -> None:
        """Keep a request that will never be taken, with the reason, out of the way of others."""
        with self._transaction() as connection:
            connection.execute(
                "UPDATE outbox SET rejected = ?, rejected_at = ? WHERE seq = ?",
                (reason, time.time(), seq),
            )

    def refused(self) -> tuple[RefusedRequest, ...]:
        """Every request that was refused for good, oldest first."""
        with self._transaction() as connection:
            rows = connection.execute(
                "SELECT seq, incident_id, method, path, rejected, rejected_at FROM outbox"
                " WHERE rejected IS NOT NULL ORDER BY seq"
            ).fetchall()
        names = ("seq", "incident_id", "method", "path", "reason", "refused_at_s")
        return tuple(RefusedRequest(**dict(zip(names, row, strict=True))) for row in rows)

    def retry_rejected(self) -> int:
        """Put every refused request back in line; how many there were."""
        with self._transaction() as connection:
            cursor = connection.execute(
                "UPDATE outbox SET rejected = NULL, not_before = 0 WHERE rejected IS NOT NULL"
            )
        return cursor.rowcount

    def counts(self) -> OutboxCounts:
        """How many requests wait and how many were refused."""
        with self._transaction() as connection:
            waiting, rejected = connection.execute(
                "SELECT count(*) - count(rejected), count(rejected) FROM outbox"
            ).fetchone()
        return OutboxCounts(waiting=int(waiting), rejected=int(rejected))

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                with self._connection as connection:
                    yield connection
            except sqlite3.Error as error:
                raise StoreError(f"{self._path}: {error}") from error


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    # FULL: what was acknowledged must survive a power cut, not only a killed process.
    connection.execute("PRAGMA synchronous = FULL")
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > SCHEMA_VERSION:
        connection.close()
        raise StoreError(f"{path}: made by a later version (schema {version})")
    if version < SCHEMA_VERSION:
        steps = "".join(_STEPS[version:])
        connection.executescript(f"BEGIN; {steps} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;")
    return connection


def _entry(row: tuple[int, str, str, str, str, bytes, int]) -> OutboxEntry:
    seq, incident_id, method, path, content_type, body, attempts = row
    return OutboxEntry(
        seq=seq,
        attempts=attempts,
        request=OutboxRequest(
            incident_id=incident_id,
            method=method,
            path=path,
            content_type=content_type,
            body=body,
        ),
    )
