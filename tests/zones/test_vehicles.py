"""Illegal parking: which vehicle is which."""

from __future__ import annotations

from dataclasses import replace

import pytest

from models.geometry import Box
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


def test_two_visits_of_the_same_track_do_not_add_up_even_if_the_tracker_thinks_it_stayed() -> None:
    looks = film(Thing(), to_s=60)
    gone = [replace(one, tracks=()) if 6 < seconds(one.at) < 20 else one for one in looks]
    assert told(judge(ZoneEngine(camera(zone(PARKING))), gone)) == [("opened", 30)]


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
