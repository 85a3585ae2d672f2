"""Scores of a detector whose answers are known."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

from detector.backends.scripted import ScriptedDetector
from detector.training.agreement import SizeRecall, agreement
from detector.training.evaluation import ThresholdOrigin, evaluate, score_scenes
from detector.training.evaluation_data import load_evaluation_data
from detector.training.scenes import Scene
from models.errors import ConfigError
from models.geometry import Box
from models.seeing import Detection

LEFT, RIGHT, NOWHERE = Box(0, 0, 20, 20), Box(50, 50, 80, 80), Box(60, 0, 70, 10)


def seen(box: Box, confidence: float, label: str = "litter") -> Detection:
    return Detection(label=label, confidence=confidence, box=box)


def scene(found: Sequence[Detection], *truth: Box, label: str = "litter") -> Scene:
    return Scene(found=tuple(found), truth=tuple((label, box) for box in truth))


def write_data(folder: Path, labels: Sequence[str], **extra: object) -> Path:
    """Images of 100 px with these label files, as an ultralytics data set."""
    for name in ("images", "labels"):
        (folder / name).mkdir()
    for number, text in enumerate(labels):
        image = np.full((100, 100, 3), number, dtype=np.uint8)
        cv2.imwrite(str(folder / "images" / f"{number}.png"), image)
        (folder / "labels" / f"{number}.txt").write_text(text)
    path = folder / "data.yaml"
    path.write_text(yaml.safe_dump({"val": "images", "names": ["litter", "pothole"], **extra}))
    return path


@pytest.mark.parametrize(
    ("scenes", "map50"),
    [
        ([scene([seen(LEFT, 0.9)], LEFT)], 1.0),
        ([scene([], LEFT)], 0.0),
        ([scene([seen(NOWHERE, 0.9)], LEFT)], 0.0),
        ([scene([seen(LEFT, 0.9)], LEFT, RIGHT)], 51 / 101),
        ([scene([seen(NOWHERE, 0.9), seen(LEFT, 0.8)], LEFT)], 0.5),
        ([scene([seen(LEFT, 0.9), seen(LEFT, 0.8)], LEFT)], 1.0),
    ],
    ids=["found", "missed", "elsewhere", "one of two", "false one first", "found twice"],
)
def test_average_precision_is_what_coco_says(scenes: list[Scene], map50: float) -> None:
    report = score_scenes(scenes, ["litter"], {})
    assert report.classes["litter"].map50 == pytest.approx(map50, abs=0.001)


def test_the_threshold_is_where_f1_is_best() -> None:
    scenes = [
        scene([seen(LEFT, 0.9), seen(NOWHERE, 0.3)], LEFT),
        scene([seen(RIGHT, 0.6)], RIGHT),
    ]
    score = score_scenes(scenes, ["litter"], {}).classes["litter"]
    assert (score.threshold, score.precision, score.recall) == (0.6, 1.0, 1.0)


def test_a_given_threshold_is_used_instead() -> None:
    scenes = [scene([seen(LEFT, 0.9)], LEFT), scene([seen(RIGHT, 0.6)], RIGHT)]
    score = score_scenes(scenes, ["litter"], {"litter": 0.7}).classes["litter"]
    assert (score.threshold, score.recall) == (0.7, 0.5)
    assert score.threshold_from is ThresholdOrigin.GIVEN
    assert score.best_f1_threshold == 0.6


def test_false_alarms_are_counted_on_images_without_objects_above_the_threshold() -> None:
    scenes = [
        scene([seen(LEFT, 0.9)], LEFT),
        scene([seen(NOWHERE, 0.95), seen(LEFT, 0.1)]),
        scene([]),
    ]
    report = score_scenes(scenes, ["litter"], {})
    assert report.negative_images == 2
    assert report.false_alarms_per_100_images == 50.0
    told = report.as_json()["classes"]["litter"]["false_alarms_per_1000_negative_images"]
    assert (told["alarms"], told["pictures"], told["per_1000"]) == (1, 2, 500.0)


def test_a_class_may_be_falsely_seen_where_only_another_one_is() -> None:
    scenes = [
        scene([seen(RIGHT, 0.9, "litter")], RIGHT, label="pothole"),
        scene([seen(LEFT, 0.9)], LEFT),
    ]
    report = score_scenes(scenes, ["litter", "pothole"], {"litter": 0.5, "pothole": 0.5})
    assert report.classes["litter"].false_alarms.alarms == 1
    assert report.false_alarms_per_100_images is None, "no image is without any object"


def test_without_negative_images_there_is_no_rate_of_false_alarms() -> None:
    report = score_scenes([scene([seen(LEFT, 0.9)], LEFT)], ["litter"], {})
    assert report.as_json()["false_alarms_per_100_images"] is None


def test_classes_that_no_image_shows_do_not_pull_the_mean_down() -> None:
    report = score_scenes([scene([seen(LEFT, 0.9)], LEFT)], ["litter", "pothole"], {})
    assert report.map50 == pytest.approx(1.0)


def test_a_data_set_is_scored_with_classes_matched_by_name(tmp_path: Path) -> None:
    data = load_evaluation_data(write_data(tmp_path, ["0 0.1 0.1 0.2 0.2", ""]))
    # The detector numbers its classes otherwise and knows one more; only names count.
    detector = ScriptedDetector(
        [[seen(LEFT, 0.8), seen(RIGHT, 0.9, "car")], []], labels=("car", "litter")
    )
    report = evaluate(detector, data).as_json()
    figures = {"map50": 1.0, "precision": 1.0, "recall": 1.0, "threshold": 0.8}
    assert (report["images"], report["map50"]) == (2, 1.0)
    assert report["false_alarms_per_100_images"] == 0.0
    assert list(report["classes"]) == ["litter"]
    assert figures.items() <= report["classes"]["litter"].items()


def test_score_limits_the_classes_and_counts_one_that_the_detector_does_not_know(
    tmp_path: Path,
) -> None:
    path = write_data(tmp_path, ["0 0.1 0.1 0.2 0.2\n1 0.5 0.5 0.2 0.2"], score=["pothole"])
    detector = ScriptedDetector([[seen(LEFT, 0.8)]], labels=("litter",))
    report = evaluate(detector, load_evaluation_data(path))
    assert list(report.classes) == ["pothole"]
    assert report.map50 == 0.0


def test_images_may_be_listed_in_a_file(tmp_path: Path) -> None:
    path = write_data(tmp_path, ["", "0 0.1 0.1 0.2 0.2"], val="some.txt")
    (tmp_path / "some.txt").write_text("images/1.png\n")
    (item,) = load_evaluation_data(path).images
    _, truth = item.read()
    assert truth == (("litter", Box(0.0, 0.0, 20.0, 20.0)),)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"val": "nowhere"}, "neither a folder"),
        ({"score": ["smoke"]}, "unknown names"),
        ({"names": None}, "no ultralytics data YAML"),
    ],
    ids=["no images", "unknown class", "no names"],
)
def test_a_wrong_data_yaml_is_refused(
    tmp_path: Path, change: dict[str, object], message: str
) -> None:
    path = write_data(tmp_path, [""], **change)
    with pytest.raises(ConfigError, match=message):
        load_evaluation_data(path)


def test_a_wrong_label_line_is_refused_with_its_place(tmp_path: Path) -> None:
    data = load_evaluation_data(write_data(tmp_path, ["0 0.5 0.5 0.1 0.1\n7 0 0 1 1"]))
    with pytest.raises(ConfigError, match=r"0\.txt:2"):
        data.images[0].read()


def test_agreement_gives_recall_at_equal_precision_by_size() -> None:
    image = np.zeros((640, 640, 3), dtype=np.uint8)
    small, large = Box(0, 0, 10, 10), Box(100, 100, 200, 200)
    teacher = ScriptedDetector([[seen(small, 0.9, "car"), seen(large, 0.9, "car")]], ["car"])
    student = ScriptedDetector(
        [[seen(large, 0.8, "car"), seen(Box(300, 300, 320, 320), 0.2, "car")]], ["car"]
    )
    result = agreement(student, teacher, [image], ["car"])
    assert (result.threshold, result.precision, result.recall) == (0.8, 1.0, 0.5)
    assert result.by_size == {
        "small": SizeRecall(objects=1, recall=0.0),
        "medium": SizeRecall(objects=0, recall=None),
        "large": SizeRecall(objects=1, recall=1.0),
    }
    assert result.by_label == {"car": SizeRecall(objects=2, recall=0.5)}
    assert result.as_json()["pictures"] == 1
