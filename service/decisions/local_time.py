"""Where a zone's offset from UTC changes within a span, so that databases can count local days."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from zones.schedule import time_zone

_WEEK = timedelta(days=7)
"""No zone changes its offset there and back within so short a time."""


def shifts(timezone: str, start: datetime, end: datetime) -> list[tuple[datetime, timedelta]]:
    """From when on local time is ahead of UTC by how much, beginning with ``start``."""
    zone = time_zone(timezone)

    def ahead(second: int) -> timedelta:
        at = datetime.fromtimestamp(second, UTC)
        return at.astimezone(zone).utcoffset() or timedelta()

    # Whole seconds: offsets change at none in between.
    at, last = int(start.timestamp()), int(end.timestamp())
    found = [(start.astimezone(UTC), ahead(at))]
    while at < last:
        later = min(at + int(_WEEK.total_seconds()), last)
        if ahead(later) != found[-1][1]:
            low = at
            while later - low > 1:
                middle = (low + later) // 2
                low, later = (middle, later) if ahead(middle) == found[-1][1] else (low, middle)
            found.append((datetime.fromtimestamp(later, UTC), ahead(later)))
        at = later
    return found
