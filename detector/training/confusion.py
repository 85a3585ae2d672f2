"""What is taken for what at the operating thresholds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.training.scenes import MATCH_IOU, Scene, match
from models.geometry import Box
from models.seeing import Detection

BACKGROUND = "background"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Confusion:
    """Counts, rows: what is there; columns: what was found. The last of each is background."""

    labels: tuple[str, ...]
    """With background."""
    counts: NDArray[np.int64]

    def as_json(self) -> dict[str, Any]:
        """The matrix as it is written for other programs."""
        return {"labels": list(self.labels), "there_by_found": self.counts.tolist()}


def confusion(
    scenes: Sequence[Scene], names: Sequence[str], thresholds: Mapping[str, float]
) -> Confusion:
    """Match within each class first, as the scores do; then what is left with what overlaps it."""
    labels = (*names, BACKGROUND)
    counts = np.zeros((len(labels), len(labels)), dtype=np.int64)
    for scene in scenes:
        for there, found in _pairs(scene, names, thresholds):
            counts[labels.index(there), labels.index(found)] += 1
    return Confusion(labels=labels, counts=counts)


def _pairs(
    scene: Scene, names: Sequence[str], thresholds: Mapping[str, float]
) -> list[tuple[str, str]]:
    shown = [d for d in scene.found if d.confidence >= thresholds[d.label]]
    pairs: list[tuple[str, str]] = []
    missed: list[tuple[str, Box]] = []
    false: list[Detection] = []
    for name in names:
        truth = [box for label, box in scene.truth if label == name]
        matched, free = match((d for d in shown if d.label == name), truth)
        pairs += [(name, name) for _, hit in matched if hit is not None]
        false += [detection for detection, hit in matched if hit is None]
        missed += [(name, box) for box in free]
    return pairs + _across(false, missed)


def _across(false: list[Detection], missed: list[tuple[str, Box]]) -> list[tuple[str, str]]:
    free = list(missed)
    pairs = []
    for detection in sorted(false, key=lambda d: -d.confidence):
        best = max(free, key=lambda item: detection.box.iou(item[1]), default=None)
        if best is None or detection.box.iou(best[1]) < MATCH_IOU:
            pairs.append((BACKGROUND, detection.label))
        else:
            free.remove(best)
            pairs.append((best[0], detection.label))
    return pairs + [(label, BACKGROUND) for label, _ in free]
