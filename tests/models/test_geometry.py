"""Boxes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.geometry import Box

BOX = Box(10, 20, 50, 100)
EMPTY = Box(10, 20, 10, 20)


def test_what_a_box_says_of_itself() -> None:
    assert (BOX.width, BOX.height, BOX.area) == (40, 80, 3200)
    assert BOX.size == pytest.approx(3200**0.5)
    assert BOX.center == (30, 60)
    assert BOX.xyxy == (10, 20, 50, 100)


def test_the_anchor_is_where_it_touches_the_ground() -> None:
    assert BOX.anchor == (30, 100)


def test_a_box_the_wrong_way_round_is_empty() -> None:
    wrong = Box(50, 100, 10, 20)
    assert (wrong.width, wrong.height, wrong.area, wrong.size) == (0, 0, 0, 0)


@pytest.mark.parametrize(
    ("other", "common", "iou", "covered"),
    [
        (BOX, 3200, 1.0, 1.0),
        (Box(30, 20, 70, 100), 1600, 1 / 3, 0.5),
        (Box(0, 0, 100, 200), 3200, 0.16, 1.0),
        (Box(50, 20, 90, 100), 0, 0.0, 0.0),
        (Box(500, 500, 600, 600), 0, 0.0, 0.0),
        (EMPTY, 0, 0.0, 0.0),
    ],
    ids=["itself", "half", "around it", "side by side", "far away", "empty"],
)
def test_what_two_boxes_have_in_common(
    other: Box, common: float, iou: float, covered: float
) -> None:
    assert BOX.intersection(other) == common
    assert BOX.iou(other) == pytest.approx(iou)
    assert BOX.covered_by(other) == pytest.approx(covered)


def test_empty_boxes_have_nothing_in_common() -> None:
    assert EMPTY.iou(EMPTY) == 0.0
    assert EMPTY.covered_by(BOX) == 0.0


def test_the_union_holds_both() -> None:
    assert BOX.union(Box(0, 50, 20, 200)) == Box(0, 20, 50, 200)


def test_a_box_in_a_larger_picture() -> None:
    assert BOX.scaled(2, 0.5) == Box(20, 10, 100, 50)


def test_a_box_cut_at_the_edges_of_the_picture() -> None:
    assert Box(-5, -5, 30, 30).clipped(20, 25) == Box(0, 0, 20, 25)
    assert BOX.clipped(100, 100) == BOX


def test_a_box_with_a_border() -> None:
    assert BOX.grown(0.1) == Box(6, 12, 54, 108)


sides = st.floats(-1000, 1000)
boxes = st.builds(
    lambda x, y, w, h: Box(x, y, x + w, y + h), sides, sides, st.floats(0, 500), st.floats(0, 500)
)


@given(boxes, boxes)
def test_common_and_union_are_the_same_both_ways(one: Box, other: Box) -> None:
    assert one.intersection(other) == other.intersection(one)
    assert one.union(other) == other.union(one)
    assert one.iou(other) == pytest.approx(other.iou(one))
    assert 0 <= one.iou(other) <= 1 + 1e-9


@given(boxes, boxes)
def test_the_common_part_is_no_larger_than_either_and_the_union_no_smaller(
    one: Box, other: Box
) -> None:
    assert one.intersection(other) <= min(one.area, other.area) + 1e-6
    assert one.union(other).area >= max(one.area, other.area)


@given(boxes)
def test_a_box_cut_at_the_edges_lies_in_the_picture(box: Box) -> None:
    cut = box.clipped(640, 360)
    assert 0 <= cut.x1 <= cut.x2 <= 640
    assert 0 <= cut.y1 <= cut.y2 <= 360
    assert cut.area <= box.area + 1e-6
