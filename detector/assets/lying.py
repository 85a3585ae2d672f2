"""What has an asset's colours and was not there before: it may lie beside its place.

Edges do not find a thing that has fallen over, since from above it is no turned picture of what it
was; colours do, where the asset has others than what is around it.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from models.seeing import Image

BINS = 12
DISTINCT = 0.75
"""Share of asset among the pixels of a colour, from which it is the asset's."""
LEAST_INSIDE = 0.5
"""So much of the asset must have such colours, and ..."""
MOST_AROUND = 0.1
"""... so little of what is around it."""
LEAST_FOUND = 0.5
"""So much of its area must be found again."""
STRIPE_PX = 7
"""Of 48 that the longer side of an asset has in its patch."""
LONG = 1.3
"""Longer than wide by so much: then it has a direction."""
TURNED_DEG = 40.0

Flags = NDArray[np.bool_]


def lies_turned(then: Image, now: Image, inside: Flags, around: Flags) -> bool | None:
    """Whether what has an asset's colours now has another direction than the asset had.

    ``None``: nothing such is found, or the colours tell nothing. ``inside`` and ``around`` are the
    asset's pixels and those around it in ``then``, a picture of it as it was, as large as ``now``.
    """
    colours_then, colours_now = _colours(then), _colours(now)
    own = _distinct(colours_then, inside, around)
    was, is_now = own[colours_then], own[colours_now]
    if was[inside].mean() < LEAST_INSIDE or was[around].mean() > MOST_AROUND:
        return None
    # Only the largest piece: single pixels of such a colour are anywhere.
    before_it, found = _largest(was), _largest(is_now)
    if found.sum() < LEAST_FOUND * before_it.sum():
        return None
    before, after = _direction(before_it), _direction(found)
    if before is None or after is None:
        return before is not after
    apart = abs(before - after) % 180.0
    return min(apart, 180.0 - apart) >= TURNED_DEG


def _colours(image: Image) -> NDArray[np.intp]:
    """A number for the hue and saturation of each pixel, whatever its brightness."""
    lab = cv2.cvtColor(image, cv2.COLOR_BGR2LAB).astype(np.intp)
    a, b = ((np.clip(lab[..., axis], 64, 191) - 64) * BINS // 128 for axis in (1, 2))
    return np.asarray(a * BINS + b)


def _distinct(colours: NDArray[np.intp], inside: Flags, around: Flags) -> Flags:
    """For each colour: whether it is the asset's rather than that of what is around it."""
    count = BINS * BINS
    own = np.bincount(colours[inside], minlength=count) / max(1, inside.sum())
    other = np.bincount(colours[around], minlength=count) / max(1, around.sum())
    return np.asarray((own > 0) & (own >= DISTINCT * (own + other)))


def _largest(flags: Flags) -> Flags:
    """The largest piece; what stripes cut apart is one."""
    joined = cv2.morphologyEx(flags.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((STRIPE_PX,) * 2))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(joined)
    if count < 2:
        return np.zeros_like(flags)
    return np.asarray(labels == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax()))


def _direction(flags: Flags) -> float | None:
    """Of the longer side, in degrees; ``None`` for what is about as long as wide."""
    rows, columns = np.nonzero(flags)
    if len(rows) < 3:
        return None
    values, vectors = np.linalg.eigh(np.cov(np.stack([columns, rows]).astype(np.float64)))
    if values[1] < LONG * LONG * max(values[0], 1e-6):
        return None
    return float(np.degrees(np.arctan2(vectors[1, 1], vectors[0, 1])))
