"""How long an order may take: due times by urgent or working hours, and what is due to be told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from models.category import CategoryTable, ClockKind
from models.work_order import Status
from models.zone import Priority, Schedule
from zones.schedule import time_zone

LONGEST_SEARCH = timedelta(days=800)
"""Working time is looked for no further: a schedule without any would be searched for ever."""
_DAY = timedelta(days=1)


class SlaState(StrEnum):
    """How an order stands by its clocks."""

    OK = "ok"
    WARNING = "warning"
    BREACHED = "breached"


WAITS = frozenset({Status.RECEIVED, Status.DISPATCHED})
"""Nobody has taken the order on: both clocks run."""
RUNS = WAITS | {Status.ACCEPTED, Status.IN_PROGRESS, Status.REOPENED}
"""The order is to be done: its time runs."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DueTimes:
    """When an order is due, and when somebody is warned of it."""

    accept_warn_at: datetime
    accept_due_at: datetime
    warn_at: datetime
    due_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Notice:
    """A warning or a breach of one clock."""

    clock: str
    """``accept`` or ``resolve``."""
    state: SlaState

    def __str__(self) -> str:
        return f"{self.clock}:{self.state}"


def due_times(
    table: CategoryTable, category: str, priority: Priority, created_at: datetime
) -> DueTimes | None:
    """The times of a new order; ``None``: it has no limits."""
    limits = table.limits_of(category, priority)
    if limits is None:
        return None
    hours = Schedule() if limits.clock is ClockKind.URGENT else table.working_hours
    warn = table.warn_ratio
    return DueTimes(
        accept_warn_at=after_working(hours, created_at, warn * limits.accept_s),
        accept_due_at=after_working(hours, created_at, limits.accept_s),
        warn_at=after_working(hours, created_at, warn * limits.resolve_s),
        due_at=after_working(hours, created_at, limits.resolve_s),
    )


def sla_state(times: DueTimes | None, status: Status, now: datetime) -> SlaState | None:
    """How an order stands; ``None`` where no clock runs."""
    if times is None or status not in RUNS:
        return None
    states = {notice.state for notice in reached(times, status, now)}
    return next(
        (each for each in (SlaState.BREACHED, SlaState.WARNING) if each in states), SlaState.OK
    )


def reached(times: DueTimes, status: Status, now: datetime) -> list[Notice]:
    """Every warning and breach whose time has come, for the clocks that run."""
    return [notice for notice, at in _marks(times, status).items() if at <= now]


def to_tell(times: DueTimes, status: Status, now: datetime, told: frozenset[str]) -> list[Notice]:
    """What must be told now: each once, and no warning of what is breached already."""
    new = [notice for notice in reached(times, status, now) if str(notice) not in told]
    breached = {notice.clock for notice in new if notice.state is SlaState.BREACHED}
    breached |= {mark.partition(":")[0] for mark in told if mark.endswith(SlaState.BREACHED)}
    return [n for n in new if n.state is SlaState.BREACHED or n.clock not in breached]


def next_look(times: DueTimes, now: datetime) -> datetime | None:
    """When an order must be looked at again; ``None``: never, all its times are past."""
    later = [at for at in _marks(times, Status.RECEIVED).values() if at > now]
    return min(later, default=None)


def _marks(times: DueTimes, status: Status) -> Mapping[Notice, datetime]:
    marks: dict[Notice, datetime] = {}
    if status in WAITS:
        marks[Notice(clock="accept", state=SlaState.WARNING)] = times.accept_warn_at
        marks[Notice(clock="accept", state=SlaState.BREACHED)] = times.accept_due_at
    if status in RUNS:
        marks[Notice(clock="resolve", state=SlaState.WARNING)] = times.warn_at
        marks[Notice(clock="resolve", state=SlaState.BREACHED)] = times.due_at
    return marks


def after_working(hours: Schedule, start: datetime, seconds: float) -> datetime:
    """The time at which so many seconds of working time have passed since ``start``, in UTC.

    Without windows all time is working time. Where a schedule has too little working time within
    two years, its end.
    """
    at = start.astimezone(UTC)
    if not hours.windows:
        return at + timedelta(seconds=seconds)
    left = timedelta(seconds=seconds)
    for begin, end in _worked(hours, at, at + LONGEST_SEARCH):
        if left <= end - begin:
            return begin + left
        left -= end - begin
    return at + LONGEST_SEARCH


def working_s(hours: Schedule, start: datetime, end: datetime) -> float:
    """Seconds of working time between two times; 0 if the end is not later."""
    if not hours.windows:
        return max(0.0, (end - start).total_seconds())
    worked = _worked(hours, start.astimezone(UTC), end.astimezone(UTC))
    return sum(((end - begin) for begin, end in worked), timedelta()).total_seconds()


def _worked(hours: Schedule, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Working intervals between two times in UTC, in order, without overlaps."""
    zone = time_zone(hours.timezone)
    day, last = start.astimezone(zone).date() - _DAY, end.astimezone(zone).date() + _DAY
    reached_at = start
    while day <= last:
        for opens, closes in sorted(_windows(hours, day)):
            begin, until = max(opens, reached_at), min(closes, end)
            if begin < until:
                yield begin, until
                reached_at = until
        day += _DAY


def _windows(hours: Schedule, day: date) -> Iterator[tuple[datetime, datetime]]:
    zone = time_zone(hours.timezone)
    kinds = hours.calendar.kinds(day)
    for window in hours.windows:
        if day.weekday() in window.days or not window.kinds.isdisjoint(kinds):
            ends_on = day if window.start < window.end else day + _DAY
            begin = datetime.combine(day, window.start, tzinfo=zone)
            end = datetime.combine(ends_on, window.end, tzinfo=zone)
            yield begin.astimezone(UTC), end.astimezone(UTC)
