"""Damaged facilities: one incident for each damaged thing, known by place and label."""

from __future__ import annotations

import pytest

from models.geometry import Box
from tests.zones.looks import DAMAGE, Thing, camera, film, judge, look, told, zone
from zones.engine import ZoneEngine

HOLE = Box(400, 300, 460, 330)


def test_a_pothole_is_one_incident_through_many_track_ids() -> None:
    looks = [
        look(s, Thing(track_id=s // 7, label="pothole", box=HOLE).track(s, s)) for s in range(200)
    ]
    assert told(judge(ZoneEngine(camera(zone(DAMAGE))), looks)) == [("opened", 10)]


def test_a_second_track_on_the_same_damage_is_no_second_incident() -> None:
    double = Thing(track_id=2, label="pothole", box=Box(405, 302, 463, 331), comes_s=15)
    changes = judge(
        ZoneEngine(camera(zone(DAMAGE))), film(Thing(label="pothole", box=HOLE), double, to_s=60)
    )
    assert told(changes) == [("opened", 10)]


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(Thing(track_id=2, label="pothole", box=Box(600, 300, 660, 330)), id="apart"),
        pytest.param(Thing(track_id=2, label="road_crack", box=HOLE), id="another kind"),
    ],
)
def test_two_damages_are_two_incidents(other: Thing) -> None:
    engine = ZoneEngine(camera(zone(DAMAGE)))
    changes = judge(engine, film(Thing(label="pothole", box=HOLE), other, to_s=60))
    assert told(changes) == [("opened", 10), ("opened", 10)]
    assert len({incident.incident_id for incident in engine.incidents}) == 2


def test_another_kind_of_damage_that_comes_to_the_same_place_is_another_incident() -> None:
    crack = Thing(track_id=2, label="road_crack", box=HOLE, comes_s=5)
    looks = film(Thing(label="pothole", box=HOLE), crack, to_s=60)
    assert told(judge(ZoneEngine(camera(zone(DAMAGE))), looks)) == [("opened", 10), ("opened", 15)]


def test_one_track_that_is_called_this_and_that_is_one_damage() -> None:
    wavering = Thing(label=lambda s: "road_crack" if s % 3 == 2 else "pothole", box=HOLE)
    (change,) = judge(ZoneEngine(camera(zone(DAMAGE))), film(wavering, to_s=60))
    assert change.incident.label == "pothole"


def test_a_repaired_damage_is_cleared() -> None:
    hole = Thing(label="pothole", box=HOLE, leaves_s=30)
    changes = judge(ZoneEngine(camera(zone(DAMAGE))), film(hole, to_s=60))
    assert told(changes) == [("opened", 10), ("cleared", 37)]


def test_a_car_that_parks_on_a_pothole_has_not_repaired_it() -> None:
    hole = Thing(label="pothole", box=HOLE, hidden=lambda s: 20 <= s < 400)
    car = Thing(track_id=2, box=Box(380, 250, 500, 340), comes_s=20, leaves_s=400)
    changes = judge(ZoneEngine(camera(zone(DAMAGE))), film(hole, car, to_s=450))
    assert told(changes) == [("opened", 10)]
