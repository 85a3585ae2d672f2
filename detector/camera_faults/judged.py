"""What was said of one picture, as long as the next ones show the same.

Most looks of a fixed camera show what the one before did: then its view need not be measured again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from detector.gate import Luma, is_still
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

    def holds(self, luma: Luma, at: datetime) -> bool:
        """Whether a later picture, made small, shows the same."""
        return timedelta(0) <= at - self.at < HOLDS_FOR and is_still(self.luma, luma)
