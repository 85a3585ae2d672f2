"""From the forms of calendars and schedules to the values that rules hold by."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time

from models.calendar import BY_WEEKDAY, Calendar, DayKind
from models.zone import Schedule, TimeWindow
from service.config.rule_forms import CalendarForm, ScheduleForm, WindowForm


def to_calendar(form: CalendarForm) -> Calendar:
    """Single days out of the ranges of a calendar."""
    return Calendar(
        holidays=frozenset(day for days in form.holidays for day in days),
        workdays=frozenset(day for days in form.workdays for day in days),
    )


def to_schedule(form: ScheduleForm, timezone: str, calendars: Mapping[str, Calendar]) -> Schedule:
    """A schedule; ``timezone`` is the city's, for schedules that name none."""
    return Schedule(
        timezone=form.timezone or timezone,
        windows=tuple(to_window(window) for window in form.windows),
        calendar=BY_WEEKDAY if form.calendar is None else calendars[form.calendar],
    )


def to_window(form: WindowForm) -> TimeWindow:
    """A part of the day on some days."""
    kinds = frozenset(day for day in form.days if isinstance(day, DayKind))
    return TimeWindow(
        days=frozenset(day for day in form.days if not isinstance(day, DayKind)),
        kinds=kinds,
        start=_time(form.start),
        end=_time(form.end),
    )


def _time(minutes: int) -> time:
    """24:00 is 00:00 here: an end that is not after the start lies in the next day."""
    hour, minute = divmod(minutes, 60)
    return time(hour % 24, minute)
