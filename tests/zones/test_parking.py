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


@pytest.mark.parametrize(
    ("confidences", "expected"),
    [
        pytest.param((0.22, 0.22, 0.26), [("opened", 10)], id="now and then sure enough"),
        pytest.param((0.19, 0.19, 0.26), [("opened", 12)], id="counts from the first fair look"),
        pytest.param((0.22, 0.23, 0.24), [], id="never sure enough"),
    ],
)
def test_wavering_confidence_is_no_new_vehicle(
    confidences: tuple[float, ...], expected: list[tuple[str, float]]
) -> None:
    assert parked(Thing(confidence=lambda s: confidences[int(s) % 3]), to_s=60) == expected


def test_two_short_visits_do_not_add_up() -> None:
    visits = (Thing(leaves_s=8), Thing(comes_s=20, leaves_s=28))
    assert parked(*visits, to_s=60) == []


def test_two_visits_of_the_same_track_do_not_add_up_even_if_the_tracker_thinks_it_stayed() -> None:
    looks = film(Thing(), to_s=60)
    gone = [replace(one, tracks=()) if 6 < seconds(one.at) < 20 else one for one in looks]
    assert told(judge(ZoneEngine(camera(zone(PARKING))), gone)) == [("opened", 30)]


def test_a_short_occlusion_within_the_grace_counts_as_presence() -> None:
    assert parked(Thing(hidden=lambda s: 4 <= s < 7), to_s=20) == [("opened", 10)]


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


def test_wavering_between_vehicle_labels_is_one_vehicle() -> None:
    wavering = Thing(label=lambda s: ("car", "truck", "bus")[int(s) % 3], leaves_s=50)
    assert parked(wavering, to_s=100) == [("opened", 10), ("cleared", 57)]


@pytest.mark.parametrize(
    ("share", "expected"),
    [(2, [("opened", 10)]), (4, [])],
    ids=["mostly a bus", "once in a while a bus"],
)
def test_a_rule_for_buses_wants_what_is_called_a_bus_at_least_half_the_time(
    share: int, expected: list[tuple[str, float]]
) -> None:
    rule = replace(PARKING, labels=frozenset({"bus"}))
    thing = Thing(label=lambda s: "bus" if int(s) % share == 0 else "truck")
    assert parked(thing, to_s=50, rule=rule) == expected


def test_another_vehicle_on_the_same_spot_is_another_incident_and_ends_the_first() -> None:
    engine = ZoneEngine(camera(zone(PARKING)))
    first, second = Thing(leaves_s=30), Thing(track_id=2, comes_s=31)
    changes = judge(engine, film(first, second, to_s=100))
    assert told(changes) == [("opened", 10), ("cleared", 37), ("opened", 41)]
    ids = [change.incident.incident_id for change in changes]
    assert ids[0] == ids[1] != ids[2]


def test_two_vehicles_side_by_side_are_two_incidents() -> None:
    engine = ZoneEngine(camera(zone(PARKING)))
    looks = film(Thing(), Thing(track_id=2, box=Box(420, 200, 520, 260)), to_s=50)
    assert told(judge(engine, looks)) == [("opened", 10), ("opened", 10)]
    assert len({incident.incident_id for incident in engine.incidents}) == 2


def test_two_incidents_that_look_alike_to_the_pixel_have_different_ids() -> None:
    a, b = Box(300, 200, 400, 260), Box(300.2, 200, 400.2, 260)
    engine = ZoneEngine(camera(zone(PARKING)))
    apart = [
        look(
            s,
            *(
                replace(Thing(track_id=n, box=box).track(s, s), stationary_since=after(0))
                for n, box in ((1, a), (2, Box(420, 200, 520, 260) if s < 10 else b))
            ),
        )
        for s in range(30)
    ]
    judge(engine, apart)
    assert len({incident.incident_id for incident in engine.incidents}) == 2


def test_one_vehicle_boxed_twice_under_two_names_is_one_incident() -> None:
    double = Thing(track_id=2, label="truck", confidence=0.7, box=Box(302, 199, 401, 261))
    assert parked(Thing(), double, to_s=50) == [("opened", 10)]


def test_a_vehicle_boxed_twice_stays_one_when_its_first_track_is_lost() -> None:
    double = Thing(track_id=2, label="truck", confidence=0.7, box=Box(302, 199, 401, 261))
    first = Thing(leaves_s=20)
    assert parked(first, double, to_s=80) == [("opened", 10)]


def test_two_tracks_taken_for_one_vehicle_are_two_once_they_part() -> None:
    stays = Thing()
    parts = Thing(track_id=2, confidence=0.7, box=CAR, leaves_s=15, is_gone_s=15)
    apart = Thing(track_id=2, confidence=0.7, box=Box(500, 200, 600, 260), comes_s=15)
    assert parked(stays, parts, apart, to_s=60) == [("opened", 10), ("opened", 25)]


def test_a_double_that_comes_while_a_vehicle_still_moves_waits_for_it() -> None:
    double = Thing(track_id=2, label="truck", confidence=0.7, stands_s=5)
    assert parked(Thing(stands_s=5), double, to_s=50) == [("opened", 15)]


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


def test_a_vehicle_called_by_another_name_for_a_while_is_still_there() -> None:
    a_van_for_a_while = Thing(label=lambda s: "van" if 2 <= s < 7 or 20 <= s < 40 else "car")
    assert parked(a_van_for_a_while, to_s=60) == [("opened", 10)]


def test_a_passing_bus_that_hides_a_parked_car_does_not_end_its_incident() -> None:
    car = Thing(hidden=lambda s: 20 <= s < 60)
    bus = Thing(track_id=2, label="bus", box=Box(250, 100, 480, 420), comes_s=20, leaves_s=60)
    assert parked(car, bus, to_s=100) == [("opened", 10)]


def test_without_anything_in_front_the_same_absence_ends_it() -> None:
    assert parked(Thing(hidden=lambda s: 20 <= s < 60), to_s=59) == [
        ("opened", 10),
        ("cleared", 27),
    ]


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
