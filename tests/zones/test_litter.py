"""Litter: one incident for a zone, however many pieces, known by where they lie."""

from __future__ import annotations

from dataclasses import replace

import pytest

from models.geometry import Box
from models.incident import IncidentChange
from models.zone import LitterRule
from tests.zones.looks import (
    BAG,
    LITTER,
    Thing,
    after,
    camera,
    film,
    judge,
    look,
    seconds,
    told,
    zone,
)
from zones.engine import ZoneEngine
from zones.incidents import REPORT_EVERY_S


def bag(number: int = 1, **how: object) -> Thing:
    """A bag, each number at its own place."""
    left = 200.0 + 60 * number
    base = Thing(track_id=number, label="litter", box=Box(left, 300, left + 20, 320))
    return replace(base, **how)  # type: ignore[arg-type]


def littered(*things: Thing, to_s: float, rule: LitterRule = LITTER) -> list[IncidentChange]:
    """What a litter rule says of a film at one look a second."""
    return judge(ZoneEngine(camera(zone(rule))), film(*things, to_s=to_s))


def test_a_bag_left_for_the_dwell_is_one_incident_that_ends_when_it_is_taken_away() -> None:
    changes = littered(bag(comes_s=3, leaves_s=40), to_s=60)
    assert told(changes) == [("opened", 13), ("cleared", 47)]
    incident = changes[0].incident
    assert (incident.label, incident.object_count, incident.observed_s) == ("litter", 1, 10)
    assert incident.started_at == after(3)
    assert changes[1].incident.observed_s == 36
    assert changes[1].incident.incident_id == incident.incident_id


def test_several_pieces_are_one_incident_with_their_number_and_the_box_around_them() -> None:
    pile = bag(3, label="garbage_pile", confidence=0.9)
    (change,) = littered(bag(1), bag(2), pile, to_s=30)
    assert change.incident.object_count == 3
    assert change.incident.box == Box(260, 300, 400, 320)
    assert (change.incident.label, change.incident.confidence) == ("garbage_pile", 0.9)


@pytest.mark.parametrize(
    ("rule", "opens"),
    [
        pytest.param(replace(LITTER, min_count=2), True, id="as many as needed"),
        pytest.param(replace(LITTER, min_count=3), False, id="too few"),
        # two bags of 20 by 20 px in a zone of 800 by 300 px
        pytest.param(replace(LITTER, min_area_ratio=800 / 240_000), True, id="as large as needed"),
        pytest.param(replace(LITTER, min_area_ratio=900 / 240_000), False, id="too small"),
        pytest.param(
            replace(LITTER, min_count=2, min_area_ratio=0.1), False, id="enough but too small"
        ),
        pytest.param(
            replace(LITTER, min_count=3, min_area_ratio=0.001), False, id="large but too few"
        ),
    ],
)
def test_number_and_share_of_the_zone_are_both_needed(rule: LitterRule, opens: bool) -> None:
    changes = littered(bag(1), bag(2), to_s=60, rule=rule)
    assert told(changes) == ([("opened", 10)] if opens else [])


def test_every_piece_needs_its_own_dwell_to_count() -> None:
    rule = replace(LITTER, min_count=2)
    assert told(littered(bag(1), bag(2, comes_s=20), to_s=60, rule=rule)) == [("opened", 30)]


def test_a_piece_that_comes_later_is_an_update_once_it_has_its_dwell() -> None:
    changes = littered(bag(1), bag(2, comes_s=20), to_s=60)
    assert [(c.kind, seconds(c.at), c.incident.object_count) for c in changes] == [
        ("opened", 10, 1),
        ("updated", 30, 2),
    ]


def test_a_piece_taken_away_is_an_update_and_the_incident_ends_with_the_last() -> None:
    rule = replace(LITTER, min_count=2)
    changes = littered(bag(1, leaves_s=20), bag(2, leaves_s=40), to_s=80, rule=rule)
    assert [(c.kind, seconds(c.at), c.incident.object_count) for c in changes] == [
        ("opened", 10, 2),
        ("updated", 27, 1),
        ("cleared", 47, 1),
    ]


def test_pieces_that_flicker_in_turn_change_nothing() -> None:
    flickering = [bag(n, hidden=lambda s, n=n: int(s) % 3 == n % 3) for n in (1, 2, 3)]
    changes = littered(*flickering, to_s=120, rule=replace(LITTER, min_count=3))
    assert [c.kind for c in changes] == ["opened"]
    assert changes[0].incident.object_count == 3


def test_new_track_ids_at_the_same_place_are_the_same_piece() -> None:
    looks = [
        look(s, Thing(track_id=s, label="litter", box=jittered(s), comes_s=0).track(s, s))
        for s in range(60)
    ]
    changes = judge(ZoneEngine(camera(zone(LITTER))), looks)
    assert [(c.kind, seconds(c.at)) for c in changes] == [("opened", 10)]
    assert changes[0].incident.object_count == 1


def jittered(n: int) -> Box:
    """The bag's box, off by a few pixels."""
    dx, dy = (n * 7) % 5 - 2, (n * 3) % 5 - 2
    return Box(BAG.x1 + dx, BAG.y1 + dy, BAG.x2 + dx, BAG.y2 + dy)


def test_a_piece_seen_too_seldom_does_not_count() -> None:
    rule = replace(LITTER, min_seen_ratio=0.6)
    assert littered(bag(hidden=lambda s: int(s) % 2 == 1), to_s=60, rule=rule) == []


def test_one_thing_under_two_labels_is_one_piece() -> None:
    double = replace(bag(1), track_id=9, label="garbage_pile", confidence=0.6)
    (change,) = littered(bag(1), double, to_s=30)
    assert change.incident.object_count == 1


@pytest.mark.parametrize(
    "thing",
    [
        pytest.param(bag(stands_s=1e9), id="carried"),
        pytest.param(bag(box=Box(500, 420, 520, 440)), id="outside the zone"),
        pytest.param(bag(box=Box(500, 390, 520, 410)), id="bottom outside the zone"),
        pytest.param(bag(confidence=0.2), id="unsure"),
        pytest.param(bag(label="car"), id="no litter"),
        pytest.param(bag(leaves_s=10), id="taken away in time"),
    ],
)
def test_what_is_no_litter_in_the_zone_gives_nothing(thing: Thing) -> None:
    assert littered(thing, to_s=60) == []


def test_a_bag_counts_from_when_it_was_put_down_not_from_when_it_was_carried_in() -> None:
    assert told(littered(bag(stands_s=6), to_s=30)) == [("opened", 16)]


def test_a_bag_carried_on_before_its_dwell_starts_anew_where_it_is_put_down() -> None:
    carried = Thing(track_id=1, label="litter", box=Box(600, 300, 620, 320), comes_s=8, stands_s=12)
    assert told(littered(bag(1, leaves_s=8), carried, to_s=40)) == [("opened", 22)]


def test_a_reported_bag_that_the_wind_moves_is_the_same_incident() -> None:
    moved = Thing(track_id=1, label="litter", box=Box(600, 300, 620, 320), comes_s=20, stands_s=22)
    engine = ZoneEngine(camera(zone(LITTER)))
    changes = judge(engine, film(bag(1, leaves_s=20), moved, to_s=60))
    assert told(changes) == [("opened", 10)]
    assert engine.incidents[0].box == moved.box


def test_new_litter_after_the_zone_was_cleaned_is_a_new_incident() -> None:
    changes = littered(bag(1, leaves_s=20), bag(2, comes_s=40), to_s=80)
    assert told(changes) == [("opened", 10), ("cleared", 27), ("opened", 50)]
    assert changes[0].incident.incident_id != changes[2].incident.incident_id


def test_a_person_in_front_does_not_make_litter_vanish() -> None:
    hidden = bag(1, hidden=lambda s: 20 <= s < 50)
    person = Thing(track_id=7, label="person", box=Box(240, 200, 300, 340), comes_s=20, leaves_s=50)
    assert told(littered(hidden, person, to_s=90)) == [("opened", 10)]


def test_a_person_behind_it_hides_nothing() -> None:
    gone = bag(1, leaves_s=20)
    person = Thing(track_id=7, label="person", box=Box(240, 200, 300, 315), comes_s=20)
    assert told(littered(gone, person, to_s=60)) == [("opened", 10), ("cleared", 27)]


def test_an_incident_that_persists_is_reported_again_now_and_then() -> None:
    changes = littered(bag(), to_s=10 + REPORT_EVERY_S)
    assert [(c.kind, seconds(c.at)) for c in changes] == [
        ("opened", 10),
        ("updated", 10 + REPORT_EVERY_S),
    ]
