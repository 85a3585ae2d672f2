"""Which parts of a frame have to be rendered, and how they go onto the plate."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Box = tuple[int, int, int, int]
Picture = NDArray[np.uint8]

_FEATHER_PX = 5
_LENS = (0.2, 0.6, 0.2)
"""How far a point spreads to its neighbours."""
_SAME_LEVELS, _OTHER_LEVELS = 3.0, 9.0
"""Differences from the plate below the first are noise, above the second are the actor."""


def padded(box: Box, by_px: int, width_px: int, height_px: int) -> Box:
    """Return the box with a margin, within the picture."""
    x0, y0, x1, y1 = box
    return (
        max(0, x0 - by_px),
        max(0, y0 - by_px),
        min(width_px, x1 + by_px),
        min(height_px, y1 + by_px),
    )


def overlap(a: Box, b: Box) -> bool:
    """Whether the boxes share any pixel."""
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def union(a: Box, b: Box) -> Box:
    """Return the smallest box around both."""
    return min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])


def groups(boxes: Sequence[tuple[str, Box]]) -> list[tuple[frozenset[str], Box]]:
    """Join what overlaps, until no two of the resulting boxes do."""
    joined: list[tuple[frozenset[str], Box]] = []
    for name, box in boxes:
        members = frozenset({name})
        while clash := next((one for one in joined if overlap(one[1], box)), None):
            joined.remove(clash)
            members, box = members | clash[0], union(clash[1], box)
        joined.append((members, box))
    return joined


def composed(plate: Picture, crop: Picture, box: Box) -> Picture:
    """Return the plate with a rendered crop; where both agree the plate stays as it is."""
    x0, y0, x1, y1 = box
    out = plate.copy()
    behind = plate[y0:y1, x0:x1].astype(np.float32)
    ahead = crop.astype(np.float32)
    differs = _blurred(np.abs(ahead - behind).max(axis=2), 2)
    weight = np.clip((differs - _SAME_LEVELS) / (_OTHER_LEVELS - _SAME_LEVELS), 0, 1)
    weight = np.minimum(_grown(weight, 2), _frame(box, plate.shape[1], plate.shape[0]))[..., None]
    out[y0:y1, x0:x1] = np.rint(behind + weight * (ahead - behind)).astype(np.uint8)
    return out


def softened(picture: Picture) -> Picture:
    """Return the picture as a plain lens draws it; it also takes a third less space."""
    soft = picture.astype(np.float32)
    for axis in (0, 1):
        edges = [(1, 1) if side == axis else (0, 0) for side in range(3)]
        wide, length = np.pad(soft, edges, mode="edge"), soft.shape[axis]
        taps = [wide.take(range(start, start + length), axis=axis) for start in range(3)]
        soft = sum(share * tap for share, tap in zip(_LENS, taps, strict=True))
    return np.rint(soft).astype(np.uint8)


def with_noise(picture: Picture, sigma: float, seed: int) -> Picture:
    """Return the picture with the noise of a sensor: the same for the same seed."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(0.0, sigma, picture.shape[:2]).astype(np.float32)
    noisy = picture.astype(np.float32) + noise[..., None]
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


def _frame(box: Box, width_px: int, height_px: int) -> NDArray[np.float32]:
    """1 inside, falling to 0 at those edges of the box that are not the picture's own."""
    x0, y0, x1, y1 = box
    columns, rows = np.arange(x1 - x0), np.arange(y1 - y0)
    far = 10 * _FEATHER_PX
    left = columns if x0 > 0 else columns + far
    right = columns[::-1] if x1 < width_px else columns[::-1] + far
    top = rows if y0 > 0 else rows + far
    bottom = rows[::-1] if y1 < height_px else rows[::-1] + far
    inside = np.minimum(np.minimum(left, right)[None, :], np.minimum(top, bottom)[:, None])
    return np.clip(inside / _FEATHER_PX, 0, 1).astype(np.float32)


def _blurred(values: NDArray[np.float32], radius: int) -> NDArray[np.float32]:
    return sum(_shifts(values, radius), np.zeros_like(values)) / (2 * radius + 1) ** 2


def _grown(values: NDArray[np.float32], radius: int) -> NDArray[np.float32]:
    return np.maximum.reduce(_shifts(values, radius))


def _shifts(values: NDArray[np.float32], radius: int) -> list[NDArray[np.float32]]:
    height, width = values.shape
    wide = np.pad(values, radius, mode="edge")
    span = range(2 * radius + 1)
    return [wide[dy : dy + height, dx : dx + width] for dy in span for dx in span]
