"""Watched time."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.zones.looks import after
from zones.clock import LOOKS_TO_ACCEPT_A_STEP_BACK, ZERO, LookClock


@pytest.mark.parametrize(
    ("interval_s", "gap_s", "counts"),
    [(1, 1, True), (1, 5, True), (1, 5.1, False), (4, 12, True), (4, 12.1, False)],
)
def test_a_gap_counts_as_watched_up_to_a_few_look_intervals(
    interval_s: float, gap_s: float, counts: bool
) -> None:
    clock = LookClock(interval_s)
    clock.step(after(0))
    step = clock.step(after(gap_s))
    assert step is not None
    assert step.elapsed == (timedelta(seconds=gap_s) if counts else ZERO)
    assert clock.watched_since(after(0), after(gap_s)) == step.elapsed


def test_only_a_very_long_gap_makes_candidates_stale() -> None:
    clock = LookClock(1)
    steps = [clock.step(after(s)) for s in (0, 3600, 7201)]
    assert [step is not None and step.is_stale for step in steps] == [False, False, True]


@pytest.mark.parametrize("back_s", [0, 0.5, 3600])
def test_a_stray_look_is_ignored_and_does_no_harm(back_s: float) -> None:
    clock = LookClock(1)
    clock.step(after(10))
    assert clock.step(after(10 - back_s)) is None
    assert clock.last_at == after(10)
    step = clock.step(after(11))
    assert step is not None
    assert step.elapsed == timedelta(seconds=1)


def test_a_clock_that_was_set_back_is_believed_after_a_few_looks() -> None:
    clock = LookClock(1)
    clock.step(after(3600))
    steps = [clock.step(after(s)) for s in range(LOOKS_TO_ACCEPT_A_STEP_BACK + 1)]
    assert steps[:-2] == [None] * (LOOKS_TO_ACCEPT_A_STEP_BACK - 1)
    accepted, following = steps[-2:]
    assert accepted is not None
    assert accepted.elapsed == ZERO
    assert following is not None
    assert following.elapsed == timedelta(seconds=1)


def test_strays_that_do_not_go_on_are_never_believed() -> None:
    clock = LookClock(1)
    clock.step(after(100))
    assert [clock.step(after(50)) for _ in range(20)] == [None] * 20


def test_watched_time_leaves_out_what_nobody_could_see_and_is_never_negative() -> None:
    clock = LookClock(1)
    for s in (0, 1, 2, 12, 13, 23):
        clock.step(after(s))
    assert clock.watched_since(after(0), after(23)) == timedelta(seconds=3)
    assert clock.watched_since(after(7), after(13)) == timedelta(seconds=1)
    assert clock.watched_since(after(30), after(23)) == ZERO
