"""What is kept as proof of an incident, and what must not be seen in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from models.geometry import Points

DEFAULT_ORIGINALS_DAYS = 30
DEFAULT_RETENTION = "default"
"""Key of the days that hold for every category without its own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PlateReader:
    """A city's own licence-plate reader, asked once for each parked vehicle's incident."""

    url: str
    """Of this machine or a private network."""
    timeout_s: float = 3.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Privacy:
    """What is made unrecognisable in a camera's pictures, and what is never even looked at."""

    blur_faces: bool = True
    """The head of every person."""
    blur_plates: bool = True
    """The part of every vehicle in which its plates are."""
    masks: tuple[Points, ...] = ()
    """Polygons, as ratios 0 to 1 of the sides, painted over before anything looks."""
    original_recipient: str = ""
    """Public key, ``x25519:`` and 64 hexadecimal digits, for whom the unblurred picture of each
    incident is kept encrypted; empty: none is kept."""
    plate_reader: PlateReader | None = None
    """Gets a close-up with a readable plate; ``None``: nobody does."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EvidencePolicy:
    """Which evidence an incident gets besides its pictures at confirmation."""

    clip: bool = True
    """A short film, decoded, redacted and encoded anew; the camera's own packets never leave."""
    clip_before_s: float = 10.0
    clip_after_s: float = 5.0
    latest_every_s: float = 300.0
    """First new picture of what is still there after so long; each next one after twice as long."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Retention:
    """For how many days after an order was closed its evidence is kept."""

    days: Mapping[str, int] = field(default_factory=dict)
    """Category → days, ``default`` for all others; without it evidence is kept for good."""
    originals_days: int = DEFAULT_ORIGINALS_DAYS
    """Unblurred originals are deleted so many days after they came, whatever became of the order;
    only a legal hold keeps them."""

    def days_of(self, category: str) -> int | None:
        """Days for a category; ``None``: for good."""
        return self.days.get(category, self.days.get(DEFAULT_RETENTION))
