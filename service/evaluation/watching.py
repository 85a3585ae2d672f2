"""One pass over a clip: frames, detections and looks, once for all zones and thresholds.

Rules are judged while the pictures are there, as the daemon does: some look closer at them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from detector.backends import Detector
from detector.readers import REPLAY_START, read_file
from models.city import ModelFacts
from models.incident import ChangeKind, Incident
from models.seeing import Frame, Look
from models.zone import (
    Camera,
    CloserLook,
    DamagedFacilityRule,
    DecodeMode,
    IllegalParkingRule,
    LitteringRule,
    LitterRule,
    Rule,
    RuleKind,
    Zone,
)
from service.config.vocabulary import DEFAULT_CLOSER_LOOK, DEFAULT_LABELS, usual_labels
from service.evaluation.truth import ClipTruth, ZoneTruth
from service.pipeline import Seeing
from zones.case import CloserLooker
from zones.engine import ZoneEngine

HOLD_MARGIN_S = 3.0
"""A clip whose things stay is lengthened by so much more than the longest dwell."""
LEGAL_BASIS = "a recording with ground truth"
CAMERA_ID = "clip"

_RULES: dict[RuleKind, type[Rule]] = {
    RuleKind.ILLEGAL_PARKING: IllegalParkingRule,
    RuleKind.LITTER: LitterRule,
    RuleKind.LITTERING: LitteringRule,
    RuleKind.DAMAGED_FACILITY: DamagedFacilityRule,
}

OnLook = Callable[[Frame, Look], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Terms:
    """How zones are judged, whatever they are."""

    look_interval_s: float = 1.0
    facts: ModelFacts | None = None
    """Of the model that looks, for the thresholds."""
    closer_look: CloserLook | None = None
    """``None``: what is usual for the kind of rule."""


@dataclass(kw_only=True, slots=True)
class Trial:
    """One zone of a clip judged at one dwell."""

    zone: ZoneTruth
    dwell_s: float
    camera: Camera
    engine: ZoneEngine
    opened: list[Incident] = field(default_factory=list)
    size_px: tuple[int, int] = (1, 1)
    """Width and height of the pictures."""

    @classmethod
    def of(cls, clip: ClipTruth, zone: ZoneTruth, dwell_s: float, terms: Terms) -> Trial:
        """A trial from nothing."""
        camera = camera_for(clip, zone, dwell_s, terms)
        return cls(zone=zone, dwell_s=dwell_s, camera=camera, engine=ZoneEngine(camera))

    def look(self, look: Look, closer: CloserLooker) -> None:
        """Judge a look."""
        self.size_px = (look.width_px, look.height_px)
        changes = self.engine.look(look, closer)
        self.opened += [c.incident for c in changes if c.kind is ChangeKind.OPENED]


def rule_for(kind: RuleKind, dwell_s: float, terms: Terms) -> Rule:
    """The rule that a city gets which sets nothing but the dwell, and counts queues.

    The truth of a clip tells what stands, whyever it stands.
    """
    facts = terms.facts
    return _RULES[kind](
        rule_id=kind.value,
        labels=frozenset(usual_labels(kind.value, facts) or DEFAULT_LABELS[kind.value]),
        dwell_s=dwell_s,
        category=kind.value,
        thresholds=dict(facts.thresholds) if facts is not None else {},
        closer_look=terms.closer_look or DEFAULT_CLOSER_LOOK[kind.value],
    )


def camera_for(clip: ClipTruth, zone: ZoneTruth, dwell_s: float, terms: Terms) -> Camera:
    """A camera that watches one zone of the clip with one rule."""
    rule = rule_for(zone.kind, dwell_s, terms)
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
        look_interval_s=terms.look_interval_s,
        decode=DecodeMode.FULL,
        paced=False,
    )


def camera_of(clip: ClipTruth, terms: Terms) -> Camera:
    """A camera that watches all zones of the clip."""
    cameras = [camera_for(clip, zone, 0.0, terms) for zone in clip.zones]
    return replace(cameras[0], zones=tuple(camera.zones[0] for camera in cameras))


def watch(
    clip: ClipTruth,
    detector: Detector,
    trials: Sequence[Trial],
    terms: Terms,
    on_look: OnLook | None = None,
) -> None:
    """Look at a clip once, for all trials, and at its last frame for longer where one needs it.

    What lies there goes on lying there: only zones of such things are judged by the repeated frame.
    """
    camera = camera_of(clip, terms)
    seeing = Seeing(camera, detector)
    frame = None
    for frame in read_file(camera, REPLAY_START):
        look = _judge(seeing, frame, trials)
        if on_look is not None:
            on_look(frame, look)
    lasting = [trial for trial in trials if trial.zone.lasting]
    if frame is not None and lasting:
        hold_s = max(trial.dwell_s for trial in trials) + HOLD_MARGIN_S
        for again in _held(frame, terms.look_interval_s, hold_s):
            _judge(seeing, again, lasting)


def _judge(seeing: Seeing, frame: Frame, trials: Sequence[Trial]) -> Look:
    look, _ = seeing.look(frame)
    for trial in trials:
        trial.look(look, seeing.closer(frame))
    return look


def _held(frame: Frame, interval_s: float, hold_s: float) -> Iterator[Frame]:
    for count in range(1, int(hold_s / interval_s) + 1):
        later_s = count * interval_s
        yield replace(
            frame,
            sequence=frame.sequence + count,
            captured_at=frame.captured_at + timedelta(seconds=later_s),
            stream_s=frame.stream_s + later_s,
        )
