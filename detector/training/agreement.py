"""How well a detector agrees with a teacher on unlabelled images, by size of the object."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.backends.protocol import Detector
from detector.training.bootstrap import Interval, ratio_interval
from detector.training.scenes import MATCH_IOU
from models.geometry import Box
from models.seeing import Detection, Image

SURE = 0.4
"""Teacher boxes from this confidence are what should be found."""
POSSIBLE = 0.15
"""A detection on a teacher box from this confidence is not held against the student."""
PRECISION = 0.9
"""Recall is given at the lowest threshold with this precision."""
SIZE_LIMITS_PX = (24.0, 48.0)
"""Limits between small, medium and large: geometric mean of the sides as the network sees it."""
SIZES = ("small", "medium", "large")


@dataclass(frozen=True, kw_only=True, slots=True)
class SizeRecall:
    """Recall of one group of the teacher's boxes."""

    objects: int
    recall: float | None
    """None where the teacher saw none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Agreement:
    """Recall of a teacher's boxes at equal precision."""

    pictures: int
    threshold: float
    """Lowest confidence with this precision over all labels."""
    precision: float
    recall: float
    recall_interval: Interval | None
    """95 %, pictures resampled; None where the teacher saw nothing."""
    by_size: Mapping[str, SizeRecall]
    by_label: Mapping[str, SizeRecall]

    def as_json(self) -> dict[str, Any]:
        """The agreement as it is written for other programs."""
        return {**asdict(self), "size_limits_px": list(SIZE_LIMITS_PX)}


@dataclass(frozen=True, kw_only=True, slots=True)
class _Match:
    confidence: float
    right: bool
    """On a box that the teacher thinks possible."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Wanted:
    picture: int
    label: str
    size_px: float
    found_at: float
    """Confidence of the student's best detection on it; 0 if there is none."""


def agreement(
    student: Detector,
    teacher: Detector,
    images: Iterable[Image],
    labels: Sequence[str],
    image_size_px: int = 640,
) -> Agreement:
    """Compare both on ``images``; both must answer down to a low confidence."""
    matches: list[_Match] = []
    wanted: list[_Wanted] = []
    pictures = 0
    for picture, image in enumerate(images):
        pictures += 1
        (ours,), (theirs,) = student.detect([image]), teacher.detect([image])
        scale = image_size_px / max(image.shape[:2])
        for label in labels:
            found = [d for d in ours if d.label == label]
            truth = [d for d in theirs if d.label == label]
            matches += [_match(d, truth) for d in found]
            sure = [d for d in truth if d.confidence >= SURE]
            wanted += [_want(picture, d, found, scale) for d in sure]
    return _summary(matches, wanted, labels, pictures)


def _match(detection: Detection, truth: Sequence[Detection]) -> _Match:
    right = any(t.confidence >= POSSIBLE and t.box.iou(detection.box) >= MATCH_IOU for t in truth)
    return _Match(confidence=detection.confidence, right=right)


def _want(picture: int, truth: Detection, found: Sequence[Detection], scale: float) -> _Wanted:
    box: Box = truth.box
    hits = [d.confidence for d in found if d.box.iou(box) >= MATCH_IOU]
    return _Wanted(
        picture=picture,
        label=truth.label,
        size_px=box.size * scale,
        found_at=max(hits, default=0.0),
    )


def _summary(
    matches: Sequence[_Match], wanted: Sequence[_Wanted], labels: Sequence[str], pictures: int
) -> Agreement:
    threshold, precision = _operating_point(matches)
    found = np.array([w.found_at >= threshold for w in wanted], dtype=np.int64)
    size = np.digitize([w.size_px for w in wanted], SIZE_LIMITS_PX)
    label = np.array([labels.index(w.label) for w in wanted], dtype=np.int64)
    picture = np.array([w.picture for w in wanted], dtype=np.int64)
    hits = np.bincount(picture, found, pictures).astype(np.int64)
    return Agreement(
        pictures=pictures,
        threshold=threshold,
        precision=precision,
        recall=float(found.mean()) if len(found) else 0.0,
        recall_interval=ratio_interval(hits, np.bincount(picture, minlength=pictures)),
        by_size={name: _recall(found[size == n]) for n, name in enumerate(SIZES)},
        by_label={name: _recall(found[label == n]) for n, name in enumerate(labels)},
    )


def _recall(found: NDArray[np.int64]) -> SizeRecall:
    return SizeRecall(objects=len(found), recall=float(found.mean()) if len(found) else None)


def _operating_point(matches: Sequence[_Match]) -> tuple[float, float]:
    """Lowest confidence from which on :data:`PRECISION` is reached, and the precision there."""
    ordered = sorted(matches, key=lambda m: -m.confidence)
    right = np.cumsum([m.right for m in ordered])
    precision = right / np.arange(1, len(ordered) + 1)
    good = np.flatnonzero(precision >= PRECISION)
    if not len(good):
        return 1.0, 0.0
    return ordered[int(good[-1])].confidence, float(precision[good[-1]])
