"""Whose turn it is: cameras wait until they are due, workers take the one that waited longest.

A camera that a worker holds is not in the queue, so each camera's state has one owner at a time.
"""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from typing import Generic, TypeVar

T = TypeVar("T")


class DueQueue(Generic[T]):
    """A priority queue by due time on the monotonic clock, in seconds. Thread-safe."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, T]] = []
        self._arrival = itertools.count()
        self._changed = threading.Condition()
        self._closed = False

    def put(self, item: T, due_s: float) -> None:
        """Let ``item`` be taken from ``due_s`` on."""
        with self._changed:
            heapq.heappush(self._heap, (due_s, next(self._arrival), item))
            self._changed.notify()

    def take(self, timeout_s: float) -> T | None:
        """The item that has been due longest; ``None`` when none is within the time."""
        deadline = time.monotonic() + timeout_s
        with self._changed:
            while not self._closed:
                now = time.monotonic()
                if self._heap and self._heap[0][0] <= now:
                    return heapq.heappop(self._heap)[2]
                if now >= deadline:
                    return None
                next_due = self._heap[0][0] if self._heap else deadline
                self._changed.wait(min(next_due, deadline) - now)
            return None

    def close(self) -> None:
        """Wake everybody who waits; nothing is taken any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
