"""Whether a polygon can be a zone: enough area, no crossing, inside the picture."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from shapely import MultiPoint, Polygon
from shapely.validation import explain_validity

from models.geometry import Points

LARGEST_RATIO_GUESS = 2.0
"""Without ``units``, numbers up to this are ratios (one that is mistyped too), others pixels:
nobody draws a zone of two pixels."""

MIN_AREA = {"ratio": 1e-6, "pixels": 1.0}
"""About one pixel; less is a line."""


def read_points(value: Any) -> Points | None:
    """The corners without a repeated closing one, or None where the value is no such list."""
    if not isinstance(value, list) or not all(_is_point(point) for point in value):
        return None
    points = tuple((float(x), float(y)) for x, y in value)
    closed = len(points) > 1 and points[0] == points[-1]
    return points[:-1] if closed else points


def guess_units(points: Points) -> str:
    """``ratio`` or ``pixels``, judged by the numbers."""
    largest = max(abs(number) for point in points for number in point)
    return "ratio" if largest <= LARGEST_RATIO_GUESS else "pixels"


def mixes_units(points: Points) -> bool:
    """Some numbers look like ratios while others are too large for it."""
    return any(0 < number < 1 for point in points for number in point)


def shape_problem(points: Points, units: str) -> str | None:
    """Why the polygon is no zone, or None."""
    if len(set(points)) < 3:
        return f"needs at least 3 different points, got {len(set(points))}"
    if MultiPoint(points).convex_hull.area < MIN_AREA[units]:
        return "has no area: its points lie on one line or in one place"
    polygon = Polygon(points)
    if not polygon.is_valid:
        return _describe_crossing(explain_validity(polygon))
    if polygon.area < MIN_AREA[units]:
        return "has no area: its points lie on one line or in one place"
    return None


def outside(points: Points, width: float, height: float) -> Iterator[tuple[int, str]]:
    """Index and text of every corner that is not in the picture."""
    for index, (x, y) in enumerate(points):
        if not (0 <= x <= width and 0 <= y <= height):
            yield index, f"({x:g}, {y:g})"


def _describe_crossing(reason: str) -> str:
    """Shapely says ``Self-intersection[0.5 0.5]`` or ``Ring Self-intersection[3 4]``."""
    place = reason.partition("[")[2].rstrip("]")
    numbers = ", ".join(f"{float(number):.4g}" for number in place.split())
    verb = "touches" if reason.startswith("Ring") else "crosses"
    return f"{verb} itself at ({numbers})"


def _is_point(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(is_number(n) for n in value)


def is_number(value: Any) -> bool:
    """Whether it is a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
