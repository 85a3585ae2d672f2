"""Street addresses with their coordinates, and which one is nearest to a place."""

from __future__ import annotations

from dataclasses import dataclass

from models.ground import distance_m


@dataclass(frozen=True, kw_only=True, slots=True)
class Address:
    """What people call a place."""

    latitude: float
    longitude: float
    """Degrees, WGS 84."""
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Addresses:
    """Those around one camera."""

    entries: tuple[Address, ...]
    within_m: float
    """Farther ones are not taken for the address of a thing."""

    def nearest(self, latitude: float, longitude: float) -> str:
        """The nearest address, of several equally near the first by name; empty if all are far."""
        place = (latitude, longitude)
        found = (
            (distance_m(place, (each.latitude, each.longitude)), each.text) for each in self.entries
        )
        near = [(distance, text) for distance, text in found if distance <= self.within_m]
        return min(near)[1] if near else ""
