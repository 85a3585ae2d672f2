"""Streets to record: looks by seconds, a recorder that is fed them, and what was recorded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import strategies as st

from models.city import RecordingChoice
from models.geometry import Box
from models.incident import IncidentChange
from models.seeing import Look, Track
from models.zone import Camera
from service.recording.grid import from_us, rounded
from service.recording.reader import CameraRecording, Span
from service.recording.recorder import CameraRecorder
from service.recording.unfold import looks_of
from tests.zones.looks import (
    CAR,
    LITTER,
    PARKING,
    Thing,
    after,
    camera,
    film,
    zone,
)
from zones.engine import ZoneEngine

ALWAYS = Span(begin=datetime(2000, 1, 1, tzinfo=UTC), end=datetime(2100, 1, 1, tzinfo=UTC))
CHOICE = RecordingChoice()
WATCHED = camera(zone(PARKING, LITTER))
ELSEWHERE = Box(10, 5, 60, 40)
"""Above the zone and never near it."""

_NUMBERS = st.floats(-50, 2000, allow_nan=False)
_TIMES = st.integers(1_767_225_600_000_000, 1_798_761_600_000_000).map(from_us)


@st.composite
def any_tracks(draw: st.DrawFn) -> Track:
    """A track with whatever values it may have."""
    x1, y1 = draw(_NUMBERS), draw(_NUMBERS)
    return Track(
        track_id=draw(st.integers(1, 40)),
        label=draw(st.sampled_from(("car", "litter", "person", "电动车"))),
        confidence=draw(st.floats(0, 1)),
        box=Box(x1, y1, x1 + draw(st.floats(0, 500)), y1 + draw(st.floats(0, 500))),
        first_seen=draw(_TIMES),
        last_seen=draw(_TIMES),
        stationary_since=draw(st.none() | _TIMES),
    )


@st.composite
def any_looks(draw: st.DrawFn) -> list[Look]:
    """Looks as a tracker gives them, or stranger ones: times may go back, sizes change."""
    count = draw(st.integers(1, 12))
    return [
        Look(
            camera_id="cam",
            at=draw(_TIMES),
            width_px=draw(st.sampled_from((640, 1920, 3840))),
            height_px=draw(st.sampled_from((360, 1080, 2160))),
            tracks=tuple(draw(st.lists(any_tracks(), max_size=4, unique_by=lambda t: t.track_id))),
        )
        for _ in range(count)
    ]


@st.composite
def streets(draw: st.DrawFn) -> list[Thing]:
    """Vehicles and bags that come, stand and go, some in the zone, some far from it."""
    things = []
    for number in range(draw(st.integers(1, 5))):
        comes_s = draw(st.integers(0, 30))
        x, y = draw(st.integers(0, 900)), draw(st.sampled_from((5, 120, 220, 300, 430)))
        things.append(
            Thing(
                track_id=number + 1,
                label=draw(st.sampled_from(("car", "car", "litter", "person"))),
                confidence=draw(st.floats(0.1, 1)),
                box=Box(x + draw(st.floats(0, 1)), y, x + 90, y + 55 + draw(st.floats(0, 1))),
                comes_s=comes_s,
                leaves_s=comes_s + draw(st.integers(1, 60)),
            )
        )
    return things


def judge(watched: Camera, looks: Iterable[Look], state: str | None = None) -> list[IncidentChange]:
    """What the rules make of looks as they come."""
    engine = ZoneEngine(watched, state)
    return [change for look in looks for change in engine.look(look)]


def record(
    folder: Path,
    looks: Sequence[Look],
    watched: Camera = WATCHED,
    *,
    flush_every: int = 10,
    choice: RecordingChoice = CHOICE,
) -> list[IncidentChange]:
    """Judge looks as the daemon does, record them, and give what the rules said."""
    recorder = CameraRecorder(folder, watched.camera_id, choice)
    engine = ZoneEngine(watched)
    said: list[IncidentChange] = []
    for number, look in enumerate(map(rounded, looks), start=1):
        changes = engine.look(look)
        said += changes
        recorder.add(look, changes, ())
        if number % flush_every == 0:
            recorder.flush()
    recorder.close()
    return said


def recording(folder: Path) -> CameraRecording:
    """What was recorded."""
    return CameraRecording(folder, "cam")


def read_back(folder: Path, span: Span = ALWAYS) -> list[Look]:
    """All recorded looks."""
    recorded = recording(folder)
    return [
        look
        for stretch in recorded.stretches(span)
        for columns in recorded.columns(stretch, span)
        for look in looks_of("cam", columns)
    ]


def parked(
    *, to_s: float = 60, leaves_s: float = 40, track_id: int = 1, confidence: float = 0.8
) -> list[Look]:
    """A car that stands in the zone for a while, and one that stands elsewhere."""
    car = Thing(track_id=track_id, box=CAR, leaves_s=leaves_s, confidence=confidence)
    other = Thing(track_id=99, box=ELSEWHERE)
    return film(car, other, to_s=to_s)


def shifted(looks: Iterable[Look], by: timedelta) -> list[Look]:
    """The same at another time."""
    return [
        replace(
            look,
            at=look.at + by,
            tracks=tuple(
                replace(
                    track,
                    first_seen=track.first_seen + by,
                    last_seen=track.last_seen + by,
                    stationary_since=track.stationary_since and track.stationary_since + by,
                )
                for track in look.tracks
            ),
        )
        for look in looks
    ]


def span(begin_s: float, end_s: float) -> Span:
    """A time in seconds of the films."""
    return Span(begin=after(begin_s), end=after(end_s))
