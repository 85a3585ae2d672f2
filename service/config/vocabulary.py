"""The words a configuration may use, and what holds where it says nothing."""

from __future__ import annotations

from models.city import ModelFacts
from models.labels import DAMAGE, DROPPED, LITTER, UNKNOWN_OBJECT, VEHICLES
from models.parking import ZoneKind
from models.zone import CloserLook

KINDS = ("illegal_parking", "litter", "littering", "damaged_facility")
DEFAULT_LABELS = {
    "illegal_parking": VEHICLES,
    "litter": LITTER,
    "littering": DROPPED,
    "damaged_facility": DAMAGE,
}
NON_MOTOR_PARKING = "non_motor_parking"
"""Category of parking rules that look for nothing else (non-motor vehicles left about)."""
ACCUMULATED_LITTER = "accumulated_litter"
"""Category of litter rules that ask how much there is altogether (积存垃圾)."""
OVERFLOWING_BIN = "overflowing_bin"
"""Category of litter rules that look for nothing else (垃圾满溢), and the label."""
OWN_CATEGORIES = (NON_MOTOR_PARKING, ACCUMULATED_LITTER, OVERFLOWING_BIN, UNKNOWN_OBJECT)
"""Categories that rules have by what they look for; all may be keys of ``routing``."""

DEFAULT_DWELL_S = {
    "illegal_parking": 300.0,
    "no_parking": 300.0,
    "no_stopping": 60.0,
    "fire_lane": 60.0,
    "bus_stop": 60.0,
    "crossing": 60.0,
    "bike_lane": 60.0,
    "pavement": 60.0,
    "loading_bay": 1200.0,
    "double_parking": 60.0,
    "litter": 60.0,
    "littering": 3.0,
    ACCUMULATED_LITTER: 300.0,
    OVERFLOWING_BIN: 300.0,
    UNKNOWN_OBJECT: 300.0,
    "damaged_facility": 300.0,
}
"""By category, else by kind of zone, else by kind of rule. Parking follows practice: 3 to 5 minutes
are usual, wherever stopping is forbidden it is enforced at once, loading bays allow 20 minutes.
Litter waits until whoever dropped it has had the time to pick it up; littering until whoever
dropped it has turned away from it; damage does not run away, so it may wait longest."""

DEFAULT_CLOSER_LOOK = {
    "illegal_parking": CloserLook.OFF,
    "litter": CloserLook.RECORD,
    "littering": CloserLook.RECORD,
    "damaged_facility": CloserLook.RECORD,
}
"""By kind of rule; measured in docs/accuracy.md."""


URGENCY = {
    ZoneKind.FIRE_LANE: "urgent",
    ZoneKind.CROSSING: "high",
    ZoneKind.BUS_STOP: "high",
    ZoneKind.LOADING_BAY: "low",
}
"""Priority of parking rules by kind of zone; normal in all others."""
WITHOUT_QUEUES = frozenset({ZoneKind.FIRE_LANE, ZoneKind.PAVEMENT})
"""Kinds of zones in which no queue has any business."""
EXEMPT = {ZoneKind.BUS_STOP: frozenset({"bus"})}
"""Vehicles that may stand in a kind of zone."""
NON_MOTOR = frozenset({"bicycle", "motorcycle"})
"""Cameras do not tell electric bicycles from motorcycles: both are what stands on pavements."""


def usual_labels(
    kind: str, facts: ModelFacts | None, *, allow_experimental: bool = False
) -> tuple[str, ...]:
    """What a rule of this kind looks for where it does not say: all of it that the model can see.

    Experimental classes only if they are allowed. Empty if the model knows nothing of the kind.
    """
    labels = DEFAULT_LABELS[kind]
    if facts is None:
        return labels
    return tuple(
        label
        for label in labels
        if (not facts.labels or label in facts.labels)
        and (allow_experimental or label not in facts.experimental)
    )


DEFAULT_ROUTE = "default"
"""Key of ``routing`` for all that has no key of its own."""
