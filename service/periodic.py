"""A job that is done now and then, beside everything else."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

import structlog

from models.errors import StoreError, StreetwardenError

log = structlog.get_logger(__name__)


class Periodic:
    """A thread that does a job, waits and does it again. A context manager."""

    def __init__(
        self,
        name: str,
        job: Callable[[], bool],
        every_s: float,
        passes: type[StreetwardenError] = StoreError,
    ) -> None:
        """``job`` says whether there is more to do at once; errors that pass are logged."""
        self._name, self._job, self._every_s, self._passes = name, job, every_s, passes
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self.run, name=name, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End after the job under way."""
        self.stop()
        self._thread.join()

    def stop(self) -> None:
        """End soon."""
        self._stopping.set()

    def run(self) -> None:
        """Do the job again and again until told to stop, in the caller's own thread."""
        while not self._stopping.is_set():
            try:
                more = self._job()
            except self._passes as error:
                log.error("a job failed, it will be tried again", job=self._name, reason=str(error))
                more = False
            self._stopping.wait(0.0 if more else self._every_s)
