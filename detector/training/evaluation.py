"""Scores any detector on labelled images: average precision, best threshold, false alarms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from detector.backends.protocol import Detector
from detector.training.bootstrap import (
    Interval,
    mean_of_classes,
    percentile_interval,
    precision_interval,
    recall_interval,
    resampled_precisions,
)
from detector.training.confusion import Confusion, confusion
from detector.training.curves import (
    Outcome,
    Ranked,
    average_precision,
    best_threshold,
    outcome,
    rank,
)
from detector.training.evaluation_data import EvaluationData
from detector.training.rates import AlarmRate
from detector.training.scenes import Scene, limited, look_at, scored_names

DIGITS = 4


class ThresholdOrigin(StrEnum):
    """Where an operating threshold comes from."""

    GIVEN = "given"
    """By the registry, or by whoever asked."""
    BEST_F1 = "best_f1"
    """Chosen on this very data, which flatters precision and recall."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ClassScore:
    """How well one class is found. Intervals are for 95 %."""

    map50: float
    map50_interval: Interval | None
    precision: float
    """At ``threshold``, as recall and false alarms are."""
    precision_interval: Interval | None
    recall: float
    recall_interval: Interval | None
    threshold: float
    threshold_from: ThresholdOrigin
    best_f1_threshold: float
    """What would be best on this very data."""
    objects: int
    false_alarms: AlarmRate
    """On pictures without an object of this class."""

    def as_json(self) -> dict[str, Any]:
        """The score as it is written for other programs."""
        return {
            "map50": round(self.map50, DIGITS),
            "precision": round(self.precision, DIGITS),
            "recall": round(self.recall, DIGITS),
            "threshold": round(self.threshold, DIGITS),
            "threshold_from": self.threshold_from.value,
            "best_f1_threshold": round(self.best_f1_threshold, DIGITS),
            "objects": self.objects,
            "map50_interval": _rounded(self.map50_interval),
            "precision_interval": _rounded(self.precision_interval),
            "recall_interval": _rounded(self.recall_interval),
            "false_alarms_per_1000_negative_images": self.false_alarms.as_json(),
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """Scores of one detector on one data set."""

    images: int
    map50: float
    """Mean over the classes that have labelled objects."""
    map50_interval: Interval | None
    classes: Mapping[str, ClassScore]
    negative_images: int
    """Images without any object of a scored class."""
    false_alarms_per_100_images: float | None
    """Detections above threshold on negative images, a hundred of them; None without any."""
    confusion: Confusion

    def as_json(self) -> dict[str, Any]:
        """The report as it is written for other programs."""
        alarms = self.false_alarms_per_100_images
        return {
            "images": self.images,
            "map50": round(self.map50, DIGITS),
            "map50_interval": _rounded(self.map50_interval),
            "classes": {name: score.as_json() for name, score in self.classes.items()},
            "negative_images": self.negative_images,
            "false_alarms_per_100_images": None if alarms is None else round(alarms, 2),
            "confusion": self.confusion.as_json(),
        }


def evaluate(
    detector: Detector, data: EvaluationData, thresholds: Mapping[str, float] | None = None
) -> Report:
    """Show every image to ``detector`` and score it."""
    names = scored_names(data, detector.labels)
    scenes = limited(look_at(detector, data.images).scenes, names)
    return score_scenes(scenes, names, thresholds or {})


def score_scenes(
    scenes: Sequence[Scene], names: Sequence[str], thresholds: Mapping[str, float]
) -> Report:
    """Score detections that were made before; scenes hold the classes ``names`` only.

    ``thresholds``: operating thresholds that are known; other classes get that of best F1.
    """
    ranked = {name: rank(scenes, name) for name in names}
    rounds = resampled_precisions(list(ranked.values()))
    classes = {
        name: _class_score(one, thresholds.get(name), percentile_interval(rounds[:, column]))
        for column, (name, one) in enumerate(ranked.items())
    }
    present = [score.map50 for score in classes.values() if score.objects]
    chosen = {name: score.threshold for name, score in classes.items()}
    negatives = [scene for scene in scenes if not scene.truth]
    alarms = sum(d.confidence >= chosen[d.label] for s in negatives for d in s.found)
    return Report(
        images=len(scenes),
        map50=float(np.mean(present)) if present else 0.0,
        map50_interval=percentile_interval(mean_of_classes(rounds)),
        classes=classes,
        negative_images=len(negatives),
        false_alarms_per_100_images=100 * alarms / len(negatives) if negatives else None,
        confusion=confusion(scenes, names, chosen),
    )


def _class_score(ranked: Ranked, given: float | None, interval: Interval | None) -> ClassScore:
    best = best_threshold(ranked)
    threshold = best if given is None else given
    at = outcome(ranked, threshold)
    shown, right, objects = (int(counts.sum()) for counts in (at.shown, at.right, at.objects))
    return ClassScore(
        map50=average_precision(ranked) if objects else 0.0,
        map50_interval=interval,
        precision=right / shown if shown else 0.0,
        precision_interval=precision_interval(at),
        recall=right / objects if objects else 0.0,
        recall_interval=recall_interval(at),
        threshold=threshold,
        threshold_from=ThresholdOrigin.BEST_F1 if given is None else ThresholdOrigin.GIVEN,
        best_f1_threshold=best,
        objects=objects,
        false_alarms=false_alarms(at),
    )


def false_alarms(at: Outcome) -> AlarmRate:
    """What is shown on the pictures that have no object of the class."""
    negative = at.objects == 0
    return AlarmRate(alarms=int(at.shown[negative].sum()), pictures=int(negative.sum()))


def _rounded(interval: Interval | None) -> list[float] | None:
    return None if interval is None else [round(end, DIGITS) for end in interval]
