"""Tells waiting clients that something has changed: one look at the database for all of them.

Whoever waits holds neither a thread nor a connection. The clock row counts every change of every
process on the database; it is read a few times a second, and only while somebody waits.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import TypeAlias, TypeVar

import structlog
from starlette.concurrency import run_in_threadpool

from models.errors import StoreError
from service.api.problems import ProblemError
from service.store.records import WorkOrder

POLL_S = 0.3
MAX_WAITING = 1_000
"""Clients of one process that wait at a time; each is a connection of the server."""

T = TypeVar("T")
Found: TypeAlias = tuple[T, list[WorkOrder]]
"""Something, and the orders that were found."""

log = structlog.get_logger(__name__)


class Notifier:
    """Watches for changes. To be used within one event loop, between ``running`` and its end."""

    def __init__(
        self, read: Callable[[], int], poll_s: float = POLL_S, max_waiting: int = MAX_WAITING
    ) -> None:
        self._read = read
        self._poll_s = poll_s
        self._max_waiting = max_waiting
        self._waiting = 0
        self._change = -1
        self._condition = asyncio.Condition()
        self.is_stopping = False

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Watch for as long as the block lasts."""
        task = asyncio.create_task(self._watch(), name="notifier")
        try:
            yield
        finally:
            await self.stop()
            task.cancel()
            with suppress(asyncio.CancelledError):  # it was cancelled just now
                await task

    async def stop(self) -> None:
        """Let everybody who waits go: the service ends."""
        self.is_stopping = True
        async with self._condition:
            self._condition.notify_all()

    @property
    def is_full(self) -> bool:
        """Whether nobody more may wait now."""
        return self._waiting >= self._max_waiting or self.is_stopping

    @contextmanager
    def place(self) -> Iterator[bool]:
        """A place among those who wait; False if all are taken or the service ends."""
        if self.is_full:
            yield False
            return
        self._waiting += 1
        try:
            yield True
        finally:
            self._waiting -= 1

    async def wait_beyond(self, change: int, timeout_s: float) -> int | None:
        """The number of the latest change once it is beyond ``change``; ``None`` after the time."""
        try:
            async with asyncio.timeout(timeout_s), self._condition:
                await self._condition.wait_for(lambda: self._change > change or self.is_stopping)
        except TimeoutError:
            return None
        return None if self.is_stopping else self._change

    async def _watch(self) -> None:
        while True:
            if self._waiting:
                await self._look()
            await asyncio.sleep(self._poll_s)

    async def _look(self) -> None:
        try:
            change = await run_in_threadpool(self._read)
        except StoreError as error:
            log.error("changes cannot be watched, will keep trying", reason=str(error))
            return
        if change != self._change:
            self._change = change
            async with self._condition:
                self._condition.notify_all()


async def wait_for_more(
    notifier: Notifier, read: Callable[[], Awaitable[Found[T]]], wait_s: float
) -> Found[T]:
    """Read again after each change until something is found or the time is over.

    Where nobody more may wait: :class:`ProblemError` 503, so that clients do not ask in a circle.
    """
    end_s = time.monotonic() + wait_s
    seen = -1
    with notifier.place() as has_place:
        if not has_place:
            raise ProblemError(
                503, "unavailable", "too many clients wait already", headers={"Retry-After": "10"}
            )
        while True:
            change = await notifier.wait_beyond(seen, max(0.0, end_s - time.monotonic()))
            found = await read()
            if change is None or found[1]:
                return found
            seen = change
