"""A picture of a zone's background at two rates: what has always been there, and what is there now.

Small grey pictures; time is an argument, so that looks may come at any rate. What stands in front
(known things) is left out of both, and never becomes background.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

Luma = NDArray[np.float32]
"""Grey levels 0 to 255, shape (rows, columns)."""
Mask = NDArray[np.bool_]

SLOW_S = 900.0
"""Time constant of the background: dusk and shadows that wander are taken in."""
FAST_S = 4.0
"""Time constant of the present: what only passes leaves no trace."""
KNOWN_S = 20.0
"""A place must have been seen free for so long before anything can be new there."""
SETTLED_S = 6.0
"""A change must have lasted for so long without a break: what passes slowly does not."""
HIDDEN_HOLD_S = 10.0
"""What was in front a moment ago may still be, though the detector missed it."""
HOLD_S = 86_400.0
"""What is new stays out of the background for a day; then it belongs there."""
LEAST_STEP = 14.0
"""Grey levels below which nothing counts as changed ..."""
NOISE_FACTOR = 5.0
"""... nor below so many times the usual unrest of the place: leaves, water, screens."""
STILL_STEP = 10.0
"""Grey levels by which the present picture may differ from the fast one where nothing moves."""
LEAST_LEVEL = 4.0
"""Darker pictures have no gain to speak of."""
_NEIGHBOURS = np.ones((3, 3), np.uint8)
"""Masts sway: a point may look like any of its neighbours in the background."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Change:
    """Where a picture differs from the background."""

    all: Mask
    settled: Mask
    """Where what is new stands still, and has for a while."""


@dataclass(kw_only=True, slots=True, eq=False)
class Background:
    """The two pictures and what is known of each point; all of one shape."""

    slow: Luma
    fast: Luma
    noise: Luma
    """Usual difference from look to look."""
    known_s: Luma
    """For how long it was seen free, up to ``KNOWN_S``."""
    hidden_s: Luma
    """For how long, from now on, it counts as hidden."""
    changed_s: Luma
    """Since when it is changed without a break; 0: it is not."""

    @classmethod
    def begun(cls, picture: Luma) -> Self:
        """Nothing is known yet: all that is there is background."""
        zeros = np.zeros_like(picture)
        return cls(
            slow=picture.copy(),
            fast=picture.copy(),
            noise=zeros.copy(),
            known_s=zeros.copy(),
            hidden_s=zeros.copy(),
            changed_s=zeros.copy(),
        )

    def arrays(self) -> dict[str, NDArray[np.float16]]:
        """All of it, to be kept; half precision is finer than any threshold here."""
        return {item.name: getattr(self, item.name).astype(np.float16) for item in fields(self)}

    @classmethod
    def of_arrays(cls, arrays: dict[str, NDArray[np.float16]]) -> Self:
        """What :meth:`arrays` gave; raises :class:`KeyError` or :class:`ValueError` if not."""
        found = {item.name: arrays[item.name].astype(np.float32) for item in fields(cls)}
        if len({array.shape for array in found.values()}) != 1 or found["slow"].ndim != 2:
            raise ValueError("pictures of a background that do not fit each other")
        return cls(**found)

    def look(self, picture: Luma, hidden: Mask, elapsed_s: float) -> Change:
        """Take in a picture; where it differs from the background.

        ``hidden``: where something known is in front; ``elapsed_s`` is watched time.
        """
        self.hidden_s = np.where(hidden, HIDDEN_HOLD_S, np.maximum(self.hidden_s - elapsed_s, 0.0))
        free = self.hidden_s <= 0
        level = self._level(picture, free)
        unrest = np.abs(level - self.fast)
        rate = np.float32(1 - np.exp(-elapsed_s / FAST_S))
        self.fast += np.where(free, rate * (level - self.fast), 0.0)
        limit = np.maximum(LEAST_STEP, NOISE_FACTOR * self.noise)
        differs = (self._beyond(self.fast) > limit) & (self._beyond(level) > limit)
        changed = differs & free & (self.known_s >= KNOWN_S)
        self._learn(unrest, free, changed, elapsed_s)
        still: Mask = unrest <= np.maximum(STILL_STEP, limit)
        settled: Mask = changed & still & (self.changed_s >= SETTLED_S)
        return Change(all=changed, settled=settled)

    def forget(self) -> None:
        """The whole scene has changed: what is there now is background."""
        self.slow, self.changed_s = self.fast.copy(), np.zeros_like(self.slow)
        self.known_s = np.zeros_like(self.slow)

    def _level(self, picture: Luma, free: Mask) -> Luma:
        """The picture in the light of the background: what moves is outvoted by what is fixed."""
        points = free & (self.slow > LEAST_LEVEL)
        if not points.any():
            return picture
        gain = float(np.median(picture[points] / self.slow[points]))
        return picture / np.float32(max(gain, 0.01))

    def _beyond(self, picture: Luma) -> Luma:
        """By how much each point is outside of what the background has around it."""
        high = cv2.dilate(self.slow, _NEIGHBOURS)
        low = cv2.erode(self.slow, _NEIGHBOURS)
        found: Luma = np.maximum(np.maximum(picture - high, low - picture), 0.0)
        return found

    def _learn(self, unrest: Luma, free: Mask, changed: Mask, elapsed_s: float) -> None:
        self.changed_s = np.where(
            changed, self.changed_s + elapsed_s, np.where(free, 0.0, self.changed_s)
        ).astype(np.float32)
        is_new = (self.changed_s > 0) & (self.changed_s < HOLD_S)
        quick = np.where(self.known_s < KNOWN_S, FAST_S, SLOW_S)
        rate = (1 - np.exp(-elapsed_s / quick)).astype(np.float32)
        rate = np.where(free & ~is_new, rate, np.float32(0.0))
        over = self.changed_s >= HOLD_S
        self.slow = np.where(over, self.fast, self.slow + rate * (self.fast - self.slow))
        self.noise += rate * (np.minimum(unrest, 64.0) - self.noise)
        self.known_s = np.where(
            free, np.minimum(self.known_s + elapsed_s, KNOWN_S), self.known_s
        ).astype(np.float32)
