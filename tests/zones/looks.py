"""Builders: things in the street, the looks that see them, and what the rules made of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from models.geometry import Box, Points
from models.incident import IncidentChange
from models.seeing import Look, Track
from models.zone import (
    Camera,
    DamagedFacilityRule,
    IllegalParkingRule,
    LitteringRule,
    LitterRule,
    Rule,
    Zone,
)
from zones.engine import ZoneEngine

MONDAY_8_00 = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
WIDTH_PX, HEIGHT_PX = 1000, 500
SQUARE: Points = ((0.1, 0.2), (0.9, 0.2), (0.9, 0.8), (0.1, 0.8))
"""In the picture: 100 to 900 and 100 to 400 px."""
CAR = Box(300, 200, 400, 260)
"""Its anchor is (350, 260)."""
BAG = Box(500, 300, 520, 320)

PARKING = IllegalParkingRule(
    rule_id="no-parking",
    labels=frozenset({"car", "truck", "bus"}),
    dwell_s=10,
    grace_s=3,
    clear_after_s=8,
    category="illegal_parking",
)
LITTER = LitterRule(
    rule_id="litter",
    labels=frozenset({"litter", "garbage_pile"}),
    dwell_s=10,
    grace_s=3,
    clear_after_s=8,
    category="exposed_litter",
)
LITTERING = LitteringRule(
    rule_id="littering",
    labels=frozenset({"litter", "garbage_pile"}),
    dwell_s=3,
    grace_s=3,
    clear_after_s=8,
    category="littering",
)
DAMAGE = DamagedFacilityRule(
    rule_id="damage",
    labels=frozenset({"pothole", "road_crack"}),
    dwell_s=10,
    grace_s=3,
    clear_after_s=8,
    category="road_damage",
)


def after(seconds: float) -> datetime:
    """The time so many seconds after the start of all films."""
    return MONDAY_8_00 + timedelta(seconds=seconds)


def seconds(at: datetime | None) -> float:
    """Seconds from the start of all films."""
    assert at is not None
    return (at - MONDAY_8_00).total_seconds()


def zone(*rules: Rule, zone_id: str = "kerb", polygon: Points = SQUARE) -> Zone:
    """A zone with corners as ratios."""
    return Zone(zone_id=zone_id, name=zone_id, polygon=polygon, in_pixels=False, rules=rules)


def camera(*zones: Zone, resolution: tuple[int, int] | None = None) -> Camera:
    """A camera that looks once a second."""
    return Camera(
        camera_id="cam",
        name="Camera",
        source="rtsp://camera",
        legal_basis="test",
        zones=zones,
        resolution=resolution,
    )


def never(_: float) -> bool:
    """At no time."""
    return False


@dataclass(frozen=True, kw_only=True)
class Thing:
    """Something in the street, and how the tracker speaks of it. Times are seconds."""

    track_id: int = 1
    label: str | Callable[[float], str] = "car"
    confidence: float | Callable[[float], float] = 0.8
    box: Box = CAR
    moves_to: Box | None = None
    """Where it is, on the move, after it has left."""
    comes_s: float = 0.0
    stands_s: float | None = None
    """Since when it stands; ``None``: since it came."""
    leaves_s: float = 1e9
    is_gone_s: float | None = None
    """Since when it is out of the picture; ``None``: since it leaves."""
    hidden: Callable[[float], bool] = never

    def track(self, at_s: float, last_seen_s: float) -> Track:
        """The track at a time."""
        stands_s = self.comes_s if self.stands_s is None else self.stands_s
        stands = stands_s <= at_s < self.leaves_s
        is_away = at_s >= self.leaves_s and self.moves_to is not None
        return Track(
            track_id=self.track_id,
            label=self.label if isinstance(self.label, str) else self.label(at_s),
            confidence=self.confidence
            if isinstance(self.confidence, float)
            else self.confidence(at_s),
            box=self.moves_to if is_away and self.moves_to else self.box,
            first_seen=after(self.comes_s),
            last_seen=after(last_seen_s),
            stationary_since=after(stands_s) if stands else None,
        )

    def is_there(self, at_s: float) -> bool:
        """Whether it is in the picture."""
        return self.comes_s <= at_s < (self.leaves_s if self.is_gone_s is None else self.is_gone_s)


def look(at_s: float, *tracks: Track, width_px: int = WIDTH_PX, height_px: int = HEIGHT_PX) -> Look:
    """One look."""
    return Look(
        camera_id="cam", at=after(at_s), width_px=width_px, height_px=height_px, tracks=tracks
    )


def film(
    *things: Thing,
    to_s: float,
    from_s: float = 0.0,
    rate: float = 1.0,
    blind: tuple[float, float] = (0, 0),
) -> list[Look]:
    """Looks at things, ``rate`` a second, except from the first to the second time of ``blind``."""
    looks: list[Look] = []
    last_seen: dict[int, float] = {}
    for number in range(round(from_s * rate), round(to_s * rate) + 1):
        at_s = number / rate
        if blind[0] < at_s < blind[1]:
            continue
        there = [thing for thing in things if thing.is_there(at_s)]
        for thing in there:
            if not thing.hidden(at_s):
                last_seen[thing.track_id] = at_s
        looks.append(
            look(
                at_s,
                *(t.track(at_s, last_seen[t.track_id]) for t in there if t.track_id in last_seen),
            )
        )
    return looks


def judge(engine: ZoneEngine, looks: Iterable[Look]) -> list[IncidentChange]:
    """All changes that come of the looks."""
    return [change for one in looks for change in engine.look(one)]


def told(changes: Iterable[IncidentChange]) -> list[tuple[str, float]]:
    """What happened when, without mere updates."""
    return [(c.kind.value, seconds(c.at)) for c in changes if c.kind != "updated"]


def parked(
    *things: Thing, to_s: float, rule: IllegalParkingRule = PARKING
) -> list[tuple[str, float]]:
    """What a parking rule says of a film at one look a second."""
    return told(judge(ZoneEngine(camera(zone(rule))), film(*things, to_s=to_s)))


def renumbered(looks: Sequence[Look], since_s: float) -> list[Look]:
    """The looks as a fresh tracker gives them: new ids, everything first seen at ``since_s``."""
    start = after(since_s)
    fresh: list[Look] = []
    for one in looks:
        tracks = [_fresh(track, start) for track in one.tracks if track.last_seen >= start]
        fresh.append(replace(one, tracks=tuple(tracks)))
    return fresh


def _fresh(track: Track, start: datetime) -> Track:
    still = track.stationary_since
    return replace(
        track,
        track_id=track.track_id + 1000 + int(seconds(start)),
        first_seen=max(track.first_seen, start),
        stationary_since=None if still is None else max(still, start),
    )
