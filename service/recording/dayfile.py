"""One camera's recording of one day: an SQLite file that can be read while it is written."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.errors import StoreError
from models.geometry import Box
from models.incident import ChangeKind, IncidentChange
from service.recording.closer import CloserAnswer
from service.recording.grid import from_us, to_us
from service.recording.incidents import incident_from_json, incident_to_json

SCHEMA_VERSION = 1
BUSY_TIMEOUT_S = 1.0
"""Readers never block the writer; only another writer could, and there should be none."""
CHECKPOINT_PAGES = 64
"""The log beside the file is taken into it so often: it stays small, and so does a day."""

_SCHEMA = """
CREATE TABLE session (
    seq INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    started_us INTEGER NOT NULL,
    resumed_us INTEGER,
    seeing TEXT NOT NULL
);
CREATE TABLE piece (
    seq INTEGER PRIMARY KEY,
    session INTEGER NOT NULL,
    block INTEGER NOT NULL,
    first_us INTEGER NOT NULL,
    last_us INTEGER NOT NULL,
    data BLOB NOT NULL
);
CREATE TABLE change (
    seq INTEGER PRIMARY KEY,
    session INTEGER NOT NULL,
    at_us INTEGER NOT NULL,
    kind TEXT NOT NULL,
    incident TEXT NOT NULL
);
CREATE TABLE answer (
    seq INTEGER PRIMARY KEY,
    session INTEGER NOT NULL,
    at_us INTEGER NOT NULL,
    rule_id TEXT NOT NULL,
    labels TEXT NOT NULL,
    box TEXT NOT NULL,
    confidence REAL
);
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class SessionRow:
    """A stretch in which one tracker and one engine were at work."""

    seq: int
    """Number in its file."""
    key: str
    """The same in each file that it goes on in."""
    started_us: int
    resumed_us: int | None
    """Last look of the state that its rules went on from; ``None``: they began from nothing."""
    seeing: dict[str, Any]
    """How was looked: weights, labels that were tracked, and so on."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BlockRow:
    """Pieces that are decoded together."""

    session: int
    block: int
    first_us: int
    last_us: int


class DayWriter:
    """Appends to a day. Raises :class:`sqlite3.Error` and :class:`OSError` as they come."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, check_same_thread=False)
        try:
            self._prepare()
        except sqlite3.Error:
            self._connection.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def next_block(self) -> int:
        """A number that no block of the file has."""
        (last,) = self._connection.execute("SELECT MAX(block) FROM piece").fetchone()
        return 0 if last is None else int(last) + 1

    def join(self, session: SessionRow) -> int:
        """Number of the session in this file; it is entered if it is new here."""
        with self._connection as connection:
            connection.execute(
                "INSERT INTO session (key, started_us, resumed_us, seeing) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (key) DO NOTHING",
                (session.key, session.started_us, session.resumed_us, json.dumps(session.seeing)),
            )
            row = connection.execute("SELECT seq FROM session WHERE key = ?", (session.key,))
            return int(row.fetchone()[0])

    def append(
        self,
        row: BlockRow,
        data: bytes,
        changes: Sequence[IncidentChange] = (),
        answers: Sequence[CloserAnswer] = (),
    ) -> None:
        """Write a piece of a block and what came of its looks, in one transaction."""
        with self._connection as connection:
            connection.execute(
                "INSERT INTO piece (session, block, first_us, last_us, data)"
                " VALUES (?, ?, ?, ?, ?)",
                (row.session, row.block, row.first_us, row.last_us, data),
            )
            connection.executemany(
                "INSERT INTO change (session, at_us, kind, incident) VALUES (?, ?, ?, ?)",
                [
                    (row.session, to_us(item.at), item.kind, incident_to_json(item.incident))
                    for item in changes
                ],
            )
            connection.executemany(
                "INSERT INTO answer (session, at_us, rule_id, labels, box, confidence)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                [(row.session, to_us(item.at), *_answer_out(item)) for item in answers],
            )

    def _prepare(self) -> None:
        execute = self._connection.execute
        execute("PRAGMA journal_mode = WAL")
        # A killed process loses nothing that was written; a power cut may lose the last minutes,
        # but never damages the file. Full synchrony would cost a seek every ten seconds and camera.
        execute("PRAGMA synchronous = NORMAL")
        execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
        version = execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            self._connection.executescript(
                f"BEGIN; {_SCHEMA} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
            )
        elif version != SCHEMA_VERSION:
            raise sqlite3.DatabaseError(f"made by another version (schema {version})")


class DayReader:
    """Reads a day, finished or not. Raises :class:`StoreError` if that is impossible."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def sessions(self) -> list[SessionRow]:
        """Sessions in the order in which they began here."""
        query = "SELECT seq, key, started_us, resumed_us, seeing FROM session ORDER BY seq"
        with self._reading() as connection:
            rows = connection.execute(query).fetchall()
        return [
            SessionRow(seq=seq, key=key, started_us=at, resumed_us=resumed, seeing=json.loads(text))
            for seq, key, at, resumed, text in rows
        ]

    def blocks(self) -> list[BlockRow]:
        """Blocks in the order in which they were written."""
        query = (
            "SELECT session, block, MIN(first_us), MAX(last_us) FROM piece"
            " GROUP BY session, block ORDER BY MIN(seq)"
        )
        with self._reading() as connection:
            rows = connection.execute(query).fetchall()
        return [
            BlockRow(session=session, block=block, first_us=first, last_us=last)
            for session, block, first, last in rows
        ]

    def pieces(self, blocks: Iterable[BlockRow]) -> Iterator[tuple[BlockRow, list[bytes]]]:
        """The blocks with their pieces."""
        query = "SELECT data FROM piece WHERE block = ? AND session = ? ORDER BY seq"
        with self._reading() as connection:
            for block in blocks:
                rows = connection.execute(query, (block.block, block.session)).fetchall()
                yield block, [bytes(row[0]) for row in rows]

    def changes(self) -> list[tuple[int, IncidentChange]]:
        """Every change of an incident with the number of its session, in order."""
        query = "SELECT session, at_us, kind, incident FROM change ORDER BY seq"
        with self._reading() as connection:
            return [
                (
                    session,
                    IncidentChange(
                        kind=ChangeKind(kind), at=from_us(at_us), incident=incident_from_json(text)
                    ),
                )
                for session, at_us, kind, text in connection.execute(query)
            ]

    def answers(self) -> list[tuple[int, CloserAnswer]]:
        """Every closer look with the number of its session, in order."""
        query = "SELECT session, at_us, rule_id, labels, box, confidence FROM answer ORDER BY seq"
        with self._reading() as connection:
            return [(row[0], _answer_in(row[1:])) for row in connection.execute(query)]

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        try:
            connection = _open_for_reading(self._path)
            try:
                yield connection
            finally:
                connection.close()
        except (sqlite3.Error, ValueError) as error:
            raise StoreError(f"{self._path}: cannot be read: {error}") from error


def _open_for_reading(path: Path) -> sqlite3.Connection:
    uri = path.resolve().as_uri()
    connection = sqlite3.connect(f"{uri}?mode=ro", uri=True, timeout=BUSY_TIMEOUT_S)
    try:
        connection.execute("SELECT COUNT(*) FROM session")
    except sqlite3.OperationalError:
        connection.close()
        if path.with_name(f"{path.name}-wal").exists():
            raise
        # In a folder that may not be written SQLite opens no log; a file without one is whole.
        connection = sqlite3.connect(f"{uri}?mode=ro&immutable=1", uri=True)
        connection.execute("SELECT COUNT(*) FROM session")
    return connection


def _answer_out(answer: CloserAnswer) -> tuple[str, str, str, float | None]:
    labels, box = json.dumps(sorted(answer.labels)), json.dumps(answer.box.xyxy)
    return (answer.rule_id, labels, box, answer.confidence)


def _answer_in(row: tuple[Any, ...]) -> CloserAnswer:
    at_us, rule_id, labels, box, confidence = row
    return CloserAnswer(
        at=from_us(at_us),
        rule_id=rule_id,
        labels=frozenset(json.loads(labels)),
        box=Box(*json.loads(box)),
        confidence=confidence,
    )
