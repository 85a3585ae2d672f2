"""Which category a citizen's photo shows, by what a detector found in it. Pure."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

Box = tuple[float, float, float, float]

_PARKING: Final = (
    "illegal_parking", "no_stopping", "no_parking", "fire_lane", "bus_stop", "crossing",
    "bike_lane", "pavement", "loading_bay", "double_parking", "blocked_accessible_route",
)  # fmt: skip
_BICYCLES: Final = ("non_motor_parking", "shared_bikes", "pavement", "blocked_accessible_route")
_HEAPS: Final = (
    "garbage_pile", "litter", "accumulated_litter", "construction_waste", "dumped_furniture",
    "dumped_things", "unknown_object",
)  # fmt: skip
SHOWN_BY: Final[Mapping[str, tuple[str, ...]]] = {
    "car": _PARKING,
    "bus": _PARKING,
    "truck": _PARKING,
    "van": _PARKING,
    "bicycle": _BICYCLES,
    "motorcycle": _BICYCLES,
    "litter": ("litter", "littering", "accumulated_litter", "garbage_pile"),
    "garbage_pile": _HEAPS,
    "overflowing_bin": ("overflowing_bin", "bin"),
    "unknown_object": ("unknown_object", "dumped_things", "dumped_furniture"),
    "pothole": ("road_damage", "damaged_facility"),
    "road_crack": ("road_damage", "damaged_facility"),
    "graffiti": ("graffiti",),
    "damaged_manhole": ("damaged_manhole", "drain_grate", "damaged_facility"),
    "damaged_sign": ("damaged_sign", "damaged_facility"),
    "damaged_street_furniture": (
        "damaged_street_furniture", "bench", "bollard", "guard_rail", "damaged_facility",
    ),
    "fallen_tree": ("fallen_tree", "messy_green"),
}  # fmt: skip
"""Categories of the packaged table that a label speaks for, the usual one first."""
TRAFFIC: Final = frozenset({"car", "bus", "truck", "van", "bicycle", "motorcycle"})
"""They stand in most pictures of a street without being what the picture is about."""
TRAFFIC_SHARE: Final = 0.05
"""Share of the picture from which a vehicle may be what it is about; our choice: of somebody who
photographs a car, it fills a twentieth of the picture and more."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """A box in a photo, sure enough for its label."""

    label: str
    confidence: float
    share: float
    """Of the picture's area."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Suggestion:
    """What a photo is likely about."""

    category: str
    confidence: float
    """Of the box that speaks for it most."""


def share_of(box: Box, width_px: int, height_px: int) -> float:
    """How much of a picture a box covers, 0 to 1."""
    x1, y1, x2, y2 = box
    width = min(x2, width_px) - max(x1, 0.0)
    height = min(y2, height_px) - max(y1, 0.0)
    return max(0.0, width) * max(0.0, height) / (width_px * height_px)


def suggest(reported: str, found: Iterable[Found], known: Container[str]) -> Suggestion | None:
    """The category that the boxes speak for: the reported one if any does, else of the surest box.

    ``known``: categories that the city's table has. Vehicles count last, and only large ones, but
    for a reported category that is about vehicles. ``None``: nothing in the photo speaks for any.
    """
    boxes = list(found)
    agreeing = [each for each in boxes if reported in SHOWN_BY.get(each.label, ())]
    if agreeing:
        return Suggestion(category=reported, confidence=max(b.confidence for b in agreeing))
    speaking = [(category, box) for box in boxes if (category := _usual(box, known)) is not None]
    if not speaking:
        return None
    category, box = max(speaking, key=lambda pair: _weight(pair[1]))
    return Suggestion(category=category, confidence=box.confidence)


def _usual(box: Found, known: Container[str]) -> str | None:
    """The first category of a box that the table has."""
    if box.label in TRAFFIC and box.share < TRAFFIC_SHARE:
        return None
    return next((each for each in SHOWN_BY.get(box.label, ()) if each in known), None)


def _weight(box: Found) -> tuple[bool, float]:
    return box.label not in TRAFFIC, box.confidence
