"""Writes down what one camera's rules are fed. A disk that refuses never stops the camera."""

from __future__ import annotations

import errno
import sqlite3
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Protocol

import structlog

from models.city import RecordingChoice
from models.incident import IncidentChange
from models.seeing import Look
from service.recording.closer import CloserAnswer
from service.recording.codec import BlockEncoder
from service.recording.dayfile import BlockRow, DayWriter, SessionRow
from service.recording.files import bytes_of, day_path, prune
from service.recording.grid import to_us

BUFFERED_LOOKS = 300
"""Written at the latest after so many looks, whatever the daemon's own rhythm of saving."""
BLOCK_US = 3600 * 1_000_000
"""A block is begun anew each hour: reading a stretch need not decode the whole day."""
BLOCK_PIECES = 4096
RETRY_S = 60.0
"""After a failure nothing is tried for so long; what is seen meanwhile is not recorded."""
UPKEEP_S = 3600.0
MEGABYTE = 1_000_000

log = structlog.get_logger(__name__)


class Recorder(Protocol):
    """Takes down what a camera's rules are fed."""

    def add(
        self, look: Look, changes: Sequence[IncidentChange], answers: Sequence[CloserAnswer]
    ) -> None:
        """A look that the rules have judged, and all that came of it."""

    def flush(self) -> None:
        """Bring what was added to the disk."""

    def close(self) -> None:
        """Flush and let the file go."""


class NoRecorder:
    """Where nothing is to be recorded."""

    def add(
        self, look: Look, changes: Sequence[IncidentChange], answers: Sequence[CloserAnswer]
    ) -> None:
        """Forget it."""

    def flush(self) -> None:
        """Nothing to do."""

    def close(self) -> None:
        """Nothing to do."""


@dataclass(kw_only=True, slots=True)
class _Buffer:
    looks: list[Look] = field(default_factory=list)
    changes: list[IncidentChange] = field(default_factory=list)
    answers: list[CloserAnswer] = field(default_factory=list)


class CameraRecorder:
    """Records one camera into a file a day. One worker at a time, as its runtime.

    ``resumed_at`` is the time of the last look in the state that the rules went on from; ``seeing``
    says how was looked, for whoever replays it. ``on_loss`` is told how many looks were lost.
    """

    def __init__(
        self,
        folder: Path,
        camera_id: str,
        choice: RecordingChoice,
        *,
        resumed_at: datetime | None = None,
        seeing: Mapping[str, Any] | None = None,
        on_loss: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._folder, self._camera_id, self._choice = folder, camera_id, choice
        self._resumed_us = None if resumed_at is None else to_us(resumed_at)
        self._seeing = dict(seeing or {})
        self._on_loss = on_loss
        self._key = str(uuid.uuid4())
        self._started_us: int | None = None
        self._buffer = _Buffer()
        self._file: _OpenDay | None = None
        self._paused_until_s = float("-inf")
        self._upkeep_s = float("-inf")

    def add(
        self, look: Look, changes: Sequence[IncidentChange], answers: Sequence[CloserAnswer]
    ) -> None:
        """A look that the rules have judged, and all that came of it."""
        buffer = self._buffer
        is_other_day = bool(buffer.looks) and _day(buffer.looks[-1].at) != _day(look.at)
        if is_other_day or len(buffer.looks) >= BUFFERED_LOOKS:
            self.flush()
        buffer = self._buffer
        buffer.looks.append(look)
        buffer.changes.extend(changes)
        buffer.answers.extend(answers)

    def flush(self) -> None:
        """Bring what was added to the disk; if it refuses, that is lost, counted and logged."""
        buffer, self._buffer = self._buffer, _Buffer()
        if not buffer.looks:
            return
        if time.monotonic() < self._paused_until_s:
            self._on_loss(len(buffer.looks))
            return
        try:
            self._write(buffer)
        except (sqlite3.Error, OSError) as error:
            self._failed(error, len(buffer.looks))

    def close(self) -> None:
        """Flush and let the file go."""
        self.flush()
        self._let_go()

    def _write(self, buffer: _Buffer) -> None:
        day = _day(buffer.looks[0].at)
        if self._file is not None and self._file.day != day:
            self._let_go()
        self._keep_up(day)
        if self._started_us is None:
            self._started_us = to_us(buffer.looks[0].at)
        if self._file is None:
            session = SessionRow(
                seq=0,
                key=self._key,
                started_us=self._started_us,
                resumed_us=self._resumed_us,
                seeing=self._seeing,
            )
            self._file = _OpenDay(day_path(self._folder, self._camera_id, day), day, session)
        self._file.append(buffer)

    def _keep_up(self, day: date) -> None:
        """Delete what is too old or too much; a day that is too much by itself is not gone on."""
        now_s = time.monotonic()
        if self._file is not None and now_s - self._upkeep_s < UPKEEP_S:
            return
        self._upkeep_s = now_s
        prune(self._folder, self._choice, day)
        limit_bytes = self._choice.max_mb_per_camera * MEGABYTE
        if bytes_of(day_path(self._folder, self._camera_id, day)) >= limit_bytes:
            raise OSError(errno.EDQUOT, "today's recording alone reaches max_mb_per_camera")

    def _failed(self, error: Exception, lost: int) -> None:
        log.error("looks not recorded", camera=self._camera_id, lost=lost, reason=str(error))
        self._on_loss(lost)
        self._paused_until_s = time.monotonic() + RETRY_S
        try:
            self._let_go()
        except sqlite3.Error as again:  # the file is beyond help, and let go all the same
            log.error("recording not closed", camera=self._camera_id, reason=str(again))

    def _let_go(self) -> None:
        opened, self._file = self._file, None
        if opened is not None:
            opened.close()


class _OpenDay:
    """A day's file with the block under way."""

    def __init__(self, path: Path, day: date, session: SessionRow) -> None:
        self.day = day
        self._encoder = BlockEncoder()
        self._begun_us: int | None = None
        self._pieces = 0
        self._writer = DayWriter(path)
        try:
            self._session = self._writer.join(session)
            self._block = self._writer.next_block()
        except sqlite3.Error:
            self._writer.close()
            raise

    def append(self, buffer: _Buffer) -> None:
        first_us, last_us = to_us(buffer.looks[0].at), to_us(buffer.looks[-1].at)
        if self._begun_us is None:
            self._begun_us = first_us
        elif not 0 <= first_us - self._begun_us < BLOCK_US or self._pieces >= BLOCK_PIECES:
            self._block, self._encoder = self._block + 1, BlockEncoder()
            self._begun_us, self._pieces = first_us, 0
        self._pieces += 1
        row = BlockRow(session=self._session, block=self._block, first_us=first_us, last_us=last_us)
        data = self._encoder.encode(buffer.looks)
        self._writer.append(row, data, buffer.changes, buffer.answers)

    def close(self) -> None:
        self._writer.close()


def _day(at: datetime) -> date:
    return at.astimezone(UTC).date()
