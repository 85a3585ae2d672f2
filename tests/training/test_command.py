"""The commands ``model eval`` and ``model train``."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import typer
import yaml
from typer.testing import CliRunner

from detector.backends.scripted import ScriptedDetector
from models.city import ModelChoice
from models.geometry import Box
from models.seeing import Detection
from service.cli import training

app = typer.Typer()
app.command("train")(training.train)
app.command("eval")(training.evaluate_model)


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    for name in ("images", "labels"):
        (tmp_path / name).mkdir()
    cv2.imwrite(str(tmp_path / "images/a.png"), np.zeros((100, 100, 3), dtype=np.uint8))
    (tmp_path / "labels/a.txt").write_text("0 0.1 0.1 0.2 0.2\n")
    path = tmp_path / "data.yaml"
    path.write_text(yaml.safe_dump({"val": "images", "names": ["litter"]}))
    return path


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[ModelChoice]:
    """The choices that a detector was asked for; it finds the one piece of litter."""
    choices: list[ModelChoice] = []

    def load(choice: ModelChoice) -> ScriptedDetector:
        choices.append(choice)
        box = Detection(label="litter", confidence=0.7, box=Box(0, 0, 20, 20))
        return ScriptedDetector([[box]], labels=["litter"])

    monkeypatch.setattr(training, "load_detector", load)
    return choices


def test_eval_prints_json_for_other_programs(labelled: Path, asked: list[ModelChoice]) -> None:
    arguments = ["eval", "--data", str(labelled), "--model", "other", "--imgsz", "320", "--json"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == {
        "images": 1,
        "map50": 1.0,
        "classes": {"litter": {"map50": 1.0, "precision": 1.0, "recall": 1.0, "threshold": 0.7}},
        "false_alarms_per_100_images": None,
    }
    assert (asked[0].weights, asked[0].image_size_px) == ("other", 320)
    assert asked[0].min_confidence < 0.01, "average precision needs unsure detections"


def test_eval_prints_a_table_for_people(labelled: Path, asked: list[ModelChoice]) -> None:
    result = CliRunner().invoke(app, ["eval", "--data", str(labelled)])
    assert result.exit_code == 0, result.output
    assert "litter" in result.stdout
    assert "no negative images" in result.stdout


def test_train_refuses_a_yaml_that_is_not_there(tmp_path: Path) -> None:
    arguments = ["train", "--config", "no.yaml", "--data", str(tmp_path), "--output", str(tmp_path)]
    assert CliRunner().invoke(app, arguments).exit_code == 2
