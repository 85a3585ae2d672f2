"""A picture of a zone's background at two rates: what has always been there, and what is there now.

Small pictures of brightness, colour and texture; time is an argument, so that looks may come at any
rate. What stands in front (known things) is left out of both, and never becomes background.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

Luma = NDArray[np.float32]
"""Grey levels 0 to 255, shape (rows, columns)."""
Planes = NDArray[np.float32]
"""Brightness, two of colour, texture, in grey levels; shape (rows, columns, 4)."""
BRIGHTNESS, RED, BLUE, TEXTURE = range(4)
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
LEAST_STEP = np.array([14.0, 12.0, 12.0, 10.0], np.float32)
"""Grey levels below which nothing counts as changed, for each plane ..."""
NOISE_FACTOR = 5.0
"""... nor below so many times the usual unrest of the place: leaves, water, screens."""
STILL_STEP = np.array([10.0, 10.0, 10.0, 10.0], np.float32)
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
    """The two pictures and what is known of each point; all of as many rows and columns."""

    slow: Planes
    fast: Planes
    noise: Planes
    """Usual difference from look to look."""
    known_s: Luma
    """For how long it was seen free, up to ``KNOWN_S``."""
    hidden_s: Luma
    """For how long, from now on, it counts as hidden."""
    changed_s: Luma
    """Since when it is changed without a break; 0: it is not."""

    @classmethod
    def begun(cls, picture: Planes) -> Self:
        """Nothing is known yet: all that is there is background."""
        zeros = np.zeros(picture.shape[:2], np.float32)
        return cls(
            slow=picture.copy(),
            fast=picture.copy(),
            noise=np.zeros_like(picture),
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
        shapes = {array.shape[:2] for array in found.values()}
        planes = {found[name].shape[2:] for name in ("slow", "fast", "noise")}
        if len(shapes) != 1 or planes != {(TEXTURE + 1,)}:
            raise ValueError("pictures of a background that do not fit each other")
        return cls(**found)

    def look(self, picture: Planes, hidden: Mask, elapsed_s: float) -> Change:
        """Take in a picture; where it differs from the background.

        ``hidden``: where something known is in front; ``elapsed_s`` is watched time.
        """
        self.hidden_s = np.where(hidden, HIDDEN_HOLD_S, np.maximum(self.hidden_s - elapsed_s, 0.0))
        free: Mask = self.hidden_s <= 0
        level = self._level(picture, free)
        unrest = np.abs(level - self.fast)
        rate = np.float32(1 - np.exp(-elapsed_s / FAST_S))
        self.fast += np.where(free[..., None], rate * (level - self.fast), np.float32(0.0))
        limit = np.maximum(LEAST_STEP, NOISE_FACTOR * self.noise)
        beyond = (self._beyond(self.fast) > limit) & (self._beyond(level) > limit)
        beyond[..., TEXTURE] = _surface(beyond[..., TEXTURE])
        changed: Mask = beyond.any(axis=2) & free & (self.known_s >= KNOWN_S)
        self._learn(unrest, free, changed, elapsed_s)
        still = (unrest <= np.maximum(STILL_STEP, limit)).all(axis=2)
        settled: Mask = changed & still & (self.changed_s >= SETTLED_S)
        return Change(all=changed, settled=settled)

    def forget(self) -> None:
        """The whole scene has changed: what is there now is background."""
        self.slow, self.changed_s = self.fast.copy(), np.zeros_like(self.changed_s)
        self.known_s = np.zeros_like(self.known_s)

    def _level(self, picture: Planes, free: Mask) -> Planes:
        """The picture in the light of the background: what moves is outvoted by what is fixed."""
        points = free & (self.slow[..., BRIGHTNESS] > LEAST_LEVEL)
        if not points.any():
            return picture
        known = self.slow[points]
        ratios = picture[points, BRIGHTNESS] / known[:, BRIGHTNESS]
        level: Planes = picture / np.float32(max(float(np.median(ratios)), 0.01))
        # Lamps and dusk tint everything alike.
        tint = np.median(level[points][:, RED : BLUE + 1] - known[:, RED : BLUE + 1], axis=0)
        level[..., RED : BLUE + 1] -= tint
        return level

    def _beyond(self, picture: Planes) -> Planes:
        """By how much each point is outside of what the background has around it."""
        high = cv2.dilate(self.slow, _NEIGHBOURS)
        low = cv2.erode(self.slow, _NEIGHBOURS)
        found: Planes = np.maximum(np.maximum(picture - high, low - picture), 0.0)
        return found

    def _learn(self, unrest: Planes, free: Mask, changed: Mask, elapsed_s: float) -> None:
        self.changed_s = np.where(
            changed, self.changed_s + elapsed_s, np.where(free, 0.0, self.changed_s)
        ).astype(np.float32)
        is_new = (self.changed_s > 0) & (self.changed_s < HOLD_S)
        quick = np.where(self.known_s < KNOWN_S, FAST_S, SLOW_S)
        share = (1 - np.exp(-elapsed_s / quick)).astype(np.float32)
        rate = np.where(free & ~is_new, share, np.float32(0.0))[..., None]
        over = (self.changed_s >= HOLD_S)[..., None]
        self.slow = np.where(over, self.fast, self.slow + rate * (self.fast - self.slow))
        self.noise += rate * (np.minimum(unrest, np.float32(64.0)) - self.noise)
        self.known_s = np.where(
            free, np.minimum(self.known_s + elapsed_s, KNOWN_S), self.known_s
        ).astype(np.float32)


def _surface(rough: Mask) -> Mask:
    """Where a surface has another roughness, without outlines: those are rough on any ground."""
    opened = cv2.morphologyEx(rough.astype(np.uint8), cv2.MORPH_OPEN, _NEIGHBOURS)
    found: Mask = opened.astype(bool)
    return found
