"""What an evaluation comes to: rates, shares and medians with their intervals, by condition."""

from __future__ import annotations

from dataclasses import replace

import pytest

from service.evaluation.figures import by_condition, figures_of
from service.evaluation.row import Row

ROW = Row(
    clip="a.mp4",
    zone="kerb",
    dwell_s=5,
    expected=1,
    found=1,
    matched=1,
    missed=0,
    false_alarms=0,
    delay_s=(0.5,),
    start_error_s=(-0.1,),
    once=1,
    watched_s=4320.0,
)


def test_zones_of_one_clip_and_dwell_are_one_camera() -> None:
    rows = [ROW, replace(ROW, zone="lane"), replace(ROW, dwell_s=10), replace(ROW, clip="b.mp4")]
    assert figures_of(rows).camera_days == pytest.approx(3 * 0.05)


def test_no_false_order_in_a_short_time_does_not_mean_none_in_a_long_one() -> None:
    low, high = figures_of([ROW]).false_interval or (1.0, 0.0)
    assert low == 0
    assert high == pytest.approx(3.6889 / 0.05, rel=1e-4)


def test_an_incident_that_came_twice_is_not_exactly_one_order() -> None:
    twice = replace(ROW, found=2, false_alarms=1, once=0)
    figures = figures_of([ROW, twice])
    assert (figures.once, figures.expected, figures.once_ratio) == (1, 2, 0.5)


def test_medians_name_the_worst_by_its_distance_from_nothing() -> None:
    figures = figures_of([replace(ROW, start_error_s=(0.2, -3.0, 0.1))])
    assert figures.start_error is not None
    assert (figures.start_error.median_s, figures.start_error.worst_s) == (0.1, -3.0)


def test_what_was_not_watched_has_no_figures() -> None:
    figures = figures_of([])
    assert figures.false_per_camera_day is None
    assert figures.false_interval is None
    assert figures.once_interval is None
    assert figures.as_json()["delay_s"] is None


def test_a_row_counts_under_each_of_its_conditions() -> None:
    rows = [ROW, replace(ROW, conditions=("rain", "dusk")), replace(ROW, conditions=("rain",))]
    counts = {name: figures.expected for name, figures in by_condition(rows).items()}
    assert counts == {"all": 3, "dusk": 1, "rain": 2}
