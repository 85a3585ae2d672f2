"""Littering: dropped while somebody was there, and left lying."""

from __future__ import annotations

from dataclasses import replace
from datetime import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.geometry import Box
from models.incident import IncidentChange
from models.seeing import Look
from models.zone import LitteringRule, Schedule, TimeWindow
from tests.zones.looks import (
    BAG,
    HEIGHT_PX,
    LITTERING,
    WIDTH_PX,
    Thing,
    after,
    camera,
    film,
    judge,
    look,
    renumbered,
    seconds,
    told,
    zone,
)
from zones.engine import SETTLING, ZoneEngine

DROPPED_S, LEFT_S = 10, 14
STAYS_S = 1e9
FEW = settings(max_examples=40, deadline=None)


def person(
    *, comes_s: float = 0, leaves_s: float = LEFT_S, x: float = 480, number: int = 7
) -> Thing:
    """Somebody 100 px tall who walks: never still. The feet are beside the bag."""
    box = Box(x, 215, x + 35, 315)
    return Thing(
        track_id=number, label="person", box=box, comes_s=comes_s, stands_s=STAYS_S,
        leaves_s=leaves_s,
    )  # fmt: skip


def bag(*, comes_s: float = DROPPED_S, **how: object) -> Thing:
    """Something that lies there from then on."""
    thing = Thing(track_id=1, label="litter", box=BAG, comes_s=comes_s)
    return replace(thing, **how)  # type: ignore[arg-type]


def littered(
    *things: Thing, to_s: float = 60, rule: LitteringRule = LITTERING, rate: float = 1
) -> list[IncidentChange]:
    """What the rule says of a film."""
    return judge(ZoneEngine(camera(zone(rule))), film(*things, to_s=to_s, rate=rate))


def test_who_drops_something_and_leaves_gives_an_order_at_once() -> None:
    changes = littered(bag(leaves_s=40), person())
    # Last seen there at 13 s, and three seconds later it has lain alone for the dwell.
    assert told(changes) == [("opened", 16), ("cleared", 47)]
    incident = changes[0].incident
    assert (incident.kind, incident.category, incident.label) == (
        "littering",
        "littering",
        "litter",
    )
    assert (incident.started_at, incident.box) == (after(DROPPED_S), BAG)


@pytest.mark.parametrize(
    "things",
    [
        pytest.param((bag(),), id="nobody was there"),
        pytest.param((bag(comes_s=0), person(comes_s=5)), id="it lay there when we came"),
        pytest.param((bag(), person(x=700)), id="somebody far from it"),
        pytest.param((bag(), person(leaves_s=1e9)), id="somebody stays with it"),
        pytest.param((bag(leaves_s=15), person()), id="taken along"),
        pytest.param((bag(), person(comes_s=11)), id="somebody comes upon it"),
        pytest.param((bag(comes_s=30), person()), id="long after somebody passed"),
        pytest.param((bag(confidence=0.2), person()), id="never sure"),
        pytest.param((bag(box=Box(20, 300, 40, 320)), person(x=20)), id="outside the zone"),
        pytest.param((bag(stands_s=STAYS_S), person()), id="carried"),
        pytest.param((bag(hidden=lambda s: s % 3 != 0), person()), id="seen too seldom"),
        pytest.param(
            (bag(hidden=lambda s: s >= 12), person()), id="a flicker of two looks"
        ),
    ],
)  # fmt: skip
def test_what_nobody_was_seen_to_drop_and_leave_is_no_littering(things: tuple[Thing, ...]) -> None:
    assert littered(*things) == []


def test_old_litter_that_is_found_again_while_somebody_passes_is_not_theirs() -> None:
    seldom_seen = bag(comes_s=0, hidden=lambda s: 5 <= s < 40)
    passing = person(comes_s=38, leaves_s=43)
    assert littered(seldom_seen, passing, to_s=90) == []


def test_what_is_dropped_where_old_litter_was_taken_away_counts_again() -> None:
    old = bag(comes_s=0, leaves_s=10)
    new = bag(comes_s=100, track_id=2)
    changes = littered(old, new, person(comes_s=96, leaves_s=103), to_s=130)
    assert told(changes) == [("opened", 105)]


def test_known_litter_that_is_kicked_away_is_known_litter() -> None:
    lying = bag(comes_s=0, leaves_s=20)
    kicked = bag(comes_s=20, stands_s=22, box=Box(540, 300, 560, 320))
    assert littered(lying, kicked, person(comes_s=18, leaves_s=24)) == []


def test_what_a_vehicle_uncovers_was_dropped_by_nobody_knows_whom() -> None:
    van = Thing(track_id=3, label="truck", box=Box(450, 200, 600, 330), leaves_s=10)
    assert littered(bag(), person(), van) == []


def test_after_a_time_without_looks_what_lies_there_is_old() -> None:
    looks = film(bag(comes_s=12), person(comes_s=8, leaves_s=30), to_s=60, blind=(5, 15))
    assert judge(ZoneEngine(camera(zone(LITTERING))), looks) == []


def test_an_empty_street_counts_as_watched() -> None:
    assert told(littered(bag(comes_s=20), person(comes_s=19, leaves_s=22))) == [("opened", 24)]


def test_what_was_dropped_before_the_schedule_began_is_old() -> None:
    nights = TimeWindow(start=time(8, 0, 12), end=time(20, 0))
    rule = replace(LITTERING, schedule=Schedule(windows=(nights,)))
    assert littered(bag(), person(leaves_s=20), rule=rule) == []


def test_each_thing_is_one_incident() -> None:
    two = bag(comes_s=11, track_id=2, box=Box(530, 300, 550, 320))
    changes = littered(bag(), two, person(), to_s=200)
    assert told(changes) == [("opened", 16), ("opened", 16)]
    assert len({change.incident.incident_id for change in changes}) == 2


def test_a_longer_dwell_gives_time_to_come_back() -> None:
    patient = replace(LITTERING, dwell_s=20)
    back = person(comes_s=25, leaves_s=28, number=8)
    assert littered(bag(leaves_s=27), person(), back, rule=patient) == []
    assert told(littered(bag(), person(), rule=patient)) == [("opened", 33)]


def test_the_state_holds_persons_for_seconds_only() -> None:
    engine = ZoneEngine(camera(zone(LITTERING)))
    judge(engine, film(bag(), person(), to_s=15))
    assert "passers" in engine.state()
    assert ZoneEngine(camera(zone(LITTERING)), engine.state()).state() == engine.state()
    judge(engine, film(bag(), person(), from_s=16, to_s=30))
    assert '"passers":[]' in engine.state()


def test_pictures_of_another_size_forget_who_was_there_and_keep_what_lies_there() -> None:
    engine = ZoneEngine(camera(zone(LITTERING)))
    judge(engine, film(bag(), person(), to_s=12))
    half = Box(*(side / 2 for side in BAG.xyxy))
    smaller = [
        look(
            one, bag(box=half).track(one, one), width_px=WIDTH_PX // 2, height_px=HEIGHT_PX // 2
        )
        for one in range(13, 30)
    ]  # fmt: skip
    assert [kind for kind, _ in told(judge(engine, smaller))] == ["opened"]


def parts(
    comes_s: int, drops_s: int, stays_s: int, lies_s: int, *, stands: bool = False
) -> tuple[Thing, ...]:
    """Somebody comes, drops something, stays a while and leaves; it lies for a while."""
    dropped_s = comes_s + drops_s
    walker = person(comes_s=comes_s, leaves_s=dropped_s + stays_s)
    walker = replace(walker, stands_s=None if stands else walker.stands_s)
    return walker, bag(comes_s=dropped_s, leaves_s=dropped_s + lies_s)


streets = st.builds(
    parts, st.integers(0, 40), st.integers(0, 12), st.integers(0, 12), st.integers(0, 40),
    stands=st.booleans(),
)  # fmt: skip


@FEW
@given(streets, st.sets(st.integers(0, 80)), st.sampled_from((1, 2, 5)))
def test_no_incident_before_it_lay_alone_for_the_dwell_and_one_for_each_thing(
    things: tuple[Thing, ...], unseen: set[int], rate: float
) -> None:
    walker, thing = things
    flickering = replace(thing, hidden=lambda s: int(s) in unseen)
    opened = [c for c in littered(walker, flickering, to_s=110, rate=rate) if c.kind == "opened"]
    assert len(opened) <= 1 + len(unseen)
    for change in opened:
        alone_s = seconds(change.at) - (walker.leaves_s - 1 / rate)
        assert round(alone_s, 6) >= LITTERING.dwell_s
        assert change.incident.observed_s >= LITTERING.dwell_s
        assert seconds(change.incident.started_at) >= thing.comes_s


@FEW
@given(streets, st.sampled_from((1, 2, 5)))
def test_one_thing_is_one_incident_whoever_passes_later(
    things: tuple[Thing, ...], rate: float
) -> None:
    later = person(comes_s=things[0].leaves_s + 8, leaves_s=1e9, number=8)
    changes = littered(*things, later, to_s=110, rate=rate)
    assert len(opened_of(changes)) <= 1


@FEW
@given(streets, st.sampled_from((2, 5)))
def test_looking_more_often_finds_the_same(things: tuple[Thing, ...], rate: float) -> None:
    once = [c for c in littered(*things, to_s=110) if c.kind == "opened"]
    often = [c for c in littered(*things, to_s=110, rate=rate) if c.kind == "opened"]
    # When somebody left is known to a look: a thing that is soon taken away may be missed.
    gone_s = things[1].leaves_s
    if gone_s - things[0].leaves_s > LITTERING.dwell_s + 1:
        assert [c.incident.incident_id for c in often] == [c.incident.incident_id for c in once]
    for one, other in zip(once, often, strict=False):
        assert abs((one.at - other.at).total_seconds()) < 1


@FEW
@given(streets, st.integers(1, 100))
def test_a_restart_at_any_look_changes_nothing(things: tuple[Thing, ...], at: int) -> None:
    looks = film(*things, to_s=110)
    straight = judge(ZoneEngine(camera(zone(LITTERING))), looks)
    engine = ZoneEngine(camera(zone(LITTERING)))
    first = judge(engine, looks[:at])
    engine = ZoneEngine(camera(zone(LITTERING)), engine.state())
    second = judge(engine, renumbered(looks[at:], at))
    assert opened_of([*first, *second]) == opened_of(straight)
    ends = [c.at for c in (*first, *second) if c.kind == "cleared"]
    for one, other in zip([c.at for c in straight if c.kind == "cleared"], ends, strict=True):
        assert 0 <= (other - one).total_seconds() <= SETTLING.total_seconds()


@FEW
@given(streets)
def test_nor_does_one_at_every_look(things: tuple[Thing, ...]) -> None:
    walker, thing = things
    looks = film(walker, replace(thing, leaves_s=1e9), to_s=80)
    straight = judge(ZoneEngine(camera(zone(LITTERING))), looks)
    state: str | None = None
    changes: list[IncidentChange] = []
    for number, one in enumerate(looks):
        engine = ZoneEngine(camera(zone(LITTERING)), state)
        changes += judge(engine, renumbered([one], number))
        state = engine.state()
    assert opened_of(changes) == opened_of(straight)


def opened_of(changes: list[IncidentChange]) -> list[tuple[str, float]]:
    """Ids and times of what was opened."""
    return [(c.incident.incident_id, seconds(c.at)) for c in changes if c.kind == "opened"]


def crowd(size: int) -> list[Look]:
    """A minute of a square full of people around a bag."""
    people = [person(leaves_s=1e9, x=110 + 12 * n, number=100 + n) for n in range(size)]
    return film(bag(), *people, to_s=60)


def test_a_crowd_makes_no_large_state() -> None:
    engine = ZoneEngine(camera(zone(LITTERING)))
    assert judge(engine, crowd(60)) == []
    assert len(engine.state()) < 60_000
