"""Which incidents are one thing, and what verdicts say of rules."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from models.geometry import Box
from models.incident import Incident
from models.intervals import needed_for, wilson
from models.zone import RuleKind
from service.recording.comparing import Made, Verdict, compare, scores
from tests.zones.looks import CAR, after


def incident(incident_id: str = "a", **changes: Any) -> Incident:
    made = Incident(
        incident_id=incident_id,
        camera_id="cam",
        zone_id="kerb",
        rule_id="parking",
        kind=RuleKind.ILLEGAL_PARKING,
        category="illegal_parking",
        label="car",
        box=CAR,
        width_px=1000,
        height_px=500,
        confidence=0.8,
        started_at=after(0),
        opened_at=after(60),
        last_seen_at=after(100),
        observed_s=60,
        cleared_at=after(110),
    )
    return replace(made, **changes)


OTHER = "b"


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        pytest.param({}, "same", id="nothing else"),
        pytest.param({"opened_at": after(90)}, "changed", id="later"),
        pytest.param({"cleared_at": after(300)}, "changed", id="longer"),
        pytest.param({"cleared_at": None}, "same", id="not ended yet"),
        pytest.param({"rule_id": "other"}, "changed", id="another rule of the kind"),
        pytest.param({"label": "truck"}, "same", id="another name for it"),
        pytest.param({"box": Box(310, 200, 410, 260)}, "same", id="a little aside"),
        pytest.param(
            {"box": CAR.scaled(2, 2), "width_px": 2000, "height_px": 1000},
            "same",
            id="in a larger picture",
        ),
        pytest.param({"box": Box(600, 200, 700, 260)}, "apart", id="elsewhere"),
        pytest.param({"zone_id": "bay"}, "apart", id="another zone"),
        pytest.param({"camera_id": "gate"}, "apart", id="another camera"),
        pytest.param({"kind": RuleKind.DAMAGED_FACILITY}, "apart", id="another kind"),
        pytest.param({"label": "bicycle"}, "apart", id="another thing"),
        pytest.param(
            {"started_at": after(200), "opened_at": after(260), "cleared_at": after(300)},
            "apart",
            id="another time",
        ),
    ],
)
def test_incidents_are_one_thing_by_camera_zone_kind_label_time_and_place(
    changes: dict[str, Any], outcome: str
) -> None:
    found = compare([Made(incident=incident())], [incident(OTHER, **changes)])
    counts = (len(found.same), len(found.changed), len(found.new), len(found.gone))
    assert counts == {"same": (1, 0, 0, 0), "changed": (0, 1, 0, 0), "apart": (0, 0, 1, 1)}[outcome]


def test_the_same_id_is_the_same_thing_and_the_likest_are_paired_once() -> None:
    near, far = Box(305, 200, 405, 260), Box(330, 200, 430, 260)
    before = [Made(incident=incident("x")), Made(incident=incident("y", box=far))]
    after_ = [incident("1", box=near), incident("2", box=far), incident("y", box=Box(0, 0, 9, 9))]
    found = compare(before, after_)
    assert {(p.before.incident.incident_id, p.after.incident_id) for p in found.pairs} == {
        ("y", "y"),
        ("x", "1"),
    }
    assert [each.incident_id for each in found.new] == ["2"]


def test_litter_of_a_zone_is_one_thing_wherever_its_pieces_lie() -> None:
    litter = {"kind": RuleKind.LITTER, "label": "litter"}
    before = Made(incident=incident(**litter))
    now = incident(OTHER, **litter | {"label": "garbage_pile"}, box=Box(600, 300, 620, 320))
    assert len(compare([before], [now]).pairs) == 1


def test_precision_and_recall_are_of_what_people_judged() -> None:
    places = [Box(50 * n, 200, 50 * n + 40, 240) for n in range(12)]
    verdicts = [Verdict.CONFIRMED] * 6 + [Verdict.FALSE_ALARM] * 4 + [Verdict.UNDECIDED] * 2
    before = [
        Made(incident=incident(str(n), box=place), verdict=verdict)
        for n, (place, verdict) in enumerate(zip(places, verdicts, strict=True))
    ]
    kept = [made.incident for n, made in enumerate(before) if n not in {0, 6, 7, 8, 10}]
    (score,) = scores(compare(before, [*kept, incident("new", box=Box(900, 0, 950, 40))]))
    assert (score.precision_before.part, score.precision_before.whole) == (6, 10)
    assert (score.precision.part, score.precision.whole) == (5, 6)
    assert (score.recall.part, score.recall.whole) == (5, 6)
    assert score.unjudged == 2


@pytest.mark.parametrize(
    ("part", "whole", "low", "high"),
    [
        pytest.param(8, 10, 0.4902, 0.9433, id="eight of ten"),
        pytest.param(0, 10, 0.0, 0.2775, id="none of ten"),
        pytest.param(10, 10, 0.7225, 1.0, id="all of ten"),
        pytest.param(1, 1, 0.2065, 1.0, id="one of one"),
    ],
)
def test_intervals_are_those_of_wilson(part: int, whole: int, low: float, high: float) -> None:
    assert wilson(part, whole) == pytest.approx((low, high), abs=1e-4)


def test_nothing_counted_has_no_interval() -> None:
    assert wilson(0, 0) is None


@pytest.mark.parametrize("low", [0.5, 0.75, 0.9])
def test_so_many_cases_are_needed_that_the_interval_begins_there(low: float) -> None:
    needed = needed_for(low)
    enough, too_few = wilson(needed, needed), wilson(needed - 1, needed - 1)
    assert enough is not None
    assert too_few is not None
    assert enough[0] >= low > too_few[0]
