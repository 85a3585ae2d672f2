from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.backends.letterbox import PAD_VALUE, fit, fit_into
from detector.backends.protocol import STRIDE_PX

sides = st.integers(min_value=1, max_value=2000)
sizes = st.integers(min_value=2, max_value=30).map(lambda n: n * STRIDE_PX)


def picture(width: int, height: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.full((height, width, 3), 255, dtype=np.uint8)


@pytest.mark.parametrize(
    ("width", "height", "longer", "expected"),
    [
        pytest.param(1920, 1080, 640, (640, 384), id="16:9 camera"),
        pytest.param(1080, 1920, 640, (384, 640), id="upright"),
        pytest.param(640, 480, 640, (640, 480), id="4:3 as it is"),
        pytest.param(320, 180, 640, (640, 384), id="small one is enlarged"),
        pytest.param(500, 500, 640, (640, 640), id="square"),
        pytest.param(4000, 20, 640, (640, 32), id="a strip"),
    ],
)
def test_the_longer_side_is_given_and_the_shorter_a_multiple_of_the_stride(
    width: int, height: int, longer: int, expected: tuple[int, int]
) -> None:
    letterbox = fit(picture(width, height), longer)
    assert (letterbox.input_width_px, letterbox.input_height_px) == expected


@given(width=sides, height=sides, longer=sizes)
def test_any_picture_fills_the_input_but_for_the_padding(
    width: int, height: int, longer: int
) -> None:
    image = picture(width, height)
    letterbox = fit(image, longer)
    seen = letterbox.apply(image)
    assert seen.shape == (letterbox.input_height_px, letterbox.input_width_px, 3)
    assert max(seen.shape[:2]) == longer
    assert min(seen.shape[:2]) % STRIDE_PX == 0
    padding = int((seen == PAD_VALUE).all(axis=2).sum())
    inner = letterbox.inner_width_px * letterbox.inner_height_px
    assert padding == seen.shape[0] * seen.shape[1] - inner
    assert abs(letterbox.inner_width_px * height - letterbox.inner_height_px * width) <= max(
        width, height
    )  # the picture keeps its shape, to a pixel


@given(
    width=st.integers(40, 2000),
    height=st.integers(40, 2000),
    longer=sizes,
    corners=st.tuples(*[st.floats(0, 1)] * 4),
)
def test_a_box_comes_back_to_where_it_was(
    width: int, height: int, longer: int, corners: tuple[float, ...]
) -> None:
    letterbox = fit(picture(width, height), longer)
    x1, x2 = sorted((corners[0] * width, corners[1] * width))
    y1, y2 = sorted((corners[2] * height, corners[3] * height))
    box = np.array([[x1, y1, x2, y2]], dtype=np.float32)
    shift = np.array([letterbox.left_px, letterbox.top_px] * 2, dtype=np.float32)
    scales = (letterbox.inner_width_px / width, letterbox.inner_height_px / height)
    back = letterbox.to_picture(box * np.array(scales * 2, np.float32) + shift)
    assert back == pytest.approx(box, abs=0.05)


def test_boxes_end_at_the_borders_of_the_picture() -> None:
    letterbox = fit(picture(640, 360), 640)
    back = letterbox.to_picture(np.array([[-50, -50, 900, 900]], dtype=np.float32))
    assert back.tolist() == [[0, 0, 640, 360]]


def test_uneven_padding_has_its_odd_pixel_at_the_end() -> None:
    letterbox = fit_into(picture(64, 33), 64, 64)
    assert (letterbox.top_px, letterbox.left_px) == (15, 0)


@pytest.mark.needs_ultralytics
@pytest.mark.parametrize(
    ("width", "height"), [(1920, 1080), (641, 359), (352, 640), (100, 37), (1280, 961), (64, 64)]
)
def test_the_picture_is_the_same_as_ultralytics_makes(width: int, height: int) -> None:
    from detector.backends.torch_runtime import load_ultralytics

    load_ultralytics()
    from ultralytics.data.augment import LetterBox

    image = np.random.default_rng(3).integers(0, 256, (height, width, 3), dtype=np.uint8)
    theirs = LetterBox((640, 640), auto=True, stride=STRIDE_PX)(image=image)
    assert np.array_equal(fit(image, 640).apply(image), theirs)
