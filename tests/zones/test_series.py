"""Many looks at once are judged as one by one: the same changes, the same memory."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.geometry import Box
from models.litter import Accumulation
from models.parking import AlreadyThere, QueuePolicy
from models.seeing import Look, Track
from models.zone import Camera, Rule, Schedule, TimeWindow
from service.recording.codec import BlockEncoder, decode
from service.recording.grid import rounded
from service.recording.unfold import looks_of, series_of
from tests.zones.looks import (
    DAMAGE,
    LITTER,
    LITTERING,
    PARKING,
    after,
    camera,
    look,
    zone,
)
from zones.engine import ZoneEngine
from zones.schedule import constant_until, is_active

NIGHT = Schedule(windows=(TimeWindow(start=time(8, 1), end=time(8, 3)),))
RULES: dict[str, Rule] = {
    "parking": PARKING,
    "alerting": replace(PARKING, alert_after_s=4.0),
    "sure": replace(PARKING, min_confidence=0.82),
    "covering": replace(PARKING, min_coverage_ratio=0.95),
    "queueing": replace(PARKING, queue=QueuePolicy.IGNORE),
    "newly come": replace(PARKING, already_there=AlreadyThere.IGNORE),
    "at times": replace(PARKING, schedule=NIGHT),
    "litter": LITTER,
    "some litter": replace(LITTER, min_count=2),
    "gathered": replace(LITTER, accumulated=Accumulation(count=2, clear_count=0)),
    "littering": LITTERING,
    "damage": DAMAGE,
}
SPOTS = (
    Box(120, 180, 220, 240), Box(300, 200, 400, 260), Box(310, 215, 400, 275),
    Box(600, 330, 690, 401), Box(850, 250, 950, 310), Box(20, 20, 90, 60), Box(500, 300, 520, 320),
    Box(700, 300, 730, 322),
)  # fmt: skip
LABELS = ("car", "car", "truck", "litter", "litter", "pothole", "person")
FILM_S = 240


def street(seed: int, things: int = 9) -> list[Look]:
    """A look a second: what comes, drives through, stands, flickers, is hidden and goes."""
    rng = random.Random(seed)
    visits = [_visit(number, rng) for number in range(1, things + 1)]
    looks, second = [], 0.0
    while second < FILM_S:
        tracks = [track for visit in visits if (track := visit(second)) is not None]
        looks.append(rounded(look(second, *tracks)))
        second += 9.0 if rng.random() < 0.005 else 1.0
    return looks


def _visit(number: int, rng: random.Random):  # type: ignore[no-untyped-def]
    label, spot = rng.choice(LABELS), rng.choice(SPOTS)
    comes, stays = rng.randrange(FILM_S), rng.choice((4, 20, 80, 400))
    drives_s, jitter = rng.choice((0, 3, 1000)), rng.choice((0.0, 0.5, 4.0))
    flicker, sure = rng.choice((0.0, 0.1, 0.5)), rng.uniform(0.15, 0.95)
    hidden = range(comes + 30, comes + rng.choice((30, 33, 70)))
    last_seen = float(comes)
    noise = random.Random(number)

    def at(second: float) -> Track | None:
        nonlocal last_seen
        if not comes <= second < comes + stays or noise.random() < flicker / 3:
            return None
        shift = 30.0 * (second - comes) if second < comes + drives_s else 30.0 * min(drives_s, 8)
        moves = second <= comes + drives_s and drives_s > 0
        if second not in hidden and noise.random() >= flicker:
            last_seen = second
        x, y = (noise.uniform(-jitter, jitter) for _ in range(2))
        box = Box(spot.x1 + x + shift, spot.y1 + y, spot.x2 + x + shift, spot.y2 + y)
        return Track(
            track_id=number,
            label="truck" if label == "car" and noise.random() < 0.2 else label,
            confidence=min(1.0, max(0.0, sure + noise.uniform(-0.1, 0.1))),
            box=box,
            first_seen=after(comes),
            last_seen=after(last_seen),
            stationary_since=None if moves else after(comes + drives_s),
        )

    return at


def both_ways(watched: Camera, looks: Sequence[Look], blocks: int = 3) -> tuple[object, object]:
    """What is said, remembered and known, one by one and at once."""
    single, many = ZoneEngine(watched), ZoneEngine(watched)
    said = [change for one in looks for change in single.look(one)]
    length = -(-len(looks) // blocks)
    said_at_once = [
        change
        for begin in range(0, len(looks), length)
        for series in series_of(
            "cam", decode([BlockEncoder().encode(looks[begin : begin + length])])
        )
        for change in many.look_through(series)
    ]
    return (
        (said, single.state(), list(single._listed)),
        (said_at_once, many.state(), list(many._listed)),
    )


@pytest.mark.parametrize("name", RULES)
@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_many_looks_at_once_say_and_leave_the_same_as_one_by_one(name: str, seed: int) -> None:
    by_one, at_once = both_ways(camera(zone(RULES[name])), street(seed))
    assert at_once == by_one


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_rules_beside_each_other_do_not_mind_each_other(seed: int) -> None:
    zones = [zone(rule, zone_id=f"zone-{number}") for number, rule in enumerate(RULES.values())]
    by_one, at_once = both_ways(camera(*zones), street(seed, things=14), blocks=2)
    assert at_once == by_one


def test_a_clock_that_is_set_back_is_believed_as_late_as_one_by_one() -> None:
    looks = street(3)
    again = [replace(one, at=one.at - timedelta(seconds=100)) for one in looks[120:200]]
    by_one, at_once = both_ways(camera(zone(PARKING)), [*looks[:120], *again], blocks=1)
    assert at_once == by_one


def test_pictures_of_another_size_are_another_series() -> None:
    small = street(5)[:80]
    large = [replace(one, width_px=2000, height_px=1000) for one in street(5)[80:]]
    by_one, at_once = both_ways(camera(zone(PARKING)), [*small, *large], blocks=1)
    assert at_once == by_one


def test_most_looks_at_what_stands_are_not_judged_one_by_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    judged: list[datetime] = []
    one_by_one = ZoneEngine._judged

    def count(engine: ZoneEngine, one: Look, *rest: object) -> object:
        judged.append(one.at)
        return one_by_one(engine, one, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(ZoneEngine, "_judged", count)
    still = Track(
        track_id=1, label="car", confidence=0.8, box=SPOTS[1], first_seen=after(0),
        last_seen=after(0), stationary_since=after(0),
    )  # fmt: skip
    looks = [look(s, replace(still, last_seen=after(s))) for s in range(250)]
    (series,) = series_of("cam", decode([BlockEncoder().encode(looks)]))
    said = ZoneEngine(camera(zone(PARKING))).look_through(series)
    assert [change.kind for change in said] == ["opened"]
    assert len(judged) < 12


@given(st.integers(0, 40_000), st.sampled_from(("UTC", "Europe/Berlin", "Asia/Shanghai")))
def test_a_schedule_is_constant_for_as_long_as_it_says(minutes: int, zone_name: str) -> None:
    schedule = Schedule(
        timezone=zone_name, windows=(TimeWindow(start=time(1, 30), end=time(3, 5)),)
    )
    begin = datetime.fromisoformat("2026-03-10T00:00:00+00:00") + timedelta(minutes=minutes)
    until = constant_until(schedule, begin)
    assert until is not None
    assert until > begin
    now = begin
    while now < until:
        assert is_active(schedule, now) == is_active(schedule, begin)
        now += timedelta(seconds=61)


def test_a_schedule_without_windows_never_changes() -> None:
    assert constant_until(Schedule(), after(0)) is None


def test_a_series_gives_back_its_looks() -> None:
    looks = street(11)
    assert list(looks_of("cam", decode([BlockEncoder().encode(looks)]))) == looks


def test_an_hour_in_which_nothing_is_seen_is_judged_too() -> None:
    by_one, at_once = both_ways(
        camera(zone(PARKING, LITTER, LITTERING)), [look(s) for s in range(99)]
    )
    assert at_once == by_one
