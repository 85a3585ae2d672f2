"""What a soak run must yield follows from its films and from when they were shown."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.soak_truth import Found, Pass, events_of, passes_of, rows_of
from models.geometry import Box
from models.zone import RuleKind
from service.evaluation.row import Row
from service.evaluation.truth import ClipTruth, Thing, ZoneTruth

CLIP_S, DWELL_S = 30.0, 10.0
BOX = Box(10, 10, 60, 40)
ZONE = ZoneTruth(
    name="kerb",
    polygon=((0, 0), (100, 0), (100, 100), (0, 100)),
    kind=RuleKind.ILLEGAL_PARKING,
    expected_by_dwell_s={DWELL_S: 1},
)
CLIP = ClipTruth(name="a", video=Path("a.mp4"), size_px=(100, 100), zones=(ZONE,), things={})
COMES = Thing(label="car", box=BOX, from_s=6, to_s=30)
STAYS = Thing(label="car", box=BOX, from_s=0, to_s=30)
LEAVES = Thing(label="car", box=BOX, from_s=0, to_s=18)


def shown(*lengths: float) -> list[Pass]:
    """Passes one after the other; after a shorter one the stream was lost for 5 s."""
    passes, at, is_first = [], 0.0, True
    for number, length in enumerate(lengths):
        passes.append(Pass(number=number, began_at=at, ended_at=at + length, is_first=is_first))
        is_first = length < CLIP_S
        at += length + (5 if is_first else 0)
    return passes


def order(opened_at: float, box: Box = BOX) -> Found:
    began = opened_at - DWELL_S
    return Found(zone="kerb", box=box, started_at=began, opened_at=opened_at, created_at=opened_at)


def judged(thing: Thing, passes: list[Pass], *orders: Found) -> list[Row]:
    events = events_of(ZONE, [thing], passes, DWELL_S, CLIP_S)
    return rows_of(CLIP, passes, events, orders, DWELL_S, ("dusk",))


def counts(rows: list[Row]) -> list[tuple[int, int, int]]:
    return [(row.expected, row.once, row.false_alarms) for row in rows]


def test_what_comes_in_each_pass_is_one_order_in_each() -> None:
    rows = judged(COMES, shown(30, 30, 30), order(16.5), order(76), order(77))
    assert counts(rows) == [(1, 1, 0), (1, 0, 0), (1, 0, 1)]
    assert (rows[0].delay_s, rows[0].start_error_s) == ((0.5,), (0.5,))


def test_what_always_stands_there_is_one_order_in_all() -> None:
    assert counts(judged(STAYS, shown(30, 12, 30), order(10.2))) == [
        (1, 1, 0),
        (0, 0, 0),
        (0, 0, 0),
    ]
    assert counts(judged(STAYS, shown(30, 30), order(10), order(45))) == [(1, 0, 1), (0, 0, 0)]


def test_a_pass_cut_short_before_the_threshold_asks_for_nothing() -> None:
    rows = judged(COMES, shown(12, 30), order(33))
    assert counts(rows) == [(0, 0, 0), (1, 1, 0)]
    assert [row.conditions for row in rows] == [("dusk",), ("dusk", "reconnect")]


def test_so_near_to_the_cut_nobody_can_say() -> None:
    for orders in ([], [order(16)]):
        assert counts(judged(COMES, shown(16.5), *orders)) == [(0, 0, 0)]


def test_who_stood_there_when_the_stream_was_lost_stands_on() -> None:
    told_before = judged(LEAVES, shown(15, 30), order(10))
    assert counts(told_before) == [(1, 1, 0), (0, 0, 0)]
    told_after = judged(LEAVES, shown(6, 30), order(15.5))
    assert counts(told_after) == [(0, 0, 0), (1, 1, 0)]


def test_an_order_that_fits_nothing_is_a_false_one() -> None:
    elsewhere = order(46, Box(60, 60, 90, 90))
    assert counts(judged(COMES, shown(30, 30), elsewhere)) == [(1, 0, 0), (1, 0, 1)]


def test_passes_end_where_the_next_begins_the_client_leaves_or_the_server_is_killed() -> None:
    notes = [(0, 0.0), (1, 30.0), (None, 40.0), (0, 50.0), (0, 90.0)]
    lines = [json.dumps({"clip": "a", "pass": number, "at": at}) for number, at in notes]
    lines.append(json.dumps({"clip": "b", "pass": 0, "at": 3.0}))
    found = passes_of(lines, "a", breaks=[70.0], end=100.0)
    assert [(each.began_at, each.ended_at, each.is_first) for each in found] == [
        (0, 30, True),
        (30, 40, False),
        (50, 70, True),
        (90, 100, True),
    ]
