"""Working time, by examples and by laws that it must keep."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.calendar import Calendar, DayKind
from models.work_order import Status
from models.zone import Priority, Schedule, TimeWindow
from service.config.categories import load_categories
from service.decisions.sla import (
    DueTimes,
    SlaState,
    after_working,
    due_times,
    next_look,
    reached,
    sla_state,
    to_tell,
    working_s,
)

HOLIDAYS = Calendar(
    holidays=frozenset(date(2026, 10, day) for day in range(1, 9)),
    workdays=frozenset({date(2026, 9, 27), date(2026, 10, 10)}),
)


def hours(timezone: str = "Asia/Shanghai") -> Schedule:
    windows = tuple(
        TimeWindow(
            days=frozenset(), kinds=frozenset({DayKind.WORKDAYS}), start=time(start), end=time(end)
        )
        for start, end in ((8, 12), (14, 18))
    )
    return Schedule(timezone=timezone, windows=windows, calendar=HOLIDAYS)


@pytest.mark.parametrize(
    ("start", "hours_worked", "due"),
    [
        pytest.param("2026-11-24T09:00", 2, "2026-11-24T11:00", id="in a morning"),
        pytest.param("2026-11-24T11:00", 2, "2026-11-24T15:00", id="over lunch"),
        pytest.param("2026-11-24T17:00", 2, "2026-11-25T09:00", id="over night"),
        pytest.param("2026-11-27T17:00", 2, "2026-11-30T09:00", id="over a weekend"),
        pytest.param("2026-11-24T03:00", 4, "2026-11-24T12:00", id="to the end of a window"),
        pytest.param("2026-09-30T17:00", 2, "2026-10-09T09:00", id="over holidays"),
        pytest.param("2026-10-09T17:00", 2, "2026-10-10T09:00", id="into a make-up Saturday"),
        pytest.param("2026-11-24T08:00", 40, "2026-11-30T18:00", id="five working days"),
    ],
)
def test_working_hours_leave_out_what_is_not_worked(
    start: str, hours_worked: float, due: str
) -> None:
    begin = datetime.fromisoformat(f"{start}+08:00")

    assert after_working(hours(), begin, hours_worked * 3600) == datetime.fromisoformat(
        f"{due}+08:00"
    )
    assert working_s(hours(), begin, datetime.fromisoformat(f"{due}+08:00")) == hours_worked * 3600


def test_a_night_shift_is_an_hour_longer_when_clocks_are_set_back() -> None:
    night = TimeWindow(start=time(22), end=time(6))
    shift = Schedule(timezone="Europe/Berlin", windows=(night,))
    evening = datetime(2026, 10, 24, 18, tzinfo=UTC)

    assert working_s(shift, evening, evening + timedelta(hours=14)) == 9 * 3600


TIMES = st.datetimes(
    datetime(2026, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    datetime(2026, 12, 31),  # noqa: DTZ001 - as above
    timezones=st.just(UTC),
)
ZONES = st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "America/New_York", "UTC"])
SECONDS = st.integers(0, 60 * 3600)


@given(start=TIMES, seconds=SECONDS, zone=ZONES)
def test_between_start_and_due_lies_exactly_the_working_time(
    start: datetime, seconds: int, zone: str
) -> None:
    due = after_working(hours(zone), start, seconds)

    assert due >= start
    assert working_s(hours(zone), start, due) == pytest.approx(seconds)


@given(start=TIMES, seconds=SECONDS, more=SECONDS, later=SECONDS, zone=ZONES)
def test_due_times_never_go_back(
    start: datetime, seconds: int, more: int, later: int, zone: str
) -> None:
    due = after_working(hours(zone), start, seconds)

    assert after_working(hours(zone), start, seconds + more) >= due
    assert after_working(hours(zone), start + timedelta(seconds=later), seconds) >= due


@given(start=TIMES, first=SECONDS, second=SECONDS, zone=ZONES)
def test_working_time_adds_up(start: datetime, first: int, second: int, zone: str) -> None:
    middle = start + timedelta(seconds=first * 7)
    end = middle + timedelta(seconds=second * 7)
    parts = working_s(hours(zone), start, middle) + working_s(hours(zone), middle, end)

    assert parts == pytest.approx(working_s(hours(zone), start, end))


START = datetime(2026, 11, 24, 8, tzinfo=UTC)
DUE = DueTimes(
    accept_warn_at=START + timedelta(minutes=30),
    accept_due_at=START + timedelta(minutes=40),
    warn_at=START + timedelta(minutes=60),
    due_at=START + timedelta(minutes=80),
)


@pytest.mark.parametrize(
    ("status", "minutes", "state"),
    [
        pytest.param(Status.DISPATCHED, 10, SlaState.OK, id="early"),
        pytest.param(Status.DISPATCHED, 35, SlaState.WARNING, id="should be accepted soon"),
        pytest.param(Status.DISPATCHED, 45, SlaState.BREACHED, id="was not accepted"),
        pytest.param(Status.ACCEPTED, 45, SlaState.OK, id="accepted, if late"),
        pytest.param(Status.IN_PROGRESS, 70, SlaState.WARNING, id="should be resolved soon"),
        pytest.param(Status.REOPENED, 90, SlaState.BREACHED, id="opened again too late"),
        pytest.param(Status.RESOLVED, 90, None, id="over"),
    ],
)
def test_an_order_stands_by_the_clocks_that_run(
    status: Status, minutes: int, state: SlaState | None
) -> None:
    assert sla_state(DUE, status, START + timedelta(minutes=minutes)) is state


@given(looks=st.lists(st.integers(0, 200), max_size=12), accepted=st.integers(0, 200))
def test_each_warning_and_breach_is_told_once_and_no_warning_after_its_breach(
    looks: list[int], accepted: int
) -> None:
    told: list[str] = []
    for minutes in sorted(looks):
        status = Status.ACCEPTED if minutes >= accepted else Status.DISPATCHED
        now = START + timedelta(minutes=minutes)
        told += [str(each) for each in to_tell(DUE, status, now, frozenset(told))]
        assert {each.clock for each in reached(DUE, status, now)} <= {
            mark.partition(":")[0] for mark in told
        }
        then = next_look(DUE, now)
        assert then is None or then > now

    assert len(told) == len(set(told))
    for clock in ("accept", "resolve"):
        marks = [mark for mark in told if mark.startswith(clock)]
        assert marks == sorted(marks, reverse=True)


def test_a_dangerous_manhole_is_due_in_two_hours_of_any_night() -> None:
    table = load_categories(timezone="Asia/Shanghai")
    night = datetime.fromisoformat("2026-11-28T23:00:00+08:00")

    urgent = due_times(table, "damaged_manhole", Priority.URGENT, night)
    normal = due_times(table, "damaged_manhole", Priority.NORMAL, night)

    assert urgent is not None
    assert normal is not None
    assert urgent.due_at == night + timedelta(hours=2)
    assert normal.due_at == datetime.fromisoformat("2026-12-04T18:00:00+08:00")
