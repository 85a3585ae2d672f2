"""One pass over a clip: frames, detections and looks, once for all zones and thresholds.

Rules are judged while the pictures are there, as the daemon does: some look closer at them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from detector.backends import Detector
from detector.readers import REPLAY_START, read_file
from models.incident import ChangeKind, Incident, IncidentChange
from models.seeing import Frame, Look
from models.zone import Camera
from service.evaluation.cameras import Terms, camera_for, camera_of, upkeep_camera
from service.evaluation.truth import ClipTruth, UpkeepTruth, ZoneTruth
from service.pipeline import Seeing
from service.upkeep import Upkeep
from zones.case import CloserLooker
from zones.engine import ZoneEngine

HOLD_MARGIN_S = 3.0
"""A clip whose things stay is lengthened by so much more than the longest dwell."""

OnLook = Callable[[Frame, Look], None]


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
        self.opened += _opened(self.engine.look(look, closer))


@dataclass(kw_only=True, slots=True)
class UpkeepTrial:
    """One fault of the camera, or one watched asset, judged at one dwell."""

    truth: UpkeepTruth
    dwell_s: float
    upkeep: Upkeep
    opened: list[Incident] = field(default_factory=list)

    @classmethod
    def of(cls, clip: ClipTruth, truth: UpkeepTruth, dwell_s: float, terms: Terms) -> UpkeepTrial:
        """A trial from nothing: it learns the view and the asset from the clip's beginning."""
        upkeep = Upkeep(upkeep_camera(clip, truth, dwell_s, terms))
        return cls(truth=truth, dwell_s=dwell_s, upkeep=upkeep)


@dataclass(frozen=True, kw_only=True, slots=True)
class Watched:
    """How a clip was watched."""

    seconds: float
    """From its first look to the end of its last one."""


def starts_at(clip: ClipTruth) -> datetime:
    """When a clip began; some time where its ground truth does not mind."""
    return clip.starts_at or REPLAY_START


def watch(
    clip: ClipTruth,
    detector: Detector,
    trials: Sequence[Trial],
    terms: Terms,
    on_look: OnLook | None = None,
    upkeep: Sequence[UpkeepTrial] = (),
) -> Watched:
    """Look at a clip once, for all trials, and at its last frame for longer where one needs it.

    What lies there goes on lying there: only zones of such things are judged by the repeated frame.
    """
    camera = camera_of(clip, terms)
    seeing = Seeing(camera, detector)
    frame, last_s = None, 0.0
    for frame in read_file(camera, starts_at(clip)):
        if clip.is_out(frame.stream_s):
            continue
        look = _judge(seeing, frame, trials, upkeep)
        last_s = frame.stream_s
        if on_look is not None:
            on_look(frame, look)
    lasting = [trial for trial in trials if trial.zone.lasting]
    if frame is not None and lasting:
        hold_s = max(trial.dwell_s for trial in trials) + HOLD_MARGIN_S
        for again in _held(frame, terms.look_interval_s, hold_s):
            _judge(seeing, again, lasting)
    return Watched(seconds=last_s + terms.look_interval_s)


def _judge(
    seeing: Seeing, frame: Frame, trials: Sequence[Trial], upkeep: Sequence[UpkeepTrial] = ()
) -> Look:
    """Judge a frame as the pipeline does: rules do not see what an unwell camera sees."""
    for unkept in upkeep:
        unkept.opened += _opened(unkept.upkeep.look_at_camera(frame))
    if any(unkept.upkeep.is_blind for unkept in upkeep):
        return _unseen(frame)
    seen = seeing.look(frame)
    for trial in trials:
        trial.look(seen.look, seeing.closer(frame))
    for unkept in upkeep:
        unkept.opened += _opened(unkept.upkeep.look_at_assets(frame, seen.detections))
    return seen.look


def _opened(changes: Sequence[IncidentChange]) -> list[Incident]:
    return [change.incident for change in changes if change.kind is ChangeKind.OPENED]


def _unseen(frame: Frame) -> Look:
    return Look(
        camera_id=frame.camera_id,
        at=frame.captured_at,
        width_px=frame.width_px,
        height_px=frame.height_px,
        tracks=(),
    )


def _held(frame: Frame, interval_s: float, hold_s: float) -> Iterator[Frame]:
    for count in range(1, int(hold_s / interval_s) + 1):
        later_s = count * interval_s
        yield replace(
            frame,
            sequence=frame.sequence + count,
            captured_at=frame.captured_at + timedelta(seconds=later_s),
            stream_s=frame.stream_s + later_s,
        )
