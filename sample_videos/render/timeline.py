"""Where an actor is at which time: paths through keyed positions, and when they stand still."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

STILL_SPEED_M_S = 0.02
"""Slower than this counts as standing: less than a hundredth of a pixel per frame."""

_STEP_S = 0.05


@dataclass(frozen=True, kw_only=True, slots=True)
class Key:
    """A position in metres that is reached at a time in seconds."""

    t_s: float
    x_m: float
    y_m: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Pose:
    """Where something stands, which way it looks, and how far it has come."""

    x_m: float
    y_m: float
    heading_rad: float
    travelled_m: float


def position(keys: Sequence[Key], t_s: float) -> tuple[float, float]:
    """Return x and y at a time; before the first key and after the last it stands there."""
    if t_s <= keys[0].t_s:
        return keys[0].x_m, keys[0].y_m
    if t_s >= keys[-1].t_s:
        return keys[-1].x_m, keys[-1].y_m
    index = next(i for i in range(len(keys) - 1) if keys[i + 1].t_s >= t_s)
    times = [key.t_s for key in keys]
    return (
        _hermite(times, [key.x_m for key in keys], index, t_s),
        _hermite(times, [key.y_m for key in keys], index, t_s),
    )


def pose(keys: Sequence[Key], t_s: float, start_heading_rad: float = 0.0) -> Pose:
    """Return the pose at a time; while standing, the heading of the last movement is kept."""
    x_m, y_m = position(keys, t_s)
    return Pose(
        x_m=x_m,
        y_m=y_m,
        heading_rad=_heading(keys, t_s, start_heading_rad),
        travelled_m=_travelled(keys, t_s),
    )


def is_still(keys: Sequence[Key], t_s: float, step_s: float) -> bool:
    """Whether it is at the same place at this time and a step later."""
    here, there = position(keys, t_s), position(keys, t_s + step_s)
    return math.dist(here, there) <= STILL_SPEED_M_S * step_s


def still_periods(
    keys: Sequence[Key], until_s: float, step_s: float
) -> tuple[tuple[float, float], ...]:
    """Return the periods, in frame times, during which it does not move."""
    frames = round(until_s / step_s)
    still = [is_still(keys, frame * step_s, step_s) for frame in range(frames)]
    edges = [frame for frame in range(frames + 1) if _at(still, frame - 1) != _at(still, frame)]
    return tuple(
        (first * step_s, last * step_s) for first, last in zip(edges[::2], edges[1::2], strict=True)
    )


def _at(flags: Sequence[bool], index: int) -> bool:
    return 0 <= index < len(flags) and flags[index]


def _slope(times: Sequence[float], values: Sequence[float], index: int) -> float:
    """Slope at a key that never overshoots (Fritsch and Carlson); zero where it stops."""
    if index in (0, len(values) - 1):
        near = (0, 1) if index == 0 else (index - 1, index)
        return (values[near[1]] - values[near[0]]) / (times[near[1]] - times[near[0]])
    before = (values[index] - values[index - 1]) / (times[index] - times[index - 1])
    after = (values[index + 1] - values[index]) / (times[index + 1] - times[index])
    if before * after <= 0:
        return 0.0
    return 2 * before * after / (before + after)


def _hermite(times: Sequence[float], values: Sequence[float], index: int, t_s: float) -> float:
    width = times[index + 1] - times[index]
    u = (t_s - times[index]) / width
    first, last = _slope(times, values, index), _slope(times, values, index + 1)
    return (
        (1 + 2 * u) * (1 - u) ** 2 * values[index]
        + u * (1 - u) ** 2 * width * first
        + u * u * (3 - 2 * u) * values[index + 1]
        + u * u * (u - 1) * width * last
    )


def _heading(keys: Sequence[Key], t_s: float, start_heading_rad: float) -> float:
    """Direction of the latest movement that is fast enough to have one."""
    back_s = min(t_s, keys[-1].t_s)
    while back_s > keys[0].t_s:
        (x0, y0), (x1, y1) = position(keys, back_s - _STEP_S), position(keys, back_s)
        if math.hypot(x1 - x0, y1 - y0) > 10 * STILL_SPEED_M_S * _STEP_S:
            return math.atan2(y1 - y0, x1 - x0)
        back_s -= _STEP_S
    if len(keys) > 1 and not is_still(keys, keys[0].t_s, _STEP_S):
        (x0, y0), (x1, y1) = position(keys, keys[0].t_s), position(keys, keys[0].t_s + _STEP_S)
        return math.atan2(y1 - y0, x1 - x0)
    return start_heading_rad


def _travelled(keys: Sequence[Key], t_s: float) -> float:
    times = [key.t_s for key in keys if key.t_s < t_s] + [t_s]
    grid = [
        start + part * (end - start) / 10 for start, end in pairwise(times) for part in range(10)
    ]
    return sum(math.dist(position(keys, a), position(keys, b)) for a, b in pairwise([*grid, t_s]))
