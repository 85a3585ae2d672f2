"""Scores any detector on labelled images: average precision, best threshold, false alarms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.backends.protocol import Detector
from detector.training.evaluation_data import EvaluationData
from models.geometry import Box
from models.seeing import Detection

MATCH_IOU = 0.5
"""Overlap from which a detection counts as a labelled object (the 50 of mAP50)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ClassScore:
    """How well one class is found."""

    map50: float
    precision: float
    """At ``threshold``."""
    recall: float
    """At ``threshold``."""
    threshold: float
    """Confidence at which F1 is best, or the operating threshold that was given."""
    objects: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """Scores of one detector on one data set."""

    images: int
    map50: float
    """Mean over the classes that have labelled objects."""
    classes: Mapping[str, ClassScore]
    negative_images: int
    """Images without any object of a scored class."""
    false_alarms_per_100_images: float | None
    """Detections above threshold on negative images, a hundred of them; None without any."""

    def as_json(self) -> dict[str, Any]:
        """The report as it is written for other programs."""
        figures = ("map50", "precision", "recall", "threshold")
        alarms = self.false_alarms_per_100_images
        return {
            "images": self.images,
            "map50": round(self.map50, 4),
            "classes": {
                name: {figure: round(getattr(score, figure), 4) for figure in figures}
                for name, score in self.classes.items()
            },
            "false_alarms_per_100_images": None if alarms is None else round(alarms, 2),
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Scene:
    """What was found in one image and what is there."""

    found: tuple[Detection, ...]
    truth: tuple[tuple[str, Box], ...]


def scored_names(data: EvaluationData, labels: Sequence[str]) -> tuple[str, ...]:
    """Classes to score: what the YAML says, otherwise those that both sides know by name."""
    return data.score or tuple(name for name in data.names if name in labels)


def evaluate(
    detector: Detector, data: EvaluationData, thresholds: Mapping[str, float] | None = None
) -> Report:
    """Show every image to ``detector`` and score it.

    The detector must answer down to a low confidence, or average precision is cut off.
    """
    names = scored_names(data, detector.labels)
    scenes = []
    for item in data.images:
        image, truth = item.read()
        (found,) = detector.detect([image])
        scenes.append(
            Scene(
                found=tuple(d for d in found if d.label in names),
                truth=tuple((label, box) for label, box in truth if label in names),
            )
        )
    return score_scenes(scenes, names, thresholds or {})


def score_scenes(
    scenes: Sequence[Scene], names: Sequence[str], thresholds: Mapping[str, float]
) -> Report:
    """Score detections that were made before."""
    precisions = average_precisions(scenes, names)
    classes = {
        name: _class_score(scenes, name, precisions.get(name, 0.0), thresholds.get(name))
        for name in names
    }
    present = [score.map50 for score in classes.values() if score.objects]
    negatives = [scene for scene in scenes if not scene.truth]
    alarms = sum(d.confidence >= classes[d.label].threshold for s in negatives for d in s.found)
    return Report(
        images=len(scenes),
        map50=float(np.mean(present)) if present else 0.0,
        classes=classes,
        negative_images=len(negatives),
        false_alarms_per_100_images=100 * alarms / len(negatives) if negatives else None,
    )


def average_precisions(scenes: Iterable[Scene], names: Sequence[str]) -> dict[str, float]:
    """Average precision at IoU 0.5 per class that has objects (COCO's, by supervision)."""
    import supervision as sv
    from supervision.metrics import MeanAveragePrecision

    number = {name: index for index, name in enumerate(names)}
    found, truth, present = [], [], set[str]()
    for scene in scenes:
        found.append(
            _sv_detections(
                sv,
                [d.box for d in scene.found],
                [number[d.label] for d in scene.found],
                [d.confidence for d in scene.found],
            )
        )
        boxes = [box for _, box in scene.truth]
        truth.append(_sv_detections(sv, boxes, [number[label] for label, _ in scene.truth], None))
        present |= {label for label, _ in scene.truth}
    if not present:
        return {}
    result = MeanAveragePrecision().update(found, truth).compute()
    rows = {int(c): row for c, row in zip(result.matched_classes, result.ap_per_class, strict=True)}
    return {name: max(0.0, float(rows[number[name]][0])) for name in present}


def _sv_detections(
    sv: Any, boxes: Sequence[Box], numbers: Sequence[int], confidences: Sequence[float] | None
) -> Any:
    if not boxes:
        return sv.Detections.empty()
    return sv.Detections(
        xyxy=np.array([box.xyxy for box in boxes], dtype=np.float32),
        class_id=np.array(numbers, dtype=int),
        confidence=None if confidences is None else np.array(confidences, dtype=np.float32),
    )


def _class_score(
    scenes: Sequence[Scene], name: str, precision: float, threshold: float | None
) -> ClassScore:
    confidences, hits, objects = match_class(scenes, name)
    order = np.argsort(-confidences, kind="stable")
    confidences, hits = confidences[order], hits[order].cumsum()
    chosen = best_threshold(confidences, hits, objects) if threshold is None else threshold
    kept = int((confidences >= chosen).sum())
    right = int(hits[kept - 1]) if kept else 0
    return ClassScore(
        map50=precision,
        precision=right / kept if kept else 0.0,
        recall=right / objects if objects else 0.0,
        threshold=chosen,
        objects=objects,
    )


def best_threshold(confidences: NDArray[np.float64], hits: NDArray[np.int_], objects: int) -> float:
    """Confidence at which F1 is best; 0.5 where nothing was found. Falling confidences."""
    if not len(confidences) or not objects:
        return 0.5
    f1 = 2 * hits / (np.arange(1, len(hits) + 1) + objects)
    # Equal confidences are taken or left together.
    last = np.append(confidences[1:] != confidences[:-1], True)
    return float(confidences[int(np.argmax(np.where(last, f1, -1.0)))])


def match_class(
    scenes: Sequence[Scene], name: str
) -> tuple[NDArray[np.float64], NDArray[np.int_], int]:
    """Confidence of each detection of a class, whether it hit an object, number of objects.

    The most confident takes the object that it overlaps most; each object is taken once.
    """
    confidences: list[float] = []
    hits: list[int] = []
    objects = 0
    for scene in scenes:
        free = [box for label, box in scene.truth if label == name]
        objects += len(free)
        found = [detection for detection in scene.found if detection.label == name]
        for detection in sorted(found, key=lambda d: -d.confidence):
            best = max(free, key=detection.box.iou, default=None)
            hit = best is not None and detection.box.iou(best) >= MATCH_IOU
            if hit and best is not None:
                free.remove(best)
            confidences.append(detection.confidence)
            hits.append(int(hit))
    return np.array(confidences, dtype=np.float64), np.array(hits, dtype=np.int_), objects
