"""A replay decides exactly as the live rules did."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from models.geometry import Box
from models.incident import IncidentChange
from models.seeing import Look
from service.recording.grid import rounded
from service.recording.recorder import CameraRecorder
from service.recording.relevance import Relevance
from service.recording.replaying import changes_of, replay_camera
from tests.recording.worlds import (
    ALWAYS,
    CHOICE,
    ELSEWHERE,
    WATCHED,
    judge,
    parked,
    record,
    recording,
    span,
    streets,
)
from tests.zones.looks import BAG, LITTERING, PARKING, Thing, camera, film, zone
from zones.engine import ZoneEngine

FEW = settings(max_examples=12, deadline=None)
FILM_S = 80


@contextmanager
def new_folder() -> Iterator[Path]:
    """Hypothesis runs many examples in one test: each has its own."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def replayed(folder: Path) -> list[IncidentChange]:
    return list(changes_of(WATCHED, recording(folder), ALWAYS))


def as_if_new(looks: list[Look], number: int) -> list[Look]:
    """What a tracker gives after a restart: other ids, and nothing known from before."""
    began_at = looks[0].at if looks else None
    return [
        replace(
            look,
            tracks=tuple(
                replace(
                    track,
                    track_id=track.track_id + 1000 * number,
                    first_seen=max(track.first_seen, began_at),
                    stationary_since=track.stationary_since
                    and max(track.stationary_since, began_at),
                )
                for track in look.tracks
            ),
        )
        for look in looks
        if began_at is not None
    ]


@FEW
@given(streets(), st.integers(1, 40))
def test_a_replay_gives_every_change_of_the_live_rules_with_the_same_ids(
    things: list[Thing], flush_every: int
) -> None:
    with new_folder() as folder:
        live = record(folder, film(*things, to_s=FILM_S), flush_every=flush_every)
        assert replayed(folder) == live


@FEW
@given(streets(), st.lists(st.integers(1, FILM_S - 1), max_size=3), st.integers(0, 9))
def test_so_it_does_over_restarts_and_kills(
    things: list[Thing], restarts: list[int], forgotten: int
) -> None:
    """A killed daemon goes on from the state that it last saved, which looks before the kill lack.

    States are saved with each change, so what is forgotten holds none.
    """
    looks = film(*things, to_s=FILM_S)
    bounds = [0, *sorted(set(restarts)), len(looks)]
    live: list[IncidentChange] = []
    state: str | None = None
    with new_folder() as folder:
        for number, (begin, end) in enumerate(pairwise(bounds)):
            engine = ZoneEngine(WATCHED, state)
            recorder = CameraRecorder(folder, "cam", CHOICE, resumed_at=engine.last_at)
            since_saved = 0
            for look in map(rounded, as_if_new(looks[begin:end], number)):
                changes = engine.look(look)
                live += changes
                recorder.add(look, changes, ())
                since_saved += 1
                if changes or state is None or since_saved > forgotten:
                    recorder.flush()
                    state, since_saved = engine.state(), 0
            recorder.close()
        assert replayed(folder) == live


@FEW
@given(streets())
def test_tracks_that_are_left_out_would_have_changed_nothing(things: list[Thing]) -> None:
    beside = camera(zone(PARKING, polygon=((0.1, 0.2), (0.4, 0.2), (0.4, 0.6), (0.1, 0.6))))
    looks = [rounded(look) for look in film(*things, to_s=FILM_S)]
    with new_folder() as folder:
        record(folder, looks, beside)
        assert list(changes_of(beside, recording(folder), ALWAYS)) == judge(beside, looks)


def test_tracks_far_from_every_zone_are_left_out(tmp_path: Path) -> None:
    record(tmp_path, parked())
    recorded = recording(tmp_path)
    (columns,) = [
        columns
        for stretch in recorded.stretches(ALWAYS)
        for columns in recorded.columns(stretch, ALWAYS)
    ]
    keep = Relevance(WATCHED).of(columns)
    assert keep is not None
    kept = set(columns.tracks["track_id"][keep][:-2].tolist())
    assert kept == {1}


@FEW
@given(streets(), st.floats(-0.06, 0.06))
def test_rounding_changes_no_decision(things: list[Thing], by_px: float) -> None:
    def moved(box: Box) -> Box:
        return Box(*(side + by_px for side in box.xyxy))

    looks = [
        replace(look, tracks=tuple(replace(t, box=moved(t.box)) for t in look.tracks))
        for look in film(*things, to_s=FILM_S)
    ]
    exact, kept = judge(WATCHED, looks), judge(WATCHED, [rounded(look) for look in looks])
    assert [(c.kind, c.at, c.incident.zone_id, c.incident.rule_id) for c in kept] == [
        (c.kind, c.at, c.incident.zone_id, c.incident.rule_id) for c in exact
    ]


def test_a_part_of_the_time_gives_what_was_confirmed_in_it_with_what_stood_there_before(
    tmp_path: Path,
) -> None:
    live = record(tmp_path, parked(to_s=200, leaves_s=180))
    (opened,) = [change.incident for change in live if change.kind == "opened"]
    whole = replay_camera(WATCHED, recording(tmp_path), ALWAYS)
    assert [incident.incident_id for incident in whole.incidents] == [opened.incident_id]
    assert whole.looks == 201
    assert whole.watched.total_seconds() == 200
    later = replay_camera(WATCHED, recording(tmp_path), span(100, 200))
    assert later.incidents == ()


def test_things_outside_every_zone_make_nothing(tmp_path: Path) -> None:
    record(tmp_path, film(Thing(box=ELSEWHERE), to_s=60))
    assert replay_camera(WATCHED, recording(tmp_path), ALWAYS).incidents == ()


@FEW
@given(
    st.integers(0, 20), st.integers(0, 999), st.integers(60, 400), st.sampled_from((40, 120)),
    st.integers(5, 30),
)  # fmt: skip
def test_who_was_near_a_dropped_thing_is_known_to_a_replay_too(
    dropped_s: int, x: int, foot: int, height: int, stays_s: int
) -> None:
    littered = camera(zone(LITTERING, polygon=((0.4, 0.2), (0.7, 0.2), (0.7, 0.8), (0.4, 0.8))))
    bag = Thing(track_id=1, label="litter", box=BAG, comes_s=dropped_s)
    somebody = Thing(
        track_id=2,
        label="person",
        box=Box(x, foot - height, x + height / 3, foot),
        stands_s=FILM_S,
        leaves_s=dropped_s + stays_s,
    )
    with new_folder() as folder:
        live = record(folder, film(bag, somebody, to_s=FILM_S), littered)
        assert list(changes_of(littered, recording(folder), ALWAYS)) == live
