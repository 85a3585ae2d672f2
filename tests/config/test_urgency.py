"""Priorities by time, size and number in a city.yaml."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.errors import ConfigError
from models.urgency import PriorityStep
from models.zone import Priority
from service.config import load_city
from tests.config.builders import VALID, ruled, write

LITTER = "kind: litter, priority_when: [{{{}}}]"


def test_steps_are_read_with_their_schedule(tmp_path: Path) -> None:
    step = "priority: urgent, schedule: working_hours, count: 3"
    city = load_city(write(tmp_path, ruled(LITTER.format(step))), environ={})
    rule = city.cameras[0].zones[0].rules[0]
    (read,) = rule.priority_when
    assert read == PriorityStep(priority=Priority.URGENT, schedule=read.schedule, least_count=3)
    assert read.schedule is not None
    assert read.schedule.windows


@pytest.mark.parametrize(
    ("step", "complaint"),
    [
        ("priority: high", "say when: schedule, width or count"),
        ("priority: high, width: 2", "needs 'ground'"),
        ("priority: high, schedule: nights", "nights"),
        ("priority: soon, count: 2", "priority"),
        ("count: 2", "priority"),
    ],
)
def test_mistakes_are_told_with_their_line(tmp_path: Path, step: str, complaint: str) -> None:
    text = ruled(LITTER.format(step))
    line = 1 + text[: text.index("priority_when")].count("\n")
    with pytest.raises(ConfigError) as raised:
        load_city(write(tmp_path, text), environ={})
    told = str(raised.value)
    assert complaint in told
    assert f"city.yaml:{line}:" in told
    assert "priority_when[0]" in told


def test_the_valid_file_has_no_steps(tmp_path: Path) -> None:
    city = load_city(write(tmp_path, VALID), environ={})
    assert city.cameras[0].zones[0].rules[0].priority_when == ()
