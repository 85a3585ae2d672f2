"""What holds for any street: incidents do not depend on how it is looked at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from models.geometry import Box, Points
from models.incident import IncidentChange
from models.zone import Rule, Zone
from tests.zones.looks import (
    DAMAGE,
    HEIGHT_PX,
    LITTER,
    PARKING,
    WIDTH_PX,
    Thing,
    camera,
    film,
    judge,
    renumbered,
    seconds,
    told,
    zone,
)
from zones.engine import SETTLING, ZoneEngine

LAST_ARRIVAL_S = 60
APART_S = 25
"""Visits of one place are further apart than what ends an incident, even after a restart."""
INSIDE = tuple(Box(x, 200, x + 60, 240) for x in (150, 260, 370))
OUTSIDE = (Box(150, 20, 210, 60), Box(300, 430, 360, 470), Box(920, 200, 980, 240))
CORNERS: tuple[Points, ...] = (
    ((0.1, 0.2), (0.9, 0.2), (0.9, 0.8), (0.1, 0.8)),
    ((0.1, 0.2), (0.5, 0.3), (0.9, 0.2), (0.9, 0.8), (0.5, 0.7), (0.1, 0.8)),
)
FEW = settings(max_examples=40, deadline=None)
"""Every example runs whole films, so few of them; time limits would only tell of a busy machine."""
RULES = st.sampled_from((PARKING, LITTER, DAMAGE))


@st.composite
def streets(draw: st.DrawFn, places: Sequence[Box] = INSIDE) -> list[Thing]:
    """Things that come to places, stand there or not, and leave; whole seconds."""
    things: list[Thing] = []
    for place in places:
        comes_s = draw(st.integers(0, 30))
        while comes_s < LAST_ARRIVAL_S and len(things) < 5:
            stands_s = comes_s + draw(st.integers(0, 5))
            leaves_s = stands_s + draw(st.integers(0, 30))
            things.append(
                Thing(
                    track_id=len(things) + 1,
                    label="car",
                    box=place,
                    comes_s=comes_s,
                    stands_s=stands_s,
                    leaves_s=leaves_s,
                )
            )
            comes_s = leaves_s + draw(st.integers(APART_S, 60))
    return things


def labelled(things: Sequence[Thing], rule: Rule) -> list[Thing]:
    """The same things as the rule wants them."""
    return [replace(thing, label=min(rule.labels)) for thing in things]


def end_s(things: Sequence[Thing]) -> int:
    """When all is long over, even after a restart."""
    return int(max((thing.leaves_s for thing in things), default=0)) + APART_S


def run(rule: Rule, things: Sequence[Thing], rate: float = 1) -> list[IncidentChange]:
    """What a rule says of a street until all is over."""
    looks = film(*things, to_s=end_s(things), rate=rate)
    return judge(ZoneEngine(camera(zone(rule))), looks)


def openings(changes: Sequence[IncidentChange]) -> list[tuple[Box, float, float]]:
    """Where incidents were opened, when, and since when."""
    return sorted(
        (
            (c.incident.box, seconds(c.at), seconds(c.incident.started_at))
            for c in changes
            if c.kind == "opened"
        ),
        key=lambda item: (item[1], item[0].x1),
    )


def ids(changes: Sequence[IncidentChange], kind: str) -> list[str]:
    """Ids of the incidents of the changes of one kind."""
    return [change.incident.incident_id for change in changes if change.kind == kind]


def clearings(changes: Sequence[IncidentChange]) -> list[tuple[Box, float]]:
    """Where incidents were cleared, and when."""
    return sorted(
        ((c.incident.box, seconds(c.at)) for c in changes if c.kind == "cleared"),
        key=lambda item: (item[0].x1, item[1]),
    )


@FEW
@given(streets())
def test_each_vehicle_that_stands_for_the_dwell_is_one_incident_and_no_other(
    things: list[Thing],
) -> None:
    expected = sorted(
        (
            (thing.box, thing.stands_s + PARKING.dwell_s, thing.stands_s)
            for thing in things
            if thing.stands_s is not None and thing.stands_s + PARKING.dwell_s < thing.leaves_s
        ),
        key=lambda item: (item[1], item[0].x1),
    )
    assert openings(run(PARKING, things)) == expected


@FEW
@given(RULES, streets(), st.sets(st.integers(0, 100)), st.sampled_from((1, 2, 5)))
def test_no_incident_before_its_dwell_and_its_life_has_one_beginning_and_one_end(
    rule: Rule, things: list[Thing], unseen: set[int], rate: float
) -> None:
    flickering = [replace(t, hidden=lambda s: int(s) in unseen) for t in labelled(things, rule)]
    life: dict[str, list[str]] = {}
    for change in run(rule, flickering, rate=rate):
        incident = change.incident
        life.setdefault(incident.incident_id, []).append(change.kind)
        assert incident.observed_s >= rule.dwell_s
        assert (incident.opened_at - incident.started_at).total_seconds() >= rule.dwell_s
        assert (incident.cleared_at == change.at) is (change.kind == "cleared")
    for kinds in life.values():
        assert kinds[0] == "opened"
        counts = Counter(kinds)
        assert counts["opened"] == 1
        assert counts["cleared"] == 0 or (counts["cleared"] == 1 and kinds[-1] == "cleared")


@FEW
@given(st.integers(12, 600), st.sampled_from((1, 2, 5)))
def test_one_opening_however_long_it_stays(stay_s: int, rate: float) -> None:
    engine = ZoneEngine(camera(zone(PARKING)))
    changes = judge(engine, film(Thing(leaves_s=stay_s), to_s=stay_s + 20, rate=rate))
    assert [kind for kind, _ in told(changes)] == ["opened", "cleared"]


@FEW
@given(RULES, streets(OUTSIDE), st.sampled_from(CORNERS))
def test_what_is_not_in_the_zone_never_yields(
    rule: Rule, things: list[Thing], corners: Points
) -> None:
    engine = ZoneEngine(camera(zone(rule, polygon=corners)))
    assert judge(engine, film(*labelled(things, rule), to_s=end_s(things))) == []


@FEW
@given(RULES, streets(), st.sampled_from((2, 5)))
def test_looking_more_often_changes_nothing(rule: Rule, things: list[Thing], rate: float) -> None:
    things = labelled(things, rule)
    seldom, often = run(rule, things), run(rule, things, rate)
    assert openings(often) == openings(seldom)
    # Only how exactly it is known when something left depends on the cadence.
    for (box, at_s), (same_box, same_at_s) in zip(clearings(seldom), clearings(often), strict=True):
        assert box == same_box
        assert 0 <= same_at_s - at_s < 1


@FEW
@given(
    st.sampled_from((PARKING, DAMAGE)),
    streets(),
    st.sampled_from((2, 5)),
    st.integers(0, 60),
    st.integers(0, 60),
)
def test_nor_does_it_with_a_time_in_which_nobody_could_look(
    rule: Rule, things: list[Thing], rate: float, blind_s: int, long_s: int
) -> None:
    once = list({thing.box: thing for thing in labelled(things, rule)}.values())
    seldom, often = (
        judge(
            ZoneEngine(camera(zone(rule))),
            film(*once, to_s=end_s(once), rate=looks_a_second, blind=(blind_s, blind_s + long_s)),
        )
        for looks_a_second in (1, rate)
    )
    assert openings(often) == openings(seldom)


@FEW
@given(RULES, streets(), st.sampled_from(CORNERS), st.integers(0, 5), st.booleans(), st.booleans())
def test_how_a_polygon_is_written_changes_nothing(
    rule: Rule, things: list[Thing], corners: Points, turn: int, backwards: bool, other: bool
) -> None:
    written = corners[turn % len(corners) :] + corners[: turn % len(corners)]
    if backwards:
        written = written[::-1]
    resolution = (1920, 1080) if other else (WIDTH_PX, HEIGHT_PX)
    in_pixels = Zone(
        zone_id="kerb",
        name="kerb",
        polygon=tuple((x * resolution[0], y * resolution[1]) for x, y in written),
        in_pixels=True,
        rules=(rule,),
    )
    looks = film(*labelled(things, rule), to_s=end_s(things))
    as_ratios = judge(ZoneEngine(camera(zone(rule, polygon=corners))), looks)
    as_pixels = judge(ZoneEngine(camera(in_pixels, resolution=resolution)), looks)
    assert as_pixels == as_ratios


@FEW
@given(RULES, streets(), st.integers(1, 100))
def test_a_restart_at_any_look_changes_nothing(rule: Rule, things: list[Thing], at: int) -> None:
    if rule is LITTER:  # what comes to another place meanwhile may join an incident ended later
        things = [thing for thing in things if thing.box == things[0].box]
    looks = film(*labelled(things, rule), to_s=end_s(things))
    straight = judge(ZoneEngine(camera(zone(rule))), looks)
    engine = ZoneEngine(camera(zone(rule)))
    changes = judge(engine, looks[:at])
    engine = ZoneEngine(camera(zone(rule)), engine.state())
    changes += judge(engine, renumbered(looks[at:], at))
    assert sorted(ids(changes, "opened")) == sorted(ids(straight, "opened"))
    assert openings(changes) == openings(straight)
    assert sorted(ids(changes, "cleared")) == sorted(ids(straight, "cleared"))
    # A fresh tracker is given some time to find things again: an end may be noticed later.
    for (box, at_s), (same_box, same_at_s) in zip(
        clearings(straight), clearings(changes), strict=True
    ):
        assert box == same_box
        assert 0 <= same_at_s - at_s <= SETTLING.total_seconds()


@FEW
@given(RULES, streets())
def test_a_restart_at_every_look_neither_repeats_nor_delays_an_incident(
    rule: Rule, things: list[Thing]
) -> None:
    stay = {thing.box: replace(thing, leaves_s=1e9) for thing in labelled(things, rule)}
    looks = film(*stay.values(), to_s=end_s(things))
    straight = judge(ZoneEngine(camera(zone(rule))), looks)
    changes: list[IncidentChange] = []
    state: str | None = None
    for number, one in enumerate(looks):
        engine = ZoneEngine(camera(zone(rule)), state)
        changes += judge(engine, renumbered([one], number))
        state = engine.state()
    assert sorted(ids(changes, "opened")) == sorted(ids(straight, "opened"))
    assert openings(changes) == openings(straight)
