"""Workers and cameras on a simulated clock, with the daemon's own decision of whose turn it is."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise

from models.cadence import LookClass
from service.daemon.turns import Cadence, Turn, arrived, begin, choose, first_turn, settle


@dataclass(frozen=True, kw_only=True)
class Simulated:
    """A camera that shows a new picture every interval, from ``phase_s`` on."""

    interval_s: float
    cost_s: float
    """What a look takes."""
    phase_s: float = 0.0
    look_class: LookClass = LookClass.PROMPT
    shows_until_s: float = float("inf")

    @property
    def demand(self) -> float:
        """Workers that it would keep busy."""
        return self.cost_s / self.interval_s


@dataclass(kw_only=True)
class Seen:
    """What became of a camera."""

    began_s: list[float] = field(default_factory=list)
    lags_s: list[float] = field(default_factory=list)
    skipped: int = 0

    def gaps_s(self, after_s: float = 0.0) -> list[float]:
        """Times between looks."""
        began = [at for at in self.began_s if at >= after_s]
        return [later - earlier for earlier, later in pairwise(began)]

    def mean_gap_s(self, after_s: float = 0.0) -> float:
        gaps = self.gaps_s(after_s)
        return sum(gaps) / len(gaps)


def demand(cameras: Sequence[Simulated]) -> float:
    """Workers that all cameras together would keep busy."""
    return sum(camera.demand for camera in cameras)


def simulate(
    cameras: Sequence[Simulated],
    *,
    workers: int = 1,
    until_s: float,
    settle_every_s: float | None = None,
) -> list[Seen]:
    """Run the cameras; what became of each."""
    town = _Town(cameras, workers, until_s)
    if settle_every_s is not None:
        town.at(settle_every_s, lambda: town.settle_all(settle_every_s))
    town.run()
    town.settle_all(None)
    return town.seen


class _Town:
    def __init__(self, cameras: Sequence[Simulated], workers: int, until_s: float) -> None:
        self._cameras = cameras
        self._until_s = until_s
        self._free = workers
        self._now_s = 0.0
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._number = 0
        self._turns: list[Turn] = []
        self._held: set[int] = set()
        self.seen = [Seen() for _ in cameras]
        for index, camera in enumerate(cameras):
            cadence = Cadence(interval_s=camera.interval_s, look_class=camera.look_class)
            self._turns.append(first_turn(cadence, 0.0))
            self.at(camera.phase_s, partial(self._shows, index))

    def at(self, at_s: float, event: Callable[[], None]) -> None:
        self._number += 1
        heapq.heappush(self._events, (at_s, self._number, event))

    def run(self) -> None:
        while self._events and self._events[0][0] <= self._until_s:
            self._now_s = self._events[0][0]
            while self._events and self._events[0][0] == self._now_s:
                heapq.heappop(self._events)[2]()
            while self._free and self._take():
                pass

    def settle_all(self, again_s: float | None) -> None:
        for index, turn in enumerate(self._turns):
            self._turns[index], skipped = settle(turn, self._now_s)
            self.seen[index].skipped += skipped
        if again_s is not None:
            self.at(self._now_s + again_s, lambda: self.settle_all(again_s))

    def _shows(self, index: int) -> None:
        camera = self._cameras[index]
        self._turns[index] = arrived(self._turns[index], self._now_s)
        if self._now_s + camera.interval_s <= camera.shows_until_s:
            self.at(self._now_s + camera.interval_s, lambda: self._shows(index))

    def _take(self) -> bool:
        idle = [turn for index, turn in enumerate(self._turns) if index not in self._held]
        chosen = choose(idle, self._now_s)
        if chosen is None:
            return False
        index = next(number for number, turn in enumerate(self._turns) if turn is chosen)
        self._turns[index], began = begin(chosen, self._now_s)
        self._held.add(index)
        self._free -= 1
        seen = self.seen[index]
        seen.began_s.append(self._now_s)
        seen.lags_s.append(began.lag_s)
        seen.skipped += began.skipped
        self.at(self._turns[index].not_before_s, lambda: None)
        self.at(self._now_s + self._cameras[index].cost_s, lambda: self._ends(index))
        return True

    def _ends(self, index: int) -> None:
        self._held.discard(index)
        self._free += 1
