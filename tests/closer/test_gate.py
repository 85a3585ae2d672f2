"""When the detector may be spared: nothing in the picture has changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.gate import StillnessGate, is_still, small_luma
from models.errors import InferenceError
from models.geometry import Box
from models.seeing import Detection, Frame, Image
from models.zone import Camera
from service.pipeline import CameraPipeline
from tests.support.street import START, Thing, background, draw

PARKED = Thing(look=1)
PERSON = Thing(look=5, box=Box(60, 200, 84, 260), label="person")
WIDE = (1920, 1080)


def still(before: Image, after: Image) -> bool:
    return is_still(small_luma(before), small_luma(after))


def frame(image: Image, second: float = 0.0) -> Frame:
    at = START + timedelta(seconds=second)
    return Frame(camera_id="gate", captured_at=at, image=image, sequence=0, stream_s=second)


@given(noises=st.tuples(st.integers(0, 6), st.integers(0, 6)), gain=st.floats(0.85, 1.03))
@settings(max_examples=40, deadline=None)
def test_noise_and_the_light_of_the_whole_picture_are_no_change(
    noises: tuple[int, int], gain: float
) -> None:
    before, after = noises
    assert still(draw([PARKED], noise=before), draw([PARKED], noise=after, gain=gain))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param([], [PARKED], id="a car came"),
        pytest.param([PARKED], [], id="a car left"),
        pytest.param([PARKED], [replace(PARKED, look=2)], id="another car on the same place"),
        pytest.param([PARKED], [PARKED, PERSON], id="a person came"),
        pytest.param([PERSON], [replace(PERSON, box=Box(72, 200, 96, 260))], id="a person walked"),
    ],
)
@pytest.mark.parametrize("noise", [0, 5])
def test_what_comes_goes_or_moves_is_a_change(
    before: list[Thing], after: list[Thing], noise: int
) -> None:
    assert not still(draw(before, noise=noise), draw(after, noise=noise))


def test_a_bag_of_24_pixels_in_a_large_picture_is_a_change() -> None:
    street = cv2.resize(background(), WIDE)
    littered = street.copy()
    littered[700:724, 900:924] = 20
    assert not still(street, littered)


@pytest.mark.parametrize("gain", [0.6, 1.5])
def test_a_great_change_of_light_is_worth_a_look(gain: float) -> None:
    assert not still(draw([PARKED]), draw([PARKED], gain=gain))


def test_a_picture_of_another_size_is_a_change() -> None:
    assert not still(background(), cv2.resize(background(), (320, 200)))


def test_a_still_picture_is_looked_at_again_after_a_while() -> None:
    gate = StillnessGate(longest_s=15)
    opened = [second for second in range(40) if gate.is_open(frame(draw([PARKED]), second))]
    assert opened == [0, 15, 30]


def test_a_clock_set_back_opens_it() -> None:
    gate = StillnessGate(longest_s=15)
    assert gate.is_open(frame(background(), 10))
    assert gate.is_open(frame(background(), 5))


def test_without_a_time_every_frame_is_looked_at() -> None:
    gate = StillnessGate(longest_s=0)
    assert [gate.is_open(frame(background(), second)) for second in range(3)] == [True] * 3


class Counting:
    """A detector that finds a car wherever there is one to be seen, and counts."""

    name = "counting"
    model = "counting"
    labels = ("car", "person")
    image_size_px = 640

    def __init__(self) -> None:
        self.looks = 0
        self.is_broken = False

    def detect(self, images: Sequence[Image]) -> list[tuple[Detection, ...]]:
        self.looks += 1
        if self.is_broken:
            raise InferenceError("out of order")
        car = Detection(label="car", confidence=0.8, box=PARKED.box)
        is_there = [bool(np.abs(i.astype(int) - background()).max() > 40) for i in images]
        return [(car,) if there else () for there in is_there]

    def close(self) -> None:
        """Nothing to close."""


def pipeline(detector: Counting) -> CameraPipeline:
    camera = Camera(
        camera_id="gate", name="Gate", source="none", legal_basis="test", zones=(),
        redetect_every_s=15.0,
    )  # fmt: skip
    return CameraPipeline(camera, detector)


def test_a_parked_car_stays_seen_while_nothing_moves() -> None:
    detector = Counting()
    process = pipeline(detector).process
    seen = [process(frame(draw([PARKED]), second)) for second in range(10)]
    assert detector.looks == 1
    assert [each.is_still for each in seen] == [False] + [True] * 9
    assert {len(each.look.tracks) for each in seen} == {1}
    assert len({each.look.tracks[0].track_id for each in seen}) == 1


def test_when_it_leaves_the_detector_is_asked_at_once() -> None:
    detector = Counting()
    process = pipeline(detector).process
    for second in range(3):
        process(frame(draw([PARKED]), second))
    gone = process(frame(draw([]), 3))
    assert not gone.is_still
    assert gone.detections == ()


def test_a_frame_that_could_not_be_looked_at_is_nothing_to_compare_with() -> None:
    detector = Counting()
    process = pipeline(detector).process
    detector.is_broken = True
    with pytest.raises(InferenceError):
        process(frame(draw([PARKED]), 0))
    detector.is_broken = False
    assert [each.label for each in process(frame(draw([PARKED]), 1)).detections] == ["car"]
