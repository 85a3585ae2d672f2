"""A zone's polygon in the pixels of the analysed picture."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

import numpy as np
import shapely
from numpy.typing import NDArray

from models.geometry import Box, Point, Points
from models.zone import Zone

FOOT_STRIP_RATIO = 0.2
"""The lowest part of a vehicle's box that stands for the ground it covers."""


class ZoneShape:
    """A polygon prepared for many questions; coordinates are pixels of one picture size."""

    __slots__ = ("_height_px", "_polygon", "_width_px", "_x1", "_x2", "_y1", "_y2", "area")

    def __init__(self, corners: Points, width_px: int, height_px: int) -> None:
        if len(corners) < 3:
            raise ValueError(f"a zone needs at least 3 corners, got {len(corners)}")
        polygon = shapely.Polygon(corners)
        if not polygon.is_valid or polygon.area <= 0:
            raise ValueError(f"not a polygon: {shapely.is_valid_reason(polygon)}")
        shapely.prepare(polygon)
        self._polygon = polygon
        self._x1, self._y1, self._x2, self._y2 = polygon.bounds
        self._width_px, self._height_px = width_px, height_px
        self.area = float(polygon.area)

    @classmethod
    def of(
        cls, zone: Zone, resolution: tuple[int, int] | None, width_px: int, height_px: int
    ) -> Self:
        """Place a zone in a picture of this size.

        ``resolution`` is what pixel corners refer to; ``None`` means the picture itself.
        """
        corners = zone.corners_px(resolution, width_px, height_px)
        return cls(corners, width_px, height_px)

    def holds(self, point: Point) -> bool:
        """Is the point in the zone; its border belongs to it."""
        x, y = self._in_picture(point)
        if not (self._x1 <= x <= self._x2 and self._y1 <= y <= self._y2):
            return False
        return bool(shapely.intersects_xy(self._polygon, x, y))

    def distance_px(self, point: Point) -> float:
        """How far the point is from the zone; 0 in it."""
        if self.holds(point):
            return 0.0
        return float(shapely.distance(self._polygon, shapely.Point(self._in_picture(point))))

    def hold_which(self, points: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which of many points, shape (n, 2), are in the zone; the same answers as one by one."""
        x, y = self._all_in_picture(points)
        held = (self._x1 <= x) & (x <= self._x2) & (self._y1 <= y) & (y <= self._y2)
        held[held] = shapely.intersects_xy(self._polygon, x[held], y[held])
        return held

    def distances_px(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """How far each of many points, shape (n, 2), is from the zone; 0 in it."""
        distances = np.zeros(len(points))
        outside = ~self.hold_which(points)
        x, y = self._all_in_picture(points[outside])
        distances[outside] = shapely.distance(self._polygon, shapely.points(x, y))
        return distances

    def foot_share(self, box: Box) -> float:
        """Share, 0 to 1, of the lowest fifth of the box that lies in the zone."""
        bottom = min(box.y2, float(self._height_px))
        strip = Box(box.x1, bottom - FOOT_STRIP_RATIO * box.height, box.x2, bottom)
        return self._common(strip) / strip.area if strip.area > 0 else 0.0

    def hold_feet(self, boxes: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which of many boxes, shape (n, 4), have the whole of that strip in the zone."""
        bottom = np.minimum(boxes[:, 3], float(self._height_px))
        top = bottom - FOOT_STRIP_RATIO * np.maximum(boxes[:, 3] - boxes[:, 1], 0.0)
        strips = shapely.box(boxes[:, 0], top, boxes[:, 2], bottom)
        held: NDArray[np.bool_] = shapely.contains_properly(self._polygon, strips)
        return held

    def covered_share(self, boxes: Iterable[Box]) -> float:
        """Share, 0 to 1, of the zone that the boxes cover together."""
        parts = [shapely.clip_by_rect(self._polygon, *box.xyxy) for box in boxes if box.area > 0]
        return min(1.0, float(shapely.union_all(parts).area) / self.area)

    def _common(self, box: Box) -> float:
        return float(shapely.clip_by_rect(self._polygon, *box.xyxy).area)

    def _in_picture(self, point: Point) -> Point:
        # A box cut off by the picture's edge ends on it, one pixel below the last row that an
        # operator can draw on: what touches the edge counts as standing on the last pixel.
        return (
            min(max(point[0], 0.0), self._width_px - 1.0),
            min(max(point[1], 0.0), self._height_px - 1.0),
        )

    def _all_in_picture(
        self, points: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        x = np.minimum(np.maximum(points[:, 0], 0.0), self._width_px - 1.0)
        y = np.minimum(np.maximum(points[:, 1], 0.0), self._height_px - 1.0)
        return x, y
