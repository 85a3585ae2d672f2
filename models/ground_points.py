"""The ground as a camera sees it, out of points that somebody found on the map.

Checks come first: people exchange points, coordinates and signs.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from models.ground import GroundPlane, GroundPoint, Triple, distance_m, offset_m

MIN_POINTS = 4
MAX_POINTS = 20
"""More make nothing better, and every four of them are looked at."""
LARGEST_ERROR_M = 2.0
"""With more than four points, so far each may lie from where all of them together put it."""
FARTHEST_FROM_CAMERA_M = 1000.0
"""A point farther from the camera's own coordinates is a mistake: nothing is recognised there."""
FLATTEST_RATIO = 0.01
"""Three points whose triangle is flatter than this share of their extent are on one line."""

Matrix = npt.NDArray[np.float64]


def ground_plane(points: Sequence[GroundPoint]) -> GroundPlane:
    """The ground by its points, in any order; raises :class:`ValueError` if they cannot be right.

    The message is for people, who count the points from 1.
    """
    if len(points) < MIN_POINTS:
        raise ValueError(f"needs at least {MIN_POINTS} points, got {len(points)}")
    origin = _middle(points)
    seen = np.array([(point.x, point.y) for point in points])
    real = np.array([offset_m(origin, (p.latitude, p.longitude)) for p in points])
    _refuse_lines(seen, real)
    _refuse_mixed_up(seen, real)
    plane = GroundPlane(latitude=origin[0], longitude=origin[1], matrix=_homography(seen, real))
    _refuse_far_off(plane, seen, real)
    return plane


def far_points(points: Sequence[GroundPoint], camera: tuple[float, float]) -> Iterator[str]:
    """What is wrong with points that lie too far from the camera's latitude and longitude."""
    for number, point in enumerate(points, start=1):
        distance = distance_m(camera, (point.latitude, point.longitude))
        if distance > FARTHEST_FROM_CAMERA_M:
            yield (
                f"point {number} lies {distance / 1000:,.1f} km from the camera's location"
                f" (at most {FARTHEST_FROM_CAMERA_M / 1000:g} km)"
            )


def _middle(points: Sequence[GroundPoint]) -> tuple[float, float]:
    first = points[0].longitude
    east = [(point.longitude - first + 180.0) % 360.0 - 180.0 for point in points]
    # Sums that do not depend on the order of the points.
    latitude = math.fsum(point.latitude for point in points) / len(points)
    return latitude, (first + math.fsum(east) / len(points) + 180.0) % 360.0 - 180.0


def _turn(corners: Matrix) -> float:
    """Twice the area of a triangle; its sign tells which way round its corners go."""
    (ax, ay), (bx, by), (cx, cy) = corners.tolist()
    return float((bx - ax) * (cy - ay) - (by - ay) * (cx - ax))


def _is_flat(corners: Matrix, extent: float) -> bool:
    return abs(_turn(corners)) <= FLATTEST_RATIO * extent


def _extent(places: Matrix) -> float:
    """Square of the greatest distance between two of them."""
    return max(float(np.sum((a - b) ** 2)) for a, b in itertools.combinations(places, 2))


def _refuse_lines(seen: Matrix, real: Matrix) -> None:
    for where, places in (("in the picture", seen), ("on the map", real)):
        extent = _extent(places)
        triples = list(itertools.combinations(range(len(places)), 3))
        flat = [triple for triple in triples if _is_flat(places[list(triple)], extent)]
        if len(places) == MIN_POINTS and flat:
            numbers = ", ".join(str(index + 1) for index in flat[0])
            raise ValueError(f"the points {numbers} lie on one line {where}")
        if not any(_is_spread(four, set(flat)) for four in _fours(len(places))):
            raise ValueError(f"all points but one lie on one line {where}: spread them out")


def _fours(count: int) -> Iterator[tuple[int, ...]]:
    return itertools.combinations(range(count), 4)


def _is_spread(four: tuple[int, ...], flat: set[tuple[int, int, int]]) -> bool:
    return not any(triple in flat for triple in itertools.combinations(four, 3))


def _orientations(seen: Matrix, real: Matrix) -> set[bool]:
    """Whether triangles go round alike in the picture and on the map; flat ones say nothing.

    In the picture y grows downwards: seen from above, what goes round alike has opposite signs.
    """
    extents = (_extent(seen), _extent(real))
    found: set[bool] = set()
    for triple in itertools.combinations(range(len(seen)), 3):
        one, other = seen[list(triple)], real[list(triple)]
        if not (_is_flat(one, extents[0]) or _is_flat(other, extents[1])):
            found.add(_turn(one) * _turn(other) < 0)
    return found


def _refuse_mixed_up(seen: Matrix, real: Matrix) -> None:
    """A camera above flat ground sees every three points in front of it go round as on the map."""
    found = _orientations(seen, real)
    if found == {True}:
        return
    if found == {False}:
        raise ValueError(
            "the picture shows the points mirrored against the map:"
            " are latitude and longitude exchanged, or the points in the opposite order?"
        )
    raise ValueError(
        "the points are in another order on the map than in the picture" + _swap_hint(seen, real)
    )


def _swap_hint(seen: Matrix, real: Matrix) -> str:
    fitting = []
    for a, b in itertools.combinations(range(len(real)), 2):
        swapped = real.copy()
        swapped[[a, b]] = swapped[[b, a]]
        if _orientations(seen, swapped) == {True}:
            fitting.append(f"{a + 1} and {b + 1}")
    return f": are {' or '.join(fitting)} exchanged?" if fitting else ": is one of them wrong?"


def _refuse_far_off(plane: GroundPlane, seen: Matrix, real: Matrix) -> None:
    errors = []
    for point, place in zip(seen, real, strict=True):
        put = plane.metres((float(point[0]), float(point[1])))
        errors.append(math.inf if put is None else math.dist(put, place))
    worst = int(np.argmax(errors))
    if errors[worst] > LARGEST_ERROR_M:
        raise ValueError(
            f"point {worst + 1} lies {errors[worst]:.1f} m from where all points together put it"
            f" (at most {LARGEST_ERROR_M:g} m): is one of them wrong, or the ground not flat?"
        )


def _homography(seen: Matrix, real: Matrix) -> tuple[Triple, Triple, Triple]:
    """Least squares of the direct linear transformation, both sides normalised before."""
    from_seen, from_real = _normaliser(seen), _normaliser(real)
    rows = []
    for point, place in zip(_applied(from_seen, seen), _applied(from_real, real), strict=True):
        x, y, _ = point
        u, v, _ = place
        rows.append([x, y, 1, 0, 0, 0, -u * x, -u * y, -u])
        rows.append([0, 0, 0, x, y, 1, -v * x, -v * y, -v])
    _, _, directions = np.linalg.svd(np.array(rows))
    solved = np.linalg.inv(from_real) @ directions[-1].reshape(3, 3) @ from_seen
    depths = solved[2] @ np.column_stack([seen, np.ones(len(seen))]).T
    solved = solved / (np.mean(depths) or 1.0)
    first, second, third = ((float(a), float(b), float(c)) for a, b, c in solved)
    return first, second, third


def _normaliser(places: Matrix) -> Matrix:
    """Moves the middle to the origin and the mean distance from it to the square root of two."""
    middle = places.mean(axis=0)
    scale = math.sqrt(2) / float(np.mean(np.linalg.norm(places - middle, axis=1)))
    return np.array(
        [[scale, 0, -scale * middle[0]], [0, scale, -scale * middle[1]], [0.0, 0.0, 1.0]]
    )


def _applied(matrix: Matrix, places: Matrix) -> Matrix:
    return np.column_stack([places, np.ones(len(places))]) @ matrix.T
