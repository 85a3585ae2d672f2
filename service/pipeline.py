"""From frame to incident, for one camera: detect, track, judge.

The one place where these meet; the daemon, ``detect`` and ``eval`` all go through here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from detector.backends import Detector
from detector.closer import look_again, look_closer, regions, slices
from detector.gate import StillnessGate
from detector.tracking import CameraTracker, kind_of
from models.errors import DetectorError
from models.geometry import Box
from models.incident import Incident, IncidentChange
from models.seeing import Detection, Frame, Look, Track
from models.zone import Camera, Rule
from service.backgrounds import KeptBackground
from service.recording.grid import rounded
from service.references import CameraReferences
from service.upkeep import Upkeep, join_states, split_states
from zones.engine import ZoneEngine

ALWAYS_TRACKED = frozenset({"person", "car", "motorcycle", "bicycle", "bus", "truck", "van"})
"""They hide what rules watch, and persons are redacted, whether or not a rule asks for them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Processed:
    """One frame and all that came of it."""

    frame: Frame
    detections: tuple[Detection, ...]
    look: Look
    changes: tuple[IncidentChange, ...]
    closer_looks: tuple[LookedCloser, ...] = ()
    """At candidates that were about to be confirmed."""
    upkeep: tuple[IncidentChange, ...] = ()
    """Those of ``changes`` that concern the camera itself or its watched assets, not its rules."""
    is_still: bool = False
    """Nothing has changed since the detector last looked: its detections of then were taken."""
    is_blind: bool = False
    """The camera is not well: the rules have not seen this frame, and ``look`` is empty."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LookedCloser:
    """How a closer look at a candidate went."""

    rule_id: str
    box: Box
    confidence: float | None
    """As found again; 0: not found; ``None``: nothing to be seen closer, or no look."""
    fault: str = ""
    """Why there was no look, where that was tried."""

    @property
    def outcome(self) -> str:
        """In a word: ``found``, ``not_found``, ``not_closer`` (too large), or ``failed``."""
        if self.fault:
            return "failed"
        if self.confidence is None:
            return "not_closer"
        return "found" if self.confidence > 0 else "not_found"


class CloserLooks:
    """Looks at candidates of one frame by themselves, and remembers how that went."""

    def __init__(self, detector: Detector, frame: Frame) -> None:
        self.made: list[LookedCloser] = []
        self._detector = detector
        self._frame = frame

    def __call__(self, rule: Rule, box: Box) -> float | None:
        """The confidence with which the candidate is found again; 0: it is not; ``None``: no look.

        A detector that fails here is no reason to lose a candidate: the look itself went well.
        """
        thresholds = {label: rule.threshold(label) for label in rule.labels}
        fault = ""
        try:
            found = look_again(self._detector, self._frame.image, box, thresholds)
        except DetectorError as error:
            found, fault = None, str(error)
        self.made.append(LookedCloser(rule_id=rule.rule_id, box=box, confidence=found, fault=fault))
        return found


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """What a frame shows, before it is judged."""

    look: Look
    detections: tuple[Detection, ...]
    is_still: bool
    """The picture has not changed: these are the detections of an earlier frame."""


class Seeing:
    """Detection and tracking of one camera: from frames to looks.

    Apart from the rules, so that one pass over a recording can be judged by many.
    """

    def __init__(self, camera: Camera, detector: Detector, backgrounds: Path | None = None) -> None:
        """``backgrounds``: folder in which these are kept; ``None``: they are forgotten."""
        wanted = (rule.labels for zone in camera.run_zones for rule in zone.rules)
        self._kinds = frozenset(kind_of(label) for label in ALWAYS_TRACKED.union(*wanted))
        self._tracker = CameraTracker(camera.camera_id)
        self._gate = StillnessGate(camera.redetect_every_s)
        self._found: tuple[Detection, ...] = ()
        self._tracks: tuple[Track, ...] = ()
        self.background = KeptBackground(camera, backgrounds)
        self._camera = camera
        self._detector = detector
        self._regions: dict[tuple[int, int], tuple[Box, ...]] = {}

    def look(self, frame: Frame) -> Seen:
        """Look at a frame; raises :class:`~models.errors.InferenceError` if that is impossible."""
        is_open = self._gate.is_open(frame)
        if is_open:
            self._found = self._detect(frame)
        # Rules see what a recording keeps, so that a replay decides exactly as they did.
        unknown = self.background.look(frame, self._found, self._tracks)
        tracked = self._tracker.update(frame, (*self._found, *unknown), is_still=not is_open)
        look = rounded(tracked)
        self._tracks = look.tracks
        return Seen(look=look, detections=self._found, is_still=not is_open)

    def _detect(self, frame: Frame) -> tuple[Detection, ...]:
        try:
            found = look_closer(self._detector, frame.image, self._regions_of(frame))
        except DetectorError:
            self._gate.forget()
            raise
        return tuple(item for item in found if kind_of(item.label) in self._kinds)

    def detect_only(self, frame: Frame) -> tuple[Detection, ...]:
        """What there is to be hidden in a frame that nothing else is made of."""
        return self._detector.detect([frame.image])[0]

    def closer(self, frame: Frame) -> CloserLooks:
        """What looks at candidates of this frame by themselves, before they are confirmed."""
        return CloserLooks(self._detector, frame)

    def _regions_of(self, frame: Frame) -> tuple[Box, ...]:
        size = (frame.width_px, frame.height_px)
        if size not in self._regions:
            # A stream has one size, seldom another after a change of its settings: keep the latest.
            self._regions = {size: (*self._small_zones(*size), *self._slices(*size))}
        return self._regions[size]

    def _slices(self, width_px: int, height_px: int) -> tuple[Box, ...]:
        size_px = self._detector.image_size_px
        return tuple(
            part
            for zone in self._camera.run_zones
            if zone.slices > 0
            for part in slices(
                zone.corners_px(self._camera.resolution, width_px, height_px),
                width_px,
                height_px,
                size_px,
                zone.slices,
            )
        )

    def _small_zones(self, width_px: int, height_px: int) -> tuple[Box, ...]:
        if not self._camera.closer_looks:
            return ()
        polygons = (
            zone.corners_px(self._camera.resolution, width_px, height_px)
            for zone in self._camera.run_zones
            if zone.slices == 0
        )
        return regions(polygons, width_px, height_px, self._detector.image_size_px)


class CameraPipeline:
    """All that happens to one camera's frames. One worker at a time, frames in order.

    ``state`` is the text of :meth:`state` from before a restart; an unusable one raises
    :class:`ValueError`. ``references``: where what is learnt of views and assets is kept.
    """

    def __init__(
        self,
        camera: Camera,
        detector: Detector,
        state: str | None = None,
        references: CameraReferences | None = None,
    ) -> None:
        rules, upkeep = split_states(state)
        folder = None if references is None else references.folder
        self._seeing = Seeing(camera, detector, folder)
        self._engine = ZoneEngine(camera, rules)
        self.upkeep = Upkeep(camera, upkeep, references)
        self._owed: tuple[IncidentChange, ...] = ()

    @property
    def incidents(self) -> tuple[Incident, ...]:
        """Open incidents."""
        return (*self._engine.incidents, *self.upkeep.incidents)

    @property
    def last_at(self) -> datetime | None:
        """Last look that the rules took in, before a restart too."""
        return self._engine.last_at

    def process(self, frame: Frame) -> Processed:
        """Look at a frame and judge it.

        Raises :class:`~models.errors.InferenceError` if the detector could not look: then nothing
        has changed, and the rules take it as time in which nobody looked.
        """
        # If the detector fails now, they are told with the next frame.
        self._owed += self.upkeep.look_at_camera(frame)
        if self.upkeep.is_blind:
            return self._unseen(frame)
        seen = self._seeing.look(frame)
        closer = self._seeing.closer(frame)
        changes = self._engine.look(seen.look, closer)
        upkeep = (*self._told(), *self.upkeep.look_at_assets(frame, seen.detections))
        return Processed(
            frame=frame,
            detections=seen.detections,
            look=seen.look,
            is_still=seen.is_still,
            changes=(*changes, *upkeep),
            closer_looks=tuple(closer.made),
            upkeep=upkeep,
        )

    def save(self) -> None:
        """Keep what was learnt of views, assets and backgrounds."""
        self.upkeep.save()
        self._seeing.background.save()

    def state(self) -> str:
        """What must outlive a restart, as text."""
        return join_states(self._engine.state(), self.upkeep.state())

    def _told(self) -> tuple[IncidentChange, ...]:
        told, self._owed = self._owed, ()
        return told

    def _unseen(self, frame: Frame) -> Processed:
        """A frame that the rules must not see; persons in it are still found, to be hidden."""
        look = Look(
            camera_id=frame.camera_id,
            at=frame.captured_at,
            width_px=frame.width_px,
            height_px=frame.height_px,
            tracks=(),
        )
        detections = self._seeing.detect_only(frame)
        faults = self._told()
        return Processed(
            frame=frame,
            detections=detections,
            look=look,
            changes=faults,
            upkeep=faults,
            is_blind=True,
        )
