"""The names that rules know things by."""

from __future__ import annotations

VEHICLES = ("car", "motorcycle", "bus", "truck")
LITTER = ("litter", "garbage_pile", "overflowing_bin")
DAMAGE = (
    "pothole",
    "road_crack",
    "graffiti",
    "damaged_manhole",
    "damaged_sign",
    "damaged_street_furniture",
    "fallen_tree",
)
UNKNOWN_OBJECT = "unknown_object"
"""Something new in the background that no network named; only rules that ask for it see it."""
DROPPED = ("litter", "garbage_pile")
"""What somebody drops; a bin does not overflow at one person's hand."""
KNOWN_LABELS = frozenset({"person", "bicycle", UNKNOWN_OBJECT, *VEHICLES, *LITTER, *DAMAGE})
"""Labels that rules know; weights of other makers are mapped to them by ``model.class_map``."""
