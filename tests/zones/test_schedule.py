"""Schedules: what a sign at the kerb means."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.calendar import Calendar, DayKind
from models.zone import Schedule, TimeWindow
from zones.schedule import is_active, time_zone

SHANGHAI, BERLIN, NEW_YORK = "Asia/Shanghai", "Europe/Berlin", "America/New_York"
WORKDAYS = frozenset(range(5))
FRIDAY = frozenset({4})


def local(text: str, zone: str, fold: int = 0) -> datetime:
    """A wall-clock time in a time zone, as the instant it is."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)


def schedule(
    zone: str, start: time, end: time, days: frozenset[int] = frozenset(range(7))
) -> Schedule:
    """A schedule of one window."""
    return Schedule(timezone=zone, windows=(TimeWindow(days=days, start=start, end=end),))


def test_without_windows_a_schedule_always_holds() -> None:
    assert is_active(Schedule(), datetime(2026, 1, 1, tzinfo=UTC))


DAY = schedule(SHANGHAI, time(7, 30), time(19), WORKDAYS)
NIGHT = schedule(SHANGHAI, time(22), time(6), FRIDAY)
WHOLE_DAY = schedule(SHANGHAI, time(0), time(0), FRIDAY)
NOON_TO_NOON = schedule(SHANGHAI, time(12), time(12), FRIDAY)


@pytest.mark.parametrize(
    ("rule", "at", "expected"),
    [
        pytest.param(DAY, "2026-03-02T07:29:59", False, id="just before"),
        pytest.param(DAY, "2026-03-02T07:30:00", True, id="start belongs to it"),
        pytest.param(DAY, "2026-03-02T18:59:59.999999", True, id="last moment"),
        pytest.param(DAY, "2026-03-02T19:00:00", False, id="end does not"),
        pytest.param(DAY, "2026-03-07T12:00:00", False, id="Saturday"),
        pytest.param(NIGHT, "2026-03-06T21:59:59", False, id="before the night"),
        pytest.param(NIGHT, "2026-03-06T23:00:00", True, id="Friday night"),
        pytest.param(NIGHT, "2026-03-07T05:59:59", True, id="early Saturday is Friday's night"),
        pytest.param(NIGHT, "2026-03-07T06:00:00", False, id="night is over"),
        pytest.param(NIGHT, "2026-03-06T05:00:00", False, id="early Friday is Thursday's night"),
        pytest.param(NIGHT, "2026-03-07T23:00:00", False, id="Saturday night"),
        pytest.param(WHOLE_DAY, "2026-03-06T00:00:00", True, id="whole day, start"),
        pytest.param(WHOLE_DAY, "2026-03-06T23:59:59", True, id="whole day, end"),
        pytest.param(WHOLE_DAY, "2026-03-07T00:00:00", False, id="next day"),
        pytest.param(NOON_TO_NOON, "2026-03-06T11:59:59", False, id="before noon"),
        pytest.param(NOON_TO_NOON, "2026-03-07T11:59:59", True, id="until next noon"),
    ],
)
def test_windows(rule: Schedule, at: str, expected: bool) -> None:
    assert is_active(rule, local(at, SHANGHAI)) is expected


def test_any_of_several_windows_suffices() -> None:
    rush = Schedule(
        timezone=BERLIN,
        windows=(
            TimeWindow(start=time(7), end=time(9)),
            TimeWindow(start=time(16), end=time(18)),
        ),
    )
    hours = [h for h in range(24) if is_active(rush, local(f"2026-03-02T{h:02}:00", BERLIN))]
    assert hours == [7, 8, 16, 17]


def test_the_same_instant_is_judged_by_the_local_clock() -> None:
    instant = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
    assert is_active(schedule(SHANGHAI, time(8), time(10)), instant)
    assert not is_active(schedule(NEW_YORK, time(8), time(10)), instant)


@pytest.mark.parametrize("zone", [BERLIN, NEW_YORK])
def test_a_window_keeps_its_local_hours_when_clocks_change(zone: str) -> None:
    rule = schedule(zone, time(8), time(10))
    for day in ("2026-01-15", "2026-07-15", "2026-03-08", "2026-03-29", "2026-10-25", "2026-11-01"):
        assert not is_active(rule, local(f"{day}T07:59", zone))
        assert is_active(rule, local(f"{day}T08:00", zone))
        assert is_active(rule, local(f"{day}T09:59", zone))
        assert not is_active(rule, local(f"{day}T10:00", zone))


def minutes_active(rule: Schedule, start: datetime, hours: int) -> int:
    """Minutes in which a schedule holds."""
    return sum(is_active(rule, start + timedelta(minutes=n)) for n in range(hours * 60))


@pytest.mark.parametrize(
    ("day", "expected"),
    [("2026-03-28", 7 * 60), ("2026-10-24", 9 * 60), ("2026-06-10", 8 * 60)],
    ids=["spring: an hour less", "autumn: an hour more", "any other night"],
)
def test_a_night_window_is_as_long_as_the_night(day: str, expected: int) -> None:
    rule = schedule(BERLIN, time(22), time(6))
    assert minutes_active(rule, local(f"{day}T12:00", BERLIN), 24) == expected


def test_a_window_in_the_hour_that_is_left_out_does_not_hold() -> None:
    rule = schedule(BERLIN, time(2, 10), time(2, 50))
    assert minutes_active(rule, local("2026-03-28T12:00", BERLIN), 24) == 0


def test_a_window_in_the_repeated_hour_holds_twice() -> None:
    rule = schedule(BERLIN, time(2, 10), time(2, 50))
    assert minutes_active(rule, local("2026-10-24T12:00", BERLIN), 24) == 80
    assert is_active(rule, local("2026-10-25T02:30", BERLIN, fold=0))
    assert is_active(rule, local("2026-10-25T02:30", BERLIN, fold=1))


def test_a_time_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        is_active(Schedule(), datetime(2026, 1, 1))  # noqa: DTZ001 - what is tested


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../etc/passwd", "Asia"])
def test_an_unknown_time_zone_is_an_error(name: str) -> None:
    with pytest.raises(ValueError, match="no such time zone"):
        time_zone(name)


@given(
    st.datetimes(min_value=datetime(2024, 1, 1), max_value=datetime(2028, 1, 1)),  # noqa: DTZ001
    st.times(),
    st.times(),
    st.sampled_from([SHANGHAI, BERLIN, NEW_YORK, "UTC"]),
)
def test_a_window_and_the_rest_of_the_day_are_each_others_opposite(
    at: datetime, start: time, end: time, zone: str
) -> None:
    instant = at.replace(tzinfo=UTC)
    inside = is_active(schedule(zone, start, end), instant)
    rest = is_active(schedule(zone, end, start), instant)
    assert inside is not rest if start != end else inside and rest


NATIONAL_DAY_2026 = Calendar(
    holidays=frozenset(date(2026, 10, day) for day in range(1, 9)),
    workdays=frozenset({date(2026, 9, 27), date(2026, 10, 10)}),
)
"""As a year's arrangement is written: a week off, and a Sunday and a Saturday worked for it."""


def by_calendar(*kinds: DayKind, start: time = time(0), end: time = time(0)) -> Schedule:
    """A schedule of one window on kinds of days."""
    window = TimeWindow(days=frozenset(), kinds=frozenset(kinds), start=start, end=end)
    return Schedule(timezone=SHANGHAI, windows=(window,), calendar=NATIONAL_DAY_2026)


@pytest.mark.parametrize(
    ("day", "kinds"),
    [
        pytest.param("2026-09-25", "workdays", id="a Friday"),
        pytest.param("2026-09-26", "restdays", id="a free Saturday"),
        pytest.param("2026-09-27", "workdays", id="a Sunday that is worked"),
        pytest.param("2026-10-01", "holidays restdays", id="a holiday on a Thursday"),
        pytest.param("2026-10-03", "holidays restdays", id="a holiday on a Saturday"),
        pytest.param("2026-10-09", "workdays", id="the day after the holidays"),
        pytest.param("2026-10-10", "workdays", id="a Saturday that is worked"),
    ],
)
def test_holidays_and_make_up_days_decide_which_windows_hold(day: str, kinds: str) -> None:
    noon = local(f"{day}T12:00", SHANGHAI)
    holding = [kind.value for kind in DayKind if is_active(by_calendar(kind), noon)]
    assert sorted(holding) == kinds.split()


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        pytest.param("2026-09-30T23:00", True, id="the eve, a working day"),
        pytest.param("2026-10-01T05:59", True, id="its night goes on into the holiday"),
        pytest.param("2026-10-01T23:00", False, id="the night of the holiday"),
        pytest.param("2026-10-09T05:00", False, id="the last night of the holidays"),
        pytest.param("2026-10-11T05:00", True, id="the night after a worked Saturday"),
    ],
)
def test_a_night_belongs_to_the_day_on_which_it_began(at: str, expected: bool) -> None:
    nights = by_calendar(DayKind.WORKDAYS, start=time(22), end=time(6))
    assert is_active(nights, local(at, SHANGHAI)) is expected


DATES = st.dates(date(2026, 1, 1), date(2026, 12, 31))
INSTANTS = st.integers(0, 365 * 24 * 60).map(
    lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)
ZONES = st.sampled_from((SHANGHAI, BERLIN, NEW_YORK, "Australia/Lord_Howe"))
CALENDARS = st.builds(
    Calendar, holidays=st.frozensets(DATES, max_size=30), workdays=st.frozensets(DATES, max_size=9)
)
CLOCKS = st.times().map(lambda clock: clock.replace(microsecond=0))


@given(INSTANTS, ZONES, CALENDARS, CLOCKS, CLOCKS)
def test_every_moment_is_in_a_window_of_working_days_or_of_days_of_rest_but_not_both(
    at: datetime, zone: str, calendar: Calendar, start: time, end: time
) -> None:
    """Windows that share out the day, on days that share out the year, whatever the clocks do."""
    holding = [
        is_active(Schedule(timezone=zone, windows=(window,), calendar=calendar), at)
        for kind in (DayKind.WORKDAYS, DayKind.RESTDAYS)
        for window in (
            TimeWindow(days=frozenset(), kinds=frozenset({kind}), start=start, end=end),
            TimeWindow(days=frozenset(), kinds=frozenset({kind}), start=end, end=start),
        )
    ]
    assert sum(holding) == (1 if start != end else 2)


@given(INSTANTS, ZONES, CLOCKS, CLOCKS)
def test_without_holidays_working_days_are_monday_to_friday(
    at: datetime, zone: str, start: time, end: time
) -> None:
    by_kind = TimeWindow(
        days=frozenset(), kinds=frozenset({DayKind.WORKDAYS}), start=start, end=end
    )
    by_kind_of_day = Schedule(timezone=zone, windows=(by_kind,))
    assert is_active(by_kind_of_day, at) is is_active(schedule(zone, start, end, WORKDAYS), at)
