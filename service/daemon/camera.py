"""One camera at work: its stream, its pipeline, and what it last saw.

A runtime is owned by one worker at a time, so nothing in it is locked; others only read the latest
values (:attr:`CameraRuntime.status`), each replaced as a whole.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path

import structlog

from detector.backends import Detector
from detector.readers import CameraStream
from detector.redaction import BlockRedactor, Redactor
from models.errors import DetectorError
from models.incident import ChangeKind, IncidentChange
from models.seeing import Frame
from models.upkeep import FaultKind
from models.zone import Camera
from service.daemon.desk import DeskDeps, EvidenceDesk
from service.daemon.edge import EdgeStore, OutboxRequest
from service.daemon.metrics import DaemonMetrics
from service.daemon.pictures import Studio, snapshot
from service.daemon.recordings import MakeRecorder, answers_of, records_nothing
from service.daemon.requests import requests_for
from service.daemon.status import CameraStatus, Stepped
from service.pipeline import CameraPipeline, LookedCloser, Processed
from service.references import CameraReferences
from zones.clock import longest_gap

RETRY_AFTER_FAILURE_S = 1.0
SAVE_INTERVAL = timedelta(seconds=10)
"""Dwell under way is saved this often; changes of incidents at once."""
SNAPSHOT_INTERVAL_S = 5.0
OFFLINE_STATES = frozenset({"connecting", "offline"})

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class CameraDeps:
    """What all cameras of a daemon share."""

    detector: Detector
    store: EdgeStore
    metrics: DaemonMetrics
    wake_sender: Callable[[], None]
    desk: DeskDeps
    """For evidence."""
    make_stream: Callable[[Camera], CameraStream] = CameraStream
    timezone: tzinfo = UTC
    """Of the times in pictures."""
    model_version: str = ""
    """Of the detector, for the orders."""
    make_recorder: MakeRecorder = records_nothing
    redactor: Redactor = field(default_factory=BlockRedactor)
    references: Path | None = None
    """Folder of what is learnt of views and assets; ``None``: it is forgotten at the end."""
    awake: Callable[[CameraRuntime], None] = lambda _: None
    """Told from the reader's thread when there is a picture to look at, or an end."""
    called: Callable[[CameraRuntime], None] = lambda _: None
    """Told from any thread when there is an errand, such as a film that was made."""


class CameraRuntime:
    """Runs one camera from frame to outbox."""

    def __init__(self, camera: Camera, deps: CameraDeps) -> None:
        self.camera = camera
        self.status = CameraStatus()
        self.retired = False
        """Set from outside: whoever owns the runtime next closes it instead of working."""
        self._deps = deps
        self._studio = Studio(camera=camera, timezone=deps.timezone, redactor=deps.redactor)
        self._pipeline = _primed_pipeline(camera, deps)
        self._recorder = deps.make_recorder(camera, self._pipeline.last_at)
        self._unsaved: list[OutboxRequest] = []
        self._saved_at: datetime | None = None
        self._last_at: datetime | None = None
        self._snapshot_s = float("-inf")
        self._leave_by_s: float | None = None
        self.stream = self._new_stream()
        self.is_done = False
        """A recording was read to its end and no film is to come; judged by the owner, who alone
        knows what is between a queue and the outbox."""
        self._count_faults()
        self._desk = EvidenceDesk(self._studio, lambda: self.stream, deps.desk)
        self._desk.on_news = lambda: deps.called(self)
        self.stream.start()

    def errands(self) -> Stepped:
        """Do what needs no picture."""
        self._collect()
        has_ended = self.stream.ended
        self._check_stream()
        self.is_done = has_ended and not self._desk.pending and not self._unsaved
        return Stepped(looked=False)

    def step(self) -> Stepped:
        """Look at the newest frame, if there is one."""
        started = time.monotonic()
        frame = self.stream.take(0.0)
        if frame is None:
            return self.errands()
        self._collect()
        try:
            processed = self._pipeline.process(frame)
        except DetectorError as error:
            self._failed(error)
            return Stepped(looked=True, pause_s=RETRY_AFTER_FAILURE_S)
        self._act(processed)
        if not processed.is_blind:  # else the time counts as one in which nobody looked
            self._measure(frame, started)
            if processed.is_still:
                self._deps.metrics.still_looks.labels(self.camera.camera_id).inc()
        return Stepped(looked=True)

    def replace_stream(self) -> None:
        """Abandon a stuck reader and open the source anew."""
        stuck, self.stream = self.stream, self._new_stream()
        stuck.stop(0.0)
        self.stream.start()
        self._deps.metrics.streams_replaced.labels(self.camera.camera_id).inc()

    def may_close(self, timeout_s: float) -> bool:
        """Whether the reader has ended, or has had this time for it since it was first asked.

        So nobody waits for one that hangs, and a camera that allows one connection gets no second.
        """
        if self._leave_by_s is None:
            self._leave_by_s = time.monotonic() + timeout_s
            self.stream.stop(0.0)
        return time.monotonic() >= self._leave_by_s or not self.stream.is_reading

    def close(self, timeout_s: float) -> None:
        """Save what the rules know and stop reading."""
        try:
            self._unsaved += self._desk.collected()
            self._commit()
            self._pipeline.save()
        finally:
            self._recorder.close()
            self.stream.stop(timeout_s)

    def _new_stream(self) -> CameraStream:
        stream = self._deps.make_stream(self.camera)
        stream.on_news = lambda: self._deps.awake(self)
        return stream

    def _act(self, processed: Processed) -> None:
        at = processed.frame.captured_at
        if not processed.is_blind:
            answers = answers_of(processed, self.camera)
            of_rules = processed.changes[: len(processed.changes) - len(processed.upkeep)]
            self._recorder.add(processed.look, of_rules, answers)
        for change in processed.changes:
            self._report(change)
        for looked in processed.closer_looks:
            self._looked_closer(looked)
        self._file_evidence(processed)
        has_news = processed.changes or processed.closer_looks or self._unsaved
        if has_news or self._save_is_due(at):
            self._commit()
            self._saved_at = at
        self._keep_snapshot(processed)
        self._show_faults()

    def _report(self, change: IncidentChange) -> None:
        incident = change.incident
        counter = self._deps.metrics.incidents
        if incident.is_shadow:
            counter = self._deps.metrics.shadow_incidents
        else:
            self._unsaved += requests_for(change, self.camera, self._deps.model_version)
        log.info(
            "incident changed",
            change=change.kind.value,
            camera=incident.camera_id,
            zone=incident.zone_id,
            rule=incident.rule_id,
            incident=incident.incident_id,
            label=incident.label,
            observed_s=round(incident.observed_s, 1),
            is_shadow=incident.is_shadow,
        )
        counter.labels(incident.camera_id, incident.kind.value, change.kind.value).inc()

    def _check_stream(self) -> None:
        """Without a frame: is the camera offline? Told without pictures, for there are none."""
        is_offline = self.stream.stats.state in OFFLINE_STATES
        changes = self._pipeline.upkeep.no_frame(datetime.now(UTC), is_offline=is_offline)
        for change in changes:
            self._report(change)
        self._show_faults()
        if changes or self._unsaved:
            self._commit()

    def _show_faults(self) -> None:
        """In metrics and heartbeats."""
        faults = tuple(sorted(self._pipeline.upkeep.faults))
        if faults != self.status.faults:
            self.status = replace(self.status, faults=faults)
            self._count_faults()

    def _count_faults(self) -> None:
        for kind in FaultKind:
            gauge = self._deps.metrics.camera_fault.labels(self.camera.camera_id, kind.value)
            gauge.set(kind in self.status.faults)

    def _looked_closer(self, looked: LookedCloser) -> None:
        log.info(
            "looked closer",
            camera=self.camera.camera_id,
            rule=looked.rule_id,
            outcome=looked.outcome,
            confidence=looked.confidence,
            box=[round(side) for side in looked.box.xyxy],
            fault=looked.fault,
        )
        self._deps.metrics.closer_looks.labels(self.camera.camera_id, looked.outcome).inc()

    def _file_evidence(self, processed: Processed) -> None:
        """Add what orders get to see; whatever goes wrong here, the orders themselves go out."""
        try:
            for change in processed.changes:
                if not change.incident.is_shadow and change.kind is not ChangeKind.ALERTED:
                    self._unsaved += self._desk.changed(change, processed)
            if not processed.is_blind:
                ordered = [each for each in self._pipeline.incidents if not each.is_shadow]
                self._unsaved += self._desk.looked(processed, ordered)
        except Exception:
            self._deps.metrics.evidence_failures.labels(self.camera.camera_id).inc()
            log.exception("no evidence", camera=self.camera.camera_id)

    def _collect(self) -> None:
        """Take in films that were made meanwhile."""
        films = self._desk.collected()
        if films:
            self._unsaved += films
            self._commit()

    def _commit(self) -> None:
        """Write state and requests; if the disk refuses, the requests stay for the next time."""
        self._recorder.flush()  # before the state: a recording must not lack what the state knows
        self._deps.store.commit(self.camera.camera_id, self._pipeline.state(), self._unsaved)
        self._desk.committed()
        if self._unsaved:
            self._unsaved = []
            self._deps.wake_sender()

    def _save_is_due(self, at: datetime) -> bool:
        return self._saved_at is None or at - self._saved_at >= SAVE_INTERVAL

    def _keep_snapshot(self, processed: Processed) -> None:
        jpeg = self.status.snapshot_jpeg
        now = time.monotonic()
        if processed.changes or now - self._snapshot_s >= SNAPSHOT_INTERVAL_S:
            jpeg, self._snapshot_s = snapshot(processed, self._studio), now
        self.status = replace(
            self.status,
            looks=self.status.looks + 1,
            last_look_at=processed.frame.captured_at,
            snapshot_jpeg=jpeg,
        )

    def _failed(self, error: DetectorError) -> None:
        log.error("could not look", camera=self.camera.camera_id, reason=str(error))
        self._deps.metrics.look_failures.labels(self.camera.camera_id).inc()
        self.status = replace(
            self.status, failures=self.status.failures + 1, last_failure=str(error)
        )

    def _measure(self, frame: Frame, started: float) -> None:
        metrics, camera_id = self._deps.metrics, self.camera.camera_id
        last_at, self._last_at = self._last_at, frame.captured_at
        gap = timedelta(0) if last_at is None else frame.captured_at - last_at
        if gap > longest_gap(self.camera.look_interval_s):
            metrics.blind_seconds.labels(camera_id).inc(gap.total_seconds())
            log.warning("nobody looked", camera=camera_id, gap_s=round(gap.total_seconds(), 1))
        metrics.looks.labels(camera_id).inc()
        metrics.look_seconds.observe(time.monotonic() - started)
        age = (datetime.now(UTC) - frame.captured_at).total_seconds()
        metrics.frame_age_seconds.labels(camera_id).set(age)


def _primed_pipeline(camera: Camera, deps: CameraDeps) -> CameraPipeline:
    """The pipeline with what it knew before a restart; a state that cannot be read is reported."""
    state = deps.store.load_state(camera.camera_id)
    folder = deps.references
    learnt = None if folder is None else CameraReferences(folder, camera.camera_id)
    try:
        return CameraPipeline(camera, deps.detector, state, learnt)
    except ValueError as error:
        log.error("saved state cannot be used", camera=camera.camera_id, reason=str(error))
        return CameraPipeline(camera, deps.detector, None, learnt)
