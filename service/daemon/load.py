"""Measures how far the daemon keeps up with its looks, and says so: metrics, and two log lines."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import structlog

from models.cadence import LookClass
from models.zone import Camera
from service.daemon.metrics import DaemonMetrics
from service.daemon.overload import WINDOW_S, LoadState, judge, skipped_ratio
from service.daemon.schedule import Standing
from service.daemon.turns import Began, cadence_of

log = structlog.get_logger(__name__)


@dataclass(kw_only=True, slots=True)
class _Window:
    since_s: float
    worked_s: float
    looks: int = 0
    skipped: int = 0
    stretch: dict[LookClass, float] = field(default_factory=dict)

    def stretched(self, look_class: LookClass, stretch: float) -> None:
        self.stretch[look_class] = max(stretch, self.stretch.get(look_class, 0.0))


class LoadMeter:
    """Counts looks and what fell out; judges every :data:`WINDOW_S`. Thread-safe."""

    def __init__(
        self,
        metrics: DaemonMetrics,
        standings: Callable[[], Iterable[tuple[Camera, Standing]]],
        worked_s: Callable[[], float],
        workers: int,
    ) -> None:
        """``worked_s``: seconds that all workers together have worked so far."""
        self._metrics = metrics
        self._standings = standings
        self._worked_s = worked_s
        self._workers = workers
        self._lock = threading.Lock()
        self._window: _Window | None = None
        self.state = LoadState()
        for look_class in LookClass:
            metrics.look_lag_seconds.labels(look_class.value)
        metrics.overloaded.set(False)

    def looked(self, camera: Camera, began: Began) -> None:
        """A look was made."""
        look_class = cadence_of(camera).look_class
        if not camera.paced:
            return
        self._metrics.look_lag_seconds.labels(look_class.value).observe(began.lag_s)
        with self._lock:
            self._skipped(camera, look_class, began.skipped)
            if self._window is not None:
                self._window.looks += 1
                self._window.stretched(look_class, began.stretch)

    def check(self, now_s: float) -> None:
        """Count what still waits; at the end of a window, judge it."""
        standings = tuple(self._standings())
        with self._lock:
            window = self._window = self._window or self._new_window(now_s)
            for camera, standing in standings:
                self._skipped(camera, standing.look_class, standing.skipped)
                if standing.is_paced:
                    window.stretched(standing.look_class, standing.stretch)
            if now_s - window.since_s >= WINDOW_S:
                self._close(window, now_s)
                self._window = self._new_window(now_s)

    def _skipped(self, camera: Camera, look_class: LookClass, count: int) -> None:
        if count:
            self._metrics.looks_skipped.labels(camera.camera_id, look_class.value).inc(count)
        if self._window is not None:
            self._window.skipped += count

    def _new_window(self, now_s: float) -> _Window:
        return _Window(since_s=now_s, worked_s=self._worked_s())

    def _close(self, window: _Window, now_s: float) -> None:
        elapsed_s = now_s - window.since_s
        busy_ratio = (self._worked_s() - window.worked_s) / (elapsed_s * self._workers)
        self._metrics.workers_busy_ratio.set(busy_ratio)
        for look_class in LookClass:
            stretch = window.stretch.get(look_class, 0.0)
            self._metrics.look_stretch.labels(look_class.value).set(stretch)
        before = self.state
        ratio = skipped_ratio(window.looks, window.skipped)
        self.state = judge(before, ratio)
        if self.state.is_overloaded == before.is_overloaded:
            return
        self._metrics.overloaded.set(self.state.is_overloaded)
        said = {f"stretch_{each.value}": round(s, 1) for each, s in window.stretch.items()}
        told = {"skipped_ratio": round(ratio, 3), "busy_ratio": round(busy_ratio, 2), **said}
        if self.state.is_overloaded:
            log.warning("overloaded", **told)
        else:
            log.info("recovered", **told)


def worked_s(spans: Iterable[tuple[float, float | None]], now_s: float) -> float:
    """Seconds of work: what each worker has finished, and what it is at since that time."""
    return sum(done_s + (0.0 if since_s is None else now_s - since_s) for done_s, since_s in spans)
