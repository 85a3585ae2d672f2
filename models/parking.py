"""What the judgement of parked vehicles may be told: kinds of zones, queues, lights."""

from __future__ import annotations

from enum import StrEnum

LONGEST_QUEUE_S = 300.0
"""Vehicles that stand together for longer are taken for parked, where nothing else is said."""
LONGEST_RED_S = 120.0
"""Longest red phase where nothing else is said; few junctions let anybody wait for longer."""


class QueuePolicy(StrEnum):
    """What a vehicle that stands because its lane stands is taken for."""

    IGNORE = "ignore"
    """Its dwell runs only when the queue has moved off, or has stood for too long for a queue."""
    COUNT = "count"
    """A parked one, like any other."""


class AlreadyThere(StrEnum):
    """What a vehicle is taken for that stood there when the camera came up."""

    COUNT = "count"
    """Its dwell runs from the first look."""
    IGNORE = "ignore"
    """It is none of the rule's business until it has moved."""


class ZoneKind(StrEnum):
    """What a zone is by traffic law; decides what its parking rules do where they do not say."""

    NO_STOPPING = "no_stopping"
    NO_PARKING = "no_parking"
    FIRE_LANE = "fire_lane"
    BUS_STOP = "bus_stop"
    CROSSING = "crossing"
    BIKE_LANE = "bike_lane"
    PAVEMENT = "pavement"
    LOADING_BAY = "loading_bay"
    DOUBLE_PARKING = "double_parking"
