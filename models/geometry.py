"""Boxes and points in the picture. Pixels, origin at the top left, y downwards."""

from __future__ import annotations

import math
from dataclasses import dataclass

Point = tuple[float, float]
"""(x, y), in pixels or as ratios of width and height: the holder says which."""

Points = tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Box:
    """An axis-aligned box ``x1, y1, x2, y2`` in pixels, ``x2 > x1`` and ``y2 > y1`` by convention.

    Positional on purpose: every library writes boxes in this order.
    """

    x1: float
    y1: float
    x2: float
    y2: float

    @property
    def width(self) -> float:
        """Width in pixels, never negative."""
        return self.x2 - self.x1 if self.x2 > self.x1 else 0.0

    @property
    def height(self) -> float:
        """Height in pixels, never negative."""
        return self.y2 - self.y1 if self.y2 > self.y1 else 0.0

    @property
    def area(self) -> float:
        """Area in square pixels."""
        if self.x2 <= self.x1 or self.y2 <= self.y1:
            return 0.0
        return (self.x2 - self.x1) * (self.y2 - self.y1)

    @property
    def size(self) -> float:
        """Geometric mean of the sides in pixels: the unit for "moved by half its size"."""
        return math.sqrt(self.area)

    @property
    def center(self) -> Point:
        """Middle of the box."""
        return ((self.x1 + self.x2) / 2, (self.y1 + self.y2) / 2)

    @property
    def anchor(self) -> Point:
        """Bottom centre: where the object touches the ground, the point that counts for zones."""
        return ((self.x1 + self.x2) / 2, self.y2)

    @property
    def xyxy(self) -> tuple[float, float, float, float]:
        """The four numbers in order."""
        return (self.x1, self.y1, self.x2, self.y2)

    def intersection(self, other: Box) -> float:
        """Area common to both boxes, in square pixels."""
        # Most boxes of a picture have nothing in common: that is found out first.
        if self.x2 <= other.x1 or other.x2 <= self.x1:
            return 0.0
        if self.y2 <= other.y1 or other.y2 <= self.y1:
            return 0.0
        width = min(self.x2, other.x2) - max(self.x1, other.x1)
        height = min(self.y2, other.y2) - max(self.y1, other.y1)
        return max(0.0, width) * max(0.0, height)

    def union(self, other: Box) -> Box:
        """Smallest box that holds both."""
        return Box(
            min(self.x1, other.x1),
            min(self.y1, other.y1),
            max(self.x2, other.x2),
            max(self.y2, other.y2),
        )

    def iou(self, other: Box) -> float:
        """Intersection over union, 0 to 1; 0 if both boxes are empty."""
        common = self.intersection(other)
        return common / (self.area + other.area - common) if common > 0 else 0.0

    def covered_by(self, other: Box) -> float:
        """Share of this box that lies in the other one, 0 to 1."""
        common = self.intersection(other)
        return common / self.area if common > 0 else 0.0

    def scaled(self, x_factor: float, y_factor: float) -> Box:
        """The same box in a picture whose sides are so many times as long."""
        return Box(self.x1 * x_factor, self.y1 * y_factor, self.x2 * x_factor, self.y2 * y_factor)

    def clipped(self, width_px: float, height_px: float) -> Box:
        """The part of the box that lies in a picture of this size."""
        return Box(
            min(max(self.x1, 0.0), width_px),
            min(max(self.y1, 0.0), height_px),
            min(max(self.x2, 0.0), width_px),
            min(max(self.y2, 0.0), height_px),
        )

    def rounded(self) -> Box:
        """The box with its sides on whole pixels."""
        return Box(*(float(round(side)) for side in self.xyxy))

    def grown(self, ratio: float) -> Box:
        """The box with ``ratio`` of its width and height added on every side."""
        dx, dy = self.width * ratio, self.height * ratio
        return Box(self.x1 - dx, self.y1 - dy, self.x2 + dx, self.y2 + dy)
