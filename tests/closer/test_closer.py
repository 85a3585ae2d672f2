"""Small zones get a closer look, and what is seen twice counts once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.backends import ScriptedDetector
from detector.closer import MIN_MAGNIFICATION, MOST_REGIONS, look_closer, merged, regions
from models.errors import InferenceError
from models.geometry import Box, Points
from models.seeing import Detection, Image

WIDTH, HEIGHT, NETWORK = 1920, 1080, 640


def square(x: float, y: float, side: float) -> Points:
    return ((x, y), (x + side, y), (x + side, y + side), (x, y + side))


def seen(box: Box, label: str = "car", confidence: float = 0.5) -> Detection:
    return Detection(label=label, confidence=confidence, box=box)


@pytest.mark.parametrize(
    ("zones", "count"),
    [
        pytest.param([square(900, 500, 100)], 1, id="a small zone"),
        pytest.param([square(0, 0, 1080)], 0, id="a zone as high as the picture"),
        pytest.param([square(900, 500, 100), square(0, 0, 1080)], 1, id="a small and a large one"),
        pytest.param([square(900, 500, 100), square(920, 520, 100)], 1, id="two that overlap"),
        pytest.param([square(100, 100, 80), square(1700, 900, 80)], 2, id="two far apart"),
        pytest.param([square(400 * n, 500, 40) for n in range(5)], MOST_REGIONS, id="too many"),
        pytest.param([], 0, id="no zone"),
    ],
)
def test_only_zones_that_are_small_in_the_picture_get_a_closer_look(
    zones: Sequence[Points], count: int
) -> None:
    assert len(regions(zones, WIDTH, HEIGHT, NETWORK)) == count


def test_a_small_picture_is_not_blown_up() -> None:
    assert regions([square(100, 60, 40)], 320, 180, NETWORK) == ()


@given(
    st.lists(
        st.tuples(
            st.floats(-100, WIDTH), st.floats(-100, HEIGHT), st.floats(min_value=1, max_value=900)
        ),
        max_size=6,
    )
)
def test_regions_lie_in_the_picture_and_are_worth_it(
    squares: list[tuple[float, float, float]],
) -> None:
    for region in regions([square(*s) for s in squares], WIDTH, HEIGHT, NETWORK):
        assert region == region.clipped(WIDTH, HEIGHT)
        assert region.area > 0
        assert max(region.width, region.height) * MIN_MAGNIFICATION <= WIDTH


def test_a_region_holds_its_zone_with_room_around_it() -> None:
    (region,) = regions([square(900, 500, 100)], WIDTH, HEIGHT, NETWORK)
    assert (region.x1, region.y1) < (900 - 50, 500 - 50)
    assert (region.x2, region.y2) > (1000 + 50, 600 + 50)


PART = Box(800, 400, 1200, 700)
PICTURE: Image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)


def looking(whole: Sequence[Detection], close: Sequence[Detection]) -> tuple[Detection, ...]:
    def answer(image: Image) -> Sequence[Detection]:
        return whole if image.shape == PICTURE.shape else close

    return look_closer(ScriptedDetector(answer), PICTURE, [PART])


def test_what_only_the_closer_look_sees_is_placed_in_the_picture() -> None:
    assert looking([], [seen(Box(100, 100, 160, 140))]) == (seen(Box(900, 500, 960, 540)),)


def test_what_both_see_counts_once_with_the_close_box_and_the_higher_confidence() -> None:
    whole = seen(Box(902, 502, 962, 538), confidence=0.8)
    close = seen(Box(100, 100, 160, 140), confidence=0.6)
    assert looking([whole], [close]) == (seen(Box(900, 500, 960, 540), confidence=0.8),)


@pytest.mark.parametrize(
    "box",
    [
        pytest.param(Box(0, 50, 90, 120), id="left"),
        pytest.param(Box(330, 50, 400, 120), id="right"),
        pytest.param(Box(50, 0, 120, 90), id="top"),
        pytest.param(Box(50, 220, 120, 300), id="bottom"),
    ],
)
def test_a_thing_that_the_region_cuts_is_left_to_the_whole_picture(box: Box) -> None:
    assert looking([], [seen(box)]) == ()


def test_a_thing_cut_by_the_picture_itself_is_kept() -> None:
    part = Box(0, 0, 400, 300)
    detector = ScriptedDetector(
        lambda image: [] if image.shape == PICTURE.shape else [seen(Box(0, 0, 60, 40))]
    )
    assert look_closer(detector, PICTURE, [part]) == (seen(Box(0, 0, 60, 40)),)


def test_two_kinds_of_things_at_one_place_are_both_kept() -> None:
    person, car = seen(Box(0, 0, 10, 10), "person"), seen(Box(0, 0, 10, 10), "car")
    assert set(merged([person], [car])) == {person, car}


def test_car_and_truck_at_one_place_are_one_vehicle() -> None:
    assert len(merged([seen(Box(0, 0, 10, 10), "car")], [seen(Box(0, 0, 10, 11), "truck")])) == 1


@pytest.mark.parametrize(
    ("label", "whole_confidence", "count"),
    [
        pytest.param("car", 0.5, 1, id="half a car, as sure as the whole"),
        pytest.param("car", 0.2, 2, id="a box around two cars is much less sure"),
        pytest.param("person", 0.5, 2, id="a child before its mother"),
    ],
)
def test_a_part_of_a_thing_is_not_another_thing(
    label: str, whole_confidence: float, count: int
) -> None:
    whole = seen(Box(0, 0, 100, 60), label, whole_confidence)
    part = seen(Box(2, 10, 50, 58), label, 0.5)
    assert len(merged([whole, part], [])) == count


def test_close_neighbours_in_the_whole_picture_stay_apart() -> None:
    two = [seen(Box(0, 0, 100, 60)), seen(Box(30, 5, 130, 65))]
    assert len(merged([], two)) == 2


def test_without_regions_there_is_one_look() -> None:
    detector = ScriptedDetector([[seen(Box(1, 2, 3, 4))]])
    assert look_closer(detector, PICTURE, []) == (seen(Box(1, 2, 3, 4)),)
    assert detector.seen == 1


def test_a_closer_look_that_fails_is_no_look() -> None:
    detector = ScriptedDetector([[], InferenceError("no memory")])
    with pytest.raises(InferenceError):
        look_closer(detector, PICTURE, [PART])
