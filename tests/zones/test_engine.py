"""The engine: time, schedules, several rules, pictures of another size, rules that go away."""

from __future__ import annotations

from dataclasses import replace
from datetime import time, timedelta

import pytest

from models.geometry import Box
from models.seeing import Look
from models.zone import Rule, Schedule, TimeWindow
from tests.zones.looks import (
    BAG,
    CAR,
    DAMAGE,
    HEIGHT_PX,
    LITTER,
    PARKING,
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
from zones import engine as engine_module
from zones.clock import STALE_GAP
from zones.engine import ZoneEngine
from zones.replay import replay

CAMERA = camera(zone(PARKING))


def parking_engine() -> ZoneEngine:
    """An engine with one parking rule."""
    return ZoneEngine(CAMERA)


def test_the_last_look_that_counted_is_told_after_a_restart_too() -> None:
    engine = parking_engine()
    assert engine.last_at is None
    judge(engine, film(Thing(), to_s=7))
    restarted = ZoneEngine(camera(zone(PARKING)), engine.state())
    assert engine.last_at == restarted.last_at == after(7)


def test_time_in_which_nobody_could_look_is_not_dwell() -> None:
    assert told(judge(parking_engine(), film(Thing(), to_s=60, blind=(4, 34)))) == [("opened", 40)]


def test_time_in_which_nobody_could_look_is_not_absence_of_a_candidate() -> None:
    car = Thing(hidden=lambda s: s in {4, 34})
    assert told(judge(parking_engine(), film(car, to_s=60, blind=(4, 34)))) == [("opened", 40)]


def test_time_in_which_nobody_could_look_is_not_absence_of_an_incident() -> None:
    looks = film(Thing(leaves_s=20), to_s=700, blind=(20, 600))
    assert told(judge(parking_engine(), looks)) == [("opened", 10), ("cleared", 607)]


def test_a_vehicle_that_stopped_in_the_dark_counts_from_the_first_look_after() -> None:
    looks = film(Thing(comes_s=30), to_s=120, blind=(4, 60))
    assert told(judge(parking_engine(), looks)) == [("opened", 70)]


def test_after_an_hour_without_a_look_a_candidate_starts_anew_and_an_incident_goes_on() -> None:
    gap_s = STALE_GAP.total_seconds()
    waits, stands = Thing(comes_s=15), Thing(track_id=2, box=Box(500, 200, 600, 260))
    looks = film(waits, stands, to_s=gap_s + 60, blind=(20, 21 + gap_s))
    engine = parking_engine()
    assert told(judge(engine, looks)) == [("opened", 10), ("opened", 31 + gap_s)]
    assert len(engine.incidents) == 2


@pytest.mark.parametrize("rate", [0.25, 0.5, 1, 2, 5, 25])
def test_dwell_is_seconds_and_not_frames(rate: float) -> None:
    rule = replace(PARKING, dwell_s=20)
    changes = judge(ZoneEngine(camera(zone(rule))), film(Thing(), to_s=60, rate=rate))
    assert told(changes) == [("opened", 20)]


def test_a_look_that_goes_back_in_time_changes_nothing() -> None:
    looks = film(Thing(), to_s=30)
    strays = [look(-5), look(3), look(0), looks[9]]
    mixed = looks[:10] + strays + looks[10:]
    assert judge(parking_engine(), mixed) == judge(parking_engine(), looks)


def test_a_clock_that_was_set_back_costs_a_few_looks_and_no_incident() -> None:
    engine = parking_engine()
    assert told(judge(engine, film(Thing(), to_s=3620, from_s=3600))) == [("opened", 3610)]
    (first,) = engine.incidents
    assert told(judge(engine, film(Thing(), to_s=60))) == []
    assert [incident.incident_id for incident in engine.incidents] == [first.incident_id]
    assert engine.incidents[0].observed_s > first.observed_s
    assert engine.incidents[0].last_seen_at >= first.last_seen_at


def test_litter_is_watched_on_after_a_clock_was_set_back() -> None:
    engine = ZoneEngine(camera(zone(LITTER)))
    bag = Thing(label="litter", box=BAG)
    judge(engine, film(bag, to_s=3620, from_s=3600))
    (first,) = engine.incidents
    assert told(judge(engine, film(bag, to_s=60))) == []
    assert engine.incidents[0].observed_s > first.observed_s + 50


def test_a_look_of_another_camera_is_refused() -> None:
    with pytest.raises(ValueError, match="other"):
        parking_engine().look(replace(look(0), camera_id="other"))


def until(hour: int, minute: int, start: time = time(0, 0)) -> Schedule:
    """A schedule that holds until so late."""
    return Schedule(timezone="UTC", windows=(TimeWindow(start=start, end=time(hour, minute)),))


def test_a_rule_counts_only_from_when_its_schedule_began() -> None:
    rule = replace(PARKING, schedule=until(20, 0, start=time(8, 1)))
    assert told(judge(ZoneEngine(camera(zone(rule))), film(Thing(), to_s=120))) == [("opened", 70)]


def test_nor_does_a_track_that_is_reported_late_count_from_before_its_schedule_began() -> None:
    rule = replace(PARKING, schedule=until(20, 0, start=time(8, 1)))
    looks = [
        one if seconds(one.at) >= 62 else replace(one, tracks=())
        for one in film(Thing(comes_s=58), to_s=120)
    ]
    assert told(judge(ZoneEngine(camera(zone(rule))), looks)) == [("opened", 70)]


def test_a_candidate_is_forgotten_when_the_schedule_ends() -> None:
    rule = replace(PARKING, schedule=until(8, 1))
    assert judge(ZoneEngine(camera(zone(rule))), film(Thing(comes_s=55), to_s=300)) == []


@pytest.mark.parametrize("rule", [PARKING, LITTER, DAMAGE], ids=lambda rule: str(rule.kind))
def test_an_open_incident_outlives_its_schedule_until_the_thing_is_gone(rule: Rule) -> None:
    rule = replace(rule, schedule=until(8, 1))
    thing = Thing(label=min(rule.labels), leaves_s=200)
    other = Thing(track_id=2, label=min(rule.labels), box=Box(500, 200, 600, 260), comes_s=55)
    changes = judge(ZoneEngine(camera(zone(rule))), film(thing, other, to_s=300))
    assert told(changes) == [("opened", 10), ("cleared", 207)]


def test_an_incident_that_outlived_its_schedule_is_not_repeated_when_it_holds_again() -> None:
    windows = (TimeWindow(end=time(8, 1)), TimeWindow(start=time(8, 2), end=time(9)))
    rule = replace(PARKING, schedule=Schedule(windows=windows))
    assert told(judge(ZoneEngine(camera(zone(rule))), film(Thing(), to_s=300))) == [("opened", 10)]


def test_litter_that_did_not_suffice_in_time_is_forgotten_when_the_schedule_ends() -> None:
    rule = replace(LITTER, min_count=2, schedule=until(8, 1))
    one = Thing(label="litter", box=BAG)
    other = Thing(track_id=2, label="litter", box=Box(600, 300, 620, 320), comes_s=55)
    engine = ZoneEngine(camera(zone(rule)))
    assert judge(engine, film(one, other, to_s=100)) == []
    assert '"cases":[]' in engine.state()


def halved(looks: list[Look]) -> list[Look]:
    """The same looks in pictures of half the size."""
    return [
        replace(
            one,
            width_px=WIDTH_PX // 2,
            height_px=HEIGHT_PX // 2,
            tracks=tuple(replace(t, box=t.box.scaled(0.5, 0.5)) for t in one.tracks),
        )
        for one in looks
    ]


@pytest.mark.parametrize("begins_anew", [True, False], ids=["tracker begins anew", "same tracker"])
def test_pictures_of_another_size_show_the_same_incidents(begins_anew: bool) -> None:
    pothole = Box(600, 300, 660, 330)
    things = (
        Thing(),
        Thing(track_id=2, label="litter", box=BAG),
        Thing(track_id=3, label="pothole", box=pothole),
        Thing(track_id=4, box=Box(500, 200, 560, 240), stands_s=1e9),
    )
    large = film(*things, to_s=5)
    small = halved(film(*things, from_s=6, to_s=60))
    again = film(*things, from_s=61, to_s=80)
    if begins_anew:
        small, again = renumbered(small, 6), renumbered(again, 61)
    engine = ZoneEngine(camera(zone(PARKING, LITTER, DAMAGE)))
    changes = judge(engine, [*large, *small, *again])
    assert told(changes) == [("opened", 10)] * 3
    assert changes[0].incident.box == CAR.scaled(0.5, 0.5)
    assert {incident.width_px for incident in engine.incidents} == {WIDTH_PX}
    assert {incident.box for incident in engine.incidents} == {CAR, BAG, pothole}
    assert {incident.observed_s for incident in engine.incidents} == {80}


def test_a_tracker_that_starts_slowly_in_another_size_loses_no_candidate() -> None:
    car = Thing(hidden=lambda s: 6 <= s < 11)
    looks = [*film(car, to_s=5), *halved(renumbered(film(car, from_s=11, to_s=40), 11))]
    looks[6:6] = halved(film(from_s=6, to_s=10))
    assert told(judge(parking_engine(), looks)) == [("opened", 15)]


def test_a_zone_with_several_rules_judges_each() -> None:
    things = (Thing(), Thing(track_id=2, label="litter", box=BAG))
    changes = judge(ZoneEngine(camera(zone(PARKING, LITTER, DAMAGE))), film(*things, to_s=30))
    assert [(c.incident.rule_id, seconds(c.at)) for c in changes] == [
        ("no-parking", 10),
        ("litter", 10),
    ]


def test_a_camera_without_zones_sees_nothing() -> None:
    engine = ZoneEngine(camera())
    assert judge(engine, film(Thing(), to_s=30)) == []
    assert engine.incidents == ()


def test_a_schedule_in_an_unknown_time_zone_is_an_error_at_once() -> None:
    rule = replace(PARKING, schedule=Schedule(timezone="Mars/Olympus"))
    with pytest.raises(ValueError, match="Mars/Olympus"):
        ZoneEngine(camera(zone(rule)))


def test_a_rule_of_no_known_kind_is_an_error_at_once() -> None:
    class OtherRule(Rule):
        kind = PARKING.kind

    with pytest.raises(TypeError, match="OtherRule"):
        ZoneEngine(camera(zone(OtherRule(rule_id="r", labels=frozenset(), dwell_s=1))))


def test_only_so_many_track_ids_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "TRACK_IDS_KEPT", 3)
    engine = parking_engine()
    judge(engine, [look(n, Thing(track_id=n).track(n, n)) for n in range(10)])
    # The latest ids are known: that track counts from now; one long forgotten counts as new.
    assert engine._list(frozenset({8, 9, 1})) == {1}


def test_a_replay_gives_what_the_day_gave_down_to_the_ids() -> None:
    looks = film(Thing(leaves_s=40), Thing(track_id=2, comes_s=50), to_s=200)
    live = judge(parking_engine(), looks)
    assert list(replay(CAMERA, iter(looks))) == live
    assert len(live) == 3


def test_a_replay_tells_changes_while_it_reads() -> None:
    looks = iter(film(Thing(), to_s=60))
    assert next(replay(CAMERA, looks)).at == after(10)
    assert next(looks).at == after(11)


def test_incidents_at_different_times_of_the_same_place_have_different_ids() -> None:
    later = [
        replace(
            one,
            at=one.at + timedelta(days=1),
            tracks=tuple(
                replace(
                    t,
                    first_seen=t.first_seen + timedelta(days=1),
                    last_seen=t.last_seen + timedelta(days=1),
                    stationary_since=t.stationary_since and t.stationary_since + timedelta(days=1),
                )
                for t in one.tracks
            ),
        )
        for one in film(Thing(), to_s=20)
    ]
    (today,) = judge(parking_engine(), film(Thing(), to_s=20))
    (tomorrow,) = judge(parking_engine(), later)
    assert today.incident.incident_id != tomorrow.incident.incident_id
