"""A candidate is looked at by itself; a large zone is looked at in slices."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.backends import ScriptedDetector
from detector.closer import (
    CANDIDATE_SHARE,
    MIN_MAGNIFICATION,
    MOST_ENLARGED,
    close_up,
    look_again,
    slices,
)
from models.errors import InferenceError
from models.geometry import Box, Points
from models.seeing import Detection, Image

WIDTH, HEIGHT, NETWORK = 1920, 1080, 640
PICTURE: Image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
BOTTLE = Box(1000, 600, 1040, 640)
THRESHOLDS = {"litter": 0.5, "garbage_pile": 0.3}


def test_a_candidate_takes_up_a_fifth_of_a_view_that_is_not_blown_up() -> None:
    part = close_up(BOTTLE, WIDTH, HEIGHT, NETWORK)
    assert part == Box(860, 460, 1180, 780), "no more than twice as large as in the picture"
    large = close_up(Box(800, 400, 1000, 500), WIDTH, HEIGHT, NETWORK)
    assert large is not None
    assert 200 / large.width == pytest.approx(CANDIDATE_SHARE)


def test_at_the_border_the_view_is_moved_into_the_picture() -> None:
    assert close_up(Box(0, 1050, 30, 1080), WIDTH, HEIGHT, NETWORK) == Box(0, 760, 320, 1080)


@pytest.mark.parametrize(
    ("box", "width", "height"),
    [
        pytest.param(Box(0, 0, 300, 200), 1920, 1080, id="a large thing"),
        pytest.param(Box(100, 100, 110, 110), 352, 240, id="a small picture"),
    ],
)
def test_what_would_not_be_enlarged_is_not_looked_at(box: Box, width: int, height: int) -> None:
    assert close_up(box, width, height, NETWORK) is None
    detector = ScriptedDetector([])
    image: Image = np.zeros((height, width, 3), np.uint8)
    assert look_again(detector, image, box, THRESHOLDS) is None
    assert detector.seen == 0


@given(st.floats(0, WIDTH - 1), st.floats(0, HEIGHT - 1), st.floats(1, 400), st.floats(1, 400))
def test_a_close_up_holds_its_candidate_and_lies_in_the_picture(
    x: float, y: float, width: float, height: float
) -> None:
    box = Box(x, y, x + width, y + height).clipped(WIDTH, HEIGHT)
    part = close_up(box, WIDTH, HEIGHT, NETWORK)
    if part is None:
        return
    assert part == part.clipped(WIDTH, HEIGHT)
    assert box.covered_by(part.grown(0.01)) == pytest.approx(1.0)
    assert max(part.width, part.height) * MIN_MAGNIFICATION <= WIDTH + 2
    assert max(part.width, part.height) >= NETWORK / MOST_ENLARGED - 1


def found(box: Box, label: str = "litter", confidence: float = 0.6) -> Detection:
    """Something in the close-up of the bottle, which begins at (860, 460)."""
    return Detection(label=label, confidence=confidence, box=box)


@pytest.mark.parametrize(
    ("seen", "confidence"),
    [
        pytest.param([], 0.0, id="nothing"),
        pytest.param([found(Box(138, 138, 182, 182))], 0.6, id="the candidate"),
        pytest.param([found(Box(140, 140, 160, 160))], 0.6, id="a piece of it"),
        pytest.param([found(Box(10, 10, 50, 50))], 0.0, id="something else beside it"),
        pytest.param([found(Box(0, 0, 320, 320))], 0.0, id="a box around everything"),
        pytest.param([found(Box(140, 140, 180, 180), confidence=0.4)], 0.0, id="unsure"),
        pytest.param([found(Box(140, 140, 180, 180), "garbage_pile", 0.4)], 0.4, id="sure enough"),
        pytest.param([found(Box(140, 140, 180, 180), "person", 0.9)], 0.0, id="no such label"),
        pytest.param(
            [found(Box(140, 140, 180, 180)), found(Box(141, 140, 180, 180), confidence=0.8)],
            0.8,
            id="the surest of two",
        ),
    ],
)
def test_only_a_sure_box_of_a_wanted_label_at_the_place_is_the_candidate_again(
    seen: list[Detection], confidence: float
) -> None:
    detector = ScriptedDetector([seen])
    assert look_again(detector, PICTURE, BOTTLE, THRESHOLDS) == confidence
    assert detector.seen == 1


def test_the_network_is_shown_the_full_resolution() -> None:
    shapes: list[tuple[int, ...]] = []

    def see(image: Image) -> list[Detection]:
        shapes.append(image.shape)
        return []

    look_again(ScriptedDetector(see), PICTURE, BOTTLE, THRESHOLDS)
    assert shapes == [(320, 320, 3)]


def test_a_look_that_fails_says_so() -> None:
    with pytest.raises(InferenceError):
        look_again(ScriptedDetector([InferenceError("no memory")]), PICTURE, BOTTLE, THRESHOLDS)


WHOLE: Points = ((0, 0), (WIDTH, 0), (WIDTH, HEIGHT), (0, HEIGHT))


def test_a_zone_in_slices_shows_every_pixel_of_it_at_full_resolution() -> None:
    parts = slices(WHOLE, WIDTH, HEIGHT, NETWORK, most=12)
    assert {(part.width, part.height) for part in parts} == {(640, 640)}
    shown = np.zeros((HEIGHT, WIDTH), bool)
    for part in parts:
        shown[int(part.y1) : int(part.y2), int(part.x1) : int(part.x2)] = True
    assert shown.all()


@pytest.mark.parametrize("most", [1, 2, 3, 4, 6, 9, 12])
def test_fewer_slices_are_larger_ones(most: int) -> None:
    parts = slices(WHOLE, WIDTH, HEIGHT, NETWORK, most)
    assert len(parts) <= most
    if parts:
        assert max(part.width for part in parts) * MIN_MAGNIFICATION <= WIDTH


def test_a_zone_that_one_slice_covers_gets_one() -> None:
    small: Points = ((900, 500), (1000, 500), (1000, 600), (900, 600))
    (part,) = slices(small, WIDTH, HEIGHT, NETWORK, most=12)
    assert Box(900, 500, 1000, 600).covered_by(part) == 1.0


def test_a_picture_that_the_network_sees_whole_is_not_cut() -> None:
    corners: Points = ((0, 0), (320, 0), (320, 180), (0, 180))
    assert slices(corners, 320, 180, NETWORK, most=12) == ()


@given(
    st.integers(320, 4000), st.integers(240, 3000), st.integers(1, 64),
    st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(0.01, 1), st.floats(0.01, 1)),
)  # fmt: skip
def test_slices_lie_in_the_picture_and_cover_the_zone(
    width: int, height: int, most: int, place: tuple[float, float, float, float]
) -> None:
    x, y, w, h = place
    x1, y1 = x * width * 0.9, y * height * 0.9
    zone = Box(x1, y1, x1 + w * width, y1 + h * height).clipped(width, height)
    corners: Points = (
        (zone.x1, zone.y1),
        (zone.x2, zone.y1),
        (zone.x2, zone.y2),
        (zone.x1, zone.y2),
    )
    parts = slices(corners, width, height, NETWORK, most)
    assert len(parts) <= most
    for part in parts:
        assert part == part.clipped(width, height)
        assert part.area > 0
    if parts:
        corners_shown = [
            any(p.x1 - 1 <= cx <= p.x2 + 1 and p.y1 - 1 <= cy <= p.y2 + 1 for p in parts)
            for cx, cy in corners
        ]
        assert all(corners_shown)
