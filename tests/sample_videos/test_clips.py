"""The committed clips are what their ground truth says, and yield the orders the demo expects."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import av
import pytest
import yaml
from shapely.geometry import Polygon

from models.city import City
from models.zone import RuleKind
from sample_videos.render.encode import MAX_BYTES
from sample_videos.render.records import read_boxes
from sample_videos.render.spec import load_scene
from sample_videos.render.timeline import is_still
from sample_videos.render.truth import VEHICLES, Boxes, expected_events, ground_truth
from service.config import load_city
from service.evaluation.truth import ClipTruth, load_truths

FOLDER = Path(__file__).resolve().parents[2] / "sample_videos"
CLIPS = (
    "parking_double_yellow",
    "traffic_and_queue",
    "bags_left_behind",
    "pothole_appears",
    "parking_dusk",
)
SHORTEST_S, LONGEST_S = 20, 40

every_clip = pytest.mark.parametrize("clip", CLIPS)


def truth_of(clip: str) -> dict[str, Any]:
    truth: dict[str, Any] = yaml.safe_load((FOLDER / f"{clip}.yaml").read_text(encoding="utf-8"))
    return truth


def boxes_of(clip: str) -> Boxes:
    return read_boxes(FOLDER / "boxes" / f"{clip}.csv")


def listed_things(truth: dict[str, Any]) -> list[dict[str, Any]]:
    return [*truth["stationary_vehicles"], *truth["abandoned_things"], *truth["damage"]]


@pytest.fixture(scope="module")
def truths() -> dict[str, ClipTruth]:
    return {truth.video.stem: truth for truth in load_truths(FOLDER)}


@pytest.fixture
def city(monkeypatch: pytest.MonkeyPatch) -> City:
    monkeypatch.setenv("STREETWARDEN_DEMO_RTSP_PORT", "8554")
    return load_city(FOLDER / "city.yaml")


def test_there_is_ground_truth_for_exactly_the_clips_that_are_there(
    truths: dict[str, ClipTruth],
) -> None:
    assert set(truths) == set(CLIPS) == {path.stem for path in FOLDER.glob("*.mp4")}


@every_clip
def test_the_file_has_the_codec_size_rate_and_length_of_its_truth(clip: str) -> None:
    video = truth_of(clip)["video"]
    with av.open(str(FOLDER / f"{clip}.mp4")) as container:
        stream = container.streams.video[0]
        frames = list(container.decode(stream))
        assert stream.codec_context.name == video["codec"] == "h264"
        assert (stream.width, stream.height) == (video["width"], video["height"])
        assert stream.average_rate == video["fps"]
    assert len(frames) == video["frames"] == video["fps"] * video["duration_s"]
    assert SHORTEST_S <= video["duration_s"] <= LONGEST_S


@every_clip
def test_a_key_frame_comes_every_second(clip: str) -> None:
    fps = truth_of(clip)["video"]["fps"]
    with av.open(str(FOLDER / f"{clip}.mp4")) as container:
        keys = [number for number, frame in enumerate(container.decode(video=0)) if frame.key_frame]
    assert keys == list(range(0, truth_of(clip)["video"]["frames"], fps))


@every_clip
def test_the_file_is_small_enough_for_the_repository(clip: str) -> None:
    assert (FOLDER / f"{clip}.mp4").stat().st_size <= MAX_BYTES


@every_clip
def test_boxes_lie_in_the_picture_and_times_in_the_clip(clip: str) -> None:
    truth = truth_of(clip)
    video = truth["video"]
    for frames in boxes_of(clip).values():
        assert set(frames) <= set(range(video["frames"]))
        for x1, y1, x2, y2 in frames.values():
            assert 0 <= x1 < x2 <= video["width"]
            assert 0 <= y1 < y2 <= video["height"]
    for thing in listed_things(truth):
        starts = [thing[key] for key in thing if key.endswith("from_s")]
        ends = [thing[key] for key in thing if key in {"to_s", "stationary_to_s"}]
        assert 0 <= starts[0] < ends[0] <= video["duration_s"]


@every_clip
def test_listed_boxes_are_those_of_the_frames(clip: str) -> None:
    boxes = boxes_of(clip)
    for thing in listed_things(truth_of(clip)):
        name = thing["label"].split(" ", 1)[1]
        assert tuple(thing["box_xyxy"]) in boxes[name].values()


@every_clip
def test_zones_are_simple_polygons_in_the_picture(clip: str) -> None:
    truth = truth_of(clip)
    assert truth["zones"]
    for zone in truth["zones"]:
        polygon = Polygon(zone["polygon_xy"])
        assert polygon.is_valid
        assert polygon.area > 1_000
        left, top, right, bottom = polygon.bounds
        assert left >= 0
        assert top >= 0
        assert right < truth["video"]["width"]
        assert bottom < truth["video"]["height"]


@every_clip
def test_expected_events_follow_from_the_truth(clip: str) -> None:
    truth = truth_of(clip)
    for zone in truth["zones"]:
        derived = {
            dwell: expected_events(truth, zone, dwell)
            for dwell in zone["expected_events_by_dwell_s"]
        }
        assert derived == zone["expected_events_by_dwell_s"]


@every_clip
def test_the_truth_is_that_of_the_scene_and_its_boxes(clip: str) -> None:
    scene = load_scene(FOLDER / "scenes" / f"{clip}.yaml")
    assert ground_truth(scene, boxes_of(clip)) == truth_of(clip)


@every_clip
def test_a_vehicle_keeps_its_box_exactly_while_it_stands(clip: str) -> None:
    scene = load_scene(FOLDER / "scenes" / f"{clip}.yaml")
    boxes = boxes_of(clip)
    step_s = 1 / scene.fps
    for actor in scene.actors:
        seen = boxes.get(actor.name, {})
        for number in range(scene.frames - 1):
            stands = actor.label in VEHICLES and is_still(actor.path, number * step_s, step_s)
            if stands and {number, number + 1} <= seen.keys():
                assert seen[number] == seen[number + 1]


def test_the_evaluation_reads_each_zone_as_the_rule_it_is_meant_for(
    truths: dict[str, ClipTruth],
) -> None:
    kinds = {name: {zone.kind for zone in truth.zones} for name, truth in truths.items()}
    assert kinds == {
        "parking_double_yellow": {RuleKind.ILLEGAL_PARKING},
        "traffic_and_queue": {RuleKind.ILLEGAL_PARKING},
        "bags_left_behind": {RuleKind.LITTER},
        "pothole_appears": {RuleKind.DAMAGED_FACILITY},
        "parking_dusk": {RuleKind.ILLEGAL_PARKING},
    }


@every_clip
def test_the_demo_watches_the_zones_of_the_truth(clip: str, city: City) -> None:
    camera = next(camera for camera in city.cameras if camera.camera_id == clip)
    watched = {zone.zone_id: [list(corner) for corner in zone.polygon] for zone in camera.zones}
    assert camera.source == f"rtsp://127.0.0.1:8554/{clip}"
    assert watched == {zone["name"]: zone["polygon_xy"] for zone in truth_of(clip)["zones"]}


def test_the_demo_expects_exactly_the_orders_that_the_truth_yields(city: City) -> None:
    orders: Counter[tuple[str, str, str]] = Counter()
    for camera in city.cameras:
        truth = truth_of(camera.camera_id)
        zones = {zone["name"]: zone for zone in truth["zones"]}
        for zone in camera.zones:
            for rule in zone.rules:
                count = expected_events(truth, zones[zone.zone_id], rule.dwell_s)
                orders[camera.camera_id, zone.zone_id, rule.kind] += count
    document = yaml.safe_load((FOLDER / "expected.yaml").read_text(encoding="utf-8"))
    expected = {
        (row["camera"], row["zone"], row["rule"]): row["count"] for row in document["orders"]
    }
    assert +orders == expected
    assert document["videos"] == [camera.camera_id for camera in city.cameras] == list(CLIPS)
