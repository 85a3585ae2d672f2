"""Watches the backgrounds of those zones whose rules ask for unknown objects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from detector.background.blobs import Blob, blobs_in
from detector.background.model import (
    BLUE,
    BRIGHTNESS,
    RED,
    TEXTURE,
    Background,
    Mask,
    Planes,
)
from models.geometry import Box, Points
from models.labels import UNKNOWN_OBJECT
from models.seeing import Detection, Image
from models.zone import Camera, Zone

GRID_POINTS = 160
"""Longer side of a zone's small picture. The smallest thing is about three points wide: 36 px where
the zone is as wide as a picture of 1920 px, 8 px where it is 400 px wide."""
GROWN_RATIO = 0.15
"""Boxes of known things are loose: so much around them is hidden too."""
KNOWN_SHARE = 0.2
"""A new thing of which so much is covered by a known one is that, or its shadow."""
GLOBAL_RATIO = 0.25
"""Where so much of a zone has changed, the light or the scene has: nothing is told ..."""
GLOBAL_S = 60.0
"""... and after so long what is there now is the background."""
LONGEST_STEP_S = 10.0
"""Looks further apart count as so far: nothing is known of the time between."""
SURE_STEP = 60.0
"""Mean change, in grey levels, from which a thing could not stand out more."""

Arrays = Mapping[str, NDArray[Any]]
_WINDOW = "window"
"""Where in the picture a zone was, kept with its background: one that was redrawn begins anew."""


@dataclass(kw_only=True, slots=True, eq=False)
class _Patch:
    """One zone's small picture in a picture of one size."""

    zone: Zone
    model: Background | None = None
    window: tuple[int, int, int, int] = (0, 0, 0, 0)
    """Left, top, right, bottom in pixels."""
    inside: Mask | None = None
    global_s: float = 0.0


class BackgroundWatch:
    """Unknown objects in one camera's zones. One owner at a time, frames in order.

    ``kept`` is what :meth:`arrays` gave before a restart; what does not fit is begun anew.
    """

    def __init__(self, camera: Camera, kept: Mapping[str, Arrays] | None = None) -> None:
        self._camera = camera
        self._patches = [
            _Patch(zone=zone, **_known(kept, zone.zone_id))
            for zone in camera.run_zones
            if any(UNKNOWN_OBJECT in rule.labels for rule in zone.rules)
        ]
        self._size_px: tuple[int, int] | None = None
        self._last_at: datetime | None = None

    @property
    def is_wanted(self) -> bool:
        """Whether any rule asks for unknown objects."""
        return bool(self._patches)

    def arrays(self) -> dict[str, dict[str, NDArray[Any]]]:
        """What is known of each zone, by its id."""
        return {
            patch.zone.zone_id: {**patch.model.arrays(), _WINDOW: np.array(patch.window)}
            for patch in self._patches
            if patch.model is not None
        }

    def look(self, image: Image, at: datetime, known: Iterable[Box]) -> tuple[Detection, ...]:
        """New things that stand still; ``known``: boxes of all that is known to be there."""
        if not self._patches:
            return ()
        elapsed_s = 0.0 if self._last_at is None else (at - self._last_at).total_seconds()
        self._last_at = at
        elapsed_s = min(max(elapsed_s, 0.0), LONGEST_STEP_S)
        self._fit(image)
        boxes = [box.grown(GROWN_RATIO) for box in known]
        return tuple(
            detection
            for patch in self._patches
            for detection in _seen(patch, image, boxes, elapsed_s)
        )

    def _fit(self, image: Image) -> None:
        size_px = (image.shape[1], image.shape[0])
        if size_px == self._size_px:
            return
        for patch in self._patches:
            corners = patch.zone.corners_px(self._camera.resolution, *size_px)
            window = _window(corners, size_px)
            patch.inside = _inside(corners, window)
            is_same = window == patch.window and patch.model is not None
            if not is_same or (patch.model and patch.model.slow.shape[:2] != patch.inside.shape):
                patch.model = None
            patch.window = window
        self._size_px = size_px


def _seen(patch: _Patch, image: Image, known: Sequence[Box], elapsed_s: float) -> list[Detection]:
    picture, inside = _small(image, patch.window), patch.inside
    if inside is None:
        return []
    if patch.model is None:
        patch.model = Background.begun(picture)
    change = patch.model.look(picture, _hidden(patch.window, inside, known), elapsed_s)
    if (change.all & inside).sum() > GLOBAL_RATIO * inside.sum():
        patch.global_s += elapsed_s
        if patch.global_s >= GLOBAL_S:
            patch.model.forget()
        return []
    patch.global_s = 0.0
    things = [
        (_box(blob, patch.window, inside), blob)
        for blob in blobs_in(change.settled & inside, patch.model.slow, patch.model.fast)
    ]
    return [
        Detection(
            label=UNKNOWN_OBJECT, confidence=min(1.0, 0.4 + 0.6 * blob.step / SURE_STEP), box=box
        )
        for box, blob in things
        if all(box.covered_by(other) < KNOWN_SHARE for other in known)
    ]


def _small(image: Image, window: tuple[int, int, int, int]) -> Planes:
    """A part of the picture, made small.

    Brightness is the green channel; red and blue are taken against it; texture is how rough it is.
    """
    left, top, right, bottom = window
    columns, rows = _grid(window)
    stride = max(1, min(right - left, bottom - top) // (2 * min(columns, rows)))
    thin = np.ascontiguousarray(image[top:bottom:stride, left:right:stride])
    small = cv2.resize(thin, (columns, rows), interpolation=cv2.INTER_AREA).astype(np.float32)
    found: Planes = np.empty((rows, columns, 4), np.float32)
    found[..., BRIGHTNESS] = small[..., 1]
    found[..., RED] = small[..., 2] - small[..., 1]
    found[..., BLUE] = small[..., 0] - small[..., 1]
    found[..., TEXTURE] = _roughness(thin[..., 1], (columns, rows))
    return found


def _roughness(green: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.float32]:
    """Mean step from point to point around each point of the small picture, in grey levels."""
    across = np.abs(cv2.Sobel(green, cv2.CV_16S, 1, 0, ksize=1))
    down = np.abs(cv2.Sobel(green, cv2.CV_16S, 0, 1, ksize=1))
    steps = (across + down).astype(np.float32)
    found: NDArray[np.float32] = cv2.resize(steps, size, interpolation=cv2.INTER_AREA)
    return found


def _grid(window: tuple[int, int, int, int]) -> tuple[int, int]:
    left, top, right, bottom = window
    scale = min(1.0, GRID_POINTS / max(right - left, bottom - top))
    return max(4, round((right - left) * scale)), max(4, round((bottom - top) * scale))


def _window(corners: Points, size_px: tuple[int, int]) -> tuple[int, int, int, int]:
    xs, ys = zip(*corners, strict=True)
    left, top = (int(max(0, min(values))) for values in (xs, ys))
    right, bottom = min(size_px[0], round(max(xs))), min(size_px[1], round(max(ys)))
    return left, top, max(right, left + 4), max(bottom, top + 4)


def _inside(corners: Points, window: tuple[int, int, int, int]) -> Mask:
    left, top, right, bottom = window
    columns, rows = _grid(window)
    factors = (columns / (right - left), rows / (bottom - top))
    points = [((x - left) * factors[0], (y - top) * factors[1]) for x, y in corners]
    filled = np.zeros((rows, columns), np.uint8)
    cv2.fillPoly(filled, [np.round(points).astype(np.int32)], 1)
    found: Mask = filled.astype(bool)
    return found


def _hidden(window: tuple[int, int, int, int], inside: Mask, known: Sequence[Box]) -> Mask:
    left, top, right, bottom = window
    rows, columns = inside.shape
    across, down = columns / (right - left), rows / (bottom - top)
    hidden = np.zeros(inside.shape, dtype=bool)
    for box in known:
        x1, x2 = ((side - left) * across for side in (box.x1, box.x2))
        y1, y2 = ((side - top) * down for side in (box.y1, box.y2))
        if x2 > 0 and y2 > 0:
            hidden[max(0, int(y1)) : int(np.ceil(y2)), max(0, int(x1)) : int(np.ceil(x2))] = True
    return hidden


def _box(blob: Blob, window: tuple[int, int, int, int], inside: Mask) -> Box:
    left, top, right, bottom = window
    rows, columns = inside.shape
    across, down = (right - left) / columns, (bottom - top) / rows
    return Box(
        left + blob.x1 * across,
        top + blob.y1 * down,
        left + blob.x2 * across,
        top + blob.y2 * down,
    )


def _known(kept: Mapping[str, Arrays] | None, zone_id: str) -> dict[str, Any]:
    """What was kept of a zone; nothing where that is of another version: it is learnt anew."""
    arrays = dict((kept or {}).get(zone_id, {}))
    try:
        left, top, right, bottom = (int(side) for side in arrays.pop(_WINDOW))
        model = Background.of_arrays(arrays)
    except (KeyError, ValueError):
        return {}
    return {"model": model, "window": (left, top, right, bottom)}
