from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import pytest
import typer
from typer.testing import CliRunner

from detector.weights.registry import DATA_ENV, REGISTRY_NAME, load_registry
from models.errors import WeightsError
from service.cli.model import export, list_models, pull, verify
from tests.backends.yolo import make_weights, street

app = typer.Typer()
app.command("list")(list_models)
app.command("verify")(verify)
app.command("pull")(pull)
app.command("export")(export)

Run = Any


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(DATA_ENV, str(tmp_path / "data"))
    return tmp_path / "data" / "weights"


def run(*words: str) -> Run:
    return CliRunner().invoke(app, [*words])


def add(tmp_path: Path, content: bytes = b"numbers") -> None:
    file = tmp_path / "mine.pt"
    file.write_bytes(content)
    result = run("pull", "mine", "--from", str(file), "--licence", "CC0-1.0")
    assert result.exit_code == 0, result.output
    assert "mine: verified and ready" in result.stdout


def test_what_was_pulled_is_listed_as_a_table_and_as_json(tmp_path: Path) -> None:
    add(tmp_path)
    assert "mine" in run("list").stdout
    listed = json.loads(run("list", "--json").stdout)
    (mine,) = [item for item in listed if item["name"] == "mine"]
    assert (mine["licence"], mine["shipped"], mine["here"]) == ("CC0-1.0", False, True)
    assert [item["name"] for item in listed] == list(load_registry().names())


def test_the_list_marks_experimental_classes(tmp_path: Path, own_folder: Path) -> None:
    add(tmp_path)
    path = own_folder / REGISTRY_NAME
    path.write_text(path.read_text() + "  labels: [car, tree]\n  experimental: [tree]\n")
    assert "car, tree (experimental)" in run("list").stdout
    assert json.loads(run("list", "--json").stdout)[-1]["experimental"] == ["tree"]


def test_verify_says_ok_and_after_a_change_fails_with_the_reason(
    tmp_path: Path, own_folder: Path
) -> None:
    add(tmp_path)
    good = run("verify", "mine")
    assert (good.exit_code, good.stdout) == (0, "mine (pytorch): OK\n")
    (own_folder / "mine" / "mine.pt").write_bytes(b"other")
    bad = run("verify", "mine", "--json")
    assert bad.exit_code == 1
    (result,) = json.loads(bad.stdout)
    assert "is not what the registry lists" in result["problem"]
    assert run("verify").exit_code == 1


def test_verify_of_an_unknown_name_is_an_error() -> None:
    assert isinstance(run("verify", "nothing").exception, WeightsError)


def test_pull_prints_json_alone_on_its_output(tmp_path: Path) -> None:
    file = tmp_path / "x.onnx"
    file.write_bytes(b"graph")
    result = run("pull", "mine", "--from", str(file), "--json")
    assert json.loads(result.stdout)["variants"][0]["format"] == "onnx"


def test_a_pull_that_fails_is_an_error_for_people(tmp_path: Path) -> None:
    result = run("pull", "mine", "--from", str(tmp_path / "nowhere.pt"))
    assert isinstance(result.exception, WeightsError)
    assert "there is nothing at" in str(result.exception)


@pytest.mark.needs_ultralytics
def test_export_writes_a_model_and_says_how_to_use_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = make_weights(tmp_path / "net.pt")
    monkeypatch.chdir(tmp_path)
    result = run("export", str(weights), "--size", "320")
    assert result.exit_code == 0, result.output
    graph = Path("net_openvino-float16_openvino_model/net.xml")
    assert graph.is_file()
    assert f"use it with `model: {{weights: {graph}}}`" in result.stdout


@pytest.mark.needs_ultralytics
def test_export_to_int8_prints_json_alone_on_its_output(tmp_path: Path) -> None:
    weights = make_weights(tmp_path / "net.pt")
    for seed in range(10):
        cv2.imwrite(str(tmp_path / f"{seed}.png"), street(seed, 96, 64))
    words = ["--to", "openvino-int8", "--calibration", str(tmp_path), "--size", "96"]
    result = run("export", str(weights), *words, "--out", str(tmp_path / "out"), "--json")
    assert result.exit_code == 0, result.output
    files = [Path(name) for name in json.loads(result.stdout)["files"]]
    assert files[0] == tmp_path / "out" / "net.xml"
    assert all(file.is_file() for file in files)
