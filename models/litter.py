"""When there is too much litter in a zone, and when little enough."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Accumulation:
    """Levels with hysteresis: an order from the upper one on, until the lower one is reached.

    Of number and area, those that are given count; either may open, both must be low to clear.
    """

    count: int | None = None
    """So many pieces are too many; ``None``: their number does not matter."""
    clear_count: int = 0
    """So many pieces are few enough, less than ``count``."""
    area_ratio: float | None = None
    """Share of the zone, 0 to 1, that is too much to be covered; ``None``: it does not matter."""
    clear_area_ratio: float = 0.0
    """Share of the zone that is little enough, less than ``area_ratio``."""

    def is_high(self, count: int, area_ratio: float) -> bool:
        """Whether it is too much."""
        by_count = self.count is not None and count >= self.count
        return by_count or (self.area_ratio is not None and area_ratio >= self.area_ratio)

    def is_low(self, count: int, area_ratio: float) -> bool:
        """Whether it is little enough."""
        few = self.count is None or count <= self.clear_count
        return few and (self.area_ratio is None or area_ratio <= self.clear_area_ratio)
