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
KNOWN_LABELS = frozenset({"person", "bicycle", *VEHICLES, *LITTER, *DAMAGE})
"""Labels that rules know; weights of other makers are mapped to them by ``model.class_map``."""
