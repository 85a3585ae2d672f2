"""Things in a mask of changed points: what is one, and what is only light, or a thing gone."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from detector.background.model import BRIGHTNESS, Luma, Mask, Planes

LEAST_POINTS = 9
"""A thing covers at least so many points of the small picture."""
LEAST_FILL = 0.35
"""Share of its box that a thing covers; edges of shadows are thin and slanting."""
MOST_BLOBS = 8
"""The largest are told; a scene with more has changed as a whole."""
LIGHT_SCORE = 0.7
"""Likeness of patterns from which a change is one of light: shadow and sun leave the ground as it
is."""
LEAST_PATTERN = 1.0
"""Grey levels of deviation below which there is no pattern to compare: both pictures are averages,
so even asphalt has one."""
LEAST_SIDE = 2
"""Points: thinner things are seams between a known thing and its box."""
EDGE_GAIN = 1.15
"""A thing that came has a sharper outline than the bare ground; one that went has left one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Blob:
    """A changed part of the small picture, in its points."""

    x1: int
    y1: int
    x2: int
    y2: int
    step: float
    """Mean change in grey levels, of brightness, colour or texture."""


def blobs_in(changed: Mask, before: Planes, now: Planes) -> list[Blob]:
    """The things that are new, largest first; ``before`` and ``now`` are in the same light."""
    closed = cv2.morphologyEx(changed.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(closed, connectivity=8)
    found: list[tuple[int, Blob]] = []
    for number in range(1, count):
        x, y, width, height, area = (int(value) for value in stats[number])
        if min(width, height) < LEAST_SIDE or area < LEAST_POINTS:
            continue
        if area < LEAST_FILL * width * height:
            continue
        window = (slice(y, y + height), slice(x, x + width))
        inside = labels[window] == number
        grey = before[window][..., BRIGHTNESS], now[window][..., BRIGHTNESS]
        if _is_light(*grey, inside) or not _has_come(before, now, (x, y, width, height)):
            continue
        # By the plane in which it stands out most: a red thing on grey ground is no less sure.
        step = float(np.abs(now[window] - before[window])[inside].mean(axis=0).max())
        found.append((area, Blob(x1=x, y1=y, x2=x + width, y2=y + height, step=step)))
    found.sort(key=lambda item: -item[0])
    return [blob for _, blob in found[:MOST_BLOBS]]


def _is_light(before: Luma, now: Luma, inside: Mask) -> bool:
    """Whether the same pattern is there in another light; its border, half of each, is left out."""
    padded = cv2.copyMakeBorder(inside.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    core = cv2.erode(padded, np.ones((3, 3), np.uint8))[1:-1, 1:-1].astype(bool)
    inside = core if core.sum() >= LEAST_POINTS else inside
    one, other = before[inside], now[inside]
    one, other = one - one.mean(), other - other.mean()
    spread = float(one.std()), float(other.std())
    if min(spread) < LEAST_PATTERN:
        return False
    return float((one * other).mean()) / (spread[0] * spread[1]) >= LIGHT_SCORE


def _has_come(before: Planes, now: Planes, place: tuple[int, int, int, int]) -> bool:
    """Whether the outline is one of what is there now, not of what was there before."""
    x, y, width, height = place
    top, left = max(y - 2, 0), max(x - 2, 0)
    window = (slice(top, y + height + 2), slice(left, x + width + 2))
    return _edges(now[window]) >= EDGE_GAIN * _edges(before[window])


def _edges(picture: Planes) -> float:
    across = np.abs(np.diff(picture, axis=1)).mean() if picture.shape[1] > 1 else 0.0
    down = np.abs(np.diff(picture, axis=0)).mean() if picture.shape[0] > 1 else 0.0
    return float(across + down)
