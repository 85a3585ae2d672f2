"""From a point in the picture to the place on the ground that it shows.

A camera that does not move sees flat ground by a homography. Four or more points of which both the
place in the picture and the coordinates are known give it. Lengths are measured in a plane that
touches the earth amid those points, x to the east and y to the north; within the few hundred metres
that a camera sees, the plane and the earth differ by less than a millimetre.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from models.geometry import Box, Point

FARTHEST_M = 300.0
"""Ground farther from the middle of the points is not located: the camera's height was not given,
and errors grow with the square of the distance."""
COARSEST_M_PER_PX = 1.0
"""Nor is ground of which a pixel of height is longer: near the horizon boxes are not so exact."""

EQUATOR_M = 6_378_137.0
FLATTENING_E2 = 6.694379990e-3
"""WGS 84: half the greater axis, and the square of the eccentricity."""

Triple = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class GroundPoint:
    """A point on the ground that was found both in the picture and on the map."""

    x: float
    y: float
    """Ratios, 0 to 1, of the picture's sides, from the top left."""
    latitude: float
    longitude: float
    """Degrees, WGS 84."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Footing:
    """Where something stands, and how large it is as far as its box tells."""

    latitude: float
    longitude: float
    width_m: float | None
    """Across the line of sight, at its foot; ``None``: it is cut off by the picture's edge."""
    length_m: float | None
    """Along the line of sight, if all of it lies flat on the ground; ``None``: cut off as well."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GroundPlane:
    """The flat ground as one camera sees it."""

    latitude: float
    longitude: float
    """Where the plane touches the earth; its origin."""
    matrix: tuple[Triple, Triple, Triple]
    """Picture ratios to metres east and north, both homogeneous; the third coordinate is positive
    for all that lies on the ground in front of the camera."""

    def metres(self, point: Point) -> Point | None:
        """Metres east and north of the origin; ``None``: at or above the horizon.

        ``point``: ratios of the picture's sides.
        """
        x, y = point
        east, north, depth = (a * x + b * y + c for a, b, c in self.matrix)
        return (east / depth, north / depth) if depth > 1e-9 else None

    def coordinates(self, metres: Point) -> tuple[float, float]:
        """Latitude and longitude in degrees of a place given in metres east and north."""
        per_east, per_north = metres_per_degree(self.latitude)
        longitude = self.longitude + metres[0] / per_east
        return self.latitude + metres[1] / per_north, (longitude + 180.0) % 360.0 - 180.0

    def picture(self, latitude: float, longitude: float) -> Point | None:
        """Where a place is seen, as ratios; ``None``: behind the camera."""
        east, north = offset_m((self.latitude, self.longitude), (latitude, longitude))
        x, y, depth = np.linalg.solve(np.array(self.matrix), np.array([east, north, 1.0]))
        return (float(x / depth), float(y / depth)) if depth > 1e-12 else None

    def footing(self, box: Box, width_px: int, height_px: int) -> Footing | None:
        """Where the thing in a box stands, by the middle of its lower side.

        ``None``: too far to be told, or beyond the horizon. ``box``: pixels of a picture of this
        size.
        """
        seen = box.clipped(width_px, height_px)
        foot = self._located(seen.anchor, width_px, height_px)
        if foot is None:
            return None
        latitude, longitude = self.coordinates(foot)
        return Footing(
            latitude=latitude,
            longitude=longitude,
            width_m=self._width_m(seen, width_px, height_px),
            length_m=self._length_m(seen, foot, width_px, height_px),
        )

    def _located(self, point_px: Point, width_px: int, height_px: int) -> Point | None:
        """Metres, if the place is near enough to be told."""
        x, y = point_px
        here = self.metres((x / width_px, y / height_px))
        above = self.metres((x / width_px, (y - 1) / height_px))
        if here is None or above is None or math.hypot(*here) > FARTHEST_M:
            return None
        return here if math.dist(here, above) <= COARSEST_M_PER_PX else None

    def _width_m(self, seen: Box, width_px: int, height_px: int) -> float | None:
        if seen.x1 <= 0 or seen.x2 >= width_px:
            return None
        left = self.metres((seen.x1 / width_px, seen.y2 / height_px))
        right = self.metres((seen.x2 / width_px, seen.y2 / height_px))
        return None if left is None or right is None else math.dist(left, right)

    def _length_m(self, seen: Box, foot: Point, width_px: int, height_px: int) -> float | None:
        if seen.y1 <= 0 or seen.y2 >= height_px:
            return None
        far = self._located((seen.anchor[0], seen.y1), width_px, height_px)
        return None if far is None else math.dist(foot, far)


def metres_per_degree(latitude: float) -> tuple[float, float]:
    """Metres of one degree to the east and of one to the north, at a latitude (WGS 84)."""
    sine = math.sin(math.radians(latitude))
    rest = 1.0 - FLATTENING_E2 * sine * sine
    to_east = EQUATOR_M / math.sqrt(rest) * math.cos(math.radians(latitude))
    to_north = EQUATOR_M * (1.0 - FLATTENING_E2) / rest**1.5
    return math.radians(1.0) * to_east, math.radians(1.0) * to_north


def offset_m(origin: tuple[float, float], place: tuple[float, float]) -> Point:
    """Metres east and north from one place (latitude, longitude) to one near it."""
    per_east, per_north = metres_per_degree(origin[0])
    east = (place[1] - origin[1] + 180.0) % 360.0 - 180.0
    return east * per_east, (place[0] - origin[0]) * per_north


def distance_m(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Metres between two places (latitude, longitude) near each other."""
    return math.hypot(*offset_m(one, other))


def upright(footing: Footing) -> Footing:
    """Of something that stands: its box rises from the ground and tells nothing of its length."""
    return replace(footing, length_m=None)
