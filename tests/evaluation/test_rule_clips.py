"""Rendered clips that cover the options of rules: the whole pipeline says what their truth says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import pytest
import yaml

from detector.backends import Detector, load_detector, model_facts
from models.city import ModelChoice
from models.errors import WeightsError
from sample_videos.render.encode import MAX_BYTES
from sample_videos.render.records import read_boxes
from sample_videos.render.spec import load_scene
from sample_videos.render.truth import ground_truth
from service.evaluation.cameras import Terms
from service.evaluation.evaluating import evaluate_clip
from service.evaluation.row import Row
from service.evaluation.truth import ClipTruth, load_truths

FOLDER = Path(__file__).resolve().parents[2] / "sample_videos" / "rules"
RENDERED = (
    "bus_bay",
    "littering",
    "loading",
    "moved_camera",
    "queue_at_lights",
    "returning_car",
    "toppled_bin",
)
DERIVED = {
    "night_schedule_at_night": "parking_dusk",
    "night_schedule_begins": "parking_dusk",
    "night_schedule_by_day": "parking_dusk",
    "reconnect": "parking_double_yellow",
}
"""Further truths of clips of the demo."""
LOOK_INTERVAL_S = 0.5
LATEST_S = 1.0
"""A clip's things are confirmed so soon after they could be seen for their dwell: two looks."""

every_rendered = pytest.mark.parametrize("name", RENDERED)


@pytest.fixture(scope="module")
def detector() -> Iterator[Detector]:
    try:
        loaded = load_detector(ModelChoice())
    except WeightsError as error:
        pytest.skip(f"no weights: {error}")
    yield loaded
    loaded.close()


@pytest.fixture(scope="module")
def terms(detector: Detector) -> Terms:
    facts = model_facts(ModelChoice(), detector)
    return Terms(look_interval_s=LOOK_INTERVAL_S, facts=facts)


@pytest.fixture(scope="module")
def truths() -> Mapping[str, ClipTruth]:
    return {truth.truth.stem: truth for truth in load_truths(FOLDER)}


def expected_and_found(rows: list[Row]) -> dict[tuple[str, float], tuple[int, int, int]]:
    return {(row.zone, row.dwell_s): (row.expected, row.matched, row.false_alarms) for row in rows}


@pytest.mark.parametrize("name", [*RENDERED, "night_schedule_begins", "reconnect"])
def test_each_clip_yields_the_orders_of_its_truth_and_no_others(
    name: str, truths: Mapping[str, ClipTruth], detector: Detector, terms: Terms
) -> None:
    rows = evaluate_clip(truths[name], detector, (), terms)
    assert rows
    assert expected_and_found(rows) == {
        (row.zone, row.dwell_s): (row.expected, row.expected, 0) for row in rows
    }
    assert all(row.once == row.expected for row in rows)
    assert all(row.misnamed == 0 for row in rows)
    for row in rows:
        assert all(-1.0 <= delay <= LATEST_S for delay in row.delay_s)


def test_by_day_nobody_minds_what_is_forbidden_at_night(
    truths: Mapping[str, ClipTruth], detector: Detector, terms: Terms
) -> None:
    clip = truths["night_schedule_by_day"]
    by_day = evaluate_clip(clip, detector, (5,), terms)
    assert [(row.expected, row.found) for row in by_day] == [(0, 0)]


def test_without_a_watch_on_the_camera_its_new_view_would_make_a_false_order(
    truths: Mapping[str, ClipTruth], detector: Detector, terms: Terms
) -> None:
    unwatched = replace(truths["moved_camera"], upkeep=())
    assert [row.found for row in evaluate_clip(unwatched, detector, (5,), terms)] == [1]


def test_there_is_a_truth_for_each_clip_and_each_variant(
    truths: Mapping[str, ClipTruth],
) -> None:
    assert set(truths) == {*RENDERED, *DERIVED}
    assert {path.stem for path in FOLDER.glob("*.mp4")} == set(RENDERED)


def yaml_of(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return document


@every_rendered
def test_the_truth_of_a_rule_clip_is_that_of_its_scene_and_boxes(name: str) -> None:
    scene = load_scene(FOLDER / "scenes" / f"{name}.yaml")
    boxes = read_boxes(FOLDER / "boxes" / f"{name}.csv")
    assert ground_truth(scene, boxes) == yaml_of(FOLDER / f"{name}.yaml")


@every_rendered
def test_a_rule_clip_is_as_long_and_large_as_its_truth_says(name: str) -> None:
    video = yaml_of(FOLDER / f"{name}.yaml")["video"]
    path = FOLDER / f"{name}.mp4"
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height) == (video["width"], video["height"])
        assert (stream.frames, stream.average_rate) == (video["frames"], video["fps"])
    assert path.stat().st_size <= MAX_BYTES


@pytest.mark.parametrize(("name", "original"), DERIVED.items())
def test_a_further_truth_of_a_clip_does_not_contradict_the_first(name: str, original: str) -> None:
    derived, first = yaml_of(FOLDER / f"{name}.yaml"), yaml_of(FOLDER.parent / f"{original}.yaml")
    assert derived["clip"] == f"../{first['clip']}"
    assert derived["stationary_vehicles"] == first["stationary_vehicles"]
    polygons = [zone["polygon_xy"] for zone in first["zones"]]
    assert all(zone["polygon_xy"] in polygons for zone in derived["zones"])
