"""Attempts that end at about the same time are recorded in one transaction."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Together(Generic[Item]):
    """Hands what several threads bring to one of them, all that waits at once.

    While one thread is at work, what others bring gathers; so the busier it is, the more is done
    at a time, and nobody waits for the sake of waiting.
    """

    def __init__(self, work: Callable[[Sequence[Item]], None]) -> None:
        self._work = work
        self._working = threading.Lock()
        self._waiting: list[Item] = []
        self._list = threading.Lock()

    @property
    def waiting(self) -> int:
        """How much waits for its turn."""
        return len(self._waiting)

    def bring(self, *items: Item) -> None:
        """Return once the items were worked on, by this thread or another."""
        with self._list:
            self._waiting += items
        with self._working:
            with self._list:
                all_items, self._waiting = self._waiting, []
            if all_items:
                self._work(all_items)
