"""Small pictures of objects, and how alike two of them are at the same place.

A parked vehicle looks the same at its place from look to look, whatever its box does; of two
vehicles that pass the same spot, the second looks different or is shifted. That is measured here,
independent of gain and offset (light) and, by judging cells, of partial cover.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.geometry import Box
from models.seeing import Image

PATCH_PX = 32
"""Longest side of a patch: enough to tell vehicles apart, and 3 kB of memory each."""
MIN_SIDE_PX = 8
"""Smaller boxes are widened to it: fewer pixels carry no pattern."""
SEARCH_RATIO = 0.2
"""How far around its place a thing is looked for, in shares of its longer side."""
MIN_VISIBLE_RATIO = 0.5
"""Share of a place that must lie within the picture to be compared."""
FLAT_STD = 4.0
"""Grey levels of contrast below which a patch has no pattern, only noise."""
CELLS = 4
SURE_SCORE = 0.9
"""From here on nothing is covered, and the cells need not be asked."""
_NOISE_VARIANCE = 4.0

UNCHANGED_LEVELS = 8.0
"""Mean difference in grey levels that noise and compression make in a cell."""
ALIKE_COLOUR = 60.0
"""Grey levels by which the mean colour of a thing may change as it moves on."""

Grey = NDArray[np.uint8]
Colour = tuple[float, float, float]
"""Blue, green, red."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Patch:
    """A thing as it looked at one place, and where in the frame that was."""

    picture: Image
    grey: Grey
    left_px: int
    top_px: int
    step_px: int
    """Pixels of the frame for each pixel of the patch, a whole number."""
    flat: bool
    """Whether it has no pattern to compare."""
    colour: Colour
    """Mean blue, green and red."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Likeness:
    """How a place looks compared to a patch."""

    score: float
    """Correlation of the patterns, -1 to 1; of the better half of the cells if that is higher."""
    shift: tuple[float, float]
    """Where the pattern was found, in pixels of the frame off its place."""
    colour_change: float
    """Largest change of a mean colour channel, 0 to 255, after the change of light in the view."""

    @property
    def shift_px(self) -> float:
        """Length of the shift."""
        return math.hypot(*self.shift)


def cut_patch(image: Image, box: Box) -> Patch | None:
    """Keep how a thing looks in its box; ``None`` where too little of it lies in the picture."""
    width, height = max(box.width, MIN_SIDE_PX), max(box.height, MIN_SIDE_PX)
    step = max(1, math.ceil(max(width, height) / PATCH_PX))
    columns, rows = max(2, round(width / step)), max(2, round(height / step))
    x, y = box.center
    left, top = round(x - columns * step / 2), round(y - rows * step / 2)
    picture = _cut(image, left, top, columns, rows, step)
    if picture is None:
        return None
    grey = _grey(picture)
    return Patch(
        picture=picture,
        grey=grey,
        left_px=left,
        top_px=top,
        step_px=step,
        flat=_std(grey) < FLAT_STD,
        colour=_mean_colour(picture),
    )


def compare(
    patch: Patch, image: Image, offset: tuple[float, float], gain: float
) -> Likeness | None:
    """How much the picture at the patch's place looks like the patch.

    ``offset``: by how many pixels the view has shifted since the patch was cut; ``gain``: how many
    times as bright the view has become. ``None``: the place is out of the picture.
    """
    rows, columns = patch.grey.shape
    margin = 1 + math.ceil(SEARCH_RATIO * max(rows, columns))
    around = _cut(
        image,
        round(patch.left_px + offset[0]) - margin * patch.step_px,
        round(patch.top_px + offset[1]) - margin * patch.step_px,
        columns + 2 * margin,
        rows + 2 * margin,
        patch.step_px,
    )
    if around is None:
        return None
    grey = _grey(around)
    if patch.flat:
        score, column, row, sub = (
            _flatness(grey[margin:-margin, margin:-margin]),
            margin,
            margin,
            (0.0, 0.0),
        )
    else:
        scores = cv2.matchTemplate(grey, patch.grey, cv2.TM_CCOEFF_NORMED)
        _, score, _, (column, row) = cv2.minMaxLoc(scores)
        sub = _sub_pixel(scores, column, row)
    there = slice(row, row + rows), slice(column, column + columns)
    if not patch.flat and score < SURE_SCORE:
        score = max(score, _cell_score(patch.grey, grey[there]))
    return Likeness(
        score=float(score),
        shift=(
            (column - margin + sub[0]) * patch.step_px,
            (row - margin + sub[1]) * patch.step_px,
        ),
        colour_change=_colour_change(patch.colour, around[there], gain),
    )


def unchanged_ratio(patch: Patch, image: Image, offset: tuple[float, float], gain: float) -> float:
    """Share, 0 to 1, of a place that has the very same pixels as the patch, in the same light.

    Something that covers a part, or a door that opens, leaves the rest as it was.
    """
    rows, columns = patch.grey.shape
    left, top = round(patch.left_px + offset[0]), round(patch.top_px + offset[1])
    now = _cut(image, left, top, columns, rows, patch.step_px)
    if now is None:
        return 0.0
    differences = [
        np.abs(_cells(patch.picture[:, :, i]) * gain - _cells(now[:, :, i])).mean(axis=1)
        for i in range(3)
    ]
    return float((np.max(differences, axis=0) <= UNCHANGED_LEVELS).mean())


def alike(patch: Patch, image: Image, box: Box) -> float:
    """Correlation, -1 to 1, of a patch and the thing in a box elsewhere, scaled to one size."""
    other = cut_patch(image, box)
    if other is None:
        return -1.0
    if _largest_change(patch.colour, other.colour) > ALIKE_COLOUR:
        return 0.0
    if patch.flat or other.flat:
        return 1.0 if patch.flat and other.flat else 0.0
    rows, columns = patch.grey.shape
    scaled = cv2.resize(other.grey, (columns, rows), interpolation=cv2.INTER_AREA)
    inner = patch.grey[rows // 8 : rows - rows // 8, columns // 8 : columns - columns // 8]
    return float(cv2.minMaxLoc(cv2.matchTemplate(scaled, inner, cv2.TM_CCOEFF_NORMED))[1])


def _cut(image: Image, left: int, top: int, columns: int, rows: int, step: int) -> Image | None:
    """A part of the picture, each ``step`` × ``step`` pixels averaged; edges are repeated."""
    right, bottom = left + columns * step, top + rows * step
    x1, y1 = max(left, 0), max(top, 0)
    x2, y2 = min(right, image.shape[1]), min(bottom, image.shape[0])
    whole = columns * rows * step * step
    if x2 <= x1 or y2 <= y1 or (x2 - x1) * (y2 - y1) < MIN_VISIBLE_RATIO * whole:
        return None
    part = image[y1:y2, x1:x2]
    if part.shape[:2] != (rows * step, columns * step):
        borders = (y1 - top, bottom - y2, x1 - left, right - x2)
        part = cv2.copyMakeBorder(part, *borders, cv2.BORDER_REPLICATE)
    # In one piece: averaging rows that lie far apart in memory takes half as long again.
    part = part.copy()
    if step == 1:
        return part
    small: Image = cv2.resize(part, (columns, rows), interpolation=cv2.INTER_AREA)
    return small


def _grey(picture: Image) -> Grey:
    """Luma, slightly smoothed: sensor noise and half a pixel of shift shall not count."""
    grey: Grey = cv2.GaussianBlur(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), (3, 3), 0)
    return grey


def _flatness(grey: Grey) -> float:
    """Likeness to a patch without a pattern: 1 where there is none either, else falling to 0."""
    return min(1.0, FLAT_STD / max(_std(grey), 1e-6))


def _sub_pixel(scores: NDArray[np.float32], column: int, row: int) -> tuple[float, float]:
    """Where the peak lies between pixels: the top of a parabola through it and its neighbours."""
    return (
        _vertex(scores[row, max(column - 1, 0) : column + 2]),
        _vertex(scores[max(row - 1, 0) : row + 2, column]),
    )


def _vertex(three: NDArray[np.float32]) -> float:
    if len(three) != 3:
        return 0.0
    before, peak, after = (float(value) for value in three)
    bend = before - 2 * peak + after
    return 0.5 * (before - after) / bend if bend < -1e-9 else 0.0


def _cell_score(one: Grey, other: Grey) -> float:
    """Median correlation of the cells, weighted by their contrast: half may be covered."""
    a, b = _cells(one), _cells(other)
    a -= a.mean(axis=1, keepdims=True)
    b -= b.mean(axis=1, keepdims=True)
    size = a.shape[1]
    floor = size * _NOISE_VARIANCE
    correlations = (a * b).sum(axis=1) / np.sqrt(
        ((a * a).sum(axis=1) + floor) * ((b * b).sum(axis=1) + floor)
    )
    weights = a.std(axis=1)
    order = np.argsort(correlations)
    below = np.cumsum(weights[order])
    middle = int(np.searchsorted(below, below[-1] / 2))
    return float(correlations[order][min(middle, len(order) - 1)])


def _cells(grey: Grey) -> NDArray[np.float32]:
    """The patch in ``CELLS`` × ``CELLS`` cells of equal size: shape (cells, pixels of each)."""
    side = min(CELLS, grey.shape[0] // 3, grey.shape[1] // 3) or 1
    rows, columns = grey.shape[0] // side, grey.shape[1] // side
    even = grey[: rows * side, : columns * side].astype(np.float32)
    blocks = even.reshape(side, rows, side, columns).swapaxes(1, 2)
    return blocks.reshape(side * side, rows * columns)


def _colour_change(before: Colour, after: Image, gain: float) -> float:
    blue, green, red = (min(value * gain, 255.0) for value in before)
    return _largest_change((blue, green, red), _mean_colour(after))


def _largest_change(before: Colour, after: Colour) -> float:
    return max(abs(now - then) for then, now in zip(before, after, strict=True))


def _mean_colour(picture: Image) -> Colour:
    blue, green, red, _ = cv2.mean(picture)
    return (blue, green, red)


def _std(grey: Grey) -> float:
    return float(cv2.meanStdDev(grey)[1][0, 0])
