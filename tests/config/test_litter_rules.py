"""Littering, accumulated litter, full bins, unknown objects and double parking in a city.yaml."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.city import ModelFacts
from models.errors import ConfigError
from models.litter import Accumulation
from models.zone import CloserLook, IllegalParkingRule, LitteringRule, LitterRule, Rule
from service.config import load_city
from tests.config.builders import VALID, ruled, shown, write

ROW = "      - {id: row, polygon: [[0.1, 0.1], [0.9, 0.1], [0.5, 0.05]]}\n"
STREET_N = ModelFacts(name="street-n", labels=("car", "litter", "garbage_pile"))


def rule_of(folder: Path, text: str, facts: ModelFacts | None = None) -> Rule:
    city = load_city(write(folder, text), environ={}, facts_of=lambda _: facts)
    return city.cameras[0].zones[0].rules[0]


def test_littering_is_a_rule_of_three_seconds(tmp_path: Path) -> None:
    rule = rule_of(tmp_path, ruled("kind: littering"), STREET_N)
    assert isinstance(rule, LitteringRule)
    assert rule.labels == {"litter", "garbage_pile"}
    assert (rule.category, rule.dwell_s, rule.grace_s) == ("littering", 3, 15)
    assert (rule.closer_look, rule.priority) == (CloserLook.RECORD, "normal")


@pytest.mark.parametrize(
    ("written", "level"),
    [
        ("count: 5, clear_count: 2", Accumulation(count=5, clear_count=2)),
        ("count: 5", Accumulation(count=5, clear_count=2)),
        ("count: 1", Accumulation(count=1, clear_count=0)),
        ("area: 4%", Accumulation(area_ratio=0.04, clear_area_ratio=0.02)),
        (
            "count: 9, area: 0.2, clear_area: 5%",
            Accumulation(count=9, clear_count=4, area_ratio=0.2, clear_area_ratio=0.05),
        ),
    ],
)
def test_levels_of_accumulated_litter(tmp_path: Path, written: str, level: Accumulation) -> None:
    rule = rule_of(tmp_path, ruled(f"kind: litter, accumulated: {{{written}}}"))
    assert isinstance(rule, LitterRule)
    assert rule.accumulated == level
    assert (rule.category, rule.dwell_s) == ("accumulated_litter", 300)
    assert rule.closer_look is CloserLook.OFF


def test_full_bins_have_a_category_of_their_own(tmp_path: Path) -> None:
    rule = rule_of(tmp_path, ruled("kind: litter, labels: [overflowing_bin]"))
    assert (rule.category, rule.dwell_s, rule.priority) == ("overflowing_bin", 300, "normal")


def test_unknown_objects_are_asked_for_and_of_low_priority(tmp_path: Path) -> None:
    rule = rule_of(tmp_path, ruled("kind: litter, labels: [unknown_object]"), STREET_N)
    assert (rule.category, rule.dwell_s, rule.priority) == ("unknown_object", 300, "low")
    assert rule.closer_look is CloserLook.OFF
    assert "unknown_object" not in rule_of(tmp_path, ruled("kind: litter")).labels


def test_a_double_parking_zone_names_its_row(tmp_path: Path) -> None:
    zone = "        kind: double_parking\n        beside: row\n"
    rule = rule_of(tmp_path, ruled("kind: illegal_parking", zone, ROW))
    assert isinstance(rule, IllegalParkingRule)
    assert (rule.beside_zone_id, rule.category, rule.dwell_s) == ("row", "double_parking", 60)
    assert rule.queue == "ignore"


@pytest.mark.parametrize(
    "key", ["littering", "accumulated_litter", "overflowing_bin", "unknown_object"]
)
def test_what_they_file_can_be_routed(tmp_path: Path, key: str) -> None:
    text = VALID.replace("routing: {default", f"routing: {{{key}: traffic, default")
    assert load_city(write(tmp_path, text), environ={}).routing[key] == "traffic"


AT = "city.yaml:18: cameras[0].zones[0].rules[0]"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            ruled("kind: litter, accumulated: {clear_count: 2}"),
            f"{AT}.accumulated: needs 'count', 'area' or both, more than 0",
            id="no level",
        ),
        pytest.param(
            ruled("kind: litter, accumulated: {count: 3, clear_count: 3}"),
            f"{AT}.accumulated: 'clear_count' should be less than 'count'",
            id="no lower level",
        ),
        pytest.param(
            ruled("kind: litter, accumulated: {area: 3 percent}"),
            f"{AT}.accumulated.area: no share: '3 percent' (write '3%' or 0.03)",
            id="no share",
        ),
        pytest.param(
            ruled("kind: litter, min_count: 2, accumulated: {count: 3}"),
            f"{AT}: 'accumulated' takes the place of 'min_count': leave that out",
            id="counted both ways",
        ),
        pytest.param(
            ruled("kind: litter, closer_look: require, accumulated: {count: 3}"),
            f"{AT}: 'accumulated' counts pieces: there is no 'closer_look' at each",
            id="looked at each",
        ),
        pytest.param(
            ruled("kind: litter, labels: [litter, unknown_object]"),
            f"{AT}: write a rule of its own for 'unknown_object'",
            id="known and unknown",
        ),
        pytest.param(
            ruled("kind: illegal_parking, labels: [unknown_object]"),
            f"{AT}.labels[0]: only a litter rule looks for 'unknown_object'",
            id="an unknown vehicle",
        ),
        pytest.param(
            ruled("kind: illegal_parking", "        kind: double_parking\n"),
            "city.yaml:15: cameras[0].zones[0]: 'kind: double_parking' and 'beside: ZONE'"
            " go together",
            id="no row",
        ),
        pytest.param(
            ruled(
                "kind: illegal_parking", "        kind: double_parking\n        beside: rov\n", ROW
            ),
            "city.yaml:18: cameras[0].zones[0].beside: unknown zone 'rov' (did you mean 'row'?)",
            id="a row that is not there",
        ),
        pytest.param(
            ruled("kind: illegal_parking", more=ROW),
            "city.yaml:19: cameras[0].zones[1].rules: has no rules, and no other zone names it",
            id="a zone for nothing",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path: Path, text: str, expected: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ConfigError) as refused:
        load_city(path, environ={})
    assert expected in shown(refused.value, path)
