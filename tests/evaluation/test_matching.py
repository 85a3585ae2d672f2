"""Which incidents count as the expected ones, and what the totals make of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.geometry import Box
from models.incident import Incident
from models.zone import RuleKind
from service.evaluation.matching import Case, Match, match
from service.evaluation.report import Report, sum_up
from service.evaluation.row import Row
from service.evaluation.truth import ClipTruth, Thing, ZoneTruth
from tests.support.street import START
from zones.polygon import ZoneShape

POLYGON = ((0.0, 0.0), (400.0, 0.0), (400.0, 300.0), (0.0, 300.0))
FIRST = Thing(label="car", box=Box(10, 10, 60, 40), from_s=2, to_s=30)
SECOND = Thing(label="car", box=Box(200, 100, 260, 140), from_s=0, to_s=12)
OUTSIDE = Thing(label="car", box=Box(500, 100, 560, 140), from_s=0, to_s=30)


def incident(box: Box, opened_s: float) -> Incident:
    at = START + timedelta(seconds=opened_s)
    return Incident(
        incident_id=f"{box.x1}-{opened_s}",
        camera_id="clip",
        zone_id="z",
        rule_id="r",
        kind=RuleKind.ILLEGAL_PARKING,
        category="illegal_parking",
        label="car",
        box=box,
        width_px=640,
        height_px=360,
        confidence=0.9,
        started_at=at,
        opened_at=at,
        last_seen_at=at,
        observed_s=10,
    )


def matched(
    things: list[Thing], found: list[Incident], expected: int, dwell_s: float = 10
) -> Match:
    return _match(RuleKind.ILLEGAL_PARKING, things, found, expected, dwell_s)


def _match(
    kind: RuleKind, things: list[Thing], found: list[Incident], expected: int, dwell_s: float
) -> Match:
    zone = ZoneTruth(name="z", polygon=POLYGON, kind=kind, expected_by_dwell_s={dwell_s: expected})
    clip = ClipTruth(
        name="a.mp4",
        video=Path("a.mp4"),
        size_px=(640, 360),
        zones=(zone,),
        things={kind: tuple(things)},
    )
    case = Case(
        incidents=[(item, item.box) for item in found],
        starts_at=START,
        dwell_s=dwell_s,
        expected=expected,
    )
    return match(clip, zone, ZoneShape(POLYGON, 640, 360), case)


def test_each_thing_is_matched_by_the_incident_in_its_place() -> None:
    found = [incident(Box(198, 98, 262, 141), 10.4), incident(Box(12, 11, 60, 41), 12.5)]
    result = matched([FIRST, SECOND, OUTSIDE], found, expected=2)
    assert (result.matched, result.missed, result.false_alarms) == (2, 0, 0)
    assert sorted(result.delays_s) == [0.4, 0.5]


def test_an_incident_somewhere_else_is_a_miss_and_a_false_alarm() -> None:
    result = matched([FIRST], [incident(Box(300, 200, 380, 260), 12)], expected=1)
    assert (result.matched, result.missed, result.false_alarms, result.delays_s) == (0, 1, 1, ())


def test_two_incidents_for_one_thing_are_one_too_many() -> None:
    found = [incident(FIRST.box, 12), incident(Box(12, 10, 40, 40), 13)]
    result = matched([FIRST], found, expected=1)
    assert (result.matched, result.false_alarms) == (1, 1)


def test_where_the_truth_cannot_be_attributed_the_number_counts() -> None:
    result = matched([], [incident(FIRST.box, 12)] * 3, expected=2)
    assert (result.matched, result.missed, result.false_alarms, result.delays_s) == (2, 0, 1, ())


def test_a_thing_that_did_not_stay_for_the_dwell_is_not_expected() -> None:
    result = matched([FIRST, SECOND], [incident(FIRST.box, 22.5)], expected=1, dwell_s=20)
    assert (result.matched, result.delays_s) == (1, (0.5,))


def test_litter_is_one_incident_for_the_zone_from_its_first_piece() -> None:
    found = [incident(Box(10, 10, 260, 140), 6.0)]
    result = _match(RuleKind.LITTER, [FIRST, SECOND], found, 1, 5)
    assert (result.matched, result.delays_s) == (1, (1.0,))


def test_the_threshold_is_the_dwell_after_a_thing_can_be_seen() -> None:
    behind_somebody = replace(SECOND, in_sight_from_s=1.5)
    result = matched([behind_somebody], [incident(SECOND.box, 12)], expected=1)
    assert (result.delays_s, result.start_errors_s) == ((0.5,), (12.0,))


counts = st.integers(0, 5)
rows = st.builds(
    lambda matched, missed, false_alarms: Row(
        clip="a",
        zone="z",
        dwell_s=5.0,
        expected=matched + missed,
        found=matched + false_alarms,
        matched=matched,
        missed=missed,
        false_alarms=false_alarms,
        delay_s=(),
    ),
    counts,
    counts,
    counts,
)


@given(st.lists(rows))
def test_totals_are_sums_and_ratios_are_ratios(some: list[Row]) -> None:
    totals = sum_up(some)
    assert totals.expected == totals.matched + totals.missed
    for ratio in (totals.precision, totals.recall, totals.f1):
        assert 0 <= ratio <= 1
    assert (totals.f1 == 1) == (totals.missed == totals.false_alarms == 0)


def test_the_json_has_the_published_form() -> None:
    row = Row(
        clip="a.mp4",
        zone="kerb",
        dwell_s=5.0,
        expected=2,
        found=2,
        matched=1,
        missed=1,
        false_alarms=1,
        delay_s=(0.5,),
        start_error_s=(0.1,),
        once=1,
        kind="illegal_parking",
        watched_s=8640.0,
        conditions=("rain",),
    )
    figures = {
        "false_orders": 1,
        "camera_days": 0.1,
        "false_orders_per_camera_day": 10.0,
        "false_orders_per_camera_day_interval": [0.2532, 55.7164],
        "expected": 2,
        "exactly_one_order": 1,
        "exactly_one_order_ratio": 0.5,
        "exactly_one_order_interval": [0.0945, 0.9055],
        "start_error_s": {"count": 1, "median": 0.1, "interval": [0.1, 0.1], "worst": 0.1},
        "delay_s": {"count": 1, "median": 0.5, "interval": [0.5, 0.5], "worst": 0.5},
    }
    assert Report(rows=(row,)).as_json() == {
        "rows": [
            {
                "clip": "a.mp4",
                "zone": "kerb",
                "dwell_s": 5,
                "expected": 2,
                "found": 2,
                "matched": 1,
                "missed": 1,
                "false_alarms": 1,
                "delay_s": [0.5],
                "start_error_s": [0.1],
                "once": 1,
                "misnamed": 0,
                "kind": "illegal_parking",
                "watched_s": 8640.0,
                "conditions": ["rain"],
            }
        ],
        "totals": {
            "expected": 2,
            "matched": 1,
            "missed": 1,
            "false_alarms": 1,
            "precision": pytest.approx(0.5),
            "recall": pytest.approx(0.5),
            "f1": pytest.approx(0.5),
        },
        "figures": {"all": figures, "rain": figures},
    }
