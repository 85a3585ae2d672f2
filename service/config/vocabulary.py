"""The words a configuration may use, and what holds where it says nothing."""

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

KINDS = ("illegal_parking", "litter", "damaged_facility")
DEFAULT_LABELS = {"illegal_parking": VEHICLES, "litter": LITTER, "damaged_facility": DAMAGE}

DEFAULT_DWELL_S = {
    "illegal_parking": 300.0,
    "no_parking": 300.0,
    "no_stopping": 60.0,
    "fire_lane": 60.0,
    "loading_bay": 1200.0,
    "litter": 60.0,
    "damaged_facility": 300.0,
}
"""By category, else by kind. Parking follows practice: 3 to 5 minutes are usual, no-stopping zones
and fire lanes are enforced at once, loading bays allow 20 minutes. Litter waits until whoever
dropped it has had the time to pick it up; damage does not run away, so it may wait longest."""

DEFAULT_ROUTE = "default"
"""Key of ``routing`` for all that has no key of its own."""
