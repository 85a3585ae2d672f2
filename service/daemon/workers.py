"""Workers take the camera whose turn it is, one at a time; a failing one stops no other."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

import structlog

from service.daemon.camera import CameraRuntime
from service.daemon.schedule import Schedule, Taken
from service.daemon.turns import Began

TAKE_TIMEOUT_S = 0.5
AFTER_CRASH_S = 5.0
"""Pause of a camera whose processing failed in a way that nobody foresaw."""
RETIRE_POLL_S = 0.1
"""A camera that cannot be closed yet, for its reader still runs, is asked again so soon."""

T = TypeVar("T")

log = structlog.get_logger(__name__)


class Worker:
    """One thread that takes turns."""

    def __init__(
        self,
        name: str,
        schedule: Schedule[CameraRuntime],
        retire: Callable[[CameraRuntime], bool],
        looked: Callable[[CameraRuntime, Began], None] = lambda _, __: None,
    ) -> None:
        """``retire`` closes a camera, or says False: it is to be asked again soon."""
        self._schedule = schedule
        self._retire = retire
        self._looked = looked
        self._stopping = threading.Event()
        self.busy_since_s: float | None = None
        """Monotonic time since which the worker is at one visit; ``None`` while it waits."""
        self.worked_s = 0.0
        """Of the visits that have ended, in seconds."""
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
            taken = self._schedule.take(TAKE_TIMEOUT_S)
            if taken is None:
                continue
            started_s = self.busy_since_s = time.monotonic()
            self._visit(taken)
            self.busy_since_s = None
            self.worked_s += time.monotonic() - started_s

    def _visit(self, taken: Taken[CameraRuntime]) -> None:
        runtime = taken.item
        if runtime.retired:
            is_over = self._guarded(self._retire, runtime)
            if is_over is False:
                self._schedule.give_back(runtime, looked=False, pause_s=RETIRE_POLL_S)
            return
        step = CameraRuntime.errands if taken.look is None else CameraRuntime.step
        stepped = self._guarded(step, runtime)
        if stepped is None:
            self._schedule.give_back(runtime, looked=True, pause_s=AFTER_CRASH_S)
            return
        self._schedule.give_back(runtime, looked=stepped.looked, pause_s=stepped.pause_s)
        if taken.look is not None and stepped.looked:
            self._looked(runtime, taken.look)

    def _guarded(self, work: Callable[[CameraRuntime], T], runtime: CameraRuntime) -> T | None:
        try:
            return work(runtime)
        except Exception:
            log.exception("camera failed", camera=runtime.camera.camera_id)
            return None
