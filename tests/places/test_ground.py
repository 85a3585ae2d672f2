"""From the picture to the map: right to a per cent, and never silently wrong."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from models.geometry import Box, Point
from models.ground import GroundPoint, distance_m, metres_per_degree, offset_m
from models.ground_points import far_points, ground_plane

WIDTH_PX, HEIGHT_PX = 1920, 1080
HERE = (31.2304, 121.4737)


@dataclass(frozen=True, kw_only=True)
class PinholeCamera:
    """A camera above flat ground, by the laws of perspective and nothing of the code under test."""

    height_m: float = 6.0
    down_deg: float = 20.0
    heading_deg: float = 40.0
    """Clockwise from north."""
    view_deg: float = 70.0
    """Horizontal angle of view."""
    place: tuple[float, float] = HERE

    def see(self, metres: Point) -> Point:
        """Ratios at which a place is seen, given in metres east and north of the camera."""
        down, heading = math.radians(self.down_deg), math.radians(self.heading_deg)
        ahead = metres[0] * math.sin(heading) + metres[1] * math.cos(heading)
        right = metres[0] * math.cos(heading) - metres[1] * math.sin(heading)
        depth = ahead * math.cos(down) + self.height_m * math.sin(down)
        below = self.height_m * math.cos(down) - ahead * math.sin(down)
        focal = WIDTH_PX / 2 / math.tan(math.radians(self.view_deg) / 2)
        return (
            0.5 + focal * right / depth / WIDTH_PX,
            0.5 + focal * below / depth / HEIGHT_PX,
        )

    def ahead(self, metres: float, right: float = 0.0) -> Point:
        """East and north of a place so far in front of the camera."""
        heading = math.radians(self.heading_deg)
        return (
            metres * math.sin(heading) + right * math.cos(heading),
            metres * math.cos(heading) - right * math.sin(heading),
        )

    def coordinates(self, metres: Point) -> tuple[float, float]:
        per_east, per_north = metres_per_degree(self.place[0])
        longitude = self.place[1] + metres[0] / per_east
        return self.place[0] + metres[1] / per_north, (longitude + 180) % 360 - 180

    def point(self, metres: Point) -> GroundPoint:
        x, y = self.see(metres)
        latitude, longitude = self.coordinates(metres)
        return GroundPoint(x=x, y=y, latitude=latitude, longitude=longitude)

    def points(self) -> list[GroundPoint]:
        """Four corners of a piece of street."""
        corners = ((8.0, -3.0), (8.0, 4.0), (30.0, 6.0), (30.0, -5.0))
        return [self.point(self.ahead(far, right)) for far, right in corners]


cameras = st.builds(
    PinholeCamera,
    height_m=st.floats(3, 20),
    down_deg=st.floats(10, 60),
    heading_deg=st.floats(0, 360),
    view_deg=st.floats(40, 110),
    place=st.tuples(st.floats(-65, 65), st.floats(-180, 180)),
)
fars, rights = st.floats(6, 50), st.floats(-6, 6)


@given(cameras, fars, rights)
def test_a_place_is_found_again_where_it_is(
    camera: PinholeCamera, far: float, right: float
) -> None:
    place = camera.ahead(far, right)
    plane = ground_plane(camera.points())

    metres = plane.metres(camera.see(place))

    assert metres is not None
    found = plane.coordinates(metres)
    assert distance_m(found, camera.coordinates(place)) < 0.01


@given(cameras, fars, rights)
def test_from_the_map_to_the_picture_and_back(
    camera: PinholeCamera, far: float, right: float
) -> None:
    place = camera.coordinates(camera.ahead(far, right))
    plane = ground_plane(camera.points())

    seen = plane.picture(*place)

    assert seen is not None
    metres = plane.metres(seen)
    assert metres is not None
    assert distance_m(plane.coordinates(metres), place) < 0.01


@given(cameras, st.permutations(range(6)))
def test_the_order_of_the_points_changes_nothing(camera: PinholeCamera, order: list[int]) -> None:
    more = [camera.point(camera.ahead(15, 1)), camera.point(camera.ahead(22, -2))]
    points = [*camera.points(), *more]
    one, other = ground_plane(points), ground_plane([points[index] for index in order])

    seen = camera.see(camera.ahead(18, 2))
    first, second = one.metres(seen), other.metres(seen)

    assert first is not None
    assert second is not None
    assert distance_m(one.coordinates(first), other.coordinates(second)) < 1e-3


@given(cameras, st.floats(8, 25), st.floats(0.5, 3))
def test_metres_are_right_to_one_per_cent(camera: PinholeCamera, far: float, half_m: float) -> None:
    """A thing across the line of sight, ``2 * half_m`` wide, and a pothole 0.8 m long."""
    left, right = camera.see(camera.ahead(far, -half_m)), camera.see(camera.ahead(far, half_m))
    top = camera.see(camera.ahead(far + 0.8))
    box = Box(left[0] * WIDTH_PX, top[1] * HEIGHT_PX, right[0] * WIDTH_PX, right[1] * HEIGHT_PX)
    assume(box.x1 > 0 and box.x2 < WIDTH_PX and box.y1 > 0 and box.y2 < HEIGHT_PX)

    footing = ground_plane(camera.points()).footing(box, WIDTH_PX, HEIGHT_PX)

    assume(footing is not None and footing.width_m is not None and footing.length_m is not None)
    assert footing is not None
    assert footing.width_m == pytest.approx(2 * half_m, rel=0.01)
    assert footing.length_m == pytest.approx(0.8, rel=0.01)
    place = (footing.latitude, footing.longitude)
    assert distance_m(place, camera.coordinates(camera.ahead(far))) < 0.05


def test_a_thing_in_the_middle_of_the_street_has_its_place_and_size() -> None:
    camera = PinholeCamera()
    box = Box(*(900.0, 500.0, 1000.0, 600.0))

    footing = ground_plane(camera.points()).footing(box, WIDTH_PX, HEIGHT_PX)

    assert footing is not None
    assert footing.width_m is not None


@pytest.mark.parametrize(
    ("box", "why"),
    [
        (Box(900, 20, 1000, 60), "above the horizon"),
        (Box(900, 60, 1000, 110), "so near to it that a pixel is metres"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_too_far_is_not_located(box: Box, why: str) -> None:
    plane = ground_plane(PinholeCamera().points())
    assert plane.footing(box, WIDTH_PX, HEIGHT_PX) is None, why


@pytest.mark.parametrize(
    ("box", "has_width", "has_length"),
    [
        (Box(-3, 500, 200, 600), False, True),
        (Box(1800, 500, 1920, 600), False, True),
        (Box(900, 900, 1000, 1080), True, False),
    ],
    ids=["left", "right", "below"],
)
def test_what_the_edge_of_the_picture_cuts_off_has_no_size(
    box: Box, has_width: bool, has_length: bool
) -> None:
    footing = ground_plane(PinholeCamera().points()).footing(box, WIDTH_PX, HEIGHT_PX)

    assert footing is not None
    assert (footing.width_m is not None) is has_width
    assert (footing.length_m is not None) is has_length


def test_a_pixel_or_two_of_error_in_each_point_is_a_small_error_on_the_ground() -> None:
    camera = PinholeCamera()
    shaken = [
        GroundPoint(
            x=p.x + dx / WIDTH_PX,
            y=p.y + dy / HEIGHT_PX,
            latitude=p.latitude,
            longitude=p.longitude,
        )
        for p, (dx, dy) in zip(camera.points(), ((2, -1), (-2, 1), (1, 2), (-1, -1)), strict=True)
    ]
    place = camera.ahead(15)
    plane = ground_plane(shaken)
    metres = plane.metres(camera.see(place))
    assert metres is not None
    assert distance_m(plane.coordinates(metres), camera.coordinates(place)) < 0.5


def exchanged(points: list[GroundPoint], a: int, b: int) -> list[GroundPoint]:
    """Two points with each other's coordinates."""
    changed = list(points)
    changed[a] = GroundPoint(
        x=points[a].x,
        y=points[a].y,
        latitude=points[b].latitude,
        longitude=points[b].longitude,
    )
    changed[b] = GroundPoint(
        x=points[b].x,
        y=points[b].y,
        latitude=points[a].latitude,
        longitude=points[a].longitude,
    )
    return changed


@given(cameras, st.sampled_from(list(itertools.combinations(range(4), 2))))
def test_two_exchanged_points_are_always_noticed(
    camera: PinholeCamera, pair: tuple[int, int]
) -> None:
    with pytest.raises(ValueError, match=r"another order|mirrored"):
        ground_plane(exchanged(camera.points(), *pair))


def test_neighbours_that_are_exchanged_are_named() -> None:
    with pytest.raises(ValueError, match="1 and 2"):
        ground_plane(exchanged(PinholeCamera().points(), 0, 1))


def mirrored(points: list[GroundPoint]) -> list[GroundPoint]:
    """With latitude and longitude exchanged, near the equator where both are possible."""
    return [GroundPoint(x=p.x, y=p.y, latitude=p.longitude, longitude=p.latitude) for p in points]


def on_a_line(points: list[GroundPoint]) -> list[GroundPoint]:
    middle = [(a + b) / 2 for a, b in ((points[0].x, points[2].x), (points[0].y, points[2].y))]
    bent = GroundPoint(
        x=middle[0], y=middle[1], latitude=points[1].latitude, longitude=points[1].longitude
    )
    return [points[0], bent, points[2], points[3]]


def far_off(points: list[GroundPoint]) -> list[GroundPoint]:
    camera = PinholeCamera(place=(10.0, 20.0))
    wrong = camera.point(camera.ahead(20))
    north = camera.coordinates(camera.ahead(27))
    return [
        *points,
        GroundPoint(x=wrong.x, y=wrong.y, latitude=north[0], longitude=north[1]),
    ]


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda points: points[:3], "at least 4 points, got 3"),
        (on_a_line, "points 1, 2, 3 lie on one line in the picture"),
        (lambda points: [points[0]] * 4, "lie on one line"),
        (mirrored, "latitude and longitude exchanged"),
        (lambda points: points[:1] + points[:0:-1], None),
        (far_off, "from where all points together put it .at most 2 m"),
    ],
    ids=["too few", "line", "one point", "mirrored", "order does not matter", "one is wrong"],
)
def test_points_that_cannot_be_right_are_refused_in_words(spoil, said) -> None:  # type: ignore[no-untyped-def]
    points = spoil(PinholeCamera(place=(10.0, 20.0)).points())
    if said is None:
        assert ground_plane(points).matrix
        return
    with pytest.raises(ValueError, match=said):
        ground_plane(points)


def test_points_far_from_the_camera_are_named_with_their_distance() -> None:
    camera = PinholeCamera()
    away = camera.coordinates((0.0, 5000.0))

    assert list(far_points(camera.points(), HERE)) == []
    said = list(far_points(camera.points(), away))
    assert len(said) == 4
    assert said[0] == "point 1 lies 5.0 km from the camera's location (at most 1 km)"


def test_lengths_are_those_of_the_ellipsoid() -> None:
    """Lengths of a degree at 45° as geodesy tables give them (WGS 84)."""
    assert metres_per_degree(45.0) == pytest.approx((78_846.8, 111_131.8), abs=0.5)
    assert metres_per_degree(0.0) == pytest.approx((111_319.5, 110_574.3), abs=0.5)


def test_the_date_line_is_no_wall() -> None:
    assert np.hypot(*offset_m((0.0, 179.9999), (0.0, -179.9999))) == pytest.approx(22.26, abs=0.01)
