"""How often a camera is looked at, by its rules."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from models.cadence import LookClass, look_class_of, shortest_interval_s, wanted_interval_s
from models.zone import DamagedFacilityRule, LitteringRule, LitterRule, Rule, Stage
from service.config import load_city
from tests.daemon.played import camera

PARKING = camera().zones[0].rules[0]


def litter(dwell_s: float = 60.0, label: str = "litter") -> LitterRule:
    return LitterRule(rule_id="litter", labels=frozenset({label}), dwell_s=dwell_s)


@pytest.mark.parametrize(
    ("rule", "interval_s"),
    [
        pytest.param(PARKING, 1.0, id="parking"),
        pytest.param(
            LitteringRule(rule_id="l", labels=frozenset({"litter"}), dwell_s=3), 1.0, id="littering"
        ),
        pytest.param(litter(), 10.0, id="litter"),
        pytest.param(litter(dwell_s=3600.0), 10.0, id="litter_that_may_lie_for_long"),
        pytest.param(litter(dwell_s=30.0), 5.0, id="litter_that_is_reported_soon"),
        pytest.param(litter(dwell_s=2.0), 1.0, id="litter_that_is_reported_at_once"),
        pytest.param(litter(300.0, "unknown_object"), 2.0, id="unknown_object"),
        pytest.param(
            DamagedFacilityRule(rule_id="d", labels=frozenset({"pothole"}), dwell_s=300),
            10.0,
            id="damage",
        ),
    ],
)
def test_a_rule_wants_a_look_as_often_as_what_it_watches_changes(
    rule: Rule, interval_s: float
) -> None:
    assert wanted_interval_s(rule) == interval_s


@pytest.mark.parametrize(
    ("rules", "stage", "interval_s", "look_class"),
    [
        pytest.param((litter(), PARKING), Stage.LIVE, 1.0, LookClass.PROMPT, id="one_is_prompt"),
        pytest.param((litter(), PARKING), Stage.SHADOW, 1.0, LookClass.PROMPT, id="on_trial"),
        pytest.param((litter(), PARKING), Stage.DRAFT, 10.0, LookClass.PATIENT, id="draft"),
        pytest.param((litter(), litter(30.0)), Stage.LIVE, 5.0, LookClass.PATIENT, id="patient"),
        pytest.param((), Stage.LIVE, 10.0, LookClass.PATIENT, id="no_rules"),
    ],
)
def test_a_camera_is_looked_at_as_often_as_its_most_urgent_rule_wants(
    rules: tuple[Rule, ...], stage: Stage, interval_s: float, look_class: LookClass
) -> None:
    (zone,) = camera().zones
    watched = camera(zones=(replace(zone, rules=rules, stage=stage),))
    assert shortest_interval_s(watched.zones) == interval_s
    assert look_class_of(watched) is look_class


CITY = """\
city: {name: Town, timezone: UTC}
cameras:
  - id: gate
    source: rtsp://192.0.2.1/1
    legal_basis: test
    LOOK
    zones:
      - id: kerb
        polygon: [[0.1, 0.1], [0.9, 0.1], [0.9, 0.9]]
        rules: [RULES]
"""


@pytest.mark.parametrize(
    ("rules", "look", "interval_s", "grace_s"),
    [
        pytest.param("{kind: litter}", "", 10.0, 30.0, id="litter"),
        pytest.param("{kind: litter, dwell: 12s}", "", 2.0, 15.0, id="soon"),
        pytest.param("{kind: litter}, {kind: illegal_parking}", "", 1.0, 15.0, id="rides_along"),
        pytest.param("{kind: litter}", "look_interval: 1s", 1.0, 15.0, id="as_configured"),
        pytest.param("{kind: litter}", "faults: {report_after: {frozen: 20s}}", 20 / 6, 15.0,
                     id="fault_that_is_told_soon"),
    ],
)  # fmt: skip
def test_a_configuration_that_says_nothing_gets_what_its_rules_need(
    tmp_path: Path, rules: str, look: str, interval_s: float, grace_s: float
) -> None:
    path = tmp_path / "city.yaml"
    path.write_text(CITY.replace("RULES", rules).replace("LOOK", look or "name: Gate"))
    (watched,) = load_city(path).cameras
    assert watched.look_interval_s == pytest.approx(interval_s)
    assert watched.zones[0].rules[0].grace_s == grace_s
