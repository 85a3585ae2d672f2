"""Signs of faults in pictures: found when they are there, and only then."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import cv2
import numpy as np
import pytest

from detector.camera_faults.health import CameraHealth
from models.geometry import Box
from models.seeing import Image
from models.upkeep import FaultKind
from tests.camera_faults.street import (
    SIZE_PX,
    START,
    Sky,
    always,
    at_home,
    film,
    found,
    looks,
    seen,
    street,
)

WIDTH, HEIGHT = SIZE_PX


def _shifted(x_ratio: float, y_ratio: float = 0.0) -> Callable[[Image], Image]:
    matrix = np.array([[1, 0, WIDTH * x_ratio], [0, 1, HEIGHT * y_ratio]], np.float32)

    def shift(image: Image) -> Image:
        picture: Image = cv2.warpAffine(image, matrix, SIZE_PX, borderMode=cv2.BORDER_REFLECT)
        return picture

    return shift


def _blurred(ratio: float) -> Callable[[Image], Image]:
    def blur(image: Image) -> Image:
        picture: Image = cv2.GaussianBlur(image, (0, 0), WIDTH * ratio)
        return picture

    return blur


def _smeared(image: Image) -> Image:
    mask = np.zeros((HEIGHT, WIDTH), np.float32)
    cv2.ellipse(mask, (WIDTH // 2, HEIGHT // 2), (WIDTH // 3, HEIGHT // 3), 20, 0, 360, 1.0, -1)
    mask = cv2.GaussianBlur(mask, (0, 0), WIDTH / 40)[..., None]
    smear = cv2.GaussianBlur(image, (0, 0), WIDTH / 12)
    return np.asarray(image * (1 - mask) + smear * mask, np.uint8)


def _other_preset(image: Image) -> Image:
    return street(seed=77)


def _flat(level: int) -> Callable[[Image], Image]:
    return lambda image: np.full_like(image, level)


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        pytest.param(_shifted(0.05), FaultKind.MOVED, id="moved a little"),
        pytest.param(_shifted(0.3, 0.1), FaultKind.MOVED, id="moved far"),
        pytest.param(_other_preset, FaultKind.MOVED, id="another preset"),
        pytest.param(_flat(110), FaultKind.COVERED, id="covered in grey"),
        pytest.param(_flat(45), FaultKind.COVERED, id="covered in the dark"),
        pytest.param(_smeared, FaultKind.SPRAYED, id="sprayed"),
        pytest.param(_blurred(1 / 100), FaultKind.DEFOCUSED, id="defocused"),
        pytest.param(_flat(3), FaultKind.BLACK, id="black"),
        pytest.param(_flat(252), FaultKind.OVEREXPOSED, id="overexposed"),
    ],
)
def test_every_fault_shows_at_each_look_and_goes_with_it(
    change: Callable[[Image], Image], kind: FaultKind
) -> None:
    health = at_home()
    place = street()
    changed = [seen(change(place), Sky(noise=1.0), seed) for seed in range(8)]
    assert always(looks(health, changed, from_s=100)) == {kind}
    assert found(looks(health, film(place, 8, seed=40), from_s=110)) == set()


def _dusk(number: int) -> Sky:
    return Sky(gain=max(0.2, 1.0 - 0.04 * number), noise=2.0 + 0.05 * number)


@pytest.mark.parametrize(
    "sky_at",
    [
        pytest.param(lambda _: Sky(), id="nothing"),
        pytest.param(_dusk, id="day to night"),
        pytest.param(lambda n: Sky(gain=1.0 if n % 10 else 1.5), id="flashes of sun"),
        pytest.param(lambda n: Sky(gain=0.6 if n > 5 else 1.0), id="a cloud"),
        pytest.param(lambda _: Sky(rain=250), id="rain"),
        pytest.param(lambda n: Sky(gain=0.5, headlight_x=30 * n), id="headlights"),
        pytest.param(lambda n: Sky(bus_x=-250 + 45 * n), id="a bus passes"),
        pytest.param(lambda n: Sky(is_grey=n > 5, gain=0.7 if n > 5 else 1), id="infrared"),
    ],
)
def test_light_weather_and_traffic_are_no_fault(sky_at: Callable[[int], Sky]) -> None:
    signs = looks(at_home(), film(street(), 24, sky_at), from_s=100)
    assert found(signs) == set()


def test_a_small_sway_is_no_move() -> None:
    swaying = [_shifted(0.012 * (-1) ** n)(one) for n, one in enumerate(film(street(), 10))]
    assert found(looks(at_home(), swaying, from_s=100)) == set()


def test_the_view_learnt_at_night_is_known_again_by_night() -> None:
    health, place = at_home(), street()
    looks(health, film(place, 45, _dusk), from_s=100)
    restarted = CameraHealth(health.references)
    night = Sky(gain=0.2, noise=4.0)
    assert len(health.references) >= 2
    signs = looks(restarted, film(place, 5, lambda _: night), from_s=90_000)
    assert {one[FaultKind.MOVED] for one in signs} == {False}
    away = [seen(_shifted(0.2)(place), night, seed) for seed in range(5)]
    assert FaultKind.MOVED in always(looks(restarted, away, from_s=90_010))


def test_an_accepted_view_is_the_new_home() -> None:
    health = at_home()
    elsewhere = street(seed=77)
    assert FaultKind.MOVED in always(looks(health, film(elsewhere, 3), from_s=100))
    health.accept_view()
    looks(health, film(elsewhere, 25, seed=60), from_s=110)
    assert found(looks(health, film(elsewhere, 5, seed=90), from_s=140)) == set()
    assert FaultKind.MOVED in always(looks(health, film(street(), 3), from_s=150))


def test_what_is_known_to_stand_before_the_view_is_no_spray() -> None:
    health, place = at_home(), street()
    lorry = place.copy()
    lorry[40:240, 120:400] = 120
    box = Box(110, 30, 410, 250)
    hidden = [
        health.look(seen(lorry, Sky(noise=1.0), n), START + timedelta(seconds=100 + n), (box,))
        for n in range(4)
    ]
    assert found(hidden) == set()


def _with_clock(image: Image, second: int) -> Image:
    picture = image.copy()
    picture[:16, :120] = 0
    cv2.putText(picture, f"10:00:{second:02}", (2, 13), 0, 0.5, (255, 255, 255), 1)
    return picture


def test_a_frozen_picture_is_found_though_its_clock_ticks() -> None:
    health = at_home()
    still = seen(street(), Sky(), 9)
    signs = looks(health, [_with_clock(still, n) for n in range(20)], from_s=100)
    assert always(signs[1:]) == {FaultKind.FROZEN}


def test_a_still_scene_is_not_frozen_for_its_sensor_makes_noise() -> None:
    quiet = film(street(), 20, lambda _: Sky(noise=0.8))
    assert found(looks(at_home(), quiet, from_s=100)) == set()


def test_before_a_view_is_learnt_nothing_is_said_of_it() -> None:
    signs = looks(CameraHealth(), film(street(), 5))
    assert {one[FaultKind.MOVED] for one in signs} == {None}


def test_a_turned_picture_is_another_view() -> None:
    health = at_home()
    turned = [np.ascontiguousarray(one.swapaxes(0, 1)) for one in film(street(), 3)]
    assert always(looks(health, turned, from_s=100)) == {FaultKind.MOVED}


@pytest.mark.parametrize("minutes", [1, 600])
def test_a_cover_of_any_length_stays_one(minutes: int) -> None:
    health = at_home()
    dark = [seen(np.full_like(street(), 60), Sky(noise=2.0), n) for n in range(6)]
    signs = looks(health, dark, from_s=26, every_s=minutes * 12)
    assert {one[FaultKind.COVERED] for one in signs} == {True}
