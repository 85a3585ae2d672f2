"""Operating thresholds for a stated rate of false alarms, from pictures with nothing to find."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from detector.training.curves import Numbers
from detector.training.rates import PER, RULE_OF_THREE, AlarmRate
from models.city import ModelChoice

LOWEST_THRESHOLD = ModelChoice().min_confidence
"""What is less sure the daemon does not even track, unless it is told to."""
HIGHEST_THRESHOLD = 1.0
TRAFFIC = frozenset({"person", "bicycle", "car", "motorcycle", "bus", "truck"})
"""What any street shows: a picture with them is still one without anything to report."""
FOLDS = 5
"""Parts of the pictures for the cross-check."""
_STEPS = 1000
"""Thresholds are rounded up to a thousandth, to be read and typed."""

Sightings = Mapping[str, Sequence[tuple[int, float]]]
"""By class: (number of the picture, confidence) of everything that was found there."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ClassLimit:
    """The operating threshold of one class."""

    threshold: float
    allowed: int
    """Alarms that this class may give on these pictures."""
    rate: AlarmRate
    """What it gives on them."""

    def as_json(self) -> dict[str, Any]:
        """The limit as it is written for other programs."""
        return {"threshold": self.threshold, "allowed": self.allowed, **self.rate.as_json()}


@dataclass(frozen=True, kw_only=True, slots=True)
class Calibration:
    """Thresholds of all classes and what they promise."""

    pictures: int
    asked_per_1000: float
    limits: Mapping[str, ClassLimit]
    rate: AlarmRate
    """Of all classes together, on the pictures that chose the thresholds: flattering."""
    cross_checked: AlarmRate
    """Of all classes together, on pictures that did not choose the thresholds they are held to."""

    @property
    def kept(self) -> bool:
        """Whether the rate asked for is kept on these pictures."""
        return PER * self.rate.alarms <= self.asked_per_1000 * self.pictures

    @property
    def enough(self) -> bool:
        """Whether so many pictures could show the rate at all."""
        return self.pictures >= needed_pictures(self.asked_per_1000)

    @property
    def thresholds(self) -> dict[str, float]:
        """Operating threshold by class."""
        return {name: limit.threshold for name, limit in self.limits.items()}

    def as_json(self) -> dict[str, Any]:
        """The calibration as it is written for other programs."""
        return {
            "pictures": self.pictures,
            "asked_per_1000": self.asked_per_1000,
            "classes": {name: limit.as_json() for name, limit in self.limits.items()},
            "rate": self.rate.as_json(),
            "cross_checked": self.cross_checked.as_json(),
            "kept": self.kept,
            "needed_pictures": needed_pictures(self.asked_per_1000),
            "enough_pictures": self.enough,
        }


def calibrate(
    seen: Sightings,
    pictures: int,
    asked_per_1000: float,
    known: Mapping[str, float] | None = None,
) -> Calibration:
    """Lowest thresholds at which ``pictures`` negatives give no more alarms than asked for.

    The allowance (whole alarms) is shared equally; what does not divide goes, one each, to the
    classes whose threshold falls most by it. Every detection counts, several in a picture too.
    ``known``: operating thresholds that the model comes with. Too few pictures raise them, but
    never lower them: nothing seen on few pictures is no reason to look less strictly.
    """
    lowest = dict.fromkeys(seen, LOWEST_THRESHOLD)
    if pictures < needed_pictures(asked_per_1000):
        lowest |= {name: max(LOWEST_THRESHOLD, t) for name, t in (known or {}).items()}
    limits = _limits(seen, pictures, asked_per_1000, lowest)
    return Calibration(
        pictures=pictures,
        asked_per_1000=asked_per_1000,
        limits=limits,
        rate=AlarmRate(alarms=sum(x.rate.alarms for x in limits.values()), pictures=pictures),
        cross_checked=_cross_checked(seen, pictures, asked_per_1000, lowest),
    )


def needed_pictures(asked_per_1000: float) -> int:
    """So many without any alarm would show the rate with 95 % confidence (rule of three)."""
    return math.ceil(RULE_OF_THREE * PER / asked_per_1000)


def threshold_for(confidences: Numbers, allowed: int, lowest: float = LOWEST_THRESHOLD) -> float:
    """Lowest threshold, in thousandths, that no more than ``allowed`` of them reach.

    At least ``lowest``; at most :data:`HIGHEST_THRESHOLD`, which one that is quite sure (1.0) still
    reaches.
    """
    falling = np.sort(confidences)[::-1]
    if len(falling) <= allowed or falling[allowed] < lowest:
        return lowest
    first_out = float(falling[allowed])
    step = math.floor(first_out * _STEPS) + 1
    if step / _STEPS <= first_out:  # it lies on a step, and the product was rounded down
        step += 1
    return min(HIGHEST_THRESHOLD, step / _STEPS)


def _limits(
    seen: Sightings, pictures: int, asked_per_1000: float, lowest: Mapping[str, float]
) -> dict[str, ClassLimit]:
    confidences = {name: np.array([c for _, c in found]) for name, found in seen.items()}
    allowed = _shares(confidences, math.floor(asked_per_1000 * pictures / PER), lowest)
    limits = {}
    for name, values in confidences.items():
        threshold = threshold_for(values, allowed[name], lowest[name])
        alarms = int((values >= threshold).sum())
        rate = AlarmRate(alarms=alarms, pictures=pictures)
        limits[name] = ClassLimit(threshold=threshold, allowed=allowed[name], rate=rate)
    return limits


def _shares(
    confidences: Mapping[str, Numbers], total: int, lowest: Mapping[str, float]
) -> dict[str, int]:
    equal, rest = divmod(total, max(1, len(confidences)))

    def gain(name: str) -> float:
        values, floor = confidences[name], lowest[name]
        return threshold_for(values, equal, floor) - threshold_for(values, equal + 1, floor)

    favoured = sorted(confidences, key=gain, reverse=True)[:rest]
    return {name: equal + (name in favoured) for name in confidences}


def _cross_checked(
    seen: Sightings, pictures: int, asked_per_1000: float, lowest: Mapping[str, float]
) -> AlarmRate:
    """Each part is held to thresholds that the others chose; parts are runs of neighbours.

    Neighbouring pictures are often of one clip and alike, so they belong on one side.
    """
    folds = min(FOLDS, pictures)
    alarms = 0
    for fold in range(folds if folds > 1 else 0):
        low, high = fold * pictures // folds, (fold + 1) * pictures // folds
        rest = {
            name: [(n, c) for n, c in found if not low <= n < high] for name, found in seen.items()
        }
        limits = _limits(rest, pictures - (high - low), asked_per_1000, lowest)
        alarms += sum(
            c >= limits[name].threshold
            for name, found in seen.items()
            for n, c in found
            if low <= n < high
        )
    return AlarmRate(alarms=alarms, pictures=pictures if folds > 1 else 0)
