"""The commands ``model eval``, ``compare``, ``calibrate``, ``agree`` and ``gallery``."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import typer
import yaml
from typer.testing import CliRunner

from detector.backends.loading import load_detector
from detector.backends.scripted import ScriptedDetector
from detector.weights.registry import DATA_ENV, REGISTRY_NAME, load_registry
from models.city import ModelChoice
from models.errors import ConfigError, SetupError, SourceOpenError
from models.geometry import Box
from models.seeing import Detection, Image
from service.cli import looking
from service.cli.calibrating import calibrate_model
from service.cli.inspecting import agree, gallery
from service.cli.scoring import compare_models, evaluate_model
from service.config import load_city
from tests.config.builders import VALID, write
from tests.support.clips import write_clip

app = typer.Typer()
app.command("eval")(evaluate_model)
app.command("compare")(compare_models)
app.command("calibrate")(calibrate_model)
app.command("agree")(agree)
app.command("gallery")(gallery)

GREY, LIT = 60, 200
"""Brightness of pictures without and with a piece of litter."""
PLACE = Box(20, 20, 60, 60)

Answer = Callable[[Image], list[Detection]]


def finder(confidence: float, *, false_at: float = 0.0) -> Answer:
    """Finds the litter where the picture is bright; elsewhere something false, if told so."""

    def answer(image: Image) -> list[Detection]:
        sure = confidence if image.mean() > (GREY + LIT) / 2 else false_at
        found = [Detection(label="litter", confidence=sure, box=PLACE)] if sure else []
        return [*found, Detection(label="car", confidence=0.9, box=Box(0, 0, 30, 30))]

    return answer


MODELS: dict[str, Answer] = {
    "good": finder(0.9),
    "blind": lambda _image: [],
    "nervous": finder(0.9, false_at=0.6),
    "foggy": finder(0.8),
}


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[ModelChoice]:
    """The choices that detectors were asked for; their answers are :data:`MODELS`'."""
    choices: list[ModelChoice] = []

    def load(choice: ModelChoice) -> ScriptedDetector:
        choices.append(choice)
        known = ["litter", "fog"] if choice.weights == "foggy" else ["litter", "car"]
        return ScriptedDetector(MODELS[choice.weights], labels=known)

    monkeypatch.setattr(looking, "load_detector", load)
    monkeypatch.setenv(DATA_ENV, str(tmp_path / "own"))
    return choices


def picture(path: Path, brightness: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), np.full((100, 160, 3), brightness, dtype=np.uint8))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Twenty pictures with one piece of litter each, ten without."""
    (tmp_path / "labels").mkdir()
    for number in range(30):
        picture(tmp_path / f"images/{number:02}.png", LIT if number < 20 else GREY)
        text = "0 0.25 0.4 0.25 0.4\n" if number < 20 else ""
        (tmp_path / f"labels/{number:02}.txt").write_text(text)
    path = tmp_path / "data.yaml"
    path.write_text(yaml.safe_dump({"val": "images", "names": ["litter", "fog"]}))
    return path


def run(*words: object) -> Any:
    return CliRunner().invoke(app, [str(word) for word in words])


def told(*words: object) -> Any:
    result = run(*words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_eval_prints_json_of_the_agreed_shape(data: Path, asked: list[ModelChoice]) -> None:
    report = told("eval", "--data", data, "--model", "nervous", "--imgsz", "320")
    assert (report["images"], report["map50"]) == (30, 1.0)
    assert list(report["classes"]) == ["litter"]
    score = report["classes"]["litter"]
    figures = {"map50": 1.0, "precision": 1.0, "recall": 1.0, "threshold": 0.9}
    assert figures.items() <= score.items()
    assert report["false_alarms_per_100_images"] == 0.0
    assert (asked[0].weights, asked[0].image_size_px) == ("nervous", 320)
    assert asked[0].min_confidence < 0.01, "average precision needs unsure detections"


@pytest.mark.needs_ultralytics
def test_eval_adds_coco_figures_confusion_intervals_and_times(data: Path) -> None:
    report = told("eval", "--data", data, "--model", "good")
    score = report["classes"]["litter"]
    assert score["coco"]["all"] == {"objects": 20, "ap50": 1.0, "ap50_95": 1.0, "ar": 1.0}
    assert score["coco"]["large"]["objects"] == 20, "40 of 160 px are 160 of 640"
    assert score["coco"]["small"] is None
    assert report["confusion"] == {
        "labels": ["litter", "background"],
        "there_by_found": [[20, 0], [0, 0]],
    }
    assert score["map50_interval"] == [1.0, 1.0]
    assert 0.8 < score["recall_interval"][0] < 1.0, "twenty of twenty prove no certainty"
    assert report["latency"]["pictures"] == 29
    assert report["latency"]["machine"]


def test_eval_without_pycocotools_tells_all_else_and_why(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pycocotools.coco", None)
    report = told("eval", "--data", data, "--model", "good")
    assert report["map50"] == 1.0
    assert report["classes"]["litter"]["coco"] == {}
    assert "pycocotools is not installed" in report["coco_missing"]
    assert "pycocotools is not" in run("eval", "--data", data, "--model", "good").stdout


def test_eval_prints_tables_for_people(data: Path) -> None:
    result = run("eval", "--data", data, "--model", "good")
    assert result.exit_code == 0, result.output
    for words in ("litter", "best_f1", "30 images, mAP50 1.000", "10 without objects", "confusion"):
        assert words in result.stdout


def test_eval_takes_the_thresholds_that_calibrate_wrote(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "thresholds.yaml"
    file.write_text("model: {weights: nervous, thresholds: {litter: 0.5}}\n")
    words = ("eval", "--data", data, "--model", "nervous", "--thresholds", file)
    score = told(*words)["classes"]["litter"]
    assert (score["threshold"], score["threshold_from"]) == (0.5, "given")
    assert score["precision"] == pytest.approx(20 / 30, abs=1e-4)
    assert score["false_alarms_per_1000_negative_images"]["per_1000"] == 1000.0
    file.write_text("thresholds: 3\n")
    assert isinstance(run(*words).exception, ConfigError)


def test_eval_uses_the_registrys_thresholds_of_a_model_that_it_lists(
    data: Path, tmp_path: Path
) -> None:
    entry = {
        "name": "nervous",
        "description": "",
        "status": "yours",
        "licence": "CC0-1.0",
        "labels": ["litter", "car"],
        "thresholds": {"litter": 0.55},
        "variants": [{"format": "onnx", "files": [{"path": "n.onnx", "sha256": "0" * 64}]}],
    }
    path = tmp_path / "own/weights" / REGISTRY_NAME
    path.parent.mkdir(parents=True)
    path.write_text(yaml.safe_dump({"version": 1, "weights": [entry]}))
    assert "nervous" in load_registry().names()
    score = told("eval", "--data", data, "--model", "nervous")["classes"]["litter"]
    assert (score["threshold"], score["threshold_from"]) == (0.55, "given")


@pytest.mark.needs_ultralytics
def test_eval_draws_curves_and_confusion(data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "deep/plots"
    told("eval", "--data", data, "--model", "nervous", "--plots", folder)
    for name in ("pr_curves.png", "confusion.png"):
        drawn = cv2.imread(str(folder / name))
        assert drawn is not None
        assert len(np.unique(drawn)) > 10, "an empty sheet has no lines"


@pytest.mark.needs_ultralytics
def test_plots_that_cannot_be_written_are_told(data: Path, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    result = run("eval", "--data", data, "--model", "good", "--plots", tmp_path / "taken")
    assert isinstance(result.exception, SetupError)


def test_eval_looks_with_the_shipped_model(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "load_detector", load_detector)
    report = told("eval", "--data", data, "--imgsz", "64")
    assert (report["images"], report["map50"]) == (30, 0.0), "grey squares are no litter"
    assert report["classes"]["litter"]["objects"] == 20
    assert report["latency"]["median_ms"] > 0


def test_compare_tells_which_is_better_beyond_chance(data: Path) -> None:
    report = told("compare", "blind", "good", "--data", data)
    litter = report["classes"]["litter"]
    assert (litter["a"], litter["b"], litter["better"]) == (0.0, 1.0, "b")
    assert litter["interval"] == [1.0, 1.0]
    assert litter["recall"] == {"a": 0.0, "b": 1.0}
    assert report["models"] == {"a": "blind", "b": "good"}
    assert report["false_alarms_per_100_images"] == {"a": 0.0, "b": 0.0}
    assert set(report["latency"]) == {"a", "b"}


def test_compare_prints_a_table_that_names_the_better_one_or_says_chance(data: Path) -> None:
    better = run("compare", "blind", "good", "--data", data)
    assert better.exit_code == 0, better.output
    assert "ms a picture" in better.stdout
    assert "may be chance" not in better.stdout
    same = run("compare", "good", "nervous", "--data", data)
    assert "may be chance" in same.stdout


def test_compare_names_what_only_one_knows_unless_it_is_asked_for(data: Path) -> None:
    report = told("compare", "good", "foggy", "--data", data)
    assert list(report["classes"]) == ["litter"]
    assert report["not_compared"] == {"a": [], "b": ["fog"]}
    assert (
        "b alone knows, not compared: fog" in run("compare", "good", "foggy", "--data", data).stdout
    )
    data.write_text(data.read_text() + "score: [fog]\n")
    asked_for = told("compare", "good", "foggy", "--data", data)
    assert list(asked_for["classes"]) == ["fog"]
    assert asked_for["not_compared"] == {"a": [], "b": []}
    assert asked_for["map50"]["better"] is None, "no picture shows fog"


def calibrated(tmp_path: Path, model: str, rate: object, *words: object) -> Any:
    for number in range(10):
        picture(tmp_path / f"negatives/{number}.png", GREY)
    options = ("--negatives", tmp_path / "negatives", "--false-alarms-per-1000", rate)
    return told("calibrate", "--model", model, *options, *words)


def test_calibrate_keeps_the_rate_and_tells_the_recall_that_is_left(
    data: Path, tmp_path: Path
) -> None:
    file = tmp_path / "thresholds.yaml"
    report = calibrated(tmp_path, "nervous", 50, "--data", data, "--write", file)
    litter = report["classes"]["litter"]
    assert list(report["classes"]) == ["litter"], "vehicles are no false alarms"
    assert (litter["threshold"], litter["alarms"], litter["allowed"]) == (0.601, 0, 0)
    assert (litter["on_data"]["recall"], litter["on_data"]["objects"]) == (1.0, 20)
    assert (report["pictures"], report["kept"], report["enough_pictures"]) == (10, True, False)
    city = load_city(write(tmp_path, VALID + file.read_text()), environ={})
    assert dict(city.model.thresholds) == {"litter": 0.601}, "city.yaml takes it as it is"
    assert city.model.weights == str(Path("nervous").resolve()), "a path, wherever city.yaml lies"
    words = ("eval", "--data", data, "--model", "nervous", "--thresholds", file)
    assert told(*words)["classes"]["litter"]["threshold"] == 0.601


def test_calibrate_says_when_there_are_too_few_pictures(tmp_path: Path) -> None:
    calibrated(tmp_path, "good", 5)
    options = ("--negatives", tmp_path / "negatives", "--false-alarms-per-1000", "5")
    result = run("calibrate", "--model", "good", *options)
    assert result.exit_code == 0, result.output
    assert "Too few pictures to show 5 per 1,000" in result.stdout
    assert "it takes 600 (rule of three)" in result.stdout


def test_calibrate_can_be_asked_for_certain_classes_only(tmp_path: Path) -> None:
    report = calibrated(tmp_path, "nervous", 900, "--class", "car", "--class", "litter")
    assert {name: c["allowed"] for name, c in report["classes"].items()} == {"car": 5, "litter": 4}
    options = ("--negatives", tmp_path / "negatives", "--false-alarms-per-1000", "5")
    refused = run("calibrate", "--model", "good", *options, "--class", "smoke")
    assert refused.exit_code == 2


def test_calibrate_looks_at_clips_too(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "night.mp4", frames=75)
    options = ("--negatives", clip, "--false-alarms-per-1000", "5", "--every", "1")
    assert told("calibrate", "--model", "good", *options)["pictures"] == 3


def test_a_negative_that_cannot_be_read_is_not_taken_for_a_clean_one(tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"none")
    options = ("--negatives", tmp_path, "--false-alarms-per-1000", "5")
    result = run("calibrate", "--model", "good", *options)
    assert isinstance(result.exception, SourceOpenError)


def test_agree_tells_the_recall_of_the_teachers_boxes(data: Path) -> None:
    report = told("agree", "--model", "good", "--teacher", "nervous", "--data", data)
    assert (report["pictures"], report["teacher"]) == (30, "nervous")
    assert report["by_label"]["litter"] == {"objects": 30, "recall": pytest.approx(20 / 30)}
    assert report["by_label"]["car"] == {"objects": 30, "recall": 1.0}
    assert report["by_size"]["large"]["objects"] == 60


def test_agree_looks_at_clips_and_prints_a_table(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "street.mp4", frames=75)
    words = ("agree", "--model", "good", "--teacher", "good", "--clips", clip)
    result = run(*words, "--class", "car", "--every", "1")
    assert result.exit_code == 0, result.output
    assert "3 pictures: recall 1.000" in result.stdout


@pytest.mark.parametrize("words", [(), ("--class", "smoke")], ids=["no pictures", "no class"])
def test_agree_refuses_what_it_cannot_compare(data: Path, words: tuple[str, ...]) -> None:
    pictures = ("--data", str(data)) if words else ()
    result = run("agree", "--model", "good", "--teacher", "good", *pictures, *words)
    assert result.exit_code == 2


def test_gallery_shows_missed_and_false_ones_on_a_sheet(data: Path, tmp_path: Path) -> None:
    result = run("gallery", "--model", "blind", "--data", data, "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    sheet = cv2.imread(str(tmp_path / "out/litter.jpg"))
    assert sheet is not None
    assert f"litter: {tmp_path / 'out/litter.jpg'}" in result.stdout
    green = (sheet[:, :, 1].astype(int) - sheet[:, :, 2]) > 60
    assert green.any(), "what is there is outlined in green"


def test_gallery_says_where_nothing_failed(data: Path, tmp_path: Path) -> None:
    result = run("gallery", "--model", "good", "--data", data, "--out", tmp_path / "out")
    assert "litter: nothing failed" in result.stdout
    assert not (tmp_path / "out").exists()
