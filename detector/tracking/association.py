"""Which box belongs to which object: kinds of things, doubled boxes, and the best assignment."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment  # type: ignore[import-untyped]

from models.geometry import Box
from models.labels import UNKNOWN_OBJECT
from models.seeing import Detection

KINDS = {
    **dict.fromkeys(("car", "truck", "bus", "van"), "vehicle"),
    **dict.fromkeys(("motorcycle", "bicycle"), "two-wheeler"),
    **dict.fromkeys(("litter", "garbage_pile", "overflowing_bin"), "rubbish"),
    **dict.fromkeys(("pothole", "road_crack"), "road damage"),
    "graffiti": "graffiti",
}
"""Labels that a detector gives in turn to one and the same thing; any other is a kind by itself."""
KINDS_BY_PLACE = frozenset({"rubbish", "road damage", "graffiti", UNKNOWN_OBJECT})
"""Things that cannot be exchanged unnoticed: the same place is the same thing, whatever its look
(a heap grows, a pothole fills with water)."""

DOUBLE_IOU = 0.6
"""Boxes of one kind that overlap more are one thing with two labels."""
NESTED_COVER = 0.9
NESTED_AREA_RATIO = 0.3
"""A box in another one, and not much smaller, is a part of it (or it spans two things)."""
PART_AREA_RATIO = 0.15
"""Within a thing that stands there as before, even so small a box is but a part of it."""
SPAN_COVER = 0.85
"""A box spans what it covers so far."""
LEVEL_RATIO = 0.2
HALVES_OVERLAP = 0.15
MIN_FIT_IOU = 0.5
PART_FIT = 0.4
UNPLACED_BORDERS = 3
UNPLACED_AREA_RATIO = 0.7
"""A box cut by so many borders, or filling so much of the picture, does not say where its object
touches the ground; most often it is the whole scene that was taken for a vehicle."""


def kind_of(label: str) -> str:
    """What sort of thing a label means: labels of one kind may be one object."""
    return KINDS.get(label, label)


def distinct(
    detections: Sequence[Detection], width_px: int, height_px: int
) -> tuple[Detection, ...]:
    """Leave out boxes that cannot be placed, and all but the surest of those for one thing."""
    kept: list[Detection] = []
    for detection in sorted(detections, key=lambda d: (-d.confidence, d.box.xyxy, d.label)):
        if not _can_be_placed(detection.box, width_px, height_px):
            continue
        if not any(_doubled(detection, other) for other in kept):
            kept.append(detection)
    return tuple(kept)


def are_halves(sure: Box, weak: Box) -> bool:
    """Whether two boxes may be one thing that a pole splits.

    They overlap although they touch the ground at the same distance from the camera: two vehicles
    would stand in each other.
    """
    lower = min(sure.height, weak.height)
    smaller = min(sure.area, weak.area)
    level = abs(sure.y2 - weak.y2) <= LEVEL_RATIO * lower
    return level and sure.intersection(weak) >= HALVES_OVERLAP * smaller


def same_thing(one: Box, other: Box, least_area_ratio: float = NESTED_AREA_RATIO) -> bool:
    """Whether two boxes of one kind lie as those of one object do, whole or partly hidden.

    A smaller one that lies within the other counts from ``least_area_ratio`` of its area.
    """
    if one.iou(other) > DOUBLE_IOU:
        return True
    small, large = sorted((one, other), key=lambda box: box.area)
    nested = small.covered_by(large) >= NESTED_COVER
    return nested and small.area >= least_area_ratio * large.area


def overlap(box: Box, place: Box) -> float:
    """How well a box fits a standing thing's place, 0 to 1; 0 if it may be another thing's.

    Something in front may cut the box, so one that lies within the place fits too, but not one that
    only reaches into it, as those of passing things do.
    """
    iou = box.iou(place)
    if iou >= MIN_FIT_IOU:
        return iou
    return PART_FIT if same_thing(box, place) else 0.0


def touching(boxes: Sequence[Box], others: Sequence[Box]) -> NDArray[np.bool_]:
    """Which pairs have anything in common, shape (boxes, others)."""
    a = np.array([box.xyxy for box in boxes]).reshape(-1, 1, 4)
    b = np.array([box.xyxy for box in others]).reshape(1, -1, 4)
    common: NDArray[np.bool_] = (a[..., :2] < b[..., 2:]) & (b[..., :2] < a[..., 2:])
    return np.asarray(common.all(axis=2), np.bool_)


def assign(affinity: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Pairs (row, column) with the highest sum; pairs of affinity 0 are none."""
    rows, columns = linear_sum_assignment(affinity, maximize=True)
    pairs = zip(rows.tolist(), columns.tolist(), strict=True)
    return [(row, column) for row, column in pairs if affinity[row, column] > 0]


def _doubled(detection: Detection, surer: Detection) -> bool:
    if kind_of(detection.label) != kind_of(surer.label):
        return False
    apart = detection.box.intersection(surer.box) == 0
    return not apart and same_thing(detection.box, surer.box)


def _can_be_placed(box: Box, width_px: int, height_px: int) -> bool:
    cut = sum((box.x1 <= 1, box.y1 <= 1, box.x2 >= width_px - 1, box.y2 >= height_px - 1))
    fills = box.area >= UNPLACED_AREA_RATIO * width_px * height_px
    return box.area > 0 and cut < UNPLACED_BORDERS and not fills
