"""What time means to the rules: time that was watched, told by the looks alone."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

ZERO = timedelta(0)

LONGEST_GAP_INTERVALS = 3
"""So many look intervals may pass between two looks and still count as watched."""
LONGEST_GAP_FLOOR_S = 5.0
"""Shorter gaps than this always count as watched: one lost key frame is no blindness."""
STALE_GAP = timedelta(hours=1)
"""After so long without a look, what was not yet confirmed is forgotten: it proves nothing now."""
LOOKS_TO_ACCEPT_A_STEP_BACK = 5
"""A clock that was set back is believed after so many looks; single stray looks are ignored."""
CLOCK_GRAIN_S = 0.02
"""Times of live pictures are no more exact than this, half a picture's time at 25 a second: a dwell
that is short by less has been reached. Else every other order would come a whole look late."""
_BLIND_PERIODS_KEPT = 16


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """From the last look to this one."""

    elapsed: timedelta
    """Watched time in between; zero if nobody could look."""
    is_stale: bool = False
    """Nobody could look for so long that unconfirmed candidates mean nothing any more."""


def longest_gap(look_interval_s: float) -> timedelta:
    """The longest time between two looks that still counts as watched."""
    return timedelta(seconds=max(LONGEST_GAP_INTERVALS * look_interval_s, LONGEST_GAP_FLOOR_S))


class LookClock:
    """Tells watched time from time in which nobody could look."""

    def __init__(self, look_interval_s: float, last_at: datetime | None = None) -> None:
        self.longest_gap: Final = longest_gap(look_interval_s)
        self._last_at = last_at
        self._blind: deque[tuple[datetime, datetime]] = deque(maxlen=_BLIND_PERIODS_KEPT)
        self._stray_at: datetime | None = None
        self._strays = 0

    @property
    def last_at(self) -> datetime | None:
        """Time of the last look that counted."""
        return self._last_at

    def step(self, at: datetime) -> Step | None:
        """Go on to this look; ``None`` if it is not after the last one and must be ignored."""
        last = self._last_at
        if last is not None and at <= last and not self._is_set_back(at):
            return None
        self._stray_at, self._strays = None, 0
        self._last_at = at
        if last is None or at <= last:
            return Step(elapsed=ZERO)
        if at - last > self.longest_gap:
            self._blind.append((last, at))
            return Step(elapsed=ZERO, is_stale=at - last > STALE_GAP)
        return Step(elapsed=at - last)

    def pass_to(self, at: datetime) -> None:
        """Go on to a look without a gap before it, nor between any since the last step."""
        self._stray_at, self._strays = None, 0
        self._last_at = at

    def watched_since(self, start: datetime, at: datetime) -> timedelta:
        """Watched time from ``start`` to this look; never negative."""
        total = at - start
        for begin, end in self._blind:
            total -= max(ZERO, min(end, at) - max(begin, start))
        return max(ZERO, total)

    def _is_set_back(self, at: datetime) -> bool:
        goes_on = self._stray_at is None or at > self._stray_at
        self._strays = self._strays + 1 if goes_on else 1
        self._stray_at = at
        return self._strays >= LOOKS_TO_ACCEPT_A_STEP_BACK
