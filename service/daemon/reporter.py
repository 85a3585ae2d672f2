"""Tells the dispatch service how each camera is; a lost report is replaced by the next one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import quote

import structlog

from models.errors import DispatchError
from service.daemon.camera import CameraRuntime
from service.daemon.client import DispatchClient, DispatchUnreachable
from service.daemon.edge import EdgeStore
from service.daemon.metrics import DaemonMetrics
from service.daemon.requests import JPEG_TYPE, JSON_TYPE, to_json
from service.daemon.status import CameraStatus

REPORT_INTERVAL_S = 5.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class ReporterDeps:
    """What the reporter reads and where it reports to."""

    client: DispatchClient
    store: EdgeStore
    metrics: DaemonMetrics
    model_name: str


class Reporter:
    """A thread that sends every camera's state, and its latest picture when there is a new one."""

    def __init__(
        self,
        runtimes: Callable[[], Iterable[CameraRuntime]],
        deps: ReporterDeps,
        interval_s: float = REPORT_INTERVAL_S,
    ) -> None:
        self._runtimes = runtimes
        self._deps = deps
        self._interval_s = interval_s
        self._sent_pictures: dict[str, bytes] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reporter", daemon=True)

    def start(self) -> None:
        """Begin to report."""
        self._thread.start()

    def stop(self, timeout_s: float) -> None:
        """Stop reporting."""
        self._stopping.set()
        self._thread.join(timeout_s)

    def report(self) -> None:
        """Report every camera once; ends early where the service cannot be reached."""
        self._count()
        for runtime in self._runtimes():
            if self._stopping.is_set():
                return
            try:
                self._report_camera(runtime)
            except DispatchUnreachable:
                return  # the sender tells about it, and the next round is soon
            except DispatchError as error:
                camera_id = runtime.camera.camera_id
                log.warning("camera report refused", camera=camera_id, answer=str(error))

    def _report_camera(self, runtime: CameraRuntime) -> None:
        path = f"/api/v1/cameras/{quote(runtime.camera.camera_id, safe='')}"
        body = to_json(camera_report(runtime, self._deps.model_name))
        self._deps.client.send("PUT", path, JSON_TYPE, body)
        jpeg = runtime.status.snapshot_jpeg
        if jpeg is not None and jpeg is not self._sent_pictures.get(runtime.camera.camera_id):
            self._deps.client.send("PUT", f"{path}/snapshot", JPEG_TYPE, jpeg)
            self._sent_pictures[runtime.camera.camera_id] = jpeg

    def _count(self) -> None:
        metrics = self._deps.metrics
        counts = self._deps.store.counts()
        metrics.outbox_waiting.set(counts.waiting)
        metrics.outbox_rejected.set(counts.rejected)
        for runtime in self._runtimes():
            stats = runtime.stream.stats
            metrics.stream_drops.labels(runtime.camera.camera_id).set(stats.drops)
            metrics.stream_reconnects.labels(runtime.camera.camera_id).set(stats.reconnects)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self.report()
            self._stopping.wait(self._interval_s)


def camera_report(runtime: CameraRuntime, model_name: str) -> dict[str, object]:
    """A camera's state as the dispatch service takes it."""
    stats, status = runtime.stream.stats, runtime.status
    return {
        "name": runtime.camera.name,
        "state": _state(runtime),
        "last_frame_at": status.last_look_at,
        "width_px": stats.width_px or None,
        "height_px": stats.height_px or None,
        "drops": stats.drops,
        "reconnects": stats.reconnects,
        "last_error": stats.last_error or _trouble(status) or status.last_failure,
        "looks": status.looks,
        "model": model_name,
    }


def _state(runtime: CameraRuntime) -> str:
    """That of the stream; ``fault`` where it runs but the camera is not well."""
    state = runtime.stream.stats.state
    return "fault" if state == "online" and runtime.status.faults else state


def _trouble(status: CameraStatus) -> str:
    """In words that the page translates; the offline camera says more by itself."""
    faults = [kind.value for kind in status.faults]
    return f"camera fault: {', '.join(faults)}" if faults else ""
