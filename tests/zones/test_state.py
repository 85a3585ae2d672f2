"""Restarts: what the rules remember neither repeats nor forgets an incident."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from models.geometry import Box
from models.seeing import Look
from models.zone import Camera
from tests.zones.looks import (
    BAG,
    CAR,
    DAMAGE,
    LITTER,
    PARKING,
    Thing,
    camera,
    film,
    judge,
    renumbered,
    told,
    zone,
)
from zones.engine import SETTLING, ZoneEngine

CAMERA = camera(zone(PARKING))
EVERYTHING = camera(zone(PARKING, LITTER, DAMAGE))
THINGS = (
    Thing(),
    Thing(track_id=2, label="litter", box=BAG),
    Thing(track_id=3, label="pothole", box=Box(600, 300, 660, 330)),
)


def restarted(
    looks: list[Look], at: int, *, down: int = 0, before: Camera = CAMERA, now: Camera | None = None
) -> tuple[list[tuple[str, float]], ZoneEngine]:
    """What is told when the program is restarted before look ``at`` and misses ``down`` looks."""
    engine = ZoneEngine(before)
    changes = judge(engine, looks[:at])
    engine = ZoneEngine(now or before, engine.state())
    rest = looks[at + down :]
    start_s = (rest[0].at - looks[0].at).total_seconds()
    changes += judge(engine, renumbered(rest, start_s))
    return told(changes), engine


def test_a_state_survives_reading_and_writing() -> None:
    engine = ZoneEngine(EVERYTHING)
    for one in film(*THINGS, to_s=30):
        engine.look(one)
        text = engine.state()
        assert ZoneEngine(EVERYTHING, text).state() == text
        assert ZoneEngine(EVERYTHING, text).incidents == engine.incidents


def test_a_state_is_compact_and_leaves_out_what_only_passes() -> None:
    engine = ZoneEngine(CAMERA)
    judge(engine, film(Thing(stands_s=1e9), to_s=5))
    assert json.loads(engine.state())["rules"][0]["cases"] == []
    assert " " not in engine.state()


def test_the_dwell_goes_on_where_it_was_though_the_fresh_tracker_starts_anew() -> None:
    assert restarted(film(Thing(), to_s=40), 6)[0] == [("opened", 10)]


def test_time_in_which_the_program_was_down_is_no_dwell() -> None:
    looks = film(Thing(), to_s=100)
    assert restarted(looks, 6, down=30)[0] == [("opened", 41)]


def test_an_open_incident_is_not_repeated() -> None:
    looks = film(Thing(leaves_s=60), to_s=100)
    assert restarted(looks, 20, down=10)[0] == [("opened", 10), ("cleared", 67)]


def test_an_incident_keeps_its_id_and_its_times() -> None:
    engine = ZoneEngine(CAMERA)
    judge(engine, film(Thing(), to_s=20))
    (before,) = engine.incidents
    _, again = restarted(film(Thing(), to_s=60), 21)
    (incident,) = again.incidents
    assert (incident.incident_id, incident.started_at) == (before.incident_id, before.started_at)
    assert incident.observed_s == 60


def test_a_vehicle_that_left_while_the_program_was_down_is_cleared_from_the_first_look_on() -> None:
    looks = film(Thing(leaves_s=25), to_s=100)
    told_changes, engine = restarted(looks, 20, down=20)
    assert told_changes == [("opened", 10), ("cleared", 40 + SETTLING.total_seconds())]
    assert engine.incidents == ()


def test_a_tracker_that_starts_slowly_loses_no_candidate() -> None:
    looks = film(Thing(hidden=lambda s: 6 <= s < 11), to_s=40)
    # Out of sight for longer than the grace, but right after the restart: five seconds that are
    # no dwell.
    assert restarted(looks, 6)[0] == [("opened", 15)]


def test_a_candidate_that_does_not_come_back_after_a_restart_is_forgotten() -> None:
    again = Thing(track_id=2, comes_s=30)
    assert restarted(film(Thing(leaves_s=6), again, to_s=60), 6)[0] == [("opened", 40)]


def test_a_vehicle_passing_in_front_of_a_parked_one_is_not_taken_for_it() -> None:
    parked = Thing(hidden=lambda s: 20 <= s < 23)
    passing = Thing(track_id=2, stands_s=1e9, box=Box(305, 205, 405, 265), comes_s=20, leaves_s=22)
    found, engine = restarted(film(parked, passing, to_s=60), 20)
    assert found == [("opened", 10)]
    assert engine.incidents[0].box == CAR


def test_a_vehicle_of_another_family_at_the_same_place_is_another_one() -> None:
    rule = replace(PARKING, labels=frozenset({"car", "motorcycle"}))
    looks = film(Thing(leaves_s=20), Thing(track_id=2, label="motorcycle", comes_s=20), to_s=60)
    found, _ = restarted(looks, 20, before=camera(zone(rule)))
    assert found == [("opened", 10), ("cleared", 29), ("opened", 30)]


def test_neighbours_find_their_own_incidents_again() -> None:
    row = [Thing(track_id=n, box=Box(200 + 90 * n, 200, 300 + 90 * n, 260)) for n in range(1, 6)]
    engine = ZoneEngine(CAMERA)
    judge(engine, film(*row, to_s=20))
    before = {incident.incident_id: incident.box for incident in engine.incidents}
    found, again = restarted(film(*row, to_s=60), 20)
    assert found == [("opened", 10)] * 5
    assert {incident.incident_id: incident.box for incident in again.incidents} == before


def test_litter_and_damage_go_on_as_well() -> None:
    looks = film(*THINGS, to_s=60)
    for at in (5, 10, 11, 30):
        found, engine = restarted(looks, at, before=EVERYTHING)
        assert found == [("opened", 10)] * 3
        assert len(engine.incidents) == 3


@pytest.mark.parametrize(
    "now",
    [
        pytest.param(camera(), id="zone deleted"),
        pytest.param(camera(zone(replace(PARKING, rule_id="new"))), id="rule renamed"),
        pytest.param(
            camera(zone(replace(DAMAGE, rule_id="no-parking"))), id="another kind of rule"
        ),
        pytest.param(camera(zone(PARKING, zone_id="new")), id="zone renamed"),
    ],
)
def test_an_incident_whose_rule_is_gone_is_cleared_at_the_first_look(now: Camera) -> None:
    engine = ZoneEngine(CAMERA)
    judge(engine, film(Thing(), to_s=20))
    again = ZoneEngine(now, engine.state())
    assert [incident.box for incident in again.incidents] == [CAR]
    assert ZoneEngine(now, again.state()).incidents == again.incidents  # not lost before a look
    changes = judge(again, film(from_s=21, to_s=22))
    assert told(changes) == [("cleared", 21)]
    assert not again.incidents


def test_a_zone_that_was_moved_away_from_a_vehicle_clears_its_incident() -> None:
    engine = ZoneEngine(CAMERA)
    judge(engine, film(Thing(), to_s=20))
    moved = camera(zone(PARKING, polygon=((0.6, 0.2), (0.9, 0.2), (0.9, 0.8))))
    again = ZoneEngine(moved, engine.state())
    assert told(judge(again, film(Thing(), from_s=21, to_s=60))) == [("cleared", 30)]


def _edited(change: Callable[[Any], object]) -> str:
    engine = ZoneEngine(EVERYTHING)
    judge(engine, film(*THINGS, to_s=30))
    document = json.loads(engine.state())
    change(document)
    return json.dumps(document)


def _set(*path: str | int, to: object) -> Callable[[Any], None]:
    def change(document: Any) -> None:
        for key in path[:-1]:
            document = document[key]
        document[path[-1]] = to

    return change


CASE = ("rules", 0, "cases", 0)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("{", id="cut off"),
        pytest.param("[]", id="a list"),
        pytest.param("null", id="null"),
        pytest.param("{}", id="nothing in it"),
        pytest.param(_edited(_set("version", to=2)), id="another version"),
        pytest.param(_edited(_set("camera_id", to="other")), id="another camera"),
        pytest.param(_edited(_set("last_at", to="2026-03-02T08:00:00")), id="time without offset"),
        pytest.param(_edited(_set("last_at", to="noon")), id="no time"),
        pytest.param(_edited(_set("size_px", to=[1])), id="no size"),
        pytest.param(_edited(_set("rules", to=3)), id="no rules"),
        pytest.param(_edited(_set("rules", 0, "kind", to="loitering")), id="unknown kind"),
        pytest.param(_edited(_set(*CASE, "box", to=[1, 2, 3])), id="half a box"),
        pytest.param(_edited(_set(*CASE, "votes", to={})), id="no label"),
        pytest.param(_edited(_set(*CASE, "votes", to=[])), id="votes of another form"),
        pytest.param(_edited(_set(*CASE, "observed_s", to="long")), id="no duration"),
        pytest.param(_edited(_set(*CASE, "observed_s", to=1e30)), id="endless duration"),
        pytest.param(_edited(_set(*CASE, "open", "kind", to="")), id="incident of no kind"),
    ],
)
def test_an_unusable_state_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        ZoneEngine(EVERYTHING, text)
