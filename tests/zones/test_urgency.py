"""How urgent an order is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.urgency import PriorityStep
from models.zone import LitterRule, Priority, Schedule, TimeWindow
from zones.urgency import priority_of

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
RUSH = Schedule(windows=(TimeWindow(start=time(7), end=time(9)),))
RULE = LitterRule(rule_id="litter", labels=frozenset({"litter"}), dwell_s=60.0)
STEPS = (
    PriorityStep(priority=Priority.URGENT, schedule=RUSH),
    PriorityStep(priority=Priority.HIGH, least_width_m=1.5),
    PriorityStep(priority=Priority.LOW, least_count=2, least_width_m=0.5),
)


@pytest.mark.parametrize(
    ("hour", "count", "width_m", "priority"),
    [
        pytest.param(12, 1, 0.4, "normal", id="nothing special: the rule's own"),
        pytest.param(8, 1, None, "urgent", id="in the rush hour"),
        pytest.param(9, 1, None, "normal", id="after it"),
        pytest.param(8, 1, 3.0, "urgent", id="the first that fits"),
        pytest.param(12, 1, 1.5, "high", id="wide"),
        pytest.param(12, 9, None, "normal", id="of unknown width nothing about width is so"),
        pytest.param(12, 2, 0.6, "low", id="all that a step asks for"),
        pytest.param(12, 1, 0.6, "normal", id="not a part of it"),
    ],
)
def test_the_first_step_that_fits_counts(
    hour: int, count: int, width_m: float | None, priority: str
) -> None:
    rule = replace(RULE, priority_when=STEPS)
    assert priority_of(rule, NOON.replace(hour=hour), count, width_m) == priority


@given(st.integers(1, 50), st.none() | st.floats(0, 50))
def test_without_steps_a_rule_has_one_priority(count: int, width_m: float | None) -> None:
    rule = replace(RULE, priority=Priority.HIGH)
    assert priority_of(rule, NOON, count, width_m) is Priority.HIGH
