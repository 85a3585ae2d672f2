"""Other rules on what was recorded, thousands of times faster than it happened."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from models.incident import ChangeKind, Incident, IncidentChange
from models.zone import Camera
from service.recording.closer import KnownAnswers
from service.recording.codec import Columns
from service.recording.reader import CameraRecording, Span
from service.recording.relevance import Relevance
from service.recording.unfold import series_of
from zones.clock import longest_gap
from zones.engine import ZoneEngine

LEAST_WARM_UP = timedelta(minutes=30)
WARM_UP_DWELLS = 3
"""Rules begin to look so many of their longest dwells before the time that is asked for: what stood
there already is then known, as it was to the live rules."""


@dataclass(kw_only=True, slots=True)
class Replayed:
    """What rules made of a recording."""

    camera_id: str
    incidents: tuple[Incident, ...] = ()
    """Those opened in the time that was asked for, as last known."""
    looks: int = 0
    watched: timedelta = timedelta(0)
    """Time between looks that were not too far apart, warm-up included."""
    seeing: list[dict[str, Any]] = field(default_factory=list)
    """Each way of looking that the recording was made with."""


def replay_camera(
    camera: Camera,
    recording: CameraRecording,
    span: Span,
    on_progress: Callable[[timedelta], None] = lambda _: None,
) -> Replayed:
    """Run a camera's rules over what was recorded of it in a time."""
    result = Replayed(camera_id=camera.camera_id)
    latest: dict[str, Incident] = {}
    warm = warmed_up(camera, span)
    for change in changes_of(camera, recording, warm, result, on_progress):
        if change.kind is not ChangeKind.ALERTED:
            latest[change.incident.incident_id] = change.incident
    result.incidents = tuple(
        incident for incident in latest.values() if span.holds(incident.opened_at)
    )
    return result


def warmed_up(camera: Camera, span: Span) -> Span:
    """The time with what rules must have seen before it."""
    dwells_s = [rule.dwell_s for zone in camera.zones for rule in zone.rules]
    earlier = max(LEAST_WARM_UP, timedelta(seconds=WARM_UP_DWELLS * max(dwells_s, default=0.0)))
    return Span(begin=span.begin - earlier, end=span.end)


def changes_of(
    camera: Camera,
    recording: CameraRecording,
    span: Span,
    result: Replayed | None = None,
    on_progress: Callable[[timedelta], None] = lambda _: None,
) -> Iterator[IncidentChange]:
    """Every change that the rules see, in order; ``result`` takes in what was looked at.

    Where the daemon began anew, rules go on as its own did: from what they knew before.
    """
    answers = KnownAnswers(recording.answers(span))
    tally = _Tally(camera, result or Replayed(camera_id=camera.camera_id), on_progress)
    relevance = Relevance(camera)
    engine: ZoneEngine | None = None
    key = None
    for stretch in recording.stretches(span):
        if engine is None or stretch.key != key:
            state = engine.state() if engine is not None and stretch.goes_on else None
            engine = ZoneEngine(_as_looked(camera, stretch.seeing), state)
        key = stretch.key
        tally.sees(stretch.seeing)
        for columns in recording.columns(stretch, span):
            tally.takes(columns)
            keep = relevance.of(columns)
            for series in series_of(camera.camera_id, columns, keep):
                yield from engine.look_through(series, answers.at)


def _as_looked(camera: Camera, seeing: Mapping[str, Any]) -> Camera:
    """The camera with the look interval of then: which looks are far apart follows from it."""
    return replace(camera, look_interval_s=seeing.get("look_interval_s", camera.look_interval_s))


class _Tally:
    """Counts what was looked at."""

    def __init__(
        self, camera: Camera, result: Replayed, on_progress: Callable[[timedelta], None]
    ) -> None:
        self._camera = camera
        self._gap_us = 0
        self._result = result
        self._on_progress = on_progress
        self._last_at: datetime | None = None

    def sees(self, seeing: dict[str, Any]) -> None:
        interval_s = _as_looked(self._camera, seeing).look_interval_s
        self._gap_us = longest_gap(interval_s) // timedelta(microseconds=1)
        if seeing not in self._result.seeing:
            self._result.seeing.append(seeing)

    def takes(self, columns: Columns) -> None:
        steps_us = columns.steps_us()
        watched_us = int(steps_us[(steps_us > 0) & (steps_us <= self._gap_us)].sum())
        self._result.looks += len(columns.looks["at_us"])
        self._result.watched += timedelta(microseconds=watched_us)
        self._on_progress(self._result.watched)
