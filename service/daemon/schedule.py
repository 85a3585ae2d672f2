"""Whose turn it is, for workers that ask: a thread-safe line of cameras.

Who goes first is decided in :mod:`service.daemon.turns`; here is when to ask. A camera that a
worker holds is not in the line, so each camera's state has one owner at a time. Besides looks there
are errands: a camera without a picture is visited now and then, for what is not about pictures.
"""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from models.cadence import LookClass
from service.daemon.turns import Began, Cadence, Turn, arrived, begin, choose, first_turn, settle

ERRAND_S = 1.0
"""A camera that is not looked at is visited this often."""

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, kw_only=True, slots=True)
class Taken(Generic[K]):
    """A camera that is the worker's until it gives it back."""

    item: K
    look: Began | None
    """``None``: an errand; its picture, if there is one, must wait."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """How one camera stands, for whoever watches the load."""

    look_class: LookClass
    is_paced: bool
    skipped: int
    """Looks that have fallen out since it was asked last and that no look has told of."""
    stretch: float
    """Time since its last look in look intervals, if a picture waits; else 0."""


@dataclass(kw_only=True, slots=True)
class _Place:
    turn: Turn
    errand_s: float
    before: Turn | None = None
    """The turn as it was before a look that has begun; to go back to if there was no picture."""
    is_called: bool = False
    """Somebody asked for an errand."""
    is_held: bool = False
    is_lined_up: bool = False
    """In the lane of its cadence, ready to be chosen."""


class Schedule(Generic[K]):
    """All cameras, by whose turn it is on the monotonic clock."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._places: dict[K, _Place] = {}
        self._lanes: dict[Cadence, list[tuple[float, int, K]]] = {}
        """By cadence, those that are ready; within a lane the oldest look is always first."""
        self._timers: list[tuple[float, int, K]] = []
        self._errands: deque[K] = deque()
        self._number = itertools.count()
        self._changed = threading.Condition()
        self._closed = False

    def add(self, item: K, cadence: Cadence) -> None:
        """Take in a camera; whether it has a picture already is tried at once."""
        with self._changed:
            now = self._clock()
            turn = arrived(first_turn(cadence, now), now)
            self._places[item] = _Place(turn=turn, errand_s=now + ERRAND_S)
            self._line_up(item, now)

    def remove(self, item: K) -> None:
        """Forget a camera; whoever holds it need not give it back."""
        with self._changed:
            self._places.pop(item, None)

    def awake(self, item: K) -> None:
        """There is a picture, or the stream has ended."""
        with self._changed:
            place = self._places.get(item)
            if place is not None:
                now = self._clock()
                place.turn = arrived(place.turn, now)
                self._line_up(item, now)

    def call(self, item: K) -> None:
        """Let a camera be visited for an errand as soon as somebody is free."""
        with self._changed:
            place = self._places.get(item)
            if place is not None:
                place.is_called, place.errand_s = True, self._clock()
                self._timer(place.errand_s, item)

    def take(self, timeout_s: float) -> Taken[K] | None:
        """Whose turn it is; ``None`` when it is nobody's within the time."""
        with self._changed:
            deadline = self._clock() + timeout_s
            while not self._closed:
                now = self._clock()
                self._fire(now)
                taken = self._errand() or self._look(now)
                if taken is not None or now >= deadline:
                    return taken
                next_s = self._timers[0][0] if self._timers else deadline
                self._changed.wait(max(0.0, min(next_s, deadline) - now))
            return None

    def give_back(self, item: K, *, looked: bool, pause_s: float = 0.0) -> None:
        """It was visited; ``looked`` is False where there was no picture, and then no look."""
        with self._changed:
            place = self._places.get(item)
            if place is None:
                return
            now = self._clock()
            if place.before is not None and not looked:
                place.turn = _as_before(place.before, place.turn)
            place.turn = replace(
                place.turn, not_before_s=max(place.turn.not_before_s, now + pause_s)
            )
            place.before, place.is_held = None, False
            place.errand_s = now + (pause_s or (0.0 if place.is_called else ERRAND_S))
            self._timer(place.errand_s, item)
            self._line_up(item, now)

    def standings(self) -> dict[K, Standing]:
        """How each camera stands now; looks that fell out are told once."""
        with self._changed:
            now = self._clock()
            return {item: _standing(place, now) for item, place in self._places.items()}

    def close(self) -> None:
        """Wake everybody who waits; nothing is taken any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _fire(self, now: float) -> None:
        while self._timers and self._timers[0][0] <= now:
            item = heapq.heappop(self._timers)[2]
            place = self._places.get(item)
            if place is None or place.is_held:
                continue
            if place.errand_s <= now:
                place.errand_s = now + ERRAND_S  # it is in the line of errands only once
                if place.is_called or not place.is_lined_up:  # a look runs them too
                    self._errands.append(item)
                else:
                    self._timer(place.errand_s, item)
            self._line_up(item, now)

    def _errand(self) -> Taken[K] | None:
        while self._errands:
            item = self._errands.popleft()
            place = self._places.get(item)
            if place is not None and not place.is_held:
                place.is_held, place.is_lined_up, place.is_called = True, False, False
                return Taken(item=item, look=None)
        return None

    def _look(self, now: float) -> Taken[K] | None:
        for lane in self._lanes.values():
            self._drop_stale(lane)
        heads = [self._places[lane[0][2]].turn for lane in self._lanes.values() if lane]
        chosen = choose(heads, now)
        if chosen is None:
            return None
        item = heapq.heappop(self._lanes[chosen.cadence])[2]
        place = self._places[item]
        place.before = place.turn
        place.turn, began = begin(place.turn, now)
        place.is_held, place.is_lined_up = True, False
        return Taken(item=item, look=began)

    def _drop_stale(self, lane: list[tuple[float, int, K]]) -> None:
        """Leave out who has gone, or was taken for an errand meanwhile."""
        while lane:
            place = self._places.get(lane[0][2])
            if place is not None and place.is_lined_up and place.turn.since_s == lane[0][0]:
                return
            heapq.heappop(lane)

    def _line_up(self, item: K, now: float) -> None:
        """Into its lane if it is ready, else on a timer if it is only too soon."""
        place = self._places[item]
        ready_s = place.turn.ready_s
        if place.is_held or place.is_lined_up or ready_s is None:
            return
        if ready_s > now:
            self._timer(ready_s, item)
            return
        lane = self._lanes.setdefault(place.turn.cadence, [])
        heapq.heappush(lane, (place.turn.since_s, next(self._number), item))
        place.is_lined_up = True
        self._changed.notify()

    def _timer(self, at_s: float, item: K) -> None:
        heapq.heappush(self._timers, (at_s, next(self._number), item))
        if self._timers[0][2] is item:
            self._changed.notify()


def _as_before(before: Turn, now: Turn) -> Turn:
    """There was no picture after all: wait for one, or go on with one that came meanwhile."""
    waiting = replace(before, waiting_since_s=None)
    return waiting if now.waiting_since_s is None else arrived(waiting, now.waiting_since_s)


def _standing(place: _Place, now: float) -> Standing:
    place.turn, skipped = settle(place.turn, now)
    turn = place.turn
    waits = turn.ready_s is not None and not place.is_held
    return Standing(
        look_class=turn.cadence.look_class,
        is_paced=turn.cadence.is_paced,
        skipped=skipped,
        stretch=turn.stretch(now) if waits else 0.0,
    )
