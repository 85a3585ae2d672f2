"""Which pictures of a stream are looked at."""

from __future__ import annotations

EARLY_S = 0.002
"""A picture this much too early is on time: time stamps are rounded."""
JUMP_BACK_S = 1.0
"""A stream whose time goes back by more has started anew."""


class Cadence:
    """Says which pictures are due, by stream time.

    ``on_grid``: looks lie on multiples of the interval, so that none is lost over time. Else each
    lies one interval after the last, or at the nearest picture: for key pictures, which come when
    they come.
    """

    def __init__(self, interval_s: float, *, on_grid: bool) -> None:
        self._interval_s = interval_s
        self._on_grid = on_grid
        self._next_s: float | None = None
        self._offered_s: float | None = None

    def is_due(self, stream_s: float) -> bool:
        """Whether to look at the picture of this time; the next one is then an interval later."""
        planned_s, early_s = self._next_s, self._early_s(stream_s)
        if planned_s is None or stream_s < planned_s - self._interval_s - JUMP_BACK_S:
            planned_s = stream_s
        if stream_s + early_s < planned_s:
            return False
        keeps_pace = self._on_grid and stream_s < planned_s + self._interval_s
        self._next_s = (planned_s if keeps_pace else stream_s) + self._interval_s
        return True

    def _early_s(self, stream_s: float) -> float:
        """How much too early a picture may be: half the wait for the next one, if that is rare."""
        before_s, self._offered_s = self._offered_s, stream_s
        if self._on_grid or before_s is None:
            return EARLY_S
        return EARLY_S + max(0.0, stream_s - before_s) / 2
