"""Watched assets in pictures: a change is seen, and light, weather and passers-by are none."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from detector.assets.watch import AssetWatch
from models.geometry import Box
from models.upkeep import AssetState
from tests.assets.scene import SIZE_PX, START, ZONE, Scene, draw, learnt, states, views

DAY, NIGHT = Scene(), Scene(gain=0.3)


@pytest.mark.parametrize(
    "scene_at",
    [
        pytest.param(lambda _: Scene(), id="nothing"),
        pytest.param(lambda n: Scene(gain=1.0 - 0.09 * n), id="dusk"),
        pytest.param(lambda _: Scene(gain=1.4), id="brighter"),
        pytest.param(lambda _: Scene(is_grey=True, gain=0.5), id="infrared"),
        pytest.param(lambda _: Scene(shift_px=3), id="the mast sways"),
        pytest.param(lambda _: Scene(rain=300), id="rain"),
        pytest.param(lambda n: Scene(shadow_x=60 * n), id="a shadow wanders over it"),
        pytest.param(lambda n: Scene(gain=0.5, headlight_x=70 * n), id="headlights"),
    ],
)
def test_light_and_weather_are_no_change(scene_at: Callable[[int], Scene]) -> None:
    assert states(views(learnt(), scene_at)) == {AssetState.ALIKE}


@pytest.mark.parametrize(
    ("bench", "state"),
    [
        ("gone", AssetState.MISSING),
        ("moved", AssetState.MOVED),
        ("toppled", AssetState.TOPPLED),
        ("sprayed", AssetState.DEFACED),
    ],
)
@pytest.mark.parametrize("gain", [1.0, 0.6])
def test_what_has_happened_is_told(bench: str, state: AssetState, gain: float) -> None:
    found = views(learnt(), lambda _: Scene(bench=bench, gain=gain), count=5)
    assert states(found) == {state}


def test_a_bench_that_goes_by_night_is_missed_by_night() -> None:
    watch = learnt(DAY, NIGHT)
    assert states(views(watch, lambda _: NIGHT, count=3)) == {AssetState.ALIKE}
    gone = views(watch, lambda _: Scene(bench="gone", gain=0.3), count=3)
    assert all(view.differs for view in gone)


def test_too_dark_is_could_not_look() -> None:
    assert states(views(learnt(), lambda _: Scene(gain=0.05), count=3)) == {AssetState.UNKNOWN}


def test_who_stands_in_front_is_waited_for() -> None:
    person = Box(300, 110, 350, 250)
    found = views(learnt(), lambda _: Scene(person_x=302), count=3, in_front=lambda _: (person,))
    assert states(found) == {AssetState.UNKNOWN}
    assert all(view.occluded and view.differs is None for view in found)


def test_who_walks_past_while_it_learns_does_not_spoil_the_reference() -> None:
    watch = AssetWatch(ZONE)
    for count in range(14):
        walker = 240 + 40 * count if count < 4 else None
        at = START + timedelta(seconds=4 * count)
        watch.look(draw(Scene(seed=count, person_x=walker)), at, SIZE_PX)
    assert states(views(watch, lambda _: DAY, count=3)) == {AssetState.ALIKE}
    assert states(views(watch, lambda _: Scene(bench="gone"), count=3)) == {AssetState.MISSING}


def test_until_it_has_learnt_it_cannot_tell() -> None:
    watch = AssetWatch(ZONE)
    assert watch.look(draw(DAY), START, SIZE_PX).state is AssetState.UNKNOWN
    assert not watch.is_learnt


def test_relearning_takes_what_is_there_now() -> None:
    watch = learnt()
    watch.forget()
    for count in range(12):
        at = START + timedelta(hours=5, seconds=4 * count)
        watch.look(draw(Scene(bench="moved", seed=count)), at, SIZE_PX)
    found = views(watch, lambda _: Scene(bench="moved"), count=3)
    assert states(found) == {AssetState.ALIKE}


def test_what_was_saved_is_known_again() -> None:
    again = AssetWatch(ZONE, learnt().samples)
    assert states(views(again, lambda _: Scene(bench="gone"), count=2)) == {AssetState.MISSING}


def test_paint_that_cannot_be_seen_by_infrared_is_not_called_gone() -> None:
    watch = learnt()
    assert states(views(watch, lambda _: Scene(bench="sprayed"), 2)) == {AssetState.DEFACED}
    by_night = views(watch, lambda _: Scene(bench="sprayed", is_grey=True), 3)
    assert AssetState.ALIKE not in states(by_night)
