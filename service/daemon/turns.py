"""Whose look is next when not all can be made in time. Pure: the clock is an argument.

A look is due one look interval after the one before, or once there is a picture, whichever is
later. Of the cameras of one class the one goes first whose last look is longest ago, counted in its
own look intervals; among equal intervals that is the earliest deadline. So whatever is missing is
missing to all by the same factor, and nobody starves. Patient cameras give way to prompt ones that
would else lose a look, until their own looks are about to count for nothing
(:func:`zones.clock.longest_gap`); from there on that class goes first which is nearer to it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from models.cadence import LookClass, look_class_of
from models.zone import Camera
from zones.clock import longest_gap

MIN_SPACING_RATIO: Final = 0.8
"""Looks are at least this share of the look interval apart, however fast pictures come."""
LOST_AT_STRETCH: Final = 2.0
"""So many look intervals after the last look the one in between has fallen out."""
YIELDS_UNTIL_RATIO: Final = 0.8
"""Of the longest gap that counts as watched: so long patient cameras give way. The rest is for the
look itself and for those of the same class that wait too."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cadence:
    """How often a camera is to be looked at, and how urgent that is."""

    interval_s: float
    look_class: LookClass
    is_paced: bool = True
    """False: a recording that is read as fast as it can be; it is never late."""

    @property
    def longest_gap_s(self) -> float:
        """Looks further apart count for nothing."""
        return longest_gap(self.interval_s).total_seconds()


@dataclass(frozen=True, kw_only=True, slots=True)
class Turn:
    """Where a camera stands in line. Times are seconds on one monotonic clock."""

    cadence: Cadence
    since_s: float
    """When its last look began; where no picture came for longer, one interval before it came."""
    due_s: float
    """When the next should begin; goes on in whole intervals, so that no lateness is forgotten."""
    not_before_s: float
    waiting_since_s: float | None = None
    """Since when there has been a picture that nobody looked at."""
    counted: int = 0
    """Looks that this one has come too late for and that are counted already."""

    @property
    def ready_s(self) -> float | None:
        """From when on it can be looked at; ``None``: there is no picture."""
        if self.waiting_since_s is None:
            return None
        return max(self.waiting_since_s, self.not_before_s)

    def stretch(self, now_s: float) -> float:
        """Time since its last look, in look intervals."""
        return (now_s - self.since_s) / self.cadence.interval_s

    @property
    def deadline_s(self) -> float:
        """Until then a look can begin without that one falls out."""
        return self.since_s + LOST_AT_STRETCH * self.cadence.interval_s

    def nearness(self, now_s: float) -> float:
        """Time since its last look, as a share of what still counts as watched."""
        return (now_s - self.since_s) / self.cadence.longest_gap_s


@dataclass(frozen=True, kw_only=True, slots=True)
class Began:
    """What there is to tell of a look that begins."""

    lag_s: float
    """From when it was due."""
    stretch: float
    """Time since the last look, in look intervals."""
    skipped: int
    """Looks that were due in between, and are counted with this one."""


def cadence_of(camera: Camera) -> Cadence:
    """What a camera's rules and configuration ask for."""
    return Cadence(
        interval_s=camera.look_interval_s,
        look_class=look_class_of(camera),
        is_paced=camera.paced,
    )


def first_turn(cadence: Cadence, now_s: float) -> Turn:
    """Of a camera that has just come: it is due, as soon as there is a picture."""
    return Turn(
        cadence=cadence, since_s=now_s - cadence.interval_s, due_s=now_s, not_before_s=now_s
    )


def arrived(turn: Turn, now_s: float) -> Turn:
    """There is a picture: nothing was late while there was none."""
    if turn.waiting_since_s is not None:
        return turn
    return replace(
        turn,
        waiting_since_s=now_s,
        since_s=max(turn.since_s, now_s - turn.cadence.interval_s),
        due_s=max(turn.due_s, now_s),
    )


def choose(turns: Iterable[Turn], now_s: float) -> Turn | None:
    """The turn to take next; ``None``: none is ready."""
    ready = [turn for turn in turns if turn.ready_s is not None and turn.ready_s <= now_s]
    classes = {
        look_class: [turn for turn in ready if turn.cadence.look_class is look_class]
        for look_class in LookClass
    }
    prompt, patient = classes[LookClass.PROMPT], classes[LookClass.PATIENT]
    first = patient if _goes_before(patient, prompt, now_s) else prompt
    return max(first, key=lambda turn: turn.stretch(now_s), default=None)


def begin(turn: Turn, now_s: float) -> tuple[Turn, Began]:
    """The look begins; what is then known of the next, and how late this one is."""
    cadence = turn.cadence
    if not cadence.is_paced:
        after = replace(turn, since_s=now_s, due_s=now_s, not_before_s=now_s, waiting_since_s=None)
        return after, Began(lag_s=0.0, stretch=turn.stretch(now_s), skipped=0)
    missed = _missed(turn, now_s)
    # A look that is early moves the beat forward; one that is late leaves it where it is.
    beat_s = min(turn.due_s + missed * cadence.interval_s, now_s)
    after = Turn(
        cadence=cadence,
        since_s=now_s,
        due_s=beat_s + cadence.interval_s,
        not_before_s=now_s + MIN_SPACING_RATIO * cadence.interval_s,
    )
    lag_s = max(0.0, now_s - turn.due_s)
    skipped = missed - turn.counted
    return after, Began(lag_s=lag_s, stretch=turn.stretch(now_s), skipped=skipped)


def settle(turn: Turn, now_s: float) -> tuple[Turn, int]:
    """Count the looks that one which still waits has come too late for."""
    if turn.ready_s is None or not turn.cadence.is_paced:
        return turn, 0
    missed = _missed(turn, now_s)
    return replace(turn, counted=missed), missed - turn.counted


def _missed(turn: Turn, now_s: float) -> int:
    return max(turn.counted, int((now_s - turn.due_s) / turn.cadence.interval_s))


def _goes_before(patient: list[Turn], prompt: list[Turn], now_s: float) -> bool:
    if not patient or not prompt:
        return bool(patient)
    deadline_s = min(turn.deadline_s for turn in patient)
    if now_s <= deadline_s < min(turn.deadline_s for turn in prompt):
        return True  # the prompt ones can wait
    nearest = max(turn.nearness(now_s) for turn in patient)
    is_near = nearest >= YIELDS_UNTIL_RATIO
    return is_near and nearest >= max(turn.nearness(now_s) for turn in prompt)
