"""Closer looks: the same network, but with a part of the picture filling its view.

A network sees a picture scaled to its input size: of a car 60 px wide in a 1080p picture, 640 px
leave 20. Where zones take up a small part of the picture, that part is looked at by itself too;
large ones are cut into slices if a city asks for that; and what is about to become an incident can
be looked at by itself, once.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from detector.backends import Detector
from detector.tracking import kind_of
from models.geometry import Box, Points
from models.seeing import Detection, Image

MARGIN_RATIO = 0.25
"""Of the zone's longer side, added on each side: vehicles reach beyond the ground they stand on."""
MARGIN_OF_PICTURE_RATIO = 0.05
MIN_MAGNIFICATION = 1.5
"""Regions that would be enlarged less than this are not worth another look."""
MOST_ENLARGED = 2.0
"""Beyond the picture's own resolution; more only blurs."""
MOST_REGIONS = 3
SAME_IOU = 0.5
PART_RATIO = 0.85
PART_CONFIDENCE_RATIO = 0.75
"""A box around two vehicles is much less sure than theirs, one around a whole vehicle is not."""
PERSON = "person"
CUT_MARGIN_PX = 3.0
SLICE_OVERLAP_RATIO = 0.25
"""Of a slice's side: what is smaller lies whole in one of two neighbours."""
CANDIDATE_SHARE = 0.2
"""Of the view's side that a candidate takes up when it is looked at by itself."""
AGAIN_IOU = 0.3
AGAIN_COVER = 0.5
"""A box found by a closer look is the candidate's if it overlaps it so much, or lies in it so far:
close up, a heap falls into its pieces."""


def regions(
    polygons: Iterable[Points], width_px: int, height_px: int, image_size_px: int
) -> tuple[Box, ...]:
    """Parts of the picture that deserve a closer look, the most magnified first.

    ``polygons``: zones in pixels of the picture; ``image_size_px``: longer side of what the network
    sees.
    """
    longer = max(width_px, height_px)
    found: list[Box] = []
    for points in polygons:
        region = _around(points, width_px, height_px, image_size_px / MOST_ENLARGED)
        if longer >= MIN_MAGNIFICATION * _longer(region):
            found = _joined(found, region, longer / MIN_MAGNIFICATION)
    return tuple(sorted(found, key=_longer)[:MOST_REGIONS])


def look_closer(detector: Detector, image: Image, parts: Sequence[Box]) -> tuple[Detection, ...]:
    """Boxes of the whole picture and of its parts, each thing once.

    Raises :class:`~models.errors.InferenceError` as the detector does.
    """
    crops = [image[int(p.y1) : int(p.y2), int(p.x1) : int(p.x2)] for p in parts]
    whole, *close = detector.detect([image, *crops])
    height, width = image.shape[:2]
    placed = [
        moved
        for part, found in zip(parts, close, strict=True)
        for moved in (_moved(item, part) for item in found)
        if not _is_cut(moved.box, part, width, height)
    ]
    return merged(placed, whole)


def merged(close: Sequence[Detection], whole: Sequence[Detection]) -> tuple[Detection, ...]:
    """All close boxes and those of the whole picture that show something else; each thing once.

    A thing seen both ways keeps its close box, which is more exact, and the higher confidence.
    """
    exact: list[Detection] = []
    for item in sorted(close, key=lambda d: -d.confidence):
        if _same(item, exact) is None:
            exact.append(item)
    others: list[Detection] = []
    for item in whole:
        index = _same(item, exact)
        if index is None:
            others.append(item)
        elif item.confidence > exact[index].confidence:
            exact[index] = replace(exact[index], confidence=item.confidence, label=item.label)
    found = sorted([*exact, *others], key=lambda d: -d.confidence)
    return tuple(item for item in found if not _is_part(item, found))


def slices(
    points: Points, width_px: int, height_px: int, image_size_px: int, most: int
) -> tuple[Box, ...]:
    """Overlapping parts of a zone that show every pixel of it to the network, ``most`` at most.

    Larger parts, shrunk a little, where that many would not do; none where nothing is gained.
    """
    area = _around(points, width_px, height_px, image_size_px)
    side = float(image_size_px)
    while (count := _steps(area.width, side) * _steps(area.height, side)) > most:
        side *= 1.1
    if count == 0 or max(width_px, height_px) < MIN_MAGNIFICATION * min(side, _longer(area)):
        return ()
    return tuple(
        Box(x, y, min(x + side, area.x2), min(y + side, area.y2)).rounded()
        for y in _starts(area.y1, area.height, side)
        for x in _starts(area.x1, area.width, side)
    )


def look_again(
    detector: Detector, image: Image, box: Box, thresholds: Mapping[str, float]
) -> float | None:
    """Look at a candidate by itself: the confidence it is found with again, 0 if it is not.

    ``thresholds``: labels that it may have, each with the confidence from which it counts. ``None``
    if the candidate is so large that it would not be seen closer. Raises
    :class:`~models.errors.InferenceError` as the detector does.
    """
    height, width = image.shape[:2]
    part = close_up(box, width, height, detector.image_size_px)
    if part is None:
        return None
    (found,) = detector.detect([image[int(part.y1) : int(part.y2), int(part.x1) : int(part.x2)]])
    return max(
        (
            item.confidence
            for item in found
            if item.confidence >= thresholds.get(item.label, float("inf"))
            and _is_again(_moved(item, part).box, box)
        ),
        default=0.0,
    )


def close_up(box: Box, width_px: int, height_px: int, image_size_px: int) -> Box | None:
    """The part of the picture to look at a candidate in; ``None`` if it would not be enlarged."""
    side = max(_longer(box) / CANDIDATE_SHARE, image_size_px / MOST_ENLARGED)
    if max(width_px, height_px) < MIN_MAGNIFICATION * side:
        return None
    x, y = box.center
    # Shifted into the picture, not cut: things at the border keep their surroundings.
    left = min(max(0.0, x - side / 2), max(0.0, width_px - side))
    top = min(max(0.0, y - side / 2), max(0.0, height_px - side))
    return Box(left, top, left + side, top + side).clipped(width_px, height_px).rounded()


def _is_again(found: Box, candidate: Box) -> bool:
    return found.iou(candidate) >= AGAIN_IOU or found.covered_by(candidate) >= AGAIN_COVER


def _steps(length: float, side: float) -> int:
    """How many overlapping sides it takes to cover a length."""
    if length <= 0:
        return 0
    return max(1, math.ceil((length - side) / (side * (1 - SLICE_OVERLAP_RATIO)) + 1))


def _starts(begin: float, length: float, side: float) -> list[float]:
    steps = _steps(length, side)
    gap = 0.0 if steps == 1 else (length - side) / (steps - 1)
    return [begin + step * gap for step in range(steps)]


def _around(points: Points, width: int, height: int, shortest: float) -> Box:
    """A zone's bounding box with room around it, at least ``shortest`` long, within the picture."""
    xs, ys = [x for x, _ in points], [y for _, y in points]
    bounds = Box(min(xs), min(ys), max(xs), max(ys)).clipped(width, height)
    margin = max(MARGIN_RATIO * _longer(bounds), MARGIN_OF_PICTURE_RATIO * max(width, height))
    scale = max(1.0, shortest / (_longer(bounds) + 2 * margin))
    half_w = (bounds.width / 2 + margin) * scale
    half_h = (bounds.height / 2 + margin) * scale
    x, y = bounds.center
    return Box(x - half_w, y - half_h, x + half_w, y + half_h).clipped(width, height).rounded()


def _joined(found: list[Box], region: Box, longest: float) -> list[Box]:
    """The regions with one more, joined to the first that it overlaps if both stay small enough."""
    for index, other in enumerate(found):
        union = region.union(other)
        if region.intersection(other) > 0 and _longer(union) <= longest:
            return [*found[:index], union, *found[index + 1 :]]
    return [*found, region]


def _longer(box: Box) -> float:
    return max(box.width, box.height)


def _moved(item: Detection, part: Box) -> Detection:
    box = item.box
    placed = Box(box.x1 + part.x1, box.y1 + part.y1, box.x2 + part.x1, box.y2 + part.y1)
    return replace(item, box=placed)


def _is_cut(box: Box, part: Box, width: int, height: int) -> bool:
    """Whether a box ends where its part does, but the picture goes on: the rest is missing."""
    near = CUT_MARGIN_PX
    return (
        (part.x1 > 0 and box.x1 < part.x1 + near)
        or (part.y1 > 0 and box.y1 < part.y1 + near)
        or (part.x2 < width and box.x2 > part.x2 - near)
        or (part.y2 < height and box.y2 > part.y2 - near)
    )


def _is_part(item: Detection, kept: Sequence[Detection]) -> bool:
    """Whether a larger thing of its kind, hardly less sure, holds it: half a car looks like one.

    A person before another is none: people do stand within each other's boxes.
    """
    kind = kind_of(item.label)
    return kind != PERSON and any(
        kind_of(other.label) == kind
        and other.confidence >= PART_CONFIDENCE_RATIO * item.confidence
        and item.box.area < other.box.area
        and item.box.covered_by(other.box) >= PART_RATIO
        for other in kept
    )


def _same(item: Detection, kept: Sequence[Detection]) -> int | None:
    kind = kind_of(item.label)
    for index, other in enumerate(kept):
        if kind_of(other.label) == kind and item.box.iou(other.box) >= SAME_IOU:
            return index
    return None
