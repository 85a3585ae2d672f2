"""From a network's raw numbers to detections: heads, confidence, non-maximum suppression."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from detector.backends.labels import LabelTable
from detector.backends.letterbox import FloatArray, Letterbox
from models.errors import InferenceError, WeightsError
from models.geometry import Box
from models.seeing import Detection

NMS_IOU_RATIO = 0.6
"""Two boxes of one label that overlap more are one object. Training libraries use 0.7 to favour
recall in figures; on streets the pairs between 0.6 and 0.7 are mostly one vehicle seen twice."""
MAX_DETECTIONS = 300
BOX_VALUES = 4
END_TO_END_VALUES = 6
"""x1, y1, x2, y2, confidence, class."""
MIN_ANCHORS = 21
"""Of the smallest input: 32×32 gives 16 + 4 + 1."""

IntArray = NDArray[np.int64]


class Head(StrEnum):
    """How a network of the YOLO family ends."""

    RAW = "raw"
    """(1, 4 + classes, anchors): centre and size, one score a class; overlaps remain (v8, 11)."""
    END_TO_END = "end-to-end"
    """(1, boxes, 6): corners, confidence, class; overlaps are gone (v10, 26)."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Candidates:
    """Boxes in the pixels of the network's input."""

    boxes: FloatArray
    """(n, 4) xyxy."""
    confidences: FloatArray
    classes: IntArray

    def take(self, chosen: NDArray[np.bool_] | IntArray) -> Candidates:
        """Some of them."""
        return Candidates(
            boxes=self.boxes[chosen],
            confidences=self.confidences[chosen],
            classes=self.classes[chosen],
        )


def head_of(shape: Sequence[int | None], class_count: int | None) -> Head:
    """Which head has an output of this shape (``None``: any length); else :class:`WeightsError`."""
    if len(shape) == 3 and shape[2] == END_TO_END_VALUES:
        return Head.END_TO_END
    rows = shape[1] if len(shape) == 3 else None
    columns = shape[2] if rows is not None else None
    fits = rows is not None and rows > BOX_VALUES and (columns is None or columns >= MIN_ANCHORS)
    if not fits or (class_count and rows != BOX_VALUES + class_count):
        raise WeightsError(
            f"the network's output has the shape {list(shape)}, and its names say"
            f" {class_count or 'no'} classes; a YOLO detector has (1, 4 + classes, anchors) or"
            " (1, boxes, 6). Export a detection model of YOLOv8, 10, 11, 12 or 26"
        )
    return Head.RAW


def decode(head: Head, output: FloatArray, min_confidence: float) -> Candidates:
    """Boxes of one image that are confident enough; ``output`` is (rows, columns).

    Raises :class:`InferenceError` if the network gave what is not a number.
    """
    if head is Head.END_TO_END:
        return _decode_end_to_end(output, min_confidence)
    return _decode_raw(output, min_confidence)


def to_detections(
    found: Candidates, table: LabelTable, letterbox: Letterbox, *, overlaps: bool
) -> tuple[Detection, ...]:
    """Label, suppress overlaps within a label if there can be any, and go back to the picture."""
    lookup = np.asarray(table.index_of_class, dtype=np.int64)
    if found.classes.size and not 0 <= int(found.classes.min()) <= int(found.classes.max()) < len(
        lookup
    ):
        raise InferenceError(f"the network named a class beyond its {len(lookup)}")
    found = Candidates(
        boxes=found.boxes, confidences=found.confidences, classes=lookup[found.classes]
    )
    found = found.take(found.classes >= 0)
    merged = len(set(table.index_of_class)) < len(table.index_of_class)
    kept = found.take(suppress(found) if overlaps or merged else _by_confidence(found))
    boxes = letterbox.to_picture(kept.boxes)
    return tuple(
        Detection(label=table.labels[label], confidence=float(confidence), box=Box(*corners))
        for label, confidence, corners in zip(
            kept.classes.tolist(), kept.confidences.tolist(), boxes.tolist(), strict=True
        )
        if corners[2] > corners[0] and corners[3] > corners[1]
    )


def suppress(found: Candidates, iou_ratio: float = NMS_IOU_RATIO) -> IntArray:
    """Indices of the boxes that stay when overlaps within a class go, best first."""
    if not found.confidences.size:
        return np.empty(0, dtype=np.int64)
    corners = found.boxes
    sizes = np.hstack([corners[:, :2], corners[:, 2:] - corners[:, :2]])
    kept = cv2.dnn.NMSBoxesBatched(
        sizes.tolist(),
        found.confidences.tolist(),
        found.classes.tolist(),
        0.0,
        iou_ratio,
    )
    indices = np.asarray(kept, dtype=np.int64).reshape(-1)
    return indices[_by_confidence(found.take(indices))]


def _by_confidence(found: Candidates) -> IntArray:
    return np.argsort(-found.confidences, kind="stable")[:MAX_DETECTIONS].astype(np.int64)


def _decode_raw(output: FloatArray, min_confidence: float) -> Candidates:
    scores = output[BOX_VALUES:]
    best = scores.max(axis=0)
    _check_finite(best)
    chosen = np.flatnonzero(best >= min_confidence)
    middle, half = output[:2, chosen].T, output[2:BOX_VALUES, chosen].T / 2
    boxes = np.hstack([middle - half, middle + half]).astype(np.float32)
    _check_finite(boxes)
    return Candidates(
        boxes=boxes,
        confidences=best[chosen],
        classes=scores[:, chosen].argmax(axis=0).astype(np.int64),
    )


def _decode_end_to_end(output: FloatArray, min_confidence: float) -> Candidates:
    _check_finite(output)
    rows = output[output[:, 4] >= min_confidence]
    return Candidates(
        boxes=rows[:, :BOX_VALUES].copy(),
        confidences=rows[:, 4].copy(),
        classes=rows[:, 5].astype(np.int64),
    )


def _check_finite(values: FloatArray) -> None:
    if not np.isfinite(values).all():
        raise InferenceError("the network gave values that are not numbers")
