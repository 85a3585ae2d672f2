"""When a rule holds.

A schedule means what a street sign means: the time that a clock on the wall shows there. So on the
night when clocks are set back a window in the repeated hour holds twice, and one in the hour that
is left out in spring does not hold at all. Holidays and make-up working days are days of that wall
clock too: a night belongs to the day on which it began, also on the eve of a holiday.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from models.calendar import Calendar
from models.zone import Schedule, TimeWindow

_DAY = timedelta(days=1)
_QUARTER = timedelta(minutes=15)


def is_active(schedule: Schedule, at: datetime) -> bool:
    """Does the schedule hold at this time (timezone-aware)? Without windows it always does."""
    if at.tzinfo is None:
        raise ValueError("a schedule needs a time with its time zone")
    if not schedule.windows:
        return True
    local = at.astimezone(time_zone(schedule.timezone))
    return any(_holds(window, schedule.calendar, local) for window in schedule.windows)


def constant_until(schedule: Schedule, at: datetime) -> datetime | None:
    """A time until which it goes on to hold, or not to hold; ``None``: for ever.

    Not the latest such time: clocks are set back and forth at full quarters of an hour.
    """
    if not schedule.windows:
        return None
    local = at.astimezone(time_zone(schedule.timezone)).replace(tzinfo=None)
    day = local.replace(hour=0, minute=0, second=0, microsecond=0)
    quarters = (local - day) // _QUARTER + 1
    edges = [edge for window in schedule.windows for edge in (window.start, window.end)]
    times = [datetime.combine(day, edge) for edge in edges]
    nearest = min((day + quarters * _QUARTER, *(time for time in times if time > local)))
    return at + (nearest - local)


def time_zone(name: str) -> ZoneInfo:
    """The IANA time zone of that name; :class:`ValueError` if there is none."""
    try:
        return ZoneInfo(name)  # cached by zoneinfo itself
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"no such time zone: {name!r}") from error


def _holds(window: TimeWindow, calendar: Calendar, local: datetime) -> bool:
    clock, today = local.time(), local.date()
    if window.start < window.end:
        return window.start <= clock < window.end and _is_day_of(window, calendar, today)
    if clock >= window.start and _is_day_of(window, calendar, today):
        return True
    # After midnight the window still belongs to the day on which it began.
    return clock < window.end and _is_day_of(window, calendar, today - _DAY)


def _is_day_of(window: TimeWindow, calendar: Calendar, day: date) -> bool:
    if day.weekday() in window.days:
        return True
    return bool(window.kinds) and not window.kinds.isdisjoint(calendar.kinds(day))
