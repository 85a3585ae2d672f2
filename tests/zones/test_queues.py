"""Queues and lights: who stands because the lane stands, and who is parked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.geometry import Box
from models.parking import QueuePolicy
from models.zone import IllegalParkingRule
from tests.zones.looks import (
    PARKING,
    Thing,
    after,
    camera,
    film,
    judge,
    parked,
    renumbered,
    told,
    zone,
)
from zones.engine import ZoneEngine
from zones.queue import Member, queue_sizes

MINDING = replace(PARKING, queue=QueuePolicy.IGNORE, dwell_s=20)
COUNTING = replace(PARKING, dwell_s=20)
FEW = settings(max_examples=25, deadline=None)
LANE = ((0.1, 0.2), (0.9, 0.2), (0.9, 0.49), (0.1, 0.49))
KERB = ((0.1, 0.5), (0.9, 0.5), (0.9, 0.8), (0.1, 0.8))


def place(number: int, y: float = 200) -> Box:
    """A place in the lane; the next one is 90 px on."""
    return Box(130 + 90 * number, y, 210 + 90 * number, y + 40)


def queueing(
    *leaves_s: float, first_s: float = 10, apart_s: float = 4, y: float = 200
) -> list[Thing]:
    """Vehicles that drive up one after the other, each with the time at which it drives on."""
    return [
        Thing(
            track_id=n + 1,
            box=place(n, y),
            comes_s=first_s + apart_s * n - 3,
            stands_s=first_s + apart_s * n,
            leaves_s=leave_s,
        )
        for n, leave_s in enumerate(leaves_s)
    ]


def later(things: Iterable[Thing]) -> list[Thing]:
    """Other vehicles than those of the queue before."""
    return [replace(thing, track_id=thing.track_id + 20) for thing in things]


def opened_at(
    things: Sequence[Thing], to_s: float = 300, rule: IllegalParkingRule = MINDING
) -> list[float]:
    """When incidents were opened."""
    changes = parked(*things, to_s=to_s, rule=rule)
    return [at_s for kind, at_s in changes if kind == "opened"]


@pytest.mark.parametrize(
    ("things", "expected"),
    [
        pytest.param(queueing(70, 72, 74, 76), [], id="all drive on together"),
        pytest.param(queueing(70, 72, 500), [89], id="the last one stays"),
        pytest.param(queueing(500, 72, 74, 76), [91], id="the first one stays"),
        pytest.param(queueing(70, 70), [30, 34], id="two are neighbours, not a queue"),
        pytest.param(queueing(500, 500, 500, apart_s=40), [30, 70, 110], id="they came one by one"),
        pytest.param(
            [*queueing(500), *later(queueing(0, 150, 152, 154, 156, first_s=100)[1:])],
            [30],
            id="it stood there before the queue came",
        ),
        pytest.param(
            [replace(thing, comes_s=-60, stands_s=-60) for thing in queueing(500, 500, 500)],
            [20, 20, 20],
            id="they stood there when the camera came up",
        ),
        pytest.param(
            [
                *queueing(70, 72, 500),
                *later(queueing(170, 172, 174, 176, first_s=100, y=250)),
            ],
            [89],
            id="the next queue does not excuse who stayed",
        ),
        pytest.param(
            [*queueing(70, 70), replace(queueing(70, 70, 70)[2], box=place(2, 350))],
            [30, 34, 38],
            id="far apart",
        ),
        pytest.param(
            [*queueing(70, 70), replace(queueing(70, 70)[0], track_id=9, label="truck")],
            [30, 34],
            id="one vehicle under two names is one",
        ),
    ],
)  # fmt: skip
def test_a_queue_is_not_parking_and_who_stays_is(
    things: list[Thing], expected: list[float]
) -> None:
    assert opened_at(things) == expected


def test_a_rule_that_counts_queues_takes_them_for_parked() -> None:
    assert opened_at(queueing(70, 72, 74), rule=COUNTING) == [30, 34, 38]


def test_what_stands_for_longer_than_any_queue_is_parked() -> None:
    rule = replace(MINDING, longest_queue_s=60)
    changes = parked(*queueing(500, 500, 500), to_s=200, rule=rule)
    assert changes == [("opened", 90), ("opened", 94), ("opened", 98)]


def test_a_queue_member_that_seems_to_move_for_a_look_does_not_end_the_queue() -> None:
    looks = film(*queueing(90, 92, 94), to_s=200)
    shaken = [
        replace(
            one,
            tracks=tuple(
                replace(t, stationary_since=None) if t.track_id == 3 else t for t in one.tracks
            ),
        )
        if one.at == after(50)
        else one
        for one in looks
    ]
    assert judge(ZoneEngine(camera(zone(MINDING))), shaken) == []


@pytest.mark.parametrize(
    ("queue_zone_id", "expected"),
    [("lane", []), (None, [("opened", 30)])],
    ids=["told", "not told"],
)
def test_a_vehicle_at_the_kerb_queues_with_those_in_the_lane_that_the_rule_names(
    queue_zone_id: str | None, expected: list[tuple[str, float]]
) -> None:
    at_the_kerb = replace(queueing(70, y=240)[0], track_id=9)
    in_the_lane = queueing(70, 72, 74)
    rule = replace(MINDING, queue_zone_id=queue_zone_id)
    street = camera(zone(rule, polygon=KERB), zone(COUNTING, zone_id="lane", polygon=LANE))
    changes = judge(ZoneEngine(street), film(at_the_kerb, *in_the_lane, to_s=69))
    assert told(c for c in changes if c.incident.zone_id == "kerb") == expected


def test_a_restart_keeps_a_queue_a_queue() -> None:
    looks = film(*queueing(90, 92, 94), to_s=140)
    engine = ZoneEngine(camera(zone(MINDING)))
    assert judge(engine, looks[:35]) == []
    engine = ZoneEngine(camera(zone(MINDING)), engine.state())
    assert judge(engine, renumbered(looks[35:], 35)) == []


PASSING = Thing(track_id=7, box=place(3), stands_s=1e9, leaves_s=34)
RED = replace(PARKING, dwell_s=20, longest_red_s=60)


@pytest.mark.parametrize(
    ("things", "expected"),
    [
        pytest.param(queueing(50), [], id="it drives on with the green"),
        pytest.param(queueing(500), [90], id="alone: longest red and dwell"),
        pytest.param(queueing(500, 40), [63], id="another one that stood drove on"),
        pytest.param(
            [*queueing(500), replace(PASSING, comes_s=30)],
            [57],
            id="another one drove through",
        ),
        pytest.param(
            [*queueing(500, first_s=40), PASSING],
            [120],
            id="another one drove through before it stood",
        ),
    ],
)  # fmt: skip
def test_at_lights_the_dwell_runs_from_the_green_or_after_the_longest_red(
    things: list[Thing], expected: list[float]
) -> None:
    moving = [
        replace(t, moves_to=Box(920, 200, 990, 240), is_gone_s=t.leaves_s + 3)
        if t.leaves_s < 400
        else t
        for t in things
    ]
    changes = parked(*moving, to_s=200, rule=RED)
    assert [at_s for kind, at_s in changes if kind == "opened"] == expected


@FEW
@given(st.integers(0, 20), st.integers(0, 10), st.integers(1, 120), st.sampled_from((1, 2)))
def test_a_lone_vehicle_is_judged_as_if_there_were_no_queues(
    comes_s: int, drives_s: int, stays_s: int, rate: int
) -> None:
    stands_s = comes_s + drives_s
    lone = Thing(comes_s=comes_s, stands_s=stands_s, leaves_s=stands_s + stays_s)
    looks = film(lone, to_s=stands_s + stays_s + 20, rate=rate)
    minding, counting = (
        judge(ZoneEngine(camera(zone(rule))), looks) for rule in (MINDING, COUNTING)
    )
    assert minding == counting


@FEW
@given(st.lists(st.tuples(st.integers(0, 40), st.integers(20, 100)), min_size=1, max_size=5))
def test_minding_queues_never_makes_an_incident_that_counting_them_does_not(
    stays: list[tuple[int, int]],
) -> None:
    things = [
        Thing(
            track_id=n + 1,
            box=place(n),
            comes_s=come_s,
            stands_s=come_s + 2,
            leaves_s=come_s + 2 + stay_s,
        )
        for n, (come_s, stay_s) in enumerate(stays)
    ]
    minding, counting = (opened_at(things, to_s=180, rule=rule) for rule in (MINDING, COUNTING))
    assert len(minding) <= len(counting)
    assert all(
        at_s >= first_s for at_s, first_s in zip(sorted(minding), sorted(counting), strict=False)
    )


MEMBERS = st.lists(
    st.builds(
        Member,
        track_id=st.integers(0, 10_000),
        box=st.integers(0, 9).map(place),
        stopped_at=st.integers(0, 120).map(after),
    ),
    unique_by=lambda member: member.track_id,
    max_size=8,
)


@settings(max_examples=100, deadline=None)
@given(MEMBERS)
def test_queues_share_out_the_vehicles_in_whatever_order_they_are_given(
    members: list[Member],
) -> None:
    apart = list({member.box: member for member in members}.values())
    sizes = queue_sizes(apart)
    assert sizes.keys() == {member.track_id for member in apart}
    assert sizes == queue_sizes(apart[::-1])
    assert sum(1 / size for size in sizes.values()) == pytest.approx(
        round(sum(1 / size for size in sizes.values()))
    )
