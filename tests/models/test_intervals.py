"""Intervals of rates and medians."""

from __future__ import annotations

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2  # type: ignore[import-untyped]

from models.intervals import median, poisson


@given(st.integers(0, 2000))
def test_the_interval_of_a_count_is_garwoods(count: int) -> None:
    low, high = poisson(count)
    assert low == pytest.approx(chi2.ppf(0.025, 2 * count) / 2 if count else 0.0)
    assert high == pytest.approx(chi2.ppf(0.975, 2 * count + 2) / 2)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60))
def test_a_median_lies_in_its_interval_and_that_among_the_values(values: list[float]) -> None:
    middle, low, high = median(values) or (0.0, 0.0, 0.0)
    assert middle == statistics.median(values)
    assert min(values) <= low <= middle <= high <= max(values)


@pytest.mark.parametrize(
    ("count", "ends"),
    [
        pytest.param(5, (0, 4), id="too-few-to-leave-any-out"),
        pytest.param(6, (0, 5), id="just-enough"),
        pytest.param(9, (1, 7), id="one-at-either-end"),
        pytest.param(20, (5, 14), id="five-at-either-end"),
    ],
)
def test_ranks_of_a_median_are_those_of_the_sign_test(count: int, ends: tuple[int, int]) -> None:
    found = median([float(value) for value in range(count)])
    assert found is not None
    assert found[1:] == ends


def test_no_values_have_no_median() -> None:
    assert median([]) is None
