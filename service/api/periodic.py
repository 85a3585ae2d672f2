"""A job that a service does now and then, beside the requests."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

import structlog

from models.errors import StoreError

log = structlog.get_logger(__name__)


class Periodic:
    """A thread that does a job, waits and does it again. A context manager."""

    def __init__(self, name: str, job: Callable[[], bool], every_s: float) -> None:
        """``job`` says whether there is more to do at once."""
        self._name, self._job, self._every_s = name, job, every_s
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

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
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                more = self._job()
            except StoreError as error:
                log.error("a job failed, it will be tried again", job=self._name, reason=str(error))
                more = False
            self._stopping.wait(0.0 if more else self._every_s)
