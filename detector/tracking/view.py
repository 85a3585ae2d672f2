"""Where the camera looks: how far its picture has shifted, and how bright it is."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.seeing import Image

VIEW_PX = 320
"""Longer side of the small picture that shifts are measured in."""
CORNERS = 60
"""Points that are followed; spread out, so that traffic is outvoted by what is fixed."""
SPREAD_RATIO = 0.05
"""Smallest distance between two of them, as a share of the view."""
AGREE_PX = 0.5
"""Points agree that moved so nearly as the median, in pixels of the small picture."""
MIN_AGREEING = 8
MIN_AGREEING_RATIO = 0.5
DEAD_BAND_PX = 0.15
"""Smaller shifts of the small picture are noise of the measurement."""
LIGHT_TILES = 8
LIGHT_TILE_PX = 8
"""The light is judged in 8 × 8 tiles of 8 × 8 averaged pixels."""
SAME_TILE_SCORE = 0.6
SAME_TILE_GAIN = 1.3
FLAT_TILE_STD = 4.0
CHANGED_LIGHT_RATIO = 0.5
"""Where so many tiles look different, lamps have gone on or night vision has set in: what moves
through a picture changes fewer."""
MAX_FAILURES = 3
"""So many pictures in a row that do not fit the key picture: the scene itself has changed."""

Grey = NDArray[np.uint8]
Points = NDArray[np.float32]
Shift = tuple[float, float]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Key:
    """A picture that later ones are measured against."""

    grey: Grey
    corners: Points
    shift: Shift


class View:
    """Follows the shift of one camera's picture since its first one.

    ``shift`` is in pixels of the frame: where something fixed is now, minus where it was. What
    cannot be measured is taken as unchanged: things are then found again by their looks, or not.
    """

    def __init__(self) -> None:
        self.shift: Shift = (0.0, 0.0)
        self.brightness = 1.0
        self.light_changed = False
        """Whether the picture as a whole looks different from the one before."""
        self._key: _Key | None = None
        self._previous: Grey | None = None
        self._failures = 0

    def look(self, image: Image) -> None:
        """Measure a new picture."""
        grey, scale = _small(image)
        self.brightness = max(float(grey.mean()), 1.0)
        if self._key is None or self._previous is None:
            self._set_key(grey)
        elif (found := measure_shift(self._key.grey, self._key.corners, grey)) is not None:
            self._failures = 0
            self.shift = _add(self._key.shift, found, scale)
        else:
            self._follow(self._previous, grey, scale)
        if self._previous is not None:
            changed = changed_ratio(self._previous, grey)
            self.light_changed = changed >= CHANGED_LIGHT_RATIO
        self._previous = grey

    def stays(self) -> None:
        """The picture is still the one that was measured last."""
        self.light_changed = False

    def _follow(self, previous: Grey, grey: Grey, scale: float) -> None:
        """The key picture does not fit: take what has happened since the previous one."""
        self._failures += 1
        found = measure_shift(previous, _corners(previous), grey)
        if found is not None and found != (0.0, 0.0):
            self.shift = _add(self.shift, found, scale)
            self._set_key(grey)
        elif self._failures >= MAX_FAILURES:
            self._set_key(grey)

    def _set_key(self, grey: Grey) -> None:
        self._key = _Key(grey=grey, corners=_corners(grey), shift=self.shift)
        self._failures = 0


def changed_ratio(one: Grey, other: Grey) -> float:
    """Share of the tiles of two pictures that differ in pattern or brightness."""
    a, b = _tiles(one), _tiles(other)
    mean_a, mean_b = a.mean(axis=1), b.mean(axis=1)
    gain = (mean_a + 1) / (mean_b + 1)
    a -= mean_a[:, None]
    b -= mean_b[:, None]
    std_a, std_b = a.std(axis=1), b.std(axis=1)
    score = (a * b).mean(axis=1) / np.maximum(std_a * std_b, 1e-6)
    patterned = np.maximum(std_a, std_b) > FLAT_TILE_STD
    differs = (patterned & (score < SAME_TILE_SCORE)) | (
        np.maximum(gain, 1 / gain) > SAME_TILE_GAIN
    )
    return float(differs.mean())


def _tiles(grey: Grey) -> NDArray[np.float32]:
    side = LIGHT_TILES * LIGHT_TILE_PX
    small = cv2.resize(grey, (side, side), interpolation=cv2.INTER_AREA).astype(np.float32)
    blocks = small.reshape(LIGHT_TILES, LIGHT_TILE_PX, LIGHT_TILES, LIGHT_TILE_PX).swapaxes(1, 2)
    return np.ascontiguousarray(blocks).reshape(LIGHT_TILES**2, LIGHT_TILE_PX**2)


def measure_shift(before: Grey, corners: Points, after: Grey) -> Shift | None:
    """Shift that most corners agree on, in their pixels; ``None`` where they do not."""
    if len(corners) < MIN_AGREEING:
        return None
    moved, found, _ = cv2.calcOpticalFlowPyrLK(
        before, after, corners, None, winSize=(13, 13), maxLevel=2
    )
    flow = (moved - corners).reshape(-1, 2)[found.ravel() == 1]
    enough = max(MIN_AGREEING, MIN_AGREEING_RATIO * len(corners))
    if len(flow) < enough:
        return None
    still = np.hypot(*flow.T) <= AGREE_PX
    middle = np.zeros(2) if still.sum() >= enough else np.median(flow, axis=0)
    agreeing = np.hypot(*(flow - middle).T) <= AGREE_PX
    if agreeing.sum() < enough:
        return None
    x, y = flow[agreeing].mean(axis=0)
    return (0.0, 0.0) if max(abs(x), abs(y)) < DEAD_BAND_PX else (float(x), float(y))


def _corners(grey: Grey) -> Points:
    distance = SPREAD_RATIO * max(grey.shape)
    corners = cv2.goodFeaturesToTrack(grey, CORNERS, 0.02, distance)
    return np.empty((0, 1, 2), np.float32) if corners is None else corners


def _add(start: Shift, found: Shift, scale: float) -> Shift:
    return (start[0] + found[0] * scale, start[1] + found[1] * scale)


def _small(image: Image) -> tuple[Grey, float]:
    """The green channel (most of luma) made small, and how many pixels each of its pixels was."""
    height, width = image.shape[:2]
    stride = max(1, max(height, width) // (2 * VIEW_PX))
    thin = np.ascontiguousarray(image[::stride, ::stride, 1])
    scale = max(height, width) / VIEW_PX
    size = (max(16, round(width / scale)), max(16, round(height / scale)))
    return cv2.resize(thin, size, interpolation=cv2.INTER_AREA), scale
