"""How well a detector agrees with a teacher on unlabelled images, by size of the object."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from detector.backends.protocol import Detector
from models.geometry import Box
from models.seeing import Detection, Image

MATCH_IOU = 0.5
SURE = 0.4
"""Teacher boxes from this confidence are what should be found."""
POSSIBLE = 0.15
"""A detection on a teacher box from this confidence is not held against the student."""
PRECISION = 0.9
"""Recall is given at the lowest threshold with this precision."""
SIZE_LIMITS_PX = (24.0, 48.0)
"""Limits between small, medium and large: geometric mean of the sides as the network sees it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Agreement:
    """Recall of a teacher's boxes at equal precision."""

    threshold: float
    precision: float
    recall: float
    recall_by_size: tuple[float | None, float | None, float | None]
    """Small, medium, large; None where the teacher saw none."""
    objects_by_size: tuple[int, int, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Match:
    confidence: float
    right: bool
    """On a box that the teacher thinks possible."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Wanted:
    size_px: float
    found_at: float
    """Confidence of the student's best detection on it; 0 if there is none."""


def agreement(
    student: Detector,
    teacher: Detector,
    images: Sequence[Image],
    labels: Sequence[str],
    image_size_px: int = 640,
) -> Agreement:
    """Compare both on ``images``; both must answer down to a low confidence."""
    matches: list[_Match] = []
    wanted: list[_Wanted] = []
    for image in images:
        (ours,), (theirs,) = student.detect([image]), teacher.detect([image])
        scale = image_size_px / max(image.shape[:2])
        for label in labels:
            found = [d for d in ours if d.label == label]
            truth = [d for d in theirs if d.label == label]
            matches += [_match(d, truth) for d in found]
            wanted += [_want(d, found, scale) for d in truth if d.confidence >= SURE]
    return _summary(matches, wanted)


def _match(detection: Detection, truth: Sequence[Detection]) -> _Match:
    right = any(t.confidence >= POSSIBLE and t.box.iou(detection.box) >= MATCH_IOU for t in truth)
    return _Match(confidence=detection.confidence, right=right)


def _want(truth: Detection, found: Sequence[Detection], scale: float) -> _Wanted:
    box: Box = truth.box
    hits = [d.confidence for d in found if d.box.iou(box) >= MATCH_IOU]
    return _Wanted(size_px=box.size * scale, found_at=max(hits, default=0.0))


def _summary(matches: Sequence[_Match], wanted: Sequence[_Wanted]) -> Agreement:
    threshold, precision = _operating_point(matches)
    sizes = np.array([w.size_px for w in wanted])
    found = np.array([w.found_at >= threshold for w in wanted], dtype=bool)
    bins = np.digitize(sizes, SIZE_LIMITS_PX) if len(wanted) else np.array([], dtype=int)
    recalls = [float(found[bins == b].mean()) if (bins == b).any() else None for b in range(3)]
    small, medium, large = (int((bins == b).sum()) for b in range(3))
    return Agreement(
        threshold=threshold,
        precision=precision,
        recall=float(found.mean()) if len(found) else 0.0,
        recall_by_size=(recalls[0], recalls[1], recalls[2]),
        objects_by_size=(small, medium, large),
    )


def _operating_point(matches: Sequence[_Match]) -> tuple[float, float]:
    """Lowest confidence from which on :data:`PRECISION` is reached, and the precision there."""
    ordered = sorted(matches, key=lambda m: -m.confidence)
    right = np.cumsum([m.right for m in ordered])
    precision = right / np.arange(1, len(ordered) + 1)
    good = np.flatnonzero(precision >= PRECISION)
    if not len(good):
        return 1.0, 0.0
    return ordered[int(good[-1])].confidence, float(precision[good[-1]])
