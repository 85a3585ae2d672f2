"""Overload is said once, and recovery once, whatever it wavers; everything skipped is counted."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from models.cadence import LookClass
from models.zone import Camera
from service.daemon.load import LoadMeter, worked_s
from service.daemon.metrics import DaemonMetrics
from service.daemon.overload import (
    EASY_RATIO,
    STRAINED_RATIO,
    WINDOW_S,
    WINDOWS_TO_ENTER,
    WINDOWS_TO_LEAVE,
    LoadState,
    judge,
    skipped_ratio,
)
from service.daemon.schedule import Standing
from service.daemon.turns import Began
from tests.daemon.played import camera

GATE = camera(paced=True)
NONE, MUCH, BETWEEN = 0.0, 0.5, (EASY_RATIO + STRAINED_RATIO) / 2


def states(ratios: list[float]) -> list[bool]:
    state, said = LoadState(), []
    for ratio in ratios:
        state = judge(state, ratio)
        said.append(state.is_overloaded)
    return said


@pytest.mark.parametrize(
    ("ratios", "overloaded"),
    [
        pytest.param([MUCH], False, id="a_stray_window"),
        pytest.param([MUCH, MUCH], True, id="lasting"),
        pytest.param([MUCH, NONE, MUCH], False, id="interrupted"),
        pytest.param([MUCH, MUCH, *[NONE] * 5], True, id="not_yet_over"),
        pytest.param([MUCH, MUCH, *[NONE] * 6], False, id="over"),
        pytest.param([MUCH, MUCH, *[NONE] * 5, BETWEEN, NONE], True, id="wavering"),
        pytest.param([BETWEEN] * 20, False, id="a_little_says_nothing"),
    ],
)
def test_what_lasts_is_said(ratios: list[float], overloaded: bool) -> None:
    assert states(ratios)[-1] is overloaded


@given(st.lists(st.floats(0, 1), max_size=200))
def test_the_log_is_never_flooded(ratios: list[float]) -> None:
    said = states(ratios)
    changes = sum(earlier is not later for earlier, later in pairwise([False, *said]))
    assert changes <= 2 * len(ratios) / (WINDOWS_TO_ENTER + WINDOWS_TO_LEAVE) + 1


def test_no_look_at_all_is_no_overload() -> None:
    assert (skipped_ratio(0, 0), skipped_ratio(30, 10)) == (0.0, 0.25)


class Machine:
    """What a meter is told of, and what it says."""

    def __init__(self) -> None:
        self.metrics = DaemonMetrics()
        self.waiting: list[tuple[Camera, Standing]] = []
        self.worked_s = 0.0
        self.now_s = 1000.0
        self.meter = LoadMeter(self.metrics, lambda: self.waiting, lambda: self.worked_s, workers=2)
        self.meter.check(self.now_s)

    def window(self, *looks: Began, worked_s: float = 0.0) -> None:
        for look in looks:
            self.meter.looked(GATE, look)
        self.now_s += WINDOW_S
        self.worked_s += worked_s
        self.meter.check(self.now_s)

    def value(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(f"streetwarden_{name}", labels)


LATE = Began(lag_s=2.5, stretch=3.5, skipped=2)
IN_TIME = Began(lag_s=0.0, stretch=1.0, skipped=0)


def test_overload_and_recovery_are_logged_once_each() -> None:
    machine = Machine()
    with capture_logs() as logs:
        for _ in range(5):
            machine.window(LATE, LATE)
        assert machine.value("overloaded") == 1
        for _ in range(10):
            machine.window(IN_TIME)
        assert machine.value("overloaded") == 0
    assert [entry["event"] for entry in logs] == ["overloaded", "recovered"]
    assert logs[0]["log_level"] == "warning"
    assert (logs[0]["stretch_prompt"], logs[0]["skipped_ratio"]) == (3.5, 0.667)


def test_lag_stretch_and_the_work_of_the_workers_are_metrics() -> None:
    machine = Machine()
    machine.window(LATE, IN_TIME, worked_s=WINDOW_S)
    assert machine.value("look_lag_seconds_sum", **{"class": "prompt"}) == 2.5
    assert machine.value("look_lag_seconds_count", **{"class": "prompt"}) == 2
    assert machine.value("look_stretch", **{"class": "prompt"}) == 3.5
    assert machine.value("look_stretch", **{"class": "patient"}) == 0
    assert machine.value("looks_skipped_total", camera="gate", **{"class": "prompt"}) == 2
    assert machine.value("workers_busy_ratio") == 0.5


def test_looks_that_never_begin_are_counted_too() -> None:
    machine = Machine()
    standing = Standing(look_class=LookClass.PROMPT, is_paced=True, skipped=10, stretch=11.0)
    machine.waiting = [(GATE, standing)]
    machine.window()
    machine.window()
    assert machine.value("looks_skipped_total", camera="gate", **{"class": "prompt"}) == 20
    assert machine.value("look_stretch", **{"class": "prompt"}) == 11.0
    assert machine.value("overloaded") == 1


def test_a_recording_read_as_fast_as_it_can_be_says_nothing_of_the_load() -> None:
    machine = Machine()
    machine.meter.looked(camera(paced=False), LATE)
    assert machine.value("look_lag_seconds_count", **{"class": "prompt"}) == 0


def test_the_look_under_way_is_work_too() -> None:
    assert worked_s([(5.0, None), (1.0, 98.0)], 100.0) == 8.0
