"""When a picture of a live stream was taken.

A picture is stamped when it arrives, but arrival jitters: packets come in bursts, a busy machine
reads late, and a new connection delivers a backlog. The stream's own time does not jitter. So the
two are tied together by the fastest arrival seen lately, and a picture that comes later than that
is known to be late by so much.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

WINDOW_S = 30.0
"""The fastest arrival is sought in this window and the one before: follows a drifting clock."""
MAX_LATE_S = 30.0
"""A picture later than this is not late: the stream's time has jumped, so tie it anew."""
JUMP_BACK_S = 1.0
"""So has it if it goes back by more than this; packets of B frames go back by less."""
CHECK_S = 20.0
"""Over so much time it is checked whether the stream's time runs at all."""
MIN_RATE_RATIO = 0.5
"""A stream whose own time runs slower than this is stamped by arrival. It is not nearer to one: a
busy machine that reads ever later looks the same for a while, and then the stream is right."""
WALL_STEP_S = 1.0
"""The wall clock was set if it moved by more against the monotonic one."""
LEAST_STEP = timedelta(milliseconds=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Stamp:
    """Time of one picture."""

    captured_at: datetime
    stream_s: float


def utc_now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


class LiveClock:
    """Stamps the pictures of one live connection; times strictly increase."""

    def __init__(
        self,
        *,
        uses_stream_time: bool = True,
        monotonic_s: Callable[[], float] = time.monotonic,
        wall: Callable[[], datetime] = utc_now,
    ) -> None:
        self._uses_stream_time = uses_stream_time
        self._monotonic_s, self._wall = monotonic_s, wall
        self._first_arrival_s = monotonic_s()
        self._wall_at_zero = wall() - timedelta(seconds=self._first_arrival_s)
        self._tie = _Tie()
        self._rate = _Rate()
        self._last: Stamp | None = None
        self._last_position_s = float("-inf")
        self.late_s = 0.0
        """How late the last picture was read, against the fastest ones."""

    def stamp(self, position_s: float | None) -> Stamp:
        """Time of the picture that has just arrived; ``position_s`` is the stream's own time."""
        arrival_s = self._monotonic_s()
        late_s = self.late_s = self._late_s(position_s, arrival_s)
        self._follow_wall(arrival_s)
        captured_at = self._wall_at_zero + timedelta(seconds=arrival_s - late_s)
        stream_s = arrival_s - late_s - self._first_arrival_s
        if self._last is not None and captured_at <= self._last.captured_at:
            captured_at = self._last.captured_at + LEAST_STEP
        if self._last is not None and stream_s <= self._last.stream_s:
            stream_s = self._last.stream_s + LEAST_STEP.total_seconds()
        self._last = Stamp(captured_at=captured_at, stream_s=stream_s)
        return self._last

    def for_new_connection(self) -> LiveClock:
        """Go on with the same clock over a new connection, whose stream time starts anew."""
        self._tie, self._rate = _Tie(), _Rate()
        return self

    def _late_s(self, position_s: float | None, arrival_s: float) -> float:
        if position_s is None or not self._uses_stream_time:
            return 0.0
        runs = self._rate.runs(position_s, arrival_s)
        moved, self._last_position_s = position_s != self._last_position_s, position_s
        return self._tie.late_s(position_s, arrival_s) if runs and moved else 0.0

    def _follow_wall(self, arrival_s: float) -> None:
        wall_at_zero = self._wall() - timedelta(seconds=arrival_s)
        if abs((wall_at_zero - self._wall_at_zero).total_seconds()) > WALL_STEP_S:
            self._wall_at_zero = wall_at_zero


class _Tie:
    """Least difference of arrival and stream time in the last two windows."""

    def __init__(self) -> None:
        self._window_began_s = self._position_s = float("-inf")
        self._least_s = self._least_before_s = float("inf")

    def late_s(self, position_s: float, arrival_s: float) -> float:
        difference_s = arrival_s - position_s
        if arrival_s - self._window_began_s > WINDOW_S:
            self._window_began_s = arrival_s
            self._least_before_s, self._least_s = self._least_s, float("inf")
        self._least_s = min(self._least_s, difference_s)
        late_s = difference_s - min(self._least_s, self._least_before_s)
        jumped_back = position_s < self._position_s - JUMP_BACK_S
        self._position_s = position_s
        if late_s > MAX_LATE_S or jumped_back:
            self._least_s, self._least_before_s, late_s = difference_s, float("inf"), 0.0
        return late_s


class _Rate:
    """Whether the stream's own time keeps up with ours; some cameras send it wrong or frozen."""

    def __init__(self) -> None:
        self._runs = True
        self._since: tuple[float, float] | None = None

    def runs(self, position_s: float, arrival_s: float) -> bool:
        if self._since is None or position_s < self._since[0]:
            self._since = (position_s, arrival_s)
        elapsed_s = arrival_s - self._since[1]
        if elapsed_s >= CHECK_S:
            self._runs = position_s - self._since[0] >= MIN_RATE_RATIO * elapsed_s
            self._since = (position_s, arrival_s)
        return self._runs
