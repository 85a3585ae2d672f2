"""The points by which a camera's picture is laid on the map: checked, and turned into the ground.

Checks read the plain data and pass over what has another shape than expected.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from models.geometry import Points
from models.ground import GroundPlane, GroundPoint
from models.ground_points import MAX_POINTS, MIN_POINTS, far_points, ground_plane
from service.config import polygons
from service.config.document import Finding, Loc
from service.config.place_forms import GroundPointForm


def check_ground(camera_loc: Loc, camera: Any) -> Iterator[Finding]:
    """What is wrong with a camera's points."""
    given = camera.get("ground") if isinstance(camera, dict) else None
    seen = _read(given)
    if seen is None:
        return
    here = (*camera_loc, "ground")
    is_pixels = polygons.guess_units(seen) == "pixels"
    if is_pixels and polygons.mixes_units(seen):
        yield Finding(loc=here, message="mixes ratios (0 to 1) and pixels")
        return
    sides = _sides(camera.get("resolution")) if is_pixels else (1.0, 1.0)
    if sides is None:
        message = "is in pixels, so the camera needs 'resolution: [width, height]'"
        yield Finding(loc=here, message=message)
        return
    outside = list(polygons.outside(seen, *sides))
    for index, text in outside:
        message = f"the point {text} lies outside the picture"
        yield Finding(loc=(*here, index, "at"), message=message)
    if not outside and given is not None:
        yield from _geometry(here, _points(seen, sides, given), camera.get("location"))


def to_ground(
    forms: Sequence[GroundPointForm] | None, resolution: Sequence[int] | None
) -> GroundPlane | None:
    """The ground of a form that was checked."""
    if forms is None:
        return None
    seen = tuple((each.at[0], each.at[1]) for each in forms)
    sides = (1.0, 1.0)
    if resolution is not None and polygons.guess_units(seen) == "pixels":
        sides = (float(resolution[0]), float(resolution[1]))
    return ground_plane(_points(seen, sides, [each.model_dump() for each in forms]))


def _geometry(here: Loc, points: Sequence[GroundPoint], location: Any) -> Iterator[Finding]:
    try:
        ground_plane(points)
    except ValueError as error:
        yield Finding(loc=here, message=str(error))
    if isinstance(location, dict) and _is_place(location):
        for message in far_points(points, (location["latitude"], location["longitude"])):
            yield Finding(loc=here, message=message)


def _read(given: Any) -> Points | None:
    """Their places in the picture, if all of them can be read."""
    if not isinstance(given, list) or not MIN_POINTS <= len(given) <= MAX_POINTS:
        return None
    if not all(isinstance(each, dict) and _is_place(each) for each in given):
        return None
    found = [polygons.read_points([each.get("at")]) for each in given]
    return tuple(each[0] for each in found if each) if all(found) else None


def _is_place(given: dict[Any, Any]) -> bool:
    limits = (("latitude", 90.0), ("longitude", 180.0))
    return all(
        polygons.is_number(given.get(name)) and abs(given[name]) <= limit for name, limit in limits
    )


def _sides(resolution: Any) -> tuple[float, float] | None:
    sides = polygons.read_points([resolution])
    return sides[0] if sides and min(sides[0]) > 0 else None


def _points(
    seen: Points, sides: tuple[float, float], given: Sequence[Any]
) -> tuple[GroundPoint, ...]:
    return tuple(
        GroundPoint(
            x=x / sides[0],
            y=y / sides[1],
            latitude=each["latitude"],
            longitude=each["longitude"],
        )
        for (x, y), each in zip(seen, given, strict=True)
    )
