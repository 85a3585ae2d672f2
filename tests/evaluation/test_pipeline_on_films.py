"""From film to incident: eval and detect on drawn films, with a detector that sees by colour."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from detector.backends import Detector, ScriptedDetector
from models.city import ModelChoice, ModelFacts
from models.errors import ConfigError, SourceOpenError
from models.geometry import Box
from models.seeing import Detection, Image
from models.zone import IllegalParkingRule, Zone
from service.cli import evaluate as commands
from service.evaluation import Terms, evaluate
from service.evaluation.film import Film
from service.evaluation.scene import load_scene
from service.pipeline import CameraPipeline
from tests.support.clips import make_camera
from tests.support.street import Thing, background, draw, frame

FPS = 5
RED = (40, 40, 220)
YELLOW = (60, 210, 230)
PARK = Box(200, 150, 300, 220)
ZONES = """\
resolution: [640, 360]
zones:
  - id: kerb
    polygon: [[150, 120], [400, 120], [400, 300], [150, 300]]
    rules:
      - {kind: illegal_parking, dwell: 5}
"""
TRUTH = """\
clip: film.mp4
video: {width: 640, height: 360, fps: 5, duration_s: 20}
stationary_vehicles:
- {label: car, box_xyxy: [200, 150, 300, 220], stationary_from_s: 4, stationary_to_s: 16}
abandoned_things:
- {label: bag, box_xyxy: [500, 300, 520, 316], on_ground_from_s: 18, to_s: 20}
zones:
- name: kerb
  polygon_xy: [[150, 120], [400, 120], [400, 300], [150, 300]]
  rule: vehicle bottom-centre inside polygon and stationary for >= dwell
  expected_events_by_dwell_s: {5: 1, 10: 1, 15: 0}
- name: verge
  polygon_xy: [[450, 250], [640, 250], [640, 360], [450, 360]]
  rule: litter present in frame
  expected_litter_present: true
  expected_events_by_dwell_s: {5: 1}
"""


def car_x(second: float) -> float:
    """Comes from the left, stands from 4 s to 16 s, drives on."""
    return 200 - 60 * max(0.0, 4 - second) + 60 * max(0.0, second - 16)


def picture(second: float) -> Image:
    image = background().copy()
    x = round(car_x(second))
    if -99 < x < 640:
        image[150:220, max(0, x) : max(0, x + 100)] = RED
        cv2.rectangle(image, (x + 20, 160), (x + 60, 180), (90, 90, 90), -1)
    if second >= 18:
        image[300:316, 500:520] = YELLOW
    return image


def by_colour(image: Image) -> list[Detection]:
    """A car is what is red, litter what is yellow."""
    found = []
    for colour, label in ((RED, "car"), (YELLOW, "litter")):
        near = (np.abs(image.astype(int) - colour).max(axis=2) < 60).astype(np.uint8)
        x, y, width, height = cv2.boundingRect(near)
        if width * height > 80:
            box = Box(x, y, x + width, y + height)
            found.append(Detection(label=label, confidence=0.9, box=box))
    return found


@pytest.fixture
def detector() -> Detector:
    return ScriptedDetector(by_colour, labels=("car", "litter"))


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    folder = tmp_path / "clips"
    folder.mkdir()
    with av.open(str(folder / "film.mp4"), "w") as container:
        stream: Any = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        stream.options = {"crf": "18", "preset": "ultrafast"}
        for number in range(20 * FPS):
            shot = av.VideoFrame.from_ndarray(picture(number / FPS), format="bgr24")
            shot.pts, shot.time_base = number, Fraction(1, FPS)
            container.mux(stream.encode(shot))
        container.mux(stream.encode())
    (folder / "film.yaml").write_text(TRUTH)
    (tmp_path / "zones.yaml").write_text(ZONES)
    return folder


def test_eval_finds_what_is_there_soon_after_the_threshold(clips: Path, detector: Detector) -> None:
    report = evaluate(clips, detector)
    rows = {(row.zone, row.dwell_s): row for row in report.rows}
    assert {key: (row.expected, row.found, row.matched) for key, row in rows.items()} == {
        ("kerb", 5.0): (1, 1, 1),
        ("kerb", 10.0): (1, 1, 1),
        ("kerb", 15.0): (0, 0, 0),
        ("verge", 5.0): (1, 1, 1),
    }
    assert all(0 <= delay <= 1.1 for row in report.rows for delay in row.delay_s)
    assert len(rows["kerb", 5.0].delay_s) == 1
    assert report.totals.f1 == 1


def test_thresholds_can_be_picked(clips: Path, detector: Detector) -> None:
    report = evaluate(clips, detector, dwells_s=(5, 60))
    assert [(row.zone, row.dwell_s, row.missed) for row in report.rows] == [
        ("kerb", 5, 0),
        ("kerb", 60, 0),
        ("verge", 5, 0),
        ("verge", 60, 0),
    ]


def test_each_clip_is_looked_at_once_for_all_zones_and_thresholds(clips: Path) -> None:
    def looks(*dwells_s: float) -> int:
        sizes: list[tuple[int, ...]] = []

        def counting(image: Image) -> list[Detection]:
            sizes.append(image.shape)
            return by_colour(image)

        evaluate(clips, ScriptedDetector(counting), dwells_s=dwells_s)
        return sizes.count(max(sizes))

    held = 10 + 3
    assert 0 < looks(5, 10) == looks(10) <= 20 + held


def test_a_detector_that_sees_nothing_misses_everything(clips: Path) -> None:
    report = evaluate(clips, ScriptedDetector(lambda _: []))
    assert (report.totals.matched, report.totals.missed, report.totals.recall) == (0, 3, 0.0)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Any:
    chosen: list[ModelChoice] = []

    def load(choice: ModelChoice) -> Detector:
        chosen.append(choice)
        return ScriptedDetector(by_colour, labels=("car", "litter"))

    monkeypatch.setattr(commands, "load_detector", load)
    app = typer.Typer()
    app.command("detect")(commands.detect)
    app.command("eval")(commands.evaluate)
    runner = CliRunner()

    def invoke(*arguments: object) -> Any:
        return runner.invoke(app, [str(argument) for argument in arguments])

    invoke.chosen = chosen  # type: ignore[attr-defined]
    return invoke


def test_detect_prints_the_same_incidents_at_every_run(run: Any, clips: Path) -> None:
    arguments = ("detect", clips / "film.mp4", "--zones", clips.parent / "zones.yaml", "--json")
    first, second = run(*arguments), run(*arguments)
    assert first.exit_code == 0
    assert first.stdout == second.stdout
    changes = [json.loads(line) for line in first.stdout.splitlines()]
    assert [(c["change"], c["zone"], c["label"], c["video_s"]) for c in changes] == [
        ("opened", "kerb", "car", 9.0)
    ]


def test_detect_shows_a_table_and_writes_a_film_that_browsers_play(
    run: Any, clips: Path, tmp_path: Path
) -> None:
    film = tmp_path / "out" / "annotated.mp4"
    zones = clips.parent / "zones.yaml"
    result = run("detect", clips / "film.mp4", "--zones", zones, "--out", film)
    assert result.exit_code == 0
    assert "illegal_parking" in result.stdout
    assert [path.name for path in film.parent.iterdir()] == ["annotated.mp4"]
    with av.open(str(film)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        times = [shot.time for shot in container.decode(stream)]
    assert times == pytest.approx([float(second) for second in range(20)])


def test_detect_takes_model_and_size_from_the_command_line_before_the_file(
    run: Any, clips: Path
) -> None:
    zones = clips.parent / "zones.yaml"
    zones.write_text("model: {weights: other, min_confidence: 0.4}\n" + ZONES)
    run("detect", clips / "film.mp4", "--zones", zones, "--imgsz", "320")
    run("detect", clips / "film.mp4", "--zones", zones, "--model", "mine")
    assert [(c.weights, c.image_size_px, c.min_confidence) for c in run.chosen] == [
        ("other", 320, 0.4),
        ("mine", 640, 0.4),
    ]


def test_detect_says_what_cannot_be_read(run: Any, clips: Path) -> None:
    result = run("detect", clips / "none.mp4", "--zones", clips.parent / "zones.yaml")
    assert isinstance(result.exception, SourceOpenError)


def test_a_zones_file_is_checked_like_a_city_file_with_its_own_lines(tmp_path: Path) -> None:
    path = tmp_path / "zones.yaml"
    path.write_text(
        ZONES.replace("illegal_parking", "illegal_parkin").replace("id: kerb", "ids: k")
    )
    with pytest.raises(ConfigError) as caught:
        load_scene(path)
    lines = str(caught.value).splitlines()
    assert any(line.startswith(f"{path}:3: zones[0]") for line in lines)
    assert any(line.startswith(f"{path}:6: zones[0].rules[0].kind") for line in lines)


def test_a_city_with_several_cameras_needs_one_chosen(tmp_path: Path) -> None:
    camera = "{id: %s, source: 'a.mp4', legal_basis: test, zones: []}"
    cameras = ", ".join(camera % name for name in ("north", "south"))
    path = tmp_path / "city.yaml"
    path.write_text(f"city: {{name: C, timezone: UTC}}\ncameras: [{cameras}]\n")
    with pytest.raises(ConfigError, match="north, south"):
        load_scene(path)
    assert load_scene(path, "south")[0].camera_id == "south"


def test_eval_prints_json_alone(run: Any, clips: Path) -> None:
    result = run("eval", "--clips", clips, "--dwell", "5,10", "--json")
    assert result.exit_code == 0
    report = json.loads(result.stdout)
    assert set(report) == {"rows", "totals", "figures"}
    assert report["totals"]["false_alarms"] == 0
    assert [row["dwell_s"] for row in report["rows"]] == [5, 10, 5, 10]


def test_eval_prints_a_table_and_films(run: Any, clips: Path, tmp_path: Path) -> None:
    result = run("eval", "--clips", clips, "--out", tmp_path / "films")
    assert result.exit_code == 0
    assert "precision 1.000" in result.stdout
    assert (tmp_path / "films" / "film.mp4").stat().st_size > 1000


@pytest.mark.parametrize("dwell", ["soon", "5,,10", "0", "-3"])
def test_eval_refuses_thresholds_that_are_none(run: Any, clips: Path, dwell: str) -> None:
    assert run("eval", "--clips", clips, f"--dwell={dwell}").exit_code == 2


def test_a_film_that_failed_leaves_nothing_behind(tmp_path: Path) -> None:
    def fail() -> None:
        with Film(tmp_path / "a.mp4", 1.0) as film:
            film.add(background(), 0.0)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_what_no_rule_asks_for_is_dropped_and_persons_are_kept() -> None:
    rule = IllegalParkingRule(rule_id="r", labels=frozenset({"car"}), dwell_s=5)
    corners = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0))
    zone = Zone(zone_id="z", name="Z", polygon=corners, in_pixels=False, rules=(rule,))
    box = Box(100, 100, 150, 150)
    labels = ("person", "bench", "litter", "truck")
    all_of_them = [
        Detection(label=label, confidence=0.9, box=Box(box.x1 + 100 * i, 100, 150 + 100 * i, 150))
        for i, label in enumerate(labels)
    ]
    pipeline = CameraPipeline(make_camera("0", zones=(zone,)), ScriptedDetector([all_of_them]))
    processed = pipeline.process(frame(draw([Thing(look=1)]), 0.0))
    assert [item.label for item in processed.detections] == ["person", "truck"]
    assert {track.label for track in processed.look.tracks} == {"person", "truck"}


def test_detect_refuses_rules_that_the_loaded_weights_cannot_serve(run: Any, clips: Path) -> None:
    zones = clips.parent / "zones.yaml"
    zones.write_text(ZONES + "      - {kind: litter, labels: [graffiti]}\n")
    result = run("detect", clips / "film.mp4", "--zones", zones, "--model", "mine")
    assert isinstance(result.exception, ConfigError)
    assert str(result.exception) == (
        f"{zones}:7: zones[0].rules[1].labels[0]: the model mine: unknown label 'graffiti'"
        " (known: car, litter)"
    )


def test_eval_judges_by_the_thresholds_of_the_weights(clips: Path, detector: Detector) -> None:
    facts = ModelFacts(name="mine", labels=("car", "litter"), thresholds={"car": 0.95})
    report = evaluate(clips, detector, terms=Terms(facts=facts))
    assert {row.zone: row.found for row in report.rows} == {"kerb": 0, "verge": 1}


@pytest.mark.parametrize(("policy", "found"), [("require", 0), ("record", 1), ("off", 1)])
def test_eval_can_say_what_closer_looks_are_for(
    run: Any, clips: Path, monkeypatch: pytest.MonkeyPatch, policy: str, found: int
) -> None:
    monkeypatch.setattr("service.pipeline.look_again", lambda *_: 0.0)
    result = run("eval", "--clips", clips, "--closer-look", policy, "--json")
    rows = {row["zone"]: row["found"] for row in json.loads(result.stdout)["rows"]}
    assert rows["verge"] == found
