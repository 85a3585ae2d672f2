"""Boxes of what is visible, from the renderer's index picture; pure.

The index picture gives each pixel the number of the labelled thing that is seen there, 0 for all
else. How much of a thing is hidden is told by its silhouette: its projected faces, filled.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from detector.training.synth.camera import HEIGHT_PX, WIDTH_PX, Camera, Floats
from detector.training.synth.kinds import LABEL_IDS

Box = tuple[int, int, int, int]
"""x0, y0, x1, y1 in pixels; x1 and y1 are the first column and row outside."""

MIN_VISIBLE_RATIO = 0.3
MIN_LONG_PX, MIN_SHORT_PX = 8, 3
MARGIN_PX = 400
"""Silhouettes are filled this far outside the picture, so that what it cuts off counts."""


def visible_box(index: NDArray[np.uint8], number: int) -> Box | None:
    """Box of the pixels (h, w) that show a thing, or ``None`` if none does."""
    rows, columns = np.nonzero(index == number)
    if len(rows) == 0:
        return None
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


def silhouette_px(camera: Camera, triangles: Floats) -> int:
    """Pixels that world triangles (n, 3, 3) would cover if nothing hid or cut them off.

    Triangles below a pixel count as the pixel of their middle: half of the edge too much.
    """
    flat = camera.pixels(triangles.reshape(-1, 3)).reshape(-1, 3, 2) + MARGIN_PX
    flat = flat[~np.isnan(flat).any(axis=(1, 2))]
    canvas = np.zeros((HEIGHT_PX + 2 * MARGIN_PX, WIDTH_PX + 2 * MARGIN_PX), dtype=bool)
    small = np.ptp(flat, axis=1).max(axis=1) <= 1.0
    middles = np.floor(flat[small].mean(axis=1)).astype(int)
    middles = middles[((middles >= 0) & (middles < canvas.shape[::-1])).all(axis=1)]
    canvas[middles[:, 1], middles[:, 0]] = True
    for corners in flat[~small]:
        _fill(canvas, corners)
    return int(canvas.sum())


def _fill(canvas: NDArray[np.bool_], corners: Floats) -> None:
    """Set the pixels whose centres are in a triangle."""
    height, width = canvas.shape
    x0, y0 = np.maximum(np.floor(corners.min(axis=0)), 0).astype(int)
    x1, y1 = np.minimum(np.ceil(corners.max(axis=0)), (width, height)).astype(int)
    if x1 <= x0 or y1 <= y0:
        return
    x = np.arange(x0, x1) + 0.5
    y = np.arange(y0, y1)[:, None] + 0.5
    (ax, ay), (bx, by), (cx, cy) = corners
    first = (bx - ax) * (y - ay) - (by - ay) * (x - ax)
    second = (cx - bx) * (y - by) - (cy - by) * (x - bx)
    third = (ax - cx) * (y - cy) - (ay - cy) * (x - cx)
    inside = ((first >= 0) & (second >= 0) & (third >= 0)) | (
        (first <= 0) & (second <= 0) & (third <= 0)
    )
    canvas[y0:y1, x0:x1] |= inside


def is_shown(index: NDArray[np.uint8], number: int, whole_px: int) -> bool:
    """Whether enough of a thing is seen to label it."""
    box = visible_box(index, number)
    if box is None:
        return False
    sides = sorted((box[2] - box[0], box[3] - box[1]))
    if sides[1] < MIN_LONG_PX or sides[0] < MIN_SHORT_PX:
        return False
    return int((index == number).sum()) >= MIN_VISIBLE_RATIO * whole_px


def yolo_line(label: str, box: Sequence[float]) -> str:
    """One line of a label file."""
    x0, y0, x1, y1 = box
    middle = (x0 + x1) / 2 / WIDTH_PX, (y0 + y1) / 2 / HEIGHT_PX
    size = (x1 - x0) / WIDTH_PX, (y1 - y0) / HEIGHT_PX
    return " ".join([str(LABEL_IDS[label]), *(f"{value:.6f}" for value in (*middle, *size))])


def label_text(boxes: Iterable[tuple[str, Box]]) -> str:
    """Contents of a label file."""
    return "".join(yolo_line(label, box) + "\n" for label, box in boxes)
