"""What an evaluation comes to in figures that a city asks for, each with its interval; pure.

Everything here was counted on few, short clips: without an interval such a figure says nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from models.intervals import median, poisson, wilson
from service.evaluation.row import Row

DAY_S = 86_400.0
ALL = "all"
_DIGITS = 4

Interval = tuple[float, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class Middle:
    """The median of several seconds and its interval."""

    count: int
    median_s: float
    interval_s: Interval
    worst_s: float
    """The one furthest from 0."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Figures:
    """Of some rows. Each dwell of a clip counts as a camera of its own that watched it once."""

    false_orders: int
    camera_days: float
    expected: int
    once: int
    """Of the expected incidents, those that became exactly one order."""
    start_error: Middle | None
    """How much too late an order says it began; below 0: too early. ``None``: nothing was found."""
    delay: Middle | None
    """From the moment at which the dwell was reached to the order."""

    @property
    def false_per_camera_day(self) -> float | None:
        """False orders per camera and day; ``None`` if nothing was watched."""
        return self.false_orders / self.camera_days if self.camera_days else None

    @property
    def false_interval(self) -> Interval | None:
        """Exact 95 % interval of a Poisson rate, for independent alarms."""
        if not self.camera_days:
            return None
        low, high = poisson(self.false_orders)
        return low / self.camera_days, high / self.camera_days

    @property
    def once_ratio(self) -> float | None:
        """Share of the expected incidents that became exactly one order."""
        return self.once / self.expected if self.expected else None

    @property
    def once_interval(self) -> Interval | None:
        """Wilson's 95 % interval of that share."""
        return wilson(self.once, self.expected)

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "false_orders": self.false_orders,
            "camera_days": round(self.camera_days, 6),
            "false_orders_per_camera_day": _rounded(self.false_per_camera_day),
            "false_orders_per_camera_day_interval": _ends(self.false_interval),
            "expected": self.expected,
            "exactly_one_order": self.once,
            "exactly_one_order_ratio": _rounded(self.once_ratio),
            "exactly_one_order_interval": _ends(self.once_interval),
            "start_error_s": _middle_json(self.start_error),
            "delay_s": _middle_json(self.delay),
        }


def figures_of(rows: Sequence[Row]) -> Figures:
    """The figures of some rows."""
    watched = {(row.clip, row.dwell_s): row.watched_s for row in rows}
    return Figures(
        false_orders=sum(row.false_alarms for row in rows),
        camera_days=sum(watched.values()) / DAY_S,
        expected=sum(row.expected for row in rows),
        once=sum(row.once for row in rows),
        start_error=_middle([error for row in rows for error in row.start_error_s]),
        delay=_middle([delay for row in rows for delay in row.delay_s]),
    )


def by_condition(rows: Sequence[Row]) -> Mapping[str, Figures]:
    """Figures of all rows, then of each condition that clips name, in the order of the alphabet."""
    conditions = sorted({condition for row in rows for condition in row.conditions})
    named = {name: [row for row in rows if name in row.conditions] for name in conditions}
    return {ALL: figures_of(rows)} | {name: figures_of(some) for name, some in named.items()}


def _middle(values: Sequence[float]) -> Middle | None:
    found = median(values)
    if found is None:
        return None
    middle, low, high = found
    return Middle(
        count=len(values),
        median_s=middle,
        interval_s=(low, high),
        worst_s=max(values, key=abs),
    )


def _middle_json(middle: Middle | None) -> dict[str, Any] | None:
    if middle is None:
        return None
    return {
        "count": middle.count,
        "median": round(middle.median_s, 2),
        "interval": [round(end, 2) for end in middle.interval_s],
        "worst": round(middle.worst_s, 2),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, _DIGITS)


def _ends(interval: Interval | None) -> list[float] | None:
    return None if interval is None else [round(end, _DIGITS) for end in interval]
