"""How far figures would move on other pictures like these: bootstrap over whole pictures.

Pictures are drawn, not objects, since objects of one picture are found or missed together. Frames
of one clip resemble each other too, which this does not know: then intervals are too narrow.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from detector.training.curves import Counts, Numbers, Outcome, Ranked, average_precision
from models.intervals import wilson

ROUNDS = 1000
SEED = 20260105
"""Fixed, so that the same detections always give the same interval."""
CONFIDENCE = 0.95
_TAIL_PERCENT = 100 * (1 - CONFIDENCE) / 2

Interval = tuple[float, float]


def draws(pictures: int, rounds: int = ROUNDS, seed: int = SEED) -> Iterator[Counts]:
    """How often each picture counts, round by round: as many draws as there are pictures."""
    random = np.random.default_rng(seed)
    for _ in range(rounds):
        yield np.bincount(random.integers(0, pictures, pictures), minlength=pictures)


def resampled_precisions(
    ranked: Sequence[Ranked], rounds: int = ROUNDS, seed: int = SEED
) -> Numbers:
    """Average precision at IoU 0.5 by round and class; NaN where no object was drawn.

    The same pictures are drawn for all classes of a round, and for every detector that is given
    the same pictures and seed: differences of two results are paired.
    """
    if not ranked:
        return np.zeros((rounds, 0))
    weights = draws(len(ranked[0].objects), rounds, seed)
    return np.array([[average_precision(one, drawn) for one in ranked] for drawn in weights])


def percentile_interval(values: Numbers) -> Interval | None:
    """Where 95 % of the rounds lie; None if none has a value."""
    known = values[~np.isnan(values)]
    if not len(known):
        return None
    low, high = np.percentile(known, (_TAIL_PERCENT, 100 - _TAIL_PERCENT))
    return float(low), float(high)


def mean_of_classes(values: Numbers) -> Numbers:
    """Mean over the classes that a round has objects of; NaN for a round without any."""
    known = ~np.isnan(values)
    total = np.where(known, values, 0.0).sum(axis=1)
    return np.where(known.any(axis=1), total / np.maximum(known.sum(axis=1), 1), np.nan)


def ratio_interval(hits: Counts, trials: Counts, seed: int = SEED) -> Interval | None:
    """95 % for a ratio of sums over pictures; None without trials.

    The wider of the bootstrap and Wilson's interval: with few hits, or none missed, the bootstrap
    has seen too little to spread.
    """
    expected = wilson(int(hits.sum()), int(trials.sum()))
    if expected is None:
        return None
    drawn = np.array([(w @ hits, w @ trials) for w in draws(len(hits), seed=seed)], dtype=float)
    spread = percentile_interval(drawn[:, 0][drawn[:, 1] > 0] / drawn[:, 1][drawn[:, 1] > 0])
    low, high = expected
    return (low, high) if spread is None else (min(low, spread[0]), max(high, spread[1]))


def precision_interval(at: Outcome) -> Interval | None:
    """95 % for the precision at a threshold; None where nothing is shown."""
    return ratio_interval(at.right, at.shown)


def recall_interval(at: Outcome) -> Interval | None:
    """95 % for the recall at a threshold; None without objects."""
    return ratio_interval(at.right, at.objects)
