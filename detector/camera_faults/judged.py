"""What was said of one picture, as long as the next ones show the same.

Most looks of a fixed camera show what the one before did: then its view need not be measured again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from detector.gate import Luma, is_still, small_luma
from models.seeing import Image
from models.upkeep import FaultKind

Signs = dict[FaultKind, bool | None]

HOLDS_FOR = timedelta(seconds=10)
"""A view that changes so slowly that nobody notices is measured this often; faults must last for
longer before they are reported."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Judged:
    """A picture in which the camera was well, and its signs."""

    luma: Luma
    at: datetime
    signs: Signs

    @classmethod
    def of(cls, image: Image, at: datetime, signs: Signs) -> Judged:
        """What later pictures are compared with."""
        return cls(luma=small_luma(image), at=at, signs=signs)

    def holds(self, image: Image, at: datetime) -> bool:
        """Whether a later picture shows the same."""
        is_soon = timedelta(0) <= at - self.at < HOLDS_FOR
        return is_soon and is_still(self.luma, small_luma(image))
