"""Workers take the camera that is due and run it to completion; a failing one stops no other."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import structlog

from service.daemon.camera import CameraRuntime
from service.daemon.schedule import DueQueue

TAKE_TIMEOUT_S = 0.5
AFTER_CRASH_S = 5.0
"""Pause of a camera whose processing failed in a way that nobody foresaw."""

log = structlog.get_logger(__name__)


class Worker:
    """One thread that looks for cameras that are due."""

    def __init__(
        self,
        name: str,
        queue: DueQueue[CameraRuntime],
        retire: Callable[[CameraRuntime], None],
    ) -> None:
        self._queue = queue
        self._retire = retire
        self._stopping = threading.Event()
        self.busy_since_s: float | None = None
        """Monotonic time since which the worker is at one look; ``None`` while it waits."""
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def stop(self, timeout_s: float) -> None:
        """Stop after the look under way."""
        self._stopping.set()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self._stopping.is_set():
            runtime = self._queue.take(TAKE_TIMEOUT_S)
            if runtime is None:
                continue
            self.busy_since_s = time.monotonic()
            if runtime.retired:
                self._guarded(self._retire, runtime)
            else:
                self._step(runtime)
            self.busy_since_s = None

    def _step(self, runtime: CameraRuntime) -> None:
        pause_s = self._guarded(CameraRuntime.step, runtime)
        due = time.monotonic() + (AFTER_CRASH_S if pause_s is None else pause_s)
        self._queue.put(runtime, due)

    def _guarded(
        self, work: Callable[[CameraRuntime], float | None], runtime: CameraRuntime
    ) -> float | None:
        try:
            return work(runtime)
        except Exception:
            log.exception("camera failed", camera=runtime.camera.camera_id)
            return None
