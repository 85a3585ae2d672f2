from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.decisions.jpeg import JpegSize, jpeg_size
from tests.support.dispatch import jpeg_picture

PICTURE = jpeg_picture(33, 21, shade=1)
SIZE = JpegSize(width_px=33, height_px=21)


@given(st.integers(1, 200), st.integers(1, 200), st.booleans())
def test_the_size_of_a_jpeg_is_read_from_its_header(
    width: int, height: int, progressive: bool
) -> None:
    image = np.zeros((height, width, 3), np.uint8)
    options = [cv2.IMWRITE_JPEG_PROGRESSIVE, int(progressive)]
    done, encoded = cv2.imencode(".jpg", image, options)

    assert done
    assert jpeg_size(bytes(encoded)) == JpegSize(width_px=width, height_px=height)


@given(st.integers(0, len(PICTURE) - 3))
def test_a_jpeg_that_was_cut_off_is_none(length: int) -> None:
    cut = PICTURE[:length]
    # A picture may by chance hold the end marker where it is cut.
    assert jpeg_size(cut) is None or b"\xff\xd9" in cut


@given(st.binary(max_size=200), st.booleans())
def test_any_bytes_are_judged_without_an_error(content: bytes, framed: bool) -> None:
    found = jpeg_size(b"\xff\xd8\xff" + content + b"\xff\xd9" if framed else content)

    assert found is None or found.width_px > 0


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (PICTURE, SIZE),
        (PICTURE + b"\x00" * 10, SIZE),
        (PICTURE + b"\x00" * 100, None),
        (PICTURE[:2] + b"\xff\xff\x01" + PICTURE[2:], SIZE),
        (b"GIF89a" + PICTURE, None),
        (b"\xff\xd8\xff\xda\x00\x02\xff\xd9", None),
        (b"\xff\xd8\xff\xc0\x00\x0b\x08\x00\x00\x00\x10\x00\x00\xff\xd9", None),
        (b"\xff\xd8\xff\xc0\x00\xff\xd9", None),
        (b"\xff\xd8\xff\xe0\x00\x02" + b"no marker\xff\xd9", None),
        (b"\xff\xd8\xff\xd9", None),
    ],
    ids=[
        "whole",
        "padded",
        "trailing-data",
        "fill-and-bare-markers",
        "gif",
        "scan-without-frame",
        "no-height",
        "short-frame",
        "lost",
        "nothing-inside",
    ],
)
def test_what_is_a_jpeg(content: bytes, expected: JpegSize | None) -> None:
    assert jpeg_size(content) == expected
