"""Precision and recall of one class over a data set, and what follows from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.training.scenes import Scene, match

RECALL_LEVELS = np.linspace(0.0, 1.0, 101)
"""Where COCO reads the curve."""

Numbers = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Ranked:
    """All detections of one class, the most confident first, and how many objects there are."""

    confidences: Numbers
    hits: Counts
    """1 where a detection hit an object, else 0."""
    scenes: Counts
    """Number of the picture of each detection."""
    objects: Counts
    """Labelled objects of each picture."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Outcome:
    """What one threshold gives, picture by picture."""

    shown: Counts
    """Detections at or above it."""
    right: Counts
    """Those of them that hit an object."""
    objects: Counts


def rank(scenes: Sequence[Scene], name: str) -> Ranked:
    """Match a class in every picture and put its detections in order."""
    rows: list[tuple[float, int, int]] = []
    objects = np.zeros(len(scenes), dtype=np.int64)
    for number, scene in enumerate(scenes):
        truth = [box for label, box in scene.truth if label == name]
        objects[number] = len(truth)
        pairs, _ = match((d for d in scene.found if d.label == name), truth)
        rows += [(d.confidence, int(hit is not None), number) for d, hit in pairs]
    rows.sort(key=lambda row: -row[0])
    return Ranked(
        confidences=np.array([row[0] for row in rows], dtype=np.float64),
        hits=np.array([row[1] for row in rows], dtype=np.int64),
        scenes=np.array([row[2] for row in rows], dtype=np.int64),
        objects=objects,
    )


def average_precision(ranked: Ranked, weights: Counts | None = None) -> float:
    """COCO's average precision at IoU 0.5 (101 recall levels); NaN without objects.

    ``weights``: how often each picture counts (bootstrap); by default once.
    """
    counted = np.ones(len(ranked.objects), dtype=np.int64) if weights is None else weights
    objects = int(counted @ ranked.objects)
    if not objects:
        return float("nan")
    # What comes after the last hit never raises the envelope.
    end = int(ranked.hits.nonzero()[0][-1]) + 1 if ranked.hits.any() else 0
    shown = counted[ranked.scenes[:end]]
    right = np.cumsum(shown * ranked.hits[:end])
    precision = right / np.maximum(np.cumsum(shown), 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    at = np.searchsorted(right / objects, RECALL_LEVELS, side="left")
    return float(np.append(envelope, 0.0)[at].mean())


def precision_recall(ranked: Ranked) -> tuple[Numbers, Numbers]:
    """Precision and recall after each detection; recall is 0 without objects."""
    right = np.cumsum(ranked.hits)
    precision = right / np.arange(1, len(right) + 1)
    return precision, right / max(1, int(ranked.objects.sum()))


def best_threshold(ranked: Ranked) -> float:
    """Confidence at which F1 is best; 0.5 where nothing was found or nothing is there."""
    objects = int(ranked.objects.sum())
    if not len(ranked.confidences) or not objects:
        return 0.5
    f1 = 2 * np.cumsum(ranked.hits) / (np.arange(1, len(ranked.hits) + 1) + objects)
    # Equal confidences are taken or left together.
    last = np.append(ranked.confidences[1:] != ranked.confidences[:-1], True)
    return float(ranked.confidences[int(np.argmax(np.where(last, f1, -1.0)))])


def outcome(ranked: Ranked, threshold: float) -> Outcome:
    """Counts of each picture at a threshold."""
    kept = ranked.confidences >= threshold
    pictures = len(ranked.objects)
    return Outcome(
        shown=np.bincount(ranked.scenes[kept], minlength=pictures),
        right=np.bincount(ranked.scenes[kept], ranked.hits[kept], pictures).astype(np.int64),
        objects=ranked.objects,
    )
