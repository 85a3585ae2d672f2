"""A zone's polygon in the pixels of a picture."""

from __future__ import annotations

import math

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from models.geometry import Box, Points
from models.zone import Zone
from zones.polygon import ZoneShape

SQUARE: Points = ((100, 100), (300, 100), (300, 300), (100, 300))
L_SHAPE: Points = ((0, 0), (300, 0), (300, 100), (100, 100), (100, 300), (0, 300))


def shape(corners: Points = SQUARE) -> ZoneShape:
    """A zone in a picture of 400 by 400 px."""
    return ZoneShape(corners, 400, 400)


@pytest.mark.parametrize(
    ("point", "expected"),
    [
        ((200, 200), True),
        ((100, 200), True),
        ((300, 300), True),
        ((99.9, 200), False),
        ((350, 350), False),
    ],
    ids=["inside", "on the border", "on a corner", "just outside", "outside"],
)
def test_a_point_is_in_the_zone_or_not(point: tuple[float, float], expected: bool) -> None:
    assert shape().holds(point) is expected


def test_the_bay_of_a_concave_zone_is_outside() -> None:
    assert not shape(L_SHAPE).holds((200, 200))
    assert shape(L_SHAPE).holds((50, 250))


def test_a_point_beyond_the_picture_counts_as_on_its_last_pixel() -> None:
    down_to_the_edge = shape(((0, 0), (399, 0), (399, 399), (0, 399)))
    assert down_to_the_edge.holds((200, 400))
    assert down_to_the_edge.holds((400, 200))
    assert down_to_the_edge.holds((-5, 430))


def test_distance_is_zero_inside_and_grows_outside() -> None:
    assert shape().distance_px((200, 200)) == 0
    assert shape().distance_px((330, 340)) == pytest.approx(50)


@pytest.mark.parametrize(
    ("box", "share"),
    [
        (Box(150, 150, 250, 250), 1.0),
        (Box(250, 150, 350, 250), 0.5),
        (Box(150, 0, 250, 105), 5 / 21),
        (Box(310, 310, 350, 350), 0.0),
        (Box(150, 150, 150, 250), 0.0),
    ],
    ids=["inside", "half out", "only the lowest part in", "outside", "no width"],
)
def test_share_of_the_foot_strip(box: Box, share: float) -> None:
    assert shape().foot_share(box) == pytest.approx(share)


def test_the_foot_strip_is_the_lowest_fifth() -> None:
    assert shape().foot_share(Box(150, 0, 250, 125)) == pytest.approx(1.0)


def test_boxes_that_overlap_cover_their_union_once() -> None:
    boxes = [Box(100, 100, 200, 200), Box(150, 100, 250, 200), Box(0, 0, 50, 50)]
    assert shape().covered_share(boxes) == pytest.approx(150 * 100 / 40_000)
    assert shape().covered_share([Box(0, 0, 400, 400)]) == pytest.approx(1.0)


def test_no_boxes_cover_nothing() -> None:
    assert shape().covered_share([]) == 0.0
    assert shape().covered_share([Box(150, 150, 150, 150)]) == 0.0


def zone(polygon: Points, *, in_pixels: bool) -> Zone:
    """A zone without rules."""
    return Zone(zone_id="z", name="z", polygon=polygon, in_pixels=in_pixels, rules=())


@pytest.mark.parametrize(
    ("polygon", "in_pixels", "resolution"),
    [
        pytest.param(((0.25, 0.25), (0.75, 0.25), (0.75, 0.75)), False, None, id="ratios"),
        pytest.param(
            ((0.25, 0.25), (0.75, 0.25), (0.75, 0.75)), False, (9, 9), id="ratios, always"
        ),
        pytest.param(((160, 90), (480, 90), (480, 270)), True, None, id="pixels of the picture"),
        pytest.param(((480, 270), (1440, 270), (1440, 810)), True, (1920, 1080), id="of another"),
    ],
)
def test_a_zone_lies_at_the_same_place_however_it_is_written(
    polygon: Points, in_pixels: bool, resolution: tuple[int, int] | None
) -> None:
    found = ZoneShape.of(zone(polygon, in_pixels=in_pixels), resolution, 640, 360)
    assert found.area == pytest.approx(320 * 180 / 2)
    assert found.holds((400, 150))
    assert not found.holds((200, 250))


@pytest.mark.parametrize(
    ("corners", "message"),
    [
        (((0, 0), (1, 1)), "at least 3 corners, got 2"),
        (((0, 0), (100, 100), (100, 0), (0, 100)), "Self-intersection"),
        (((0, 0), (100, 100), (200, 200)), "not a polygon"),
    ],
    ids=["two corners", "crosses itself", "a line"],
)
def test_what_is_no_polygon_is_refused(corners: Points, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        shape(corners)


@st.composite
def stars(draw: st.DrawFn) -> Points:
    """Simple polygons, convex or not."""
    count = draw(st.integers(3, 9))
    reach = draw(st.lists(st.floats(20, 190), min_size=count, max_size=count))
    step = 2 * math.pi / count
    return tuple(
        (200 + r * math.cos(n * step), 200 + r * math.sin(n * step)) for n, r in enumerate(reach)
    )


boxes = st.builds(
    lambda x, y, w, h: Box(x, y, x + w, y + h),
    st.floats(-50, 390),
    st.floats(-50, 390),
    st.floats(1, 300),
    st.floats(1, 300),
)


@given(stars(), boxes, st.integers(0, 8))
def test_direction_and_first_corner_of_a_polygon_do_not_matter(
    corners: Points, box: Box, turn: int
) -> None:
    turned = corners[turn % len(corners) :] + corners[: turn % len(corners)]
    one, other = shape(corners), shape(turned[::-1])
    assert one.area == pytest.approx(other.area)
    assert one.foot_share(box) == pytest.approx(other.foot_share(box), abs=1e-9)
    if one.distance_px(box.anchor) > 1e-6 or other.distance_px(box.anchor) > 1e-6:
        assert one.holds(box.anchor) is other.holds(box.anchor)


@given(stars(), st.lists(boxes, max_size=5))
def test_shares_agree_with_plain_geometry(corners: Points, many: list[Box]) -> None:
    plain = shapely.Polygon(corners)
    union = shapely.union_all([shapely.box(*box.xyxy) for box in many])
    expected = plain.intersection(union).area / plain.area
    assert shape(corners).covered_share(many) == pytest.approx(expected, abs=1e-6)
