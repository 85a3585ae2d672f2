"""The line that workers take turns from: on a clock of the test's own, and with real threads."""

from __future__ import annotations

import threading
import time

from hypothesis import given, settings
from hypothesis import strategies as st

from models.cadence import LookClass
from service.daemon.schedule import ERRAND_S, Schedule, Taken
from service.daemon.turns import Cadence

PROMPT = Cadence(interval_s=1.0, look_class=LookClass.PROMPT)
PATIENT = Cadence(interval_s=10.0, look_class=LookClass.PATIENT)
UNPACED = Cadence(interval_s=1.0, look_class=LookClass.PROMPT, is_paced=False)
LONG_S = 10.0


class Clock:
    """A clock that goes on when the test says so."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def started(*cameras: str, cadence: Cadence = PROMPT) -> tuple[Schedule[str], Clock]:
    """These cameras, all looked at now."""
    clock = Clock()
    schedule: Schedule[str] = Schedule(clock)
    for camera in cameras:
        schedule.add(camera, cadence)
    for _ in cameras:
        taken = schedule.take(0.0)
        assert taken is not None
        schedule.give_back(taken.item, looked=True)
    return schedule, clock


def next_look(schedule: Schedule[str]) -> str | None:
    """The next camera to be looked at; errands in between are run."""
    while (taken := schedule.take(0.0)) is not None:
        if taken.look is not None:
            return taken.item
        schedule.give_back(taken.item, looked=False)
    return None


def test_a_new_camera_is_tried_at_once() -> None:
    schedule: Schedule[str] = Schedule(Clock())
    schedule.add("gate", PROMPT)
    taken = schedule.take(0.0)
    assert taken is not None
    assert (taken.item, taken.look is None) == ("gate", False)
    assert schedule.take(0.0) is None


def test_a_camera_without_a_picture_is_visited_for_errands_only() -> None:
    schedule, clock = started("gate")
    assert schedule.take(0.0) is None
    clock.now_s += ERRAND_S
    assert schedule.take(0.0) == Taken(item="gate", look=None)
    assert schedule.take(0.0) is None
    schedule.give_back("gate", looked=False)
    clock.now_s += ERRAND_S
    assert schedule.take(0.0) == Taken(item="gate", look=None)


def test_a_picture_that_comes_early_waits_until_the_last_look_is_long_enough_ago() -> None:
    schedule, clock = started("gate")
    clock.now_s += 0.5
    schedule.awake("gate")
    assert next_look(schedule) is None
    clock.now_s += 0.31
    assert next_look(schedule) == "gate"


def test_a_picture_that_comes_during_the_look_is_not_forgotten() -> None:
    schedule, clock = started("gate")
    schedule.awake("gate")
    clock.now_s += 1.0
    assert next_look(schedule) == "gate"
    schedule.awake("gate")
    schedule.give_back("gate", looked=True)
    clock.now_s += 0.9
    assert next_look(schedule) == "gate"


def test_a_look_that_found_no_picture_was_none() -> None:
    schedule, clock = started("gate")
    clock.now_s += 1.0
    schedule.awake("gate")
    assert next_look(schedule) == "gate"
    schedule.give_back("gate", looked=False)
    clock.now_s += 0.1
    schedule.awake("gate")
    taken = schedule.take(0.0)
    assert taken is not None
    assert taken.look is not None
    assert (taken.look.lag_s, taken.look.skipped) == (0.0, 0)


def test_a_camera_in_trouble_is_left_alone_for_as_long_as_it_asked() -> None:
    schedule, clock = started("gate")
    clock.now_s += 1.0
    schedule.awake("gate")
    assert next_look(schedule) == "gate"
    schedule.awake("gate")
    schedule.give_back("gate", looked=True, pause_s=5.0)
    clock.now_s += 4.9
    assert schedule.take(0.0) is None
    clock.now_s += 0.2
    assert next_look(schedule) == "gate"


def test_who_is_called_is_visited_at_once_and_who_is_removed_no_more() -> None:
    schedule, _ = started("gate", "square")
    schedule.call("square")
    assert schedule.take(0.0) == Taken(item="square", look=None)
    schedule.remove("square")
    schedule.remove("gate")
    schedule.give_back("square", looked=False)
    schedule.awake("gate")
    schedule.call("gate")
    assert schedule.take(0.0) is None


def test_a_call_during_a_visit_is_answered_after_it() -> None:
    schedule, clock = started("gate")
    clock.now_s += 1.0
    schedule.awake("gate")
    assert next_look(schedule) == "gate"
    schedule.call("gate")
    assert schedule.take(0.0) is None
    schedule.give_back("gate", looked=True)
    assert schedule.take(0.0) == Taken(item="gate", look=None)


def test_who_waits_for_a_look_needs_no_errand_in_between() -> None:
    schedule, clock = started("gate")
    clock.now_s += 0.9
    schedule.awake("gate")
    clock.now_s += 10 * ERRAND_S
    taken = schedule.take(0.0)
    assert taken is not None
    assert taken.look is not None


def test_an_errand_does_not_lose_the_place_of_a_camera_that_waits_for_its_look() -> None:
    schedule, clock = started("gate", "square")
    clock.now_s += 1.0
    schedule.awake("gate")
    schedule.awake("square")
    schedule.call("gate")
    assert schedule.take(0.0) == Taken(item="gate", look=None)
    schedule.give_back("gate", looked=False)
    looks = [next_look(schedule) for _ in range(3)]
    assert set(looks) == {"gate", "square", None}


def test_looks_that_wait_are_told_as_skipped_once() -> None:
    schedule, clock = started("gate")
    clock.now_s += 1.0
    schedule.awake("gate")
    clock.now_s += 3.5
    assert [schedule.standings()["gate"].skipped for _ in range(2)] == [3, 0]
    assert schedule.standings()["gate"].stretch == 4.5
    taken = next_look(schedule)
    assert taken == "gate"
    assert schedule.standings()["gate"].stretch == 0.0


def test_a_recording_that_gives_pictures_at_any_time_is_looked_at_as_often() -> None:
    schedule, _ = started("film", cadence=UNPACED)
    for _ in range(5):
        schedule.awake("film")
        assert next_look(schedule) == "film"
        schedule.give_back("film", looked=True)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.floats(0.01, 0.4), st.booleans()), min_size=30, max_size=80))
def test_everybody_gets_turns_whatever_comes_when(steps: list[tuple[float, bool]]) -> None:
    schedule, clock = started("a", "b", "c")
    last = dict.fromkeys("abc", clock.now_s)
    for took_s, is_errand in steps:
        for camera in "abc":
            schedule.awake(camera)
        if is_errand:
            schedule.call("a")
        camera_of_turn = next_look(schedule)
        clock.now_s += took_s
        if camera_of_turn is not None:
            last[camera_of_turn] = clock.now_s
            schedule.give_back(camera_of_turn, looked=True)
    assert all(clock.now_s - at <= 3 * 0.4 + 1.0 for at in last.values())


def test_a_picture_wakes_one_who_waits() -> None:
    schedule: Schedule[str] = Schedule()
    schedule.add("film", UNPACED)
    assert schedule.take(0.0) is not None
    schedule.give_back("film", looked=True)
    waker = threading.Timer(0.05, schedule.awake, ["film"])
    waker.start()
    started_s = time.monotonic()
    taken = schedule.take(LONG_S)
    waker.join()
    assert taken is not None
    assert time.monotonic() - started_s < LONG_S / 2


def test_closing_wakes_everybody_at_once() -> None:
    schedule: Schedule[str] = Schedule()
    closer = threading.Timer(0.05, schedule.close)
    closer.start()
    started_s = time.monotonic()
    assert schedule.take(LONG_S) is None
    assert time.monotonic() - started_s < LONG_S / 2
    closer.join()
