"""How often somebody may do something: so many times in a window that moves along."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque

MOST_SUBJECTS = 10_000
"""Remembered at once; those heard of least lately are forgotten, so memory stays bounded."""


class RateLimit:
    """At most ``most`` times in any ``window_s`` seconds for each subject. Safe in threads."""

    def __init__(self, most: int, window_s: float) -> None:
        self._most, self._window_s = most, window_s
        self._times: OrderedDict[str, deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def allow(self, subject: str, now_s: float) -> float:
        """0 if it may, and that is counted; else the seconds after which it may again."""
        with self._lock:
            times = self._times.setdefault(subject, deque())
            self._times.move_to_end(subject)
            while times and times[0] <= now_s - self._window_s:
                times.popleft()
            if len(times) >= self._most:
                return max(1.0, times[0] + self._window_s - now_s)
            times.append(now_s)
            while len(self._times) > MOST_SUBJECTS:
                self._times.popitem(last=False)
            return 0.0
