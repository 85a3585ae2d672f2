"""Reads what one camera's rules were fed, from all its days, finished or being written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog

from models.errors import StoreError
from models.incident import ChangeKind, Incident
from service.recording.closer import CloserAnswer
from service.recording.codec import Columns, decode
from service.recording.dayfile import BlockRow, DayReader, SessionRow
from service.recording.files import day_files
from service.recording.grid import to_us

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """From ``begin`` to before ``end``."""

    begin: datetime
    end: datetime

    def holds(self, at: datetime) -> bool:
        """Whether a time lies in it."""
        return self.begin <= at < self.end


@dataclass(frozen=True, kw_only=True, slots=True)
class Stretch:
    """A part of one session in one day's file."""

    key: str
    """The same for all stretches of a session: one tracker, one engine."""
    goes_on: bool
    """Whether the session's rules went on from the state of the one before."""
    seeing: dict[str, Any]
    cut_us: int | None
    """Looks after this one were forgotten by the live rules, which went on from a state before."""
    file: DayReader
    blocks: tuple[BlockRow, ...]


class CameraRecording:
    """All that is recorded of one camera. Raises :class:`StoreError` if it cannot be read."""

    def __init__(self, folder: Path, camera_id: str) -> None:
        self.camera_id = camera_id
        days = day_files(folder / camera_id) if (folder / camera_id).is_dir() else []
        self._days = [(day, DayReader(path)) for day, path in days]
        if not days:
            raise StoreError(f"{folder}: no recording of camera {camera_id}")

    def stretches(self, span: Span) -> list[Stretch]:
        """What was recorded in a time, in order."""
        rows = [(day, row) for day in self._within(span) for row in day.sessions()]
        cuts = _cuts([row for _, row in rows])
        first_us, end_us = to_us(span.begin), to_us(span.end)
        stretches = []
        for day in dict.fromkeys(day for day, _ in rows):
            blocks = [b for b in day.blocks() if b.last_us >= first_us and b.first_us < end_us]
            stretches += [
                Stretch(
                    key=row.key,
                    goes_on=row.resumed_us is not None,
                    seeing=row.seeing,
                    cut_us=cuts[row.key],
                    file=day,
                    blocks=tuple(block for block in blocks if block.session == row.seq),
                )
                for owner, row in rows
                if owner is day
            ]
        return [stretch for stretch in stretches if stretch.blocks]

    def columns(self, stretch: Stretch, span: Span) -> Iterator[Columns]:
        """The looks of a stretch that lie in the time. A damaged block is logged and left out."""
        for block, pieces in stretch.file.pieces(stretch.blocks):
            try:
                columns = decode(pieces)
            except ValueError as error:
                log.error(
                    "recorded looks left out",
                    camera=self.camera_id,
                    first_us=block.first_us,
                    last_us=block.last_us,
                    reason=str(error),
                )
                continue
            yield columns.cut(to_us(span.begin), to_us(span.end), stretch.cut_us)

    def answers(self, span: Span) -> list[CloserAnswer]:
        """Closer looks at candidates in a time."""
        found = [answer for day in self._within(span) for _, answer in day.answers()]
        return [answer for answer in found if span.holds(answer.at)]

    def incidents(self, span: Span) -> list[Incident]:
        """Incidents that the live rules opened in a time, as they were last known."""
        latest: dict[str, Incident] = {}
        open_ended = replace(span, end=datetime.max.replace(tzinfo=UTC))
        days = [(day, day.sessions()) for day in self._within(open_ended)]
        cuts = _cuts([row for _, rows in days for row in rows])
        for day, rows in days:
            cut_of = {row.seq: cuts[row.key] for row in rows}
            for session, change in day.changes():
                if change.kind is ChangeKind.ALERTED:
                    continue
                cut_us = cut_of[session]
                if cut_us is None or to_us(change.at) <= cut_us:
                    latest[change.incident.incident_id] = change.incident
        return [incident for incident in latest.values() if span.holds(incident.opened_at)]

    def _within(self, span: Span) -> list[DayReader]:
        first, last = span.begin.astimezone(UTC).date(), span.end.astimezone(UTC).date()
        return [reader for day, reader in self._days if first <= day <= last]


def _cuts(rows: Sequence[SessionRow]) -> dict[str, int | None]:
    """By session: the last look that the session after it knew of, if that is told."""
    order = list(dict.fromkeys(row.key for row in rows))
    resumed = {row.key: row.resumed_us for row in rows}
    after = [*order[1:], None]
    return {
        key: None if following is None else resumed[following]
        for key, following in zip(order, after, strict=True)
    }
