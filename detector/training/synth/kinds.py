"""What can lie or stand in a rendered street: its label, size and place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Surface = Literal["road", "pavement", "verge"]

LABEL_IDS: Mapping[str, int] = {
    "litter": 0,
    "garbage_pile": 1,
    "pothole": 2,
    "damaged_manhole": 5,
    "damaged_sign": 6,
    "overflowing_bin": 7,
    "damaged_street_furniture": 8,
    "fallen_tree": 9,
}
"""Numbers in the label files: those of ``label_ids`` in sources.yaml; a test compares them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Kind:
    """One kind of thing."""

    label: str
    """Class, or empty for a distractor."""
    size_m: float
    """How long the thing typically is in the picture."""
    radius_m: float
    """No other thing stands nearer than both radii."""
    surfaces: tuple[Surface, ...]
    weight: float = 1.0
    """How often it is drawn among the kinds of its class."""
    opening: bool = False
    """It needs a hole in the ground, square, of half side ``radius_m``."""


_ROAD: tuple[Surface, ...] = ("road",)
_WALK: tuple[Surface, ...] = ("pavement", "verge")
_ALL: tuple[Surface, ...] = ("road", "pavement", "verge")


def _kind(
    label: str,
    size_m: float,
    radius_m: float,
    surfaces: tuple[Surface, ...],
    weight: float = 1.0,
    *,
    opening: bool = False,
) -> Kind:
    return Kind(
        label=label,
        size_m=size_m,
        radius_m=radius_m,
        surfaces=surfaces,
        weight=weight,
        opening=opening,
    )


_FURNITURE = "damaged_street_furniture"

KINDS: Mapping[str, Kind] = {
    "bag": _kind("garbage_pile", 0.7, 0.5, _WALK, 0.8),
    "bag_heap": _kind("garbage_pile", 1.9, 1.3, _WALK, 1.6),
    "sofa": _kind("garbage_pile", 2.0, 1.2, _ALL),
    "mattress": _kind("garbage_pile", 2.0, 1.2, _ALL),
    "cartons": _kind("garbage_pile", 1.4, 1.0, _WALK),
    "dump": _kind("garbage_pile", 2.8, 1.8, _WALK),
    "cup": _kind("litter", 0.17, 0.15, _ALL),
    "can": _kind("litter", 0.15, 0.15, _ALL),
    "bottle": _kind("litter", 0.26, 0.2, _ALL),
    "paper": _kind("litter", 0.24, 0.2, _ALL),
    "crisp_bag": _kind("litter", 0.24, 0.2, _ALL),
    "carton": _kind("litter", 0.24, 0.2, _ALL),
    "carrier_bag": _kind("litter", 0.36, 0.25, _ALL),
    "round_bin_full": _kind("overflowing_bin", 1.2, 0.6, _WALK),
    "wheelie_full": _kind("overflowing_bin", 1.4, 0.7, _WALK),
    "basket_full": _kind("overflowing_bin", 1.2, 0.6, _WALK),
    "pothole": _kind("pothole", 1.0, 1.3, _ROAD, opening=True),
    "pothole_wet": _kind("pothole", 1.0, 1.3, _ROAD, 0.6, opening=True),
    "manhole_missing": _kind("damaged_manhole", 0.75, 0.75, _ROAD, opening=True),
    "manhole_broken": _kind("damaged_manhole", 0.75, 0.75, _ROAD, opening=True),
    "manhole_shifted": _kind("damaged_manhole", 0.95, 0.95, _ROAD, opening=True),
    "sign_leaning": _kind("damaged_sign", 2.4, 1.0, _WALK),
    "sign_fallen": _kind("damaged_sign", 2.4, 1.6, _WALK, 0.7),
    "sign_bent": _kind("damaged_sign", 0.9, 0.8, _WALK),
    "sign_defaced": _kind("damaged_sign", 0.9, 0.8, _WALK, 1.3),
    "sign_broken": _kind("damaged_sign", 0.9, 0.8, _WALK),
    "sign_hanging": _kind("damaged_sign", 0.9, 0.8, _WALK, 0.7),
    "bench_broken": _kind(_FURNITURE, 1.8, 1.2, _WALK, 1.4),
    "rail_bent": _kind(_FURNITURE, 5.0, 2.6, _WALK, 1.2),
    "lamp_leaning": _kind(_FURNITURE, 5.0, 1.6, _WALK, 0.8),
    "lamp_fallen": _kind(_FURNITURE, 5.0, 2.8, _WALK, 0.7),
    "bollard_leaning": _kind(_FURNITURE, 1.0, 0.7, _WALK),
    "fence_broken": _kind(_FURNITURE, 3.5, 2.0, _WALK, 0.8),
    "tree_fallen": _kind("fallen_tree", 7.0, 3.6, _ALL, 1.2),
    "branch_fallen": _kind("fallen_tree", 2.8, 1.5, _ALL),
    "round_bin": _kind("", 1.0, 0.5, _WALK, 1.3),
    "wheelie": _kind("", 1.1, 0.6, _WALK, 1.3),
    "basket": _kind("", 1.0, 0.5, _WALK),
    "manhole": _kind("", 0.7, 0.6, _ROAD, 1.6),
    "drain": _kind("", 0.5, 0.4, _ROAD),
    "sign": _kind("", 2.6, 0.8, _WALK, 1.8),
    "bench": _kind("", 1.8, 1.2, _WALK, 1.4),
    "rail": _kind("", 5.0, 2.6, _WALK, 0.8),
    "lamp": _kind("", 6.0, 0.8, _WALK),
    "bollard": _kind("", 0.9, 0.5, _WALK),
    "fence": _kind("", 3.5, 2.0, _WALK, 0.6),
    "tree": _kind("", 6.0, 2.0, ("verge", "pavement"), 1.3),
    "bush": _kind("", 1.4, 0.9, ("verge",)),
    "planter": _kind("", 1.2, 0.9, _WALK, 0.7),
    "cabinet": _kind("", 1.2, 0.8, _WALK, 0.7),
    "puddle": _kind("", 1.2, 1.0, _ROAD, 0.7),
    "road_patch": _kind("", 1.4, 1.1, _ROAD),
    "leaves": _kind("", 1.2, 0.9, _ALL, 0.8),
    "person": _kind("", 1.75, 0.5, ("pavement", "verge", "road"), 1.8),
    "saloon": _kind("", 4.5, 2.6, _ROAD),
    "hatchback": _kind("", 4.3, 2.5, _ROAD),
    "van": _kind("", 4.9, 2.8, _ROAD, 0.6),
}
"""Every kind by name; sizes are those of the real things."""

CARS = ("saloon", "hatchback", "van")


def kinds_of(label: str) -> tuple[str, ...]:
    """Names of the kinds with a label; the empty label gives distractors other than cars."""
    return tuple(n for n, k in KINDS.items() if k.label == label and n not in CARS)
