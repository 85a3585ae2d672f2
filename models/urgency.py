"""What makes an order more, or less, urgent than its rule says."""

from __future__ import annotations

from dataclasses import dataclass

from models.zone import Priority, Schedule


@dataclass(frozen=True, kw_only=True, slots=True)
class PriorityStep:
    """A priority, and all that must be so for an order to get it; what is ``None`` is not asked."""

    priority: Priority
    schedule: Schedule | None = None
    """Held when the incident was confirmed."""
    least_width_m: float | None = None
    """Width of the thing on the ground; never so where no ground was calibrated."""
    least_count: int | None = None
    """Things of an incident that counts several."""
