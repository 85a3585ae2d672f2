"""Whether the daemon keeps up with its looks. Pure: judged from counts of one window at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

WINDOW_S: Final = 10.0
"""Long enough for a few looks of every prompt camera."""
STRAINED_RATIO: Final = 0.02
"""Of the looks that were due, so many fell out: more than a stray second in fifty."""
EASY_RATIO: Final = 0.005
"""So few are none; between the two neither is said."""
WINDOWS_TO_ENTER: Final = 2
WINDOWS_TO_LEAVE: Final = 6
"""A minute without trouble: the log tells of each overload once, however it wavers."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadState:
    """What has been said of the load, and for how long it has looked otherwise."""

    is_overloaded: bool = False
    contrary: int = 0
    """Windows in a row that speak against it."""


def skipped_ratio(looks: int, skipped: int) -> float:
    """Share of the looks that were due and were not made."""
    return skipped / (looks + skipped) if skipped else 0.0


def judge(state: LoadState, ratio: float) -> LoadState:
    """Take in a window in which this share of the looks fell out."""
    is_contrary = ratio <= EASY_RATIO if state.is_overloaded else ratio >= STRAINED_RATIO
    if not is_contrary:
        return LoadState(is_overloaded=state.is_overloaded)
    contrary = state.contrary + 1
    if contrary < (WINDOWS_TO_LEAVE if state.is_overloaded else WINDOWS_TO_ENTER):
        return LoadState(is_overloaded=state.is_overloaded, contrary=contrary)
    return LoadState(is_overloaded=not state.is_overloaded)
