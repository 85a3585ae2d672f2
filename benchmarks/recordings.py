"""Recordings to replay: streets as a tracker tells them, a look a second, the same at each run.

What is parked jitters as the median of nine boxes does, what passes as single boxes do; while the
gate is shut (idle, parked) boxes only change when the detector looks again.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from models.city import RecordingChoice
from models.geometry import Box, Points
from models.incident import IncidentChange
from models.seeing import Look, Track
from models.zone import Camera, IllegalParkingRule, LitterRule, Rule, Zone
from service.recording.grid import rounded
from service.recording.recorder import CameraRecorder
from zones.engine import ZoneEngine

BEGIN = datetime(2026, 11, 2, 0, 0, tzinfo=UTC)
SIZE_PX = (1920, 1080)
CAR_PX = (190.0, 110.0)
KERB: Points = ((0.02, 0.62), (0.98, 0.62), (0.98, 0.74), (0.02, 0.74))
BUS_LANE: Points = ((0.02, 0.76), (0.98, 0.76), (0.98, 0.86), (0.02, 0.86))
KERB_Y_PX, LANE_Y_PX, ROAD_Y_PX, PAVEMENT_Y_PX = 740.0, 880.0, 1010.0, 600.0
SLOTS = 8
REDETECT_S = 15
BOXES = 9
CHOICE = RecordingChoice(max_mb_per_camera=4000)

PARKING = IllegalParkingRule(
    rule_id="parking",
    labels=frozenset({"car", "truck", "bus", "van"}),
    dwell_s=180,
    category="illegal_parking",
)
LITTER = LitterRule(
    rule_id="litter", labels=frozenset({"litter", "garbage_pile"}), dwell_s=600, category="litter"
)


@dataclass(frozen=True, kw_only=True)
class Street:
    """How much happens; times are means of an exponential, in seconds."""

    parked_at_once: int = 0
    parks_s: float = 1800.0
    passes_every_s: float = 60.0
    """On the road, on the pavement (persons), and, a fifth of them, in the bus lane."""
    litter: int = 0
    is_looked_at_each_time: bool = False
    """The gate is always open: every look has new boxes."""


STREETS = {
    "idle": Street(),
    "parked": Street(parked_at_once=4, litter=1),
    "busy": Street(
        parked_at_once=7, passes_every_s=3.0, litter=2, is_looked_at_each_time=True, parks_s=900.0
    ),
}


@dataclass(frozen=True, kw_only=True)
class _Visit:
    """Something that comes, stands or passes, and goes."""

    number: int
    label: str
    comes_s: int
    goes_s: int
    start: Box
    step_px: float
    """To the right, each second; 0: it stands."""
    confidence: float


def watched_camera() -> Camera:
    """A camera with a kerb and a bus lane."""
    return Camera(
        camera_id="street",
        name="Street",
        source="recorded",
        legal_basis="a benchmark",
        zones=(_zone("kerb", KERB, PARKING, LITTER), _zone("bus-lane", BUS_LANE, PARKING)),
    )


def street_looks(street: Street, hours: float, seed: int = 1) -> Iterator[Look]:
    """A look a second."""
    rng = random.Random(seed)
    total_s = round(hours * 3600)
    visits = sorted(_visits(street, total_s, rng), key=lambda visit: visit.comes_s)
    boxes: dict[int, list[Box]] = {}
    there: list[_Visit] = []
    upcoming = 0
    for second in range(total_s):
        while upcoming < len(visits) and visits[upcoming].comes_s <= second:
            there.append(visits[upcoming])
            upcoming += 1
        there = [visit for visit in there if visit.goes_s > second]
        tracks = [_track(visit, second, street, boxes, rng) for visit in there]
        yield Look(
            camera_id="street",
            at=BEGIN + timedelta(seconds=second),
            width_px=SIZE_PX[0],
            height_px=SIZE_PX[1],
            tracks=tuple(tracks),
        )


def looped(looks: Sequence[Look], hours: float) -> Iterator[Look]:
    """The looks of a clip again and again, as if it went on: a second from one look to the next."""
    ids = 1 + max((track.track_id for look in looks for track in look.tracks), default=0)
    for number in range(round(hours * 3600)):
        turn, index = divmod(number, len(looks))
        shift = BEGIN + timedelta(seconds=turn * len(looks)) - looks[0].at
        yield _shifted(looks[index], shift, turn * ids)


def record(folder: Path, camera: Camera, looks: Iterable[Look]) -> list[IncidentChange]:
    """Judge and record looks as the daemon does; what the rules said."""
    recorder, engine = CameraRecorder(folder, camera.camera_id, CHOICE), ZoneEngine(camera)
    said: list[IncidentChange] = []
    for number, look in enumerate(map(rounded, looks), start=1):
        changes = engine.look(look)
        said += changes
        recorder.add(look, changes, ())
        if changes or number % 10 == 0:
            recorder.flush()
    recorder.close()
    return said


def _zone(zone_id: str, polygon: Points, *rules: Rule) -> Zone:
    return Zone(zone_id=zone_id, name=zone_id, polygon=polygon, in_pixels=False, rules=rules)


def _visits(street: Street, total_s: int, rng: random.Random) -> Iterator[_Visit]:
    numbers = iter(range(1, 10**9))
    for slot in range(street.parked_at_once):
        at_s = rng.expovariate(1 / street.parks_s)
        while at_s < total_s:
            stays_s = max(20.0, rng.expovariate(1 / street.parks_s))
            x = 60.0 + slot * (SIZE_PX[0] - 120) / SLOTS
            box = Box(x, KERB_Y_PX - CAR_PX[1], x + CAR_PX[0], KERB_Y_PX)
            yield _standing(next(numbers), "car", at_s, at_s + stays_s, box, rng)
            at_s += stays_s + rng.expovariate(1 / 60)
    for piece in range(street.litter):
        x = 300.0 + 700 * piece
        yield _standing(next(numbers), "litter", 60, total_s, Box(x, 690, x + 30, 712), rng)
    at_s = rng.expovariate(1 / street.passes_every_s)
    while at_s < total_s:
        yield _passing(next(numbers), at_s, rng)
        at_s += rng.expovariate(1 / street.passes_every_s)


def _standing(
    number: int, label: str, comes_s: float, goes_s: float, box: Box, rng: random.Random
) -> _Visit:
    return _Visit(
        number=number,
        label=label,
        comes_s=round(comes_s),
        goes_s=round(goes_s),
        start=box,
        step_px=0.0,
        confidence=rng.uniform(0.45, 0.9),
    )


def _passing(number: int, at_s: float, rng: random.Random) -> _Visit:
    kind = rng.random()
    if kind < 0.3:
        label, y, size, step = "person", PAVEMENT_Y_PX, (45.0, 120.0), rng.uniform(40, 70)
    else:
        y = LANE_Y_PX if kind > 0.86 else ROAD_Y_PX
        label, size, step = rng.choice(("car", "car", "van", "bus")), CAR_PX, rng.uniform(200, 600)
    return _Visit(
        number=number,
        label=label,
        comes_s=round(at_s),
        goes_s=round(at_s) + max(1, int((SIZE_PX[0] - size[0]) / step)),
        start=Box(0.0, y - size[1], size[0], y),
        step_px=step,
        confidence=rng.uniform(0.4, 0.9),
    )


def _track(
    visit: _Visit, second: int, street: Street, boxes: dict[int, list[Box]], rng: random.Random
) -> Track:
    past = boxes.setdefault(visit.number, [])
    is_looked_at = street.is_looked_at_each_time or second % REDETECT_S == 0
    if visit.step_px or is_looked_at or not past:
        x = visit.step_px * (second - visit.comes_s)
        past.append(_jittered(visit.start, x, rng))
        del past[:-BOXES]
    box = past[-1]
    if not visit.step_px and len(past) > 1:
        box = Box(*(median(sides) for sides in zip(*(b.xyxy for b in past), strict=True)))
    at = BEGIN + timedelta(seconds=second)
    stood = second > visit.comes_s and not visit.step_px
    return Track(
        track_id=visit.number,
        label=visit.label,
        confidence=visit.confidence + (rng.uniform(-0.03, 0.03) if is_looked_at else 0.0),
        box=box,
        first_seen=BEGIN + timedelta(seconds=visit.comes_s),
        last_seen=at,
        stationary_since=BEGIN + timedelta(seconds=visit.comes_s) if stood else None,
    )


def _jittered(box: Box, x: float, rng: random.Random) -> Box:
    x1, y1, x2, y2 = (side + rng.gauss(0, 1.0) for side in box.xyxy)
    return Box(x1 + x, y1, x2 + x, y2)


def _shifted(look: Look, shift: timedelta, ids: int) -> Look:
    tracks = tuple(
        replace(
            track,
            track_id=track.track_id + ids,
            first_seen=track.first_seen + shift,
            last_seen=track.last_seen + shift,
            stationary_since=track.stationary_since and track.stationary_since + shift,
        )
        for track in look.tracks
    )
    return replace(look, camera_id="street", at=look.at + shift, tracks=tracks)
