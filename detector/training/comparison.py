"""Two detectors on the same pictures: what differs, and what may be chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from detector.training.bootstrap import (
    ROUNDS,
    SEED,
    Interval,
    mean_of_classes,
    percentile_interval,
    resampled_precisions,
)
from detector.training.curves import Numbers, average_precision, rank
from detector.training.evaluation import DIGITS
from detector.training.scenes import Scene

Better = Literal["a", "b"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """Average precision at IoU 0.5 of both, and their difference (b - a)."""

    a: float
    b: float
    interval: Interval | None
    """95 % for the difference; None without objects."""

    @property
    def better(self) -> Better | None:
        """Which is better beyond chance: the interval leaves out 0. None: cannot be told."""
        if self.interval is None or self.interval[0] <= 0 <= self.interval[1]:
            return None
        return "b" if self.interval[0] > 0 else "a"

    def as_json(self) -> dict[str, Any]:
        """The difference as it is written for other programs."""
        interval = self.interval
        return {
            "a": round(self.a, DIGITS),
            "b": round(self.b, DIGITS),
            "difference": round(self.b - self.a, DIGITS),
            "interval": None if interval is None else [round(end, DIGITS) for end in interval],
            "better": self.better,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """Differences by class, and of their mean."""

    map50: Difference
    classes: Mapping[str, Difference]


def compare(
    a: Sequence[Scene],
    b: Sequence[Scene],
    names: Sequence[str],
    rounds: int = ROUNDS,
    seed: int = SEED,
) -> Comparison:
    """Paired bootstrap: in every round both are scored on the same pictures drawn.

    ``a`` and ``b`` show the same pictures in the same order, with the classes ``names`` only.
    """
    ranked = [[rank(scenes, name) for name in names] for scenes in (a, b)]
    exact = np.array([[average_precision(one) for one in side] for side in ranked])
    drawn = [resampled_precisions(side, rounds, seed) for side in ranked]
    classes = {
        name: _difference(exact[:, column], drawn[0][:, column], drawn[1][:, column])
        for column, name in enumerate(names)
    }
    means = [mean_of_classes(side) for side in drawn]
    mean = _difference(mean_of_classes(exact), means[0], means[1])
    return Comparison(map50=mean, classes=classes)


def _difference(exact: Numbers, a: Numbers, b: Numbers) -> Difference:
    both = np.nan_to_num(exact)
    return Difference(a=float(both[0]), b=float(both[1]), interval=percentile_interval(b - a))
