"""Things that have fallen over are known by their colours, where edges do not find them again."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from detector.assets.lying import lies_turned
from models.seeing import Image

SIZE = (120, 100)
GREEN = (60, 150, 40)
GREY = (140, 140, 140)
UPRIGHT = (40, 36, 60, 84)
LYING = (30, 60, 78, 82)


def street(box: tuple[int, int, int, int] | None, colour: tuple[int, int, int] = GREEN) -> Image:
    rng = np.random.default_rng(4)
    image = np.full((*SIZE, 3), GREY, np.uint8)
    if box is not None:
        x1, y1, x2, y2 = box
        cv2.rectangle(image, (x1, y1), (x2 - 1, y2 - 1), colour, -1)
        along = (x1, (y1 + y2) // 2, x2, (y1 + y2) // 2 + 3)
        across = ((x1 + x2) // 2, y1, (x1 + x2) // 2 + 3, y2)
        left, top, right, bottom = along if y2 - y1 > x2 - x1 else across
        cv2.rectangle(image, (left, top), (right - 1, bottom - 1), (230, 230, 230), -1)
    noise = rng.normal(0, 2, (*SIZE, 1))
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def judged(now: Image, then: Image | None = None) -> bool | None:
    inside = np.zeros(SIZE, bool)
    inside[UPRIGHT[1] : UPRIGHT[3], UPRIGHT[0] : UPRIGHT[2]] = True
    return lies_turned(street(UPRIGHT) if then is None else then, now, inside, ~inside)


@pytest.mark.parametrize(
    ("now", "turned"),
    [
        pytest.param(street(LYING), True, id="fallen-to-the-side"),
        pytest.param(street(UPRIGHT), False, id="as-it-was"),
        pytest.param(street((10, 40, 30, 88)), False, id="moved-upright"),
        pytest.param(street(None), None, id="taken-away"),
        pytest.param(street(LYING, (40, 60, 170)), None, id="something-else-lies-there"),
        pytest.param(street((40, 60, 50, 70)), None, id="a-scrap-of-it"),
    ],
)
def test_a_thing_is_toppled_if_its_colours_lie_in_another_direction(
    now: Image, turned: bool | None
) -> None:
    assert judged(now) is turned


def test_a_grey_thing_on_grey_ground_is_not_told_by_its_colours() -> None:
    grey = street(UPRIGHT, (120, 120, 120))
    assert judged(street(LYING, (120, 120, 120)), grey) is None
