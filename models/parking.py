"""What the judgement of parked vehicles may be told: queues, lights."""

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
