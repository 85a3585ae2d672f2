"""Average precision, intervals and comparisons with known answers."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.training.bootstrap import (
    draws,
    mean_of_classes,
    percentile_interval,
    ratio_interval,
    resampled_precisions,
)
from detector.training.coco import coco_figures
from detector.training.comparison import compare
from detector.training.confusion import confusion
from detector.training.curves import average_precision, outcome, rank
from detector.training.rates import AlarmRate
from detector.training.scenes import Scene, limited
from models.geometry import Box
from models.intervals import wilson
from models.seeing import Detection

LEFT, RIGHT, NOWHERE = Box(0, 0, 20, 20), Box(50, 50, 80, 80), Box(60, 0, 70, 10)
NAMES = ("litter", "pothole")


def seen(box: Box, confidence: float, label: str = "litter") -> Detection:
    return Detection(label=label, confidence=confidence, box=box)


def scene(
    found: Sequence[Detection], *truth: Box, label: str = "litter", scale: float = 1.0
) -> Scene:
    return Scene(found=tuple(found), truth=tuple((label, box) for box in truth), scale=scale)


boxes = st.builds(
    lambda x, y, w, h: Box(x, y, x + w, y + h),
    st.integers(0, 30), st.integers(0, 30), st.integers(4, 30), st.integers(4, 30),
)  # fmt: skip
# Distinct confidences: COCO leaves open which of two equal ones comes first.
detections = st.lists(
    st.tuples(boxes, st.integers(1, 10_000), st.sampled_from(NAMES)),
    max_size=8,
    unique_by=lambda row: row[1],
)
worlds = st.lists(
    st.tuples(detections, st.lists(st.tuples(st.sampled_from(NAMES), boxes), max_size=4)),
    min_size=1,
    max_size=4,
)


def scenes_of(
    world: Sequence[tuple[list[tuple[Box, int, str]], list[tuple[str, Box]]]],
) -> list[Scene]:
    made = []
    for number, (found, truth) in enumerate(world):
        confidences = [seen(b, (c * 10 + number) / 100_100, name) for b, c, name in found]
        made.append(Scene(found=tuple(confidences), truth=tuple(truth)))
    return made


@pytest.mark.needs_ultralytics
@settings(max_examples=60, deadline=None)
@given(world=worlds)
def test_average_precision_is_that_of_pycocotools(
    world: list[tuple[list[tuple[Box, int, str]], list[tuple[str, Box]]]],
) -> None:
    scenes = scenes_of(world)
    figures = coco_figures(scenes, NAMES)
    for name in NAMES:
        ours, theirs = average_precision(rank(scenes, name)), figures[name]["all"]
        if theirs is None:
            assert math.isnan(ours)
        else:
            assert ours == pytest.approx(theirs.ap50, abs=1e-9)


@given(world=worlds, weights=st.lists(st.integers(0, 3), min_size=4, max_size=4))
def test_weighting_a_picture_is_the_same_as_repeating_it(
    world: list[tuple[list[tuple[Box, int, str]], list[tuple[str, Box]]]], weights: list[int]
) -> None:
    scenes = scenes_of(world)
    counted = np.array(weights[: len(scenes)])
    repeated = [s for s, n in zip(scenes, weights, strict=False) for _ in range(n)]
    weighted = average_precision(rank(scenes, "litter"), counted)
    if not repeated:
        assert math.isnan(weighted)
    else:
        expected = average_precision(rank(repeated, "litter"))
        assert weighted == pytest.approx(expected, nan_ok=True)


def test_counts_at_a_threshold_are_kept_picture_by_picture() -> None:
    scenes = [
        scene([seen(LEFT, 0.9), seen(NOWHERE, 0.6)], LEFT),
        scene([seen(RIGHT, 0.4)], RIGHT, LEFT),
        scene([seen(RIGHT, 0.5)]),
    ]
    at = outcome(rank(scenes, "litter"), 0.5)
    assert at.shown.tolist() == [2, 0, 1]
    assert at.right.tolist() == [1, 0, 0]
    assert at.objects.tolist() == [1, 2, 0]


@pytest.mark.needs_ultralytics
def test_coco_figures_are_told_by_size_as_the_network_sees_it() -> None:
    large = scene([seen(Box(0, 0, 200, 200), 0.9)], Box(0, 0, 200, 200))
    same_but_small = scene([], Box(0, 0, 200, 200), scale=0.1)
    figures = coco_figures([large, same_but_small], ["litter", "pothole"])
    small, medium, big = (figures["litter"][size] for size in ("small", "medium", "large"))
    assert small is not None
    assert (small.objects, small.ap50, small.ar) == (1, 0.0, 0.0)
    assert medium is None
    assert big is not None
    assert (big.objects, big.ar) == (1, 1.0)
    assert (big.ap50, big.ap50_95) == pytest.approx((1.0, 1.0))
    assert figures["pothole"]["all"] is None


@pytest.mark.needs_ultralytics
def test_a_box_that_lies_badly_loses_ap50_95_but_not_ap50() -> None:
    figures = coco_figures([scene([seen(Box(0, 0, 20, 15), 0.9)], LEFT)], ["litter"])
    found = figures["litter"]["all"]
    assert found is not None
    assert found.ap50 == pytest.approx(1)
    assert found.ap50_95 == pytest.approx(0.6), "IoU 0.75: 0.5 to 0.75 of ten levels"


@pytest.mark.needs_ultralytics
def test_coco_figures_of_pictures_without_any_detection_are_zero() -> None:
    found = coco_figures([scene([], LEFT)], ["litter"])["litter"]["all"]
    assert found is not None
    assert found.ap50 == 0.0


def test_confusion_tells_what_is_taken_for_what() -> None:
    scenes = [
        scene([seen(LEFT, 0.9)], LEFT),
        scene([seen(LEFT, 0.8, "pothole")], LEFT),
        scene([seen(NOWHERE, 0.8)], RIGHT),
        scene([seen(LEFT, 0.1)], LEFT),
    ]
    matrix = confusion(scenes, NAMES, {"litter": 0.5, "pothole": 0.5})
    assert matrix.labels == ("litter", "pothole", "background")
    assert matrix.counts.tolist() == [[1, 1, 2], [0, 0, 0], [1, 0, 0]]


def test_a_right_box_is_never_given_away_to_a_surer_one_of_another_class() -> None:
    both = scene([seen(LEFT, 0.6), seen(LEFT, 0.9, "pothole")], LEFT)
    matrix = confusion([both], NAMES, {"litter": 0.5, "pothole": 0.5})
    assert matrix.counts.tolist() == [[1, 0, 0], [0, 0, 0], [0, 1, 0]]


def test_each_round_draws_as_many_pictures_as_there_are_and_the_same_ones_every_time() -> None:
    first, again, other = (list(draws(7, 20, seed)) for seed in (1, 1, 2))
    assert all(int(weights.sum()) == 7 for weights in first)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_the_interval_holds_the_figure_and_narrows_with_more_pictures() -> None:
    mixed = [scene([seen(LEFT, 0.9)], LEFT), scene([], LEFT)]
    widths = []
    for times in (5, 50):
        ranked = rank(mixed * times, "litter")
        interval = percentile_interval(resampled_precisions([ranked], rounds=300)[:, 0])
        assert interval is not None
        assert interval[0] <= average_precision(ranked) <= interval[1]
        widths.append(interval[1] - interval[0])
    assert widths[1] < 0.5 * widths[0]


def test_the_bootstrap_interval_of_a_share_is_about_the_normal_one() -> None:
    hits = np.array([1] * 60 + [0] * 40)
    interval = ratio_interval(hits, np.ones(100, dtype=np.int64))
    assert interval == pytest.approx((0.504, 0.696), abs=0.015)


def test_objects_that_are_found_or_missed_together_give_a_wider_interval() -> None:
    together = ratio_interval(np.array([10] * 6 + [0] * 4), np.full(10, 10))
    alone = ratio_interval(np.array([1] * 60 + [0] * 40), np.ones(100, dtype=np.int64))
    assert together is not None
    assert alone is not None
    assert together[1] - together[0] > 2 * (alone[1] - alone[0])


@pytest.mark.parametrize(
    ("hits", "trials", "expected"),
    [(0, 10, (0.0, 0.2775)), (10, 10, (0.7225, 1.0)), (5, 10, (0.2366, 0.7634))],
    ids=["none", "all", "half"],
)
def test_wilson_intervals_are_those_of_the_tables(
    hits: int, trials: int, expected: tuple[float, float]
) -> None:
    assert wilson(hits, trials) == pytest.approx(expected, abs=1e-4)


def test_nothing_missed_among_few_is_not_told_as_certain() -> None:
    interval = ratio_interval(np.ones(4, dtype=np.int64), np.ones(4, dtype=np.int64))
    assert interval is not None
    assert interval[0] < 0.6


def test_the_mean_leaves_out_classes_that_a_round_has_no_object_of() -> None:
    nan = float("nan")
    means = mean_of_classes(np.array([[0.2, 0.6], [nan, 0.6], [nan, nan]]))
    assert means == pytest.approx([0.4, 0.6, nan], nan_ok=True)


@pytest.mark.parametrize(
    ("alarms", "pictures", "expected"),
    [(0, 300, (0.0, 12.3)), (1, 1000, (0.025, 5.572)), (10, 1000, (4.795, 18.390))],
    ids=["none", "one", "ten"],
)
def test_rates_carry_the_exact_poisson_interval(
    alarms: int, pictures: int, expected: tuple[float, float]
) -> None:
    rate = AlarmRate(alarms=alarms, pictures=pictures)
    assert rate.per_1000 == pytest.approx(1000 * alarms / pictures)
    assert rate.interval_per_1000 == pytest.approx(expected, abs=0.01)


def test_without_pictures_there_is_no_rate() -> None:
    assert AlarmRate(alarms=0, pictures=0).as_json()["per_1000"] is None


def worlds_of(share: float, count: int = 80) -> list[Scene]:
    """A detector that finds this share of the objects."""
    found = round(share * count)
    return [scene([seen(LEFT, 0.9)] if n < found else [], LEFT) for n in range(count)]


@pytest.mark.parametrize(
    ("a", "b", "better"),
    [(0.5, 0.9, "b"), (0.9, 0.5, "a"), (0.5, 0.51, None), (0.5, 0.5, None)],
    ids=["b", "a", "a picture more", "the same"],
)
def test_only_a_difference_beyond_chance_makes_one_better(
    a: float, b: float, better: str | None
) -> None:
    result = compare(worlds_of(a), worlds_of(b), ["litter"], rounds=300)
    difference = result.classes["litter"]
    assert difference.better == better
    assert difference.interval is not None
    assert difference.interval[0] <= difference.b - difference.a <= difference.interval[1]
    assert result.map50 == difference, "the mean of one class is that class"


def test_comparing_is_paired_so_that_a_small_steady_gain_shows() -> None:
    """Pictures differ much, but b finds all that a finds, and 8 of 80 more."""
    a, b = worlds_of(0.5), worlds_of(0.6)
    assert compare(a, b, ["litter"], rounds=300).classes["litter"].better == "b"
    shuffled = b[40:] + b[:40]  # the same share, unrelated to a's pictures
    assert compare(a, shuffled, ["litter"], rounds=300).classes["litter"].better is None


def test_a_class_without_objects_cannot_be_compared() -> None:
    difference = compare([scene([])], [scene([])], ["litter"], rounds=10).classes["litter"]
    assert (difference.interval, difference.better) == (None, None)
    assert difference.as_json()["difference"] == 0.0


def test_scenes_can_be_limited_to_some_classes() -> None:
    (only,) = limited([scene([seen(LEFT, 0.5), seen(LEFT, 0.4, "pothole")], LEFT)], ["pothole"])
    assert [d.label for d in only.found] == ["pothole"]
    assert only.truth == ()
