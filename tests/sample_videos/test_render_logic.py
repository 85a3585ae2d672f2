"""What the renderer computes without Blender: motion, truth, crops and projection."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import Point, Polygon

from sample_videos.render.crops import Box, composed, groups, overlap, softened, union, with_noise
from sample_videos.render.projection import Projection
from sample_videos.render.shapes import Gait, bag, pothole, walking
from sample_videos.render.sight import in_sight_from
from sample_videos.render.spec import CameraSpec
from sample_videos.render.timeline import Key, pose, position, still_periods
from sample_videos.render.truth import contains, expected_events

PARKING = (
    Key(t_s=0, x_m=-20, y_m=0),
    Key(t_s=4, x_m=0, y_m=-1),
    Key(t_s=6, x_m=2, y_m=-1),
    Key(t_s=14, x_m=2, y_m=-1),
    Key(t_s=18, x_m=20, y_m=-1),
)
SQUARE = [[0, 0], [100, 0], [100, 100], [0, 100]]

boxes = st.tuples(
    st.integers(0, 90), st.integers(0, 90), st.integers(1, 40), st.integers(1, 40)
).map(lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3]))


def test_a_path_goes_through_its_keys() -> None:
    for key in PARKING:
        assert position(PARKING, key.t_s) == pytest.approx((key.x_m, key.y_m))


def test_a_path_never_overshoots_where_it_stops() -> None:
    xs = [position(PARKING, step / 20)[0] for step in range(20 * 14)]
    assert np.diff(xs).min() >= -1e-9
    assert max(xs) <= 2.0 + 1e-9


def test_standing_between_two_moves_is_one_period() -> None:
    between = [p for p in still_periods(PARKING, 20, 0.2) if p[0] < 18]
    assert between == [pytest.approx((6.0, 14.0))]


def test_a_standing_car_looks_where_it_was_going() -> None:
    assert pose(PARKING, 10.0).heading_rad == pytest.approx(0.0, abs=0.05)


THING: Box = (100, 100, 140, 140)


@pytest.mark.parametrize(
    ("others", "since"),
    [
        pytest.param({}, 3, id="nobody is there"),
        pytest.param(dict.fromkeys(range(8), (90, 50, 150, 150)), 8, id="somebody in front"),
        pytest.param(dict.fromkeys(range(20), (90, 50, 150, 130)), 3, id="somebody behind"),
        pytest.param(dict.fromkeys(range(20), (125, 50, 150, 150)), 3, id="half hidden"),
        pytest.param({6: (90, 50, 150, 150)}, 7, id="somebody passes at once"),
        pytest.param({9: (90, 50, 150, 150)}, 3, id="somebody passes later"),
        pytest.param(dict.fromkeys(range(20), (90, 50, 150, 150)), None, id="always hidden"),
    ],
)
def test_a_thing_is_in_sight_once_nobody_hides_it_for_a_while(
    others: dict[int, Box], since: int | None
) -> None:
    assert in_sight_from(THING, [others], range(3, 20), 5) == since


def test_wheels_roll_as_far_as_the_car_comes() -> None:
    straight = (Key(t_s=0, x_m=0, y_m=0), Key(t_s=10, x_m=50, y_m=0))
    assert pose(straight, 5.0).travelled_m == pytest.approx(25.0, rel=0.01)


@given(
    radii=st.lists(st.floats(20, 60), min_size=5, max_size=9),
    x=st.floats(0, 120),
    y=st.floats(0, 120),
)
def test_a_point_is_inside_where_shapely_says_so(radii: list[float], x: float, y: float) -> None:
    turn = 2 * math.pi / len(radii)
    corners = [
        (60 + r * math.cos(i * turn), 60 + r * math.sin(i * turn)) for i, r in enumerate(radii)
    ]
    shape, point = Polygon(corners), Point(x, y)
    if shape.exterior.distance(point) > 1e-6:
        assert contains(corners, (x, y)) == shape.contains(point)


def vehicle(box: list[int], start: float, end: float) -> dict[str, Any]:
    return {"box_xyxy": box, "stationary_from_s": start, "stationary_to_s": end}


@pytest.mark.parametrize(
    ("rule", "dwell_s", "expected"),
    [
        pytest.param("vehicle stationary", 5, 2, id="both-vehicles-stand-long-enough"),
        pytest.param("vehicle stationary", 8, 2, id="exactly-the-dwell-counts"),
        pytest.param("vehicle stationary", 9, 1, id="only-one-stands-longer"),
        pytest.param("litter: left", 5, 1, id="many-pieces-are-one-incident"),
        pytest.param("litter: left", 11, 0, id="nothing-lies-that-long"),
        pytest.param("damaged_facility: hole", 5, 2, id="each-damage-is-one-incident"),
    ],
)
def test_events_are_counted_by_the_zones_rule(rule: str, dwell_s: float, expected: int) -> None:
    inside, outside = [40, 40, 60, 60], [140, 40, 160, 60]
    left = {"box_xyxy": inside, "on_ground_from_s": 10, "to_s": 20}
    broken = {"box_xyxy": inside, "from_s": 10, "to_s": 20}
    truth = {
        "stationary_vehicles": [
            vehicle(inside, 0, 8),
            vehicle(inside, 5, 30),
            vehicle(outside, 0, 30),
        ],
        "abandoned_things": [left, left, {**left, "box_xyxy": outside}],
        "damage": [broken, broken],
    }
    assert expected_events(truth, {"rule": rule, "polygon_xy": SQUARE}, dwell_s) == expected


@given(st.lists(boxes, max_size=8))
def test_groups_keep_every_box_and_never_overlap(all_boxes: list[Box]) -> None:
    named = [(str(index), box) for index, box in enumerate(all_boxes)]
    joined = groups(named)
    assert sorted(name for members, _ in joined for name in members) == sorted(dict(named))
    for index, (members, box) in enumerate(joined):
        assert all(union(box, dict(named)[name]) == box for name in members)
        assert not any(overlap(box, other) for _, other in joined[index + 1 :])


def test_where_a_crop_agrees_with_the_plate_the_plate_stays() -> None:
    plate = np.full((60, 80, 3), 100, dtype=np.uint8)
    crop = np.full((30, 40, 3), 102, dtype=np.uint8)
    crop[10:20, 15:25] = 220
    picture = composed(plate, crop, (20, 15, 60, 45))
    assert (picture[28:32, 38:42] == 220).all()
    assert (picture[16:20, 21:30] == 100).all()
    assert (picture[:15] == 100).all()


def test_a_soft_lens_spreads_a_point_and_keeps_its_light() -> None:
    dark = np.zeros((9, 9, 3), dtype=np.uint8)
    dark[4, 4] = 250
    soft = softened(dark).astype(int)
    assert soft[4, 4].tolist() == [90, 90, 90]
    assert soft[3, 4].tolist() == soft[4, 5].tolist() == [30, 30, 30]
    assert soft[..., 0].sum() == pytest.approx(250)


def test_noise_is_small_and_the_same_for_the_same_seed() -> None:
    grey = np.full((40, 50, 3), 120, dtype=np.uint8)
    first = with_noise(grey, 1.0, 7)
    assert (first == with_noise(grey, 1.0, 7)).all()
    assert (first != with_noise(grey, 1.0, 8)).any()
    assert np.abs(first.astype(int) - 120).max() < 8


def test_what_the_camera_looks_at_is_in_the_middle_of_the_picture() -> None:
    camera = CameraSpec(position=(-5, -12, 8), target=(2, 1, 0), lens_mm=28)
    seen = Projection(camera=camera, width_px=960, height_px=540).pixels(
        np.array([(2.0, 1.0, 0.0), (2.0, 1.0, 1.5), (-12.0, -25.0, 8.0)])
    )
    assert seen[0] == pytest.approx((480, 270))
    assert seen[1][0] == pytest.approx(480)
    assert seen[1][1] < 270
    assert len(seen) == 2


def test_a_bag_stands_on_the_ground_and_is_as_large_as_asked() -> None:
    points = bag(0.8, seed=4).vertices
    assert points[:, 2].min() == pytest.approx(0.0, abs=0.02)
    assert np.ptp(points[:, 0]) == pytest.approx(0.8, rel=0.35)


def test_a_pothole_is_deep_inside_and_level_at_the_edge_of_its_patch() -> None:
    hole = pothole((0.0, 0.0, 3.0, 2.5), (1.6, 1.1), 0.15, seed=3)
    z = hole.surface.vertices[:, 2]
    border = (hole.surface.vertices[:, 0] == 0.0) | (hole.surface.vertices[:, 1] == 0.0)
    assert z.min() < -0.1
    assert np.abs(z[border]).max() == pytest.approx(0.0, abs=1e-6)
    assert hole.broken[z < -0.1].min() > 0.9


def test_a_walking_figure_keeps_its_head_and_moves_its_feet_apart() -> None:
    rest = np.array([(0.0, 0.1, 0.0), (0.0, -0.1, 0.0), (0.0, 0.0, 1.75)])
    gait = Gait(travelled_m=1.45 / 4, walking=True, carrying=False, stoop_ratio=0.0)
    left, right, head = walking(rest, gait)
    assert abs(left[0] - right[0]) > 0.4
    assert head == pytest.approx((0.0, 0.0, 1.75))
