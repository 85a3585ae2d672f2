from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.readers.backoff import LONGEST_DELAY_S, retry_delay_s
from detector.readers.cadence import Cadence


def looks(times: list[float], interval_s: float, *, on_grid: bool) -> list[float]:
    cadence = Cadence(interval_s, on_grid=on_grid)
    return [t for t in times if cadence.is_due(t)]


@pytest.mark.parametrize(
    ("period_s", "interval_s", "on_grid", "expected"),
    [
        pytest.param(0.04, 1.0, True, [0.0, 1.0, 2.0, 3.0], id="every second of 25 fps"),
        pytest.param(0.4, 1.0, True, [0.0, 1.2, 2.0, 3.2], id="grid keeps the average"),
        pytest.param(1.0, 1.0, False, [0.0, 1.0, 2.0, 3.0], id="key pictures as often as looks"),
        pytest.param(0.9, 1.0, False, [0.0, 0.9, 1.8, 2.7], id="key pictures a little too often"),
        pytest.param(0.5, 2.0, False, [0.0, 2.0], id="key pictures far too often"),
        pytest.param(2.0, 1.0, True, [0.0, 2.0], id="frames rarer than looks"),
    ],
)
def test_looks_lie_an_interval_apart(
    period_s: float, interval_s: float, on_grid: bool, expected: list[float]
) -> None:
    times = [round(i * period_s, 6) for i in range(int(3.3 / period_s) + 1)]
    assert looks(times, interval_s, on_grid=on_grid) == pytest.approx(expected)


def test_a_stream_that_starts_anew_is_looked_at_again_at_once() -> None:
    assert looks([100.0, 100.5, 0.0, 0.5, 1.0], 1.0, on_grid=True) == [100.0, 0.0, 1.0]


@given(
    steps=st.lists(st.floats(0.01, 3.0), min_size=1, max_size=60),
    interval_s=st.floats(0.1, 5.0),
    on_grid=st.booleans(),
)
def test_no_look_is_missed_by_more_than_one_frame(
    steps: list[float], interval_s: float, on_grid: bool
) -> None:
    times = [sum(steps[:i]) for i in range(len(steps) + 1)]
    seen = looks(times, interval_s, on_grid=on_grid)
    for earlier, later in itertools.pairwise(seen):
        between = [t for t in times if earlier < t < later]
        assert all(t < earlier + interval_s + 0.01 for t in between)


@given(failures=st.integers(1, 10_000), chance=st.floats(0, 1))
def test_the_wait_before_a_retry_is_bounded(failures: int, chance: float) -> None:
    assert 0.25 <= retry_delay_s(failures, chance) <= LONGEST_DELAY_S


def test_the_wait_doubles_and_is_half_random() -> None:
    assert [retry_delay_s(n, 1.0) for n in (1, 2, 3, 4)] == [0.5, 1.0, 2.0, 4.0]
    assert [retry_delay_s(n, 0.0) for n in (1, 2, 3, 4)] == [0.25, 0.5, 1.0, 2.0]
