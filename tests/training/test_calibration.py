"""Thresholds for a stated rate of false alarms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.training.calibration import (
    LOWEST_THRESHOLD,
    Sightings,
    calibrate,
    threshold_for,
)

PICTURES = 100
confidences = st.floats(0.001, 0.999)
sightings = st.dictionaries(
    st.sampled_from(["litter", "pothole", "graffiti"]),
    st.lists(st.tuples(st.integers(0, PICTURES - 1), confidences), max_size=40),
    min_size=1,
)


def alarms(seen: Sightings, thresholds: dict[str, float]) -> int:
    return sum(c >= thresholds[name] for name, found in seen.items() for _, c in found)


@given(seen=sightings, asked=st.floats(0.5, 500))
def test_the_rate_asked_for_is_kept_on_the_pictures(seen: Sightings, asked: float) -> None:
    result = calibrate(seen, PICTURES, asked)
    there = alarms(seen, result.thresholds)
    assert result.kept
    assert 1000 * there <= asked * PICTURES
    assert result.rate.alarms == there
    assert sum(limit.allowed for limit in result.limits.values()) == int(asked * PICTURES / 1000)


@given(values=st.lists(confidences, max_size=40), allowed=st.integers(0, 10))
def test_the_threshold_is_the_lowest_thousandth_that_keeps_it(
    values: list[float], allowed: int
) -> None:
    given_values = np.array(values)
    threshold = threshold_for(given_values, allowed)
    assert (given_values >= threshold).sum() <= allowed
    if threshold > LOWEST_THRESHOLD:
        lower = max(LOWEST_THRESHOLD, threshold - 0.0011)
        assert (given_values >= lower).sum() > allowed


def test_a_value_on_a_step_stays_below_the_threshold() -> None:
    for value in (n / 1000 for n in range(200, 1000)):
        assert value < threshold_for(np.array([value]), 0) <= value + 0.0011


def test_the_allowance_is_shared_equally_and_the_rest_goes_where_it_helps_most() -> None:
    seen = {
        "litter": [(0, 0.9), (1, 0.85), (2, 0.8)],
        "pothole": [(3, 0.9), (4, 0.3), (5, 0.25)],
    }
    result = calibrate(seen, PICTURES, asked_per_1000=30)
    assert {name: limit.allowed for name, limit in result.limits.items()} == {
        "litter": 1,
        "pothole": 2,
    }
    assert result.thresholds == {"litter": 0.851, "pothole": 0.251}


def test_a_class_that_is_never_seen_gets_the_lowest_threshold() -> None:
    result = calibrate({"litter": []}, PICTURES, 10)
    assert result.thresholds == {"litter": LOWEST_THRESHOLD}


@pytest.mark.parametrize(
    ("pictures", "enough"), [(599, False), (600, True)], ids=["too few", "enough"]
)
def test_too_few_pictures_for_the_rate_are_told_by_the_rule_of_three(
    pictures: int, enough: bool
) -> None:
    result = calibrate({"litter": []}, pictures, asked_per_1000=5)
    told = result.as_json()
    assert (told["needed_pictures"], told["enough_pictures"]) == (600, enough)


@pytest.mark.parametrize(
    ("pictures", "found", "threshold"),
    [
        pytest.param(100, [], 0.45, id="too few and nothing false: as the model comes"),
        pytest.param(100, [(0, 0.6)], 0.601, id="too few and something false: stricter"),
        pytest.param(600, [], LOWEST_THRESHOLD, id="enough: as low as they show"),
    ],
)
def test_too_few_pictures_never_lower_the_threshold_that_a_model_comes_with(
    pictures: int, found: list[tuple[int, float]], threshold: float
) -> None:
    result = calibrate({"litter": found}, pictures, 5, {"litter": 0.45})
    assert result.thresholds == {"litter": threshold}


def test_something_false_that_is_quite_sure_cannot_be_kept_out_and_is_told() -> None:
    result = calibrate({"litter": [(0, 1.0)]}, PICTURES, 1)
    assert result.thresholds == {"litter": 1.0}
    assert not result.kept


def test_the_cross_check_counts_what_new_pictures_would_have_given() -> None:
    """One wild picture: with it the threshold keeps it out, without it nothing warns."""
    seen = {"litter": [(n, 0.3) for n in range(PICTURES)] + [(50, 0.95)]}
    result = calibrate(seen, PICTURES, 5)
    assert result.rate.alarms == 0
    assert (result.cross_checked.alarms, result.cross_checked.pictures) == (1, PICTURES)


def test_one_picture_cannot_be_cross_checked() -> None:
    assert calibrate({"litter": []}, 1, 5).cross_checked.per_1000 is None


@pytest.mark.parametrize("seed", range(3))
def test_on_fresh_pictures_the_cross_checked_rate_is_about_what_comes(seed: int) -> None:
    random = np.random.default_rng(seed)

    def world(count: int) -> dict[str, list[tuple[int, float]]]:
        return {"litter": [(n, float(c)) for n, c in enumerate(random.beta(2, 5, count))]}

    result = calibrate(world(4000), 4000, asked_per_1000=20)
    fresh = 1000 * alarms(world(20_000), result.thresholds) / 20_000
    checked = result.cross_checked.per_1000
    assert checked is not None
    assert fresh == pytest.approx(checked, abs=6)
    assert fresh == pytest.approx(20, abs=6)
