"""The daemon: cameras, workers, outbox and watchdog put together; reconfigured while it runs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self
from zoneinfo import ZoneInfo

import structlog

from detector.backends import Detector
from detector.cores import one_thread_each, usable_cores
from detector.readers import CameraStream
from detector.redaction import BlockRedactor, Redactor
from models.city import City
from models.zone import Camera
from service.daemon.camera import CameraDeps, CameraRuntime
from service.daemon.client import DispatchClient
from service.daemon.clips import ClipMaker
from service.daemon.desk import DeskDeps
from service.daemon.edge import EdgeStore
from service.daemon.filing import Seal
from service.daemon.load import LoadMeter, worked_s
from service.daemon.metrics import DaemonMetrics
from service.daemon.plates import PlateAsker
from service.daemon.recordings import recorders
from service.daemon.reporter import Reporter, ReporterDeps
from service.daemon.schedule import Schedule, Standing
from service.daemon.sealing import Provenance
from service.daemon.sender import OutboxSender
from service.daemon.signing import Signer
from service.daemon.turns import Began, cadence_of
from service.daemon.watchdog import Watchdog
from service.daemon.wishes import PictureWishes
from service.daemon.workers import Worker

STOP_TIMEOUT_S = 5.0

log = structlog.get_logger(__name__)


class Part(Protocol):
    """A part of the daemon with a thread of its own."""

    def start(self) -> None:
        """Begin."""

    def stop(self, timeout_s: float) -> None:
        """End what is under way and stop."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DaemonDeps:
    """What a daemon works with; the caller closes them."""

    detector: Detector
    store: EdgeStore
    client: DispatchClient
    report_client: DispatchClient
    """Apart from ``client``, so that heartbeats never wait behind orders."""
    signer: Signer
    """Of the manifests of evidence."""
    make_stream: Callable[[Camera], CameraStream] = CameraStream
    model_version: str = ""
    """What orders say of the detector: its name and the start of its hash."""
    model_sha256: str = ""
    """The whole of that hash, for manifests."""
    redactor: Redactor = field(default_factory=BlockRedactor)
    recordings: Path | None = None
    """Folder for what rules were fed; ``None``: nothing is recorded, whatever the city says."""
    references: Path | None = None
    """Folder of what is learnt of views and assets; ``None``: it is forgotten at the end."""


def default_workers() -> int:
    """As many workers as cores this process may use."""
    return usable_cores()


class Daemon:
    """Runs the cameras of a city until it is stopped. A context manager."""

    def __init__(self, city: City, deps: DaemonDeps, workers: int | None = None) -> None:
        self.metrics = DaemonMetrics()
        self._city = city
        self._runtimes: dict[str, CameraRuntime] = {}
        self._successors: dict[str, Camera] = {}
        self._lock = threading.Lock()
        self._schedule: Schedule[CameraRuntime] = Schedule()
        wishes = PictureWishes()
        self._sender = OutboxSender(deps.store, deps.client, wishes.heard)
        version = deps.model_version or city.model.weights
        self._clips = ClipMaker(deps.detector, self.metrics)
        self._plates = PlateAsker(self.metrics)
        provenance = Provenance(
            model_version=version,
            model_sha256=deps.model_sha256,
            config_sha256=city.file_sha256,
        )
        self._camera_deps = CameraDeps(
            desk=DeskDeps(
                store=deps.store,
                metrics=self.metrics,
                seal=Seal(signer=deps.signer, provenance=provenance),
                clips=self._clips,
                plates=self._plates,
                wishes=wishes,
            ),
            redactor=deps.redactor,
            detector=deps.detector,
            store=deps.store,
            metrics=self.metrics,
            wake_sender=self._sender.wake,
            awake=self._schedule.awake,
            called=self._schedule.call,
            make_stream=deps.make_stream,
            timezone=ZoneInfo(city.timezone),
            model_version=version,
            references=deps.references,
            make_recorder=recorders(deps.recordings, city, self.metrics, version),
        )
        count = workers or default_workers()
        self._load = LoadMeter(self.metrics, self._standings, self._worked_s, count)
        self._workers = [
            Worker(f"worker-{n}", self._schedule, self._retire, self._looked) for n in range(count)
        ]
        self._watchdog = Watchdog(self.runtimes, self._workers, also=self._load.check)
        reporter_deps = ReporterDeps(
            client=deps.report_client,
            store=deps.store,
            metrics=self.metrics,
            model_name=city.model.weights,
        )
        self._reporter = Reporter(self.runtimes, reporter_deps)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Open the cameras and begin to look."""
        one_thread_each()
        for camera in self._city.cameras:
            self._add(camera)
        for part in self._threads():
            part.start()
        log.info("daemon started", cameras=len(self._city.cameras), workers=len(self._workers))

    def stop(self) -> None:
        """Stop looking, save what the rules know; what waits in the outbox stays there."""
        self._schedule.close()
        for part in self._threads():
            part.stop(STOP_TIMEOUT_S)
        for runtime in self.runtimes():
            runtime.stream.stop(0.0)  # all at once, then wait for each
        for runtime in self.runtimes():
            runtime.close(STOP_TIMEOUT_S)
        log.info("daemon stopped")

    def runtimes(self) -> tuple[CameraRuntime, ...]:
        """The cameras at work now."""
        with self._lock:
            return tuple(self._runtimes.values())

    def apply(self, city: City) -> None:
        """Go over to a new configuration: only cameras that changed are started anew."""
        if _lasting(city) != _lasting(self._city):
            log.warning("changes of model, dispatch or recording need a restart of the daemon")
        self._city = city
        self._camera_deps = _with_config(self._camera_deps, city)
        wanted = {camera.camera_id: camera for camera in city.cameras}
        for runtime in self.runtimes():
            self._renew(runtime, wanted.pop(runtime.camera.camera_id, None))
        for camera in wanted.values():
            self._add(camera)

    def finished(self) -> bool:
        """Every source has come to its end and everything was delivered."""
        runtimes = self.runtimes()
        return all(runtime.is_done for runtime in runtimes) and self._sender.drain(0.0)

    def _threads(self) -> tuple[Part, ...]:
        beside = (self._clips, self._plates, self._watchdog, self._reporter)
        return (self._sender, *self._workers, *beside)

    def _add(self, camera: Camera) -> None:
        runtime = CameraRuntime(camera, self._camera_deps)
        with self._lock:
            self._runtimes[camera.camera_id] = runtime
        self._schedule.add(runtime, cadence_of(camera))

    def _renew(self, runtime: CameraRuntime, camera: Camera | None) -> None:
        if camera == runtime.camera and not runtime.retired:
            return
        with self._lock:
            if camera is not None:
                self._successors[camera.camera_id] = camera
            else:
                self._successors.pop(runtime.camera.camera_id, None)
        # Its owner closes it: only then is its state saved, for the successor to go on from.
        runtime.retired = True
        runtime.stream.stop(0.0)
        self._schedule.call(runtime)

    def _retire(self, runtime: CameraRuntime) -> bool:
        if not runtime.may_close(STOP_TIMEOUT_S):
            return False
        camera_id = runtime.camera.camera_id
        try:
            runtime.close(0.0)
        finally:
            self._schedule.remove(runtime)
            with self._lock:
                self._runtimes.pop(camera_id, None)
                successor = self._successors.pop(camera_id, None)
            log.info("camera retired", camera=camera_id, renewed=successor is not None)
            if successor is not None:
                self._add(successor)
        return True

    def _looked(self, runtime: CameraRuntime, began: Began) -> None:
        self._load.looked(runtime.camera, began)

    def _standings(self) -> Iterator[tuple[Camera, Standing]]:
        for runtime, standing in self._schedule.standings().items():
            yield runtime.camera, standing

    def _worked_s(self) -> float:
        spans = ((worker.worked_s, worker.busy_since_s) for worker in self._workers)
        return worked_s(spans, time.monotonic())


def _lasting(city: City) -> tuple[object, ...]:
    """What a running daemon cannot change; thresholds are those of its rules, which it can."""
    return (replace(city.model, thresholds={}), city.dispatch, city.recording)


def _with_config(deps: CameraDeps, city: City) -> CameraDeps:
    """For cameras that start from now on: manifests name the file that they were read from."""
    provenance = replace(deps.desk.seal.provenance, config_sha256=city.file_sha256)
    seal = replace(deps.desk.seal, provenance=provenance)
    return replace(deps, desk=replace(deps.desk, seal=seal))
