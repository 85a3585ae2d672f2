"""Illegal parking: who gets an incident, when, how often, and when it ends."""

from __future__ import annotations

from dataclasses import replace

import pytest

from models.geometry import Box
from models.incident import ChangeKind
from models.seeing import Look
from tests.zones.looks import (
    CAR,
    PARKING,
    Thing,
    after,
    camera,
    film,
    judge,
    look,
    parked,
    renumbered,
    seconds,
    told,
    zone,
)
from zones.engine import ZoneEngine
from zones.incidents import REPORT_EVERY_S

FAR_AWAY = Box(920, 420, 990, 480)


def test_a_vehicle_that_stands_for_the_dwell_gets_one_incident_that_ends_after_it_left() -> None:
    assert parked(Thing(comes_s=5, leaves_s=40), to_s=100) == [("opened", 15), ("cleared", 47)]


def test_an_incident_says_what_was_seen() -> None:
    engine = ZoneEngine(camera(zone(PARKING)))
    car = Thing(comes_s=5, confidence=lambda s: 0.9 if s == 7 else 0.6)
    (change,) = judge(engine, film(car, to_s=20))
    incident = change.incident
    assert change.at == incident.opened_at == after(15)
    assert incident.started_at == after(5)
    assert incident.last_seen_at == after(15)
    assert incident.observed_s == 10
    assert (incident.label, incident.confidence, incident.box) == ("car", 0.9, CAR)
    assert (incident.camera_id, incident.zone_id, incident.rule_id) == ("cam", "kerb", "no-parking")
    assert (incident.kind, incident.category) == ("illegal_parking", "illegal_parking")
    assert (incident.width_px, incident.height_px, incident.object_count) == (1000, 500, 1)
    assert incident.cleared_at is None
    (still_open,) = engine.incidents
    assert still_open.observed_s == 15


def test_a_vehicle_there_at_the_first_look_counts_from_the_first_look() -> None:
    there_before = Thing(comes_s=-600)
    assert parked(there_before, to_s=20) == [("opened", 10)]


def test_a_vehicle_counts_from_its_stop_and_not_from_its_arrival() -> None:
    assert parked(Thing(comes_s=0, stands_s=7), to_s=30) == [("opened", 17)]


def test_a_stop_that_the_tracker_notices_late_counts_from_the_stop() -> None:
    looks = film(Thing(comes_s=0, stands_s=4), to_s=30)
    late = [
        replace(one, tracks=tuple(replace(t, stationary_since=None) for t in one.tracks))
        if seconds(one.at) < 7
        else one
        for one in looks
    ]
    assert told(judge(ZoneEngine(camera(zone(PARKING))), late)) == [("opened", 14)]


def test_a_track_that_is_reported_late_counts_from_when_it_was_first_seen() -> None:
    looks = [
        one if one.at >= after(4) else replace(one, tracks=())
        for one in film(Thing(comes_s=2), to_s=20)
    ]
    assert told(judge(ZoneEngine(camera(zone(PARKING))), looks)) == [("opened", 12)]


@pytest.mark.parametrize(
    "box",
    [
        pytest.param(Box(300, 20, 400, 95), id="above the zone"),
        pytest.param(Box(20, 200, 90, 300), id="left of the zone"),
        pytest.param(Box(300, 290, 400, 405), id="box centre in the zone, wheels outside"),
        pytest.param(Box(40, 200, 170, 300), id="anchor in, most of the foot strip out"),
    ],
)
def test_a_vehicle_that_is_not_in_the_zone_gives_nothing(box: Box) -> None:
    rule = replace(PARKING, min_coverage_ratio=0.6)
    assert parked(Thing(box=box), to_s=60, rule=rule) == []


def test_a_vehicle_with_enough_of_its_foot_strip_in_the_zone_counts() -> None:
    rule = replace(PARKING, min_coverage_ratio=0.5)
    assert parked(Thing(box=Box(40, 200, 170, 300)), to_s=20, rule=rule) == [("opened", 10)]


@pytest.mark.parametrize(
    "thing",
    [
        pytest.param(Thing(stands_s=1e9), id="it moves"),
        pytest.param(Thing(label="person"), id="not a vehicle"),
        pytest.param(Thing(confidence=0.2), id="never sure"),
        pytest.param(Thing(leaves_s=10), id="leaves just before the dwell"),
        pytest.param(Thing(hidden=lambda s: s > 0), id="seen only once"),
    ],
)
def test_what_does_not_park_gives_nothing(thing: Thing) -> None:
    assert parked(thing, to_s=60) == []


def test_two_short_visits_do_not_add_up() -> None:
    visits = (Thing(leaves_s=8), Thing(comes_s=20, leaves_s=28))
    assert parked(*visits, to_s=60) == []


def test_a_short_occlusion_within_the_grace_counts_as_presence() -> None:
    assert parked(Thing(hidden=lambda s: 4 <= s < 7), to_s=20) == [("opened", 10)]


def test_time_out_of_sight_within_the_grace_is_told_as_inferred() -> None:
    looks = film(Thing(hidden=lambda s: 4 <= s < 6 or 20 <= s < 21), to_s=30)
    engine = ZoneEngine(camera(zone(PARKING)))
    (opening,) = judge(engine, looks[:15])
    assert (opening.incident.observed_s, opening.incident.inferred_s) == (10, 2)
    engine = ZoneEngine(camera(zone(PARKING)), engine.state())
    judge(engine, renumbered(looks[15:], 15))
    (incident,) = engine.incidents
    assert (incident.observed_s, incident.inferred_s) == (30, 3)


def test_a_candidate_out_of_sight_for_longer_than_the_grace_starts_anew() -> None:
    assert parked(Thing(hidden=lambda s: 4 <= s < 8), to_s=20) == [("opened", 18)]


def test_a_vehicle_that_moves_up_in_a_queue_starts_anew() -> None:
    one, two = Thing(leaves_s=8), Thing(comes_s=8, stands_s=9, box=Box(310, 200, 410, 260))
    assert parked(one, two, to_s=30) == [("opened", 19)]


def test_a_stop_between_two_looks_that_was_another_stop_starts_anew() -> None:
    looks = film(Thing(leaves_s=6), to_s=5) + film(Thing(stands_s=6), from_s=6, to_s=30)
    assert told(judge(ZoneEngine(camera(zone(PARKING))), looks)) == [("opened", 16)]


@pytest.mark.parametrize(
    ("ratio", "expected"), [(0.5, [("opened", 10)]), (0.7, [])], ids=["enough", "too seldom"]
)
def test_a_candidate_must_have_been_seen_at_enough_of_the_looks(
    ratio: float, expected: list[tuple[str, float]]
) -> None:
    rule = replace(PARKING, min_seen_ratio=ratio)
    assert parked(Thing(hidden=lambda s: s % 2 == 1), to_s=30, rule=rule) == expected


def test_a_bad_beginning_is_outlived() -> None:
    rule = replace(PARKING, min_seen_ratio=0.9)
    seldom_at_first = Thing(hidden=lambda s: s < 20 and s % 2 == 1)
    ((kind, at_s),) = parked(seldom_at_first, to_s=200, rule=rule)
    assert kind == "opened"
    assert 30 < at_s < 100


def test_an_incident_opens_only_at_a_look_that_sees_the_vehicle() -> None:
    assert parked(Thing(hidden=lambda s: 9 <= s < 12), to_s=20) == [("opened", 12)]


def test_an_open_incident_outlives_shuffling_in_the_zone() -> None:
    shuffles = [
        Thing(leaves_s=20),
        Thing(comes_s=20, stands_s=24, box=Box(315, 205, 415, 265)),
    ]
    assert parked(*shuffles, to_s=100) == [("opened", 10)]


def test_an_open_incident_outlives_a_jittering_box_at_the_edge() -> None:
    inside, outside = Box(300, 340, 400, 399), Box(300, 340, 400, 412)
    looks = film(Thing(box=inside), to_s=12) + [
        look(s, Thing(box=outside if s % 2 else inside).track(s, s)) for s in range(13, 100)
    ]
    assert told(judge(ZoneEngine(camera(zone(PARKING))), looks)) == [("opened", 10)]


def test_a_vehicle_that_is_mostly_outside_the_edge_does_not_open() -> None:
    inside, outside = Box(300, 340, 400, 399), Box(300, 340, 400, 412)
    looks = [look(s, Thing(box=outside if s % 3 else inside).track(s, s)) for s in range(100)]
    assert judge(ZoneEngine(camera(zone(PARKING))), looks) == []


def test_a_vehicle_that_drives_out_of_the_zone_ends_its_incident_though_it_is_in_sight() -> None:
    drives_off = Thing(leaves_s=20, moves_to=FAR_AWAY, is_gone_s=60)
    engine = ZoneEngine(camera(zone(PARKING)))
    changes = judge(engine, film(drives_off, to_s=60))
    assert told(changes) == [("opened", 10), ("cleared", 27)]
    assert changes[-1].incident.box == CAR  # where it stood, not where it drove
    assert changes[-1].incident.cleared_at == after(27)
    assert changes[-1].incident.last_seen_at == after(19)
    assert engine.incidents == ()


def test_where_a_vehicle_stood_is_told_and_not_where_it_drove_on_its_way_out() -> None:
    drives_off = Thing(comes_s=20, stands_s=1e9, box=Box(600, 200, 700, 260), leaves_s=23)
    changes = judge(
        ZoneEngine(camera(zone(PARKING))), film(Thing(leaves_s=20), drives_off, to_s=60)
    )
    assert told(changes) == [("opened", 10), ("cleared", 30)]
    assert changes[-1].incident.box == CAR


def test_an_incident_ends_when_the_wheels_are_clearly_outside_though_the_box_is_not() -> None:
    backs_out = Thing(leaves_s=20, moves_to=Box(300, 340, 400, 440), is_gone_s=60)
    assert parked(backs_out, to_s=60) == [("opened", 10), ("cleared", 27)]


def test_an_incident_that_persists_is_reported_again_now_and_then() -> None:
    engine = ZoneEngine(camera(zone(PARKING)))
    changes = judge(engine, film(Thing(), to_s=10 + 2.5 * REPORT_EVERY_S))
    assert [(c.kind, seconds(c.at)) for c in changes] == [
        (ChangeKind.OPENED, 10),
        (ChangeKind.UPDATED, 10 + REPORT_EVERY_S),
        (ChangeKind.UPDATED, 10 + 2 * REPORT_EVERY_S),
    ]


def test_two_zones_of_one_camera_judge_on_their_own() -> None:
    left = zone(PARKING, zone_id="left", polygon=((0, 0), (0.5, 0), (0.5, 1), (0, 1)))
    all_of_it = zone(
        replace(PARKING, dwell_s=20), zone_id="all", polygon=((0, 0), (1, 0), (1, 1), (0, 1))
    )
    changes = judge(ZoneEngine(camera(left, all_of_it)), film(Thing(), to_s=60))
    told_by = [(c.incident.zone_id, c.kind.value, seconds(c.at)) for c in changes]
    assert told_by == [("left", "opened", 10), ("all", "opened", 20)]


def test_without_dwell_a_vehicle_is_reported_as_soon_as_it_stands() -> None:
    assert parked(Thing(stands_s=3), to_s=9, rule=replace(PARKING, dwell_s=0)) == [("opened", 3)]


def test_a_vehicle_cut_off_by_the_lower_edge_of_the_picture_stands_on_it() -> None:
    whole = zone(PARKING, polygon=((0, 0), (1, 0), (1, 499 / 500), (0, 499 / 500)))
    looks: list[Look] = film(Thing(box=Box(300, 430, 400, 500)), to_s=20)
    assert told(judge(ZoneEngine(camera(whole)), looks)) == [("opened", 10)]
