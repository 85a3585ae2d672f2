"""What the view itself does: shift, light, and that traffic is not taken for either."""

from __future__ import annotations

import numpy as np
import pytest

from detector.tracking.view import View, changed_ratio
from models.geometry import Box
from tests.support.street import SIZE, Thing, draw


@pytest.mark.parametrize(
    "shift",
    [(0.0, 0.0), (3.0, -2.0), (12.0, 5.0), (-17.0, 9.0)],
    ids=lambda s: f"{s[0]:g},{s[1]:g}",
)
def test_a_shift_is_measured_to_a_pixel(shift: tuple[float, float]) -> None:
    view = View()
    view.look(draw([], noise=1))
    view.look(draw([], noise=2, shift=shift))
    assert view.shift == pytest.approx(shift, abs=1.0)


def test_a_slow_drift_does_not_add_up_errors() -> None:
    view = View()
    for step in range(120):
        view.look(draw([], noise=step, shift=(0.15 * step, -0.1 * step)))
    assert view.shift == pytest.approx((0.15 * 119, -0.1 * 119), abs=1.5)


def test_a_fixed_camera_over_traffic_never_shifts() -> None:
    view = View()
    for step in range(30):
        cars = [
            Thing(look=i, box=Box(x, 190, x + 90, 250))
            for i in range(4)
            if (x := 37 * step % 200 + 130 * i)
        ]
        view.look(draw(cars, noise=step))
        assert view.shift == (0.0, 0.0)
        assert not view.light_changed


def test_night_vision_changes_the_light_and_clouds_do_not() -> None:
    day = draw([Thing(look=1)], noise=1)
    view = View()
    view.look(day)
    view.look(draw([Thing(look=1)], noise=2, gain=0.85))
    assert not view.light_changed
    view.look((255 - day) // 2)
    assert view.light_changed
    view.look((255 - day) // 2)
    assert not view.light_changed


def test_a_blank_picture_has_neither_shift_nor_changed_tiles() -> None:
    blank = np.full((SIZE[1], SIZE[0]), 90, np.uint8)
    assert changed_ratio(blank, blank) == 0
    view = View()
    for _ in range(4):
        view.look(np.full((SIZE[1], SIZE[0], 3), 90, np.uint8))
    assert view.shift == (0.0, 0.0)
