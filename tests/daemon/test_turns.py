"""Whose look is next: on time with capacity to spare, and fair, counted and by class without."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.cadence import LookClass
from service.daemon.turns import (
    LOST_AT_STRETCH,
    Cadence,
    arrived,
    begin,
    choose,
    first_turn,
    settle,
)
from tests.daemon.simulated import Simulated, demand, simulate

UNTIL_S = 40.0
SETTLED_S = 8.0
"""Until then all cameras come up at once; from then on fairness is measured."""
SOME = settings(max_examples=12, deadline=None)
INTERVALS = st.sampled_from([0.5, 1.0, 2.0])
CLASSES = st.sampled_from(list(LookClass))
PROMPT, PATIENT = LookClass.PROMPT, LookClass.PATIENT


@st.composite
def cameras_that_ask_for(
    draw: st.DrawFn,
    load: float,
    *,
    fewest: int = 12,
    intervals: st.SearchStrategy[float] = INTERVALS,
    classes: st.SearchStrategy[LookClass] = CLASSES,
) -> list[Simulated]:
    """Cameras that would together keep ``load`` workers busy."""
    parts = draw(st.lists(st.floats(0.5, 1.5), min_size=fewest, max_size=fewest + 12))
    spread = [(draw(intervals), draw(st.floats(0, 1)), draw(classes)) for _ in parts]
    return [
        Simulated(
            interval_s=interval_s,
            cost_s=load * part / sum(parts) * interval_s,
            phase_s=phase * interval_s,
            look_class=look_class,
        )
        for part, (interval_s, phase, look_class) in zip(parts, spread, strict=True)
    ]


def wanted(camera: Simulated, until_s: float) -> float:
    """Looks that a camera asks for until then."""
    return (until_s - camera.phase_s) / camera.interval_s


@SOME
@given(cameras_that_ask_for(0.7), st.sampled_from([1, 2]))
def test_with_capacity_left_no_look_is_later_than_its_interval(
    cameras: list[Simulated], workers: int
) -> None:
    found = simulate(cameras, workers=workers, until_s=UNTIL_S)
    for camera, seen in zip(cameras, found, strict=True):
        assert max(seen.lags_s) <= camera.interval_s
        assert seen.skipped == 0
        assert len(seen.began_s) >= wanted(camera, UNTIL_S) - 2


@SOME
@given(st.data(), st.floats(1.1, 5.0), st.sampled_from(list(LookClass)))
def test_overload_stretches_the_intervals_of_equals_by_about_its_factor(
    data: st.DataObject, factor: float, look_class: LookClass
) -> None:
    cameras = data.draw(cameras_that_ask_for(factor, classes=st.just(look_class)))
    found = simulate(cameras, until_s=UNTIL_S * 2)
    stretches = [
        seen.mean_gap_s(SETTLED_S) / camera.interval_s
        for camera, seen in zip(cameras, found, strict=True)
    ]
    assert max(stretches) <= 1.3 * factor
    assert max(stretches) <= 1.4 * min(stretches)
    for camera, seen in zip(cameras, found, strict=True):
        assert max(seen.gaps_s(SETTLED_S)) <= 1.6 * factor * camera.interval_s + camera.cost_s


@SOME
@given(st.floats(0.3, 4.0).flatmap(cameras_that_ask_for), st.sampled_from([None, 2.0]))
def test_every_look_is_made_or_counted_as_skipped(
    cameras: list[Simulated], settle_every_s: float | None
) -> None:
    found = simulate(cameras, until_s=UNTIL_S, settle_every_s=settle_every_s)
    for camera, seen in zip(cameras, found, strict=True):
        assert abs(len(seen.began_s) + seen.skipped - wanted(camera, UNTIL_S)) < 2


@SOME
@given(
    cameras_that_ask_for(0.4, intervals=st.just(1.0), classes=st.just(PROMPT)),
    cameras_that_ask_for(0.85, intervals=st.just(10.0), classes=st.just(PATIENT), fewest=40),
)
def test_patient_cameras_give_way_to_prompt_ones_but_are_never_blind(
    prompt: list[Simulated], patient: list[Simulated]
) -> None:
    found = simulate([*prompt, *patient], until_s=60.0)
    for camera, seen in zip(prompt, found, strict=False):
        assert seen.skipped <= 0.05 * len(seen.began_s)
        assert max(seen.gaps_s()) <= LOST_AT_STRETCH * camera.interval_s + 0.5
    yielding = found[len(prompt) :]
    assert sum(seen.skipped for seen in yielding) > 0
    longest_s = Cadence(interval_s=10.0, look_class=PATIENT).longest_gap_s
    assert all(max(seen.gaps_s(), default=0.0) <= longest_s for seen in yielding)


@SOME
@given(
    st.floats(0.5, 3.0).flatmap(
        lambda load: cameras_that_ask_for(load, intervals=st.just(1.0), classes=st.just(PROMPT))
    ),
    st.floats(0.5, 3.0).flatmap(
        lambda load: cameras_that_ask_for(load, intervals=st.just(10.0), classes=st.just(PATIENT))
    ),
)
def test_no_class_starves_the_other_however_much_both_ask_for(
    prompt: list[Simulated], patient: list[Simulated]
) -> None:
    cameras = [*prompt, *patient]
    for camera, seen in zip(cameras, simulate(cameras, until_s=150.0), strict=True):
        cadence = Cadence(interval_s=camera.interval_s, look_class=camera.look_class)
        worst_s = max(1.0, demand(cameras) / 2) * cadence.longest_gap_s
        ends = [*seen.began_s, 150.0]
        assert max(b - a for a, b in pairwise(ends)) <= worst_s + 10.0


def test_a_camera_that_shows_nothing_any_more_neither_holds_up_others_nor_is_late() -> None:
    frozen = Simulated(interval_s=1.0, cost_s=0.05, shows_until_s=5.0)
    others = [Simulated(interval_s=1.0, cost_s=0.05, phase_s=n / 20) for n in range(15)]
    first, *rest = simulate([frozen, *others], until_s=UNTIL_S)
    assert (first.skipped, len(first.began_s)) == (0, 6)
    assert all(max(seen.lags_s) < 0.2 and seen.skipped == 0 for seen in rest)


def cadence(interval_s: float = 1.0, look_class: LookClass = PROMPT) -> Cadence:
    return Cadence(interval_s=interval_s, look_class=look_class)


def test_a_picture_that_comes_late_is_no_lateness_of_the_look() -> None:
    turn = arrived(first_turn(cadence(), 0.0), 60.0)
    after, began = begin(turn, 60.25)
    assert (began.lag_s, began.skipped, began.stretch) == (0.25, 0, 1.25)
    assert (after.due_s, after.not_before_s, after.waiting_since_s) == (61.0, 61.05, None)


def test_a_second_picture_changes_nothing() -> None:
    turn = arrived(first_turn(cadence(), 0.0), 1.0)
    assert arrived(turn, 2.0) == turn


def test_looks_that_fell_out_are_counted_once_whether_it_still_waits_or_begins() -> None:
    turn = arrived(first_turn(cadence(), 0.0), 0.0)
    turn, first = settle(turn, 2.5)
    turn, again = settle(turn, 2.9)
    assert (first, again) == (2, 0)
    after, began = begin(turn, 3.5)
    assert (began.skipped, began.lag_s) == (1, 3.5)
    assert after.due_s == 4.0


def test_a_look_that_is_a_little_early_moves_the_beat_forward() -> None:
    turn = replace(first_turn(cadence(), 0.0), due_s=1.0, not_before_s=0.8)
    after, began = begin(arrived(turn, 0.9), 0.9)
    assert (began.lag_s, after.due_s) == (0.0, 1.9)


def test_what_waits_for_no_picture_has_skipped_nothing() -> None:
    assert settle(first_turn(cadence(), 0.0), 100.0)[1] == 0


def test_a_recording_that_is_read_as_fast_as_it_can_be_is_never_late() -> None:
    unpaced = replace(cadence(), is_paced=False)
    turn = arrived(first_turn(unpaced, 0.0), 0.0)
    assert settle(turn, 50.0) == (turn, 0)
    after, began = begin(turn, 50.0)
    assert (began.lag_s, began.skipped, after.not_before_s) == (0.0, 0, 50.0)


def test_nobody_is_chosen_before_there_is_a_picture_and_the_last_look_is_long_enough_ago() -> None:
    no_picture = first_turn(cadence(), 0.0)
    too_soon = arrived(replace(no_picture, not_before_s=5.0), 0.0)
    assert choose([no_picture, too_soon], 4.9) is None
    assert choose([no_picture, too_soon], 5.0) == too_soon
    assert choose([], 0.0) is None


@pytest.mark.parametrize(
    ("prompt_s", "patient_s", "first"),
    [
        pytest.param(1.0, 15.0, PROMPT, id="patient_is_late_but_watched"),
        pytest.param(1.0, 19.5, PATIENT, id="patient_would_lose_a_look_and_prompt_would_not"),
        pytest.param(1.6, 19.5, PROMPT, id="prompt_would_lose_one_sooner"),
        pytest.param(1.0, 21.0, PROMPT, id="patient_has_lost_one_already"),
        pytest.param(1.0, 25.0, PATIENT, id="patient_is_about_to_go_blind"),
        pytest.param(4.5, 25.0, PROMPT, id="prompt_is_nearer_to_it"),
        pytest.param(4.5, 29.0, PATIENT, id="patient_is_nearer_to_it"),
    ],
)
def test_parking_goes_first_until_the_others_looks_are_about_to_count_for_nothing(
    prompt_s: float, patient_s: float, first: LookClass
) -> None:
    now_s = 100.0
    turns = [
        replace(
            first_turn(cadence(interval_s, look_class), 0.0),
            since_s=now_s - ago_s,
            waiting_since_s=now_s - 0.5,
        )
        for interval_s, look_class, ago_s in [(1.0, PROMPT, prompt_s), (10.0, PATIENT, patient_s)]
    ]
    chosen = choose(turns, now_s)
    assert chosen is not None
    assert chosen.cadence.look_class is first
