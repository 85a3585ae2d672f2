"""Accumulated litter: too much in a zone for long, with hysteresis."""

from __future__ import annotations

from dataclasses import replace
from datetime import time as clock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.geometry import Box
from models.incident import IncidentChange
from models.litter import Accumulation
from models.zone import LitterRule, Schedule, TimeWindow
from tests.zones.looks import LITTER, Thing, after, camera, film, judge, renumbered, seconds, zone
from zones.engine import SETTLING, ZoneEngine

ROOMY = replace(LITTER, accumulated=Accumulation(count=3, clear_count=1))
ZONE_PX = 800 * 300
PIECE_PX = 20 * 20
FEW = settings(max_examples=30, deadline=None)


def piece(number: int, comes_s: float = 0, leaves_s: float = 1e9, **how: object) -> Thing:
    """A piece, each number at its own place."""
    left = 150.0 + 60 * number
    base = Thing(
        track_id=number, label="litter", box=Box(left, 300, left + 20, 320),
        comes_s=comes_s, leaves_s=leaves_s,
    )  # fmt: skip
    return replace(base, **how)  # type: ignore[arg-type]


def gathered(*things: Thing, to_s: float, rule: LitterRule = ROOMY) -> list[IncidentChange]:
    """What the rule says of a film at one look a second."""
    return judge(ZoneEngine(camera(zone(rule))), film(*things, to_s=to_s))


def told(changes: list[IncidentChange]) -> list[tuple[str, float, int]]:
    """What happened when, with how many pieces."""
    return [(c.kind.value, seconds(c.at), c.incident.object_count) for c in changes]


def test_too_many_for_the_dwell_are_one_order_until_few_enough_for_long_enough() -> None:
    things = [piece(1), piece(2, 0, 50), piece(3, 5, 40), piece(4, 20, 30)]
    changes = gathered(*things, to_s=90)
    # Three lie there from 5 s. A piece that is gone is missed after the grace (3 s).
    assert told(changes) == [
        ("opened", 15, 3),
        ("updated", 20, 4),
        ("updated", 33, 3),
        ("updated", 43, 2),
        ("updated", 53, 1),
        ("cleared", 60, 1),
    ]
    incident = changes[0].incident
    assert (incident.started_at, incident.box) == (after(5), Box(210, 300, 350, 320))
    assert {change.incident.incident_id for change in changes} == {incident.incident_id}


@pytest.mark.parametrize(
    ("things", "opens_s"),
    [
        pytest.param([piece(1), piece(2)], None, id="too few"),
        pytest.param([piece(1), piece(2), piece(3, 0, 5)], None, id="not for long"),
        pytest.param([piece(1), piece(2), piece(3, confidence=0.21)], None, id="unsure"),
        pytest.param([piece(1), piece(2), piece(3, stands_s=1e9)], None, id="one is carried"),
        pytest.param([piece(1, 30), piece(2, 10), piece(3, 0)], 40, id="one after the other"),
        pytest.param(
            [piece(n, hidden=lambda s, n=n: int(s) % 3 == n % 3) for n in (1, 2, 3)],
            11,
            id="flickering in turn",
        ),
    ],
)
def test_when_it_is_too_much(things: list[Thing], opens_s: float | None) -> None:
    opened = [change for change in gathered(*things, to_s=80) if change.kind == "opened"]
    assert [seconds(change.at) for change in opened] == ([] if opens_s is None else [opens_s])


def test_between_the_levels_nothing_changes() -> None:
    things = [piece(1), piece(2), piece(3, 0, 30), piece(4, 60, 90), piece(5, 120)]
    kinds = [change.kind for change in gathered(*things, to_s=200) if change.kind != "updated"]
    assert kinds == ["opened"]


def test_the_zone_filling_again_in_time_is_the_same_order() -> None:
    things = [piece(1, 0, 30), piece(2, 0, 30), piece(3), piece(4, 36), piece(5, 36)]
    kinds = [change.kind for change in gathered(*things, to_s=200) if change.kind != "updated"]
    assert kinds == ["opened"]


def test_a_covered_area_opens_too() -> None:
    share = 3 * PIECE_PX / ZONE_PX
    level = Accumulation(area_ratio=share, clear_area_ratio=share / 2)
    rule = replace(LITTER, accumulated=level)
    things = [piece(1), piece(2), piece(3, 0, 40), piece(4, 70, 80)]
    assert told(gathered(*things, to_s=60, rule=rule))[0] == ("opened", 10, 3)
    assert gathered(*things[:2], to_s=60, rule=rule) == []
    kinds = [c.kind for c in gathered(*things, to_s=120, rule=rule) if c.kind != "updated"]
    assert kinds == ["opened"]


@pytest.mark.parametrize(
    ("count", "area", "high", "low"),
    [
        pytest.param(5, 0.0, True, False, id="many"),
        pytest.param(1, 0.2, True, False, id="large"),
        pytest.param(2, 0.01, False, True, id="few and small"),
        pytest.param(2, 0.05, False, False, id="few but not small"),
        pytest.param(3, 0.01, False, False, id="small but not few"),
    ],
)
def test_either_level_opens_and_both_must_be_low_to_clear(
    count: int, area: float, high: bool, low: bool
) -> None:
    level = Accumulation(count=5, clear_count=2, area_ratio=0.1, clear_area_ratio=0.02)
    assert (level.is_high(count, area), level.is_low(count, area)) == (high, low)


def test_out_of_hours_nothing_is_counted_and_what_is_open_stays() -> None:
    hours = TimeWindow(start=clock(8, 0, 0), end=clock(8, 0, 30))
    rule = replace(ROOMY, schedule=Schedule(windows=(hours,)))
    things = [piece(n, 0, 40) for n in (1, 2, 3)]
    engine = ZoneEngine(camera(zone(rule)))
    changes = judge(engine, film(*things, to_s=120))
    assert [change.kind for change in changes] == ["opened"]
    assert len(engine.incidents) == 1
    late = [piece(n, 25) for n in (1, 2, 3)]
    assert gathered(*late, to_s=120, rule=rule) == []


def test_a_time_without_looks_counts_for_nothing() -> None:
    looks = film(*(piece(n) for n in (1, 2, 3)), to_s=60, blind=(5, 35))
    changes = judge(ZoneEngine(camera(zone(ROOMY))), looks)
    assert told(changes) == [("opened", 40, 3)]


def test_pictures_of_another_size_change_nothing() -> None:
    engine = ZoneEngine(camera(zone(ROOMY)))
    things = [piece(n) for n in (1, 2, 3)]
    judge(engine, film(*things, to_s=20))
    (before,) = engine.incidents
    half = [replace(t, box=Box(*(side / 2 for side in t.box.xyxy))) for t in things]
    looks = [replace(one, width_px=500, height_px=250) for one in film(*half, from_s=21, to_s=80)]
    assert judge(engine, looks) == []
    assert engine.incidents[0].box == Box(*(side / 2 for side in before.box.xyxy))


def visited(times: list[tuple[int, int]]) -> list[Thing]:
    """Pieces that come and stay for so long."""
    return [piece(n, comes, comes + stays) for n, (comes, stays) in enumerate(times, 1)]


times = st.tuples(st.integers(0, 30), st.integers(1, 60))
visits = st.lists(times, min_size=3, max_size=6).map(visited)


@FEW
@given(visits, st.sampled_from((1, 2, 5)))
def test_one_order_and_never_before_there_was_too_much_for_the_dwell(
    things: list[Thing], rate: float
) -> None:
    looks = film(*things, to_s=120, rate=rate)
    life = [c for c in judge(ZoneEngine(camera(zone(ROOMY))), looks) if c.kind != "updated"]
    assert [change.kind for change in life] in ([], ["opened", "cleared"])
    for change in life:
        incident = change.incident
        assert (incident.opened_at - incident.started_at).total_seconds() >= ROOMY.dwell_s
        began_s = seconds(incident.started_at)
        # What was taken away counts on for the grace, as if it were hidden.
        there = [t for t in things if t.comes_s <= began_s < t.leaves_s + ROOMY.grace_s]
        assert len(there) >= 3


@FEW
@given(visits, st.sampled_from((2, 5)))
def test_looking_more_often_opens_the_same(things: list[Thing], rate: float) -> None:
    stay = [replace(thing, leaves_s=1e9) for thing in things]
    once, often = (
        [
            change
            for change in judge(
                ZoneEngine(camera(zone(ROOMY))), film(*stay, to_s=100, rate=looks_a_second)
            )
            if change.kind == "opened"
        ]
        for looks_a_second in (1, rate)
    )
    assert often == once


@FEW
@given(visits, st.integers(1, 100))
def test_a_restart_at_any_look_changes_nothing(things: list[Thing], at: int) -> None:
    looks = film(*things, to_s=130)
    straight = judge(ZoneEngine(camera(zone(ROOMY))), looks)
    engine = ZoneEngine(camera(zone(ROOMY)))
    changes = judge(engine, looks[:at])
    engine = ZoneEngine(camera(zone(ROOMY)), engine.state())
    changes += judge(engine, renumbered(looks[at:], at))
    one, other = (
        [(c.kind, c.incident.incident_id, seconds(c.at)) for c in each if c.kind != "updated"]
        for each in (straight, changes)
    )
    assert [item[:2] for item in other] == [item[:2] for item in one]
    for (_, _, at_s), (_, _, same_at_s) in zip(one, other, strict=True):
        assert 0 <= same_at_s - at_s <= SETTLING.total_seconds()
