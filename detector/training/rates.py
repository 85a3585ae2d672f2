"""How often something false is shown, and how sure that is after so many pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from models.intervals import poisson

PER = 1000
"""Rates are told for so many pictures."""
RULE_OF_THREE = 3.0
"""None seen in n pictures: with 95 % confidence fewer than 3/n (-ln 0.05 = 2.996)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AlarmRate:
    """False detections on pictures where there was nothing to find."""

    alarms: int
    pictures: int

    @property
    def per_1000(self) -> float | None:
        """Alarms for a thousand pictures; None without pictures."""
        return PER * self.alarms / self.pictures if self.pictures else None

    @property
    def interval_per_1000(self) -> tuple[float, float] | None:
        """Exact 95 % interval of a Poisson rate (Garwood 1936), for independent alarms."""
        if not self.pictures:
            return None
        low, high = poisson(self.alarms)
        return PER * low / self.pictures, PER * high / self.pictures

    def as_json(self) -> dict[str, Any]:
        """The rate as it is written for other programs."""
        rate, interval = self.per_1000, self.interval_per_1000
        return {
            "alarms": self.alarms,
            "pictures": self.pictures,
            "per_1000": None if rate is None else round(rate, 3),
            "interval": None if interval is None else [round(end, 3) for end in interval],
        }
