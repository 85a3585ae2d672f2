"""One pass over a clip: frames, detections and looks, once for all zones and thresholds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

from detector.backends import Detector
from detector.readers import REPLAY_START, read_file
from models.seeing import Frame, Look
from models.zone import (
    Camera,
    DamagedFacilityRule,
    DecodeMode,
    IllegalParkingRule,
    LitterRule,
    Rule,
    RuleKind,
    Zone,
)
from service.config.vocabulary import DEFAULT_LABELS
from service.evaluation.truth import ClipTruth, ZoneTruth
from service.pipeline import Seeing

HOLD_MARGIN_S = 3.0
"""A clip whose things stay is lengthened by so much more than the longest dwell."""
LEGAL_BASIS = "a recording with ground truth"
CAMERA_ID = "clip"

_RULES: dict[RuleKind, type[Rule]] = {
    RuleKind.ILLEGAL_PARKING: IllegalParkingRule,
    RuleKind.LITTER: LitterRule,
    RuleKind.DAMAGED_FACILITY: DamagedFacilityRule,
}

OnLook = Callable[[Frame, Look], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Recording:
    """All looks at a clip."""

    looks: tuple[Look, ...]
    held: tuple[Look, ...]
    """Looks at its last frame, repeated: what lies there goes on lying there."""

    def for_zone(self, zone: ZoneTruth) -> tuple[Look, ...]:
        """What a zone is judged by."""
        return (*self.looks, *self.held) if zone.lasting else self.looks


def rule_for(kind: RuleKind, dwell_s: float) -> Rule:
    """The rule that a city gets which sets nothing but the dwell."""
    labels = frozenset(DEFAULT_LABELS[kind.value])
    return _RULES[kind](rule_id=kind.value, labels=labels, dwell_s=dwell_s, category=kind.value)


def camera_for(clip: ClipTruth, zone: ZoneTruth, dwell_s: float, look_interval_s: float) -> Camera:
    """A camera that watches one zone of the clip with one rule."""
    rule = rule_for(zone.kind, dwell_s)
    place = Zone(
        zone_id=zone.name, name=zone.name, polygon=zone.polygon, in_pixels=True, rules=(rule,)
    )
    return Camera(
        camera_id=CAMERA_ID,
        name=clip.name,
        source=str(clip.video),
        legal_basis=LEGAL_BASIS,
        zones=(place,),
        resolution=clip.size_px,
        look_interval_s=look_interval_s,
        decode=DecodeMode.FULL,
        paced=False,
    )


def watch(
    clip: ClipTruth,
    detector: Detector,
    *,
    look_interval_s: float,
    longest_dwell_s: float,
    on_look: OnLook | None = None,
) -> Recording:
    """Look at a clip once, and at its last frame for longer where a zone needs it."""
    cameras = [camera_for(clip, zone, longest_dwell_s, look_interval_s) for zone in clip.zones]
    zones = tuple(zone for camera in cameras for zone in camera.zones)
    seeing = Seeing(replace(cameras[0], zones=zones), detector)
    looks = []
    frame = None
    for frame in read_file(cameras[0], REPLAY_START):
        look, _ = seeing.look(frame)
        looks.append(look)
        if on_look is not None:
            on_look(frame, look)
    held: list[Look] = []
    if frame is not None and any(zone.lasting for zone in clip.zones):
        hold_s = longest_dwell_s + HOLD_MARGIN_S
        held.extend(seeing.look(again)[0] for again in _held(frame, look_interval_s, hold_s))
    return Recording(looks=tuple(looks), held=tuple(held))


def _held(frame: Frame, interval_s: float, hold_s: float) -> Iterator[Frame]:
    for count in range(1, int(hold_s / interval_s) + 1):
        later_s = count * interval_s
        yield replace(
            frame,
            sequence=frame.sequence + count,
            captured_at=frame.captured_at + timedelta(seconds=later_s),
            stream_s=frame.stream_s + later_s,
        )
