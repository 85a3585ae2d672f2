"""Sees what is stuck: a reader is replaced, a stuck detector ends the process to be restarted."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable

import structlog

from service.daemon.camera import CameraRuntime
from service.daemon.workers import Worker

CHECK_INTERVAL_S = 2.0
STUCK_READER_S = 60.0
"""Longer than any bounded open or read takes."""
STUCK_WORKER_S = 120.0
EXIT_STUCK = 70
"""EX_SOFTWARE of sysexits.h; systemd restarts the service on it."""

log = structlog.get_logger(__name__)


def _exit_process() -> None:
    # Not sys.exit: a thread that is stuck in native code would hold an orderly exit up for ever.
    os._exit(EXIT_STUCK)


class Watchdog:
    """A thread that compares heartbeats on the monotonic clock with their limits."""

    def __init__(
        self,
        runtimes: Callable[[], Iterable[CameraRuntime]],
        workers: Iterable[Worker],
        abort: Callable[[], None] = _exit_process,
        stuck_reader_s: float = STUCK_READER_S,
        stuck_worker_s: float = STUCK_WORKER_S,
        also: Callable[[float], None] = lambda _: None,
    ) -> None:
        """``also``: told the monotonic time whenever it looks."""
        self._runtimes = runtimes
        self._workers = tuple(workers)
        self._abort = abort
        self._also = also
        self._stuck_reader_s = stuck_reader_s
        self._stuck_worker_s = stuck_worker_s
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self, timeout_s: float) -> None:
        """Stop watching."""
        self._stopping.set()
        self._thread.join(timeout_s)

    def check(self, now_s: float) -> None:
        """Look once, at this monotonic time."""
        for worker in self._workers:
            busy_since = worker.busy_since_s
            if busy_since is not None and now_s - busy_since > self._stuck_worker_s:
                log.critical("a look does not end, giving up", busy_s=round(now_s - busy_since))
                self._abort()
        for runtime in self._runtimes():
            stats = runtime.stream.stats
            silent_s = now_s - stats.beat_monotonic_s
            if stats.state != "ended" and silent_s > self._stuck_reader_s:
                log.error(
                    "reader is stuck, replacing it",
                    camera=runtime.camera.camera_id,
                    silent_s=round(silent_s),
                )
                runtime.replace_stream()
        self._also(now_s)

    def _run(self) -> None:
        while not self._stopping.wait(CHECK_INTERVAL_S):
            self.check(time.monotonic())
