"""What an officer lets stand: vehicles there before, and vehicles that are being loaded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.geometry import Box
from models.parking import AlreadyThere
from tests.zones.looks import (
    CAR,
    PARKING,
    Thing,
    camera,
    film,
    judge,
    never,
    parked,
    renumbered,
    told,
    zone,
)
from zones.engine import ZoneEngine

IGNORING = replace(PARKING, already_there=AlreadyThere.IGNORE)
LOADING = replace(PARKING, loading_s=60)
FEW = settings(max_examples=25, deadline=None)
AT_THE_CAR = Box(395, 215, 415, 265)
"""Feet at (405, 265): just beside the car."""
ACROSS = Box(600, 215, 620, 265)


@pytest.mark.parametrize(
    ("things", "expected"),
    [
        pytest.param([Thing(comes_s=-600)], [], id="there before, and it stays"),
        pytest.param([Thing(comes_s=0, stands_s=2)], [], id="first seen standing, a little late"),
        pytest.param([Thing(comes_s=7, stands_s=8)], [("opened", 18)], id="it came later"),
        pytest.param(
            [Thing(leaves_s=20), Thing(comes_s=20, stands_s=24, box=Box(310, 200, 410, 260))],
            [("opened", 34)],
            id="it moved up and stands again",
        ),
    ],
)
def test_what_was_there_before_the_camera_is_ignored_until_it_moves(
    things: list[Thing], expected: list[tuple[str, float]]
) -> None:
    assert parked(*things, to_s=60, rule=IGNORING) == expected


@FEW
@given(st.integers(1, 60), st.integers(0, 3))
def test_a_restart_neither_forgets_nor_invents_what_was_there_before(at: int, comes_s: int) -> None:
    for first_s, expected in ((comes_s, []), (comes_s + 8, [("opened", comes_s + 18)])):
        looks = film(Thing(comes_s=first_s), to_s=80)
        engine = ZoneEngine(camera(zone(IGNORING)))
        changes = judge(engine, looks[:at])
        engine = ZoneEngine(camera(zone(IGNORING)), engine.state())
        changes += judge(engine, renumbered(looks[at:], at))
        if at > first_s or expected == []:  # what comes while nobody runs was there before
            assert told(changes) == expected


def loaded(hidden: Callable[[float], bool], person: Box = AT_THE_CAR) -> list[tuple[str, float]]:
    """What a rule that allows loading says of a car with a person, there but for some looks."""
    somebody = Thing(track_id=9, label="person", box=person, hidden=hidden)
    return parked(Thing(), somebody, to_s=100, rule=LOADING)


@pytest.mark.parametrize(
    ("hidden", "person", "expected"),
    [
        pytest.param(never, AT_THE_CAR, 60, id="all the time: the allowance"),
        pytest.param(lambda s: s % 3 > 0, AT_THE_CAR, 60, id="again and again: the allowance"),
        pytest.param(lambda s: s > 0, AT_THE_CAR, 10, id="a driver who gets out"),
        pytest.param(lambda s: s > 3, AT_THE_CAR, 16, id="left standing after a while"),
        pytest.param(never, ACROSS, 10, id="somebody across the street"),
    ],
)
def test_a_vehicle_may_stand_for_longer_while_somebody_works_at_it(
    hidden: Callable[[float], bool], person: Box, expected: float
) -> None:
    assert loaded(hidden, person) == [("opened", expected)]


@FEW
@given(st.sets(st.integers(0, 100)))
def test_loading_delays_an_order_within_the_allowance_and_never_loses_it(
    unseen: set[int],
) -> None:
    ((kind, at_s),) = loaded(lambda s: int(s) in unseen)
    assert kind == "opened"
    assert PARKING.dwell_s <= at_s <= 60


def test_a_rule_without_loading_does_not_mind_people() -> None:
    somebody = Thing(track_id=9, label="person", box=AT_THE_CAR)
    assert parked(Thing(box=CAR), somebody, to_s=30) == [("opened", 10)]


def test_a_restart_keeps_what_loading_has_allowed() -> None:
    somebody = Thing(track_id=9, label="person", box=AT_THE_CAR)
    looks = film(Thing(), somebody, to_s=100)
    engine = ZoneEngine(camera(zone(LOADING)))
    changes = judge(engine, looks[:40])
    engine = ZoneEngine(camera(zone(LOADING)), engine.state())
    changes += judge(engine, renumbered(looks[40:], 40))
    assert told(changes) == [("opened", 60)]
