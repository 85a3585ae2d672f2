"""Every option of every rule: never before its dwell, one for each thing, however looked at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.geometry import Box, Points
from models.incident import IncidentChange
from models.litter import Accumulation
from models.parking import AlreadyThere, QueuePolicy
from models.seeing import Look
from models.zone import Camera, CloserLook, Rule, Schedule, TimeWindow
from tests.zones.looks import (
    DAMAGE,
    LITTER,
    LITTERING,
    PARKING,
    Thing,
    camera,
    film,
    judge,
    renumbered,
    seconds,
    zone,
)
from zones.engine import SETTLING, ZoneEngine

ROW: Points = ((0.1, 0.1), (0.9, 0.1), (0.9, 0.38), (0.1, 0.38))
LANE: Points = ((0.1, 0.4), (0.9, 0.4), (0.9, 0.8), (0.1, 0.8))
MORNING = Schedule(windows=(TimeWindow(days=frozenset(range(7)), start=time(7), end=time(9)),))
RULES: dict[str, Rule] = {
    "parking": PARKING,
    "alert": replace(PARKING, alert_after_s=4),
    "queue": replace(PARKING, queue=QueuePolicy.IGNORE, longest_queue_s=25),
    "queue of another lane": replace(PARKING, queue=QueuePolicy.IGNORE, queue_zone_id="row"),
    "lights": replace(PARKING, longest_red_s=20),
    "already there": replace(PARKING, already_there=AlreadyThere.IGNORE),
    "loading": replace(PARKING, loading_s=20),
    "double parking": replace(PARKING, beside_zone_id="row"),
    "exempt": replace(PARKING, labels=frozenset({"truck", "bus"})),
    "bicycles": replace(PARKING, labels=frozenset({"bicycle", "motorcycle"})),
    "schedule": replace(PARKING, schedule=MORNING),
    "closer look": replace(PARKING, closer_look=CloserLook.REQUIRE),
    "litter": LITTER,
    "two pieces": replace(LITTER, min_count=2),
    "covered area": replace(LITTER, min_area_ratio=0.015),
    "accumulated count": replace(LITTER, accumulated=Accumulation(count=2, clear_count=0)),
    "overflowing bin": replace(LITTER, labels=frozenset({"overflowing_bin"})),
    "unknown object": replace(LITTER, labels=frozenset({"unknown_object"})),
    "littering": LITTERING,
    "damage": DAMAGE,
    "damage in most looks": replace(DAMAGE, min_seen_ratio=0.7),
}
RULE_CLEARS_S = 8
"""``clear_after_s`` of all of them."""
ONE_FOR_THE_ZONE = {name for name, rule in RULES.items() if rule.kind == "litter"}
every_rule = pytest.mark.parametrize("name", RULES)
FEW = settings(max_examples=3, deadline=None)
"""For each of twenty options; every example is a whole film."""
PLACES = tuple(Box(x, 210, x + 90, 270) for x in (120, 260, 400))
IN_ROW = tuple(Box(x, 130, x + 90, 185) for x in (125, 405))
END_S = 75


@dataclass(frozen=True, kw_only=True)
class Street:
    """What a rule may be about, and what else is there."""

    subjects: tuple[Thing, ...]
    others: tuple[Thing, ...]

    def film(self, rate: float = 1) -> list[Look]:
        return film(*self.subjects, *self.others, to_s=END_S, rate=rate)


@st.composite
def streets(draw: st.DrawFn) -> Street:
    """Subjects at three places, each place once; cars in the row beside; somebody on foot."""
    subjects = []
    for number, place in enumerate(PLACES):
        comes_s = draw(st.integers(0, 20))
        stands_s = comes_s + draw(st.integers(0, 4))
        leaves_s = stands_s + draw(st.integers(0, 40))
        subjects.append(
            Thing(
                track_id=number + 1,
                box=place,
                comes_s=comes_s,
                stands_s=stands_s,
                leaves_s=leaves_s,
            )
        )
    row = [
        Thing(track_id=20 + number, box=place, comes_s=0, leaves_s=draw(st.integers(1, 60)))
        for number, place in enumerate(IN_ROW)
    ]
    begins_s = draw(st.integers(0, 40))
    walker = Thing(
        track_id=40, label="person", box=Box(210, 180, 240, 275), comes_s=begins_s,
        stands_s=1e9, leaves_s=begins_s + draw(st.integers(1, 20)),
    )  # fmt: skip
    return Street(subjects=tuple(subjects), others=(*row, walker))


def of_rule(street: Street, rule: Rule) -> Street:
    """The street with things that the rule is about."""
    label = min(rule.labels)
    return replace(street, subjects=tuple(replace(t, label=label) for t in street.subjects))


def watched(rule: Rule, lane: Points = LANE) -> Camera:
    """A lane with the rule, beside a row."""
    return camera(zone(rule, zone_id="lane", polygon=lane), zone(zone_id="row", polygon=ROW))


def run(rule: Rule, looks: Sequence[Look], lane: Points = LANE) -> list[IncidentChange]:
    return judge(ZoneEngine(watched(rule, lane)), looks)


def opened(changes: Sequence[IncidentChange], kind: str = "opened") -> list[tuple[str, float]]:
    return [(c.incident.incident_id, seconds(c.at)) for c in changes if c.kind == kind]


@every_rule
@FEW
@given(streets(), st.sets(st.integers(0, 90), max_size=12), st.sampled_from((1, 2, 5)))
def test_never_before_the_dwell_and_one_for_each_thing(
    name: str, street: Street, unseen: set[int], rate: float
) -> None:
    rule = RULES[name]
    street = of_rule(street, rule)
    hidden = tuple(replace(t, hidden=lambda s: int(s) in unseen) for t in street.subjects)
    changes = run(rule, replace(street, subjects=hidden).film(rate))
    lives = Counter(c.incident.incident_id for c in changes if c.kind == "opened")
    ends = Counter(c.incident.incident_id for c in changes if c.kind == "cleared")
    assert set(lives.values()) <= {1}
    assert all(ends[life] <= 1 for life in ends)
    assert set(ends) <= set(lives)
    for change in changes:
        if change.kind == "opened":
            incident = change.incident
            assert incident.observed_s >= rule.dwell_s
            assert (incident.opened_at - incident.started_at).total_seconds() >= rule.dwell_s
            assert any(t.comes_s <= seconds(incident.started_at) for t in street.subjects)
    if not unseen and name not in ONE_FOR_THE_ZONE:
        places = Counter(c.incident.box for c in changes if c.kind == "opened")
        assert set(places.values()) <= {1}
        assert set(places) <= {thing.box for thing in street.subjects}


@pytest.mark.parametrize("name", [name for name in RULES if name != "littering"])
@FEW
@given(streets(), st.sampled_from((2, 4)))
def test_looking_more_often_tells_the_same(name: str, street: Street, rate: float) -> None:
    rule = RULES[name]
    street = of_rule(street, rule)
    seldom, often = run(rule, street.film()), run(rule, street.film(rate))
    for kind in ("opened", "alerted"):
        once, again = dict(opened(seldom, kind)), dict(opened(often, kind))
        # When an excuse ends, or a thing leaves, is known to a look: what is just reached then may
        # be told by one and not by the other.
        for changes, at_s in ((seldom, once), (often, again)):
            brief = set(at_s) - (set(once) & set(again))
            assert all(_ends_within_a_look(changes, life, at_s[life]) for life in brief)
        assert all(abs(once[life] - again[life]) < 1 for life in set(once) & set(again))


def _ends_within_a_look(changes: Sequence[IncidentChange], life: str, at_s: float) -> bool:
    own = [c.incident for c in changes if c.incident.incident_id == life]
    ends_s = [seconds(each.cleared_at) - RULE_CLEARS_S for each in own if each.cleared_at]
    return min(ends_s, default=float(END_S)) - at_s <= 1


@every_rule
@FEW
@given(streets(), st.integers(0, 3), st.booleans())
def test_how_the_polygon_is_written_changes_nothing(
    name: str, street: Street, turn: int, backwards: bool
) -> None:
    rule = RULES[name]
    looks = of_rule(street, rule).film()
    written = (*LANE[turn:], *LANE[:turn])
    assert run(rule, looks, written[::-1] if backwards else written) == run(rule, looks)


# What was there already when a restart found it is for test_allowances.py to say.
@pytest.mark.parametrize("name", [name for name in RULES if name != "already there"])
@FEW
@given(streets(), st.integers(1, END_S))
def test_a_restart_at_any_look_neither_repeats_nor_loses_an_incident(
    name: str, street: Street, at: int
) -> None:
    rule = RULES[name]
    street = of_rule(street, rule)
    if name in ONE_FOR_THE_ZONE:  # what comes meanwhile may join an incident that is ended later
        street = replace(street, subjects=tuple(replace(t, leaves_s=1e9) for t in street.subjects))
    if name == "queue":
        street, at = _known_as_queue(street, at)
    looks = street.film()
    straight = run(rule, looks)
    engine = ZoneEngine(watched(rule))
    first = judge(engine, looks[:at])
    second = judge(ZoneEngine(watched(rule), engine.state()), renumbered(looks[at:], at))
    for kind in ("opened", "alerted"):
        assert opened([*first, *second], kind) == opened(straight, kind)
    cleared = dict(opened(straight, "cleared"))
    again = dict(opened([*first, *second], "cleared"))
    assert set(again) == set(cleared)
    # A fresh tracker is given some time to find things again: an end may be noticed later.
    assert all(0 <= again[life] - cleared[life] <= SETTLING.total_seconds() for life in cleared)


def _known_as_queue(street: Street, restart_s: int) -> tuple[Street, int]:
    """Who stands as a fresh tracker first sees it may have parked for days: it was seen to stop.

    And a queue that moves off before it was known again was none.
    """
    while any(t.comes_s <= restart_s <= (t.stands_s or t.comes_s) + 2 for t in street.subjects):
        restart_s += 1
    known_s = restart_s + SETTLING.total_seconds()
    subjects = (
        replace(t, leaves_s=1e9) if restart_s <= t.leaves_s <= known_s else t
        for t in street.subjects
    )
    return replace(street, subjects=tuple(subjects)), restart_s


def test_all_options_find_something() -> None:
    """Else nothing above would say anything."""
    street = Street(
        subjects=tuple(
            Thing(track_id=n, box=box, comes_s=4 + 20 * (n == 2)) for n, box in enumerate(PLACES, 1)
        ),
        others=(
            Thing(track_id=20, box=IN_ROW[0]),
            Thing(
                track_id=40, label="person", box=Box(210, 180, 240, 275), comes_s=0,
                stands_s=1e9, leaves_s=50,
            ),
        ),
    )  # fmt: skip
    silent = [
        name for name, rule in RULES.items() if not opened(run(rule, of_rule(street, rule).film()))
    ]
    assert silent == []
