from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.readers.clock import LiveClock

START = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


class Hands:
    """Both clocks of the machine, moved by the test."""

    def __init__(self) -> None:
        self.elapsed_s = 0.0
        self.wall_shift_s = 0.0

    def clock(self, **options: bool) -> LiveClock:
        return LiveClock(
            monotonic_s=lambda: 1000.0 + self.elapsed_s,
            wall=lambda: START + timedelta(seconds=self.elapsed_s + self.wall_shift_s),
            **options,
        )


def stamped(arrivals: Sequence[tuple[float, float | None]], **options: bool) -> list[float]:
    """Seconds after START at which pictures (arrival, position) are said to be taken."""
    hands = Hands()
    clock = hands.clock(**options)
    times = []
    for arrival_s, position_s in arrivals:
        hands.elapsed_s = arrival_s
        times.append((clock.stamp(position_s).captured_at - START).total_seconds())
    return times


def test_jitter_of_arrival_does_not_distort_the_time() -> None:
    jitter = [0.0, 0.3, 0.1, 0.4, 0.0, 0.25]
    times = stamped([(i + late, float(i)) for i, late in enumerate(jitter)])
    assert times == pytest.approx([0, 1, 2, 3, 4, 5])


def test_a_backlog_at_the_beginning_does_not_make_later_pictures_late() -> None:
    backlog = [(2.0, i * 0.5) for i in range(5)]
    steady = [(2.0 + i * 0.5, 2.0 + i * 0.5) for i in range(1, 4)]
    assert stamped(backlog + steady)[-3:] == pytest.approx([2.5, 3.0, 3.5])


@pytest.mark.parametrize(
    "position",
    [
        pytest.param(lambda _: None, id="none"),
        pytest.param(lambda _: 0.0, id="frozen"),
        pytest.param(lambda s: 3 * s, id="too fast"),
    ],
)
def test_a_stream_without_a_usable_time_is_stamped_by_arrival(position: object) -> None:
    assert callable(position)
    arrivals = [(i * 0.5, position(i * 0.5)) for i in range(60)]
    assert stamped(arrivals) == pytest.approx([a for a, _ in arrivals], abs=0.01)


def test_a_stream_whose_time_is_too_slow_is_soon_stamped_by_arrival() -> None:
    arrivals = [(i * 0.5, 0.4 * i * 0.5) for i in range(90)]
    assert stamped(arrivals)[-1] == pytest.approx(arrivals[-1][0])


def test_made_up_times_are_not_used() -> None:
    arrivals = [(float(i), i * 0.04) for i in range(4)]
    assert stamped(arrivals, uses_stream_time=False) == [0, 1, 2, 3]


@pytest.mark.parametrize("jump_s", [-3600.0, -4.0, 7.0, 3600.0])
def test_a_jump_of_the_streams_time_moves_no_picture(jump_s: float) -> None:
    arrivals = [(i * 0.5, i * 0.5 + (jump_s if i >= 4 else 0.0)) for i in range(10)]
    assert stamped(arrivals) == pytest.approx([a for a, _ in arrivals], abs=0.01)


def test_a_reader_that_falls_behind_little_by_little_keeps_the_right_time() -> None:
    """A busy machine reads at 70 % of the speed for 25 s, then catches up."""
    slow = [(i * 0.5, i * 0.35) for i in range(50)]
    caught_up = [(25.0 + i * 0.1, 17.5 + i * 0.35) for i in range(30)]
    times = stamped(slow + caught_up)
    assert times == pytest.approx([position for _, position in slow + caught_up], abs=0.01)


def test_a_reader_that_falls_far_behind_says_so() -> None:
    arrivals = [(i * 0.5, i * 0.5) for i in range(10)] + [
        (17.0 + i * 0.1, 5.0 + i * 0.5) for i in range(5)
    ]
    assert stamped(arrivals)[-5:] == pytest.approx([5.0, 5.5, 6.0, 6.5, 7.0])


def test_a_camera_whose_clock_drifts_is_followed() -> None:
    slow = 1 - 200e-6  # a cheap quartz
    arrivals = [(float(i), i * slow) for i in range(0, 36_000, 5)]
    assert stamped(arrivals)[-1] == pytest.approx(arrivals[-1][0], abs=0.05)


def test_a_wall_clock_that_is_set_forward_is_followed() -> None:
    hands = Hands()
    clock = hands.clock()
    clock.stamp(0.0)
    hands.elapsed_s, hands.wall_shift_s = 1.0, 90.0
    assert clock.stamp(1.0).captured_at == START + timedelta(seconds=91)


def test_a_new_connection_goes_on_with_the_same_clock() -> None:
    hands = Hands()
    clock = hands.clock()
    for second in range(5):
        hands.elapsed_s = float(second)
        clock.stamp(100.0 + second)
    hands.elapsed_s = 6.0
    assert clock.for_new_connection().stamp(0.0).stream_s == pytest.approx(6.0)


@given(
    st.lists(
        st.tuples(
            st.floats(0.0, 10.0),
            st.one_of(st.none(), st.floats(-100, 1e6)),
            st.sampled_from([0.0, 0.0, -7200.0, 3600.0]),
        ),
        max_size=50,
    )
)
def test_times_strictly_increase_whatever_comes(
    pictures: list[tuple[float, float | None, float]],
) -> None:
    hands = Hands()
    clock = hands.clock()
    stamps = []
    for step_s, position_s, shift_s in pictures:
        hands.elapsed_s += step_s
        hands.wall_shift_s += shift_s
        stamps.append(clock.stamp(position_s))
    for earlier, later in itertools.pairwise(stamps):
        assert later.captured_at > earlier.captured_at
        assert later.stream_s > earlier.stream_s
